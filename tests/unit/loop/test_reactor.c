/* SPDX-License-Identifier: BSD-2-Clause
 *
 * epoll_wait is wrapped, so that a case can have it interrupted.
 */
#include "loop/reactor.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/id.h"
#include "support/dies.h"
#include "support/unit.h"

#define MANY 600 /* more than one batch */

/* Something that is ready from the start: an eventfd that counts 1. */
struct thing {
    struct reactor_source source;
    int fd;
    unsigned calls;
    uint32_t events;
    struct thing *other;
};

static struct reactor *reactor;
static bool is_interrupted;

int __real_epoll_wait(int fd, struct epoll_event *events, int max, int timeout);

int
__wrap_epoll_wait(int fd, struct epoll_event *events, int max, int timeout)
{
    if (!is_interrupted)
        return __real_epoll_wait(fd, events, max, timeout);
    errno = EINTR;
    return -1;
}

static struct thing *
thing_of(struct reactor_source *s)
{
    return CONTAINER_OF(s, struct thing, source);
}

static void
count_call(struct reactor_source *s, uint32_t events)
{
    thing_of(s)->calls++;
    thing_of(s)->events = events;
}

static void
setup_reactor(void)
{
    ck_assert_int_eq(reactor_create(&reactor), 0);
}

static void
thing_open(struct thing *t, reactor_ready_fn on_ready)
{
    *t = (struct thing){.fd = eventfd(1, EFD_NONBLOCK)};
    ck_assert_int_ge(t->fd, 0);
    reactor_source_init(&t->source, on_ready);
}

static void
thing_add(struct thing *t, uint32_t events)
{
    ck_assert_int_eq(reactor_add(reactor, &t->source, t->fd, events), 0);
}

static void
thing_close(struct thing *t)
{
    reactor_remove(reactor, &t->source, t->fd);
    close(t->fd);
}

static size_t
poll_once(void)
{
    const size_t n = reactor_wait(reactor, 0);

    reactor_dispatch(reactor);
    return n;
}

START_TEST(a_ready_source_is_called_until_it_is_removed)
{
    struct thing t;

    setup_reactor();
    thing_open(&t, count_call);
    thing_add(&t, EPOLLIN);

    ck_assert_uint_eq(poll_once(), 1);
    ck_assert_uint_eq(poll_once(), 1);
    ck_assert_uint_eq(t.calls, 2);
    ck_assert_uint_eq(t.events, EPOLLIN);
    ck_assert_uint_eq(reactor_sources(reactor), 1);

    thing_close(&t);
    ck_assert_uint_eq(poll_once(), 0);
    ck_assert_uint_eq(t.calls, 2);
    ck_assert_uint_eq(reactor_sources(reactor), 0);
    reactor_destroy(reactor);
}
END_TEST

START_TEST(modify_changes_what_a_source_waits_for)
{
    struct thing t;

    setup_reactor();
    thing_open(&t, count_call);
    thing_add(&t, 0);
    ck_assert_uint_eq(poll_once(), 0);

    ck_assert_int_eq(reactor_modify(reactor, &t.source, t.fd, EPOLLOUT), 0);
    ck_assert_uint_eq(poll_once(), 1);
    ck_assert_uint_eq(t.events, EPOLLOUT);

    thing_close(&t);
    reactor_destroy(reactor);
}
END_TEST

START_TEST(a_source_that_cannot_be_watched_is_not_kept)
{
    struct thing t, same;

    setup_reactor();
    thing_open(&t, count_call);
    thing_add(&t, EPOLLIN);
    reactor_source_init(&same.source, count_call);

    ck_assert_int_eq(reactor_add(reactor, &same.source, -1, EPOLLIN), -EBADF);
    ck_assert_int_eq(reactor_add(reactor, &same.source, t.fd, EPOLLIN),
                     -EEXIST);

    ck_assert_uint_eq(same.source.id, ID_NONE);
    ck_assert_uint_eq(reactor_sources(reactor), 1);
    thing_close(&t);
    reactor_destroy(reactor);
}
END_TEST

