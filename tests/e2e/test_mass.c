/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Nine tenths of a great crowd are gone at once: behind a wire that was cut, or
 * by a RST each. The others talk on, are told once of each who is gone, and lose
 * nothing; and when the crowd has come and gone again and again, nothing in the
 * server has grown. And a great crowd that is silent costs next to nothing.
 *
 * Names    r0 … stay; mCYCLE_N are the mass.
 * Rooms    All are in #lobby, where arrivals and departures are told. Those who
 *          stay talk in rooms of TABLE each.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/daemon.h"
#include "support/e2e.h"
#include "support/figure.h"
#include "support/net_world.h"
#include "support/stamp.h"
#include "support/swarm.h"
#include "support/unit.h"

#define CROWD_MAX   10000u
#define STAY_MAX    (CROWD_MAX / 10)
#define TABLE       10u
#define CYCLES_MAX  10u
#define TICK_MS     200u
#define PADDING     60u
#define STAY_PORT   10000u
#define MASS_PORT   20000u
#define FULL_CYCLE  4u /* by then memory is what it will be, of ten */
#define GROWTH_MAX  3u /* MiB of it in the cycles behind */
#define PATIENCE_MS 300000u

static struct daemon d;
static struct net_world world;
static struct swarm swarm;
static unsigned stay; /* the first ones */
static unsigned mass; /* the others */
static unsigned cycle;
static unsigned in_count;
static unsigned answers;

static unsigned said[STAY_MAX];
static unsigned heard[STAY_MAX][TABLE];
static uint8_t told[STAY_MAX][CROWD_MAX]; /* in which cycle it was, last */
static unsigned told_count;               /* in this cycle */

/* -- hearing --------------------------------------------------------------- */

static void
hear_message(size_t i, const char *line)
{
    const char *const text = strstr(line, "> ");
    struct stamp s;

    if (text == NULL || !stamp_read(text + 2, &s) || s.sender >= stay ||
        s.sender / TABLE != i / TABLE || s.room != i / TABLE)
        e2e_fail("client %zu heard: %s", i, line);
    if (s.number != ++heard[i][s.sender % TABLE])
        e2e_fail("client %zu: message %u of r%u comes as the %uth", i, s.number,
                 s.sender, heard[i][s.sender % TABLE]);
}

static void
hear_quit(size_t i, const char *line)
{
    unsigned of_cycle, n;

    if (sscanf(line, "* m%u_%u quit", &of_cycle, &n) != 2 ||
        of_cycle != cycle || n >= mass || told[i][n] == cycle)
        e2e_fail("client %zu: not to be told: %s", i, line);
    told[i][n] = (uint8_t)cycle;
    told_count++;
}

static void
on_line(void *arg, size_t i, const char *line)
{
    if (strncmp(line, "* You are in #", 14) == 0)
        in_count += i >= stay || line[14] == 'r';
    else if (i >= stay)
        return;
    else if (line[0] == '<')
        hear_message(i, line);
    else if (strcmp(line, "* #lobby has no topic.") == 0)
        answers++;
    else if (strstr(line, " quit") != NULL)
        hear_quit(i, line);
}

static bool
stayers_are_in(void *arg)
{
    return in_count == stay;
}

static bool
mass_is_in(void *arg)
{
    return in_count == mass;
}

static bool
all_answered(void *arg)
{
    return answers == stay;
}

/* -- talking --------------------------------------------------------------- */

/* One in each room says something. */
static void
talk(void)
{
    static unsigned turn;

    turn++;
    for (unsigned i = turn % TABLE; i < stay; i += TABLE) {
        const struct stamp s = {i / TABLE, i, ++said[i]};
        const size_t padding = turn % PADDING;
        char text[STAMP_SIZE + PADDING];

        stamp_write(text, STAMP_SIZE + padding, &s, padding);
        swarm_send(&swarm, i, "%s\n", text);
    }
}

static void
talk_until(bool (*is_done)(void *arg), const char *what)
{
    const uint64_t deadline = now_ms() + swarm.patience_ms;

    while (!is_done(NULL)) {
        if (now_ms() >= deadline)
            e2e_fail("waited in vain for %s", what);
        talk();
        swarm_run_for(&swarm, TICK_MS);
    }
}

