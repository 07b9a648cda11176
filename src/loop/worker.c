/* SPDX-License-Identifier: BSD-2-Clause
 *
 * worker - see worker.h. Here: the turn, and posts. Tasks are in worker_task.c,
 * the thread is in worker_thread.c.
 *
 * Bell     1. The worker says inbox_sleep() only when nothing is left to do,
 *             as the last step before epoll_wait(). Refused, it does not wait.
 *          2. The eventfd is edge-triggered and never read: each write to it
 *             ends one wait, and a count of 2^64 is out of reach.
 *          3. inbox_take() right after a wait says "awake", so whoever posts
 *             from here on spares the system call.
 * Time     The clock is read once after the wait and once at the end of the
 *          turn, never in between: all of a turn happens at one time.
 */
#include "loop/worker.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "loop/worker_priv.h"

#define POST_BUDGET 1024u

#define NS_PER_MS 1000000u
#define NS_PER_US 1000u

/* clang-format off */
#define ROW(name, kind, help) \
    METRIC_DESC(struct worker_counters, name, kind, help),
/* clang-format on */

const struct metric_desc worker_metrics[] = {WORKER_COUNTERS(ROW)};
const size_t worker_metric_count = ARRAY_LEN(worker_metrics);

static struct post *
post_of(struct inbox_link *link)
{
    return CONTAINER_OF(link, struct post, link);
}

/* -- posting -------------------------------------------------------------- */

void
worker_post(struct worker *w, struct post *p)
{
    int rc;

    if (!inbox_post(&w->inbox, &p->link))
        return;

    rc = eventfd_write(w->bell_fd, 1);
    ASSERT(rc == 0);
}

static void
on_bell(struct reactor_source *s, uint32_t events)
{
    struct worker *const w = CONTAINER_OF(s, struct worker, bell);

    metric_add(&w->counters.wakeups, 1);
}

/* The oldest post that has not run, or NULL. */
static struct post *
next_post(struct worker *w)
{
    struct inbox_link *link;

    if (w->backlog == NULL)
        w->backlog = inbox_take(&w->inbox);
    link = w->backlog;
    if (link == NULL)
        return NULL;

    w->backlog = link->next;
    return post_of(link);
}

static void
run_posts(struct worker *w)
{
    size_t n = 0;

    while (n < w->conf.post_budget && !w->quitting) {
        struct post *const p = next_post(w);

        if (p == NULL)
            break;
        worker_set_where(w, p->kind->name);
        p->kind->run(w, p);
        n++;
    }
    metric_add(&w->counters.posts, n);
}

static void
drop_posts(struct worker *w)
{
    struct post *p;

    while ((p = next_post(w)) != NULL)
        p->kind->drop(p);
}

/* -- the turn ------------------------------------------------------------- */

/* How long the next wait may last. Anything but 0 has put the worker to sleep
 * for posters: the very next step must be the wait. */
static int
fall_asleep(struct worker *w)
{
    const uint64_t due_ms = wheel_next_ms(&w->wheel);

    if (w->backlog != NULL || worker_tasks_wait(w))
        return 0;
    if (due_ms <= w->end_ms || !inbox_sleep(&w->inbox))
        return 0;

    if (due_ms == WHEEL_NEVER)
        return -1;
    if (due_ms - w->end_ms > INT_MAX)
        return INT_MAX;
    return (int)(due_ms - w->end_ms);
}

static void
wait_for_work(struct worker *w)
{
    const int timeout_ms = fall_asleep(w);

    worker_set_where(w, "wait");
    reactor_wait(w->reactor, timeout_ms);
    if (timeout_ms != 0)
        w->backlog = inbox_take(&w->inbox);
}

/* Timers over the budget stay due, and fall_asleep() sees that. */
static void
run_timers(struct worker *w)
{
    metric_add(&w->counters.timers,
               wheel_advance(&w->wheel, w->now_ms, TIMER_BUDGET));
}

/* Returns when it began, in nanoseconds. */
static uint64_t
begin_turn(struct worker *w)
{
    const uint64_t now_ns = clock_mono_ns();

    w->now_ms = now_ns / NS_PER_MS;
    /* relaxed: a stamp for worker_where(), which publishes nothing. */
    atomic_store_explicit(&w->since_ms, w->now_ms, memory_order_relaxed);
    worker_tasks_begin_turn(w);
    return now_ns;
}

