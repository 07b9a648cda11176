/* SPDX-License-Identifier: BSD-2-Clause
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support/unit.h"
#include "unit/ops/load.h"

START_TEST(detecting_must_end_before_opening_does)
{
    ASSERT_LOADS("[timeouts]\ndetect = 999ms\nopening = 1s\n");
    ASSERT_REFUSES("[timeouts]\ndetect = 1s\nopening = 1s\n",
                   "t.conf:2: [timeouts] detect (1s) must be below [timeouts] "
                   "opening (1s), or a client is closed before it is known "
                   "what it speaks\n");
}
END_TEST

START_TEST(a_queue_must_hold_a_line)
{
    ASSERT_LOADS("[limits]\nline_length = 8191\nsendq = 8k\n");
    ASSERT_REFUSES("[limits]\nline_length = 8k\nsendq = 8k\n",
                   "t.conf:2: [limits] line_length (8k) must be below [limits] "
                   "sendq (8k), or one line closes whoever it is sent to\n");
}
END_TEST

START_TEST(a_rooms_memory_must_hold_a_line)
{
    ASSERT_LOADS("[limits]\nline_length = 8191\n[history]\nkeep_bytes = 8k\n");
    ASSERT_REFUSES("[limits]\nline_length = 8k\n[history]\nkeep_bytes = 8k\n",
                   "t.conf:2: [limits] line_length (8k) must be below "
                   "[history] keep_bytes (8k), or a room cannot keep one "
                   "line\n");
}
END_TEST

START_TEST(a_client_may_not_have_more_than_its_worker)
{
    ASSERT_LOADS("[limits]\nclient_window = 100\nworker_window = 100\n");
    ASSERT_REFUSES("[limits]\nclient_window = 101\nworker_window = 100\n",
                   "t.conf:2: [limits] client_window (101) must be at most "
                   "[limits] worker_window (100), which all clients of a "
                   "worker share\n");
}
END_TEST

START_TEST(no_more_can_be_shown_than_is_kept)
{
    ASSERT_LOADS("[history]\nroom_events = 30\nkeep_events = 30\n");
    ASSERT_REFUSES("[history]\nroom_events = 30\nkeep_events = 29\n",
                   "t.conf:2: [history] room_events (30) must be at most "
                   "[history] keep_events (29), which is all there is to "
                   "show\n");
}
END_TEST

START_TEST(the_complaint_stands_where_something_was_set)
{
    ASSERT_REFUSES("[history]\n\nkeep_events = 5\n",
                   "t.conf:3: [history] room_events (20) must be at most "
                   "[history] keep_events (5), which is all there is to "
                   "show\n");
}
END_TEST

START_TEST(the_defaults_agree_with_each_other)
{
    ASSERT_LOADS("");
}
END_TEST

START_TEST(a_listener_needs_an_address)
{
    ASSERT_REFUSES("\n[listen \"a\"]\nprotocol = line\n",
                   "t.conf:2: [listen \"a\"] has no address\n");
}
END_TEST

/* Two listeners on these addresses. */
static struct loaded
load_pair(const char *one, const char *two)
{
    char text[512];

    (void)snprintf(text, sizeof(text),
                   "[listen \"one\"]\naddress = %s\n"
                   "[listen \"two\"]\naddress = %s\n",
                   one, two);
    return load_text(text, NULL);
}

static void
assert_clash(const char *one, const char *two)
{
    struct loaded l = load_pair(one, two);
    char complaint[512];

    (void)snprintf(complaint, sizeof(complaint),
                   "t.conf:4: [listen \"two\"] address: %s is taken by "
                   "[listen \"one\"] (%s)\n",
                   two, one);
    ck_assert_int_eq(l.rc, -EINVAL);
    ck_assert_str_eq(l.errors, complaint);
    loaded_fini(&l);
}

static void
assert_no_clash(const char *one, const char *two)
{
    struct loaded l = load_pair(one, two);

    ck_assert_str_eq(l.errors, "");
    loaded_fini(&l);
}

START_TEST(an_address_can_be_taken_once)
{
    assert_clash("127.0.0.1:7000", "127.0.0.1:7000");
    assert_clash("127.0.0.1:7000", "localhost:7000");
    assert_clash("[::1]:7000", "[0:0::1]:7000");
    assert_clash("unix:/run/a", "unix:/run/a");

    assert_no_clash("127.0.0.1:7000", "127.0.0.1:7001");
    assert_no_clash("127.0.0.1:7000", "127.0.0.2:7000");
    assert_no_clash("127.0.0.1:7000", "[::1]:7000");
    assert_no_clash("[::1]:7000", "[::2]:7000");
    assert_no_clash("unix:/run/a", "unix:/run/b");
    assert_no_clash("unix:/run/a", "127.0.0.1:7000");
}
END_TEST

START_TEST(all_addresses_of_a_port_contain_each_of_them)
{
    assert_clash("*:7000", "127.0.0.1:7000");
    assert_clash("127.0.0.1:7000", "*:7000");
    assert_clash("[::1]:7000", "[::]:7000");
    assert_clash("0.0.0.0:7000", "192.0.2.1:7000");
    assert_clash("0.0.0.0:7000", "[::]:7000");

    assert_no_clash("0.0.0.0:7000", "[::1]:7000");
    assert_no_clash("*:7000", "127.0.0.1:7001");
}
END_TEST

START_TEST(any_free_port_is_never_taken)
{
    assert_no_clash("127.0.0.1:0", "127.0.0.1:0");
    assert_no_clash("*:0", "127.0.0.1:0");
}
END_TEST

START_TEST(an_address_that_is_wrong_is_told_once)
{
    ASSERT_REFUSES("[listen \"a\"]\naddress = nowhere\n"
                   "[listen \"b\"]\naddress = nowhere\n",
                   "t.conf:2: [listen \"a\"] address: `nowhere` is not an "
                   "address: write 127.0.0.1:7000, [::1]:7000, *:7000 or "
                   "unix:/path\n"
                   "t.conf:4: [listen \"b\"] address: `nowhere` is not an "
                   "address: write 127.0.0.1:7000, [::1]:7000, *:7000 or "
                   "unix:/path\n");
}
END_TEST

UNIT_MAIN("ops/config_check", detecting_must_end_before_opening_does,
          a_queue_must_hold_a_line, a_rooms_memory_must_hold_a_line,
          a_client_may_not_have_more_than_its_worker,
          no_more_can_be_shown_than_is_kept,
          the_complaint_stands_where_something_was_set,
          the_defaults_agree_with_each_other, a_listener_needs_an_address,
          an_address_can_be_taken_once,
          all_addresses_of_a_port_contain_each_of_them,
          any_free_port_is_never_taken, an_address_that_is_wrong_is_told_once)