static void
expect_all_heard(void)
{
    for (unsigned n = 0; n < 2; n++) {
        answers = 0;
        for (unsigned i = 0; i < stay; i++)
            swarm_send(&swarm, i, "/topic #lobby\n");
        swarm_run_until(&swarm, all_answered, NULL, "the answers to /topic");
    }
    for (unsigned i = 0; i < stay; i++)
        for (unsigned k = 0; k < TABLE; k++) {
            const unsigned sender = i / TABLE * TABLE + k;

            if (sender != i && heard[i][k] != said[sender])
                e2e_fail("r%u heard %u of %u messages of r%u", i, heard[i][k],
                         said[sender], sender);
        }
}

/* -- coming and going ------------------------------------------------------ */

static void
crowd_opens(void)
{
    const unsigned crowd = e2e_figure(1000, CROWD_MAX);
    const struct swarm_route route = {NET_WORLD_SERVER, d.port,
                                      NET_WORLD_CLIENT, STAY_PORT};

    stay = crowd / 10 / TABLE * TABLE;
    mass = crowd - stay;
    swarm_init(&swarm, crowd, on_line, NULL);
    swarm.patience_ms = PATIENCE_MS;
    swarm_connect_along(&swarm, 0, stay, &route);
    for (unsigned i = 0; i < stay; i++)
        swarm_send(&swarm, i, "r%u\n/join #r%u\n", i, i / TABLE);
    swarm_run_until(&swarm, stayers_are_in, NULL, "those who stay to be in");
}

static void
mass_comes(void)
{
    const uint64_t began_ms = now_ms();
    const struct swarm_route route = {NET_WORLD_SERVER, d.port,
                                      NET_WORLD_CLIENT, MASS_PORT};

    in_count = 0;
    cycle++;
    swarm_connect_along(&swarm, stay, mass, &route);
    for (unsigned n = 0; n < mass; n++)
        swarm_send(&swarm, stay + n, "m%u_%u\n", cycle, n);
    talk_until(mass_is_in, "the mass to be in");
    e2e_measured("cycle %u: %u came in %u ms", cycle, mass,
                 (unsigned)(now_ms() - began_ms));
}

static bool
all_are_told(void *arg)
{
    return told_count == stay * mass;
}

/* What is on its way to the mass is for nobody. */
static void
mass_goes(bool is_cut)
{
    const uint64_t began_ms = now_ms();

    told_count = 0;
    if (is_cut)
        net_world_rules(&world,
                        "add rule inet cut forward ip saddr 10.77.2.2 tcp "
                        "sport 20000-29999 drop\n"
                        "add rule inet cut forward ip daddr 10.77.2.2 tcp "
                        "dport 20000-29999 drop\n");
    for (unsigned n = 0; n < mass; n++)
        swarm_reset(&swarm, stay + n); /* which nobody sees when it is cut */
    talk_until(all_are_told, "all who stay to be told of all who went");
    e2e_measured("cycle %u: the end of %u by %s was told to all %u after %u ms",
                 cycle, mass, is_cut ? "a cut" : "RST", stay,
                 (unsigned)(now_ms() - began_ms));
}

/* What must be there again when those who stay are alone. A timer that waits for
 * an answer outlives it, and so does its place in a slab; so timers are not
 * among them, and SLAB_OBJECTS is what there is besides. */
static const char *const counts[] = {
    "conns",
    "clients",
    "sessions",
    "users",
    "rooms",
    "members",
    "view_rooms",
    "view_members",
    "unanswered",
    "pending_msgs",
    "kept_bytes",
    "live_msgs",
    "live_msg_bytes",
    "slab_objects",
    "sources",
    "fds",
    "conns_without_deadline",
};
#define SLAB_OBJECTS 13u
#define COUNTS       (sizeof(counts) / sizeof(counts[0]))

static uint64_t alone[COUNTS];

static void
count_now(uint64_t out[COUNTS])
{
    char *const census = daemon_ask_census(&d);

    for (size_t i = 0; i < COUNTS; i++)
        out[i] = daemon_number_in(census, counts[i]);
    ck_assert_str_eq(counts[SLAB_OBJECTS], "slab_objects");
    out[SLAB_OBJECTS] -= daemon_number_in(census, "timers");
    free(census);
}

static void
await_alone(void)
{
    const uint64_t deadline = now_ms() + e2e_patience_ms(10000);
    uint64_t now[COUNTS];

    for (;;) {
        size_t i = 0;

        count_now(now);
        while (i < COUNTS && now[i] == alone[i])
            i++;
        if (i == COUNTS)
            return;
        if (now_ms() >= deadline)
            e2e_fail("%s: %" PRIu64 " before, %" PRIu64 " now", counts[i],
                     alone[i], now[i]);
        swarm_run_for(&swarm, 20);
    }
}

