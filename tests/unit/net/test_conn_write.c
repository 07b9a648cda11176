/* SPDX-License-Identifier: BSD-2-Clause
 *
 * aligned_alloc is wrapped, so that the slab of chunks can run out of pages.
 */
#include "net/conn.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/msg.h"
#include "net/conn_priv.h"
#include "support/fake_time.h"
#include "support/fault_io.h"
#include "support/unit.h"
#include "unit/net/conn_rig.h"

static bool is_memory_short;

void *__real_aligned_alloc(size_t alignment, size_t size);

void *
__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return is_memory_short ? NULL : __real_aligned_alloc(alignment, size);
}

static void
start(size_t sendq)
{
    fault_io_stop();
    rig_init();
    rig.conf.limits_sendq = sendq;
    rig_start();
}

/* Queues 100-byte msgs, "0000…\n" counted up, until the kernel takes no more
 * and `waiting` bytes are in the queue. */
static void
say_until_waiting(struct probe *p, size_t waiting)
{
    size_t before;

    do {
        ck_assert_uint_lt(p->number, 10000);
        before = conn_queued_bytes(p->c);
        ck_assert_int_eq(
            conn_queue_take(p->c, msg_printf("%098zu\n", p->number)), 0);
        p->number++;
        if (before == 0)
            rig_turn();
    } while (conn_queued_bytes(p->c) < waiting);
}

/* Reads as the peer, checks the count, and goes on until all has come. */
static void
read_all_numbers(struct probe *p)
{
    struct buf got;
    size_t turns = 0;

    buf_init(&got);
    while (got.len < p->number * 99) {
        (void)peer_read(p, &got);
        rig_turn();
        ck_assert_uint_lt(turns++, 100000);
    }
    ck_assert_uint_eq(got.len, p->number * 99);
    for (size_t i = 0; i < p->number; i++) {
        char line[100];

        snprintf(line, sizeof(line), "%098zu\n", i);
        ck_assert_mem_eq(got.data + i * 99, line, 99);
    }
    buf_fini(&got);
}

/* -- order ----------------------------------------------------------------- */

