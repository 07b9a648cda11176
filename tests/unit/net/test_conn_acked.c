/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a conn's peer is known to have, over real TCP on the loopback and over
 * Unix sockets.
 */
#include "net/conn.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/msg.h"
#include "net/conn_priv.h"
#include "support/fault_io.h"
#include "support/unit.h"
#include "unit/net/conn_rig.h"

#define SENDQ   65536u
#define MSG_LEN 1000

static void
start(void)
{
    fault_io_stop();
    rig_init();
    rig.conf.limits_sendq = SENDQ;
    rig_start();
}

static uint64_t acked_at_end;

static void
note_acked(struct probe *p)
{
    acked_at_end = conn_acked_upto(p->c);
}

/* TCP may take its time: until `upto` is known to be there. */
static void
await_acked(const struct probe *p, uint64_t upto)
{
    for (int i = 0; i < 2000 && conn_acked_upto(p->c) < upto; i++)
        (void)poll(NULL, 0, 5);
    ck_assert_uint_eq(conn_acked_upto(p->c), upto);
}

START_TEST(tcp_acknowledges_what_it_took)
{
    struct probe p = {.peer = -1, .on_closed = note_acked};

    start();
    probe_open_tcp(&p);
    ck_assert_uint_eq(conn_acked_upto(p.c), 0);
    ck_assert_int_eq(probe_say(&p, "12345"), 0);
    ck_assert_uint_eq(conn_acked_upto(p.c), 0); /* only queued */
    rig_turn();
    await_acked(&p, 5); /* by the peer's kernel, unread */

    conn_close(p.c, CONN_END_QUIT);
    rig_settle();
    ck_assert_uint_eq(acked_at_end, 5);
    probe_end(&p);
    rig_stop();
}
END_TEST

/* So much that the peer's kernel cannot hold it. */
static void
fill_tcp(struct probe *p)
{
    const int small = 8192;

    probe_open_tcp(p);
    ck_assert_int_eq(
        setsockopt(p->peer, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
    for (int quiet = 0; quiet < 20; quiet++) {
        const uint64_t before = conn_bytes_out(p->c);

        while (conn_queued_bytes(p->c) < SENDQ / 4)
            ck_assert_int_eq(
                conn_queue_take(p->c, msg_printf("%*s", MSG_LEN, "")), 0);
        rig_turn();
        (void)poll(NULL, 0, 5);
        if (conn_bytes_out(p->c) > before)
            quiet = 0;
    }
}

START_TEST(tcp_does_not_acknowledge_what_it_has_no_room_for)
{
    struct probe p = {.peer = -1, .on_closed = note_acked};
    uint64_t acked;
    char some[4096];
    size_t got = 0;

    start();
    fill_tcp(&p);
    acked = conn_acked_upto(p.c);
    ck_assert_uint_gt(acked, 0);
    ck_assert_uint_lt(acked, conn_bytes_out(p.c));

    while (got < acked) { /* exactly this has arrived */
        const ssize_t n = recv(p.peer, some, sizeof(some), MSG_DONTWAIT);

        if (n <= 0)
            break;
        got += (size_t)n;
    }
    ck_assert_uint_ge(got, acked);
    probe_end(&p);
    rig_stop();
}
END_TEST

/* Or a session's client could read what it is given again on its return. */
START_TEST(who_is_given_up_is_sent_nothing_more)
{
    struct probe p = {.peer = -1, .on_closed = note_acked};
    char some[4096];
    size_t got = 0;
    ssize_t n;

    start();
    fill_tcp(&p);
    conn_close(p.c, CONN_END_SENDQ);
    rig_turn();
    ck_assert_uint_eq(p.closes, 1);

    while ((n = recv(p.peer, some, sizeof(some), 0)) > 0)
        got += (size_t)n;
    ck_assert_int_eq(n, -1);
    ck_assert_int_eq(errno, ECONNRESET);
    ck_assert_uint_le(got, acked_at_end);
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(a_reset_leaves_it_known_what_was_acknowledged)
{
    struct probe p = {.peer = -1, .on_closed = note_acked};
    uint64_t acked, out;

    start();
    fill_tcp(&p);
    acked = conn_acked_upto(p.c);
    out = conn_bytes_out(p.c);
    peer_reset(&p);
    probe_await(&p, POLLERR);
    while (p.closes == 0)
        rig_turn();

    ck_assert_int_eq(p.end, CONN_END_RESET);
    ck_assert_uint_eq(acked_at_end, acked);
    ck_assert_uint_lt(acked_at_end, out);
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(a_fin_leaves_it_known_what_was_acknowledged)
{
    struct probe p = {.peer = -1, .on_closed = note_acked};
    struct buf got;

    start();
    buf_init(&got);
    probe_open_tcp(&p);
    ck_assert_int_eq(probe_say(&p, "the last words"), 0);
    rig_turn();
    await_acked(&p, 14);
    peer_finish(&p);
    probe_await(&p, POLLIN);
    rig_settle(); /* drains, and sends a FIN: which counts as no byte */
    if (p.c != NULL)
        ck_assert_uint_eq(conn_acked_upto(p.c), 14);
    while (p.closes == 0)
        rig_turn();

    ck_assert_uint_eq(acked_at_end, 14);
    buf_fini(&got);
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(a_unix_peer_has_what_it_has_read)
{
    struct probe p = {.peer = -1, .on_closed = note_acked};
    struct buf got;

    start();
    buf_init(&got);
    probe_open(&p);
    ck_assert_int_eq(probe_say(&p, "unread"), 0);
    rig_turn();
    ck_assert_uint_eq(conn_acked_upto(p.c), 0);
    (void)peer_read(&p, &got);
    ck_assert_uint_eq(conn_acked_upto(p.c), 6);

    peer_close(&p);
    while (p.closes == 0)
        rig_turn();
    ck_assert_uint_eq(acked_at_end, 6);
    buf_fini(&got);
    probe_end(&p);
    rig_stop();
}
END_TEST

/* The kernel frees what was unread, and then counts nothing. */
START_TEST(a_unix_peer_that_goes_has_not_read)
{
    struct probe p = {.peer = -1, .on_closed = note_acked};

    start();
    acked_at_end = UINT64_MAX;
    probe_open(&p);
    ck_assert_int_eq(probe_say(&p, "unread"), 0);
    rig_turn();
    peer_close(&p);
    ck_assert_uint_eq(conn_acked_upto(p.c), 0); /* not heard of yet */
    while (p.closes == 0)
        rig_turn();

    ck_assert_uint_eq(acked_at_end, 0);
    probe_end(&p);
    rig_stop();
}
END_TEST

UNIT_MAIN("net/conn_acked", tcp_acknowledges_what_it_took,
          tcp_does_not_acknowledge_what_it_has_no_room_for,
          who_is_given_up_is_sent_nothing_more,
          a_reset_leaves_it_known_what_was_acknowledged,
          a_fin_leaves_it_known_what_was_acknowledged,
          a_unix_peer_has_what_it_has_read, a_unix_peer_that_goes_has_not_read)
