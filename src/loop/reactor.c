/* SPDX-License-Identifier: BSD-2-Clause
 *
 * reactor - see reactor.h.
 *
 * Shape    epoll returns ids; base/id turns them into sources or, for one that
 *          is gone, into nothing. A batch is at most BATCH events, so that
 *          posts and timers get their turn however many sockets are ready;
 *          epoll itself goes round, what did not fit comes first next time.
 *
 *  1. A source is in the table exactly while its fd is in the epoll set: added
 *     to both or to none, removed from both.
 *  2. An event whose source was removed earlier in its batch is skipped, since
 *     the id's generation has passed.
 */
#include "loop/reactor.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/id.h"

#define BATCH       256
#define SOURCES_MAX (1u << 24) /* beyond any fd limit we will meet */

struct reactor {
    int epoll_fd;
    size_t ready; /* events of the batch that wait for dispatch */
    struct id_table sources;
    struct epoll_event batch[BATCH];
};

int
reactor_create(struct reactor **out)
{
    struct reactor *const r = malloc(sizeof(*r));

    if (r == NULL)
        return -ENOMEM;

    r->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (r->epoll_fd < 0) {
        const int rc = -errno;

        free(r);
        return rc;
    }

    r->ready = 0;
    id_table_init(&r->sources, SOURCES_MAX);
    *out = r;
    return 0;
}

void
reactor_destroy(struct reactor *r)
{
    if (r == NULL)
        return;
    ASSERT(r->sources.used == 0);

    id_table_fini(&r->sources);
    close(r->epoll_fd);
    free(r);
}

void
reactor_source_init(struct reactor_source *s, reactor_ready_fn on_ready)
{
    *s = (struct reactor_source){.id = ID_NONE, .on_ready = on_ready};
}

int
reactor_add(struct reactor *r, struct reactor_source *s, int fd,
            uint32_t events)
{
    struct epoll_event ev = {.events = events};
    uint64_t id;
    int rc;

    ASSERT(s->id == ID_NONE);

    rc = id_table_add(&r->sources, s, &id);
    if (rc < 0)
        return rc;

    ev.data.u64 = id;
    if (epoll_ctl(r->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0) {
        rc = -errno;
        id_table_remove(&r->sources, id);
        return rc;
    }
    s->id = id;
    return 0;
}

int
reactor_modify(struct reactor *r, struct reactor_source *s, int fd,
               uint32_t events)
{
    struct epoll_event ev = {.events = events, .data.u64 = s->id};

    ASSERT(s->id != ID_NONE);

    return epoll_ctl(r->epoll_fd, EPOLL_CTL_MOD, fd, &ev) < 0 ? -errno : 0;
}

void
reactor_remove(struct reactor *r, struct reactor_source *s, int fd)
{
    int rc;

    if (s->id == ID_NONE)
        return;

    id_table_remove(&r->sources, s->id);
    s->id = ID_NONE;
    rc = epoll_ctl(r->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    /* Fails only when the caller closed `fd` already, which breaks our rule:
     * the number may serve someone else by now. */
    ASSERT(rc == 0);
}

size_t
reactor_sources(const struct reactor *r)
{
    return r->sources.used;
}

size_t
reactor_wait(struct reactor *r, int timeout_ms)
{
    int n;

    ASSERT(r->ready == 0);

    n = epoll_wait(r->epoll_fd, r->batch, BATCH, timeout_ms);
    ASSERT(n >= 0 || errno == EINTR);
    r->ready = n > 0 ? (size_t)n : 0;
    return r->ready;
}

void
reactor_dispatch(struct reactor *r)
{
    for (size_t i = 0; i < r->ready; i++) {
        const struct epoll_event *const ev = &r->batch[i];
        struct reactor_source *const s =
            id_table_find(&r->sources, ev->data.u64);

        if (s != NULL)
            s->on_ready(s, ev->events);
    }
    r->ready = 0;
}
