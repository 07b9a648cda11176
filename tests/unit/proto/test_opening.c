/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "front_rig.h"
#include "support/fake_time.h"
#include "support/unit.h"

static void
start(void)
{
    rig_init();
    rig.detects = true;
    rig_start();
}

static enum conn_state
state_of(const struct peer *p)
{
    struct conn *const c = conns_find(rig.conns, p->id);

    return c != NULL ? conn_get_state(c) : CONN_CLOSED;
}

START_TEST(a_new_conn_waits_for_its_first_bytes)
{
    struct peer *p;

    start();
    p = rig_connect();
    rig_settle();

    ck_assert_int_eq(state_of(p), CONN_DETECT);
    ck_assert_uint_eq(rig_counter("clients"), 0);
    ck_assert_str_eq(peer_read(p), "");
    rig_stop();
}
END_TEST

START_TEST(bytes_that_decided_are_read_by_the_protocol)
{
    struct peer *p;

    start();
    p = rig_connect();
    peer_say(p, "xavier\n");

    ck_assert_ptr_nonnull(p->talk);
    ck_assert(
        slice_equal(hub_take(COMMAND_ATTACH)->c.name, slice_of("xavier")));
    rig_stop();
}
END_TEST

START_TEST(bytes_may_come_one_by_one)
{
    const struct sent *s;
    struct peer *p;

    start();
    p = rig_connect();
    peer_say(p, "N");
    peer_say(p, "I");
    ck_assert_int_eq(state_of(p), CONN_DETECT);
    peer_say(p, "n");
    ck_assert_int_eq(state_of(p), CONN_OPENING);
    peer_say(p, "a\n");

    s = hub_take(COMMAND_ATTACH);
    ck_assert(slice_equal(s->c.name, slice_of("NIna")));
    rig_stop();
}
END_TEST

START_TEST(silence_is_a_plain_client)
{
    struct peer *p;

    start();
    p = rig_connect();
    rig_settle();
    fake_time_pass_ms(rig.net.timeouts_detect - 1);
    rig_settle();
    ck_assert_int_eq(state_of(p), CONN_DETECT);
    fake_time_pass_ms(1);
    rig_settle();

    ck_assert_ptr_nonnull(p->talk);
    ck_assert_int_eq(state_of(p), CONN_OPENING);
    rig_stop();
}
END_TEST

START_TEST(what_came_before_silence_is_not_lost)
{
    struct peer *p;

    start();
    p = rig_connect();
    peer_say(p, "PING");
    fake_time_pass_ms(rig.net.timeouts_detect);
    rig_settle();
    ck_assert_ptr_nonnull(p->talk);
    peer_say(p, "u\n");

    ck_assert(slice_equal(hub_take(COMMAND_ATTACH)->c.name, slice_of("PINGu")));
    rig_stop();
}
END_TEST

static void
expect_refusal(const char *bytes, size_t len, const char *answer,
               size_t answer_len)
{
    struct peer *p;

    start();
    p = rig_connect();
    ck_assert_int_eq(write(p->fd, bytes, len), (ssize_t)len);
    (void)peer_read(p);

    ck_assert_uint_ge(p->text.len, answer_len);
    ck_assert_int_eq(memcmp(p->text.data, answer, answer_len), 0);
    ck_assert(p->at_eof);
    ck_assert_uint_eq(rig_counter("clients"), 0);
    peer_close(p);
    rig_settle();
    ck_assert_int_eq(state_of(p), CONN_CLOSED);
    ck_assert_uint_eq(
        metric_read(&conns_counters(rig.conns)->ended[CONN_END_PROTOCOL]), 1);
    rig_stop();
}