START_TEST(writes_of_one_turn_go_out_in_order_with_one_call)
{
    struct probe p = {.number = 0};
    struct buf got;

    start(1 << 20);
    probe_open(&p);
    buf_init(&got);

    ck_assert_int_eq(probe_say(&p, "one "), 0);
    ck_assert_int_eq(probe_say(&p, "two "), 0);
    ck_assert_int_eq(probe_say(&p, "three"), 0);
    ck_assert_uint_eq(rig_counter("writes"), 0);
    rig_turn();

    (void)peer_read(&p, &got);
    ck_assert_uint_eq(got.len, 13);
    ck_assert_mem_eq(got.data, "one two three", 13);
    ck_assert_uint_eq(rig_counter("writes"), 1);
    ck_assert_uint_eq(fault_io.sendmsgs, 1);
    ck_assert(!fault_io.forgot_nosignal);
    buf_fini(&got);
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(a_single_msg_needs_no_gathering)
{
    struct probe p = {.number = 0};

    start(1 << 20);
    probe_open(&p);

    ck_assert_int_eq(probe_say(&p, "one"), 0);
    rig_turn();

    ck_assert_uint_eq(fault_io.sends, 1);
    ck_assert_uint_eq(fault_io.sendmsgs, 0);
    ck_assert(!fault_io.forgot_nosignal);
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(an_empty_msg_is_nothing_to_write)
{
    struct probe p = {.number = 0};

    start(1 << 20);
    probe_open(&p);

    ck_assert_int_eq(probe_say(&p, ""), 0);
    rig_turn();

    ck_assert_uint_eq(fault_io.sends, 0);
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(a_call_takes_at_most_64_msgs)
{
    struct probe p = {.number = 0};

    start(1 << 20);
    probe_open(&p);

    for (; p.number < 200; p.number++)
        ck_assert_int_eq(conn_queue_take(p.c, msg_printf("%098zu\n", p.number)),
                         0);
    rig_turn();

    ck_assert_uint_eq(fault_io.most_iovecs, CONN_IOVECS);
    read_all_numbers(&p);
    probe_end(&p);
    rig_stop();
}
END_TEST

/* -- full buffers ---------------------------------------------------------- */

START_TEST(a_stalled_conn_goes_on_when_the_peer_reads)
{
    struct probe p = {.number = 0};

    start(1 << 20);
    probe_open(&p);
    probe_shrink_buffer(&p);
    say_until_waiting(&p, 100000);

    ck_assert_uint_ge(rig_counter("stalled_writes"), 1);
    read_all_numbers(&p);
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(output_is_watched_only_while_something_is_left)
{
    struct probe p = {.number = 0};
    size_t waits;

    start(1 << 20);
    probe_open(&p);
    probe_shrink_buffer(&p);
    ck_assert_int_eq(p.c->flags & CONN_WATCHED, 0);

    say_until_waiting(&p, 1000);
    rig_turn();
    ck_assert_int_ne(p.c->flags & CONN_WATCHED, 0);

    read_all_numbers(&p);
    ck_assert_int_eq(p.c->flags & (CONN_WATCHED | CONN_BLOCKED), 0);
    waits = fault_io.sends + fault_io.sendmsgs;
    rig_turns(10);
    ck_assert_uint_eq(fault_io.sends + fault_io.sendmsgs, waits);
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(a_blocked_conn_is_not_tried_again_before_there_is_room)
{
    struct probe p = {.number = 0};
    uint64_t stalled;

    start(1 << 20);
    probe_open(&p);
    probe_shrink_buffer(&p);
    say_until_waiting(&p, 1000);
    rig_turns(3);

    stalled = rig_counter("stalled_writes");
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(probe_say(&p, "more"), 0);
        rig_turn();
    }

    ck_assert_uint_eq(rig_counter("stalled_writes"), stalled);
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(a_slow_reader_ends_alone_at_sendq)
{
    struct probe slow = {.number = 0}, quick = {.number = 0};
    struct buf got;
    int rc;

    start(65536);
    probe_open(&slow);
    probe_open(&quick);
    probe_shrink_buffer(&slow);
    buf_init(&got);

    do {
        struct msg *const m = msg_printf("%098zu\n", quick.number++);

        ck_assert_uint_lt(quick.number, 10000);
        rc = conn_queue(slow.c, m);
        ck_assert_uint_le(conn_queued_bytes(slow.c), 65536);
        ck_assert_int_eq(conn_queue_take(quick.c, m), 0);
        rig_turn();
        (void)peer_read(&quick, &got);
    } while (rc == 0);

    ck_assert_int_eq(rc, -ENOBUFS);
    ck_assert_uint_eq(slow.closes, 1);
    ck_assert_int_eq(slow.end, CONN_END_SENDQ);
    ck_assert_uint_gt(rig_counter("dropped_bytes"), 65536 - 200);
    ck_assert_uint_eq(got.len, quick.number * 99);
    ck_assert_ptr_nonnull(quick.c);
    buf_fini(&got);
    probe_end(&slow);
    probe_end(&quick);
    rig_stop();
}
END_TEST

START_TEST(a_burst_over_sendq_is_no_fault_of_a_peer_that_reads)
{
    struct probe p = {.number = 0};

    start(4096);
    probe_open(&p);

    for (; p.number < 500; p.number++)
        ck_assert_int_eq(conn_queue_take(p.c, msg_printf("%098zu\n", p.number)),
                         0);

    read_all_numbers(&p);
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(one_msg_over_sendq_ends_the_conn)
{
    struct probe p = {.number = 0};

    start(4096);
    probe_open(&p);

    ck_assert_int_eq(conn_queue_take(p.c, msg_create(4097)), -ENOBUFS);
    rig_turn();

    ck_assert_int_eq(p.end, CONN_END_SENDQ);
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(over_the_high_mark_input_waits_and_is_not_lost)
{
    struct probe p = {.number = 0};

    start(65536);
    probe_open(&p);
    probe_shrink_buffer(&p);
    say_until_waiting(&p, 65536 / 4 + 1);

    ck_assert_uint_eq(rig_counter("paused"), 1);
    peer_say(&p, "hello");
    rig_turns(3);
    ck_assert(probe_heard(&p, ""));

    read_all_numbers(&p);
    rig_turns(3);
    ck_assert(probe_heard(&p, "hello"));
    ck_assert_uint_eq(rig_counter("paused"), 0);
    probe_end(&p);
    rig_stop();
}
END_TEST

/* -- budgets --------------------------------------------------------------- */

START_TEST(one_conn_writes_its_budget_and_then_the_next_does)
{
    struct probe greedy = {.number = 0}, modest = {.number = 0};

    start(1 << 20);
    probe_open(&greedy);
    probe_open(&modest);
    fault_io.swallows = true;
    for (int i = 0; i < 900; i++)
        ck_assert_int_eq(conn_queue_take(greedy.c, msg_create(1000)), 0);
    ck_assert_int_eq(probe_say(&modest, "hi"), 0);

    rig_turn();

    ck_assert_uint_ge(conn_bytes_out(greedy.c), CONN_WRITE_BUDGET);
    ck_assert_uint_le(conn_bytes_out(greedy.c),
                      CONN_WRITE_BUDGET + CONN_IOVECS * 1000);
    ck_assert_uint_eq(conn_bytes_out(modest.c), 2);
    rig_settle();
    ck_assert_uint_eq(conn_bytes_out(greedy.c), 900000);
    fault_io_stop();
    probe_end(&greedy);
    probe_end(&modest);
    rig_stop();
}
END_TEST

START_TEST(a_turn_flushes_so_many_conns_and_the_next_the_others)
{
    static struct probe probes[CONNS_TURN_BUDGET + 10];
    const size_t n = sizeof(probes) / sizeof(probes[0]);
    struct msg *const m = msg_copy("to all", 6);
    struct rlimit files;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = 3 * n; /* the hard one is valgrind's */
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
    start(1 << 20);
    for (size_t i = 0; i < n; i++)
        probe_open(&probes[i]);
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(conn_queue(probes[i].c, m), 0);
    msg_unref(m);

    rig_turn();
    ck_assert_uint_eq(rig_counter("sent_msgs"), CONNS_TURN_BUDGET);
    rig_turn();
    ck_assert_uint_eq(rig_counter("sent_msgs"), n);

    for (size_t i = 0; i < n; i++)
        conn_close(probes[i].c, CONN_END_QUIT);
    rig_settle();
    for (size_t i = 0; i < n; i++)
        peer_close(&probes[i]);
    rig_stop();
}
END_TEST

/* -- ends ------------------------------------------------------------------ */

START_TEST(closing_drops_the_queue_and_the_counts_still_balance)
{
    struct probe p = {.number = 0};

    start(1 << 20);
    probe_open(&p);
    probe_shrink_buffer(&p);
    say_until_waiting(&p, 5000);
    rig_check_balances();

    conn_close(p.c, CONN_END_KICKED);

    ck_assert_uint_eq(rig_counter("pending_bytes"), 0);
    ck_assert_uint_ge(rig_counter("dropped_bytes"), 5000);
    rig_check_balances();
    rig_settle();
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(a_closed_conn_takes_no_output)
{
    struct probe p = {.number = 0};

    start(1 << 20);
    probe_open(&p);

    conn_close(p.c, CONN_END_QUIT);

    ck_assert_int_eq(probe_say(&p, "too late"), -ESHUTDOWN);
    ck_assert_int_eq(conn_queue_take(p.c, NULL), -ESHUTDOWN);
    rig_settle();
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(a_msg_that_could_not_be_made_ends_the_conn)
{
    struct probe p = {.number = 0};

    start(1 << 20);
    probe_open(&p);

    ck_assert_int_eq(conn_queue_take(p.c, NULL), -ENOMEM);
    rig_settle();

    ck_assert_int_eq(p.end, CONN_END_NOMEM);
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(without_memory_for_the_queue_one_conn_ends)
{
    struct probe p = {.number = 0}, other = {.number = 0};
    int rc = 0;

    start(1 << 20);
    probe_open(&p);
    probe_open(&other);

    is_memory_short = true;
    ck_assert_int_eq(probe_say(&other, "fits in the conn itself"), 0);
    for (int n = 0; n < 1000 && rc == 0; n++)
        rc = probe_say(&p, "x");
    is_memory_short = false;
    rig_settle();

    ck_assert_int_eq(rc, -ENOMEM);
    ck_assert_int_eq(p.end, CONN_END_NOMEM);
    ck_assert_ptr_nonnull(other.c);
    probe_end(&p);
    probe_end(&other);
    rig_stop();
}
END_TEST

START_TEST(a_send_that_fails_does_not_lose_what_came_before)
{
    struct probe p = {.number = 0};

    start(1 << 20);
    probe_open(&p);
    peer_say(&p, "last words");

    fault_io.send_errno = EPIPE;
    ck_assert_int_eq(probe_say(&p, "hello?"), 0);
    conn_pause(p.c, CONN_PAUSE_WINDOW); /* so that the write comes first */
    rig_turn();
    ck_assert(probe_heard(&p, ""));
    ck_assert_int_eq(probe_say(&p, "still there?"), -ESHUTDOWN);
    conn_resume(p.c, CONN_PAUSE_WINDOW);
    rig_settle();

    ck_assert(probe_heard(&p, "last words"));
    ck_assert_uint_eq(p.closes, 1);
    ck_assert_int_eq(p.end, CONN_END_RESET);
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(a_conn_whose_socket_broke_does_not_wait_for_ever)
{
    struct probe p = {.number = 0};

    start(1 << 20);
    probe_open(&p);
    fault_io.send_errno = ETIMEDOUT;
    ck_assert_int_eq(probe_say(&p, "hello?"), 0);
    conn_pause(p.c, CONN_PAUSE_WINDOW);
    rig_turn();
    ck_assert_uint_eq(p.closes, 0);

    fake_time_pass_ms(rig.conf.timeouts_drain);
    rig_settle();

    ck_assert_int_eq(p.end, CONN_END_TIMEOUT);
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(a_peer_that_resets_under_a_full_queue_is_heard_first)
{
    struct probe p = {.number = 0};

    start(1 << 20);
    probe_open_tcp(&p);
    probe_fill(&p, rig.conf.limits_sendq / 4 + 1);
    ck_assert_uint_eq(rig_counter("paused"), 1);

    peer_say(&p, "last words");
    probe_await(&p, POLLIN);
    peer_reset(&p);
    probe_await(&p, POLLHUP);
    rig_settle();

    ck_assert(probe_heard(&p, "last words"));
    ck_assert_int_eq(p.end, CONN_END_RESET);
    probe_end(&p);
    rig_stop();
}
END_TEST

UNIT_MAIN("net/conn_write", writes_of_one_turn_go_out_in_order_with_one_call,
          a_single_msg_needs_no_gathering, an_empty_msg_is_nothing_to_write,
          a_call_takes_at_most_64_msgs,
          a_stalled_conn_goes_on_when_the_peer_reads,
          output_is_watched_only_while_something_is_left,
          a_blocked_conn_is_not_tried_again_before_there_is_room,
          a_slow_reader_ends_alone_at_sendq,
          a_burst_over_sendq_is_no_fault_of_a_peer_that_reads,
          one_msg_over_sendq_ends_the_conn,
          over_the_high_mark_input_waits_and_is_not_lost,
          one_conn_writes_its_budget_and_then_the_next_does,
          a_turn_flushes_so_many_conns_and_the_next_the_others,
          closing_drops_the_queue_and_the_counts_still_balance,
          a_closed_conn_takes_no_output,
          a_msg_that_could_not_be_made_ends_the_conn,
          without_memory_for_the_queue_one_conn_ends,
          a_send_that_fails_does_not_lose_what_came_before,
          a_conn_whose_socket_broke_does_not_wait_for_ever,
          a_peer_that_resets_under_a_full_queue_is_heard_first)
