/* SPDX-License-Identifier: BSD-2-Clause
 *
 * worker_thread - whose a worker is, and the thread that runs it.
 *
 * Threads  `home` is the mark of the thread that may call [owner] functions:
 *          the maker's; NULL while a new thread is being started; the runner's
 *          from worker_run() on; the maker's again at its end.
 *
 *  1. A thread finds its own mark in `home` only if it wrote it there, or made
 *     the worker. So the question "am I the owner?" needs no ordering.
 *  2. What the maker did before worker_start() is visible to the thread, and
 *     what the thread did is visible after worker_stop(): by pthread_create()
 *     and pthread_join().
 */
#include "loop/worker_priv.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>

#include "base/clock.h"

const void *
worker_thread_mark(void)
{
    static _Thread_local char mark;

    return &mark;
}

static void
set_home(struct worker *w, const void *mark)
{
    /* relaxed: fact 1. */
    atomic_store_explicit(&w->home, mark, memory_order_relaxed);
}

bool
worker_is_self(const struct worker *w)
{
    /* relaxed: fact 1. */
    return atomic_load_explicit(&w->home, memory_order_relaxed) ==
           worker_thread_mark();
}

void
worker_run(struct worker *w)
{
    ASSERT(!w->quitting);

    set_home(w, worker_thread_mark());
    w->now_ms = clock_mono_ms();
    if (w->hooks.on_start != NULL)
        w->hooks.on_start(w, w->hooks.arg);

    while (!w->quitting)
        worker_turn(w);

    if (w->hooks.on_stop != NULL)
        w->hooks.on_stop(w, w->hooks.arg);
    worker_tasks_run_deferred(w);
    worker_set_where(w, "stopped");
    set_home(w, w->maker);
}

static void *
thread_main(void *arg)
{
    struct worker *const w = arg;
    int rc;

    rc = pthread_setname_np(pthread_self(), w->conf.name);
    ASSERT(rc == 0); /* ERANGE: longer than 15 bytes */
    worker_run(w);
    return NULL;
}

/* Creates the thread with every signal blocked: they are main()'s. */
static int
spawn(struct worker *w)
{
    sigset_t all, old;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = -pthread_create(&w->thread, NULL, thread_main, w);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rc;
}

static int
pin(struct worker *w)
{
    cpu_set_t set;

    if (w->conf.cpu < 0)
        return 0;
    if (w->conf.cpu >= CPU_SETSIZE)
        return -EINVAL;

    CPU_ZERO(&set);
    CPU_SET((unsigned)w->conf.cpu, &set);
    return -pthread_setaffinity_np(w->thread, sizeof(set), &set);
}

int
worker_start(struct worker *w)
{
    int rc;

    ASSERT_OWNER(w);

    set_home(w, NULL);
    rc = spawn(w);
    if (rc < 0) {
        set_home(w, w->maker);
        return rc;
    }
    w->has_thread = true;

    rc = pin(w);
    if (rc < 0)
        worker_stop(w);
    return rc;
}

void
worker_quit(struct worker *w)
{
    /* relaxed: elects the one who posts; the inbox orders the rest. */
    if (!atomic_exchange_explicit(&w->quit_posted, true, memory_order_relaxed))
        worker_post(w, &w->quit);
}

void
worker_stop(struct worker *w)
{
    worker_quit(w);
    if (!w->has_thread)
        return;

    pthread_join(w->thread, NULL);
    w->has_thread = false;
}
