/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How a client gets in: the sorts of listener, and the first bytes by which an
 * `auto` one tells the protocols apart.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/daemon.h"
#include "support/peer.h"
#include "support/unit.h"

static struct daemon d;
static struct peer a, b;

/* The port of another listener, from the log line that tells its address. */
static uint16_t
port_of(const char *listener)
{
    char mark[64];
    const char *at;
    uint16_t port;
    char *status;

    snprintf(mark, sizeof(mark), "\"name\":\"%s\"", listener);
    status = daemon_ask(&d, "{\"command\":\"status\"}");
    at = strstr(status, mark);
    ck_assert_msg(at != NULL, "no listener %s in %s", listener, status);
    at = strstr(at, "127.0.0.1:");
    ck_assert_ptr_nonnull(at);
    port = (uint16_t)strtoul(at + strlen("127.0.0.1:"), NULL, 10);
    free(status);
    return port;
}

START_TEST(who_says_nothing_is_asked_after_a_moment)
{
    daemon_start(&d, NULL);

    peer_connect(&a, d.port);

    peer_expect_bytes(&a, "Nickname: ");
    peer_close(&a);
    daemon_stop(&d);
}
END_TEST

START_TEST(who_speaks_first_is_answered_at_once)
{
    daemon_start(&d, "[timeouts]\ndetect = 30s\n");

    peer_connect(&a, d.port);
    peer_send(&a, "alice\n");

    peer_expect_start(&a, "Nickname: * Welcome to klatch, alice.");
    peer_close(&a);
    daemon_stop(&d);
}
END_TEST

START_TEST(a_listener_for_lines_asks_at_once)
{
    daemon_start(&d, "[timeouts]\ndetect = 30s\n"
                     "[listen \"lines\"]\naddress = 127.0.0.1:0\n"
                     "protocol = line\n");

    peer_connect(&a, port_of("lines"));
    peer_expect_bytes(&a, "Nickname: ");

    /* And takes nothing for another protocol. */
    peer_send(&a, "NICK alice\n");
    peer_expect_start(&a, "* NICK alice cannot be a nickname");
    peer_close(&a);
    daemon_stop(&d);
}
END_TEST

START_TEST(a_unix_socket_is_a_door_like_others)
{
    daemon_start(&d, NULL);

    peer_connect_unix(&a, d.socket);
    peer_expect_bytes(&a, "Nickname: ");
    peer_enter(&a, "alice");
    peer_join(&b, d.port, "bob");
    peer_expect(&a, "* bob joined #lobby.");
    peer_send(&b, "over here\n");
    peer_expect(&a, "<bob> over here");
    peer_close(&a);
    peer_expect(&b, "* alice quit (connection closed).");
    peer_close(&b);
    daemon_stop(&d);
}
END_TEST

START_TEST(a_browser_reads_that_this_is_no_web_server)
{
    daemon_start(&d, NULL);

    peer_connect(&a, d.port);
    peer_send(&a, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");

    peer_expect(&a, "HTTP/1.1 501 Not Implemented");
    peer_await(&a, "Connection: close");
    peer_await(&a, "Join with a terminal");
    peer_expect_end(&a, false);
    peer_close(&a);
    daemon_stop(&d);
}
END_TEST

START_TEST(an_irc_client_reads_an_error_of_its_own_protocol)
{
    static const char *const firsts[] = {
        "NICK alice\r\nUSER alice 0 * :Alice\r\n", "CAP LS 302\r\n",
        "PASS secret\r\n", "user alice 0 * :Alice\r\n"};

    daemon_start(&d, NULL);

    for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
        e2e_scene("%s", firsts[i]);
        peer_connect(&a, d.port);
        peer_send(&a, "%s", firsts[i]);
        peer_expect_start(&a, "ERROR :");
        peer_expect_end(&a, false);
        peer_close(&a);
    }
    daemon_stop(&d);
}
END_TEST

START_TEST(a_tls_client_gets_an_alert)
{
    static const char hello[] = "\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03";

    daemon_start(&d, NULL);

    peer_connect(&a, d.port);
    peer_send_bytes(&a, hello, sizeof(hello) - 1);

    peer_expect_bytes(&a, "\x15\x03\x03"); /* alert, and its version */
    ck_assert_uint_eq(peer_receive_some(&a, 16), 0);
    peer_close(&a);
    daemon_stop(&d);
}
END_TEST

START_TEST(a_protocol_that_comes_byte_by_byte_is_known_all_the_same)
{
    static const char request[] = "GET / HTTP/1.1\r\n\r\n";
    static const char nick[] = "GEThsemane\n"; /* begins like it */

    daemon_start(&d, "[timeouts]\ndetect = 30s\n");

    peer_connect(&a, d.port);
    for (size_t i = 0; i < sizeof(request) - 1; i++)
        peer_send_bytes(&a, request + i, 1);
    peer_expect(&a, "HTTP/1.1 501 Not Implemented");
    peer_close(&a);

    peer_connect(&b, d.port);
    for (size_t i = 0; i < sizeof(nick) - 1; i++)
        peer_send_bytes(&b, nick + i, 1);
    peer_expect_start(&b, "Nickname: * Welcome to klatch, GEThsemane.");
    peer_close(&b);
    daemon_stop(&d);
}
END_TEST

START_TEST(who_comes_and_goes_without_a_word_leaves_no_trace)
{
    daemon_start(&d, NULL);
    peer_join(&a, d.port, "alice");

    for (int i = 0; i < 20; i++) {
        peer_connect(&b, d.port);
        if (i % 3 == 0)
            peer_send(&b, "GE");
        if (i % 2 == 0)
            peer_close(&b);
        else
            peer_reset(&b);
    }

    daemon_await_census(&d, "conns", 1);
    peer_expect_silence(&a);
    peer_close(&a);
    daemon_stop(&d);
}
END_TEST

UNIT_MAIN("e2e/doors", who_says_nothing_is_asked_after_a_moment,
          who_speaks_first_is_answered_at_once,
          a_listener_for_lines_asks_at_once,
          a_unix_socket_is_a_door_like_others,
          a_browser_reads_that_this_is_no_web_server,
          an_irc_client_reads_an_error_of_its_own_protocol,
          a_tls_client_gets_an_alert,
          a_protocol_that_comes_byte_by_byte_is_known_all_the_same,
          who_comes_and_goes_without_a_word_leaves_no_trace)
