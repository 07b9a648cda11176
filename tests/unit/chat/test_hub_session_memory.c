/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sessions when memory is short: each n-th request fails, with all that follow
 * or alone, until none does. The hub holds together, and nothing leaks.
 */
#include <stdbool.h>

#include "recorder.h"
#include "rig.h"
#include "shortage.h"
#include "support/unit.h"

static struct rig rig;
static struct recorder rec;
static struct person anna, berta;

/* Two in #tea and #a; anna can come back, and waits for mail. */
static void
open_two(void)
{
    rig_open(&rig, NULL);
    anna = rig_attach_resumable(&rig, RIG_CONN(0, 1), "anna");
    berta = rig_attach(&rig, RIG_CONN(1, 1), "berta");
    rig_join(&rig, &anna, "#tea");
    rig_join(&rig, &berta, "#tea");
    rig_join(&rig, &anna, "#a");
    rig_do(&rig, &berta, COMMAND_TELL, "anna", "hello");
}

static void
apply_short(const struct command *c, uint32_t granted, bool lasting)
{
    recorder_start(&rec);
    run_short(granted, lasting);
    hub_apply(rig.hub, c, &rig.now, &rec.out);
    run_free();
    hub_check(rig.hub);
}

static const struct event *
recorded(size_t at)
{
    ck_assert_uint_lt(at, rec.count);
    return rec.items[at].d.event;
}

static bool
was_emitted(enum event_kind kind)
{
    for (size_t i = 0; i < rec.count; i++) {
        if (recorded(i)->kind == kind)
            return true;
    }
    return false;
}

static struct hub_census
census(void)
{
    struct hub_census now;

    hub_count(rig.hub, &now);
    return now;
}

/* Calls `one` for each number of requests granted, until it needs no more. */
static void
for_each_shortage(void (*one)(uint32_t granted, bool lasting), uint32_t least)
{
    recorder_init(&rec);
    for (unsigned lasting = 0; lasting < 2; lasting++) {
        uint32_t granted = 0;

        for (;; granted++) {
            open_two();
            one(granted, lasting == 1);
            recorder_start(&rec);
            rig_close(&rig);
            if (run_refused() == 0)
                break;
        }
        ck_assert_uint_ge(granted, least);
    }
    recorder_fini(&rec);
}

/* ---- loss ---------------------------------------------------------------- */

static void
lose(uint32_t granted, bool lasting)
{
    const struct command c = {
        .kind = COMMAND_DETACH,
        .how = DETACH_LOST,
        .text = slice_of("reset"),
        .from = {.conn = anna.conn},
    };

    apply_short(&c, granted, lasting);
    ck_assert_int_eq(recorded(rec.count - 1)->kind, EVENT_DONE);
    ck_assert(!was_emitted(EVENT_REFUSED));
    if (census().waiting == 1) {
        ck_assert(!was_emitted(EVENT_QUIT));
        rig_resume(&rig, &anna, RIG_CONN(2, 2));
    } else {
        ck_assert_uint_gt(run_refused(), 0);
        ck_assert_uint_eq(census().users, 1);
        ck_assert_uint_eq(census().kept_events, 0);
    }
}

START_TEST(who_is_lost_waits_or_ends_and_never_stays)
{
    for_each_shortage(lose, 3);
}
END_TEST

/* Of 12 that were on their way the log holds 5: however little could be looked
 * at when the conn ended, anna is told of the others. */
static void
lose_with_some_gone(uint32_t granted, bool lasting)
{
    struct command c = {
        .kind = COMMAND_DETACH,
        .how = DETACH_LOST,
        .from = {.conn = anna.conn},
        .cursor = rig.last_id,
        .upto = rig.last_id,
    };

    rig.conf.chat.history_keep_events = 5;
    hub_reload(rig.hub, &rig.conf.chat);
    for (unsigned i = 0; i < 12; i++)
        rig_do(&rig, &berta, COMMAND_SAY, "#tea", "x");
    apply_short(&c, granted, lasting);
    if (census().waiting == 0)
        return; /* it could not wait */
    rig_resume(&rig, &anna, RIG_CONN(2, 2));
    ck_assert_str_eq(rig.lines[0],
                     "2 conn resumed anna number=5 seq=7 at=1000");
}

START_TEST(who_waits_is_told_what_was_gone)
{
    for_each_shortage(lose_with_some_gone, 3);
}
END_TEST

/* ---- return -------------------------------------------------------------- */

static void
resume(uint32_t granted, bool lasting)
{
    struct command c = {
        .kind = COMMAND_RESUME,
        .token = anna.token,
        .secret = {.bytes = {77}},
        .from = {.conn = RIG_CONN(2, 2)},
    };
    struct hub_census before;

    rig_lose(&rig, &anna, "reset");
    before = census();
    apply_short(&c, granted, lasting);
    ck_assert_int_eq(recorded(rec.count - 1)->kind, EVENT_DONE);
    if (recorder_is_no_memory(&rec)) {
        ck_assert_uint_eq(census().waiting, before.waiting);
        rig_resume(&rig, &anna, RIG_CONN(2, 2)); /* the token is as it was */
        return;
    }
    ck_assert_int_eq(recorded(0)->kind, EVENT_RESUMED);
    ck_assert_uint_eq(census().waiting, 0);
    ck_assert(token_parse(recorded(0)->text, &anna.token));
    anna.conn = RIG_CONN(2, 2);
    rig_lose(&rig, &anna, "reset"); /* and it can come back once more */
    rig_resume(&rig, &anna, RIG_CONN(2, 3));
}

