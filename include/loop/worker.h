/* SPDX-License-Identifier: BSD-2-Clause
 *
 * worker - a thread with a reactor, a timer wheel and an inbox.
 *
 * The workers that serve conns, the acceptor, the hub and main() all are one.
 *
 * Shape    A turn: wait (reactor, until an event, the bell, or the next timer)
 *          → read the clock → ready sources → tasks asked for "soon" → posts
 *          from the inbox → timers → tasks deferred to the end of the turn.
 *          Posts and timers have a budget a turn, a task runs once a turn;
 *          what is left makes the next turn not wait.
 * Threads  worker_post(), worker_is_self() and the counters: [any]. All else
 *          belongs to the worker's own thread ([owner], checked with
 *          ASSERT_OWNER), or to its maker while it does not run.
 * Order    What one thread posted runs in the order it was posted.
 * Memory   A post is its receiver's from worker_post() on. Posts that reach a
 *          worker after its last turn are given to kind->drop by
 *          worker_destroy(). Who may still post is stopped before that.
 * Bell     An eventfd, rung only by the poster who finds the worker asleep
 *          (base/inbox.h).
 *
 *   worker_create()      worker_start()         worker_stop()
 *  ------------> MADE ---------------> RUNNING ---------------> STOPPED
 *                       worker_run()             worker_quit()     |
 *                       (this thread)                              v
 *                                                        worker_destroy()
 */
#ifndef LOOP_WORKER_H
#define LOOP_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/compiler.h"
#include "base/inbox.h"
#include "base/list.h"
#include "base/metric.h"

struct post;
struct reactor;
struct task;
struct wheel;
struct worker;

/* What a post is; one static table row per kind. */
struct post_kind {
    const char *name; /* shown when a worker is stuck in it */
    /* [owner] The receiver's turn; takes the post over. */
    void (*run)(struct worker *w, struct post *p);
    /* The receiver is gone: frees, and undoes what the post handed over. */
    void (*drop)(struct post *p);
};

/* The head of everything that crosses to a worker. */
struct post {
    struct inbox_link link;
    const struct post_kind *kind;
};

typedef void (*task_fn)(struct worker *w, struct task *t);

/* Work for the same thread, later. Part of its owner's struct. */
struct task {
    struct list_link link;
    task_fn run;
};

struct worker_conf {
    const char *name;   /* thread name, at most 15 bytes; a literal */
    unsigned index;     /* among its like, from 0 */
    int cpu;            /* pin to that CPU; -1: not */
    size_t post_budget; /* posts a turn; 0: 1024 */
};

/* clang-format off */
#define WORKER_COUNTERS(X)                                                    \
    X(turns,      COUNTER, "turns of the loop")                               \
    X(wakeups,    COUNTER, "turns that the bell began")                       \
    X(posts,      COUNTER, "posts run")                                       \
    X(timers,     COUNTER, "timers fired")                                    \
    X(busy_us,    COUNTER, "microseconds spent outside epoll_wait")           \
    X(longest_us, GAUGE,   "the longest turn, microseconds")
/* clang-format on */

struct worker_counters {
    WORKER_COUNTERS(METRIC_FIELD)
};

extern const struct metric_desc worker_metrics[];
extern const size_t worker_metric_count;

/* 0 and *out, or a negative errno. */
MUST_CHECK int worker_create(const struct worker_conf *conf,
                             struct worker **out);

/* Starts the thread, all signals blocked in it. 0 or a negative errno. */
MUST_CHECK int worker_start(struct worker *w);

/* Runs the worker on the calling thread until worker_quit(). */
void worker_run(struct worker *w);

/* One turn of it, for who drives a worker by hand (tests). */
void worker_turn(struct worker *w);

/* [any] Asks the worker to end after the posts that are before this one. */
void worker_quit(struct worker *w);

/* worker_quit(), then waits for the thread, if there is one. Not from that
 * thread. */
void worker_stop(struct worker *w);

/* Not while it runs. Drops what was posted too late. Timers must be disarmed
 * and sources removed; tasks are forgotten. NULL is fine. */
void worker_destroy(struct worker *w);

/* [any] Hands `p` over; never fails, never waits. */
void worker_post(struct worker *w, struct post *p);

/* [any] Is the caller the thread that runs `w` (or its maker, when none)? */
bool worker_is_self(const struct worker *w);

#define ASSERT_OWNER(w) ASSERT(worker_is_self(w))

const char *worker_name(const struct worker *w); /* [any] */
unsigned worker_index(const struct worker *w);   /* [any] */
struct reactor *worker_reactor(struct worker *w);
struct wheel *worker_wheel(struct worker *w);

/* The time of this turn, monotonic milliseconds. */
uint64_t worker_now_ms(const struct worker *w);

void task_init(struct task *t, task_fn run);

/* Runs `t` once at the end of this turn, after posts and timers. A task
 * deferred by a task at the end of a turn runs at the end of the next one,
 * which then does not wait. Asking again before it ran, also with
 * worker_soon(), changes nothing. */
void worker_defer(struct worker *w, struct task *t);

/* Runs `t` once in the next turn, before its posts; that turn does not wait. */
void worker_soon(struct worker *w, struct task *t);

/* Takes back either; harmless when not asked for. */
void worker_cancel(struct task *t);

/* Called with `arg` on the worker's thread before the first turn and after the
 * last; what on_stop defers still runs. Either may be NULL. */
struct worker_hooks {
    void (*on_start)(struct worker *w, void *arg);
    void (*on_stop)(struct worker *w, void *arg);
    void *arg;
};
void worker_set_hooks(struct worker *w, const struct worker_hooks *hooks);

/* [any] */
const struct worker_counters *worker_counters(const struct worker *w);

/* [any] What it is doing: "wait", "ready", "tasks", "timers", or the name of
 * the post that runs. *since_ms: the start of the turn, on the clock of
 * worker_now_ms(); 0 while it waits or does not run. */
const char *worker_where(const struct worker *w, uint64_t *since_ms);

#endif
