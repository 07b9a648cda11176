/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is there: the server at a glance, its clients, its rooms.
 */
#include <string.h>
#include <unistd.h>

#include "loop/call.h"
#include "loop/watchdog.h"
#include "loop/worker.h"
#include "support/fake_time.h"
#include "support/unit.h"
#include "unit/ops/whole.h"

START_TEST(the_status_comes_without_any_other_thread)
{
    json_t *answer;
    int fd;

    whole_start();
    rig_pass_ms(61000);
    fd = rig_connect();
    rig_send(fd, "{\"command\":\"status\"}\n");
    answer = whole_parse(rig_answer(fd));

    ck_assert_str_eq(whole_text(answer, "version"), KLATCH_VERSION);
    ck_assert_int_eq(whole_number(answer, NULL, "pid"), getpid());
    ck_assert_int_eq(whole_number(answer, NULL, "uptime_ms"), 61000);
    ck_assert_int_eq(whole_number(answer, NULL, "started_ms"), 1700000000000);
    ck_assert_int_eq(whole_number(answer, NULL, "rooms"), 1);
    ck_assert(json_is_null(json_object_get(answer, "config")));
    ck_assert_uint_eq(json_array_size(json_object_get(answer, "workers")),
                      WHOLE_WORKERS);
    ck_assert_str_eq(
        whole_text(json_array_get(json_object_get(answer, "listeners"), 0),
                   "address"),
        "127.0.0.1:7000");
    json_decref(answer);
    close(fd);
    whole_stop();
}
END_TEST

/* The hub is inside its turn while all this happens. */
static void
be_stuck(struct worker *hub_worker, void *arg)
{
    const int fd = *(const int *)arg;
    json_t *answer, *threads, *hub;

    for (int n = 0; n < 6; n++) {
        fake_time_pass_ms(WATCHDOG_LOOK_MS);
        worker_turn(rig.parts.watchdog_worker);
    }
    rig_send(fd, "{\"command\":\"status\"}\n");
    answer = whole_parse(rig_answer(fd));
    threads = json_object_get(answer, "threads");
    hub = json_array_get(threads, 1);

    ck_assert(json_is_false(json_object_get(answer, "alive")));
    ck_assert_uint_eq(json_array_size(threads), 3 + WHOLE_WORKERS);
    ck_assert_str_eq(whole_text(json_array_get(threads, 0), "name"), "main");
    ck_assert_int_eq(whole_number(json_array_get(threads, 0), NULL, "stalls"),
                     0);
    ck_assert_str_eq(whole_text(hub, "name"), "hub");
    ck_assert_str_eq(whole_text(hub, "where"), "call");
    ck_assert_int_eq(whole_number(hub, NULL, "stalls"), 1);
    ck_assert_int_eq(whole_number(hub, NULL, "stalled_ms"), 1500);
    ck_assert_int_eq(whole_number(hub, NULL, "longest_stall_ms"), 1500);
    json_decref(answer);
}

START_TEST(the_status_names_the_thread_that_is_stuck)
{
    json_t *answer;
    int fd;

    whole_start();
    fd = rig_connect();
    call_post(rig.parts.hub_worker, call_create(be_stuck, &fd, NULL));
    whole_settle();

    worker_turn(rig.parts.watchdog_worker);
    fake_time_pass_ms(WATCHDOG_LOOK_MS);
    worker_turn(rig.parts.watchdog_worker);
    answer = whole_ask(fd, "{\"command\":\"census\"}");
    ck_assert_int_eq(whole_number(answer, "total", "stalls"), 1);
    ck_assert_int_eq(whole_number(answer, "total", "longest_stall_ms"), 1500);
    json_decref(answer);
    answer = whole_ask(fd, "{\"command\":\"status\"}");
    ck_assert(json_is_true(json_object_get(answer, "alive")));
    json_decref(answer);
    close(fd);
    whole_stop();
}
END_TEST

START_TEST(the_status_adds_up_the_workers)
{
    json_t *answer;
    int alice, bob, fd;

    whole_start();
    alice = whole_join(0, 1, "alice");
    bob = whole_join(1, 2, "bob");
    fd = rig_connect();
    answer = whole_ask(fd, "{\"command\":\"status\"}");

    ck_assert_int_eq(whole_number(answer, NULL, "connections"), 2);
    ck_assert_int_eq(whole_number(answer, NULL, "users"), 2);
    ck_assert_int_eq(whole_number(answer, NULL, "members"), 2);
    ck_assert_int_eq(whole_number(answer, "messages", "bytes_in"), 6 + 4);
    json_decref(answer);
    close(alice);
    close(bob);
    close(fd);
    whole_stop();
}
END_TEST