START_TEST(removing_what_is_not_watched_is_harmless)
{
    struct thing t;

    setup_reactor();
    thing_open(&t, count_call);

    reactor_remove(reactor, &t.source, t.fd);
    thing_add(&t, EPOLLIN);
    thing_close(&t);
    reactor_remove(reactor, &t.source, t.fd);

    ck_assert_uint_eq(reactor_sources(reactor), 0);
    reactor_destroy(reactor);
}
END_TEST

static struct thing heir;

/* Closes the other one and puts the heir in its place, fd number and all. */
static void
replace_other(struct reactor_source *s, uint32_t events)
{
    struct thing *const t = thing_of(s);

    t->calls++;
    thing_close(t->other);
    heir = (struct thing){.fd = eventfd(0, EFD_NONBLOCK)};
    ck_assert_int_eq(heir.fd, t->other->fd);
    reactor_source_init(&heir.source, count_call);
    thing_add(&heir, EPOLLIN);
}

START_TEST(a_stale_event_of_the_batch_reaches_nobody)
{
    struct thing a, b;

    setup_reactor();
    thing_open(&a, replace_other);
    thing_open(&b, replace_other);
    a.other = &b;
    b.other = &a;
    thing_add(&a, EPOLLIN);
    thing_add(&b, EPOLLIN);

    ck_assert_uint_eq(poll_once(), 2);

    ck_assert_uint_eq(a.calls + b.calls, 1);
    ck_assert_uint_eq(heir.calls, 0);
    thing_close(a.calls == 1 ? &a : &b);
    thing_close(&heir);
    reactor_destroy(reactor);
}
END_TEST

static void
free_myself(struct reactor_source *s, uint32_t events)
{
    struct thing *const t = thing_of(s);

    thing_close(t);
    free(t);
}

START_TEST(an_owner_may_be_freed_inside_its_own_call)
{
    struct thing *const a = malloc(sizeof(*a));
    struct thing *const b = malloc(sizeof(*b));

    setup_reactor();
    thing_open(a, free_myself);
    thing_open(b, free_myself);
    thing_add(a, EPOLLIN);
    thing_add(b, EPOLLIN);

    ck_assert_uint_eq(poll_once(), 2);

    ck_assert_uint_eq(reactor_sources(reactor), 0);
    reactor_destroy(reactor);
}
END_TEST

START_TEST(of_more_than_a_batch_all_get_their_turn)
{
    static struct thing things[MANY];
    size_t polls = 0;

    setup_reactor();
    for (size_t i = 0; i < MANY; i++) {
        thing_open(&things[i], count_call);
        thing_add(&things[i], EPOLLIN); /* stays ready */
    }

    while (polls < 3)
        polls += poll_once() > 0;

    for (size_t i = 0; i < MANY; i++) {
        ck_assert_uint_ge(things[i].calls, 1);
        thing_close(&things[i]);
    }
    reactor_destroy(reactor);
}
END_TEST

START_TEST(an_interrupted_wait_is_an_empty_batch)
{
    struct thing t;

    setup_reactor();
    thing_open(&t, count_call);
    thing_add(&t, EPOLLIN);

    is_interrupted = true;
    ck_assert_uint_eq(poll_once(), 0);
    is_interrupted = false;

    ck_assert_uint_eq(t.calls, 0);
    ck_assert_uint_eq(poll_once(), 1);
    thing_close(&t);
    reactor_destroy(reactor);
}
END_TEST

static void
destroy_reactor(void *arg)
{
    reactor_destroy(reactor);
}

START_TEST(a_source_left_behind_is_noticed)
{
    struct thing t;

    reactor_destroy(NULL);
    setup_reactor();
    thing_open(&t, count_call);
    thing_add(&t, EPOLLIN);

    ck_assert(dies(destroy_reactor, NULL));

    thing_close(&t);
    reactor_destroy(reactor);
}
END_TEST

UNIT_MAIN("loop/reactor", a_ready_source_is_called_until_it_is_removed,
          modify_changes_what_a_source_waits_for,
          a_source_that_cannot_be_watched_is_not_kept,
          removing_what_is_not_watched_is_harmless,
          a_stale_event_of_the_batch_reaches_nobody,
          an_owner_may_be_freed_inside_its_own_call,
          of_more_than_a_batch_all_get_their_turn,
          an_interrupted_wait_is_an_empty_batch,
          a_source_left_behind_is_noticed)
