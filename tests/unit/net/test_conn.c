/* SPDX-License-Identifier: BSD-2-Clause
 *
 * States, deadlines, and a close while events are waiting.
 */
#include "net/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/msg.h"
#include "net/conn_priv.h"
#include "support/dies.h"
#include "support/fake_time.h"
#include "support/unit.h"
#include "unit/net/conn_rig.h"

static void
start_in(struct probe *p, enum conn_state state)
{
    rig_init();
    rig.enters = state;
    rig_start();
    probe_open(p);
}

static void
finish(struct probe *p)
{
    probe_end(p);
    rig_stop();
}

/* -- states ---------------------------------------------------------------- */

START_TEST(a_conn_goes_from_accepted_to_closed)
{
    const struct conns_counters *counters;
    struct probe p = {.number = 0};

    start_in(&p, CONN_ACCEPTED);
    counters = conns_counters(rig.conns);
    ck_assert_uint_eq(metric_read(&counters->in_state[CONN_ACCEPTED]), 1);

    conn_enter(p.c, CONN_DETECT);
    conn_enter(p.c, CONN_OPENING);
    conn_enter(p.c, CONN_OPEN);
    ck_assert_uint_eq(metric_read(&counters->in_state[CONN_ACCEPTED]), 0);
    ck_assert_uint_eq(metric_read(&counters->in_state[CONN_OPEN]), 1);
    conn_drain(p.c, CONN_END_QUIT);
    ck_assert_uint_eq(metric_read(&counters->in_state[CONN_DRAINING]), 1);
    conn_close(p.c, CONN_END_QUIT);

    ck_assert_uint_eq(metric_read(&counters->in_state[CONN_CLOSED]), 1);
    rig_settle();
    ck_assert_uint_eq(metric_read(&counters->in_state[CONN_CLOSED]), 0);
    ck_assert_uint_eq(metric_read(&counters->ended[CONN_END_QUIT]), 1);
    finish(&p);
}
END_TEST

static void
go_back(void *arg)
{
    conn_enter(arg, CONN_DETECT);
}

static void
go_nowhere(void *arg)
{
    conn_enter(arg, CONN_CLOSED);
}

START_TEST(an_illegal_move_is_a_fault_of_ours)
{
    struct probe p = {.number = 0};

    start_in(&p, CONN_OPEN);

    ck_assert(dies(go_back, p.c));
    ck_assert(dies(go_nowhere, p.c));
    finish(&p);
}
END_TEST

START_TEST(every_state_and_end_has_a_name)
{
    for (int state = 0; state < CONN_STATE_COUNT; state++)
        ck_assert_str_ne(conn_state_name((enum conn_state)state), "?");
    for (int end = 0; end < CONN_END_COUNT; end++)
        ck_assert_ptr_nonnull(conn_end_name((enum conn_end)end));
    ck_assert_str_eq(conn_end_name(CONN_END_EOF), "eof");
    ck_assert_str_eq(conn_state_name(CONN_DRAINING), "draining");
}
END_TEST

START_TEST(it_tells_what_it_is)
{
    struct probe p = {.number = 0};

    start_in(&p, CONN_OPEN);
    fake_time_pass_ms(10);
    peer_say(&p, "hello");
    rig_turn();

    ck_assert_ptr_eq(conn_get_ops(p.c), &probe_ops);
    ck_assert_ptr_eq(conn_data(p.c), &p);
    ck_assert_ptr_eq(conn_conns(p.c), rig.conns);
    ck_assert_int_eq(conn_peer(p.c)->family, AF_UNIX);
    ck_assert_uint_eq(conn_listener(p.c), 3);
    ck_assert_uint_eq(conn_opened_ms(p.c), RIG_START_MS);
    ck_assert_uint_eq(conn_heard_ms(p.c), RIG_START_MS + 10);
    ck_assert(!conn_at_eof(p.c));
    finish(&p);
}
END_TEST

/* -- closing --------------------------------------------------------------- */

START_TEST(the_last_call_comes_once_at_the_end_of_the_turn)
{
    struct probe p = {.number = 0};

    start_in(&p, CONN_OPEN);

    conn_close(p.c, CONN_END_KICKED);
    conn_close(p.c, CONN_END_QUIT);
    ck_assert_uint_eq(p.closes, 0);
    ck_assert_ptr_null(conns_find(rig.conns, p.id));
    rig_turns(3);

    ck_assert_uint_eq(p.closes, 1);
    ck_assert_int_eq(p.end, CONN_END_KICKED);
    finish(&p);
}
END_TEST

START_TEST(a_closed_conn_bears_every_call)
{
    struct probe p = {.number = 0};

    start_in(&p, CONN_OPENING);

    conn_close(p.c, CONN_END_KICKED);
    conn_enter(p.c, CONN_OPEN);
    conn_drain(p.c, CONN_END_QUIT);
    conn_pause(p.c, CONN_PAUSE_RATE);
    conn_pause_for(p.c, CONN_PAUSE_RATE, 10);
    conn_resume(p.c, CONN_PAUSE_RATE);
    ck_assert_int_eq(conn_queue_take(p.c, msg_copy("x", 1)), -ESHUTDOWN);
    rig_turns(2);

    ck_assert_uint_eq(p.closes, 1);
    ck_assert_int_eq(p.end, CONN_END_KICKED);
    finish(&p);
}
END_TEST

