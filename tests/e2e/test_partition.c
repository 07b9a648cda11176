/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The wire is cut, and nobody is told: in namespaces of the test's own, where a
 * router drops the packets of half of the clients.
 *
 * Those are found dead within idle_ping + pong and SLACK_MS, whichever way is
 * cut and whether or not anybody talks; the other half loses neither its
 * connections nor a word.
 */
#include <stdio.h>

#include "partition.h"
#include "support/e2e.h"
#include "support/figure.h"
#include "support/unit.h"

#define HEARTBEAT_MS    2000u /* idle_ping, and pong as well */
#define USER_TIMEOUT_MS 2000u
#define SLACK_MS        2000u
#define SMALL_BUFFER    4096
#define FILLING_BYTES   PARTITION_BYTES_MAX /* a message … */
#define FILLINGS        10u /* … and how many of them close a window */

static const char *const talkers_names[] = {"silent", "talking",
                                            "half talking"};

struct cut {
    const char *name;
    bool to_server;
    bool to_client;
    bool closes_windows; /* and nothing else: they stop reading */
};

static const struct cut cuts[] = {
    {"both ways",           true,  true,  false},
    {"towards the server",  true,  false, false},
    {"towards the client",  false, true,  false},
    {"by a window of zero", false, false, true },
};
#define CUTS      (sizeof(cuts) / sizeof(cuts[0]))
#define BOTH_WAYS (&cuts[0])

static void
close_windows(unsigned first, unsigned count)
{
    for (unsigned v = first; v < first + count; v++)
        swarm_mute(&partition.swarm, partition.healthy + v);
    for (unsigned n = 0; n < VOICES * FILLINGS; n++)
        partition_voice_says(n % VOICES, FILLING_BYTES);
}

/* Of `count` victims. */
static void
make_cut(const struct cut *cut, unsigned first, unsigned count)
{
    const unsigned from = VICTIM_PORT + first;
    const unsigned to = from + count - 1;

    if (cut->to_server)
        net_world_rules(&partition.world,
                        "add rule inet cut forward ip saddr " NET_WORLD_CLIENT
                        " tcp sport %u-%u drop\n",
                        from, to);
    if (cut->to_client)
        net_world_rules(&partition.world,
                        "add rule inet cut forward ip daddr " NET_WORLD_CLIENT
                        " tcp dport %u-%u drop\n",
                        from, to);
    if (cut->closes_windows)
        close_windows(first, count);
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
cut_off(const struct cut *cut, enum partition_talk talkers)
{
    char what[64];

    snprintf(what, sizeof(what), "%s, %s", cut->name, talkers_names[talkers]);
    e2e_scene("%s", what);
    partition_open(HEARTBEAT_MS, USER_TIMEOUT_MS,
                   cut->closes_windows ? SMALL_BUFFER : 0, talkers);
    partition_talk_for(300);

    partition_count_from_now();
    make_cut(cut, 0, partition.victims);
    await_end_of_victims(what);

    partition_talk_for(300);
    partition_expect_all_heard(false);
    partition_close();
}

/* Nothing is said to them, so only the keepalive can tell. */
START_TEST(who_is_silent_and_cut_off_is_found_dead)
{
    cut_off(BOTH_WAYS, PARTITION_SILENT);
}
END_TEST

/* Every kind at once, a quarter of the victims each; in the long form, each
 * kind without the others' help. */
START_TEST(who_is_cut_off_whichever_way_is_found_dead)
{
    unsigned quarter;

    for (size_t i = 0; i < CUTS && figure_is_long(); i++)
        for (int talkers = PARTITION_SILENT; talkers <= PARTITION_HALF_TALKS;
             talkers++)
            cut_off(&cuts[i], (enum partition_talk)talkers);

    e2e_scene("every way at once");
    partition_open(HEARTBEAT_MS, USER_TIMEOUT_MS, SMALL_BUFFER,
                   PARTITION_HALF_TALKS);
    quarter = partition.victims / CUTS;
    partition_talk_for(300);

    partition_count_from_now();
    for (unsigned i = 0; i < CUTS; i++)
        make_cut(&cuts[i], i * quarter,
                 i + 1 < CUTS ? quarter : partition.victims - i * quarter);
    await_end_of_victims("every way at once, half talking");

    partition_talk_for(300);
    partition_expect_all_heard(false);
    partition_close();
}
END_TEST

/* Unacknowledged data silences the keepalive, and the time for it is counted
 * anew: what is said just before the keepalive would have found out must not
 * double the time. Each room has its word at another moment. */
START_TEST(a_word_to_the_dead_does_not_make_them_live_longer)
{
    partition_open(HEARTBEAT_MS, 2 * HEARTBEAT_MS, 0, PARTITION_SILENT);

    partition_count_from_now();
    make_cut(BOTH_WAYS, 0, partition.victims);
    for (unsigned n = 0; n < VOICES; n++) {
        partition_voice_says(n, 10);
        partition_talk_for(2 * HEARTBEAT_MS / VOICES);
    }
    await_end_of_victims("both ways, with a word to them");

    partition_expect_all_heard(false);
    partition_close();
}
END_TEST

UNIT_MAIN_IF(net_world_is_possible(), "e2e/partition",
             who_is_silent_and_cut_off_is_found_dead,
             who_is_cut_off_whichever_way_is_found_dead,
             a_word_to_the_dead_does_not_make_them_live_longer)
