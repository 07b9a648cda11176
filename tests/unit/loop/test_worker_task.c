/* SPDX-License-Identifier: BSD-2-Clause */
#include "loop/worker.h"

#include <stdlib.h>
#include <string.h>

#include "support/fake_time.h"
#include "support/unit.h"

/* A task that counts its runs and may then do something about another. */
struct job {
    struct task task;
    unsigned runs;
    void (*then)(struct worker *w, struct job *other);
    struct job *other;
};

static struct worker *worker;

static void
run_job(struct worker *w, struct task *t)
{
    struct job *const j = CONTAINER_OF(t, struct job, task);

    j->runs++;
    if (j->then != NULL)
        j->then(w, j->other);
}

static void
defer_other(struct worker *w, struct job *other)
{
    worker_defer(w, &other->task);
}

static void
soon_other(struct worker *w, struct job *other)
{
    worker_soon(w, &other->task);
}

static void
cancel_other(struct worker *w, struct job *other)
{
    worker_cancel(&other->task);
}

static void
job_init(struct job *j, void (*then)(struct worker *, struct job *),
         struct job *other)
{
    *j = (struct job){.then = then, .other = other};
    task_init(&j->task, run_job);
}

static void
setup_worker(void)
{
    const struct worker_conf conf = {.name = "test", .cpu = -1};

    fake_time_start(1000);
    ck_assert_int_eq(worker_create(&conf, &worker), 0);
}

static bool
turn_waits(void)
{
    worker_turn(worker);
    return fake_time.timeout_ms != 0;
}

START_TEST(a_deferred_task_runs_once_however_often_it_was_asked_for)
{
    struct job j;

    setup_worker();
    job_init(&j, NULL, NULL);

    worker_defer(worker, &j.task);
    worker_defer(worker, &j.task);
    worker_soon(worker, &j.task);

    ck_assert(!turn_waits());
    ck_assert_uint_eq(j.runs, 1);
    ck_assert(turn_waits());
    ck_assert_uint_eq(j.runs, 1);
    worker_destroy(worker);
}
END_TEST

START_TEST(a_task_deferred_at_the_end_of_a_turn_runs_at_the_next_end)
{
    struct job first, second;

    setup_worker();
    job_init(&second, NULL, NULL);
    job_init(&first, defer_other, &second);
    worker_defer(worker, &first.task);

    ck_assert(!turn_waits());
    ck_assert_uint_eq(second.runs, 0);
    ck_assert(!turn_waits());
    ck_assert_uint_eq(second.runs, 1);
    ck_assert(turn_waits());
    worker_destroy(worker);
}
END_TEST

START_TEST(a_task_that_defers_itself_runs_once_a_turn)
{
    struct job j;

    setup_worker();
    job_init(&j, defer_other, &j);
    worker_defer(worker, &j.task);

    for (unsigned turn = 1; turn <= 5; turn++) {
        ck_assert(!turn_waits());
        ck_assert_uint_eq(j.runs, turn);
    }
    worker_destroy(worker);
}
END_TEST

START_TEST(a_soon_task_waits_for_the_next_turn)
{
    struct job first, second;

    setup_worker();
    job_init(&second, NULL, NULL);
    job_init(&first, soon_other, &second);
    worker_soon(worker, &first.task);

    ck_assert(!turn_waits());
    ck_assert_uint_eq(first.runs, 1);
    ck_assert_uint_eq(second.runs, 0);
    ck_assert(!turn_waits());
    ck_assert_uint_eq(second.runs, 1);
    ck_assert(turn_waits());
    worker_destroy(worker);
}
END_TEST

START_TEST(a_soon_task_may_defer_itself_and_the_other_way_round)
{
    struct job j;

    setup_worker();
    job_init(&j, defer_other, &j);
    worker_soon(worker, &j.task);

    ck_assert(!turn_waits());
    ck_assert_uint_eq(j.runs, 2); /* as soon task, then at the end */
    j.then = soon_other;
    ck_assert(!turn_waits());
    ck_assert_uint_eq(j.runs, 3);
    j.then = NULL;
    ck_assert(!turn_waits());
    ck_assert_uint_eq(j.runs, 4);
    ck_assert(turn_waits());
    worker_destroy(worker);
}
END_TEST

START_TEST(a_cancelled_task_does_not_run)
{
    struct job j, k;

    setup_worker();
    job_init(&j, NULL, NULL);
    job_init(&k, NULL, NULL);
    worker_cancel(&j.task); /* never asked for */
    worker_defer(worker, &j.task);
    worker_soon(worker, &k.task);

    worker_cancel(&j.task);
    worker_cancel(&k.task);

    ck_assert(turn_waits());
    ck_assert_uint_eq(j.runs + k.runs, 0);
    worker_destroy(worker);
}
END_TEST

START_TEST(a_task_may_cancel_one_of_the_same_turn)
{
    struct job first, second;

    setup_worker();
    job_init(&second, NULL, NULL);
    job_init(&first, cancel_other, &second);
    worker_defer(worker, &first.task);
    worker_defer(worker, &second.task);

    ck_assert(!turn_waits());

    ck_assert_uint_eq(first.runs, 1);
    ck_assert_uint_eq(second.runs, 0);
    worker_destroy(worker);
}
END_TEST

static void
free_job(struct worker *w, struct task *t)
{
    free(CONTAINER_OF(t, struct job, task));
}

START_TEST(a_task_may_free_its_owner)
{
    struct job *const j = malloc(sizeof(*j));

    setup_worker();
    task_init(&j->task, free_job);
    worker_defer(worker, &j->task);

    worker_turn(worker);

    ck_assert(turn_waits());
    worker_destroy(worker);
}
END_TEST

START_TEST(a_task_outlives_the_worker_that_forgot_it)
{
    struct job j;

    setup_worker();
    job_init(&j, NULL, NULL);
    worker_defer(worker, &j.task);

    worker_destroy(worker);

    worker_cancel(&j.task);
    ck_assert_uint_eq(j.runs, 0);
}
END_TEST

UNIT_MAIN("loop/worker_task",
          a_deferred_task_runs_once_however_often_it_was_asked_for,
          a_task_deferred_at_the_end_of_a_turn_runs_at_the_next_end,
          a_task_that_defers_itself_runs_once_a_turn,
          a_soon_task_waits_for_the_next_turn,
          a_soon_task_may_defer_itself_and_the_other_way_round,
          a_cancelled_task_does_not_run, a_task_may_cancel_one_of_the_same_turn,
          a_task_may_free_its_owner, a_task_outlives_the_worker_that_forgot_it)
