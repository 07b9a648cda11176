/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What was queued before the goodbye must arrive before the FIN, and no RST of
 * ours may overtake it.
 */
#include "net/conn.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/msg.h"
#include "net/conn_priv.h"
#include "support/fake_time.h"
#include "support/fault_io.h"
#include "support/unit.h"
#include "unit/net/conn_rig.h"

#define MANY 1000u

static void
start_tcp(struct probe *p)
{
    rig_init();
    rig_start();
    probe_open_tcp(p);
}

static void
start_unix(struct probe *p)
{
    rig_init();
    rig_start();
    probe_open(p);
}

static void
finish(struct probe *p)
{
    probe_end(p);
    rig_stop();
}

static void
say_many(struct probe *p)
{
    for (unsigned i = 0; i < MANY; i++)
        ck_assert_int_eq(conn_queue_take(p->c, msg_printf("%098u\n", i)), 0);
}

/* Reads as the peer, letting the rig turn, until EOF; all must have come. */
static void
expect_many_then_fin(struct probe *p)
{
    struct pollfd pfd = {.fd = p->peer, .events = POLLIN};
    struct buf got;
    int turns = 0;

    buf_init(&got);
    do {
        ck_assert_int_lt(turns++, 5000);
        rig_turn();
        ck_assert_int_ge(poll(&pfd, 1, p->c == NULL ? 10000 : 1), 0);
    } while (!peer_read(p, &got));

    ck_assert_uint_eq(got.len, MANY * 99);
    for (unsigned i = 0; i < MANY; i++) {
        char line[100];

        snprintf(line, sizeof(line), "%098u\n", i);
        ck_assert_mem_eq(got.data + i * 99, line, 99);
    }
    buf_fini(&got);
}

START_TEST(all_that_was_queued_arrives_before_the_fin)
{
    struct probe p = {.number = 0};

    start_unix(&p);
    say_many(&p);
    conn_drain(p.c, CONN_END_QUIT);

    expect_many_then_fin(&p);
    peer_close(&p);
    rig_settle();

    ck_assert_uint_eq(p.closes, 1);
    ck_assert_int_eq(p.end, CONN_END_QUIT);
    ck_assert_uint_eq(rig_counter("sent_msgs"), MANY);
    finish(&p);
}
END_TEST

START_TEST(a_half_closed_peer_gets_all_answers_before_the_fin)
{
    struct probe p = {.on_eof = probe_nothing};

    start_tcp(&p);
    peer_finish(&p);
    probe_await(&p, POLLIN);
    rig_turn();
    ck_assert_uint_eq(p.eofs, 1);

    say_many(&p);
    conn_drain(p.c, CONN_END_EOF);
    expect_many_then_fin(&p);
    rig_settle();

    ck_assert_int_eq(p.end, CONN_END_EOF);
    finish(&p);
}
END_TEST

START_TEST(a_draining_conn_takes_neither_input_nor_output)
{
    struct probe p = {.number = 0};

    start_unix(&p);
    conn_drain(p.c, CONN_END_QUIT);
    peer_say(&p, "too late");
    rig_turns(3);

    ck_assert_uint_eq(p.offers, 0);
    ck_assert_uint_eq(conn_bytes_in(p.c), 8);
    ck_assert_int_eq(probe_say(&p, "too late"), -ESHUTDOWN);
    conn_drain(p.c, CONN_END_KICKED);
    conn_enter(p.c, CONN_OPEN);
    ck_assert_int_eq(conn_get_state(p.c), CONN_DRAINING);
    ck_assert_int_eq(conn_get_end(p.c), CONN_END_QUIT);
    finish(&p);
}
END_TEST

START_TEST(draining_lifts_every_pause)
{
    struct probe p = {.number = 0};

    start_unix(&p);
    conn_pause(p.c, CONN_PAUSE_WINDOW);
    conn_pause_for(p.c, CONN_PAUSE_RATE, 1000);
    peer_say(&p, "unread");
    peer_finish(&p);
    rig_turn();

    conn_drain(p.c, CONN_END_QUIT);
    ck_assert_uint_eq(rig_counter("paused"), 0);
    rig_settle();

    ck_assert_uint_eq(p.closes, 1);
    finish(&p);
}
END_TEST

