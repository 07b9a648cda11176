/* SPDX-License-Identifier: BSD-2-Clause
 *
 * acceptor - see acceptor.h. Here: listeners, accept4() and what it can fail
 * with, and the posts. Who gets in is decided in acceptor_admit.c.
 *
 * Threads  The acceptor's own, but for acceptor_post_*(), and create/destroy
 *          while that thread does not run.
 *
 *  1. While the back-off timer is armed no door is watched for EPOLLIN, else
 *     all are. Level-triggered epoll would otherwise report the connection that
 *     cannot be accepted again and again, as fast as the CPU allows.
 *  2. Every error of accept4() either uses up one connection of the backlog, or
 *     leads to such a pause. So no turn is longer than its budget and no
 *     failure spins.
 */
#include "net/acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/log.h"
#include "loop/worker.h"
#include "net/acceptor_priv.h"
#include "net/listener.h"

/* A listener that the acceptor watches. First it is the post that brings the
 * listener, afterwards it is in a->doors. */
struct door {
    struct post post;
    struct list_link link;
    struct reactor_source source;
    struct acceptor *acceptor;
    struct listener *listener;
};

/* clang-format off */
#define ROW(name, kind, help) \
    METRIC_DESC(struct acceptor_counters, name, kind, help),
/* clang-format on */

const struct metric_desc acceptor_metrics[] = {ACCEPTOR_COUNTERS(ROW)};
const size_t acceptor_metric_count = ARRAY_LEN(acceptor_metrics);

/* -- pauses --------------------------------------------------------------- */

static struct reactor *
reactor_of(const struct acceptor *a)
{
    return worker_reactor(a->env.worker);
}

static bool
is_paused(const struct acceptor *a)
{
    return wheel_is_armed(&a->backoff);
}

static void
watch_all(struct acceptor *a, uint32_t events)
{
    struct list_link *link;

    list_for_each (link, &a->doors) {
        struct door *const d = CONTAINER_OF(link, struct door, link);
        const int rc = reactor_modify(reactor_of(a), &d->source,
                                      listener_fd(d->listener), events);

        ASSERT(rc == 0); /* it only changes a number in the kernel */
    }
}