START_TEST(who_comes_back_does_so_or_may_try_again)
{
    for_each_shortage(resume, 4);
}
END_TEST

static void
resume_busy(uint32_t granted, bool lasting)
{
    const struct command c = {
        .kind = COMMAND_RESUME,
        .token = anna.token,
        .from = {.conn = RIG_CONN(2, 2)},
    };

    apply_short(&c, granted, lasting);
    if (was_emitted(EVENT_REPLACED))
        ck_assert_int_eq(recorded(1)->kind, EVENT_REFUSED);
    else
        ck_assert(recorder_is_no_memory(&rec));
    ck_assert_uint_eq(census().sessions, 2);
}

START_TEST(a_busy_session_stays_where_it_is)
{
    for_each_shortage(resume_busy, 1);
}
END_TEST

static void
catch_up(uint32_t granted, bool lasting)
{
    const struct command c = {
        .kind = COMMAND_CATCH_UP,
        .count = 100,
        .session = anna.session,
        .from = {.conn = anna.conn},
    };

    apply_short(&c, granted, lasting);
    if (run_refused() > 0)
        ck_assert_int_eq(recorded(rec.count - 2)->refusal, REFUSAL_NO_MEMORY);
    else
        ck_assert(recorded(rec.count - 2)->last);
}

START_TEST(a_catch_up_that_breaks_off_says_so)
{
    for_each_shortage(catch_up, 2);
}
END_TEST

/* ---- mail ---------------------------------------------------------------- */

static void
tell(uint32_t granted, bool lasting)
{
    const struct command c = {
        .kind = COMMAND_TELL,
        .name = slice_of("anna"),
        .text = slice_of("17th"),
        .session = berta.session,
        .from = {.conn = berta.conn},
    };
    uint64_t before;

    rig_end(&rig, &anna, (struct rig_end){.how = DETACH_LOST});
    for (unsigned i = 2; i <= 16; i++) /* its ring must grow for one more */
        rig_do(&rig, &berta, COMMAND_TELL, "anna", "x");
    before = census().kept_events;
    ck_assert_uint_eq(before, 16);
    apply_short(&c, granted, lasting);
    if (recorder_is_no_memory(&rec)) {
        ck_assert_uint_eq(census().kept_events, before);
    } else {
        ck_assert_int_eq(recorded(0)->kind, EVENT_SENT);
        ck_assert_uint_eq(census().kept_events, before + 1);
    }
}

START_TEST(what_is_said_to_be_kept_is_kept)
{
    for_each_shortage(tell, 3);
}
END_TEST

static void
announce(uint32_t granted, bool lasting)
{
    const struct command c = {
        .kind = COMMAND_ANNOUNCE,
        .text = slice_of("17th"),
        .from = {.conn = RIG_OPERATOR},
    };
    uint64_t before;

    for (unsigned i = 1; i <= 16; i++)
        rig_do(&rig, NULL, COMMAND_ANNOUNCE, "", "x");
    before = census().kept_events;
    apply_short(&c, granted, lasting);
    if (recorder_is_no_memory(&rec))
        ck_assert_uint_eq(census().kept_events, before);
    else if (run_refused() > 0) /* the oldest gave its place */
        ck_assert_uint_eq(census().kept_events, before);
    else
        ck_assert_uint_eq(census().kept_events, before + 1);
    ck_assert_uint_eq(was_emitted(EVENT_ANNOUNCED),
                      !recorder_is_no_memory(&rec));
}

START_TEST(an_announcement_is_made_even_if_fewer_are_kept)
{
    for_each_shortage(announce, 2);
}
END_TEST

/* ---- the end ------------------------------------------------------------- */

static void
expire(uint32_t granted, bool lasting)
{
    rig_lose(&rig, &anna, "reset");
    rig.now.mono_ms += rig.conf.chat.session_linger;
    recorder_start(&rec);
    run_short(granted, lasting);
    hub_tick(rig.hub, &rig.now, &rec.out);
    run_free();
    hub_check(rig.hub);
    ck_assert_uint_eq(census().waiting, 0);
    ck_assert_uint_eq(census().users, 1);
    ck_assert_uint_eq(rec.count, run_refused() > 0 ? 0 : 1);
}

START_TEST(the_wait_ends_whatever_happens)
{
    for_each_shortage(expire, 2);
}
END_TEST

UNIT_MAIN("chat/hub_session_memory", who_is_lost_waits_or_ends_and_never_stays,
          who_waits_is_told_what_was_gone,
          who_comes_back_does_so_or_may_try_again,
          a_busy_session_stays_where_it_is, a_catch_up_that_breaks_off_says_so,
          what_is_said_to_be_kept_is_kept,
          an_announcement_is_made_even_if_fewer_are_kept,
          the_wait_ends_whatever_happens)