/* A peer that has not stopped talking when we close would get a RST, and its
 * kernel may then throw away what it has not read. */
START_TEST(no_reset_overtakes_the_last_words)
{
    static char flood[65536];
    struct probe p = {.number = 0};

    start_tcp(&p);
    memset(flood, 'x', sizeof(flood) - 1);
    peer_say(&p, flood);
    probe_await(&p, POLLIN);
    say_many(&p);
    conn_drain(p.c, CONN_END_QUIT);
    rig_turns(5);
    peer_say(&p, "and more");
    rig_turns(5);

    expect_many_then_fin(&p);
    peer_close(&p);
    probe_await(&p, POLLIN);
    rig_settle();
    ck_assert_int_eq(p.end, CONN_END_QUIT);
    finish(&p);
}
END_TEST

START_TEST(input_while_draining_is_read_within_the_budget)
{
    static char flood[100001];
    struct probe p = {.number = 0};

    rig_init();
    rig.conf.limits_recvq = 4096;
    rig_start();
    probe_open(&p);
    memset(flood, 'x', sizeof(flood) - 1);
    conn_drain(p.c, CONN_END_QUIT);
    rig_turn();
    peer_say(&p, flood);

    rig_turn();
    ck_assert_uint_eq(conn_bytes_in(p.c), 4096);
    rig_settle();
    ck_assert_uint_eq(conn_bytes_in(p.c), sizeof(flood) - 1);
    finish(&p);
}
END_TEST

START_TEST(it_waits_for_the_fin_of_the_peer)
{
    struct probe p = {.number = 0};

    start_tcp(&p);
    conn_drain(p.c, CONN_END_QUIT);
    rig_turns(3);
    ck_assert_uint_eq(p.closes, 0);

    peer_close(&p);
    probe_await(&p, POLLIN);
    rig_settle();

    ck_assert_uint_eq(p.closes, 1);
    ck_assert_int_eq(p.end, CONN_END_QUIT);
    finish(&p);
}
END_TEST

/* The peer's kernel may hold an acknowledgement back for tens of milliseconds,
 * of real time. */
static void
await_acknowledgement(const struct probe *p)
{
    for (int tries = 0; !conn_socket_is_acked(p->c); tries++) {
        ck_assert_int_lt(tries, 10000);
        (void)poll(NULL, 0, 1);
    }
}

START_TEST(a_peer_that_keeps_its_side_open_has_a_moment)
{
    struct probe p = {.number = 0};

    start_tcp(&p);
    conn_drain(p.c, CONN_END_QUIT);
    rig_turn();
    await_acknowledgement(&p);

    fake_time_pass_ms(CONN_GRACE_MS - 1);
    rig_turns(2);
    ck_assert_uint_eq(p.closes, 0);
    fake_time_pass_ms(1);
    rig_turns(2);

    ck_assert_int_eq(p.end, CONN_END_QUIT);
    finish(&p);
}
END_TEST

/* Stops reading while more is queued than both kernels hold. */
static void
stall(struct probe *p)
{
    probe_shrink_buffer(p);
    say_many(p);
    rig_turns(3);
    ck_assert_uint_gt(conn_queued_bytes(p->c), 0);
}

START_TEST(a_peer_that_does_not_read_ends_at_the_deadline)
{
    struct probe p = {.number = 0};

    start_unix(&p);
    stall(&p);
    conn_drain(p.c, CONN_END_QUIT);

    fake_time_pass_ms(rig.conf.timeouts_drain - 1);
    rig_turns(3);
    ck_assert_uint_eq(p.closes, 0);
    fake_time_pass_ms(1);
    rig_turns(3);

    ck_assert_int_eq(p.end, CONN_END_DRAIN);
    finish(&p);
}
END_TEST

START_TEST(a_stalled_queue_still_drains_when_the_peer_reads)
{
    struct probe p = {.number = 0};

    start_unix(&p);
    stall(&p);
    conn_drain(p.c, CONN_END_QUIT);

    expect_many_then_fin(&p);
    finish(&p);
}
END_TEST

