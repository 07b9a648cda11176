/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What it takes to let a slow reader fall behind and to catch it up: room,
 * dropping what was not sent, hearing when it is drained, and its time.
 */
#include "net/conn.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/msg.h"
#include "net/conn_priv.h"
#include "support/fake_time.h"
#include "support/fault_io.h"
#include "support/unit.h"
#include "unit/net/conn_rig.h"

#define SENDQ   65536u
#define MSG_LEN 1000u
#define SLOW_MS 20000u

static void
start(void)
{
    fault_io_stop();
    rig_init();
    rig.conf.limits_sendq = SENDQ;
    rig.conf.timeouts_slow = SLOW_MS;
    rig_start();
}

/* Messages of MSG_LEN bytes, numbered, until `waiting` bytes wait for a kernel
 * that takes no more. */
static void
say_numbers(struct probe *p, size_t waiting)
{
    while (conn_queued_bytes(p->c) < waiting) {
        struct msg *const m =
            msg_printf("%0*zu\n", (int)MSG_LEN - 1, p->number);
        const bool tries = conn_queued_bytes(p->c) == 0;

        p->number++;
        ck_assert_int_eq(conn_queue_take(p->c, m), 0);
        if (tries)
            rig_turn();
        ck_assert_uint_lt(p->number, 100000);
    }
}

static void
open_blocked(struct probe *p, size_t waiting)
{
    *p = (struct probe){.peer = -1};
    probe_open(p);
    probe_shrink_buffer(p);
    say_numbers(p, waiting);
    ck_assert_uint_ne(p->c->flags & CONN_BLOCKED, 0);
}

/* Reads as the peer until nothing comes any more. */
static void
read_all(struct probe *p, struct buf *got)
{
    size_t before;

    do {
        before = got->len;
        (void)peer_read(p, got);
        rig_turn();
        rig_turn();
    } while (got->len > before);
}

/* The numbers 0 … n - 1, each whole; n is returned. */
static size_t
check_numbers(const struct buf *got, size_t len)
{
    ck_assert_uint_eq(len % MSG_LEN, 0);
    for (size_t i = 0; i < len / MSG_LEN; i++) {
        char line[MSG_LEN + 1];

        (void)snprintf(line, sizeof(line), "%0*zu\n", (int)MSG_LEN - 1, i);
        ck_assert_mem_eq(got->data + i * MSG_LEN, line, MSG_LEN);
    }
    return len / MSG_LEN;
}

/* ---- room ---------------------------------------------------------------- */

