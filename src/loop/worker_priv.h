/* SPDX-License-Identifier: BSD-2-Clause
 *
 * worker_priv - the body of struct worker, for src/loop and its unit tests.
 */
#ifndef LOOP_WORKER_PRIV_H
#define LOOP_WORKER_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/wheel.h"
#include "loop/reactor.h"
#include "loop/worker.h"

#define TIMER_BUDGET 1024u /* timers a turn */

struct worker {
    /* set once, before it runs */
    struct worker_conf conf;
    struct worker_hooks hooks;
    struct reactor *reactor;
    int bell_fd;
    const void *maker; /* thread_mark() of who created it */

    /* [main] its maker's */
    pthread_t thread;
    bool has_thread;

    /* [owner] */
    struct reactor_source bell;
    struct wheel wheel;
    uint64_t now_ms;
    uint64_t end_ms;            /* when the last turn ended */
    struct inbox_link *backlog; /* taken from the inbox, not yet run */
    struct list soon;           /* tasks for the next turn */
    struct list soon_now;       /* for this turn */
    struct list deferred;
    struct list deferred_now;
    bool quitting;
    struct worker_counters counters; /* [any] may read */

    /* [any] */
    struct inbox inbox;
    _Alignas(CACHE_LINE) struct post quit;
    atomic_bool quit_posted;
    _Atomic(const void *) home;  /* thread_mark() of whose it is; or NULL */
    _Atomic(const char *) where; /* a literal */
    _Atomic uint64_t since_ms;
};

/* An address that no other living thread has. */
const void *worker_thread_mark(void);

/* [any] For worker_where(). */
void worker_set_where(struct worker *w, const char *where);

/* The tasks' part of a turn, worker_task.c. */
void worker_tasks_init(struct worker *w);
void worker_tasks_fini(struct worker *w);
bool worker_tasks_wait(const struct worker *w); /* any left to run? */
void worker_tasks_begin_turn(struct worker *w);
void worker_tasks_run_soon(struct worker *w);
void worker_tasks_run_deferred(struct worker *w);

#endif