START_TEST(bytes_the_peer_has_not_acknowledged_keep_it_to_the_deadline)
{
    struct probe p = {.number = 0};
    int unsent = 0;

    start_tcp(&p);
    probe_fill(&p, 1);
    fault_io.swallows = true; /* the rest is out, in effect */
    conn_unblock(p.c);
    conn_drain(p.c, CONN_END_QUIT);
    rig_turns(2);
    ck_assert_int_eq(ioctl(p.c->fd, TIOCOUTQ, &unsent), 0);
    ck_assert_int_gt(unsent, 0);

    fake_time_pass_ms(CONN_GRACE_MS);
    rig_turns(2);
    ck_assert_uint_eq(p.closes, 0);
    fake_time_pass_ms(rig.conf.timeouts_drain - CONN_GRACE_MS);
    rig_turns(2);

    ck_assert_int_eq(p.end, CONN_END_DRAIN);
    fault_io_stop();
    finish(&p);
}
END_TEST

START_TEST(a_reset_while_draining_ends_it)
{
    struct probe idle = {.number = 0}, busy = {.number = 0};

    start_tcp(&idle);
    probe_open_tcp(&busy);
    probe_fill(&busy, 1);
    conn_drain(idle.c, CONN_END_QUIT);
    conn_drain(busy.c, CONN_END_QUIT);
    rig_turns(2);

    peer_reset(&idle);
    peer_reset(&busy);
    probe_await(&idle, POLLHUP);
    probe_await(&busy, POLLHUP);
    rig_settle();

    ck_assert_int_eq(idle.end, CONN_END_QUIT); /* it had all it was to get */
    ck_assert_int_eq(busy.end, CONN_END_RESET);
    probe_end(&busy);
    finish(&idle);
}
END_TEST

START_TEST(in_haste_the_last_acknowledgement_is_enough)
{
    struct probe before = {.number = 0}, after = {.number = 0};

    start_tcp(&before);
    probe_open_tcp(&after);
    conn_drain(before.c, CONN_END_SHUTDOWN);
    rig_turns(2);
    ck_assert_uint_eq(before.closes, 0);

    await_acknowledgement(&before);
    conns_hasten(rig.conns);
    rig_turn();
    ck_assert_int_eq(before.end, CONN_END_SHUTDOWN);

    conn_drain(after.c, CONN_END_SHUTDOWN);
    rig_turn();
    if (after.c != NULL) {
        await_acknowledgement(&after);
        fake_time_pass_ms(CONN_HASTE_MS);
        rig_turn();
    }

    ck_assert_int_eq(after.end, CONN_END_SHUTDOWN);
    probe_end(&after);
    finish(&before);
}
END_TEST

START_TEST(a_broken_conn_has_no_goodbye)
{
    struct probe p = {.number = 0};

    start_unix(&p);
    fault_io.send_errno = EPIPE;
    ck_assert_int_eq(probe_say(&p, "hello?"), 0);
    conn_pause(p.c, CONN_PAUSE_WINDOW);
    rig_turn();

    conn_drain(p.c, CONN_END_QUIT);
    rig_settle();

    ck_assert_int_eq(p.end, CONN_END_RESET);
    finish(&p);
}
END_TEST

UNIT_MAIN("net/conn_drain", all_that_was_queued_arrives_before_the_fin,
          a_half_closed_peer_gets_all_answers_before_the_fin,
          a_draining_conn_takes_neither_input_nor_output,
          draining_lifts_every_pause, no_reset_overtakes_the_last_words,
          input_while_draining_is_read_within_the_budget,
          it_waits_for_the_fin_of_the_peer,
          a_peer_that_keeps_its_side_open_has_a_moment,
          a_peer_that_does_not_read_ends_at_the_deadline,
          a_stalled_queue_still_drains_when_the_peer_reads,
          bytes_the_peer_has_not_acknowledged_keep_it_to_the_deadline,
          a_reset_while_draining_ends_it,
          in_haste_the_last_acknowledgement_is_enough,
          a_broken_conn_has_no_goodbye)
