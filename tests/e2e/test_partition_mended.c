/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The wire is cut and mended in time, or loses packets: that costs nobody his
 * connection, nor a word.
 */
#include "partition.h"
#include "support/e2e.h"
#include "support/figure.h"
#include "support/unit.h"

#define TO_SERVER                                                   \
    "add rule inet cut forward ip saddr 10.77.2.2 tcp sport 20000-" \
    "20999 drop\n"
#define TO_CLIENT                                                   \
    "add rule inet cut forward ip daddr 10.77.2.2 tcp dport 20000-" \
    "20999 drop\n"

/* TCP asks again after 0.2, 0.6, 1.4, 3 … seconds: the wire is mended long
 * enough before the end that it asks once more, also when all is slow. */
START_TEST(a_cut_that_is_mended_in_time_costs_nothing)
{
    const unsigned user_timeout_ms = 15000;
    const unsigned rounds = e2e_figure(1, 10);

    partition_open(user_timeout_ms, user_timeout_ms, 0, PARTITION_HALF_TALKS);
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
    partition_open(60000, 60000, 0, PARTITION_HALF_TALKS);
    lose(10, 1500);
    if (figure_is_long()) {
        lose(5, 20000);
        lose(20, 20000);
        lose(30, 20000);
    }
    partition_close();
}
END_TEST

UNIT_MAIN_IF(net_world_is_possible(), "e2e/partition_mended",
             a_cut_that_is_mended_in_time_costs_nothing,
             packets_that_get_lost_cost_nothing)
