/* SPDX-License-Identifier: BSD-2-Clause
 *
 * RESUME: whose token it is, what the client is told, what its peers are.
 */
#include <string.h>

#include "rig.h"
#include "support/unit.h"

static struct rig rig;
static struct person anna, berta;

/* Both in #tea, whose last seq is 2; anna, on worker 0, can come back. */
static void
open_tea_counting(const struct chat_conf *chat, uint32_t at_once)
{
    rig_open_counting(&rig, chat, at_once);
    anna = rig_attach_resumable(&rig, RIG_CONN(0, 1), "anna");
    berta = rig_attach(&rig, RIG_CONN(1, 7), "berta");
    rig_join(&rig, &anna, "#tea");
    rig_join(&rig, &berta, "#tea");
}

static void
open_tea(const struct chat_conf *chat)
{
    open_tea_counting(chat, 0);
}

START_TEST(who_comes_back_is_told_its_rooms_and_peers_that_it_is_back)
{
    open_tea(NULL);
    rig_topic(&rig, &berta, "#tea", "green");
    rig_join(&rig, &anna, "#lobby");
    rig_lose(&rig, &anna, "reset");
    rig.now.wall_ms = 9000;
    rig_do(&rig, &berta, COMMAND_SAY, "#tea", "hello?");
    rig_resume(&rig, &anna, RIG_CONN(2, 4));
    rig_expect(&rig, "2 conn resumed anna number=1 at=1000",
               "2 conn rejoined name=#tea text=green number=2 seq=4",
               "2 conn rejoined name=#lobby number=1 seq=1",
               "1 peers returned anna seq=0,0", "2 peers returned anna seq=0,0",
               "2 conn done", NULL);
    rig_do(&rig, &anna, COMMAND_SAY, "#tea", "here");
    rig_expect(&rig, "1 room said anna text=here seq=5",
               "2 room said anna text=here seq=5", "2 conn done", NULL);
    rig_close(&rig);
}
END_TEST

/* The client may never hear of the fresh one, however often it comes. */
START_TEST(a_token_stays_good_until_the_next_one_is_known_to_have_come)
{
    struct token first, second;

    open_tea(NULL);
    first = anna.token;
    for (unsigned i = 0; i < 3; i++) {
        rig_lose(&rig, &anna, "reset");
        anna.token = first;
        rig_resume(&rig, &anna, RIG_CONN(0, 2 + i));
    }
    second = anna.token;
    rig_lose(&rig, &anna, "reset");
    rig_resume(&rig, &anna, RIG_CONN(0, 5));
    rig_lose(&rig, &anna, "reset");
    rig_ask_resume(&rig, RIG_CONN(0, 6), &first);
    rig_expect_refusal(&rig, REFUSAL_BAD_TOKEN);
    anna.token = second;
    rig_resume(&rig, &anna, RIG_CONN(0, 6));
    rig_close(&rig);
}
END_TEST

START_TEST(a_token_works_once_and_a_fresh_one_follows)
{
    struct token first;

    open_tea(NULL);
    first = anna.token;
    rig_lose(&rig, &anna, "reset");
    rig_resume(&rig, &anna, RIG_CONN(0, 2));
    ck_assert_int_ne(memcmp(&first, &anna.token, sizeof(first)), 0);
    rig_ack(&rig, &anna, 0);
    rig_lose(&rig, &anna, "reset");
    rig_ask_resume(&rig, RIG_CONN(0, 3), &first);
    rig_expect_refusal(&rig, REFUSAL_BAD_TOKEN);
    rig_resume(&rig, &anna, RIG_CONN(0, 3));
    rig_close(&rig);
}
END_TEST

/* Each of its 120 bits matters. */
START_TEST(no_other_token_will_do)
{
    open_tea(NULL);
    rig_lose(&rig, &anna, "reset");
    for (unsigned bit = 0; bit < TOKEN_BYTES * 8; bit++) {
        struct token wrong = anna.token;

        wrong.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        rig_ask_resume(&rig, RIG_CONN(0, 2), &wrong);
        rig_expect_refusal(&rig, REFUSAL_BAD_TOKEN);
    }
    rig_resume(&rig, &anna, RIG_CONN(0, 2));
    rig_close(&rig);
}
END_TEST

