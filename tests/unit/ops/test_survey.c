/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Questions to threads: with real threads where it matters who answers, else
 * with workers that the test turns by hand. calloc is wrapped, so that a case
 * can make it fail.
 */
#include "ops/survey.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "loop/worker.h"
#include "support/unit.h"

#define WORKERS 3

struct note {
    enum survey_whom whom;
    unsigned index;
    bool was_owner;
    uint64_t canary;
};

static struct parts parts;
static struct worker *workers[WORKERS];
static size_t allocations_left = SIZE_MAX;
static unsigned dones;
static _Atomic unsigned finis;
static struct note notes[3 + WORKERS];
static size_t note_count;

void *__real_calloc(size_t n, size_t size);

void *
__wrap_calloc(size_t n, size_t size)
{
    if (allocations_left == 0)
        return NULL;
    if (allocations_left != SIZE_MAX)
        allocations_left--;
    return __real_calloc(n, size);
}

static struct worker *
make_worker(const char *name, unsigned index)
{
    const struct worker_conf conf = {.name = name, .index = index, .cpu = -1};
    struct worker *w;

    ck_assert_int_eq(worker_create(&conf, &w), 0);
    return w;
}

static void
setup_parts(void)
{
    parts = (struct parts){
        .main_worker = make_worker("main", 0),
        .hub_worker = make_worker("hub", 0),
        .acceptor_worker = make_worker("acceptor", 0),
        .workers = workers,
        .worker_count = WORKERS,
    };
    for (unsigned i = 0; i < WORKERS; i++)
        workers[i] = make_worker("worker", i);
}

static void
start_threads(void)
{
    ck_assert_int_eq(worker_start(parts.hub_worker), 0);
    ck_assert_int_eq(worker_start(parts.acceptor_worker), 0);
    for (unsigned i = 0; i < WORKERS; i++)
        ck_assert_int_eq(worker_start(workers[i]), 0);
}

static void
teardown_parts(void)
{
    worker_stop(parts.hub_worker);
    worker_stop(parts.acceptor_worker);
    for (unsigned i = 0; i < WORKERS; i++)
        worker_stop(workers[i]);
    worker_destroy(parts.hub_worker);
    worker_destroy(parts.acceptor_worker);
    for (unsigned i = 0; i < WORKERS; i++)
        worker_destroy(workers[i]);
    worker_destroy(parts.main_worker);
}

static struct worker *
worker_asked(enum survey_whom whom, unsigned index)
{
    switch (whom) {
    case SURVEY_MAIN:
        return parts.main_worker;
    case SURVEY_HUB:
        return parts.hub_worker;
    case SURVEY_ACCEPTOR:
        return parts.acceptor_worker;
    case SURVEY_WORKER:
        return workers[index];
    }
    return NULL;
}

static void
ask(const struct parts *p, enum survey_whom whom, unsigned index, void *answer)
{
    struct note *const note = answer;

    ck_assert_uint_eq(note->canary, 0);
    *note = (struct note){
        .whom = whom,
        .index = index,
        .was_owner = worker_is_self(worker_asked(whom, index)),
        .canary = 0x5eed,
    };
}

static void
fini(void *answer)
{
    atomic_fetch_add(&finis, 1);
}

static const struct survey_kind everybody = {
    .name = "everybody",
    .whom = BIT(SURVEY_MAIN) | BIT(SURVEY_HUB) | BIT(SURVEY_ACCEPTOR) |
            BIT(SURVEY_WORKER),
    .answer_size = sizeof(struct note),
    .ask = ask,
    .fini = fini,
};

static const struct survey_kind workers_only = {
    .name = "workers",
    .whom = BIT(SURVEY_WORKER),
    .answer_size = sizeof(struct note),
    .ask = ask,
    .fini = fini,
};

static void
on_done(void *arg, const struct survey *s)
{
    ck_assert_ptr_eq(arg, &parts);
    dones++;
    note_count = survey_count(s);
    ck_assert_uint_le(note_count, ARRAY_LEN(notes));
    for (size_t i = 0; i < note_count; i++)
        notes[i] = *(const struct note *)survey_answer(s, i);
    worker_quit(parts.main_worker);
}

START_TEST(each_thread_answers_for_itself_and_all_come_together)
{
    static const enum survey_whom order[] = {SURVEY_MAIN,     SURVEY_HUB,
                                             SURVEY_ACCEPTOR, SURVEY_WORKER,
                                             SURVEY_WORKER,   SURVEY_WORKER};
    struct survey *s;

    setup_parts();
    start_threads();
    ck_assert_int_eq(survey_start(&parts, &everybody, on_done, &parts, &s), 0);
    ck_assert_uint_eq(dones, 0);

    worker_run(parts.main_worker);

    ck_assert_uint_eq(dones, 1);
    ck_assert_uint_eq(note_count, 3 + WORKERS);
    for (size_t i = 0; i < note_count; i++) {
        ck_assert_int_eq(notes[i].whom, order[i]);
        ck_assert_uint_eq(notes[i].index, i < 3 ? 0 : i - 3);
        ck_assert(notes[i].was_owner);
        ck_assert_uint_eq(notes[i].canary, 0x5eed);
    }
    ck_assert_uint_eq(finis, note_count);
    teardown_parts();
}
END_TEST

