/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A client that asks for its session: until it has it, or ends meanwhile.
 * calloc is wrapped, so that there is no memory for what it gets.
 */
#include <stdlib.h>
#include <string.h>

#include "front_rig.h"
#include "support/fake_time.h"
#include "support/unit.h"

#define RETRY 5u

static bool is_memory_short;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *
__wrap_calloc(size_t n, size_t size)
{
    return is_memory_short ? NULL : __real_calloc(n, size);
}

static void
start(void)
{
    rig_init();
    rig.conf.session_linger = 120000;
    rig.net.timeouts_opening = 10000;
    rig_start();
}

static struct peer *
ask_back(void)
{
    struct peer *const p = rig_connect();

    peer_say(p, "/resume\n");
    return p;
}

static void
resumed(const struct sent *s)
{
    const struct event draft = {
        .kind = EVENT_RESUMED,
        .id = 60,
        .who = {.session = 5,
                .conn = s->c.from.conn,
                .nick = slice_of("alice")},
    };

    hub_deliver(ROUTE_CONN, &draft, s->c.from.conn, s->c.from.request, false);
}

static void
rejoined(const struct sent *s)
{
    const struct event draft = {
        .kind = EVENT_REJOINED,
        .room = RIG_LOBBY,
        .name = slice_of("#lobby"),
    };

    hub_deliver(ROUTE_CONN, &draft, s->c.from.conn, s->c.from.request, false);
}

static void
busy(const struct sent *s)
{
    hub_refused(s, REFUSAL_SESSION_BUSY);
    hub_done(s);
    rig_settle();
}

static void
pass(uint64_t ms)
{
    fake_time_pass_ms(ms);
    rig_settle();
}

START_TEST(busy_is_asked_again_until_it_is_there)
{
    const struct sent *s;
    struct peer *p;

    start();
    p = ask_back();
    for (int i = 0; i < 3; i++) {
        busy(hub_take(COMMAND_RESUME));
        ck_assert_int_eq(p->talk->cl.state, CLIENT_ASKED);
        pass(RETRY - 1);
        ck_assert(hub_is_idle());
        pass(1);
    }
    s = hub_take(COMMAND_RESUME);
    ck_assert(s->c.resumable);
    resumed(s);
    rejoined(s);
    hub_done(s);
    rig_settle();
    ck_assert_int_eq(p->talk->cl.state, CLIENT_MEMBER);
    ck_assert_str_eq(p->talk->cl.nick, "alice");
    ck_assert_uint_eq(rig_counter("resumed"), 1);
    /* BUSY is not for the client to see. */
    ck_assert_ptr_null(strstr(peer_read(p), "refused"));
    rig_stop();
}
END_TEST

START_TEST(another_refusal_is_told_and_a_nickname_may_follow)
{
    const struct sent *s;
    struct peer *p;

    start();
    p = ask_back();
    s = hub_take(COMMAND_RESUME);
    hub_refused(s, REFUSAL_BAD_TOKEN);
    hub_done(s);
    rig_settle();
    ck_assert_int_eq(p->talk->cl.state, CLIENT_STRANGER);
    pass(RETRY * 2);
    ck_assert(hub_is_idle());
    peer_say(p, "alice\n");
    (void)hub_take(COMMAND_ATTACH);
    rig_stop();
}
END_TEST

/* DONE of before may come when it has asked again already. */
START_TEST(a_late_done_does_not_end_it)
{
    const struct sent *first, *second;
    struct peer *p;

    start();
    p = ask_back();
    first = hub_take(COMMAND_RESUME);
    hub_refused(first, REFUSAL_SESSION_BUSY);
    pass(RETRY);
    second = hub_take(COMMAND_RESUME);
    hub_done(first);
    rig_settle();
    ck_assert(!p->ended);
    resumed(second);
    hub_done(second);
    rig_settle();
    ck_assert_int_eq(p->talk->cl.state, CLIENT_MEMBER);
    rig_stop();
}
END_TEST