/* Whoever knows that no secret was given could make one of zeroes. */
START_TEST(a_session_without_a_token_has_none_that_works)
{
    static const struct token_secret zeroes;
    struct token token;

    open_tea(NULL);
    token_make(&rig.conf.key, (uint32_t)berta.session, &zeroes, &token);
    rig_ask_resume(&rig, RIG_CONN(0, 2), &token);
    rig_expect_refusal(&rig, REFUSAL_BAD_TOKEN);
    rig_close(&rig);
}
END_TEST

START_TEST(a_busy_session_is_asked_for_and_its_asker_told_so)
{
    open_tea(NULL);
    rig_ask_resume(&rig, RIG_CONN(2, 9), &anna.token);
    rig_expect(&rig, "0 conn replaced to=1", "2 conn refused why=session-busy",
               "2 conn done", NULL);
    rig_do(&rig, &anna, COMMAND_SAY, "#tea", "still here");
    ck_assert_uint_eq(rig.count, 3); /* not refused */
    rig_end(&rig, &anna, (struct rig_end){.how = DETACH_REPLACED});
    rig_resume(&rig, &anna, RIG_CONN(2, 9));
    rig_close(&rig);
}
END_TEST

START_TEST(a_conn_has_one_session)
{
    open_tea(NULL);
    rig_lose(&rig, &anna, "reset");
    rig_ask_resume(&rig, berta.conn, &anna.token);
    rig_expect_refusal(&rig, REFUSAL_ATTACHED_ALREADY);
    rig_close(&rig);
}
END_TEST

/* `resumable` is ATTACH's; a RESUME brings a secret always. */
START_TEST(who_came_back_can_do_so_again)
{
    open_tea(NULL);
    for (uint64_t n = 100; n < 150; n++) {
        rig_lose(&rig, &anna, "reset");
        rig_resume(&rig, &anna, RIG_CONN(n % 3, n));
        rig_catch_up(&rig, &anna, rig.resumed_at, 100);
    }
    rig_close(&rig);
}
END_TEST

START_TEST(the_cursor_comes_back_with_resumed)
{
    open_tea(NULL);
    rig_end(&rig, &anna, (struct rig_end){.how = DETACH_LOST, .cursor = 1});
    rig_resume(&rig, &anna, RIG_CONN(0, 2));
    ck_assert_uint_eq(rig.resumed_at, 1);
    rig_expect(&rig, "0 conn resumed anna number=1 at=1000",
               "0 conn rejoined name=#tea number=2 seq=2",
               "0 peers returned anna seq=0", "1 peers returned anna seq=0",
               "0 conn done", NULL); /* berta's JOINED */
    rig_close(&rig);
}
END_TEST

START_TEST(whether_it_echoes_is_part_of_the_session)
{
    open_tea(NULL);
    rig_echo(&rig, &anna, true);
    rig_lose(&rig, &anna, "reset");
    rig_resume(&rig, &anna, RIG_CONN(0, 2));
    ck_assert_str_eq(rig.lines[0], "0 conn resumed anna at=1000 echoes");
    rig_echo(&rig, &anna, false);
    rig_lose(&rig, &anna, "reset");
    rig_resume(&rig, &anna, RIG_CONN(0, 3));
    ck_assert_str_eq(rig.lines[0], "0 conn resumed anna at=1000");
    rig_close(&rig);
}
END_TEST

static void
say(unsigned times)
{
    while (times-- > 0)
        rig_do(&rig, &berta, COMMAND_SAY, "#tea", "x");
}

/* Its worker has heard up to `upto`; `count` of that, behind `cursor`, may be
 * lost. */
static void
lose_anna(uint64_t cursor, uint64_t upto, uint32_t count)
{
    rig_end(&rig, &anna,
            (struct rig_end){.how = DETACH_LOST,
                             .cursor = cursor,
                             .upto = upto,
                             .count = count});
}

static struct chat_conf
conf_keeping(uint64_t events)
{
    struct chat_conf conf;

    chat_conf_init(&conf);
    conf.history_keep_events = events;
    return conf;
}

