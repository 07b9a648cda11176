/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A ring of events, on its own. calloc is wrapped, so that a case can make it
 * fail.
 */
#include "chat/hub_priv.h"

#include <errno.h>
#include <stdbool.h>

#include "support/unit.h"

static bool memory_is_short;

void *__real_calloc(size_t count, size_t size);

void *
__wrap_calloc(size_t count, size_t size)
{
    return memory_is_short ? NULL : __real_calloc(count, size);
}

static struct event_log event_log;
static struct event_tally tally;
static struct event_limits limits;

static void
log_open(uint64_t keep_events, uint64_t keep_bytes)
{
    limits = (struct event_limits){.events = keep_events, .bytes = keep_bytes};
    ck_assert_int_eq(event_log_init(&event_log), 0);
}

static void
log_close(void)
{
    event_log_fini(&event_log, &tally);
    ck_assert_uint_eq(tally.events, 0);
    ck_assert_uint_eq(tally.bytes, 0);
    ck_assert_uint_eq(event_live(), 0);
}

static void
push(enum event_kind kind, uint64_t seq)
{
    const struct event draft = {.kind = (uint8_t)kind, .seq = seq};
    struct event *const e = event_create(&draft);

    ck_assert_ptr_nonnull(e);
    event_log_push(&event_log, e, &limits, &tally);
    event_unref(e);
}

static uint64_t
kept(void)
{
    return event_log.end - event_log.first;
}

static uint64_t
said_seq(uint32_t n)
{
    return event_log_at(&event_log, event_log_said(&event_log, n))->event->seq;
}

START_TEST(it_keeps_so_many_events_and_drops_the_oldest)
{
    log_open(100, 1 << 20);
    for (uint64_t seq = 1; seq <= 1000; seq++)
        push(EVENT_SAID, seq);

    ck_assert_uint_eq(kept(), 100);
    ck_assert_uint_eq(tally.events, 100);
    ck_assert_uint_eq(event_log.said, 100);
    ck_assert_uint_eq(said_seq(1), 1000);
    ck_assert_uint_eq(said_seq(100), 901);
    log_close();
}
END_TEST

START_TEST(it_keeps_so_many_bytes)
{
    log_open(1000, sizeof(struct event) * 10);
    for (uint64_t seq = 1; seq <= 50; seq++)
        push(EVENT_SAID, seq);

    ck_assert_uint_eq(kept(), 10);
    ck_assert_uint_eq(tally.bytes, sizeof(struct event) * 10);
    log_close();
}
END_TEST

START_TEST(an_event_above_all_limits_is_kept_until_the_next)
{
    log_open(1000, sizeof(struct event) - 1);
    push(EVENT_SAID, 1);
    push(EVENT_SAID, 2);

    ck_assert_uint_eq(kept(), 1);
    ck_assert_uint_eq(said_seq(1), 2);
    log_close();
}
END_TEST

START_TEST(it_grows_only_as_far_as_it_is_used)
{
    log_open(1000000, 1 << 30);
    push(EVENT_SAID, 1);
    ck_assert_uint_le(event_log.size, 16);
    for (uint64_t seq = 2; seq <= 100; seq++)
        push(EVENT_SAID, seq);
    ck_assert_uint_eq(kept(), 100);
    ck_assert_uint_le(event_log.size, 128);
    log_close();
}
END_TEST

START_TEST(what_was_said_is_found_between_other_events)
{
    log_open(20, 1 << 20);
    for (uint64_t seq = 1; seq <= 200; seq++) {
        push(seq % 7 == 0 ? EVENT_SAID : EVENT_JOINED, seq);
        for (uint32_t n = 1; n <= event_log.said; n++)
            ck_assert_uint_eq(said_seq(n), (seq / 7 - n + 1) * 7);
    }
    ck_assert_uint_eq(event_log.said, 3); /* 182 189 196 */
    log_close();
}
END_TEST

START_TEST(what_was_said_may_all_have_been_dropped)
{
    log_open(5, 1 << 20);
    push(EVENT_SAID, 1);
    for (uint64_t seq = 2; seq <= 10; seq++)
        push(EVENT_JOINED, seq);
    ck_assert_uint_eq(event_log.said, 0);

    push(EVENT_SAID, 11);
    push(EVENT_SAID, 12);
    ck_assert_uint_eq(event_log.said, 2);
    ck_assert_uint_eq(said_seq(2), 11);
    log_close();
}
END_TEST

START_TEST(lower_limits_take_effect_with_the_next_event)
{
    log_open(100, 1 << 20);
    for (uint64_t seq = 1; seq <= 100; seq++)
        push(EVENT_SAID, seq);
    limits.events = 3;
    push(EVENT_SAID, 101);

    ck_assert_uint_eq(kept(), 3);
    ck_assert_uint_eq(said_seq(3), 99);
    log_close();
}
END_TEST

