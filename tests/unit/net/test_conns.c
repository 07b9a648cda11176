/* SPDX-License-Identifier: BSD-2-Clause
 *
 * malloc, aligned_alloc and epoll_ctl are wrapped, so that a socket can arrive
 * when there is no memory for it.
 */
#include "net/conns.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/msg.h"
#include "net/conn_priv.h"
#include "support/unit.h"
#include "unit/net/conn_rig.h"

static bool is_memory_short;
static bool is_epoll_full;

void *__real_malloc(size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
int __real_epoll_ctl(int epfd, int op, int fd, struct epoll_event *ev);

void *
__wrap_malloc(size_t size)
{
    return is_memory_short ? NULL : __real_malloc(size);
}

void *
__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return is_memory_short ? NULL : __real_aligned_alloc(alignment, size);
}

int
__wrap_epoll_ctl(int epfd, int op, int fd, struct epoll_event *ev)
{
    if (is_epoll_full && op == EPOLL_CTL_ADD) {
        errno = ENOMEM;
        return -1;
    }
    return __real_epoll_ctl(epfd, op, fd, ev);
}

static void
start(void)
{
    rig_init();
    rig_start();
}

static bool
is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

/* -- ids ------------------------------------------------------------------- */

START_TEST(a_conn_is_found_by_its_id_while_it_lives)
{
    struct probe p = {.number = 0};

    start();
    probe_open(&p);

    ck_assert_uint_ne(p.id, CONN_NONE);
    ck_assert_uint_eq(conn_id_worker(p.id), worker_index(rig.worker));
    ck_assert_ptr_eq(conns_find(rig.conns, p.id), p.c);
    conn_close(p.c, CONN_END_QUIT);
    ck_assert_ptr_null(conns_find(rig.conns, p.id));
    rig_settle();
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(an_id_that_differs_in_any_bit_finds_nobody)
{
    struct probe p = {.number = 0};

    start();
    probe_open(&p);

    for (int bit = 0; bit < 64; bit++)
        ck_assert_ptr_null(conns_find(rig.conns, p.id ^ UINT64_C(1) << bit));
    ck_assert_ptr_null(conns_find(rig.conns, CONN_NONE));
    ck_assert_ptr_null(conns_find(rig.conns, UINT64_MAX));
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(a_slot_used_again_has_another_id)
{
    struct probe p = {.number = 0};
    conn_id seen[100];

    start();
    for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
        probe_open(&p);
        seen[i] = p.id;
        for (size_t j = 0; j < i; j++)
            ck_assert_uint_ne(seen[j], p.id);
        probe_end(&p);
    }

    for (size_t i = 0; i < ARRAY_LEN(seen); i++)
        ck_assert_ptr_null(conns_find(rig.conns, seen[i]));
    rig_stop();
}
END_TEST

/* An id has room for 28 bits of the slot's 32-bit generation. */
START_TEST(a_long_life_of_a_slot_does_not_confuse_ids)
{
    struct probe p = {.number = 0};

    start();
    probe_open(&p);
    probe_end(&p);
    for (uint32_t slot = 0; slot < rig.conns->table.size; slot++)
        rig.conns->table.slots[slot].generation = 0x5ffffffe;

    probe_open(&p);

    ck_assert_uint_eq(p.id >> CONN_ID_SLOT_BITS & 0xfffffff, 0xfffffff);
    ck_assert_ptr_eq(conns_find(rig.conns, p.id), p.c);
    probe_end(&p);
    ck_assert_ptr_null(conns_find(rig.conns, p.id));
    rig_stop();
}
END_TEST

/* -- adoption -------------------------------------------------------------- */

/* A counter of conns, such as the acceptor is one. */
struct counter {
    struct conn_ticket ticket;
    size_t returned;
    size_t dropped;
};

static void
on_returned(struct worker *w, struct post *p)
{
    CONTAINER_OF(p, struct counter, ticket.post)->returned++;
}

static void
on_dropped(struct post *p)
{
    CONTAINER_OF(p, struct counter, ticket.post)->dropped++;
}

static const struct post_kind ticket_kind = {"ticket", on_returned, on_dropped};

static struct accepted
make_socket(struct probe *p, struct counter *counter)
{
    int ends[2];

    rig_socketpair(ends);
    p->peer = ends[1];
    *counter = (struct counter){
        .ticket = {.post.kind = &ticket_kind, .home = rig.worker},
    };
    return (struct accepted){
        .fd = ends[0],
        .peer.family = AF_UNIX,
        .ticket = &counter->ticket,
    };
}

START_TEST(the_ticket_goes_home_when_the_conn_is_gone)
{
    struct probe p = {.number = 0};
    struct counter counter;
    struct accepted s;

    start();
    rig_expect(&p);
    s = make_socket(&p, &counter);

    conns_post_socket(rig.conns, &s);
    ck_assert_uint_eq(conns_load(rig.conns), 1);
    rig_turn();
    ck_assert_ptr_nonnull(p.c);
    ck_assert_uint_eq(counter.returned, 0);
    ck_assert_uint_eq(conns_load(rig.conns), 1);

    conn_close(p.c, CONN_END_QUIT);
    rig_turns(2);
    ck_assert_uint_eq(counter.returned, 1);
    ck_assert_uint_eq(conns_load(rig.conns), 0);
    probe_end(&p);
    rig_stop();
}
END_TEST

START_TEST(a_socket_without_memory_to_post_it_is_closed)
{
    struct probe p = {.number = 0};
    struct counter counter;
    struct accepted s;

    start();
    s = make_socket(&p, &counter);

    is_memory_short = true;
    conns_post_socket(rig.conns, &s);
    is_memory_short = false;
    rig_turn();

    ck_assert(!is_open(s.fd));
    ck_assert_uint_eq(counter.returned, 1);
    ck_assert_uint_eq(conns_load(rig.conns), 0);
    probe_end(&p);
    rig_stop();
}
END_TEST

/* Adopts a socket while `is_short` is set; nothing may stay behind. */
static void
expect_turned_away(bool *is_short)
{
    struct probe p = {.number = 0};
    struct counter counter;
    struct accepted s;

    start();
    s = make_socket(&p, &counter);

    *is_short = true;
    conns_adopt(rig.conns, &s);
    *is_short = false;
    rig_turn();

    ck_assert(!is_open(s.fd));
    ck_assert_uint_eq(counter.returned, 1);
    ck_assert_uint_eq(rig_counter("accepted"), 1);
    ck_assert_uint_eq(
        metric_read(&conns_counters(rig.conns)->ended[CONN_END_NOMEM]), 1);
    probe_end(&p);
    rig_stop();
}

START_TEST(a_socket_without_memory_for_its_conn_is_turned_away)
{
    expect_turned_away(&is_memory_short);
}
END_TEST

START_TEST(a_socket_that_epoll_does_not_take_is_turned_away)
{
    expect_turned_away(&is_epoll_full);
}
END_TEST

START_TEST(a_socket_that_comes_after_the_last_turn_is_closed)
{
    struct worker *const home = rig_other_worker();
    struct probe p = {.number = 0};
    struct counter counter;
    struct accepted s;

    start();
    s = make_socket(&p, &counter);
    counter.ticket.home = home;
    conns_post_socket(rig.conns, &s);

    conns_destroy(rig.conns);
    worker_destroy(rig.worker);

    ck_assert(!is_open(s.fd));
    ck_assert_uint_eq(counter.dropped, 0);
    worker_destroy(home);
    ck_assert_uint_eq(counter.dropped, 1);
    peer_close(&p);
}
END_TEST

/* -- all of them ----------------------------------------------------------- */

static void
drain_one(void *arg, struct conn *c)
{
    conn_drain(c, CONN_END_SHUTDOWN);
}

static void
close_one(void *arg, struct conn *c)
{
    conn_close(c, CONN_END_SHUTDOWN);
}

START_TEST(every_conn_is_visited_and_may_be_ended)
{
    struct probe probes[100] = {0};

    start();
    for (size_t i = 0; i < ARRAY_LEN(probes); i++)
        probe_open(&probes[i]);

    conns_each(rig.conns, drain_one, NULL);
    ck_assert_uint_eq(
        metric_read(&conns_counters(rig.conns)->in_state[CONN_DRAINING]), 100);
    conns_each(rig.conns, close_one, NULL);
    rig_settle();

    ck_assert_uint_eq(rig_counter("open"), 0);
    for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
        ck_assert_uint_eq(probes[i].closes, 1);
        probe_end(&probes[i]);
    }
    rig_stop();
}
END_TEST

