/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How input ends: FIN, RST, time-out, or a close of ours.
 */
#include "net/conn.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "net/conn_priv.h"
#include "support/fake_time.h"
#include "support/fault_io.h"
#include "support/unit.h"
#include "unit/net/conn_rig.h"

static void
start(struct probe *p)
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

/* Consumes whole lines. */
static size_t
take_lines(struct probe *p, const char *data, size_t len)
{
    size_t used = len;

    while (used > 0 && data[used - 1] != '\n')
        used--;
    buf_append(&p->heard, data, used);
    return used;
}

/* One line, then a pause. */
static size_t
take_line_and_pause(struct probe *p, const char *data, size_t len)
{
    const char *const end = memchr(data, '\n', len);

    if (end == NULL)
        return 0;
    buf_append(&p->heard, data, (size_t)(end + 1 - data));
    conn_pause(p->c, CONN_PAUSE_WINDOW);
    return (size_t)(end + 1 - data);
}

static size_t
take_line_and_close(struct probe *p, const char *data, size_t len)
{
    const size_t used = take_line_and_pause(p, data, len);

    conn_close(p->c, CONN_END_QUIT);
    return used;
}

START_TEST(pipelined_lines_before_eof_are_all_offered)
{
    struct probe p = {.on_bytes = take_lines};

    start(&p);
    peer_say(&p, "one\ntwo\nthree\nhalf");
    peer_finish(&p);
    rig_turn();

    ck_assert(probe_heard(&p, "one\ntwo\nthree\n"));
    ck_assert_uint_eq(p.eofs, 1);
    ck_assert_uint_eq(p.rest, 4);
    rig_settle();
    ck_assert_int_eq(p.end, CONN_END_EOF);
    finish(&p);
}
END_TEST

START_TEST(eof_waits_until_a_paused_protocol_has_had_every_line)
{
    struct probe p = {.on_bytes = take_line_and_pause};

    start(&p);
    peer_say(&p, "one\ntwo\nthree\n");
    peer_close(&p);
    rig_turns(3);
    ck_assert(probe_heard(&p, "one\n"));
    ck_assert_uint_eq(p.eofs, 0);

    conn_resume(p.c, CONN_PAUSE_WINDOW);
    rig_turns(3);
    ck_assert(probe_heard(&p, "one\ntwo\n"));
    ck_assert_uint_eq(p.eofs, 0);

    conn_resume(p.c, CONN_PAUSE_WINDOW);
    rig_turns(3);
    ck_assert_uint_eq(p.eofs, 0);
    conn_resume(p.c, CONN_PAUSE_WINDOW);
    rig_turns(3);

    ck_assert(probe_heard(&p, "one\ntwo\nthree\n"));
    ck_assert_uint_eq(p.eofs, 1);
    finish(&p);
}
END_TEST

/* Pauses and resumes in one breath, as a queue does that fills and is flushed
 * during one callback. */
static size_t
take_line_and_blink(struct probe *p, const char *data, size_t len)
{
    const size_t used = take_line_and_pause(p, data, len);

    conn_resume(p->c, CONN_PAUSE_WINDOW);
    return used;
}

START_TEST(a_pause_that_is_over_at_once_does_not_hide_lines_from_eof)
{
    struct probe p = {.on_bytes = take_line_and_blink};

    start(&p);
    peer_say(&p, "one\ntwo\nthree\n");
    peer_finish(&p);

    rig_turn();

    ck_assert(probe_heard(&p, "one\ntwo\nthree\n"));
    ck_assert_uint_eq(p.eofs, 1);
    ck_assert_uint_eq(p.rest, 0);
    finish(&p);
}
END_TEST

START_TEST(a_half_closed_peer_may_wait_for_its_answers)
{
    struct probe p = {.on_eof = probe_nothing};
    struct buf got;

    start(&p);
    buf_init(&got);
    peer_say(&p, "question\n");
    peer_finish(&p);
    rig_turn();
    ck_assert_ptr_nonnull(p.c);
    ck_assert(conn_at_eof(p.c));

    ck_assert_int_eq(probe_say(&p, "answer\n"), 0);
    conn_drain(p.c, CONN_END_EOF);
    rig_settle();

    ck_assert(peer_read(&p, &got));
    ck_assert_uint_eq(got.len, 7);
    ck_assert_int_eq(p.end, CONN_END_EOF);
    buf_fini(&got);
    finish(&p);
}
END_TEST