static void
close_other(struct probe *p)
{
    conn_close(p->other->c, CONN_END_KICKED);
}

START_TEST(a_last_call_may_close_others)
{
    struct probe a = {.on_closed = close_other}, b = {.number = 0};

    start_in(&a, CONN_OPEN);
    probe_open(&b);
    a.other = &b;

    conn_close(a.c, CONN_END_QUIT);
    rig_turns(2);

    ck_assert_uint_eq(a.closes, 1);
    ck_assert_uint_eq(b.closes, 1);
    probe_end(&b);
    finish(&a);
}
END_TEST

/* Whoever is served first closes the other, and a new conn gets its fd. */
static struct probe newcomer;
static int newcomer_socket;

static size_t
replace_other(struct probe *p, const char *data, size_t len)
{
    const int old_fd = p->other->c != NULL ? p->other->c->fd : -1;

    if (old_fd < 0 || newcomer.c != NULL)
        return len;

    conn_close(p->other->c, CONN_END_KICKED);
    ck_assert_int_eq(dup2(newcomer_socket, old_fd), old_fd);
    close(newcomer_socket);
    rig_adopt(&newcomer, old_fd, AF_UNIX);
    return len;
}

START_TEST(a_stale_event_of_the_batch_does_not_hit_a_new_conn)
{
    struct probe a = {.on_bytes = replace_other},
                 b = {.on_bytes = replace_other};
    int ends[2];

    start_in(&a, CONN_OPEN);
    probe_open(&b);
    a.other = &b;
    b.other = &a;
    rig_turn();
    rig_socketpair(ends);
    newcomer_socket = ends[0];
    newcomer.peer = ends[1];

    peer_say(&a, "x");
    peer_say(&b, "x");
    rig_turn();

    ck_assert_uint_eq(a.offers + b.offers, 1);
    ck_assert_uint_eq(a.closes + b.closes, 1);
    ck_assert_ptr_nonnull(newcomer.c);
    ck_assert_uint_eq(newcomer.offers + newcomer.eofs, 0);
    ck_assert_uint_eq(rig_counter("reads"), 1);
    peer_say(&newcomer, "mine");
    rig_turn();
    ck_assert(probe_heard(&newcomer, "mine"));
    probe_end(&newcomer);
    probe_end(&b);
    finish(&a);
}
END_TEST

/* -- deadlines ------------------------------------------------------------- */

static void
enter_open(struct probe *p)
{
    conn_enter(p->c, CONN_OPEN);
}

START_TEST(a_conn_that_stays_in_its_state_ends_at_the_deadline)
{
    static const enum conn_state states[] = {CONN_ACCEPTED, CONN_DETECT,
                                             CONN_OPENING};

    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        struct probe p = {.number = 0};
        uint64_t wait_ms;

        start_in(&p, states[i]);
        wait_ms = states[i] == CONN_OPENING ? rig.conf.timeouts_opening
                                            : rig.conf.timeouts_detect;

        fake_time_pass_ms(wait_ms - 1);
        rig_turn();
        ck_assert_uint_eq(p.deadlines, 0);
        fake_time_pass_ms(1);
        rig_turn();

        ck_assert_uint_eq(p.deadlines, 1);
        ck_assert_int_eq(p.end, CONN_END_OPENING);
        finish(&p);
    }
}
END_TEST

START_TEST(talking_does_not_move_the_deadline_to_open)
{
    struct probe p = {.number = 0};

    start_in(&p, CONN_OPENING);
    for (int i = 0; i < 10 && p.c != NULL; i++) {
        peer_say(&p, "still choosing");
        fake_time_pass_ms(rig.conf.timeouts_opening / 10);
        rig_turn();
    }

    ck_assert_int_eq(p.end, CONN_END_OPENING);
    finish(&p);
}
END_TEST

START_TEST(a_deadline_that_moves_the_conn_on_does_not_end_it)
{
    struct probe p = {.on_deadline = enter_open};

    start_in(&p, CONN_DETECT);
    fake_time_pass_ms(rig.conf.timeouts_detect);
    rig_turn();

    ck_assert_int_eq(conn_get_state(p.c), CONN_OPEN);
    finish(&p);
}
END_TEST

START_TEST(silence_is_answered_by_a_heartbeat_and_then_every_pong)
{
    struct probe p = {.number = 0};

    start_in(&p, CONN_OPEN);

    fake_time_pass_ms(rig.conf.timeouts_idle_ping - 1);
    rig_turn();
    ck_assert_uint_eq(p.deadlines, 0);
    fake_time_pass_ms(1);
    rig_turn();
    ck_assert_uint_eq(p.deadlines, 1);
    fake_time_pass_ms(rig.conf.timeouts_pong - 1);
    rig_turn();
    ck_assert_uint_eq(p.deadlines, 1);
    fake_time_pass_ms(1);
    rig_turn();

    ck_assert_uint_eq(p.deadlines, 2);
    ck_assert_ptr_nonnull(p.c);
    finish(&p);
}
END_TEST