START_TEST(what_left_the_log_during_the_wait_is_counted)
{
    const struct chat_conf conf = conf_keeping(10);

    open_tea(&conf);
    rig_lose(&rig, &anna, "reset");
    say(25);
    rig_resume(&rig, &anna, RIG_CONN(0, 2));
    ck_assert_str_eq(rig.lines[0],
                     "0 conn resumed anna number=10 seq=15 at=1000");
    rig_close(&rig);
}
END_TEST

/* 8 were sent after the cursor; when it comes back, 5 of them are kept. */
START_TEST(what_was_sent_and_left_the_log_is_counted)
{
    const struct chat_conf conf = conf_keeping(10);
    uint64_t cursor;

    open_tea(&conf);
    cursor = rig.last_id;
    say(8);
    lose_anna(cursor, rig.last_id, 8);
    say(5);
    rig_resume(&rig, &anna, RIG_CONN(0, 2));
    ck_assert_str_eq(rig.lines[0],
                     "0 conn resumed anna number=10 seq=3 at=1000");
    rig_close(&rig);
}
END_TEST

/* It came back to a worker that heard of nothing else, and had read nothing when
 * its conn died again: that worker knows by RESUMED of all 25. */
START_TEST(what_resumed_told_its_worker_is_not_counted_again)
{
    const struct chat_conf conf = conf_keeping(10);
    uint64_t cursor;

    open_tea(&conf);
    cursor = rig.last_id;
    lose_anna(cursor, cursor, 0);
    say(25);
    for (uint64_t n = 2; n < 5; n++) {
        rig_resume(&rig, &anna, RIG_CONN(0, n));
        ck_assert_str_eq(rig.lines[0],
                         "0 conn resumed anna number=10 seq=15 at=1000");
        lose_anna(cursor, cursor, 25);
    }
    rig_close(&rig);
}
END_TEST

/* The worker knew of 3 when it said that the conn had died; 4 more were on
 * their way to it. All leave the log. */
START_TEST(what_was_on_its_way_is_counted_by_the_hub)
{
    const struct chat_conf conf = conf_keeping(10);
    uint64_t cursor, upto;

    open_tea(&conf);
    cursor = rig.last_id;
    say(3);
    upto = rig.last_id;
    say(4);
    lose_anna(cursor, upto, 3);
    say(12);
    rig_resume(&rig, &anna, RIG_CONN(0, 2));
    ck_assert_str_eq(rig.lines[0],
                     "0 conn resumed anna number=10 seq=9 at=1000");
    rig_close(&rig);
}
END_TEST

/* 16 were on their way, and the log holds 10 of them: the others are gone. */
START_TEST(what_left_the_log_on_its_way_is_counted_by_the_hub)
{
    const struct chat_conf conf = conf_keeping(10);
    uint64_t cursor;

    open_tea(&conf);
    cursor = rig.last_id;
    say(16);
    lose_anna(cursor, cursor, 0);
    rig_resume(&rig, &anna, RIG_CONN(0, 2));
    ck_assert_str_eq(rig.lines[0],
                     "0 conn resumed anna number=10 seq=6 at=1000");
    rig_close(&rig);
}
END_TEST

/* Five were sent, and three of its own were not, then. It is given those now,
 * with two of the five: three are missed. */
START_TEST(its_own_talk_of_before_it_echoed_hides_nothing)
{
    const struct chat_conf conf = conf_keeping(10);
    uint64_t cursor;

    open_tea(&conf);
    cursor = rig.last_id;
    say(5);
    for (unsigned i = 0; i < 3; i++)
        rig_do(&rig, &anna, COMMAND_SAY, "#tea", "own");
    rig_echo(&rig, &anna, true);
    lose_anna(cursor, rig.last_id, 5);
    say(5);
    rig_resume(&rig, &anna, RIG_CONN(0, 2));
    ck_assert_str_eq(rig.lines[0],
                     "0 conn resumed anna number=10 seq=3 at=1000 echoes");
    rig_close(&rig);
}
END_TEST

