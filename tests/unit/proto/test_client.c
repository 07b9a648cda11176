/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <unistd.h>

#include "front_rig.h"
#include "support/fake_time.h"
#include "support/unit.h"

static void
start(void)
{
    rig_init();
    rig_start();
}

static bool
is_text(struct slice s, const char *text)
{
    return slice_equal(s, slice_of(text));
}

static enum client_state
state_of(const struct peer *p)
{
    ck_assert_ptr_nonnull(p->talk);
    return p->talk->cl.state;
}

/* -- coming ---------------------------------------------------------------- */

START_TEST(a_nickname_asks_the_hub_and_nothing_is_read_meanwhile)
{
    const struct sent *s;
    struct peer *p;

    start();
    p = rig_connect();
    ck_assert_int_eq(state_of(p), CLIENT_STRANGER);
    peer_say(p, "alice\nhello\n");

    s = hub_take(COMMAND_ATTACH);
    ck_assert(is_text(s->c.name, "alice"));
    ck_assert_uint_eq(s->c.from.conn, p->id);
    ck_assert_uint_eq(s->c.session, 0);
    ck_assert_int_eq(state_of(p), CLIENT_ASKED);
    ck_assert(hub_is_idle());
    rig_stop();
}
END_TEST

START_TEST(who_is_attached_has_a_session_and_a_nickname)
{
    const struct sent *s;
    struct peer *p;

    start();
    p = rig_connect();
    peer_say(p, "alice\nhello\n");
    s = hub_take(COMMAND_ATTACH);
    hub_attached(s, "Alice");
    ck_assert_int_eq(state_of(p), CLIENT_MEMBER);
    ck_assert_str_eq(p->talk->cl.nick, "Alice");
    ck_assert(hub_is_idle());
    hub_done(s);
    rig_settle();

    s = hub_take(COMMAND_SAY);
    ck_assert(is_text(s->c.text, "hello"));
    ck_assert_uint_eq(s->c.session, p->talk->cl.session);
    ck_assert_uint_ne(s->c.session, 0);
    rig_stop();
}
END_TEST

START_TEST(a_refused_nickname_may_be_followed_by_another)
{
    const struct sent *s;
    struct peer *p;

    start();
    p = rig_connect();
    peer_say(p, "alice\nbob\n");
    s = hub_take(COMMAND_ATTACH);
    hub_refused(s, REFUSAL_NICK_TAKEN);
    ck_assert_int_eq(state_of(p), CLIENT_STRANGER);
    rig_settle();
    ck_assert(hub_is_idle()); /* one at a time: DONE has not come */
    hub_done(s);
    rig_settle();

    ck_assert(is_text(hub_take(COMMAND_ATTACH)->c.name, "bob"));
    rig_stop();
}
END_TEST

START_TEST(an_attach_answered_by_nothing_but_done_ends_the_conn)
{
    struct peer *p;

    start();
    p = rig_connect();
    peer_say(p, "alice\n");
    hub_done(hub_take(COMMAND_ATTACH));
    rig_settle();

    ck_assert(p->ended);
    ck_assert_int_eq(p->end, CONN_END_NOMEM);
    ck_assert(hub_take(COMMAND_DETACH)->by_ticket);
    rig_stop();
}
END_TEST

START_TEST(requests_carry_tags_that_differ_and_are_not_0)
{
    const struct sent *first, *second;
    struct peer *p;

    start();
    rig.f->last_sent = UINT32_MAX - 1;
    rig.f->last_done = UINT32_MAX - 1;
    p = rig_member("alice"); /* takes the last tag before the wrap */
    peer_say(p, "a\nb\n");

    first = hub_take(COMMAND_SAY);
    second = hub_take(COMMAND_SAY);
    ck_assert_uint_eq(first->c.from.request, 1);
    ck_assert_uint_eq(second->c.from.request, 2);
    hub_done(first);
    hub_done(second);
    ck_assert_uint_eq(rig_counter("unanswered"), 0);
    ck_assert_uint_eq(p->talk->cl.unanswered, 0);
    rig_stop();
}
END_TEST

/* -- leaving --------------------------------------------------------------- */