static void
open_reserve(struct acceptor *a)
{
    if (a->reserve_fd < 0)
        a->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void
close_reserve(struct acceptor *a)
{
    if (a->reserve_fd >= 0)
        close(a->reserve_fd);
    a->reserve_fd = -1;
}

static void
pause_accepting(struct acceptor *a, const struct door *d, int error)
{
    struct worker *const w = a->env.worker;

    metric_add(&a->counters.backoffs, 1);
    LOG_WARN(LOG_NET, "accepting pauses",
             LOG_F_STR("listener", listener_name(d->listener)),
             LOG_F_ERRNO(error), LOG_F_U64("for_ms", ACCEPT_BACKOFF_MS));
    watch_all(a, 0);
    wheel_arm(worker_wheel(w), &a->backoff,
              worker_now_ms(w) + ACCEPT_BACKOFF_MS);
}

static void
on_backoff(struct wheel_timer *t, uint64_t now_ms)
{
    struct acceptor *const a = CONTAINER_OF(t, struct acceptor, backoff);

    open_reserve(a);
    watch_all(a, EPOLLIN);
}

/* -- accepting ------------------------------------------------------------ */

/* The new fd and where it comes from, or a negative errno. */
static int
accept_one(const struct door *d, struct addr *peer)
{
    struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof(from);
    const int fd = accept4(listener_fd(d->listener), (struct sockaddr *)&from,
                           &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return -errno;
    addr_from_sockaddr((const struct sockaddr *)&from, peer);
    return fd;
}

/* Errors that concern only the connection that was to be accepted, or nothing
 * at all; accept(2) says which ones to treat so. */
static bool
may_go_on(int error)
{
    switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case EPERM: /* a firewall rule */
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case ETIMEDOUT:
        return true;
    default:
        return false;
    }
}

/* No descriptor is left: one client at least shall know why nothing happens. */
static void
turn_one_away(struct acceptor *a, const struct door *d)
{
    struct addr peer;
    int fd;

    if (a->reserve_fd < 0)
        return;

    close_reserve(a);
    fd = accept_one(d, &peer);
    if (fd >= 0)
        acceptor_refuse(a, fd, &peer, REFUSAL_FDS);
    open_reserve(a);
}

/* Something is wrong with us, not with a client. */
static void
give_up_for_now(struct acceptor *a, const struct door *d, int error)
{
    if (error == EMFILE || error == ENFILE)
        turn_one_away(a, d);
    pause_accepting(a, d, error);
}

static void
on_ready(struct reactor_source *s, uint32_t events)
{
    struct door *const d = CONTAINER_OF(s, struct door, source);
    struct acceptor *const a = d->acceptor;
    struct addr peer;

    /* What is left over the budget is reported again: level-triggered. */
    for (unsigned n = 0; n < ACCEPT_BUDGET && !is_paused(a); n++) {
        const int fd = accept_one(d, &peer);

        if (fd >= 0)
            acceptor_admit(a, fd, &peer, listener_index(d->listener));
        else if (fd == -EAGAIN)
            return;
        else if (!may_go_on(-fd))
            give_up_for_now(a, d, -fd);
    }
}

/* -- doors ---------------------------------------------------------------- */

static void
door_run(struct worker *w, struct post *p)
{
    struct door *const d = CONTAINER_OF(p, struct door, post);
    struct acceptor *const a = d->acceptor;
    int rc;

    rc = reactor_add(reactor_of(a), &d->source, listener_fd(d->listener),
                     is_paused(a) ? 0 : EPOLLIN);
    if (rc < 0) {
        LOG_ERROR(LOG_NET, "cannot watch a listener",
                  LOG_F_STR("listener", listener_name(d->listener)),
                  LOG_F_ERRNO(-rc));
        listener_close(d->listener);
        free(d);
        return;
    }
    list_push_back(&a->doors, &d->link);
}

static void
door_drop(struct post *p)
{
    struct door *const d = CONTAINER_OF(p, struct door, post);

    listener_close(d->listener);
    free(d);
}

static const struct post_kind door_kind = {"acceptor listen", door_run,
                                           door_drop};

int
acceptor_post_listen(struct acceptor *a, struct listener *l)
{
    struct door *const d = malloc(sizeof(*d));

    if (d == NULL)
        return -ENOMEM;

    *d = (struct door){.post.kind = &door_kind, .acceptor = a, .listener = l};
    reactor_source_init(&d->source, on_ready);
    worker_post(a->env.worker, &d->post);
    return 0;
}

/* The one with that index, or all. */
static void
close_doors(struct acceptor *a, unsigned index)
{
    struct list_link *link, *after;

    list_for_each_safe (link, after, &a->doors) {
        struct door *const d = CONTAINER_OF(link, struct door, link);

        if (index != ACCEPTOR_ALL && listener_index(d->listener) != index)
            continue;
        list_remove(&d->link);
        reactor_remove(reactor_of(a), &d->source, listener_fd(d->listener));
        listener_close(d->listener);
        free(d);
    }
}

/* -- the other posts ------------------------------------------------------ */

struct close_post {
    struct post post;
    struct acceptor *acceptor;
    unsigned index;
    void (*done)(void *arg);
    void *arg;
};

static void
close_run(struct worker *w, struct post *p)
{
    struct close_post *const c = CONTAINER_OF(p, struct close_post, post);

    close_doors(c->acceptor, c->index);
    if (c->done != NULL)
        c->done(c->arg);
    free(c);
}

static void
close_drop(struct post *p)
{
    free(CONTAINER_OF(p, struct close_post, post));
}

static const struct post_kind close_kind = {"acceptor close", close_run,
                                            close_drop};

int
acceptor_post_close(struct acceptor *a, unsigned index, void (*done)(void *arg),
                    void *arg)
{
    struct close_post *const c = malloc(sizeof(*c));

    if (c == NULL)
        return -ENOMEM;

    *c = (struct close_post){
        .post.kind = &close_kind,
        .acceptor = a,
        .index = index,
        .done = done,
        .arg = arg,
    };
    worker_post(a->env.worker, &c->post);
    return 0;
}

struct reload_post {
    struct post post;
    struct acceptor *acceptor;
    struct net_conf conf;
};

static struct addr_limits_conf
limits_of(const struct net_conf *conf)
{
    return (struct addr_limits_conf){
        .connections_per_address =
            (uint32_t)conf->limits_connections_per_address,
        .connect_rate = (uint32_t)conf->limits_connect_rate,
    };
}

static void
reload_run(struct worker *w, struct post *p)
{
    struct reload_post *const r = CONTAINER_OF(p, struct reload_post, post);
    struct acceptor *const a = r->acceptor;
    const struct addr_limits_conf limits = limits_of(&r->conf);

    a->conf = r->conf;
    addr_limits_reload(a->limits, &limits);
    free(r);
}

static void
reload_drop(struct post *p)
{
    free(CONTAINER_OF(p, struct reload_post, post));
}

static const struct post_kind reload_kind = {"acceptor reload", reload_run,
                                             reload_drop};

int
acceptor_post_reload(struct acceptor *a, const struct net_conf *conf)
{
    struct reload_post *const r = malloc(sizeof(*r));

    if (r == NULL)
        return -ENOMEM;

    *r = (struct reload_post){
        .post.kind = &reload_kind, .acceptor = a, .conf = *conf};
    worker_post(a->env.worker, &r->post);
    return 0;
}

/* -- from birth to death -------------------------------------------------- */

int
acceptor_create(const struct acceptor_env *env, const struct net_conf *conf,
                struct acceptor **out)
{
    const struct addr_limits_conf limits = limits_of(conf);
    struct acceptor *a;
    int rc;

    ASSERT(env->conns_count > 0);

    a = calloc(1, sizeof(*a));
    if (a == NULL)
        return -ENOMEM;
    a->env = *env;
    a->conf = *conf;
    a->reserve_fd = -1;
    list_init(&a->doors);
    wheel_timer_init(&a->backoff, on_backoff);
    wheel_timer_init(&a->sweep, acceptor_on_sweep);

    open_reserve(a);
    rc = a->reserve_fd < 0 ? -errno : addr_limits_create(&limits, &a->limits);
    if (rc < 0) {
        acceptor_destroy(a);
        return rc;
    }
    *out = a;
    return 0;
}

void
acceptor_destroy(struct acceptor *a)
{
    if (a == NULL)
        return;
    ASSERT_OWNER(a->env.worker);

    close_doors(a, ACCEPTOR_ALL);
    wheel_disarm(worker_wheel(a->env.worker), &a->backoff);
    wheel_disarm(worker_wheel(a->env.worker), &a->sweep);
    addr_limits_destroy(a->limits);
    close_reserve(a);
    free(a);
}

const struct acceptor_counters *
acceptor_counters(const struct acceptor *a)
{
    return &a->counters;
}
