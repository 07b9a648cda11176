/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Connections of operators, with commands of our own: `echo` answers at once,
 * `later` when the test says so, `big` with more than a socket takes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/fake_time.h"
#include "support/unit.h"
#include "unit/ops/control_rig.h"

#define BIG 700000u

static struct control_conn *waiting; /* in `later` */
static unsigned runs;

static void
on_echo(struct control_conn *c, const struct control_request *r)
{
    runs++;
    control_answer(c, json_pack("{s:b, s:s%}", "ok", 1, "said", r->args[0].data,
                                r->args[0].len));
}

static void
on_later(struct control_conn *c, const struct control_request *r)
{
    runs++;
    waiting = c;
}

static void
on_big(struct control_conn *c, const struct control_request *r)
{
    struct buf text;

    runs++;
    buf_init(&text);
    for (unsigned i = 0; i < BIG; i++)
        buf_append_char(&text, (char)('a' + i % 26));
    control_answer_text(c, &text);
    buf_fini(&text);
}

static const struct control_command commands[] = {
    {"echo",  on_echo,  1, 1, false, "TEXT", ""},
    {"later", on_later, 0, 0, false, "",     ""},
    {"big",   on_big,   0, 0, false, "",     ""},
};

static void
start(void)
{
    waiting = NULL;
    runs = 0;
    rig_start(commands, ARRAY_LEN(commands));
}

static void
send_echo(int fd, const char *text)
{
    char line[256];

    snprintf(line, sizeof(line), "{\"command\":\"echo\",\"args\":[\"%s\"]}\n",
             text);
    rig_send(fd, line);
}

static void
expect_echo(int fd, const char *text)
{
    char line[256];

    snprintf(line, sizeof(line), "{\"ok\":true,\"said\":\"%s\"}", text);
    ck_assert_str_eq(rig_answer(fd), line);
}

static void
expect_error(int fd, const char *words)
{
    const char *const line = rig_answer(fd);

    ck_assert_ptr_eq(strstr(line, "{\"ok\":false,\"error\":\""), line);
    if (strstr(line, words) == NULL)
        ck_abort_msg("%s does not say \"%s\"", line, words);
}

/* ---- framing -------------------------------------------------------------- */

START_TEST(a_request_is_answered_by_one_line)
{
    int fd;

    start();
    fd = rig_connect();

    send_echo(fd, "hello");

    expect_echo(fd, "hello");
    ck_assert(rig_is_silent(fd));
    close(fd);
    rig_stop();
}
END_TEST

START_TEST(a_stream_split_anywhere_gives_the_same_answers)
{
    static const char stream[] =
        "{\"command\":\"echo\",\"args\":[\"one\"]}\n"
        "\r\n"
        "{\"command\":\"echo\",\"args\":[\"\xe5\xb0\x8f\"]}\r\n";
    int fd;

    start();
    fd = rig_connect();
    for (size_t split = 0; split < sizeof(stream); split++) {
        rig_send_bytes(fd, stream, split);
        rig_settle();
        rig_send_bytes(fd, stream + split, sizeof(stream) - 1 - split);

        expect_echo(fd, "one");
        expect_echo(fd, "小");
        ck_assert(rig_is_silent(fd));
    }
    close(fd);
    rig_stop();
}
END_TEST

START_TEST(requests_that_come_together_are_answered_in_order)
{
    int fd;

    start();
    fd = rig_connect();

    send_echo(fd, "first");
    rig_send(fd, "{\"command\":\"later\"}\n");
    send_echo(fd, "third");
    expect_echo(fd, "first");
    ck_assert(rig_is_silent(fd));
    ck_assert_uint_eq(runs, 2); /* the third has not begun */
    control_answer(waiting, control_ok());

    ck_assert_str_eq(rig_answer(fd), "{\"ok\":true}");
    expect_echo(fd, "third");
    close(fd);
    rig_stop();
}
END_TEST

START_TEST(more_may_be_sent_while_a_handler_works)
{
    int fd;

    start();
    fd = rig_connect();
    rig_send(fd, "{\"command\":\"later\"}\n");
    rig_settle();
    send_echo(fd, "next");
    rig_settle();
    ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
    rig_settle();
    control_answer(waiting, control_ok());

    ck_assert_str_eq(rig_answer(fd), "{\"ok\":true}");
    expect_echo(fd, "next");
    ck_assert(rig_is_closed(fd));
    close(fd);
    rig_stop();
}
END_TEST