START_TEST(there_is_room_up_to_the_last_byte)
{
    struct probe p;

    start();
    open_blocked(&p, 10 * MSG_LEN);
    const size_t left = SENDQ - conn_queued_bytes(p.c);

    ck_assert(conn_has_room(p.c, left));
    ck_assert(!conn_has_room(p.c, left + 1));
    ck_assert_uint_eq(p.closes, 0);
    ck_assert_int_eq(conn_get_state(p.c), CONN_OPEN);
    ck_assert(!conn_has_room(p.c, SIZE_MAX));
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(a_burst_makes_room_by_writing)
{
    struct probe p = {.peer = -1};

    start();
    probe_open(&p);
    for (size_t n = 0; n < SENDQ / MSG_LEN; n++)
        ck_assert_int_eq(
            conn_queue_take(p.c, msg_printf("%*s", (int)MSG_LEN, "")), 0);
    ck_assert_uint_eq(conn_bytes_out(p.c), 0);

    ck_assert(conn_has_room(p.c, MSG_LEN)); /* within the same turn */
    ck_assert_uint_gt(conn_bytes_out(p.c), 0);
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(who_takes_no_output_has_room)
{
    struct probe p = {.peer = -1};

    start();
    probe_open(&p);
    conn_drain(p.c, CONN_END_QUIT);

    ck_assert(conn_has_room(p.c, SENDQ + 1));
    ck_assert(!conn_takes_output(p.c));
    probe_end(&p);
    rig_stop();
}
END_TEST

/* ---- dropping what was not sent ------------------------------------------ */

START_TEST(dropping_leaves_the_stream_whole)
{
    struct probe p;
    struct buf got;
    uint64_t end;
    size_t before;

    start();
    buf_init(&got);
    open_blocked(&p, 20 * MSG_LEN);
    conn_drop_unsent(p.c);

    /* What is half written waits still, and nothing else. */
    ck_assert_uint_lt(conn_queued_bytes(p.c), MSG_LEN);
    end = conn_queued_upto(p.c);
    ck_assert_uint_eq(end % MSG_LEN, 0);
    ck_assert_uint_lt(end, p.number * MSG_LEN);
    ck_assert_int_eq(probe_say(&p, "and on"), 0);
    ck_assert_uint_eq(conn_queued_upto(p.c), end + 6);
    before = p.number;
    read_all(&p, &got);

    ck_assert_uint_eq(got.len, end + 6);
    ck_assert_uint_lt(check_numbers(&got, got.len - 6), before);
    ck_assert_mem_eq(got.data + end, "and on", 6);
    rig_check_balances();
    buf_fini(&got);
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(dropping_reads_on)
{
    struct probe p;

    start();
    open_blocked(&p, SENDQ / 2);
    ck_assert_uint_ne(p.c->pauses & CONN_PAUSE_QUEUE, 0);
    conn_drop_unsent(p.c);

    ck_assert_uint_eq(p.c->pauses, 0);
    peer_say(&p, "heard");
    rig_settle();
    ck_assert(probe_heard(&p, "heard"));
    probe_end(&p);
    rig_stop();
}
END_TEST

/* At any byte the kernel may have stopped. */
START_TEST(dropping_is_exact_at_every_byte)
{
    for (unsigned seed = 0; seed < 300; seed++) {
        struct probe p = {.peer = -1};
        struct buf want, got;

        start();
        buf_init(&want);
        buf_init(&got);
        probe_open(&p);
        fault_io_script(seed, p.peer);
        for (unsigned round = 0; round < 20; round++) {
            size_t sent;

            for (unsigned i = 0; i < 5; i++) {
                struct msg *const m = msg_printf("%u.%u|", round, i);

                buf_append(&want, m->data, m->len);
                ck_assert_int_eq(conn_queue_take(p.c, m), 0);
            }
            rig_turn();
            conn_drop_unsent(p.c);
            sent = (size_t)conn_queued_upto(p.c);
            ck_assert_uint_le(sent, want.len);
            ck_assert(sent == 0 || want.data[sent - 1] == '|');
            want.len = sent;
        }
        fault_io_stop();
        read_all(&p, &got);
        ck_assert_uint_eq(got.len, want.len);
        ck_assert_mem_eq(got.data, want.data, want.len);
        buf_fini(&want);
        buf_fini(&got);
        probe_end(&p);
        rig_stop();
    }
}
END_TEST

/* ---- when it is drained -------------------------------------------------- */

START_TEST(drained_is_told_once_also_when_nothing_waits)
{
    struct probe p = {.peer = -1};

    start();
    probe_open(&p);
    rig_settle();
    conn_await_drained(p.c);
    ck_assert_uint_eq(p.drained, 0); /* never from within */
    rig_settle();
    ck_assert_uint_eq(p.drained, 1);

    ck_assert_int_eq(probe_say(&p, "more"), 0);
    rig_settle();
    ck_assert_uint_eq(p.drained, 1);
    probe_end(&p);
    rig_stop();
}
END_TEST

/* What is queued before the turn ends is written first. */
static void
note_queued(struct probe *p)
{
    ck_assert_uint_eq(conn_queued_bytes(p->c), 0);
}

START_TEST(drained_comes_behind_the_writes_of_its_turn)
{
    struct probe p = {.peer = -1, .on_drained = note_queued};

    start();
    probe_open(&p);
    conn_await_drained(p.c);
    ck_assert_int_eq(probe_say(&p, "behind it"), 0);
    rig_turn();
    ck_assert_uint_eq(p.drained, 1);
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(drained_waits_for_a_peer_that_does_not_read)
{
    struct probe p;
    struct buf got;

    start();
    buf_init(&got);
    open_blocked(&p, SENDQ / 2);
    conn_await_drained(p.c);
    rig_settle();
    ck_assert_uint_eq(p.drained, 0);

    while (p.drained == 0) {
        ck_assert_uint_gt(conn_queued_bytes(p.c), SENDQ / 8);
        (void)peer_read(&p, &got);
        rig_turn();
    }
    /* With the last of it still on its way. */
    ck_assert_uint_le(conn_queued_bytes(p.c), SENDQ / 8);
    ck_assert_uint_eq(p.drained, 1);
    buf_fini(&got);
    probe_end(&p);
    rig_stop();
}
END_TEST

/* The kernel refused between two msgs, and those that waited were dropped. */
START_TEST(drained_is_told_across_a_refusal_with_nothing_left)
{
    struct probe p;
    struct buf got;

    start();
    buf_init(&got);
    p = (struct probe){.peer = -1};
    probe_open(&p);
    fault_io.send_errno = EAGAIN;
    ck_assert_int_eq(probe_say(&p, "refused"), 0);
    rig_turn();
    ck_assert_uint_ne(p.c->flags & CONN_BLOCKED, 0);
    conn_drop_unsent(p.c);
    ck_assert_uint_eq(conn_queued_bytes(p.c), 0);
    conn_await_drained(p.c);

    rig_settle(); /* the socket is writable, as EPOLLOUT says */
    rig_settle();
    ck_assert_uint_eq(p.drained, 1);
    ck_assert_uint_eq(p.c->flags & CONN_WATCHED, 0);
    buf_fini(&got);
    probe_end(&p);
    rig_stop();
}
END_TEST

static void
ask_again(struct probe *p)
{
    if (p->drained < 3)
        conn_await_drained(p->c);
}

START_TEST(drained_may_be_asked_for_from_within)
{
    struct probe p = {.peer = -1, .on_drained = ask_again};

    start();
    probe_open(&p);
    conn_await_drained(p.c);
    rig_settle();
    rig_turns(4);
    ck_assert_uint_eq(p.drained, 3);
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(who_ends_is_not_told_of_being_drained)
{
    struct probe draining = {.peer = -1}, closed = {.peer = -1};

    start();
    probe_open(&draining);
    probe_open(&closed);
    conn_await_drained(draining.c);
    conn_await_drained(closed.c);
    conn_drain(draining.c, CONN_END_QUIT);
    conn_close(closed.c, CONN_END_QUIT);
    conn_await_drained(closed.c);
    rig_settle();
    conn_await_drained(draining.c);
    rig_settle();

    ck_assert_uint_eq(draining.drained, 0);
    ck_assert_uint_eq(closed.drained, 0);
    probe_end(&draining);
    probe_end(&closed);
    rig_stop();
}
END_TEST

/* A queue that is small altogether is not drained by being full. */
START_TEST(a_full_small_queue_is_not_drained)
{
    struct probe p;
    struct buf got;

    start();
    buf_init(&got);
    conns_destroy(rig.conns);
    worker_destroy(rig.worker);
    rig.conf.limits_sendq = 8 * MSG_LEN;
    rig_start();
    open_blocked(&p, 6 * MSG_LEN);
    conn_await_drained(p.c);
    rig_settle();
    ck_assert_uint_eq(p.drained, 0);

    read_all(&p, &got);
    ck_assert_uint_eq(p.drained, 1);
    buf_fini(&got);
    probe_end(&p);
    rig_stop();
}
END_TEST

/* ---- the time it has ----------------------------------------------------- */

static void
pass(uint64_t ms)
{
    fake_time_pass_ms(ms);
    rig_turns(3);
}

START_TEST(slow_counts_from_the_pause)
{
    struct probe p;

    start();
    open_blocked(&p, 10 * MSG_LEN);
    ck_assert_uint_eq(p.c->pauses, 0);
    pass(SLOW_MS / 2); /* nobody waits for it yet */
    conn_pause(p.c, CONN_PAUSE_BEHIND);

    pass(SLOW_MS - 1);
    ck_assert_uint_eq(p.closes, 0);
    pass(1);
    ck_assert_uint_eq(p.closes, 1);
    ck_assert_int_eq(p.end, CONN_END_SENDQ);
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(slow_is_moved_on_by_what_is_taken)
{
    struct probe p;

    start();
    open_blocked(&p, SENDQ / 2);
    for (int i = 0; i < 4; i++) {
        char some[65536];

        pass(SLOW_MS - 1);
        ck_assert_uint_eq(p.closes, 0);
        ck_assert_int_gt(recv(p.peer, some, sizeof(some), MSG_DONTWAIT), 0);
        rig_turns(3);
    }
    pass(SLOW_MS - 1);
    ck_assert_uint_eq(p.closes, 0);
    pass(2);
    ck_assert_uint_eq(p.closes, 1);
    ck_assert_int_eq(p.end, CONN_END_SENDQ);
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(slow_is_not_moved_on_by_what_is_sent)
{
    struct probe p;

    start();
    open_blocked(&p, SENDQ / 2);
    ck_assert_uint_ne(p.c->pauses & CONN_PAUSE_QUEUE, 0);
    pass(SLOW_MS - 1);
    peer_say(&p, "I am here");
    rig_turns(3);
    ck_assert_uint_eq(p.heard.len, 0);
    pass(1);
    ck_assert_uint_eq(p.closes, 1);
    ck_assert_int_eq(p.end, CONN_END_SENDQ);
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(who_is_behind_is_heard_when_that_is_over)
{
    struct probe p = {.peer = -1};

    start();
    probe_open(&p);
    conn_pause(p.c, CONN_PAUSE_BEHIND);
    peer_say(&p, "patience");
    rig_settle();
    ck_assert_uint_eq(p.offers, 0);
    conn_resume(p.c, CONN_PAUSE_BEHIND);
    rig_settle();

    ck_assert(probe_heard(&p, "patience"));
    pass(SLOW_MS * 2); /* and it may be silent again */
    ck_assert_uint_eq(p.closes, 0);
    probe_end(&p);
    rig_stop();
}
END_TEST

UNIT_MAIN("net/conn_behind", there_is_room_up_to_the_last_byte,
          a_burst_makes_room_by_writing, who_takes_no_output_has_room,
          dropping_leaves_the_stream_whole, dropping_reads_on,
          dropping_is_exact_at_every_byte,
          drained_is_told_once_also_when_nothing_waits,
          drained_comes_behind_the_writes_of_its_turn,
          drained_waits_for_a_peer_that_does_not_read,
          drained_is_told_across_a_refusal_with_nothing_left,
          drained_may_be_asked_for_from_within,
          who_ends_is_not_told_of_being_drained,
          a_full_small_queue_is_not_drained, slow_counts_from_the_pause,
          slow_is_moved_on_by_what_is_taken,
          slow_is_not_moved_on_by_what_is_sent,
          who_is_behind_is_heard_when_that_is_over)
