/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Exact counts of a whole server.
 */
#include <unistd.h>

#include "net/conns.h"
#include "support/unit.h"
#include "unit/ops/whole.h"

START_TEST(the_census_is_exact_and_comes_back_to_where_it_was)
{
    json_t *before, *during, *after;
    int alice, bob, fd;

    whole_start();
    fd = rig_connect();
    before = whole_ask(fd, "{\"command\":\"census\"}");
    alice = whole_join(0, 1, "alice");
    bob = whole_join(1, 2, "bob");
    ck_assert_int_gt(write(bob, "/join #tea\n", 11), 0);
    whole_settle();
    during = whole_ask(fd, "{\"command\":\"census\"}");

    ck_assert_int_eq(whole_number(during, "now", "conns"), 2);
    ck_assert_int_eq(whole_number(during, "now", "in_open"), 2);
    ck_assert_int_eq(whole_number(during, "now", "users"), 2);
    ck_assert_int_eq(whole_number(during, "now", "sessions"), 2);
    ck_assert_int_eq(whole_number(during, "now", "rooms"), 2);
    ck_assert_int_eq(whole_number(during, "now", "members"), 3);
    ck_assert_int_eq(whole_number(during, "now", "view_rooms"), 3);
    ck_assert_int_eq(whole_number(during, "now", "view_members"), 3);
    ck_assert_int_eq(whole_number(during, "now", "conns_without_deadline"), 0);
    ck_assert_int_eq(whole_number(during, "now", "fds"),
                     whole_number(before, "now", "fds") + 4); /* both ends */
    ck_assert_int_gt(whole_number(during, "now", "slab_objects"),
                     whole_number(before, "now", "slab_objects"));
    ck_assert_int_eq(whole_number(during, "total", "accepted"), 2);
    ck_assert_int_gt(whole_number(during, "total", "sent_msgs"), 0);
    ck_assert_int_gt(whole_number(during, "memory", "rss_bytes"), 0);
    ck_assert(json_is_true(json_object_get(during, "balanced")));

    close(alice);
    close(bob);
    whole_settle();
    after = whole_ask(fd, "{\"command\":\"census\"}");
    if (!json_equal(json_object_get(before, "now"),
                    json_object_get(after, "now")))
        ck_abort_msg("%s\n%s", json_dumps(before, 0), json_dumps(after, 0));
    ck_assert_int_eq(whole_number(after, "total", "closed"), 2);
    /* A reset, when what we said had not been read. */
    ck_assert_int_eq(whole_number(after, "total", "ended_eof") +
                         whole_number(after, "total", "ended_reset"),
                     2);
    ck_assert(json_is_true(json_object_get(after, "balanced")));
    json_decref(before);
    json_decref(during);
    json_decref(after);
    close(fd);
    whole_stop();
}
END_TEST

START_TEST(what_does_not_add_up_is_not_called_balanced)
{
    const struct conns_counters *counters;
    json_t *answer, *balances;
    int fd;

    whole_start();
    counters = conns_counters(rig.parts.conns[1]);
    metric_add((_Atomic uint64_t *)(uintptr_t)&counters->queued_msgs, 1);
    fd = rig_connect();
    answer = whole_ask(fd, "{\"command\":\"census\"}");
    balances = json_object_get(answer, "balances");

    ck_assert(json_is_false(json_object_get(answer, "balanced")));
    ck_assert(json_is_false(json_object_get(balances, "messages")));
    ck_assert(json_is_true(json_object_get(balances, "message_bytes")));
    ck_assert(json_is_true(json_object_get(balances, "connections")));
    json_decref(answer);
    close(fd);
    whole_stop();
}
END_TEST

UNIT_MAIN("ops/census", the_census_is_exact_and_comes_back_to_where_it_was,
          what_does_not_add_up_is_not_called_balanced)