START_TEST(what_closed_in_the_last_turn_is_buried_with_the_rest)
{
    struct probe p = {.number = 0};

    start();
    probe_open(&p);
    conn_close(p.c, CONN_END_SHUTDOWN);

    conns_destroy(rig.conns);

    ck_assert_uint_eq(p.closes, 1);
    worker_destroy(rig.worker);
    peer_close(&p);
}
END_TEST

START_TEST(an_idle_conn_is_small)
{
    struct probe p = {.number = 0};

    start();
    probe_open(&p);
    peer_say(&p, "hello");
    ck_assert_int_eq(probe_say(&p, "hello"), 0);
    rig_turn();

    ck_assert_uint_le(rig.conns->slab.object_size, 288);
    ck_assert_ptr_null(p.c->kept);
    ck_assert_uint_eq(rig.conns->chunks.live, 0);
    probe_end(&p);
    rig_stop();
}
END_TEST

UNIT_MAIN("net/conns", a_conn_is_found_by_its_id_while_it_lives,
          an_id_that_differs_in_any_bit_finds_nobody,
          a_slot_used_again_has_another_id,
          a_long_life_of_a_slot_does_not_confuse_ids,
          the_ticket_goes_home_when_the_conn_is_gone,
          a_socket_without_memory_to_post_it_is_closed,
          a_socket_without_memory_for_its_conn_is_turned_away,
          a_socket_that_epoll_does_not_take_is_turned_away,
          a_socket_that_comes_after_the_last_turn_is_closed,
          every_conn_is_visited_and_may_be_ended,
          what_closed_in_the_last_turn_is_buried_with_the_rest,
          an_idle_conn_is_small)
