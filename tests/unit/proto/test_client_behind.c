/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who reads too slowly, or was away, is given later what it missed.
 */
#include "base/msg.h"
#include "track_rig.h"

START_TEST(a_slow_reader_falls_behind_and_is_caught_up)
{
    const struct sent *s;
    struct peer *p;
    uint64_t first, got, live;
    unsigned n;

    start();
    p = rig_in_lobby("alice");
    n = overflow(p);
    ck_assert_uint_eq(conn_get_state(p->talk->cl.conn), CONN_OPEN);
    ck_assert_uint_lt(conn_queued_bytes(p->talk->cl.conn), 2 * SENDQ / 8);
    said("passes by");
    rig_settle();

    while (hub_is_idle())
        ck_assert_ptr_null(strstr(peer_read(p), "passes by"));
    s = hub_take(COMMAND_CATCH_UP);
    first = s->c.cursor;
    ck_assert_uint_gt(first, last_id - n - 1);
    ck_assert_uint_lt(first, last_id);
    said("while it asks"); /* in front of the answer */
    got = last_id - 2;     /* one of them the logs have no more */
    for (uint64_t id = first + 1; id <= got; id++)
        missed(s, id);
    missed(s, last_id);
    caught_up(s, last_id, true);
    ck_assert_uint_eq(p->talk->caught_ups, 1);
    ck_assert_uint_eq(p->talk->missed, 1);

    ck_assert_ptr_null(strstr(peer_read(p), "while it asks"));
    live = said("live");
    ck_assert_str_eq(peer_read(p), "said #lobby bob live\n");
    expect_farewell(farewell(p, DETACH_LOST), live, live, 0);
    rig_stop();
}
END_TEST

/* A reload that ends all lingering is no reason to tell it wrong. */
START_TEST(who_is_behind_is_caught_up_whatever_linger_says_by_then)
{
    const struct sent *s;
    struct peer *p;

    start();
    p = rig_in_lobby("alice");
    (void)overflow(p);
    rig.f->conf.session_linger = 0;
    while (hub_is_idle())
        (void)peer_read(p);
    s = hub_take(COMMAND_CATCH_UP);
    for (uint64_t id = s->c.cursor + 1; id <= last_id; id++)
        missed(s, id);
    caught_up(s, last_id, true);
    ck_assert_uint_eq(p->talk->caught_ups, 1);
    ck_assert_uint_eq(p->talk->missed, 0);
    rig_stop();
}
END_TEST

START_TEST(chunks_go_on_from_where_they_ended)
{
    const struct sent *s;
    struct peer *p;

    start();
    p = rig_in_lobby("alice");
    (void)overflow(p);
    while (hub_is_idle())
        (void)peer_read(p);
    s = hub_take(COMMAND_CATCH_UP);
    missed(s, s->c.cursor + 1);
    caught_up(s, s->c.cursor + 1, false);
    ck_assert_uint_eq(p->talk->caught_ups, 0);
    ck_assert_uint_eq(hub_take(COMMAND_CATCH_UP)->c.cursor, s->c.cursor + 1);
    rig_stop();
}
END_TEST

/* So much at once that it does not fit: it is asked for again, from there. */
START_TEST(an_answer_too_long_is_cut_short)
{
    const struct sent *s;
    struct peer *p;
    uint64_t id, next;

    start();
    p = rig_in_lobby("alice");
    (void)overflow(p);
    while (hub_is_idle())
        (void)peer_read(p);
    s = hub_take(COMMAND_CATCH_UP);
    id = s->c.cursor;
    for (int i = 0; i < 200; i++) {
        const struct event draft = {
            .kind = EVENT_SAID,
            .id = ++id,
            .room = RIG_LOBBY,
            .who = rig_who(NULL, "bob"),
            .text = slice_of(long_text),
        };

        to_conn(s, &draft, REPLAY_MISSED);
    }
    caught_up(s, id, true);
    ck_assert(!p->ended);
    ck_assert_uint_eq(p->talk->caught_ups, 0);
    while (hub_is_idle())
        (void)peer_read(p);
    next = hub_take(COMMAND_CATCH_UP)->c.cursor;
    ck_assert_uint_gt(next, s->c.cursor);
    ck_assert_uint_lt(next, id);
    rig_stop();
}
END_TEST

