/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who is let in, by which worker, and who is not; see support/acceptor_rig.h.
 */
#include "net/acceptor.h"

#include <errno.h>

#include "support/acceptor_rig.h"
#include "support/unit.h"

#define MOST 1000u

/* -- bursts --------------------------------------------------------------- */

static void
burst(uint32_t size)
{
    static int fds[MOST];
    const uint32_t before = rig_load();
    unsigned turns;

    for (uint32_t i = 0; i < size; i++) {
        fds[i] = dial(&rig.address);
        ck_assert_int_ge(fds[i], 0);
    }

    turns = rig_turn_until_idle();

    ck_assert_uint_eq(rig_load() - before, size);
    ck_assert_uint_le(turns, size / ACCEPT_BUDGET + 2);
    for (uint32_t i = 0; i < size; i++)
        close(fds[i]);
}

START_TEST(of_a_burst_all_are_accepted_and_of_the_next_one_too)
{
    static const uint32_t sizes[] = {1, 20, 128, MOST};

    dial_raise_fd_limit();
    rig_setup(0, 0, 0);

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        burst(sizes[i]);
        burst(sizes[i]);
    }

    ck_assert_uint_eq(metric_read(&rig.counters->accepted),
                      2 * (1 + 20 + 128 + MOST));
    ck_assert_uint_eq(metric_read(&rig.counters->handed),
                      metric_read(&rig.counters->accepted));
    ck_assert_uint_eq(rig.conns[0].load, 766);
    ck_assert_uint_eq(rig.conns[1].load, 766);
    ck_assert_uint_eq(rig.conns[2].load, 766);
    rig_teardown();
}
END_TEST

START_TEST(the_worker_with_the_fewest_gets_the_next)
{
    rig_setup(0, 0, 0);
    rig.conns[0].load = 10;
    rig.conns[2].load = 4;

    burst(16);

    ck_assert_uint_eq(rig.conns[0].load, 10);
    ck_assert_uint_eq(rig.conns[1].load, 10);
    ck_assert_uint_eq(rig.conns[2].load, 10);
    rig_teardown();
}
END_TEST

START_TEST(a_busy_listener_leaves_room_for_another)
{
    struct listen_addr first;
    int fds[ACCEPT_BUDGET + 10];
    int other;

    rig_setup(0, 0, 0);
    first = rig.address;
    rig_listen(6);
    rig_turn_until_idle();
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = dial(&first);
    other = dial(&rig.address);

    worker_turn(rig.worker);

    ck_assert_uint_eq(rig_load(), ACCEPT_BUDGET + 1);
    rig_turn_until_idle();
    ck_assert_uint_eq(rig_load(), ARRAY_LEN(fds) + 1);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
    close(other);
    rig_teardown();
}
END_TEST

START_TEST(a_socket_comes_with_its_peer_and_listener)
{
    char text[ADDR_TEXT_MAX];
    int fd;

    rig_setup(0, 0, 0);
    fd = rig_visit("127.0.0.9");

    ck_assert_str_eq(addr_format_host(&rig.conns[0].last.peer, text),
                     "127.0.0.9");
    ck_assert_uint_eq(rig.conns[0].last.listener, 5);
    ck_assert_ptr_null(rig.conns[0].last.ticket); /* nobody counts */
    rig_expect_welcome(fd);
    rig_teardown();
}
END_TEST

/* -- limits --------------------------------------------------------------- */

START_TEST(a_full_server_says_so)
{
    rig_setup(2, 0, 0);

    rig_expect_welcome(rig_visit(NULL));
    rig_expect_welcome(rig_visit(NULL));
    rig_expect_text(rig_visit(NULL), RIG_FULL);
    ck_assert_uint_eq(metric_read(&rig.counters->refused_full), 1);

    rig.conns[0].load--;
    rig_expect_welcome(rig_visit(NULL));
    ck_assert_uint_eq(metric_read(&rig.counters->accepted),
                      metric_read(&rig.counters->handed) + 1);
    rig_teardown();
}
END_TEST

START_TEST(who_speaks_first_reads_why_it_is_refused_all_the_same)
{
    int fd;

    rig_setup(2, 0, 0);
    rig.conns[0].load = 2;
    fd = dial(&rig.address);
    ck_assert_int_eq(write(fd, "NICK a\r\nUSER a 0 * a\r\n", 22), 22);

    rig_turn_until_idle();

    rig_expect_text(fd, RIG_FULL);
    rig_teardown();
}
END_TEST

START_TEST(an_address_over_its_limit_is_refused_until_one_of_its_own_leaves)
{
    rig_setup(0, 2, 0);

    rig_expect_welcome(rig_visit("127.0.0.1"));
    rig_expect_welcome(rig_visit("127.0.0.1"));
    rig_expect_text(rig_visit("127.0.0.1"), RIG_ADDRESS);
    rig_expect_welcome(rig_visit("127.0.0.2"));
    ck_assert_uint_eq(metric_read(&rig.counters->refused_address), 1);
    ck_assert_uint_eq(metric_read(&rig.counters->addresses), 2);

    rig_return_tickets();
    rig_turn_until_idle();
    ck_assert_uint_eq(metric_read(&rig.counters->addresses), 0);
    rig_expect_welcome(rig_visit("127.0.0.1"));
    rig_teardown();
}
END_TEST