static void
answer_says(size_t n)
{
    for (size_t i = 0; i < n; i++)
        hub_done(hub_take(COMMAND_SAY));
}

static size_t
count_lines(const char *text, const char *line)
{
    size_t n = 0;

    for (; (text = strstr(text, line)) != NULL; text++)
        n++;
    return n;
}

/* What `printf '…' | nc` does: everything at once, then a FIN. */
START_TEST(a_hundred_lines_and_a_fin_are_all_carried_out_and_answered)
{
    struct buf lines;
    struct peer *p;

    start();
    p = rig_member("alice");
    buf_init(&lines);
    for (int i = 0; i < 100; i++)
        buf_printf(&lines, "line %d\n", i);
    buf_append_char(&lines, '\0');
    ck_assert_int_eq(write(p->fd, lines.data, lines.len - 1),
                     (ssize_t)lines.len - 1);
    buf_fini(&lines);
    peer_finish(p);

    answer_says(64); /* the window */
    rig_settle();
    answer_says(36);
    rig_settle();
    ck_assert_int_eq(state_of(p), CLIENT_GONE);
    ck_assert(!p->ended);
    hub_done(hub_take(COMMAND_DETACH));
    ck_assert_uint_eq(count_lines(peer_read(p), "done"), 101);
    ck_assert(p->at_eof);
    ck_assert(p->ended);
    ck_assert_int_eq(p->end, CONN_END_EOF);
    ck_assert(hub_is_idle());
    rig_stop();
}
END_TEST

START_TEST(who_quits_is_answered_what_was_asked_before)
{
    const struct sent *say, *detach;
    struct peer *p;

    start();
    p = rig_member("alice");
    peer_say(p, "hello\n/quit\nnot read\n");
    say = hub_take(COMMAND_SAY);
    detach = hub_take(COMMAND_DETACH);
    ck_assert_int_eq(detach->c.how, DETACH_QUIT);
    ck_assert(is_text(detach->c.text, "bye"));
    ck_assert(!detach->by_ticket);
    ck_assert_uint_eq(detach->c.session, p->talk->cl.session);

    hub_refused(say, REFUSAL_NOT_A_MEMBER);
    hub_done(say);
    hub_done(detach);
    ck_assert_str_eq(peer_read(p), "refused\ndone\ndone\n");
    ck_assert(p->at_eof);
    ck_assert(hub_is_idle());
    peer_close(p);
    rig_settle();
    ck_assert(p->ended);
    ck_assert_int_eq(p->end, CONN_END_QUIT);
    rig_stop();
}
END_TEST

START_TEST(a_quitter_hears_the_room_until_its_detach_is_done)
{
    const struct event_who bob = rig_who(NULL, "bob");
    const struct sent *s;
    struct peer *p;

    start();
    p = rig_in_lobby("alice");
    peer_say(p, "/quit\n");
    s = hub_take(COMMAND_DETACH);
    hub_said(&bob, RIG_LOBBY, "wait");
    hub_done(s);
    hub_said(&bob, RIG_LOBBY, "too late");

    ck_assert_str_eq(peer_read(p), "said #lobby bob wait\ndone\n");
    ck_assert_uint_eq(rig_counter("view_members"), 0);
    rig_stop();
}
END_TEST

START_TEST(a_stranger_that_leaves_costs_the_hub_nothing)
{
    struct peer *p;

    start();
    p = rig_connect();
    peer_finish(p);

    ck_assert(p->ended);
    ck_assert_int_eq(p->end, CONN_END_EOF);
    ck_assert(hub_is_idle());
    rig_stop();
}
END_TEST

START_TEST(a_stranger_that_quits_is_not_listened_to)
{
    struct peer *p;

    start();
    p = rig_connect();
    peer_say(p, "/quit\nalice\n");
    ck_assert(hub_is_idle());
    peer_close(p);
    rig_settle();

    ck_assert(p->ended);
    ck_assert_int_eq(p->end, CONN_END_QUIT);
    rig_stop();
}
END_TEST