static void
end_turn(struct worker *w, uint64_t began_ns)
{
    const uint64_t now_ns = clock_mono_ns();
    const uint64_t took_us = (now_ns - began_ns) / NS_PER_US;
    const uint64_t longest_us = metric_read(&w->counters.longest_us);

    w->end_ms = now_ns / NS_PER_MS;
    /* relaxed: as in begin_turn(). */
    atomic_store_explicit(&w->since_ms, 0, memory_order_relaxed);

    metric_add(&w->counters.turns, 1);
    metric_add(&w->counters.busy_us, took_us);
    if (took_us > longest_us)
        metric_add(&w->counters.longest_us, took_us - longest_us);
}

void
worker_turn(struct worker *w)
{
    uint64_t began_ns;

    wait_for_work(w);
    began_ns = begin_turn(w);

    worker_set_where(w, "ready");
    reactor_dispatch(w->reactor);
    worker_set_where(w, "tasks");
    worker_tasks_run_soon(w);
    run_posts(w);
    worker_set_where(w, "timers");
    run_timers(w);
    worker_set_where(w, "tasks");
    worker_tasks_run_deferred(w);
    end_turn(w, began_ns);
}

/* -- from birth to death -------------------------------------------------- */

static void
on_quit(struct worker *w, struct post *p)
{
    w->quitting = true;
}

static void
drop_quit(struct post *p)
{
    /* Part of the worker; nothing to free. */
}

static const struct post_kind quit_kind = {"quit", on_quit, drop_quit};

/* Everything but the reactor and the bell. */
static void
init_plain(struct worker *w, const struct worker_conf *conf)
{
    memset(w, 0, sizeof(*w));
    w->conf = *conf;
    if (conf->post_budget == 0)
        w->conf.post_budget = POST_BUDGET;
    w->bell_fd = -1;
    w->maker = worker_thread_mark();
    w->now_ms = clock_mono_ms();
    w->end_ms = w->now_ms;
    w->quit.kind = &quit_kind;

    reactor_source_init(&w->bell, on_bell);
    wheel_init(&w->wheel, w->now_ms);
    worker_tasks_init(w);
    inbox_init(&w->inbox);
    atomic_init(&w->quit_posted, false);
    atomic_init(&w->home, w->maker);
    atomic_init(&w->where, "made");
    atomic_init(&w->since_ms, 0);
}

static int
open_bell(struct worker *w)
{
    w->bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->bell_fd < 0)
        return -errno;
    return reactor_add(w->reactor, &w->bell, w->bell_fd, EPOLLIN | EPOLLET);
}

int
worker_create(const struct worker_conf *conf, struct worker **out)
{
    struct worker *w;
    int rc;

    w = aligned_alloc(_Alignof(struct worker), sizeof(*w));
    if (w == NULL)
        return -ENOMEM;
    init_plain(w, conf);

    rc = reactor_create(&w->reactor);
    if (rc == 0)
        rc = open_bell(w);
    if (rc < 0) {
        worker_destroy(w);
        return rc;
    }
    *out = w;
    return 0;
}

void
worker_destroy(struct worker *w)
{
    if (w == NULL)
        return;
    ASSERT_OWNER(w);

    drop_posts(w);
    worker_tasks_fini(w);
    ASSERT(w->wheel.armed == 0);
    if (w->bell_fd >= 0) {
        reactor_remove(w->reactor, &w->bell, w->bell_fd);
        close(w->bell_fd);
    }
    reactor_destroy(w->reactor);
    free(w);
}

void
worker_set_hooks(struct worker *w, const struct worker_hooks *hooks)
{
    ASSERT_OWNER(w);
    w->hooks = *hooks;
}

/* -- what others ask ------------------------------------------------------ */

const char *
worker_name(const struct worker *w)
{
    return w->conf.name;
}

unsigned
worker_index(const struct worker *w)
{
    return w->conf.index;
}

struct reactor *
worker_reactor(struct worker *w)
{
    return w->reactor;
}

struct wheel *
worker_wheel(struct worker *w)
{
    return &w->wheel;
}

uint64_t
worker_now_ms(const struct worker *w)
{
    return w->now_ms;
}

const struct worker_counters *
worker_counters(const struct worker *w)
{
    return &w->counters;
}

void
worker_set_where(struct worker *w, const char *where)
{
    /* relaxed: the bytes are a literal's and need no publishing. */
    atomic_store_explicit(&w->where, where, memory_order_relaxed);
}

const char *
worker_where(const struct worker *w, uint64_t *since_ms)
{
    /* relaxed: the two may be of different turns, which a watchdog that looks
     * again before it cries can bear. */
    *since_ms = atomic_load_explicit(&w->since_ms, memory_order_relaxed);
    return atomic_load_explicit(&w->where, memory_order_relaxed);
}