START_TEST(answers_to_a_half_closed_peer_have_a_deadline)
{
    struct probe p = {.on_eof = probe_nothing};

    rig_init();
    rig.enters = CONN_OPENING;
    rig_start();
    probe_open(&p);
    peer_finish(&p);
    rig_turn();
    ck_assert_uint_eq(p.eofs, 1);
    conn_enter(p.c, CONN_OPEN); /* must not win it a heartbeat */

    fake_time_pass_ms(rig.conf.timeouts_drain);
    rig_turn();

    ck_assert_int_eq(p.end, CONN_END_EOF);
    finish(&p);
}
END_TEST

START_TEST(lines_before_a_reset_are_offered)
{
    struct probe p = {.on_bytes = take_lines};

    rig_init();
    rig_start();
    probe_open_tcp(&p);
    peer_say(&p, "one\ntwo\nhalf");
    probe_await(&p, POLLIN);
    peer_reset(&p);
    probe_await(&p, POLLHUP);

    rig_turn();

    ck_assert(probe_heard(&p, "one\ntwo\n"));
    ck_assert_int_eq(p.end, CONN_END_RESET);
    ck_assert_uint_eq(p.eofs, 0);
    finish(&p);
}
END_TEST

START_TEST(lines_before_a_reset_are_offered_when_a_pause_is_over)
{
    struct probe p = {.on_bytes = take_lines};

    rig_init();
    rig_start();
    probe_open_tcp(&p);
    conn_pause(p.c, CONN_PAUSE_RATE);
    peer_say(&p, "one\ntwo\n");
    probe_await(&p, POLLIN);
    peer_reset(&p);
    probe_await(&p, POLLHUP);
    rig_turns(3);
    ck_assert(probe_heard(&p, ""));

    conn_resume(p.c, CONN_PAUSE_RATE);
    rig_settle();

    ck_assert(probe_heard(&p, "one\ntwo\n"));
    ck_assert_int_eq(p.end, CONN_END_RESET);
    finish(&p);
}
END_TEST

START_TEST(a_peer_the_kernel_gave_up_has_timed_out)
{
    struct probe p = {.number = 0};

    start(&p);
    fault_io.recv_errno = ETIMEDOUT;
    peer_say(&p, "x");

    rig_turn();

    ck_assert_int_eq(p.end, CONN_END_TIMEOUT);
    finish(&p);
}
END_TEST

/* Urgent data makes recv() stop short though more is there, and no event will
 * tell of that. */
START_TEST(urgent_data_does_not_hide_what_follows)
{
    struct probe p = {.number = 0};

    rig_init();
    rig_start();
    probe_open_tcp(&p);
    ck_assert_int_eq(send(p.peer, "abc!", 4, MSG_OOB), 4);
    peer_say(&p, "def");
    probe_await(&p, POLLIN);

    rig_settle();

    ck_assert(probe_heard(&p, "abc!def"));
    finish(&p);
}
END_TEST

/* -- closing inside -------------------------------------------------------- */

START_TEST(closing_inside_on_bytes_ends_with_one_last_call)
{
    struct probe p = {.on_bytes = take_line_and_close};

    start(&p);
    peer_say(&p, "quit\nmore\n");

    rig_turn();

    ck_assert(probe_heard(&p, "quit\n"));
    ck_assert_uint_eq(p.offers, 1);
    ck_assert_uint_eq(p.closes, 1);
    ck_assert_int_eq(p.end, CONN_END_QUIT);
    ck_assert_ptr_null(conns_find(rig.conns, p.id));
    finish(&p);
}
END_TEST

UNIT_MAIN("net/conn_eof", pipelined_lines_before_eof_are_all_offered,
          eof_waits_until_a_paused_protocol_has_had_every_line,
          a_pause_that_is_over_at_once_does_not_hide_lines_from_eof,
          a_half_closed_peer_may_wait_for_its_answers,
          answers_to_a_half_closed_peer_have_a_deadline,
          lines_before_a_reset_are_offered,
          lines_before_a_reset_are_offered_when_a_pause_is_over,
          a_peer_the_kernel_gave_up_has_timed_out,
          urgent_data_does_not_hide_what_follows,
          closing_inside_on_bytes_ends_with_one_last_call)
