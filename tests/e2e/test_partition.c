/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The wire is cut, and nobody is told: in namespaces of the test's own, where a
 * router drops the packets of half of the clients.
 *
 * Those are found dead within idle_ping + pong and SLACK_MS, whichever way is
 * cut and whether or not anybody talks; the other half loses neither its
 * connections nor a word; and when the wire is mended in time, nobody does.
 */
#include <stdio.h>

#include "partition.h"
#include "support/e2e.h"
#include "support/figure.h"
#include "support/unit.h"

#define HEARTBEAT_MS    3000u /* idle_ping, and pong as well */
#define USER_TIMEOUT_MS 2000u
#define SLACK_MS        2000u
#define SMALL_BUFFER    4096
#define FILLING_BYTES   PARTITION_BYTES_MAX /* a message … */
#define FILLINGS        10u /* … and how many of them close a window */

#define TO_SERVER                                                   \
    "add rule inet cut forward ip saddr 10.77.2.2 tcp sport 20000-" \
    "20999 drop\n"
#define TO_CLIENT                                                   \
    "add rule inet cut forward ip daddr 10.77.2.2 tcp dport 20000-" \
    "20999 drop\n"

enum talkers {
    NOBODY_TALKS,
    VICTIMS_TALK,
    SOME_TALK, /* in every other room */
};

struct cut {
    const char *name;
    const char *rules; /* NULL: the victims stop reading */
};

static const struct cut both_ways = {"both ways", TO_SERVER TO_CLIENT};
static const struct cut to_server = {"towards the server", TO_SERVER};
static const struct cut to_client = {"towards the client", TO_CLIENT};
static const struct cut no_window = {"a window of zero", NULL};

static void
open_with(unsigned heartbeat_ms, unsigned user_timeout_ms, int victims_buffer,
          enum talkers talkers)
{
    bool talks[ROOMS];
    char config[256];

    snprintf(config, sizeof(config),
             "[history]\nroom_events = 0\n"
             "[timeouts]\nidle_ping = %ums\npong = %ums\n"
             "user_timeout = %ums\n",
             heartbeat_ms, heartbeat_ms, user_timeout_ms);
    for (unsigned r = 0; r < ROOMS; r++)
        talks[r] =
            talkers == VICTIMS_TALK || (talkers == SOME_TALK && r % 2 == 0);
    partition_open(config, victims_buffer, talks);
}

static void
close_windows(void)
{
    for (unsigned v = 0; v < partition.victims; v++)
        swarm_mute(&partition.swarm, partition.healthy + v);
    for (unsigned n = 0; n < VOICES * FILLINGS; n++)
        partition_voice_says(n % VOICES, FILLING_BYTES);
}

static void
make_cut(const struct cut *cut)
{
    partition_count_from_now();
    if (cut->rules != NULL)
        net_world_rules(&partition.world, "%s", cut->rules);
    else
        close_windows();
}

static void
await_end_of_victims(const char *what)
{
    const uint64_t limit_ms = e2e_patience_ms(2 * HEARTBEAT_MS + SLACK_MS);

    while (!partition_victims_are_gone()) {
        if (now_ms() - partition.cut_ms > limit_ms)
            e2e_fail("after %u ms not all were told of the end of %u silent "
                     "and %u talking victims",
                     (unsigned)limit_ms, partition_left(false),
                     partition_left(true));
        partition_talk_for(100);
    }
    e2e_measured("%u victims, %s: gone after %u to %u ms", partition.victims,
                 what, (unsigned)partition.first_quit_ms,
                 (unsigned)partition.last_quit_ms);
}

static void
cut_off(const struct cut *cut, enum talkers talkers)
{
    static const char *const names[] = {"silent", "talking", "half talking"};
    char what[64];

    snprintf(what, sizeof(what), "%s, %s", cut->name, names[talkers]);
    e2e_scene("%s", what);
    open_with(HEARTBEAT_MS, USER_TIMEOUT_MS,
              cut->rules == NULL ? SMALL_BUFFER : 0, talkers);
    partition_talk_for(300);

    make_cut(cut);
    await_end_of_victims(what);

    partition_talk_for(300);
    partition_expect_all_heard(false);
    partition_close();
}