START_TEST(one_turn_carries_out_at_most_one_request_of_each)
{
    int fd;

    start();
    fd = rig_connect();
    for (int i = 0; i < 20; i++)
        send_echo(fd, "x");

    for (unsigned before = runs; runs < 20; before = runs) {
        rig_turn();
        ck_assert_uint_le(runs, before + 1);
    }
    close(fd);
    rig_stop();
}
END_TEST

START_TEST(garbage_is_told_and_the_connection_goes_on)
{
    int fd;

    start();
    fd = rig_connect();

    rig_send_bytes(fd, "\x16\x03\x01\x00\xff\x00\n", 7);
    rig_send(fd, "GET / HTTP/1.1\r\n");
    rig_send(fd, "{\"command\":\"eco\"}\n");
    rig_send(fd, "{\"command\":\"echo\"}\n");
    rig_send(fd, "{\"command\":\"later\",\"as\":\"me\"}\n");
    rig_send(fd, "{\"command\":\"\\u001b[31m\"}\n");
    send_echo(fd, "still here");

    expect_error(fd, "not JSON");
    expect_error(fd, "not JSON");
    expect_error(fd, "is it \\\"echo\\\"?");
    expect_error(fd, "usage: echo TEXT");
    expect_error(fd, "takes no \\\"as\\\"");
    expect_error(fd, "no command \\\"[31m\\\"");
    expect_echo(fd, "still here");
    ck_assert_uint_eq(runs, 1);
    close(fd);
    rig_stop();
}
END_TEST

/* A line of `len` bytes that asks for an echo of spaces. */
static char *
long_line(size_t len)
{
    static const char head[] = "{\"command\":\"echo\",\"args\":[\"x\"]";
    char *const line = malloc(len + 1);

    ck_assert_ptr_nonnull(line);
    memset(line, ' ', len);
    memcpy(line, head, sizeof(head) - 1);
    line[len - 1] = '}';
    line[len] = '\n';
    return line;
}

START_TEST(a_request_may_be_64_KiB_and_not_a_byte_longer)
{
    for (size_t len = CONTROL_REQUEST_MAX - 1; len <= CONTROL_REQUEST_MAX + 1;
         len++) {
        char *const line = long_line(len);
        int fd;

        start();
        fd = rig_connect();
        rig_send_bytes(fd, line, len + 1);

        if (len <= CONTROL_REQUEST_MAX) {
            expect_echo(fd, "x");
            ck_assert(rig_is_silent(fd));
        } else {
            expect_error(fd, "longer than 64 KiB");
            ck_assert(rig_is_closed(fd));
            ck_assert_uint_eq(rig_places(), 0);
        }
        close(fd);
        rig_stop();
        free(line);
    }
}
END_TEST

START_TEST(bytes_without_end_are_cut_off_at_the_limit)
{
    static char noise[4 * CONTROL_REQUEST_MAX];
    int fd;

    start();
    fd = rig_connect();
    memset(noise, '[', sizeof(noise));

    for (size_t at = 0; at < sizeof(noise); at += 1024) {
        if (send(fd, noise + at, 1024, MSG_NOSIGNAL) < 0)
            break;
        rig_turn();
        ck_assert_uint_le(rig.control->conns[0].in.len,
                          CONTROL_REQUEST_MAX + 1);
    }

    expect_error(fd, "longer than 64 KiB");
    ck_assert(rig_is_closed(fd));
    close(fd);
    rig_stop();
}
END_TEST

/* ---- ends ----------------------------------------------------------------- */

START_TEST(who_says_no_more_still_gets_all_answers)
{
    int fd;

    start();
    fd = rig_connect();
    for (int i = 0; i < 5; i++)
        send_echo(fd, "x");
    ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);

    for (int i = 0; i < 5; i++)
        expect_echo(fd, "x");
    ck_assert(rig_is_closed(fd));
    ck_assert_uint_eq(rig_places(), 0);
    close(fd);
    rig_stop();
}
END_TEST