/* Sent from a room that it left before the conn died. */
START_TEST(what_it_may_see_no_longer_is_missed)
{
    uint64_t cursor;

    open_tea(NULL);
    cursor = rig.last_id;
    say(3);
    rig_do(&rig, &anna, COMMAND_PART, "#tea", "");
    lose_anna(cursor, rig.last_id, 3);
    rig_resume(&rig, &anna, RIG_CONN(0, 2));
    ck_assert_str_eq(rig.lines[0], "0 conn resumed anna seq=3 at=1000");
    rig_close(&rig);
}
END_TEST

/* ---- much, counted with more than one question --------------------------- */

#define AT_ONCE 10u

/* And a millisecond goes by. */
static void
ask_and_be_put_off(void)
{
    rig_ask_resume(&rig, RIG_CONN(0, 2), &anna.token);
    rig_expect(&rig, "0 conn refused why=session-busy", "0 conn done", NULL);
    rig.now.mono_ms++;
}

START_TEST(a_question_counts_so_much_and_no_more)
{
    open_tea_counting(NULL, AT_ONCE);
    rig_lose(&rig, &anna, "reset");
    say(3 * AT_ONCE);
    ask_and_be_put_off();
    ask_and_be_put_off();
    say(AT_ONCE / 2);
    ask_and_be_put_off();
    rig_resume(&rig, &anna, RIG_CONN(0, 2));
    ck_assert_str_eq(rig.lines[0], "0 conn resumed anna number=35 at=1000");
    rig_close(&rig);
}
END_TEST

/* Of 20, 10 were counted when the log dropped 15: those are promised, and not
 * given; of the others 5 are known to be gone. */
START_TEST(what_goes_while_it_is_counted_counts_once)
{
    const struct chat_conf conf = conf_keeping(20);

    open_tea_counting(&conf, AT_ONCE);
    rig_lose(&rig, &anna, "reset");
    say(20);
    ask_and_be_put_off();
    say(15);
    ask_and_be_put_off();
    ask_and_be_put_off();
    rig_resume(&rig, &anna, RIG_CONN(0, 2));
    ck_assert_str_eq(rig.lines[0],
                     "0 conn resumed anna number=30 seq=5 at=1000");
    rig_close(&rig);
}
END_TEST

/* The client that asked has gone; what it counted is not counted anew. */
START_TEST(who_asks_next_goes_on_counting)
{
    const struct chat_conf conf = conf_keeping(20);

    open_tea_counting(&conf, AT_ONCE);
    rig_lose(&rig, &anna, "reset");
    say(20);
    ask_and_be_put_off();
    rig_ask_resume(&rig, RIG_CONN(1, 3), &anna.token);
    rig_expect(&rig, "1 conn refused why=session-busy", "1 conn done", NULL);
    rig.now.mono_ms++;
    rig_resume(&rig, &anna, RIG_CONN(2, 4));
    ck_assert_str_eq(rig.lines[0], "2 conn resumed anna number=20 at=1000");
    rig_close(&rig);
}
END_TEST

/* So that however many come back, the others are not kept waiting. */
START_TEST(who_asks_in_the_same_millisecond_is_put_off)
{
    struct person carla;

    open_tea_counting(NULL, AT_ONCE);
    carla = rig_attach_resumable(&rig, RIG_CONN(1, 5), "carla");
    rig_join(&rig, &carla, "#tea");
    rig_lose(&rig, &carla, "reset");
    rig_lose(&rig, &anna, "reset");
    say(AT_ONCE - 1);
    rig_resume(&rig, &carla, RIG_CONN(1, 6));
    /* One more may be looked at, and then none. */
    for (unsigned i = 0; i < 2 * AT_ONCE; i++) {
        rig_ask_resume(&rig, RIG_CONN(0, 2), &anna.token);
        rig_expect(&rig, "0 conn refused why=session-busy", "0 conn done",
                   NULL);
    }
    rig.now.mono_ms++;
    rig_resume(&rig, &anna, RIG_CONN(0, 2));
    ck_assert_str_eq(rig.lines[0], "0 conn resumed anna number=9 at=1000");
    rig_close(&rig);
}
END_TEST

/* It is not looked through when the conn ends. The log then drops all but the
 * last 20 of the 40: those that came first were due, and are missed, too. */