START_TEST(eof_behind_quit_changes_nothing)
{
    struct peer *p;

    start();
    p = rig_member("alice");
    peer_say(p, "/quit\n");
    peer_finish(p);
    hub_done(hub_take(COMMAND_DETACH));
    rig_settle();

    ck_assert(hub_is_idle());
    ck_assert(p->ended);
    ck_assert_int_eq(p->end, CONN_END_QUIT);
    rig_stop();
}
END_TEST

START_TEST(a_detach_that_is_not_answered_ends_in_time)
{
    struct peer *a, *b;

    start();
    a = rig_member("alice");
    b = rig_member("bob");
    peer_say(a, "/quit\n");
    fake_time_pass_ms(1000);
    peer_say(b, "/quit\n");
    fake_time_pass_ms(rig.net.timeouts_drain - 1001);
    (void)peer_read(a);
    ck_assert(!a->at_eof);

    fake_time_pass_ms(1);
    (void)peer_read(a);
    (void)peer_read(b);
    ck_assert(a->at_eof);
    ck_assert(!b->at_eof);

    fake_time_pass_ms(1000);
    (void)peer_read(b);
    ck_assert(b->at_eof);
    ck_assert(list_is_empty(&rig.f->leaving));

    /* The answers do come, in the end. */
    hub_done(hub_take(COMMAND_DETACH));
    hub_done(hub_take(COMMAND_DETACH));
    rig_stop();
}
END_TEST

START_TEST(without_memory_for_the_goodbye_the_ticket_says_it)
{
    const struct sent *s;
    struct peer *p;

    start();
    p = rig_member("alice");
    rig.send_fails = true;
    peer_say(p, "/quit\n");

    s = hub_take(COMMAND_DETACH);
    ck_assert(s->by_ticket);
    ck_assert_int_eq(s->c.how, DETACH_QUIT);
    hub_done(s);
    (void)peer_read(p);
    ck_assert(p->at_eof);
    rig_stop();
}
END_TEST

START_TEST(a_conn_that_dies_is_detached_by_its_ticket)
{
    const struct sent *s;
    struct peer *p;

    start();
    p = rig_in_lobby("alice");
    conn_close(p->talk->cl.conn, CONN_END_RESET);
    ck_assert(hub_is_idle()); /* not before the end of the turn */
    rig_settle();

    s = hub_take(COMMAND_DETACH);
    ck_assert(s->by_ticket);
    ck_assert_int_eq(s->c.how, DETACH_LOST);
    ck_assert_uint_eq(s->c.from.conn, p->id);
    ck_assert_uint_eq(s->c.session, 0); /* whatever that conn has */
    ck_assert(is_text(s->c.text, "connection lost"));
    ck_assert_uint_eq(rig_counter("view_rooms"), 0);
    hub_done(s);
    ck_assert_uint_eq(rig_counter("unanswered"), 0);
    rig_stop();
}
END_TEST

START_TEST(a_conn_that_dies_while_it_attaches_is_detached_behind_that)
{
    const struct sent *attach, *detach;
    struct peer *p;

    start();
    p = rig_connect();
    peer_say(p, "alice\n");
    conn_close(p->talk->cl.conn, CONN_END_RESET);
    rig_settle();
    attach = hub_take(COMMAND_ATTACH);
    detach = hub_take(COMMAND_DETACH);

    ck_assert_uint_eq(detach->c.session, 0); /* that of the conn, whatever */
    ck_assert_uint_eq(detach->c.from.conn, p->id);
    hub_attached(attach, "alice"); /* to nobody any more */
    hub_done(attach);
    hub_done(detach);
    ck_assert_uint_eq(rig_counter("unanswered"), 0);
    rig_stop();
}
END_TEST

START_TEST(a_conn_that_dies_after_its_detach_sends_no_other)
{
    struct peer *p;

    start();
    p = rig_member("alice");
    peer_say(p, "/quit\n");
    hub_take(COMMAND_DETACH);
    conn_close(p->talk->cl.conn, CONN_END_RESET);
    rig_settle();

    ck_assert(p->ended);
    ck_assert(hub_is_idle());
    ck_assert(list_is_empty(&rig.f->leaving));
    rig_stop();
}
END_TEST

