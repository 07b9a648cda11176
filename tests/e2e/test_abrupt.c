/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Clients end abruptly wherever the line protocol has a point to end at: by FIN,
 * by RST, by half a close, or by vanishing. Whatever waited for them ends as
 * well, and nobody else notices: everybody in #crowd hears everything.
 *
 * And when the server is told to end itself, it does, whoever is stuck.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "support/daemon.h"
#include "support/figure.h"
#include "support/net_world.h"
#include "support/peer.h"
#include "support/stamp.h"
#include "support/swarm.h"
#include "support/unit.h"
#include "visitors.h"

#define CROWD    60u
#define SPEAKERS 4u /* of the crowd */
#define TICK_MS  20u
#define PADDING  100u

#define LIMITS                                                  \
    "[history]\nroom_events = 0\n"                              \
    "[limits]\nmessage_rate = 100\nmessage_burst = 20\n"        \
    "client_window = 16\nline_length = 1024\n"                  \
    "[timeouts]\ndetect = 20ms\nopening = 1m\nidle_ping = 5s\n" \
    "pong = 5s\nuser_timeout = 4s\ndrain = 10s\n"

static struct daemon d;
static struct net_world world;
static struct swarm swarm;
static unsigned in_crowd;
static unsigned said[SPEAKERS];
static unsigned heard[CROWD][SPEAKERS];

/* What the census must have seen to believe that the points were reached. */
static const char *const sights[] = {
    "in_detect", "in_opening", "in_draining", "conns_paused", "kept_bytes",
};
#define SIGHTS (sizeof(sights) / sizeof(sights[0]))
static uint64_t seen[SIGHTS];

/* -- the crowd ------------------------------------------------------------- */

static void
on_line(void *arg, size_t i, const char *line)
{
    const char *const text = strstr(line, "> ");
    struct stamp s;

    if (line[0] == '*' || line[0] == 'N') {
        in_crowd += strstr(line, "* You left #lobby") != NULL;
        return;
    }
    if (text == NULL || !stamp_read(text + 2, &s) || s.sender >= SPEAKERS ||
        s.number != ++heard[i][s.sender])
        e2e_fail("client %zu of the crowd heard: %s", i, line);
}

static bool
crowd_is_in(void *arg)
{
    return in_crowd == CROWD;
}

/* Long names, so that the answer to /who is long. */
static void
crowd_comes(const char *server)
{
    const struct swarm_route route = {.to = server, .port = d.port};

    swarm_init(&swarm, CROWD, on_line, NULL);
    swarm_connect_along(&swarm, 0, CROWD, &route);
    for (unsigned i = 0; i < CROWD; i++)
        swarm_send(&swarm, i,
                   "member-%02u-of-the-crowd\n/join " VISITORS_CROWD
                   "\n/part #lobby\n",
                   i);
    swarm_run_until(&swarm, crowd_is_in, NULL, "the crowd to be in");
}

static void
crowd_talks(void)
{
    for (unsigned i = 0; i < SPEAKERS; i++) {
        const struct stamp s = {0, i, ++said[i]};
        const size_t padding = said[i] % PADDING;
        char text[STAMP_SIZE + PADDING];

        stamp_write(text, STAMP_SIZE + padding, &s, padding);
        swarm_send(&swarm, i, "%s\n", text);
    }
}

static bool
all_is_heard(void *arg)
{
    for (unsigned i = 0; i < CROWD; i++)
        for (unsigned k = 0; k < SPEAKERS; k++)
            if (k != i && heard[i][k] != said[k])
                return false;
    return true;
}

/* -- what is looked at meanwhile ------------------------------------------- */

static void
look(void)
{
    char *const census = daemon_census_now(&d);

    if (daemon_number_in(census, "conns_without_deadline") != 0)
        e2e_fail("somebody waits without an end: %s", census);
    for (size_t i = 0; i < SIGHTS; i++)
        if (daemon_number_in(census, sights[i]) > seen[i])
            seen[i] = daemon_number_in(census, sights[i]);
    free(census);
}

