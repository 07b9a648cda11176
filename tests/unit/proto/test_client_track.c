/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a client is known to have had, in each state that its conn may end in.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front_rig.h"
#include "support/fake_time.h"
#include "support/unit.h"

#define SENDQ 65536u
#define LOOK  1000u

static uint64_t last_id;
static char long_text[8001];

static void
start(void)
{
    rig_init();
    rig.conf.session_linger = 120000;
    rig.net.limits_sendq = SENDQ;
    rig_start();
    last_id = 100;
    rig.f->last_event = last_id; /* of a front that is not new */
    memset(long_text, 'x', sizeof(long_text) - 1);
}

/* Somebody of another worker says it in the lobby; returns its id. */
static uint64_t
said(const char *text)
{
    const struct event draft = {
        .kind = EVENT_SAID,
        .id = ++last_id,
        .room = RIG_LOBBY,
        .who = rig_who(NULL, "bob"),
        .text = slice_of(text),
    };

    hub_deliver(ROUTE_ROOM, &draft, draft.who.conn, 0, false);
    return last_id;
}

static void
to_conn(const struct sent *s, const struct event *draft, enum replay replay)
{
    struct delivery d = {
        .event = event_create(draft),
        .route = ROUTE_CONN,
        .replay = replay,
        .request = s->c.from.request,
        .to = s->c.from.conn,
    };

    front_on_batch(rig.f, &d, 1);
    event_unref(d.event);
}

static void
missed(const struct sent *s, uint64_t id)
{
    to_conn(s,
            &(struct event){
                .kind = EVENT_SAID,
                .id = id,
                .room = RIG_LOBBY,
                .who = rig_who(NULL, "bob"),
                .text = slice_of("missed"),
            },
            REPLAY_MISSED);
}

static void
caught_up(const struct sent *s, uint64_t upto, bool last)
{
    to_conn(s,
            &(struct event){
                .kind = EVENT_CAUGHT_UP,
                .number = upto,
                .last = last,
            },
            REPLAY_NONE);
    hub_done(s);
    rig_settle();
}

static void
resumed(const struct sent *s, uint64_t cursor, uint64_t to_come, uint64_t gone)
{
    to_conn(s,
            &(struct event){
                .kind = EVENT_RESUMED,
                .id = cursor,
                .number = to_come,
                .seq = gone,
                .who = {.session = 5,
                        .conn = s->c.from.conn,
                        .nick = slice_of("alice")},
    },
            REPLAY_NONE);
    to_conn(s,
            &(struct event){
                .kind = EVENT_REJOINED,
                .room = RIG_LOBBY,
                .name = slice_of("#lobby"),
            },
            REPLAY_NONE);
    hub_done(s);
    rig_settle();
}

/* Ends its conn; what the hub is told of it. */
static const struct command *
farewell(struct peer *p, enum detach_how how)
{
    const struct sent *s;

    conn_close(p->talk->cl.conn, CONN_END_RESET);
    rig_settle();
    s = hub_take(COMMAND_DETACH);
    ck_assert_int_eq(s->c.how, how);
    return &s->c;
}

static void
expect_farewell(const struct command *f, uint64_t cursor, uint64_t upto,
                uint32_t count)
{
    ck_assert_uint_eq(f->cursor, cursor);
    ck_assert_uint_eq(f->upto, upto);
    ck_assert_uint_eq(f->count, count);
}

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

/* ---- by the client's own word -------------------------------------------- */

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

/* ---- at its end ---------------------------------------------------------- */

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

/* ---- behind -------------------------------------------------------------- */

/* Not read, with the first of its events in the kernel. Returns how many. */
static unsigned
overflow(struct peer *p)
{
    unsigned n = 0;

    while (p->talk->behinds == 0) {
        said(long_text);
        n++;
        if (n % 4 == 0)
            rig_turn();
        ck_assert_uint_lt(n, 1000);
    }
    return n;
}

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
        (void)peer_read(p);
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

    (void)peer_read(p);
    live = said("live");
    ck_assert_str_eq(peer_read(p), "said #lobby bob live\n");
    expect_farewell(farewell(p, DETACH_LOST), live, live, 0);
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

/* ---- back ---------------------------------------------------------------- */

static struct peer *
come_back(uint64_t cursor, uint64_t to_come, uint64_t gone)
{
    struct peer *const p = rig_connect();

    peer_say(p, "/resume\n");
    resumed(hub_take(COMMAND_RESUME), cursor, to_come, gone);
    return p;
}

/* Leaves it to the caller to take the CATCH_UPs, which may come later. */
static struct peer *
come_back_quietly(void)
{
    struct peer *const p = rig_connect();

    peer_say(p, "/resume\n");
    resumed(&rig.sent[rig.sent_count - 1], 60, 0, 0);
    return p;
}

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
          who_drains_has_not_heard_what_went_by,
          a_slow_reader_falls_behind_and_is_caught_up,
          chunks_go_on_from_where_they_ended, an_answer_too_long_is_cut_short,
          who_is_lost_while_behind_misses_all_behind_its_cursor,
          lost_again_before_it_asked_it_is_where_it_was,
          a_gap_is_told_again_until_it_arrives,
          a_new_token_that_arrived_is_confirmed,
          who_caught_up_here_is_not_given_it_again,
          a_turn_that_is_not_used_goes_on, mail_that_arrived_is_confirmed)