START_TEST(who_left_while_asking_is_not_greeted)
{
    const struct sent *attach, *detach;
    struct peer *p;

    start();
    p = rig_connect();
    peer_say(p, "alice\n");
    client_detach(&p->talk->cl, DETACH_LOST, slice_of("slow"),
                  CONN_END_OPENING);
    attach = hub_take(COMMAND_ATTACH);
    detach = hub_take(COMMAND_DETACH);
    ck_assert_uint_eq(detach->c.session, 0);
    hub_attached(attach, "alice");
    hub_done(attach);
    ck_assert_int_eq(state_of(p), CLIENT_GONE);
    hub_done(detach);
    ck_assert_str_eq(peer_read(p), "done\ndone\n");
    peer_close(p);
    rig_settle();

    ck_assert(p->ended);
    ck_assert_int_eq(p->end, CONN_END_OPENING);
    ck_assert(hub_is_idle());
    rig_stop();
}
END_TEST

/* -- the hub ends it ------------------------------------------------------- */

START_TEST(who_is_kicked_reads_why_and_is_gone)
{
    const struct event_who bob = rig_who(NULL, "bob");
    struct peer *p;

    start();
    p = rig_in_lobby("alice");
    hub_ended(p, "enough");
    hub_said(&bob, RIG_LOBBY, "relief");

    ck_assert_str_eq(peer_read(p), "ended enough\n");
    ck_assert(p->at_eof);
    ck_assert_uint_eq(rig_counter("view_members"), 0);
    peer_close(p);
    rig_settle();
    ck_assert_int_eq(p->end, CONN_END_KICKED);
    ck_assert(hub_is_idle()); /* there is nothing left to detach */
    rig_stop();
}
END_TEST

START_TEST(a_kick_overtakes_a_quit)
{
    const struct sent *s;
    struct peer *p;

    start();
    p = rig_member("alice");
    peer_say(p, "/quit\n");
    s = hub_take(COMMAND_DETACH);
    hub_ended(p, "enough");
    hub_refused(s, REFUSAL_NO_SESSION);
    hub_done(s);

    ck_assert_str_eq(peer_read(p), "ended enough\n");
    ck_assert(p->at_eof);
    rig_stop();
}
END_TEST

START_TEST(a_session_the_hub_does_not_know_is_over)
{
    const struct sent *s;
    struct peer *p;

    start();
    p = rig_in_lobby("alice");
    peer_say(p, "hello\n");
    s = hub_take(COMMAND_SAY);
    hub_refused(s, REFUSAL_NO_SESSION);
    hub_done(s);

    ck_assert_str_eq(peer_read(p), "refused\n");
    ck_assert(p->at_eof);
    ck_assert_uint_eq(rig_counter("view_members"), 0);
    rig_stop();
}
END_TEST

START_TEST(an_idle_client_is_small)
{
    ck_assert_uint_le(sizeof(struct client), 200);
}
END_TEST

UNIT_MAIN("proto/client", a_nickname_asks_the_hub_and_nothing_is_read_meanwhile,
          who_is_attached_has_a_session_and_a_nickname,
          a_refused_nickname_may_be_followed_by_another,
          an_attach_answered_by_nothing_but_done_ends_the_conn,
          requests_carry_tags_that_differ_and_are_not_0,
          a_hundred_lines_and_a_fin_are_all_carried_out_and_answered,
          who_quits_is_answered_what_was_asked_before,
          a_quitter_hears_the_room_until_its_detach_is_done,
          a_stranger_that_leaves_costs_the_hub_nothing,
          a_stranger_that_quits_is_not_listened_to,
          eof_behind_quit_changes_nothing,
          a_detach_that_is_not_answered_ends_in_time,
          without_memory_for_the_goodbye_the_ticket_says_it,
          a_conn_that_dies_is_detached_by_its_ticket,
          a_conn_that_dies_while_it_attaches_is_detached_behind_that,
          a_conn_that_dies_after_its_detach_sends_no_other,
          who_left_while_asking_is_not_greeted,
          who_is_kicked_reads_why_and_is_gone, a_kick_overtakes_a_quit,
          a_session_the_hub_does_not_know_is_over, an_idle_client_is_small)