START_TEST(who_is_lost_while_behind_misses_all_behind_its_cursor)
{
    const struct command *f;
    struct peer *p;
    unsigned n;

    start();
    p = rig_in_lobby("alice");
    n = overflow(p);
    said("passes by");
    f = farewell(p, DETACH_LOST);
    expect_farewell(f, last_id - n - 1, last_id, n + 1);
    rig_stop();
}
END_TEST

START_TEST(lost_again_before_it_asked_it_is_where_it_was)
{
    struct peer *p;

    start();
    p = come_back(60, 5, 0);
    ck_assert_uint_eq(hub_take(COMMAND_CATCH_UP)->c.cursor, 60);
    said("passes by");
    expect_farewell(farewell(p, DETACH_LOST), 60, last_id, 6);
    rig_stop();
}
END_TEST

/* That some are gone it was told, but has not read. */
START_TEST(a_gap_is_told_again_until_it_arrives)
{
    const struct sent *s;
    struct peer *p;

    start();
    p = come_back(60, 0, 7);
    s = hub_take(COMMAND_CATCH_UP);
    caught_up(s, 100, true);
    expect_farewell(farewell(p, DETACH_LOST), 100, 100, 7);

    p = come_back(100, 0, 7);
    caught_up(hub_take(COMMAND_CATCH_UP), 110, true);
    (void)peer_read(p);
    expect_farewell(farewell(p, DETACH_LOST), 110, 110, 0);
    rig_stop();
}
END_TEST

/* It goes, and has left its rooms, before the answer comes: that is not for it
 * any more, least of all in which room it talks now. */
START_TEST(who_is_replaced_while_it_asks_has_not_caught_up)
{
    const struct sent *s;
    struct peer *p;

    start();
    p = come_back(60, 5, 0);
    s = hub_take(COMMAND_CATCH_UP);
    to_conn(s, &(struct event){.kind = EVENT_REPLACED}, REPLAY_NONE);
    expect_farewell(&hub_take(COMMAND_DETACH)->c, 60, last_id, 5);
    for (uint64_t id = 61; id <= 65; id++)
        missed(s, id);
    to_conn(s,
            &(struct event){
                .kind = EVENT_CAUGHT_UP, .number = last_id, .last = true},
            REPLAY_NONE);
    ck_assert_uint_eq(p->talk->caught_ups, 0);
    hub_done(s);
    rig_settle();
    ck_assert_ptr_null(strstr(peer_read(p), "missed"));
    rig_stop();
}
END_TEST

/* Events went to other fronts only, while its cursor was made there. */
START_TEST(who_caught_up_here_is_not_given_it_again)
{
    struct peer *p;

    start();
    p = come_back(600, 1, 0);
    missed(hub_take(COMMAND_CATCH_UP), 650);
    caught_up(&rig.sent[rig.taken - 1], 700, true);
    (void)peer_read(p);
    fake_time_pass_ms(LOOK);
    rig_settle();
    (void)hub_take(COMMAND_ACK);
    ck_assert_uint_eq(rig_counter("tracked"), 0);
    expect_farewell(farewell(p, DETACH_LOST), 700, 700, 0);
    rig_stop();
}
END_TEST