START_TEST(a_last_line_that_is_cut_is_not_carried_out)
{
    int fd;

    start();
    fd = rig_connect();
    rig_send(fd, "{\"command\":\"echo\",\"args\":[\"x\"]}");
    ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);

    expect_error(fd, "not ended by a newline");
    ck_assert(rig_is_closed(fd));
    ck_assert_uint_eq(runs, 0);
    close(fd);
    rig_stop();
}
END_TEST

START_TEST(who_is_gone_already_is_still_obeyed)
{
    int fd;

    start();
    fd = rig_connect();
    for (int i = 0; i < 5; i++)
        send_echo(fd, "x");
    close(fd);

    rig_settle();

    ck_assert_uint_eq(runs, 5);
    ck_assert_uint_eq(rig_places(), 0);
    rig_stop();
}
END_TEST

START_TEST(who_leaves_while_a_handler_works_costs_no_turns)
{
    size_t waits;
    int fd;

    start();
    fd = rig_connect();
    rig_send(fd, "{\"command\":\"later\"}\n");
    send_echo(fd, "next");
    rig_settle();
    close(fd);
    rig_turn();
    fake_time.stays = true;
    waits = fake_time.idle;

    /* A worker left to itself: it must find nothing to do. */
    worker_turn(rig.parts.main_worker);
    worker_turn(rig.parts.main_worker);
    ck_assert_uint_eq(fake_time.idle, waits + 2);
    ck_assert_uint_eq(rig_places(), 1);

    control_answer(waiting, control_ok());
    rig_settle();
    ck_assert_uint_eq(runs, 2);
    ck_assert_uint_eq(rig_places(), 0);
    rig_stop();
}
END_TEST

START_TEST(closing_the_control_sends_what_can_be_sent)
{
    int fd;

    start();
    fd = rig_connect();
    rig_send(fd, "{\"command\":\"later\"}\n");
    rig_settle();
    control_answer(waiting, control_ok());

    control_close(rig.control);
    rig.control = NULL;

    ck_assert_str_eq(rig_answer(fd), "{\"ok\":true}");
    ck_assert(rig_is_closed(fd));
    close(fd);
    rig_stop();
}
END_TEST

/* ---- deadlines ------------------------------------------------------------ */

START_TEST(an_idle_connection_ends_at_its_deadline)
{
    int fd;

    start();
    fd = rig_connect();
    rig_pass_ms(CONTROL_DEADLINE_MS - 1);
    ck_assert(rig_is_silent(fd));
    send_echo(fd, "x"); /* from its answer on it has as long again */
    expect_echo(fd, "x");
    rig_pass_ms(CONTROL_DEADLINE_MS - 1);
    ck_assert(rig_is_silent(fd));

    rig_pass_ms(1);

    ck_assert(rig_is_closed(fd));
    close(fd);
    rig_stop();
}
END_TEST

START_TEST(a_request_that_drips_in_does_not_move_its_deadline)
{
    int fd;

    start();
    fd = rig_connect();
    for (int i = 0; i < 10; i++) {
        rig_send(fd, "[");
        rig_pass_ms(CONTROL_DEADLINE_MS / 10);
    }

    expect_error(fd, "did not come whole in time");
    ck_assert(rig_is_closed(fd));
    close(fd);
    rig_stop();
}
END_TEST

START_TEST(a_handler_that_is_late_is_no_longer_heard)
{
    uint32_t serial;
    int fd;

    start();
    fd = rig_connect();
    rig_send(fd, "{\"command\":\"later\"}\n");
    rig_settle();
    serial = waiting->serial;

    rig_pass_ms(CONTROL_DEADLINE_MS);

    expect_error(fd, "did not find the answer in time");
    ck_assert_uint_ne(waiting->serial, serial);
    send_echo(fd, "x");
    expect_echo(fd, "x");
    close(fd);
    rig_stop();
}
END_TEST

START_TEST(an_answer_that_nobody_takes_ends_at_its_deadline)
{
    int fd;

    start();
    fd = rig_connect();
    rig_send(fd, "{\"command\":\"big\"}\n");
    rig_settle();
    ck_assert_int_eq(rig.control->conns[0].state, CONTROL_WRITING);

    rig_pass_ms(CONTROL_DEADLINE_MS);

    ck_assert_uint_eq(rig_places(), 0);
    close(fd);
    rig_stop();
}
END_TEST