START_TEST(who_dies_while_asking_was_not_told)
{
    const struct sent *s;
    struct peer *p;

    start();
    p = ask_back();
    s = hub_take(COMMAND_RESUME);
    conn_close(p->talk->cl.conn, CONN_END_RESET);
    rig_settle();
    ck_assert_int_eq(hub_take(COMMAND_DETACH)->c.how, DETACH_UNHEARD);
    resumed(s); /* to nobody */
    hub_done(s);

    p = ask_back();
    busy(hub_take(COMMAND_RESUME));
    conn_close(p->talk->cl.conn, CONN_END_RESET);
    rig_settle();
    ck_assert_int_eq(hub_take(COMMAND_DETACH)->c.how, DETACH_UNHEARD);
    pass(RETRY);
    ck_assert(hub_is_idle());
    rig_stop();
}
END_TEST

/* The deadline of OPENING: it leaves, and hears of its session no more. */
START_TEST(who_left_before_it_came_gives_it_back_unheard)
{
    const struct sent *s, *ping;
    struct peer *p;

    start();
    p = ask_back();
    s = hub_take(COMMAND_RESUME);
    client_detach(&p->talk->cl, DETACH_LOST, slice_of("gone"),
                  CONN_END_OPENING);
    ping = hub_take(COMMAND_PING);
    (void)peer_read(p);
    resumed(s);
    rejoined(s);
    hub_done(s);
    /* What is said to its session meanwhile is not for this conn either. */
    hub_deliver(ROUTE_CONN, &(struct event){.kind = EVENT_TOLD, .id = 70},
                p->id, 0, false);
    ck_assert_ptr_null(list_first(&p->talk->cl.rooms));
    hub_refused(ping, REFUSAL_NO_SESSION); /* as of one that never had one */
    hub_done(ping);
    ck_assert_str_eq(peer_read(p), "done\ndone\n");
    peer_close(p);
    rig_settle();
    ck_assert_int_eq(hub_take(COMMAND_DETACH)->c.how, DETACH_UNHEARD);
    ck_assert_uint_eq(rig_counter("resumed"), 0);
    rig_stop();
}
END_TEST

/* It is answered, and can be told, until the hub has done what it asked. */
START_TEST(at_the_deadline_who_is_asking_is_not_cut_off)
{
    const struct sent *s, *ping;
    struct peer *p;

    start();
    p = ask_back();
    s = hub_take(COMMAND_RESUME);
    pass(rig.net.timeouts_opening + 1);
    ck_assert_int_eq(p->talk->cl.state, CLIENT_GONE);
    ck_assert(!p->ended);
    ping = hub_take(COMMAND_PING);
    hub_refused(s, REFUSAL_BAD_TOKEN);
    hub_done(s);
    hub_done(ping);
    ck_assert_str_eq(peer_read(p), "refused\ndone\ndone\n");
    ck_assert(p->at_eof);
    peer_close(p);
    rig_settle();
    ck_assert_int_eq(p->end, CONN_END_OPENING);
    rig_stop();
}
END_TEST

/* It was told that it is too late, and then not that it is to try again. */
START_TEST(behind_the_deadline_busy_is_not_told)
{
    const struct sent *s, *ping;
    struct peer *p;

    start();
    p = ask_back();
    s = hub_take(COMMAND_RESUME);
    pass(rig.net.timeouts_opening + 1);
    ping = hub_take(COMMAND_PING);
    hub_refused(s, REFUSAL_SESSION_BUSY);
    hub_done(s);
    hub_done(ping);
    ck_assert_str_eq(peer_read(p), "done\ndone\n");
    ck_assert(p->at_eof);
    rig_stop();
}
END_TEST

START_TEST(nor_does_it_stay_when_the_hub_says_nothing)
{
    struct peer *p;

    start();
    p = ask_back();
    (void)hub_take(COMMAND_RESUME);
    pass(rig.net.timeouts_opening + 1);
    (void)hub_take(COMMAND_PING);
    pass(rig.net.timeouts_drain + 1);
    (void)peer_read(p);
    ck_assert(p->at_eof);
    peer_close(p);
    rig_settle();
    ck_assert(p->ended);
    ck_assert_int_eq(hub_take(COMMAND_DETACH)->c.how, DETACH_UNHEARD);
    rig_stop();
}
END_TEST