START_TEST(a_ring_that_cannot_grow_keeps_fewer)
{
    log_open(100, 1 << 20);
    for (uint64_t seq = 1; seq <= 16; seq++)
        push(EVENT_SAID, seq);
    memory_is_short = true;
    push(EVENT_SAID, 17);
    memory_is_short = false;

    ck_assert_uint_eq(kept(), 16);
    ck_assert_uint_eq(said_seq(1), 17);
    push(EVENT_SAID, 18);
    ck_assert_uint_eq(kept(), 17);
    log_close();
}
END_TEST

/* ---- ids ----------------------------------------------------------------- */

static void
push_id(uint64_t id)
{
    const struct event draft = {.kind = EVENT_SAID, .id = id, .seq = id};
    struct event *const e = event_create(&draft);

    ck_assert_ptr_nonnull(e);
    event_log_push(&event_log, e, &limits, &tally);
    event_unref(e);
}

/* Ids 10, 20 ... 1000, of which the last 30 are kept: 710 to 1000. */
static void
open_tens(void)
{
    log_open(30, 1 << 20);
    for (uint64_t id = 10; id <= 1000; id += 10)
        push_id(id);
}

static uint64_t
id_after(uint64_t id)
{
    const uint64_t at = event_log_after(&event_log, id);

    return at == event_log.end ? 0 : event_log_at(&event_log, at)->event->id;
}

START_TEST(the_next_id_is_found_whether_that_one_is_kept_or_not)
{
    open_tens();
    ck_assert_uint_eq(id_after(0), 710);
    ck_assert_uint_eq(id_after(500), 710);
    for (uint64_t id = 701; id <= 1000; id++)
        ck_assert_uint_eq(id_after(id), id >= 1000 ? 0
                                        : id < 710 ? 710
                                                   : (id / 10 + 1) * 10);
    ck_assert_uint_eq(event_log_after(&event_log, UINT64_MAX), event_log.end);
    log_close();
}
END_TEST

START_TEST(nothing_comes_after_any_id_in_an_empty_log)
{
    log_open(30, 1 << 20);
    ck_assert_uint_eq(event_log_after(&event_log, 0), event_log.end);
    push_id(5);
    event_log_drop_upto(&event_log, 5, &tally);
    ck_assert_uint_eq(event_log_after(&event_log, 0), event_log.end);
    log_close();
}
END_TEST

START_TEST(what_is_up_to_an_id_is_dropped_and_no_more)
{
    open_tens();
    event_log_drop_upto(&event_log, 709, &tally);
    ck_assert_uint_eq(kept(), 30);
    event_log_drop_upto(&event_log, 905, &tally);
    ck_assert_uint_eq(kept(), 10);
    ck_assert_uint_eq(tally.events, 10);
    ck_assert_uint_eq(event_log.said, 10);
    ck_assert_uint_eq(id_after(0), 910);
    event_log_drop_upto(&event_log, UINT64_MAX, &tally);
    ck_assert_uint_eq(kept(), 0);
    ck_assert_uint_eq(event_log.bytes, 0);
    push_id(2000);
    ck_assert_uint_eq(said_seq(1), 2000);
    log_close();
}
END_TEST

START_TEST(a_place_that_was_reserved_needs_no_memory)
{
    log_open(100, 1 << 20);
    for (uint64_t id = 1; id <= 16; id++)
        push_id(id);
    ck_assert_int_eq(event_log_reserve(&event_log), 0);
    memory_is_short = true;
    push_id(17);
    ck_assert_uint_eq(kept(), 17);
    for (uint64_t id = 18; id <= 32; id++) {
        ck_assert_int_eq(event_log_reserve(&event_log), 0);
        push_id(id);
    }
    ck_assert_int_eq(event_log_reserve(&event_log), -ENOMEM);
    memory_is_short = false;

    ck_assert_uint_eq(kept(), 32);
    log_close();
}
END_TEST

UNIT_MAIN("chat/hub_log", it_keeps_so_many_events_and_drops_the_oldest,
          it_keeps_so_many_bytes,
          an_event_above_all_limits_is_kept_until_the_next,
          it_grows_only_as_far_as_it_is_used,
          what_was_said_is_found_between_other_events,
          what_was_said_may_all_have_been_dropped,
          lower_limits_take_effect_with_the_next_event,
          a_ring_that_cannot_grow_keeps_fewer,
          the_next_id_is_found_whether_that_one_is_kept_or_not,
          nothing_comes_after_any_id_in_an_empty_log,
          what_is_up_to_an_id_is_dropped_and_no_more,
          a_place_that_was_reserved_needs_no_memory)
