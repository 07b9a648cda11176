/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a client is known to have had, in each state that its conn may end in.
 */
#include "track_rig.h"

/* ---- live ---------------------------------------------------------------- */
START_TEST(who_has_read_all_has_the_last_event)
{
    struct peer *p;

    start();
    p = rig_in_lobby("alice");
    said("one");
    said("two");
    (void)peer_read(p);
    ck_assert_uint_eq(rig_counter("tracked"), 1);
    fake_time_pass_ms(LOOK);
    rig_settle();
    ck_assert_uint_eq(rig_counter("tracked"), 0);
    ck_assert_uint_eq(rig_counter("unacked"), 0);
    ck_assert(hub_is_idle()); /* nothing is kept for it alone */
    expect_farewell(farewell(p, DETACH_LOST), last_id, last_id, 0);
    rig_stop();
}
END_TEST

START_TEST(what_was_not_read_counts)
{
    struct peer *p;

    start();
    p = rig_in_lobby("alice");
    said("one");
    (void)peer_read(p);
    said("two");
    said("three");
    rig_settle();
    ck_assert_uint_eq(rig_counter("unacked"), 3);
    expect_farewell(farewell(p, DETACH_LOST), last_id - 3, last_id, 3);
    ck_assert_uint_eq(rig_counter("unacked"), 0);
    ck_assert_uint_eq(rig_counter("tracked"), 0);
    rig_stop();
}
END_TEST

START_TEST(the_timer_goes_on_while_one_is_open)
{
    struct peer *a, *b, *c;

    start();
    a = rig_in_lobby("alice");
    b = rig_in_lobby("bella");
    c = rig_in_lobby("carol");
    said("one");
    (void)peer_read(a);
    (void)peer_read(c);
    for (int i = 0; i < 3; i++) {
        fake_time_pass_ms(LOOK);
        rig_settle();
        ck_assert_uint_eq(rig_counter("tracked"), 1);
    }
    (void)peer_read(b);
    fake_time_pass_ms(LOOK);
    rig_settle();
    ck_assert_uint_eq(rig_counter("tracked"), 0);
    rig_stop();
}
END_TEST

START_TEST(answers_and_notices_are_not_noted)
{
    struct peer *p;
    struct event_who who;

    start();
    p = rig_in_lobby("alice");
    who = rig_who(NULL, "bob");
    to_conn(&(struct sent){.c.from.conn = p->id},
            &(struct event){.kind = EVENT_SENT, .name = slice_of("x")},
            REPLAY_NONE);
    to_conn(&(struct sent){.c.from.conn = p->id},
            &(struct event){.kind = EVENT_SAID, .id = 50, .who = who},
            REPLAY_HISTORY);
    hub_deliver(
        ROUTE_PEERS,
        &(struct event){.kind = EVENT_LOST,
                        .id = ++last_id,
                        .who = who,
                        .count = 1,
                        .u.places = &(struct event_place){.room = RIG_LOBBY}},
        CONN_NONE, 0, false);
    ck_assert_uint_eq(rig_counter("tracked"), 0);
    who = rig_who(p, "alice"); /* its own talk */
    hub_deliver(
        ROUTE_ROOM,
        &(struct event){
            .kind = EVENT_SAID, .id = ++last_id, .room = RIG_LOBBY, .who = who},
        p->id, 0, false);
    ck_assert_uint_eq(rig_counter("tracked"), 0);
    p->talk->cl.acks = true; /* that is shown to who asks for it */
    hub_deliver(
        ROUTE_ROOM,
        &(struct event){
            .kind = EVENT_SAID, .id = ++last_id, .room = RIG_LOBBY, .who = who},
        p->id, 0, false);
    ck_assert_uint_eq(rig_counter("unacked"), 1);
    rig_stop();
}
END_TEST

START_TEST(a_program_says_itself_what_it_has)
{
    const struct command *f;
    struct peer *p;
    uint64_t second;

    start();
    p = rig_in_lobby("alice");
    ck_assert_int_eq(client_set_acks(&p->talk->cl, true, NULL), 0);
    hub_done(hub_take(COMMAND_ACKS));
    said("one");
    second = said("two");
    said("three");
    (void)peer_read(p); /* its TCP has them, which does not count */
    fake_time_pass_ms(LOOK);
    rig_settle();
    ck_assert_uint_eq(rig_counter("unacked"), 3);
    client_ack(&p->talk->cl, second);
    ck_assert_uint_eq(rig_counter("unacked"), 1);
    f = farewell(p, DETACH_LOST);
    expect_farewell(f, second, last_id, 1);
    rig_stop();
}
END_TEST