/* Whose turn it is may be about to leave, and then it is the next one's. */
START_TEST(a_turn_that_is_not_used_goes_on)
{
    const struct sent *first;
    struct peer *p[CATCH_AT_ONCE + 2];

    start();
    for (unsigned i = 0; i < CATCH_AT_ONCE + 2; i++)
        p[i] = come_back_quietly();
    (void)hub_take(COMMAND_RESUME);
    first = hub_take(COMMAND_CATCH_UP);
    for (unsigned i = 1; i < CATCH_AT_ONCE + 2; i++) {
        (void)hub_take(COMMAND_RESUME);
        if (i < CATCH_AT_ONCE)
            (void)hub_take(COMMAND_CATCH_UP);
    }
    ck_assert(hub_is_idle()); /* two wait */

    client_detach(&p[CATCH_AT_ONCE]->talk->cl, DETACH_LOST, slice_of(""),
                  CONN_END_EOF);
    (void)hub_take(COMMAND_PING);
    caught_up(first, 100, true);
    (void)farewell(p[CATCH_AT_ONCE], DETACH_LOST);
    ck_assert_uint_eq(hub_take(COMMAND_CATCH_UP)->c.from.conn,
                      p[CATCH_AT_ONCE + 1]->id);
    rig_stop();
}
END_TEST

/* Else it would wait for ever, or lack what was in that room: its session is
 * there to be taken back. */
START_TEST(without_memory_to_be_caught_up_it_ends)
{
    struct peer *p;

    start();
    p = come_back(60, 3, 0);
    hub_refused(hub_take(COMMAND_CATCH_UP), REFUSAL_NO_MEMORY);
    rig_settle();
    ck_assert(p->ended);
    ck_assert_int_eq(p->end, CONN_END_NOMEM);
    expect_farewell(&hub_take(COMMAND_DETACH)->c, 60, last_id, 3);
    rig_stop();
}
END_TEST

/* Its kernel and its queue are full: it will ask when it has read. */
static void
stuff(const struct peer *p)
{
    struct conn *const c = p->talk->cl.conn;

    while (conn_is_drained(c)) {
        ck_assert_int_eq(
            conn_queue_take(c, msg_copy(long_text, sizeof(long_text) - 1)), 0);
        rig_turn();
    }
}

START_TEST(a_turn_is_not_for_who_reads_nothing)
{
    const struct sent *first;
    struct peer *p[CATCH_AT_ONCE + 2];

    start();
    for (unsigned i = 0; i < CATCH_AT_ONCE + 2; i++)
        p[i] = come_back_quietly();
    for (unsigned i = 0; i < CATCH_AT_ONCE + 2; i++) {
        (void)hub_take(COMMAND_RESUME);
        if (i == 0)
            first = hub_take(COMMAND_CATCH_UP);
        else if (i < CATCH_AT_ONCE)
            (void)hub_take(COMMAND_CATCH_UP);
    }
    ck_assert(hub_is_idle()); /* two wait */

    stuff(p[CATCH_AT_ONCE]);
    caught_up(first, 100, true);
    ck_assert_uint_eq(hub_take(COMMAND_CATCH_UP)->c.from.conn,
                      p[CATCH_AT_ONCE + 1]->id);
    ck_assert(hub_is_idle());

    /* It reads at last, and all have theirs still. */
    for (unsigned i = 0; i < 100; i++)
        (void)peer_read(p[CATCH_AT_ONCE]);
    ck_assert(hub_is_idle());
    (void)farewell(p[1], DETACH_LOST);
    ck_assert_uint_eq(hub_take(COMMAND_CATCH_UP)->c.from.conn,
                      p[CATCH_AT_ONCE]->id);
    rig_stop();
}
END_TEST

UNIT_MAIN("proto/client_behind", a_slow_reader_falls_behind_and_is_caught_up,
          who_is_behind_is_caught_up_whatever_linger_says_by_then,
          chunks_go_on_from_where_they_ended, an_answer_too_long_is_cut_short,
          who_is_lost_while_behind_misses_all_behind_its_cursor,
          lost_again_before_it_asked_it_is_where_it_was,
          a_gap_is_told_again_until_it_arrives,
          who_is_replaced_while_it_asks_has_not_caught_up,
          who_caught_up_here_is_not_given_it_again,
          a_turn_that_is_not_used_goes_on, a_turn_is_not_for_who_reads_nothing,
          without_memory_to_be_caught_up_it_ends)