/* Also what is freed goes back to the kernel, a second later. */
static uint64_t
memory_at_rest(void)
{
    swarm_run_for(&swarm, figure(100, 2000));
    return daemon_census(&d, "rss_bytes");
}

/* The memory in use when those who stay are alone. */
static uint64_t
settle(void)
{
    uint64_t rss;

    expect_all_heard();
    net_world_heal(&world);
    await_alone();
    rss = memory_at_rest();
    e2e_measured("cycle %u: %" PRIu64 " KiB of memory, %" PRIu64
                 " events in logs, %" PRIu64 " descriptors, %" PRIu64
                 " ms of processor time",
                 cycle, rss / 1024, daemon_census(&d, "log_events"),
                 daemon_census(&d, "fds"), daemon_cpu_us(&d) / 1000);
    return rss;
}

/* The rooms' logs are full soon, for they are what may grow. */
#define KEPT "[history]\nroom_events = 0\nkeep_events = 50\n"

START_TEST(nine_tenths_are_gone_at_once_and_the_rest_talk_on)
{
    const unsigned cycles = figure(2, CYCLES_MAX);
    const unsigned full = figure(1, FULL_CYCLE);
    uint64_t rss[CYCLES_MAX + 1];

    net_world_open(&world);
    net_world_start(&world, &d,
                    figure_is_long()
                        ? KEPT "[timeouts]\nidle_ping = 20s\npong = 20s\n"
                               "user_timeout = 10s\n"
                        : KEPT "[timeouts]\nidle_ping = 2s\npong = 2s\n"
                               "user_timeout = 2s\n");
    crowd_opens();
    expect_all_heard();
    count_now(alone);

    for (unsigned n = 1; n <= cycles; n++) {
        mass_comes();
        mass_goes(n % 2 == 1);
        rss[n] = settle();
    }
    if (rss[cycles] > rss[full] + (figure(16, GROWTH_MAX) << 20) &&
        e2e_scaled(100) == 100) /* sanitizers keep what was freed */
        e2e_fail("memory grew from %" PRIu64 " to %" PRIu64 " KiB",
                 rss[full] / 1024, rss[cycles] / 1024);

    swarm_fini(&swarm);
    daemon_stop(&d);
    net_world_close(&world);
}
END_TEST

/* -- silence --------------------------------------------------------------- */

static unsigned silent;

static void
on_silent_line(void *arg, size_t i, const char *line)
{
    in_count += strncmp(line, "* You are in no room", 20) == 0;
}

static bool
silent_are_in(void *arg)
{
    return in_count == silent;
}

/* They leave #lobby at once, so that they do not greet each other. The time
 * from one heartbeat to the next is short, so that several are in it. */
START_TEST(a_silent_crowd_costs_less_than_a_hundredth_of_a_core)
{
    const unsigned ms = figure_is_long() ? 30000 : 3000;
    struct swarm_route route = {.to = NET_WORLD_SERVER};
    const unsigned limit_us = ms * 10;
    uint64_t used_us;

    silent = e2e_figure(4000, CROWD_MAX);
    net_world_open(&world);
    net_world_start(&world, &d, "[timeouts]\nidle_ping = 5s\npong = 5s\n");
    route.port = d.port;
    swarm_init(&swarm, silent, on_silent_line, NULL);
    swarm.patience_ms = PATIENCE_MS;
    swarm_connect_along(&swarm, 0, silent, &route);
    for (unsigned i = 0; i < silent; i++)
        swarm_send(&swarm, i, "q%u\n/part\n", i);
    swarm_run_until(&swarm, silent_are_in, NULL, "all to be in");
    daemon_await_census(&d, "users", silent);

    swarm_run_for(&swarm, 1500); /* until the rush is over for malloc, too */
    used_us = daemon_cpu_us(&d);
    swarm_run_for(&swarm, ms);
    used_us = daemon_cpu_us(&d) - used_us;
    e2e_measured("%u silent clients took %u us of processor time in %u ms",
                 silent, (unsigned)used_us, ms);
    ck_assert_uint_le(used_us, e2e_patience_ms(limit_us));

    swarm_fini(&swarm);
    daemon_stop(&d);
    net_world_close(&world);
}
END_TEST

UNIT_MAIN_IF(net_world_is_possible(), "e2e/mass",
             nine_tenths_are_gone_at_once_and_the_rest_talk_on,
             a_silent_crowd_costs_less_than_a_hundredth_of_a_core)
