/* SPDX-License-Identifier: BSD-2-Clause
 *
 * HUP: all of a new configuration or none of it, with everybody still there.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/daemon.h"
#include "support/peer.h"
#include "support/swarm.h"
#include "support/unit.h"

#define STORM 300u /* connections a round, half before HUP and half behind */

static struct daemon d;
static struct peer a, b;
static struct swarm swarm;

static void
two_join(const char *config)
{
    daemon_start(&d, config);
    peer_join(&a, d.port, "a");
    peer_join(&b, d.port, "b");
    peer_expect(&a, "* b joined #lobby.");
}

static void
two_leave(void)
{
    peer_expect_silence(&a);
    peer_expect_silence(&b);
    peer_close(&a);
    peer_close(&b);
    daemon_stop(&d);
}

static unsigned
count_logged(const char *text)
{
    FILE *const f = fopen(d.log, "r");
    char line[4096];
    unsigned n = 0;

    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof(line), f) != NULL)
        n += strstr(line, text) != NULL;
    fclose(f);
    return n;
}

/* Puts the config in place, sends HUP and waits for the log to tell. */
static void
reload(const char *config, const char *outcome)
{
    const unsigned before = count_logged(outcome);
    const uint64_t deadline = now_ms() + e2e_patience_ms(5000);

    daemon_configure(&d, config);
    daemon_signal(&d, SIGHUP);
    while (count_logged(outcome) == before) {
        if (now_ms() >= deadline)
            e2e_fail("not logged after HUP: %s; see %s", outcome, d.log);
        (void)poll(NULL, 0, 5);
    }
}

static void
reload_well(const char *config)
{
    reload(config, "notice config reloaded");
}

static void
reload_badly(const char *config)
{
    reload(config, "not reloaded; the old configuration stays");
}

/* `len` bytes are told, or refused because of `limit`. */
static void
try_line(size_t len, size_t limit)
{
    char line[8192];

    memset(line, 'x', len);
    line[len] = '\0';
    peer_send(&a, "%s\n", line);
    if (len <= limit)
        peer_expect(&b, "<a> %s", line);
    else
        peer_expect(&a,
                    "* That line is longer than %zu bytes and was not "
                    "taken; please send it in parts.",
                    limit);
}

START_TEST(a_live_setting_changes_for_those_who_are_there)
{
    two_join("[limits]\nline_length = 100\n");
    try_line(101, 100);

    reload_well("[limits]\nline_length = 200\n");
    ck_assert(daemon_logged(&d, "changed section=limits key=line_length "
                                "was=100 is=200"));
    try_line(200, 200);
    try_line(201, 200);
    reload_well(NULL);
    try_line(4096, 4096);
    two_leave();
}
END_TEST

/* The hub has a thread of its own, and settings that only it knows. */
START_TEST(a_setting_of_the_hub_changes_as_well)
{
    two_join("[limits]\ntopic_length = 10\n");
    peer_send(&a, "/topic 0123456789\n");
    peer_expect(&a, "* a set the topic of #lobby: 0123456789");
    peer_expect(&b, "* a set the topic of #lobby: 0123456789");

    reload_well("[limits]\ntopic_length = 5\n");

    peer_send(&a, "/topic 012345\n");
    peer_expect(&a, "* That topic is too long; please shorten it.");
    peer_send(&a, "/topic 01234\n");
    peer_expect(&a, "* a set the topic of #lobby: 01234");
    peer_expect(&b, "* a set the topic of #lobby: 01234");
    two_leave();
}
END_TEST

START_TEST(who_joins_after_it_is_welcomed_by_the_new_name)
{
    struct peer c;

    two_join(NULL);

    reload_well("[server]\nname = the other place\n");

    peer_connect(&c, d.port);
    peer_send(&c, "c\n");
    peer_expect_start(&c, "Nickname: * Welcome to the other place, c.");
    peer_await(&c, "You are in #lobby");
    peer_expect_silence(&c); /* what is unread at a close makes it a reset */
    peer_close(&c);
    peer_expect(&a, "* c joined #lobby.");
    peer_expect(&a, "* c quit (connection closed).");
    peer_expect(&b, "* c joined #lobby.");
    peer_expect(&b, "* c quit (connection closed).");
    two_leave();
}
END_TEST

START_TEST(a_wrong_config_changes_nothing_and_says_why)
{
    two_join("[limits]\nline_length = 100\n");

    reload_badly("[limits]\nline_length = 200\nmessage_rate = often\n");
    ck_assert(daemon_logged(&d, "klatch.conf:"));
    ck_assert(daemon_logged(&d, "message_rate"));
    try_line(101, 100);

    reload_badly("[listen \"bad\"]\naddress = 192.0.2.1:1\n");
    try_line(101, 100);

    ck_assert_int_eq(unlink(d.config), 0);
    daemon_signal(&d, SIGHUP);
    daemon_await_log(&d, "No such file");
    try_line(101, 100);
    reload_well("[limits]\nline_length = 200\n");
    try_line(200, 200);
    two_leave();
}
END_TEST

START_TEST(what_needs_a_restart_is_told)
{
    two_join(NULL);

    d.workers++;
    reload_well(NULL);

    ck_assert(
        daemon_logged(&d, "waits for a restart section=server key=workers"));
    two_leave();
}
END_TEST