/* `shortly`, or in the long form each kind without the other's help. */
static void
cut_off_all_kinds(const struct cut *cut, enum talkers shortly)
{
    if (!figure_is_long()) {
        cut_off(cut, shortly);
        return;
    }
    cut_off(cut, NOBODY_TALKS);
    cut_off(cut, VICTIMS_TALK);
    cut_off(cut, SOME_TALK);
}

/* Nothing is said to them, so only the keepalive can tell. */
START_TEST(who_is_cut_off_both_ways_is_found_dead)
{
    cut_off_all_kinds(&both_ways, NOBODY_TALKS);
}
END_TEST

START_TEST(who_is_not_heard_is_found_dead)
{
    cut_off_all_kinds(&to_server, SOME_TALK);
}
END_TEST

START_TEST(who_does_not_hear_is_found_dead)
{
    cut_off_all_kinds(&to_client, SOME_TALK);
}
END_TEST

START_TEST(who_lets_nothing_in_is_found_dead)
{
    cut_off_all_kinds(&no_window, SOME_TALK);
}
END_TEST

/* Unacknowledged data silences the keepalive, and the time for it is counted
 * anew: what is said just before the keepalive would have found out must not
 * double the time. Each room has its word at another moment. */
START_TEST(a_word_to_the_dead_does_not_make_them_live_longer)
{
    open_with(HEARTBEAT_MS, 2 * HEARTBEAT_MS, 0, NOBODY_TALKS);

    make_cut(&both_ways);
    for (unsigned n = 0; n < VOICES; n++) {
        partition_voice_says(n, 10);
        partition_talk_for(2 * HEARTBEAT_MS / VOICES);
    }
    await_end_of_victims("both ways, with a word to them");

    partition_expect_all_heard(false);
    partition_close();
}
END_TEST

/* -- in time --------------------------------------------------------------- */

/* TCP asks again after 0.2, 0.6, 1.4, 3 … seconds: the wire is mended long
 * enough before the end that it asks once more, also when all is slow. */
START_TEST(a_cut_that_is_mended_in_time_costs_nothing)
{
    const unsigned user_timeout_ms = 5000;
    const unsigned rounds = e2e_figure(1, 10);

    open_with(user_timeout_ms, user_timeout_ms, 0, SOME_TALK);
    for (unsigned n = 0; n < rounds; n++) {
        e2e_scene("round %u", n);
        net_world_rules(&partition.world, TO_SERVER TO_CLIENT);
        partition_talk_for(figure_is_long() ? 2500 : 1500);
        net_world_heal(&partition.world);
        partition_talk_for(300);
        partition_expect_all_heard(true);
    }
    partition_close();
}
END_TEST

/* Every packet of everybody may get lost, for longer than the heartbeat. */
static void
lose(unsigned percent, uint64_t ms)
{
    e2e_scene("%u %% lost", percent);
    net_world_rules(&partition.world,
                    "add rule inet cut forward numgen random mod 100 < %u "
                    "drop\n",
                    percent);
    partition_talk_for(ms);
    net_world_heal(&partition.world);
    partition_expect_all_heard(true);
}

START_TEST(packets_that_get_lost_cost_nothing)
{
    open_with(60000, 60000, 0, SOME_TALK);
    lose(10, 3000);
    if (figure_is_long()) {
        lose(5, 20000);
        lose(20, 20000);
        lose(30, 20000);
    }
    partition_close();
}
END_TEST

UNIT_MAIN_IF(net_world_is_possible(), "e2e/partition",
             who_is_cut_off_both_ways_is_found_dead,
             who_is_not_heard_is_found_dead, who_does_not_hear_is_found_dead,
             who_lets_nothing_in_is_found_dead,
             a_word_to_the_dead_does_not_make_them_live_longer,
             a_cut_that_is_mended_in_time_costs_nothing,
             packets_that_get_lost_cost_nothing)