START_TEST(clients_of_all_workers_are_listed_oldest_first)
{
    json_t *answer, *list;
    int people[3];
    int fd;

    whole_start();
    people[0] = whole_join(1, 1, "alice");
    rig_pass_ms(1000);
    people[1] = whole_join(0, 2, "小明");
    rig_pass_ms(1000);
    people[2] = whole_join(1, 3, ""); /* gives no name */
    fd = rig_connect();
    answer = whole_ask(fd, "{\"command\":\"clients\"}");
    list = json_object_get(answer, "clients");

    ck_assert_uint_eq(json_array_size(list), 3);
    ck_assert_str_eq(whole_text(json_array_get(list, 0), "nick"), "alice");
    ck_assert_str_eq(whole_text(json_array_get(list, 0), "address"),
                     "203.0.113.1:5000");
    ck_assert_str_eq(whole_text(json_array_get(list, 0), "protocol"), "line");
    ck_assert_str_eq(whole_text(json_array_get(list, 0), "state"), "open");
    ck_assert_str_eq(whole_text(json_array_get(list, 0), "room"), "#lobby");
    ck_assert_int_eq(whole_number(json_array_get(list, 0), NULL, "rooms"), 1);
    ck_assert_int_eq(whole_number(json_array_get(list, 0), NULL, "age_ms"),
                     2000);
    ck_assert_int_eq(whole_number(json_array_get(list, 0), NULL, "idle_ms"),
                     2000);
    ck_assert_int_eq(whole_number(json_array_get(list, 0), NULL, "since_ms"),
                     1700000000000);
    ck_assert_str_eq(whole_text(json_array_get(list, 1), "nick"), "小明");
    ck_assert_int_eq(whole_number(json_array_get(list, 1), NULL, "since_ms"),
                     1700000001000);
    ck_assert_str_eq(whole_text(json_array_get(list, 2), "nick"), "");
    ck_assert_str_eq(whole_text(json_array_get(list, 2), "state"), "opening");
    ck_assert_str_eq(whole_text(json_array_get(list, 2), "room"), "");
    json_decref(answer);
    for (int i = 0; i < 3; i++)
        close(people[i]);
    close(fd);
    whole_stop();
}
END_TEST

START_TEST(rooms_are_listed_with_all_that_is_known)
{
    json_t *answer, *list;
    int alice, fd;

    whole_start();
    alice = whole_join(0, 1, "alice");
    ck_assert_int_gt(write(alice, "/join #tea\n/topic green\n", 24), 0);
    whole_settle();
    fd = rig_connect();
    answer = whole_ask(fd, "{\"command\":\"rooms\"}");
    list = json_object_get(answer, "rooms");

    ck_assert_uint_eq(json_array_size(list), 2);
    ck_assert_str_eq(whole_text(json_array_get(list, 0), "name"), "#lobby");
    /* Nobody made it: it is as old as the server. */
    ck_assert_int_eq(whole_number(json_array_get(list, 0), NULL, "created_ms"),
                     1700000000000);
    ck_assert_str_eq(whole_text(json_array_get(list, 1), "name"), "#tea");
    ck_assert_str_eq(whole_text(json_array_get(list, 1), "topic"), "green");
    ck_assert_int_eq(whole_number(json_array_get(list, 1), NULL, "members"), 1);
    ck_assert_int_eq(whole_number(json_array_get(list, 1), NULL, "events"), 2);
    json_decref(answer);
    close(alice);
    close(fd);
    whole_stop();
}
END_TEST

START_TEST(a_list_that_a_stuck_worker_owes_is_given_up_in_time)
{
    int fd;

    whole_start();
    fd = rig_connect();
    rig_send(fd, "{\"command\":\"clients\"}\n");
    rig_settle(); /* nobody else turns */
    rig_pass_ms(CONTROL_DEADLINE_MS);
    ck_assert_ptr_nonnull(strstr(rig_answer(fd), "in time"));

    whole_expect_ok(fd, "{\"command\":\"clients\"}");
    ck_assert(rig_is_silent(fd));
    close(fd);
    whole_stop();
}
END_TEST

UNIT_MAIN("ops/control_lists", the_status_comes_without_any_other_thread,
          the_status_names_the_thread_that_is_stuck,
          the_status_adds_up_the_workers,
          clients_of_all_workers_are_listed_oldest_first,
          rooms_are_listed_with_all_that_is_known,
          a_list_that_a_stuck_worker_owes_is_given_up_in_time)