START_TEST(much_that_was_on_its_way_is_not_counted_at_once)
{
    const struct chat_conf conf = conf_keeping(40);
    uint64_t cursor;

    open_tea_counting(&conf, AT_ONCE);
    cursor = rig.last_id;
    say(40);
    lose_anna(cursor, cursor, 0);
    say(20);
    for (unsigned i = 0; i < 4; i++)
        ask_and_be_put_off();
    rig_resume(&rig, &anna, RIG_CONN(0, 2));
    ck_assert_str_eq(rig.lines[0],
                     "0 conn resumed anna number=40 seq=20 at=1000");
    rig_close(&rig);
}
END_TEST

/* The look at the end goes over #tea and no further; of what came after that, 32
 * had left the log of #a then, and with them the JOINED of both, before which
 * nothing is hers. */
START_TEST(what_went_behind_the_first_look_is_missed)
{
    const struct chat_conf conf = conf_keeping(20);
    uint64_t cursor;

    open_tea_counting(&conf, AT_ONCE);
    rig_join(&rig, &berta, "#a");
    rig_join(&rig, &anna, "#a");
    cursor = rig.last_id;
    say(12);
    for (unsigned i = 0; i < 50; i++)
        rig_do(&rig, &berta, COMMAND_SAY, "#a", "x");
    lose_anna(cursor, cursor, 0);
    for (unsigned i = 0; i < 3; i++)
        ask_and_be_put_off();
    rig_resume(&rig, &anna, RIG_CONN(0, 2));
    ck_assert_str_eq(rig.lines[0],
                     "0 conn resumed anna number=32 seq=32 at=1000");
    rig_close(&rig);
}
END_TEST

/* Anna entered #a behind what was counted at the end; what was said there before
 * that is none of hers. */
START_TEST(what_came_before_it_joined_is_not_missed)
{
    const struct chat_conf conf = conf_keeping(20);
    uint64_t cursor;

    open_tea_counting(&conf, AT_ONCE);
    rig_join(&rig, &berta, "#a");
    cursor = rig.last_id;
    say(12);
    for (unsigned i = 0; i < 19; i++)
        rig_do(&rig, &berta, COMMAND_SAY, "#a", "x");
    rig_join(&rig, &anna, "#a");
    lose_anna(cursor, cursor, 0);
    for (unsigned i = 0; i < 25; i++)
        rig_do(&rig, &berta, COMMAND_SAY, "#a", "y");
    for (unsigned i = 0; i < 3; i++)
        ask_and_be_put_off();
    rig_resume(&rig, &anna, RIG_CONN(0, 2));
    /* Its own JOINED and five of the 25. */
    ck_assert_str_eq(rig.lines[0],
                     "0 conn resumed anna number=32 seq=5 at=1000");
    rig_close(&rig);
}
END_TEST

UNIT_MAIN("chat/hub_resume",
          who_comes_back_is_told_its_rooms_and_peers_that_it_is_back,
          a_token_stays_good_until_the_next_one_is_known_to_have_come,
          a_token_works_once_and_a_fresh_one_follows, no_other_token_will_do,
          a_session_without_a_token_has_none_that_works,
          a_busy_session_is_asked_for_and_its_asker_told_so,
          a_conn_has_one_session, who_came_back_can_do_so_again,
          the_cursor_comes_back_with_resumed,
          whether_it_echoes_is_part_of_the_session,
          what_left_the_log_during_the_wait_is_counted,
          what_was_sent_and_left_the_log_is_counted,
          what_resumed_told_its_worker_is_not_counted_again,
          what_was_on_its_way_is_counted_by_the_hub,
          what_left_the_log_on_its_way_is_counted_by_the_hub,
          its_own_talk_of_before_it_echoed_hides_nothing,
          what_it_may_see_no_longer_is_missed,
          a_question_counts_so_much_and_no_more,
          what_goes_while_it_is_counted_counts_once,
          who_asks_next_goes_on_counting,
          who_asks_in_the_same_millisecond_is_put_off,
          much_that_was_on_its_way_is_not_counted_at_once,
          what_went_behind_the_first_look_is_missed,
          what_came_before_it_joined_is_not_missed)