START_TEST(only_those_meant_are_asked)
{
    struct survey *s;

    setup_parts();
    start_threads();
    ck_assert_int_eq(survey_start(&parts, &workers_only, on_done, &parts, &s),
                     0);

    worker_run(parts.main_worker);

    ck_assert_uint_eq(note_count, WORKERS);
    for (size_t i = 0; i < note_count; i++)
        ck_assert_int_eq(notes[i].whom, SURVEY_WORKER);
    teardown_parts();
}
END_TEST

/* From here on the test is every thread. */
static void
turn_all(void)
{
    for (unsigned i = 0; i < WORKERS; i++)
        worker_turn(workers[i]);
}

START_TEST(nothing_is_done_before_the_last_has_answered)
{
    struct survey *s;

    setup_parts();
    ck_assert_int_eq(survey_start(&parts, &workers_only, on_done, &parts, &s),
                     0);
    worker_turn(workers[2]);
    worker_turn(parts.main_worker);
    worker_turn(workers[0]);
    worker_turn(parts.main_worker);
    ck_assert_uint_eq(dones, 0);

    worker_turn(workers[1]);
    worker_turn(parts.main_worker);

    ck_assert_uint_eq(dones, 1);
    teardown_parts();
}
END_TEST

START_TEST(who_no_longer_waits_is_not_called)
{
    struct survey *s;

    setup_parts();
    ck_assert_int_eq(survey_start(&parts, &workers_only, on_done, &parts, &s),
                     0);
    survey_cancel(s);
    survey_cancel(NULL);
    turn_all();
    worker_turn(parts.main_worker);

    ck_assert_uint_eq(dones, 0);
    ck_assert_uint_eq(finis, WORKERS);
    teardown_parts();
}
END_TEST

START_TEST(what_nobody_answered_is_dropped_with_the_threads)
{
    struct survey *s;

    setup_parts();
    ck_assert_int_eq(survey_start(&parts, &everybody, on_done, &parts, &s), 0);
    worker_turn(workers[1]); /* its answer waits on main; the rest never ran */

    teardown_parts();

    ck_assert_uint_eq(dones, 0);
    ck_assert_uint_eq(finis, 3 + WORKERS);
}
END_TEST

/* The answers mean nothing: there was no question. */
static void
on_settled(void *arg, const struct survey *s)
{
    ck_assert_ptr_eq(arg, &parts);
    ck_assert_uint_eq(survey_count(s), 2 + WORKERS);
    dones++;
}

START_TEST(all_is_settled_when_what_was_posted_before_has_run)
{
    struct survey *s;

    setup_parts();
    dones = 0;

    ck_assert_int_eq(survey_settle(&parts, on_settled, &parts, &s), 0);
    ck_assert_uint_eq(survey_count(s), 2 + WORKERS);
    worker_turn(parts.hub_worker);
    worker_turn(parts.acceptor_worker);
    for (unsigned i = 0; i + 1 < WORKERS; i++)
        worker_turn(workers[i]);
    worker_turn(parts.main_worker);
    ck_assert_uint_eq(dones, 0);
    worker_turn(workers[WORKERS - 1]);
    worker_turn(parts.main_worker);
    ck_assert_uint_eq(dones, 1);
    teardown_parts();
}
END_TEST

START_TEST(without_memory_nobody_is_asked)
{
    struct survey *s = NULL;

    setup_parts();
    for (size_t n = 0; n < 1 + 3 + WORKERS; n++) {
        finis = 0;
        allocations_left = n;

        ck_assert_int_eq(survey_start(&parts, &everybody, on_done, &parts, &s),
                         -ENOMEM);

        ck_assert_ptr_null(s);
        ck_assert_uint_eq(finis, n > 0 ? n - 1 : 0);
    }
    allocations_left = SIZE_MAX;
    teardown_parts();
}
END_TEST

UNIT_MAIN("ops/survey", each_thread_answers_for_itself_and_all_come_together,
          only_those_meant_are_asked,
          nothing_is_done_before_the_last_has_answered,
          who_no_longer_waits_is_not_called,
          all_is_settled_when_what_was_posted_before_has_run,
          what_nobody_answered_is_dropped_with_the_threads,
          without_memory_nobody_is_asked)