START_TEST(who_connects_too_often_is_refused_and_later_forgotten)
{
    rig_setup(0, 0, 1);

    for (int i = 0; i < 4; i++)
        rig_expect_welcome(rig_visit(NULL));
    rig_expect_text(rig_visit(NULL), RIG_RATE);
    ck_assert_uint_eq(metric_read(&rig.counters->refused_rate), 1);
    ck_assert_ptr_null(rig.conns[0].last.ticket);
    fake_time_pass_ms(1000);
    rig_expect_welcome(rig_visit(NULL));

    ck_assert_uint_eq(metric_read(&rig.counters->addresses), 1);
    rig_turn_until_quiet(); /* sweeps until there is none left */
    ck_assert_uint_eq(metric_read(&rig.counters->addresses), 0);
    rig_teardown();
}
END_TEST

START_TEST(new_limits_count_from_the_next_connection_on)
{
    struct net_conf conf = rig_conf(1, 0, 0);

    rig_setup(0, 0, 0);
    rig_expect_welcome(rig_visit(NULL));

    ck_assert_int_eq(acceptor_post_reload(rig.acceptor, &conf), 0);
    rig_turn_until_idle();
    rig_expect_text(rig_visit(NULL), RIG_FULL);
    conf = rig_conf(0, 1, 0);
    ck_assert_int_eq(acceptor_post_reload(rig.acceptor, &conf), 0);
    rig_turn_until_idle();
    rig_expect_welcome(rig_visit(NULL));
    rig_expect_text(rig_visit(NULL), RIG_ADDRESS);
    rig_teardown();
}
END_TEST

/* -- closing -------------------------------------------------------------- */

static void
note_done(void *arg)
{
    ++*(unsigned *)arg;
}

START_TEST(closing_ends_the_listener_with_that_index_only)
{
    struct listen_addr first;
    unsigned done = 0;

    rig_setup(0, 0, 0);
    first = rig.address;
    rig_listen(6);
    rig_turn_until_idle();

    ck_assert_int_eq(acceptor_post_close(rig.acceptor, 5, note_done, &done), 0);
    rig_turn_until_idle();

    ck_assert_uint_eq(done, 1);
    ck_assert_int_eq(dial(&first), -ECONNREFUSED);
    rig_expect_welcome(rig_visit(NULL));
    rig_teardown();
}
END_TEST

START_TEST(closing_all_ends_all_even_in_a_pause)
{
    struct listen_addr first;
    unsigned done = 0;
    int fd;

    rig_setup(0, 0, 0);
    first = rig.address;
    rig_listen(6);
    rig_turn_until_idle();
    rig_fail_accepts(1, ENOMEM);
    fd = dial(&rig.address);
    worker_turn(rig.worker);

    ck_assert_int_eq(
        acceptor_post_close(rig.acceptor, ACCEPTOR_ALL, note_done, &done), 0);
    ck_assert_int_eq(acceptor_post_close(rig.acceptor, 6, NULL, NULL), 0);
    rig_turn_until_quiet();

    ck_assert_uint_eq(done, 1);
    ck_assert_int_eq(dial(&first), -ECONNREFUSED);
    ck_assert_int_eq(dial(&rig.address), -ECONNREFUSED);
    close(fd);
    rig_teardown();
}
END_TEST

START_TEST(what_is_posted_too_late_is_given_back)
{
    const struct net_conf conf = rig_conf(1, 1, 1);

    rig_setup(0, 1, 0);
    rig_expect_welcome(rig_visit(NULL));
    rig_listen(6);
    ck_assert_int_eq(acceptor_post_reload(rig.acceptor, &conf), 0);
    ck_assert_int_eq(acceptor_post_close(rig.acceptor, 5, NULL, NULL), 0);

    rig_teardown(); /* the ticket as well */

    ck_assert_int_eq(dial(&rig.address), -ECONNREFUSED);
    acceptor_destroy(NULL);
}
END_TEST

UNIT_MAIN("net/acceptor", of_a_burst_all_are_accepted_and_of_the_next_one_too,
          the_worker_with_the_fewest_gets_the_next,
          a_busy_listener_leaves_room_for_another,
          a_socket_comes_with_its_peer_and_listener, a_full_server_says_so,
          who_speaks_first_reads_why_it_is_refused_all_the_same,
          an_address_over_its_limit_is_refused_until_one_of_its_own_leaves,
          who_connects_too_often_is_refused_and_later_forgotten,
          new_limits_count_from_the_next_connection_on,
          closing_ends_the_listener_with_that_index_only,
          closing_all_ends_all_even_in_a_pause,
          what_is_posted_too_late_is_given_back)