START_TEST(every_state_but_free_has_its_deadline)
{
    const struct wheel_timer *deadline;
    int fd;

    start();
    deadline = &rig.control->conns[0].deadline;
    ck_assert(!wheel_is_armed(deadline));
    fd = rig_connect();
    ck_assert(wheel_is_armed(deadline));
    rig_send(fd, "{\"command\":\"later\"}\n{\"command\":\"big\"}\n");
    rig_settle();
    ck_assert(wheel_is_armed(deadline));
    control_answer(waiting, control_ok());
    rig_settle();
    ck_assert_int_eq(rig.control->conns[0].state, CONTROL_WRITING);
    ck_assert(wheel_is_armed(deadline));

    close(fd);
    rig_settle();
    ck_assert_uint_eq(rig_places(), 0);
    ck_assert(!wheel_is_armed(deadline));
    rig_stop();
}
END_TEST

/* ---- bounds --------------------------------------------------------------- */

START_TEST(who_takes_no_answers_is_asked_for_no_more_requests)
{
    int fd;

    start();
    fd = rig_connect();
    for (int i = 0; i < 10; i++)
        rig_send(fd, "{\"command\":\"big\"}\n");
    rig_settle();

    /* One answer in hand and no second one begun. */
    ck_assert_uint_eq(runs, 1);
    ck_assert_uint_le(rig.control->conns[0].out.len, BIG + 1);

    for (int i = 0; i < 10; i++) {
        const char *const line = rig_answer(fd);

        ck_assert_uint_eq(strlen(line), BIG);
        /* Millions of ck_assert() are a quarter of an hour for valgrind. */
        for (unsigned k = 0; k < BIG; k++)
            if (line[k] != (char)('a' + k % 26))
                ck_abort_msg("answer %d is another at byte %u", i, k);
    }
    ck_assert(rig_is_silent(fd));
    ck_assert_ptr_null(rig.control->conns[0].out.data);
    ck_assert_ptr_null(rig.control->conns[0].in.data);
    close(fd);
    rig_stop();
}
END_TEST

START_TEST(the_17th_is_turned_away_until_somebody_leaves)
{
    int fds[CONTROL_CONNS_MAX];
    int extra;

    start();
    for (unsigned i = 0; i < CONTROL_CONNS_MAX; i++)
        fds[i] = rig_connect();
    ck_assert_uint_eq(rig_places(), CONTROL_CONNS_MAX);

    extra = rig_connect();
    expect_error(extra, "too many control connections");
    ck_assert(rig_is_closed(extra));
    close(extra);
    for (unsigned i = 0; i < CONTROL_CONNS_MAX; i++) {
        send_echo(fds[i], "x");
        expect_echo(fds[i], "x");
    }

    close(fds[7]);
    rig_settle();
    fds[7] = rig_connect();
    send_echo(fds[7], "x");
    expect_echo(fds[7], "x");
    for (unsigned i = 0; i < CONTROL_CONNS_MAX; i++)
        close(fds[i]);
    rig_stop();
}
END_TEST

UNIT_MAIN("ops/control_conn", a_request_is_answered_by_one_line,
          a_stream_split_anywhere_gives_the_same_answers,
          requests_that_come_together_are_answered_in_order,
          more_may_be_sent_while_a_handler_works,
          one_turn_carries_out_at_most_one_request_of_each,
          garbage_is_told_and_the_connection_goes_on,
          a_request_may_be_64_KiB_and_not_a_byte_longer,
          bytes_without_end_are_cut_off_at_the_limit,
          who_says_no_more_still_gets_all_answers,
          a_last_line_that_is_cut_is_not_carried_out,
          who_is_gone_already_is_still_obeyed,
          who_leaves_while_a_handler_works_costs_no_turns,
          closing_the_control_sends_what_can_be_sent,
          an_idle_connection_ends_at_its_deadline,
          a_request_that_drips_in_does_not_move_its_deadline,
          a_handler_that_is_late_is_no_longer_heard,
          an_answer_that_nobody_takes_ends_at_its_deadline,
          every_state_but_free_has_its_deadline,
          who_takes_no_answers_is_asked_for_no_more_requests,
          the_17th_is_turned_away_until_somebody_leaves)