static void
attend(pid_t visitors, unsigned visits)
{
    unsigned looks = 0;
    int status = 0;

    while (waitpid(visitors, &status, WNOHANG) == 0) {
        crowd_talks();
        swarm_run_for(&swarm, TICK_MS);
        look();
        looks++;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        e2e_fail("the visitors ended with status %d", status);
    e2e_measured("%u visits; %u looks at the census saw at most %u detecting, "
                 "%u opening, %u draining, %u paused, %u bytes kept",
                 visits, looks, (unsigned)seen[0], (unsigned)seen[1],
                 (unsigned)seen[2], (unsigned)seen[3], (unsigned)seen[4]);
    for (size_t i = 0; i < SIGHTS; i++)
        if (seen[i] == 0)
            e2e_fail("the census never saw any %s", sights[i]);
}

/* Router and addresses, where we may have them. */
static void
open_world(struct visitors_plan *plan)
{
    plan->have_world = net_world_is_possible();
    plan->server = plan->have_world ? NET_WORLD_SERVER : "127.0.0.1";
    if (!plan->have_world) {
        daemon_start(&d, LIMITS);
        return;
    }
    net_world_open(&world);
    net_world_rules(&world,
                    "add rule inet cut forward ip saddr " VISITORS_VANISH
                    ".0.0/16 tcp flags & rst != 0 drop\n");
    net_world_start(&world, &d, LIMITS);
}

START_TEST(who_ends_abruptly_at_any_point_is_forgotten)
{
    struct visitors_plan plan = {
        .visits = e2e_figure(3000, 1000000),
        .at_once = figure_is_long() ? 512 : 128,
        .vanish_each = figure_is_long() ? 29 : 5,
    };
    uint64_t began_ms;
    unsigned threads;

    open_world(&plan);
    plan.port = d.port;
    threads = daemon_threads(&d);
    crowd_comes(plan.server);

    began_ms = now_ms();
    attend(visitors_start(&plan), plan.visits);
    e2e_measured("%u visits took %u ms", plan.visits,
                 (unsigned)(now_ms() - began_ms));

    swarm_run_until(&swarm, all_is_heard, NULL, "all of the crowd's words");
    swarm_fini(&swarm);
    daemon_await_census_now(&d, d.at_rest);
    ck_assert_uint_eq(daemon_threads(&d), threads);
    daemon_stop(&d);
    if (plan.have_world)
        net_world_close(&world);
}
END_TEST

/* -- who is not read when it ends ------------------------------------------ */

#define PAUSED 16u

#define PATIENT                                             \
    "[timeouts]\nidle_ping = 10m\npong = 10m\nslow = 10m\n" \
    "user_timeout = 10m\ndrain = 500ms\n"

/* All say more than is read (the kernel takes 4 MiB of answers for each), until
 * nothing of them is; then they reset, which only a write or the error can
 * tell, and whoever sees it must say so. */
static void
reset_while_paused(const char *line)
{
    static struct peer p[PAUSED];
    static char lines[60000];
    const size_t line_len = strlen(line);
    size_t len = 0;

    while (len + line_len < sizeof(lines)) {
        memcpy(lines + len, line, line_len);
        len += line_len;
    }
    for (unsigned i = 0; i < PAUSED; i++) {
        peer_connect_small(&p[i], d.port, 2048);
        peer_send(&p[i], "p%u\n", i);
        peer_await(&p[i], "* You are in #lobby");
    }
    for (unsigned i = 0; i < PAUSED; i++)
        peer_send_bytes(&p[i], lines, len);
    daemon_await_census(&d, "conns_paused", PAUSED);

    for (unsigned i = 0; i < PAUSED; i++)
        peer_reset(&p[i]);

    daemon_await_census(&d, "conns", 0);
    daemon_stop(&d);
}

START_TEST(a_reset_behind_a_full_queue_is_noticed)
{
    daemon_start(&d, "[limits]\nsendq = 4M\nrecvq = 4k\n" PATIENT);
    reset_while_paused("/help\n");
}
END_TEST

START_TEST(a_reset_of_one_who_must_wait_is_noticed)
{
    daemon_start(&d, "[limits]\nmessage_rate = 1\nmessage_burst = 5\n" PATIENT);
    reset_while_paused("/topic\n");
}
END_TEST

/* -- the end of the server -------------------------------------------------- */

#define STUCK_KINDS 5u
#define STOP_MS     5000u
#define FILLING_MAX 4000u /* messages until queues must be full */

static unsigned stuck_each; /* of each kind */
static unsigned stuck_in;

static void
on_stuck_line(void *arg, size_t i, const char *line)
{
    stuck_in += strstr(line, "* You are in #lobby") != NULL;
}

static bool
stuck_are_in(void *arg)
{
    return stuck_in == 4 * stuck_each;
}

/* 0: does not read · 1: half a line · 2: in a subnegotiation · 3: has quit and
 * does not read what came before · 4: silent at the prompt. */
static void
get_stuck(const struct swarm_route *route)
{
    swarm_init(&swarm, STUCK_KINDS * stuck_each, on_stuck_line, NULL);
    swarm.receive_buffer = 4096;
    swarm_connect_along(&swarm, 0, swarm.count, route);
    for (unsigned i = 0; i < 4 * stuck_each; i++)
        swarm_send(&swarm, i, "stuck%u\n", i);
    swarm_run_until(&swarm, stuck_are_in, NULL, "all to be in");
    for (unsigned i = 0; i < stuck_each; i++) {
        swarm_mute(&swarm, i);
        swarm_send(&swarm, stuck_each + i, "half a li");
        swarm_send(&swarm, 2 * stuck_each + i, "\xff\xfa\x18");
        swarm_mute(&swarm, 3 * stuck_each + i);
    }
}

/* Until what is said waits in queues for all who do not read. */
static void
fill_queues(struct peer *speaker)
{
    char line[1001];

    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    for (unsigned n = 0; daemon_census(&d, "pending_msgs") < 4 * stuck_each;
         n += 100) {
        ck_assert_uint_lt(n, FILLING_MAX);
        for (unsigned k = 0; k < 100; k++)
            peer_send(speaker, "%s\n", line);
        peer_expect_silence(speaker);
        swarm_run_for(&swarm, 20);
    }
}

START_TEST(term_ends_it_in_time_with_a_thousand_stuck_peers)
{
    struct swarm_route route = {.to = "127.0.0.1"};
    struct peer speaker;
    uint64_t began_ms;

    stuck_each = e2e_scaled(200);
    daemon_start(&d, "[history]\nroom_events = 0\n"
                     "[timeouts]\ndrain = 2s\nuser_timeout = 10m\n"
                     "idle_ping = 10m\npong = 10m\n");
    route.port = d.port;
    get_stuck(&route);
    peer_join(&speaker, d.port, "speaker");
    fill_queues(&speaker);
    for (unsigned i = 0; i < stuck_each; i++)
        swarm_send(&swarm, 3 * stuck_each + i, "/quit\n");
    daemon_await_census(&d, "in_draining", stuck_each);
    ck_assert_uint_eq(daemon_census(&d, "in_opening"), stuck_each);

    began_ms = now_ms();
    daemon_stop_within(&d, e2e_patience_ms(STOP_MS));
    e2e_measured("TERM with %u stuck peers took %u ms",
                 STUCK_KINDS * stuck_each, (unsigned)(now_ms() - began_ms));
    peer_close(&speaker);
    swarm_fini(&swarm);
}
END_TEST

UNIT_MAIN("e2e/abrupt", who_ends_abruptly_at_any_point_is_forgotten,
          a_reset_behind_a_full_queue_is_noticed,
          a_reset_of_one_who_must_wait_is_noticed,
          term_ends_it_in_time_with_a_thousand_stuck_peers)