START_TEST(a_peer_that_speaks_is_not_asked_for_a_sign_of_life)
{
    struct probe p = {.number = 0};

    start_in(&p, CONN_OPEN);
    for (int i = 0; i < 10; i++) {
        fake_time_pass_ms(rig.conf.timeouts_idle_ping - 1);
        peer_say(&p, "x");
        rig_turn();
    }
    ck_assert_uint_eq(p.deadlines, 0);

    fake_time_pass_ms(rig.conf.timeouts_idle_ping);
    rig_turn();

    ck_assert_uint_eq(p.deadlines, 1);
    finish(&p);
}
END_TEST

/* The kernel takes what is written to a peer that is long dead. */
START_TEST(writing_to_a_peer_is_no_sign_of_its_life)
{
    struct probe p = {.number = 0};

    start_in(&p, CONN_OPEN);
    for (int i = 0; i < 2; i++) {
        fake_time_pass_ms(rig.conf.timeouts_idle_ping / 2);
        ck_assert_int_eq(probe_say(&p, "news"), 0);
        rig_turn();
    }
    ck_assert_uint_eq(p.deadlines, 1);

    fake_time_pass_ms(rig.conf.timeouts_pong - 1);
    ck_assert_int_eq(probe_say(&p, "more"), 0);
    rig_turn();
    fake_time_pass_ms(1);
    rig_turn();

    ck_assert_uint_eq(p.deadlines, 2);
    finish(&p);
}
END_TEST

START_TEST(a_peer_we_do_not_read_is_not_called_silent)
{
    struct probe p = {.number = 0};

    start_in(&p, CONN_OPEN);
    conn_pause(p.c, CONN_PAUSE_WINDOW);
    fake_time_pass_ms(10 * rig.conf.timeouts_idle_ping);
    rig_turn();
    ck_assert_uint_eq(p.deadlines, 0);

    conn_resume(p.c, CONN_PAUSE_WINDOW);
    rig_turn();
    fake_time_pass_ms(rig.conf.timeouts_idle_ping - 1);
    rig_turn();
    ck_assert_uint_eq(p.deadlines, 0);
    finish(&p);
}
END_TEST

START_TEST(a_peer_that_leaves_its_queue_unread_ends)
{
    struct probe p = {.number = 0};

    start_in(&p, CONN_OPEN);
    fake_time_pass_ms(rig.conf.timeouts_idle_ping - 1);
    probe_fill(&p, rig.conf.limits_sendq / 4 + 1);
    ck_assert_uint_eq(rig_counter("paused"), 1);

    fake_time_pass_ms(rig.conf.timeouts_slow - 1);
    rig_turn();
    ck_assert_uint_eq(p.closes, 0);
    fake_time_pass_ms(1);
    rig_turn();

    ck_assert_int_eq(p.end, CONN_END_SENDQ);
    ck_assert_uint_eq(p.deadlines, 0);
    finish(&p);
}
END_TEST

START_TEST(a_conn_forgotten_by_its_timer_is_counted)
{
    struct probe p = {.number = 0};

    start_in(&p, CONN_OPEN);
    conn_count_deadless(p.c);
    ck_assert_uint_eq(rig_counter("without_deadline"), 0);

    wheel_disarm(worker_wheel(rig.worker), &p.c->deadline);
    conn_count_deadless(p.c);
    ck_assert_uint_eq(rig_counter("without_deadline"), 1);

    conn_arm(p.c, fake_time.now_ns / 1000000 + 1000);
    ck_assert_uint_eq(rig_counter("without_deadline"), 0);
    finish(&p);
}
END_TEST

START_TEST(a_reload_moves_the_heartbeat)
{
    struct probe p = {.number = 0};

    start_in(&p, CONN_OPEN);
    rig.conf.timeouts_idle_ping = 2000;
    conns_reload(rig.conns, &rig.conf);

    fake_time_pass_ms(2000);
    rig_turn();

    ck_assert_uint_eq(p.deadlines, 1);
    finish(&p);
}
END_TEST

UNIT_MAIN("net/conn", a_conn_goes_from_accepted_to_closed,
          an_illegal_move_is_a_fault_of_ours, every_state_and_end_has_a_name,
          it_tells_what_it_is, the_last_call_comes_once_at_the_end_of_the_turn,
          a_closed_conn_bears_every_call, a_last_call_may_close_others,
          a_stale_event_of_the_batch_does_not_hit_a_new_conn,
          a_conn_that_stays_in_its_state_ends_at_the_deadline,
          talking_does_not_move_the_deadline_to_open,
          a_deadline_that_moves_the_conn_on_does_not_end_it,
          silence_is_answered_by_a_heartbeat_and_then_every_pong,
          a_peer_that_speaks_is_not_asked_for_a_sign_of_life,
          writing_to_a_peer_is_no_sign_of_its_life,
          a_peer_we_do_not_read_is_not_called_silent,
          a_peer_that_leaves_its_queue_unread_ends,
          a_conn_forgotten_by_its_timer_is_counted,
          a_reload_moves_the_heartbeat)
