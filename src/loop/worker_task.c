/* SPDX-License-Identifier: BSD-2-Clause
 *
 * worker_task - tasks: work that a worker puts off for itself.
 *
 * Shape    Two lists that are asked for (`soon`, `deferred`) and two that are
 *          being run (`soon_now`, `deferred_now`). What is asked for while the
 *          others run lands in the former and so waits for the next turn: a
 *          task that asks for itself cannot keep a turn from ending.
 * Threads  [owner].
 *
 * A task is taken off its list before it runs: it may free its owner, and it
 * may cancel any other, since whatever has not run is still linked.
 */
#include "loop/worker_priv.h"

void
worker_tasks_init(struct worker *w)
{
    list_init(&w->soon);
    list_init(&w->soon_now);
    list_init(&w->deferred);
    list_init(&w->deferred_now);
}

static void
forget_all(struct list *tasks)
{
    while (list_pop_front(tasks) != NULL)
        continue;
}

void
worker_tasks_fini(struct worker *w)
{
    forget_all(&w->soon);
    forget_all(&w->soon_now);
    forget_all(&w->deferred);
    forget_all(&w->deferred_now);
}

bool
worker_tasks_wait(const struct worker *w)
{
    return !list_is_empty(&w->soon) || !list_is_empty(&w->deferred);
}

static void
run_all(struct worker *w, struct list *tasks)
{
    struct list_link *link;

    while ((link = list_pop_front(tasks)) != NULL) {
        struct task *const t = CONTAINER_OF(link, struct task, link);

        t->run(w, t);
    }
}

void
worker_tasks_begin_turn(struct worker *w)
{
    list_append_all(&w->soon_now, &w->soon);
}

void
worker_tasks_run_soon(struct worker *w)
{
    run_all(w, &w->soon_now);
}

void
worker_tasks_run_deferred(struct worker *w)
{
    list_append_all(&w->deferred_now, &w->deferred);
    run_all(w, &w->deferred_now);
}

void
task_init(struct task *t, task_fn run)
{
    list_link_init(&t->link);
    t->run = run;
}

void
worker_defer(struct worker *w, struct task *t)
{
    ASSERT_OWNER(w);

    if (!list_is_linked(&t->link))
        list_push_back(&w->deferred, &t->link);
}

void
worker_soon(struct worker *w, struct task *t)
{
    ASSERT_OWNER(w);

    if (!list_is_linked(&t->link))
        list_push_back(&w->soon, &t->link);
}

void
worker_cancel(struct task *t)
{
    list_remove(&t->link);
}