/* Another one takes the session over that it was given and did not hear of. */
START_TEST(who_left_before_it_came_is_replaced_unheard)
{
    const struct sent *s, *bye;
    struct peer *p;

    start();
    p = ask_back();
    s = hub_take(COMMAND_RESUME);
    pass(rig.net.timeouts_opening + 1);
    (void)hub_take(COMMAND_PING);
    resumed(s);
    hub_done(s);
    hub_deliver(ROUTE_CONN, &(struct event){.kind = EVENT_REPLACED}, p->id, 0,
                false);
    bye = hub_take(COMMAND_DETACH);
    ck_assert(bye->by_ticket);
    ck_assert_int_eq(bye->c.how, DETACH_UNHEARD);
    rig_stop();
}
END_TEST

START_TEST(without_memory_for_its_track_it_goes_back_unheard)
{
    const struct sent *s;
    struct peer *p;

    start();
    p = ask_back();
    s = hub_take(COMMAND_RESUME);
    is_memory_short = true;
    resumed(s);
    is_memory_short = false;
    hub_done(s);
    rig_settle();
    ck_assert(p->ended);
    ck_assert_int_eq(p->end, CONN_END_NOMEM);
    ck_assert_int_eq(hub_take(COMMAND_DETACH)->c.how, DETACH_UNHEARD);
    rig_stop();
}
END_TEST

START_TEST(without_memory_to_ask_again_it_ends)
{
    struct peer *p;

    start();
    p = ask_back();
    busy(hub_take(COMMAND_RESUME));
    rig.send_fails = true;
    pass(RETRY);
    rig.send_fails = false;
    ck_assert(p->ended);
    ck_assert_int_eq(p->end, CONN_END_NOMEM);
    ck_assert_int_eq(hub_take(COMMAND_DETACH)->c.how, DETACH_UNHEARD);
    rig_stop();
}
END_TEST

START_TEST(neither_answer_ends_it)
{
    struct peer *p;

    start();
    p = ask_back();
    hub_done(hub_take(COMMAND_RESUME)); /* the hub was short of memory */
    rig_settle();
    ck_assert(p->ended);
    ck_assert_int_eq(p->end, CONN_END_NOMEM);
    rig_stop();
}
END_TEST

/* EOF: all that was asked before is answered, then comes the farewell. */
START_TEST(eof_of_a_member_is_a_barrier_and_then_a_loss)
{
    const struct sent *say, *ping, *bye;
    struct peer *p;

    start();
    p = rig_in_lobby("alice");
    peer_say(p, "hello\n");
    peer_finish(p);
    say = hub_take(COMMAND_SAY);
    ping = hub_take(COMMAND_PING);
    ck_assert(hub_is_idle());
    hub_done(say);
    ck_assert(!p->ended);
    hub_done(ping);
    (void)peer_read(p);
    peer_close(p);
    rig_settle();
    bye = hub_take(COMMAND_DETACH);
    ck_assert(bye->by_ticket);
    ck_assert_int_eq(bye->c.how, DETACH_LOST);
    rig_stop();
}
END_TEST

UNIT_MAIN("proto/client_revive", busy_is_asked_again_until_it_is_there,
          another_refusal_is_told_and_a_nickname_may_follow,
          a_late_done_does_not_end_it, who_dies_while_asking_was_not_told,
          who_left_before_it_came_gives_it_back_unheard,
          at_the_deadline_who_is_asking_is_not_cut_off,
          behind_the_deadline_busy_is_not_told,
          nor_does_it_stay_when_the_hub_says_nothing,
          who_left_before_it_came_is_replaced_unheard,
          without_memory_for_its_track_it_goes_back_unheard,
          without_memory_to_ask_again_it_ends, neither_answer_ends_it,
          eof_of_a_member_is_a_barrier_and_then_a_loss)
