/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "net/conn_priv.h"
#include "support/unit.h"
#include "unit/net/conn_rig.h"

static struct keepalive
plan(uint64_t idle_ping_ms, uint64_t pong_ms, uint64_t user_timeout_ms)
{
    struct net_conf conf;
    struct keepalive k;

    net_conf_init(&conf);
    conf.timeouts_idle_ping = idle_ping_ms;
    conf.timeouts_pong = pong_ms;
    conf.timeouts_user_timeout = user_timeout_ms;
    keepalive_plan(&conf, &k);
    return k;
}

/* When the kernel gives an idle peer up that answers no probe: with a user
 * timeout at the first probe due after it, else after the last probe. */
static int
given_up_after_s(struct keepalive k)
{
    int at_s = k.idle_s;
    int probes = 0;

    for (;;) {
        if (k.user_timeout_ms != 0
                ? at_s * 1000 >= (int)k.user_timeout_ms && probes > 0
                : probes >= k.probes)
            return at_s;
        probes++;
        at_s += k.interval_s;
    }
}

static int
probes_before_giving_up(struct keepalive k)
{
    return (given_up_after_s(k) - k.idle_s) / k.interval_s;
}

START_TEST(an_idle_peer_is_given_up_within_the_configured_time)
{
    ck_assert_int_eq(given_up_after_s(plan(90000, 60000, 60000)), 60);
    ck_assert_int_eq(given_up_after_s(plan(90000, 60000, 0)), 150);
    ck_assert_int_eq(given_up_after_s(plan(1000, 1000, 0)), 2);
    ck_assert_int_le(given_up_after_s(plan(1000, 1000, 1)), 2);
}
END_TEST

/* When it is spoken to in the last moment, the time begins anew. */
START_TEST(twice_the_time_fits_in_the_configured_time)
{
    ck_assert_int_eq(given_up_after_s(plan(90000, 60000, 600000)), 75);
    ck_assert_int_eq(given_up_after_s(plan(5000, 5000, 10000)), 5);
    ck_assert_uint_eq(plan(90000, 60000, 600000).user_timeout_ms, 75000);
    ck_assert_uint_eq(plan(90000, 60000, 75000).user_timeout_ms, 75000);
    ck_assert_uint_eq(plan(90000, 60000, 0).user_timeout_ms, 0);
}
END_TEST

START_TEST(one_lost_probe_does_not_end_an_idle_peer)
{
    ck_assert_int_ge(probes_before_giving_up(plan(90000, 60000, 60000)), 4);
    ck_assert_int_ge(probes_before_giving_up(plan(90000, 60000, 0)), 4);
    ck_assert_int_ge(probes_before_giving_up(plan(5000, 5000, 10000)), 4);
    ck_assert_int_ge(probes_before_giving_up(plan(4000, 4000, 60000)), 3);
}
END_TEST

static int
option(const struct probe *p, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof(value);

    ck_assert_int_eq(getsockopt(p->c->fd, level, name, &value, &len), 0);
    return value;
}

START_TEST(a_tcp_socket_gets_its_options)
{
    struct probe p = {.number = 0};

    rig_init();
    rig_start();
    probe_open_tcp(&p);

    ck_assert_int_ne(option(&p, IPPROTO_TCP, TCP_NODELAY), 0);
    ck_assert_int_ne(option(&p, SOL_SOCKET, SO_KEEPALIVE), 0);
    ck_assert_int_ne(option(&p, SOL_SOCKET, SO_OOBINLINE), 0);
    ck_assert_int_eq(option(&p, IPPROTO_TCP, TCP_USER_TIMEOUT), 60000);
    ck_assert_int_eq(option(&p, IPPROTO_TCP, TCP_KEEPIDLE), 32);
    ck_assert_int_eq(option(&p, IPPROTO_TCP, TCP_KEEPINTVL), 7);
    ck_assert_int_eq(option(&p, IPPROTO_TCP, TCP_KEEPCNT), 4);
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(a_reload_changes_the_options_of_a_living_conn)
{
    struct probe p = {.number = 0};

    rig_init();
    rig_start();
    probe_open_tcp(&p);
    rig.conf.timeouts_user_timeout = 10000;

    conns_reload(rig.conns, &rig.conf);

    ck_assert_int_eq(option(&p, IPPROTO_TCP, TCP_USER_TIMEOUT), 10000);
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(errors_have_their_reasons)
{
    ck_assert_int_eq(conn_end_of(-ECONNRESET), CONN_END_RESET);
    ck_assert_int_eq(conn_end_of(-EPIPE), CONN_END_RESET);
    ck_assert_int_eq(conn_end_of(-ETIMEDOUT), CONN_END_TIMEOUT);
    ck_assert_int_eq(conn_end_of(-EHOSTUNREACH), CONN_END_TIMEOUT);
    ck_assert_int_eq(conn_end_of(-ENOBUFS), CONN_END_NOMEM);
    ck_assert_int_eq(conn_end_of(-EIO), CONN_END_ERROR);
}
END_TEST

START_TEST(a_socket_is_acknowledged_when_the_peer_has_it_all)
{
    struct probe tcp = {.number = 0}, local = {.number = 0};

    rig_init();
    rig_start();
    probe_open_tcp(&tcp);
    probe_open(&local);
    ck_assert(conn_socket_is_acked(tcp.c));

    ck_assert_int_eq(probe_say(&local, "unread, but in its queue"), 0);
    rig_turn();
    ck_assert(conn_socket_is_acked(local.c));
    ck_assert_int_eq(conn_socket_error(tcp.c), 0);
    probe_end(&local);
    probe_end(&tcp);
    rig_stop();
}
END_TEST

UNIT_MAIN("net/conn_socket",
          an_idle_peer_is_given_up_within_the_configured_time,
          twice_the_time_fits_in_the_configured_time,
          one_lost_probe_does_not_end_an_idle_peer,
          a_tcp_socket_gets_its_options,
          a_reload_changes_the_options_of_a_living_conn,
          errors_have_their_reasons,
          a_socket_is_acknowledged_when_the_peer_has_it_all)
