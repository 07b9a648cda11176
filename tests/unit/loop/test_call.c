/* SPDX-License-Identifier: BSD-2-Clause
 *
 * malloc is wrapped, so that a case can make it fail.
 */
#include "loop/call.h"

#include <stdbool.h>
#include <stdlib.h>

#include "loop/worker.h"
#include "support/unit.h"

static struct worker *worker;
static bool memory_is_short;

/* What became of an argument. */
struct fate {
    unsigned runs;
    unsigned drops;
};

void *__real_malloc(size_t size);

void *
__wrap_malloc(size_t size)
{
    return memory_is_short ? NULL : __real_malloc(size);
}

static void
run(struct worker *w, void *arg)
{
    struct fate *const fate = arg;

    ck_assert_ptr_eq(w, worker);
    fate->runs++;
}

static void
drop(void *arg)
{
    struct fate *const fate = arg;

    fate->drops++;
}

static void
setup_worker(void)
{
    const struct worker_conf conf = {.name = "test", .cpu = -1};

    ck_assert_int_eq(worker_create(&conf, &worker), 0);
}

START_TEST(a_posted_call_runs_once_and_drops_nothing)
{
    struct fate fate = {0, 0};

    setup_worker();
    call_post(worker, call_create(run, &fate, drop));
    worker_turn(worker);
    worker_destroy(worker);

    ck_assert_uint_eq(fate.runs, 1);
    ck_assert_uint_eq(fate.drops, 0);
}
END_TEST

START_TEST(a_call_that_comes_too_late_drops_its_argument)
{
    struct fate fate = {0, 0};

    setup_worker();
    call_post(worker, call_create(run, &fate, drop));
    call_post(worker, call_create(run, &fate, NULL));
    worker_destroy(worker);

    ck_assert_uint_eq(fate.runs, 0);
    ck_assert_uint_eq(fate.drops, 1);
}
END_TEST

START_TEST(a_call_that_was_never_posted_drops_its_argument)
{
    struct fate fate = {0, 0};

    call_destroy(call_create(run, &fate, drop));
    call_destroy(call_create(run, &fate, NULL));
    call_destroy(NULL);

    ck_assert_uint_eq(fate.runs, 0);
    ck_assert_uint_eq(fate.drops, 1);
}
END_TEST

static void
post_another(struct worker *w, void *arg)
{
    call_post(w, call_create(run, arg, drop));
}

START_TEST(a_call_may_post_another)
{
    struct fate fate = {0, 0};

    setup_worker();
    call_post(worker, call_create(post_another, &fate, NULL));
    worker_turn(worker);
    worker_destroy(worker);

    ck_assert_uint_eq(fate.runs, 1);
}
END_TEST

START_TEST(without_memory_there_is_no_call_and_the_argument_stays_the_callers)
{
    struct fate fate = {0, 0};
    struct call *call;

    memory_is_short = true; /* for Check as well */
    call = call_create(run, &fate, drop);
    memory_is_short = false;

    ck_assert_ptr_null(call);
    ck_assert_uint_eq(fate.drops, 0);
}
END_TEST

UNIT_MAIN("loop/call", a_posted_call_runs_once_and_drops_nothing,
          a_call_that_comes_too_late_drops_its_argument,
          a_call_that_was_never_posted_drops_its_argument,
          a_call_may_post_another,
          without_memory_there_is_no_call_and_the_argument_stays_the_callers)