/* /ack on does not make arrive what is on its way. */
START_TEST(what_came_without_a_number_is_tcps_affair)
{
    struct peer *p;
    uint64_t before;

    start();
    p = rig_in_lobby("alice");
    before = last_id;
    said("one");
    rig_settle();
    ck_assert_int_eq(client_set_acks(&p->talk->cl, true, NULL), 0);
    hub_done(hub_take(COMMAND_ACKS));
    ck_assert_uint_eq(rig_counter("unacked"), 1);
    said("two");
    rig_settle();
    expect_farewell(farewell(p, DETACH_LOST), before, last_id, 2);

    p = rig_in_lobby("alice");
    said("three");
    rig_settle();
    ck_assert_int_eq(client_set_acks(&p->talk->cl, true, NULL), 0);
    hub_done(hub_take(COMMAND_ACKS));
    (void)peer_read(p);
    fake_time_pass_ms(LOOK);
    rig_settle();
    ck_assert_uint_eq(rig_counter("unacked"), 0);
    rig_stop();
}
END_TEST

/* What the conn did not take any more has not arrived, whatever was before. */
START_TEST(what_a_closed_conn_did_not_take_is_not_had)
{
    struct peer *p;
    uint64_t before;

    start();
    p = rig_in_lobby("alice");
    said("one");
    (void)peer_read(p);
    before = last_id;
    rig.encode_fails = 1; /* closes it */
    said("two");
    rig_settle();
    expect_farewell(&hub_take(COMMAND_DETACH)->c, before, last_id, 1);
    rig_stop();
}
END_TEST

/* What is addressed to it alone finds it gone already. */
START_TEST(who_closed_has_not_heard_what_comes_in_the_same_turn)
{
    struct peer *p;
    uint64_t heard;

    start();
    p = rig_in_lobby("alice");
    heard = said("heard");
    (void)peer_read(p);
    conn_close(p->talk->cl.conn, CONN_END_RESET);
    to_conn(&(struct sent){.c.from.conn = p->id},
            &(struct event){.kind = EVENT_TOLD,
                            .id = ++last_id,
                            .who = rig_who(NULL, "bob"),
                            .text = slice_of("psst")},
            REPLAY_NONE);
    said("and all of you");
    rig_settle();
    expect_farewell(&hub_take(COMMAND_DETACH)->c, heard, heard, 0);
    rig_stop();
}
END_TEST

START_TEST(who_drains_has_not_heard_what_went_by)
{
    const struct sent *ping;
    struct peer *p;
    uint64_t heard;

    start();
    p = rig_in_lobby("alice");
    heard = said("heard");
    (void)peer_read(p);
    peer_finish(p); /* EOF: a PING for a barrier, the farewell at the close */
    ping = hub_take(COMMAND_PING);
    ck_assert(hub_is_idle());
    hub_done(ping);
    said("not any more"); /* before the end of the turn */
    rig_settle();
    /* A Unix peer that has not read the DONE is not known to have the rest. */
    expect_farewell(&hub_take(COMMAND_DETACH)->c, heard - 1, heard, 1);
    rig_stop();
}
END_TEST

START_TEST(a_new_token_that_arrived_is_confirmed)
{
    const struct sent *s;
    struct peer *p;

    start();
    p = come_back(60, 0, 0);
    caught_up(hub_take(COMMAND_CATCH_UP), 100, true);
    fake_time_pass_ms(LOOK);
    rig_settle();
    ck_assert(hub_is_idle()); /* it lies unread */
    (void)peer_read(p);
    fake_time_pass_ms(LOOK);
    rig_settle();
    s = hub_take(COMMAND_ACK);
    ck_assert_uint_eq(s->c.cursor, 100);
    ck_assert_uint_eq(rig_counter("tracked"), 0);
    rig_stop();
}
END_TEST

START_TEST(mail_that_arrived_is_confirmed)
{
    struct peer *p;

    start();
    p = rig_in_lobby("alice");
    to_conn(&(struct sent){.c.from.conn = p->id},
            &(struct event){.kind = EVENT_TOLD,
                            .id = ++last_id,
                            .who = rig_who(NULL, "bob"),
                            .text = slice_of("psst")},
            REPLAY_NONE);
    (void)peer_read(p);
    fake_time_pass_ms(LOOK);
    rig_settle();
    ck_assert_uint_eq(hub_take(COMMAND_ACK)->c.cursor, last_id);
    ck_assert(hub_is_idle());
    rig_stop();
}
END_TEST

UNIT_MAIN("proto/client_track", who_has_read_all_has_the_last_event,
          what_was_not_read_counts, the_timer_goes_on_while_one_is_open,
          answers_and_notices_are_not_noted, a_program_says_itself_what_it_has,
          what_came_without_a_number_is_tcps_affair,
          what_a_closed_conn_did_not_take_is_not_had,
          who_closed_has_not_heard_what_comes_in_the_same_turn,
          who_drains_has_not_heard_what_went_by,
          a_new_token_that_arrived_is_confirmed, mail_that_arrived_is_confirmed)