START_TEST(listeners_come_and_go_and_clients_stay)
{
    char config[256], second[DAEMON_PATH_MAX + 8];
    struct peer c;

    two_join(NULL);
    snprintf(second, sizeof(second), "%s.2", d.socket);
    snprintf(config, sizeof(config),
             "[listen \"second\"]\naddress = unix:%s\nprotocol = line\n",
             second);

    for (int i = 0; i < 5; i++) {
        e2e_scene("round %d", i);
        reload_well(config);
        peer_connect_unix(&c, second);
        peer_enter(&c, "c");
        peer_expect(&a, "* c joined #lobby.");
        peer_expect(&b, "* c joined #lobby.");
        reload_well(NULL);

        /* The door is gone, who came through it is not. */
        while (access(second, F_OK) == 0)
            (void)poll(NULL, 0, 5);
        peer_send(&c, "still here\n");
        peer_expect(&a, "<c> still here");
        peer_expect(&b, "<c> still here");
        peer_close(&c);
        peer_expect(&a, "* c quit (connection closed).");
        peer_expect(&b, "* c quit (connection closed).");
    }
    two_leave();
}
END_TEST

START_TEST(a_listener_that_stays_keeps_its_socket)
{
    struct peer c;

    two_join(NULL);

    /* In the backlog, while others are opened and closed around it. */
    daemon_freeze(&d);
    peer_connect(&c, d.port);
    daemon_configure(&d, "[listen \"more\"]\naddress = 127.0.0.1:0\n");
    daemon_signal(&d, SIGHUP);
    daemon_thaw(&d);

    peer_enter(&c, "c");
    peer_expect(&a, "* c joined #lobby.");
    peer_expect(&b, "* c joined #lobby.");
    daemon_await_log(&d, "notice config reloaded");
    reload_well(NULL);
    peer_close(&c);
    peer_expect(&a, "* c quit (connection closed).");
    peer_expect(&b, "* c quit (connection closed).");
    two_leave();
}
END_TEST

START_TEST(the_protocol_of_a_listener_can_change)
{
    char config[256], second[DAEMON_PATH_MAX + 8];
    struct peer c;

    two_join(NULL);
    snprintf(second, sizeof(second), "%s.2", d.socket);
    snprintf(config, sizeof(config), "[listen \"x\"]\naddress = unix:%s\n",
             second);
    reload_well(config);
    peer_connect_unix(&c, second);
    peer_send(&c, "NICK c\r\n");
    peer_expect_start(&c, "ERROR :");
    peer_close(&c);

    strcat(config, "protocol = line\n");
    reload_well(config);

    peer_connect_unix(&c, second);
    peer_send(&c, "NICK c\r\n");
    peer_expect_start(&c, "Nickname: * NICK c cannot be a nickname");
    peer_close(&c);
    reload_well(NULL);
    two_leave();
}
END_TEST

START_TEST(a_hundred_reloads_disturb_nobody)
{
    const unsigned rounds = e2e_scaled(100);

    two_join(NULL);

    for (unsigned i = 0; i < rounds; i++) {
        daemon_configure(&d, i % 2 == 0 ? "[limits]\nsendq = 1M\n"
                                          "[history]\nroom_events = 5\n"
                                        : NULL);
        daemon_signal(&d, SIGHUP);
        peer_send(&a, "line %u\n", i);
        peer_expect(&b, "<a> line %u", i);
    }
    daemon_await_log(&d, "notice config reloaded");
    two_leave();
}
END_TEST

/* ---- while connections storm in ------------------------------------------ */

static void
on_line(void *arg, size_t i, const char *line)
{
    /* A prompt ends no line. */
}

static bool
all_are_greeted(void *arg)
{
    for (size_t i = 0; i < swarm.count; i++) {
        if (swarm.clients[i].heard == 0)
            return false;
    }
    return true;
}

/* Each time listeners come or go, too, and everything is handed out anew. */
START_TEST(whoever_comes_during_a_reload_is_greeted)
{
    static const char *const configs[] = {
        "[timeouts]\ndetect = 20ms\n[limits]\nsendq = 1M\n"
        "[listen \"more\"]\naddress = 127.0.0.1:0\n"
        "[listen \"v6\"]\naddress = [::1]:0\n",
        "[timeouts]\ndetect = 20ms\n[history]\nroom_events = 5\n",
    };
    const unsigned n = e2e_scaled(STORM);

    daemon_start(&d, configs[1]);
    for (unsigned round = 0; round < 10; round++) {
        e2e_scene("round %u", round);
        daemon_configure(&d, configs[round % 2]);
        swarm_init(&swarm, n, on_line, NULL);
        swarm_connect(&swarm, 0, n / 2, d.port);
        daemon_signal(&d, SIGHUP);
        swarm_connect(&swarm, n / 2, n - n / 2, d.port);
        swarm_run_until(&swarm, all_are_greeted, NULL, "all to be greeted");
        ck_assert_uint_eq(daemon_listen_queue(&d), 0);
        swarm_fini(&swarm);
        daemon_await_census(&d, "conns", 0);
    }
    daemon_await_log(&d, "notice config reloaded");
    ck_assert_uint_eq(count_logged("not reloaded"), 0);
    daemon_stop(&d);
}
END_TEST

UNIT_MAIN("e2e/reload", a_live_setting_changes_for_those_who_are_there,
          a_setting_of_the_hub_changes_as_well,
          who_joins_after_it_is_welcomed_by_the_new_name,
          a_wrong_config_changes_nothing_and_says_why,
          what_needs_a_restart_is_told, listeners_come_and_go_and_clients_stay,
          a_listener_that_stays_keeps_its_socket,
          the_protocol_of_a_listener_can_change,
          a_hundred_reloads_disturb_nobody,
          whoever_comes_during_a_reload_is_greeted)