START_TEST(a_browser_is_told_in_http)
{
    static const char get[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    static const char head[] = "HTTP/1.1 501 Not Implemented\r\n";

    expect_refusal(get, strlen(get), head, strlen(head));
}
END_TEST

START_TEST(the_http_answer_is_as_long_as_it_says)
{
    const char *text, *body;
    unsigned length = 0;
    struct peer *p;

    start();
    p = rig_connect();
    peer_say(p, "GET / HTTP/1.1\r\n\r\n");
    text = peer_read(p);

    ck_assert_ptr_nonnull(strstr(text, "\r\nConnection: close\r\n"));
    body = strstr(text, "\r\nContent-Length: ");
    ck_assert_ptr_nonnull(body);
    ck_assert_int_eq(sscanf(body, " Content-Length: %u", &length), 1);
    body = strstr(text, "\r\n\r\n");
    ck_assert_ptr_nonnull(body);
    ck_assert_uint_eq(strlen(body + 4), length);
    rig_stop();
}
END_TEST

START_TEST(an_irc_client_is_told_by_error)
{
    static const char cap[] = "CAP LS 302\r\nNICK a\r\nUSER a 0 * :a\r\n";

    expect_refusal(cap, strlen(cap), "ERROR :", 7);
}
END_TEST

START_TEST(a_tls_client_is_told_by_an_alert)
{
    static const char hello[] = "\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03";

    expect_refusal(hello, sizeof(hello) - 1, "\x15\x03\x03\x00\x02\x02\x28", 7);
}
END_TEST

START_TEST(a_pinned_listener_does_not_look)
{
    const struct front_listener line = {5, FRONT_LINE};
    struct peer *p;

    start();
    ck_assert_int_eq(front_set_listener(rig.f, &line), 0);
    p = rig_connect_to(5);
    ck_assert_int_eq(state_of(p), CONN_OPENING);
    peer_say(p, "GET /\n");

    ck_assert(slice_equal(hub_take(COMMAND_ATTACH)->c.name, slice_of("GET /")));
    rig_stop();
}
END_TEST

START_TEST(a_listener_pinned_to_what_is_not_served_says_so)
{
    const struct front_listener irc = {0, FRONT_IRC};
    const struct front_listener http = {1, FRONT_HTTP};
    struct peer *p;

    start();
    ck_assert_int_eq(front_set_listener(rig.f, &http), 0);
    ck_assert_int_eq(front_set_listener(rig.f, &irc), 0);

    p = rig_connect_to(0);
    ck_assert_int_eq(strncmp(peer_read(p), "ERROR :", 7), 0);
    p = rig_connect_to(1);
    ck_assert_int_eq(strncmp(peer_read(p), "HTTP/1.1 501", 12), 0);
    rig_stop();
}
END_TEST

START_TEST(a_listener_nobody_set_is_auto)
{
    const struct front_listener line = {5, FRONT_LINE};

    start();
    ck_assert_int_eq(front_set_listener(rig.f, &line), 0);

    ck_assert_int_eq(state_of(rig_connect_to(4)), CONN_DETECT);
    ck_assert_int_eq(state_of(rig_connect_to(6)), CONN_DETECT);
    rig_stop();
}
END_TEST

START_TEST(a_pin_can_be_lifted)
{
    struct front_listener l = {2, FRONT_LINE};

    start();
    ck_assert_int_eq(front_set_listener(rig.f, &l), 0);
    l.protocol = FRONT_AUTO;
    ck_assert_int_eq(front_set_listener(rig.f, &l), 0);

    ck_assert_int_eq(state_of(rig_connect_to(2)), CONN_DETECT);
    rig_stop();
}
END_TEST

START_TEST(eof_before_anything_could_be_told_ends_the_conn)
{
    struct peer *p;

    start();
    p = rig_connect();
    peer_say(p, "NIC");
    peer_finish(p);

    ck_assert_int_eq(state_of(p), CONN_CLOSED);
    ck_assert_uint_eq(
        metric_read(&conns_counters(rig.conns)->ended[CONN_END_EOF]), 1);
    rig_stop();
}
END_TEST

START_TEST(a_stop_closes_who_is_not_known_yet_and_who_comes_later)
{
    struct peer *early, *late;

    start();
    early = rig_connect();
    rig_settle();
    front_stop(rig.f);
    ck_assert_int_eq(state_of(early), CONN_CLOSED);
    late = rig_connect();

    ck_assert_int_eq(state_of(late), CONN_CLOSED);
    ck_assert_uint_eq(
        metric_read(&conns_counters(rig.conns)->ended[CONN_END_SHUTDOWN]), 2);
    rig_stop();
}
END_TEST

UNIT_MAIN("proto/opening", a_new_conn_waits_for_its_first_bytes,
          bytes_that_decided_are_read_by_the_protocol,
          bytes_may_come_one_by_one, silence_is_a_plain_client,
          what_came_before_silence_is_not_lost, a_browser_is_told_in_http,
          the_http_answer_is_as_long_as_it_says, an_irc_client_is_told_by_error,
          a_tls_client_is_told_by_an_alert, a_pinned_listener_does_not_look,
          a_listener_pinned_to_what_is_not_served_says_so,
          a_listener_nobody_set_is_auto, a_pin_can_be_lifted,
          eof_before_anything_could_be_told_ends_the_conn,
          a_stop_closes_who_is_not_known_yet_and_who_comes_later)
