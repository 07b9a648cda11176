/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is said: to a room, to one, to all; topics, history, pings.
 */
#include <stdio.h>

#include "rig.h"
#include "support/unit.h"

static struct rig rig;
static struct person anna, berta;

/* Both in #tea, whose last seq is 2. */
static void
open_tea(const struct chat_conf *chat)
{
    rig_open(&rig, chat);
    anna = rig_attach(&rig, RIG_CONN(0, 1), "anna");
    berta = rig_attach(&rig, RIG_CONN(1, 7), "berta");
    rig_join(&rig, &anna, "#tea");
    rig_join(&rig, &berta, "#tea");
}

static void
say_lines(unsigned from, unsigned to)
{
    char text[16];

    for (unsigned i = from; i <= to; i++) {
        snprintf(text, sizeof(text), "line %u", i);
        rig_do(&rig, &anna, COMMAND_SAY, "#tea", text);
    }
}

START_TEST(a_line_reaches_the_room_and_its_speaker)
{
    open_tea(NULL);
    rig_do(&rig, &anna, COMMAND_SAY, "#TEA", "hello");
    rig_expect(&rig, "0 room said anna text=hello seq=3",
               "1 room said anna text=hello seq=3", "0 conn done", NULL);
    rig_say(&rig, &berta, COMMAND_SAY, "#tea", "waves", SAY_ACTION);
    rig_expect(&rig, "0 room said berta text=waves seq=4 style=action",
               "1 room said berta text=waves seq=4 style=action", "1 conn done",
               NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(nothing_cannot_be_said)
{
    open_tea(NULL);
    rig_do(&rig, &anna, COMMAND_SAY, "#tea", "");
    rig_expect_refusal(&rig, REFUSAL_TEXT_EMPTY);
    rig_do(&rig, &anna, COMMAND_TELL, "berta", "");
    rig_expect_refusal(&rig, REFUSAL_TEXT_EMPTY);
    rig_do(&rig, NULL, COMMAND_ANNOUNCE, "", "");
    rig_expect_refusal(&rig, REFUSAL_TEXT_EMPTY);
    rig_do(&rig, NULL, COMMAND_OPER_SAY, "#tea", "");
    rig_expect_refusal(&rig, REFUSAL_TEXT_EMPTY);
    rig_close(&rig);
}
END_TEST

START_TEST(what_is_told_reaches_that_one_and_is_confirmed)
{
    open_tea(NULL);
    rig_do(&rig, &anna, COMMAND_TELL, "BERTA", "psst");
    rig_expect(&rig, "1 conn told anna name=berta text=psst to=7",
               "0 conn sent name=berta", "0 conn done", NULL);
    rig_do(&rig, &anna, COMMAND_TELL, "anna", "memo"); /* it is oneself's too */
    rig_expect(&rig, "0 conn told anna name=anna text=memo",
               "0 conn sent name=anna", "0 conn done", NULL);
    rig_do(&rig, &anna, COMMAND_TELL, "carl", "psst");
    rig_expect_refusal(&rig, REFUSAL_NO_SUCH_NICK);
    rig_do(&rig, &anna, COMMAND_TELL, "a b", "psst");
    rig_expect_refusal(&rig, REFUSAL_NO_SUCH_NICK);
    rig_close(&rig);
}
END_TEST

START_TEST(a_notice_gets_no_automatic_answer)
{
    open_tea(NULL);
    rig_do(&rig, &berta, COMMAND_AWAY, "", "lunch");
    rig_say(&rig, &anna, COMMAND_TELL, "berta", "fyi", SAY_NOTICE);
    rig_expect(&rig, "1 conn told anna name=berta text=fyi style=notice to=7",
               "0 conn sent name=berta style=notice", "0 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(a_topic_is_set_by_members_and_read_by_all)
{
    struct person carl;

    open_tea(NULL);
    carl = rig_attach(&rig, RIG_CONN(2, 1), "carl");
    rig_do(&rig, &carl, COMMAND_TOPIC, "#tea", "");
    rig_expect(&rig, "2 conn topic-is name=#tea", "2 conn done", NULL);

    rig.now.wall_ms = 2000;
    rig_topic(&rig, &anna, "#tea", "leaves");
    rig_expect(&rig, "0 room topic anna text=leaves seq=3",
               "1 room topic anna text=leaves seq=3", "0 conn done", NULL);
    rig.now.wall_ms = 3000;
    rig_do(&rig, &carl, COMMAND_TOPIC, "#tea", "");
    rig_expect(&rig, "2 conn topic-is anna name=#tea text=leaves at=2000",
               "2 conn done", NULL);
    rig_topic(&rig, &berta, "#tea", "");
    rig_do(&rig, &carl, COMMAND_TOPIC, "#tea", "");
    rig_expect(&rig, "2 conn topic-is berta name=#tea at=3000", "2 conn done",
               NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(a_topic_may_have_so_many_bytes_and_not_one_more)
{
    struct chat_conf chat;

    chat_conf_init(&chat);
    chat.limits_topic_length = 4;
    open_tea(&chat);
    rig_topic(&rig, &anna, "#tea", "1234");
    ck_assert_uint_eq(rig.count, 3);
    rig_topic(&rig, &anna, "#tea", "12345");
    rig_expect_refusal(&rig, REFUSAL_TOPIC_TOO_LONG);
    rig_close(&rig);
}
END_TEST

START_TEST(the_joiner_sees_the_last_lines_in_order)
{
    struct person carl;

    open_tea(NULL);
    say_lines(1, 3);
    carl = rig_attach(&rig, RIG_CONN(2, 1), "carl");
    rig_count(&rig, &carl, COMMAND_JOIN, "#tea", 2);
    rig_expect(&rig, "0 room joined carl name=#tea seq=6",
               "1 room joined carl name=#tea seq=6",
               "2 room joined carl name=#tea seq=6",
               "2 conn room name=#tea number=3 seq=6",
               "2 conn history name=#tea number=2",
               "2 conn said anna text=line 2 seq=4 replay",
               "2 conn said anna text=line 3 seq=5 replay", "2 conn done",
               NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(the_joiner_sees_no_more_than_the_server_shows)
{
    struct person carl;
    struct chat_conf chat;

    chat_conf_init(&chat);
    chat.history_room_events = 1;
    open_tea(&chat);
    say_lines(1, 3);
    carl = rig_attach(&rig, RIG_CONN(2, 1), "carl");
    rig_count(&rig, &carl, COMMAND_JOIN, "#tea", UINT32_MAX);
    ck_assert_uint_eq(rig.count, 7);
    ck_assert_str_eq(rig.lines[5], "2 conn said anna text=line 3 seq=5 replay");
    rig_close(&rig);
}
END_TEST

START_TEST(history_is_what_was_said_not_who_came_and_went)
{
    open_tea(NULL);
    rig_count(&rig, &berta, COMMAND_HISTORY, "#tea", 10);
    rig_expect(&rig, "1 conn history name=#tea", "1 conn done", NULL);

    say_lines(1, 1);
    rig_topic(&rig, &anna, "#tea", "leaves");
    rig_do(&rig, &anna, COMMAND_AWAY, "", "lunch");
    rig_do(&rig, &anna, COMMAND_NICK, "Anna", "");
    say_lines(2, 2);
    rig_do(&rig, &anna, COMMAND_DETACH, "", "");
    rig_count(&rig, &berta, COMMAND_HISTORY, "#tea", 10);
    rig_expect(&rig, "1 conn history name=#tea number=2",
               "1 conn said anna text=line 1 seq=3 replay",
               "1 conn said Anna text=line 2 seq=7 replay", "1 conn done",
               NULL);
    rig_count(&rig, &berta, COMMAND_HISTORY, "#tea", 1);
    rig_expect(&rig, "1 conn history name=#tea number=1",
               "1 conn said Anna text=line 2 seq=7 replay", "1 conn done",
               NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(the_operator_speaks_in_rooms_it_is_not_in)
{
    struct command c = {
        .kind = COMMAND_OPER_SAY,
        .from = {.conn = RIG_OPERATOR},
        .name = slice_of("#tea"),
        .text = slice_of("closing"),
    };

    open_tea(NULL);
    c.from.request = rig.request;
    rig_apply(&rig, &c);
    rig_expect(&rig, "0 room said klatchctl text=closing seq=3",
               "1 room said klatchctl text=closing seq=3", "3 conn done", NULL);
    c.nick = slice_of("Operator");
    rig_apply(&rig, &c);
    rig_expect(&rig, "0 room said Operator text=closing seq=4",
               "1 room said Operator text=closing seq=4", "3 conn done", NULL);
    c.nick = slice_of("ANNA"); /* is here, and says what she says herself */
    rig_apply(&rig, &c);
    rig_expect(&rig, "3 conn refused name=ANNA why=nick-taken", "3 conn done",
               NULL);
    c.nick = slice_of("a b");
    rig_apply(&rig, &c);
    rig_expect(&rig, "3 conn refused name=a b why=nick-bad-char", "3 conn done",
               NULL);
    c.name = slice_of("#jam");
    rig_apply(&rig, &c);
    rig_expect_refusal(&rig, REFUSAL_NO_SUCH_ROOM);
    rig_close(&rig);
}
END_TEST

START_TEST(what_the_operator_says_to_the_empty_lobby_is_kept)
{
    open_tea(NULL);
    rig_do(&rig, NULL, COMMAND_OPER_SAY, "#lobby", "hello");
    rig_expect(&rig, "3 conn done", NULL);
    rig_count(&rig, &anna, COMMAND_JOIN, "#lobby", 5);
    ck_assert_uint_eq(rig.count, 5);
    ck_assert_str_eq(rig.lines[3],
                     "0 conn said klatchctl text=hello seq=1 replay");
    rig_close(&rig);
}
END_TEST

START_TEST(an_announcement_goes_once_to_each_worker_with_sessions)
{
    open_tea(NULL);
    rig_do(&rig, NULL, COMMAND_ANNOUNCE, "", "dinner");
    rig_expect(&rig, "0 all announced text=dinner",
               "1 all announced text=dinner", "3 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(a_ping_comes_back_with_its_token)
{
    open_tea(NULL);
    rig_do(&rig, &berta, COMMAND_PING, "", "token 1");
    rig_expect(&rig, "1 conn pong text=token 1", "1 conn done", NULL);
    rig_close(&rig);
}
END_TEST

struct seen_ids {
    uint64_t last;
    unsigned answers;
};

static void
see_id(void *arg, unsigned worker, const struct delivery *d)
{
    struct seen_ids *const seen = arg;

    if (d->event->kind >= EVENT_ATTACHED) {
        ck_assert_uint_eq(d->event->id, 0);
        seen->answers++;
    } else {
        ck_assert_uint_ge(d->event->id, seen->last);
        seen->last = d->event->id;
    }
}

START_TEST(ids_grow_and_answers_have_none)
{
    struct seen_ids seen = {.last = 0};
    const struct hub_out out = {.emit = see_id, .arg = &seen};
    struct command c = {
        .kind = COMMAND_SAY, .name = slice_of("#tea"), .text = slice_of("hi")};
    uint64_t before;

    open_tea(NULL);
    c.from.conn = anna.conn;
    c.session = anna.session;
    for (unsigned i = 1; i <= 3; i++) {
        before = seen.last;
        hub_apply(rig.hub, &c, &rig.now, &out);
        ck_assert_uint_gt(seen.last, before);
        ck_assert_uint_eq(seen.answers, i);
    }
    rig_close(&rig);
}
END_TEST

UNIT_MAIN("chat/hub_say", a_line_reaches_the_room_and_its_speaker,
          nothing_cannot_be_said,
          what_is_told_reaches_that_one_and_is_confirmed,
          a_notice_gets_no_automatic_answer,
          a_topic_is_set_by_members_and_read_by_all,
          a_topic_may_have_so_many_bytes_and_not_one_more,
          the_joiner_sees_the_last_lines_in_order,
          the_joiner_sees_no_more_than_the_server_shows,
          history_is_what_was_said_not_who_came_and_went,
          the_operator_speaks_in_rooms_it_is_not_in,
          what_the_operator_says_to_the_empty_lobby_is_kept,
          an_announcement_goes_once_to_each_worker_with_sessions,
          a_ping_comes_back_with_its_token, ids_grow_and_answers_have_none)
