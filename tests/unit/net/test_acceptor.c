/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The acceptor on a worker that the test turns by hand, in fake time, with
 * real sockets on loopback.
 *
 * Doubles  struct conns: what reaches a worker is noted and closed. accept4 is
 *          wrapped, to count its calls and to make it fail; malloc likewise.
 */
#include "net/acceptor.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "loop/worker_priv.h"
#include "net/conns.h"
#include "net/listener.h"
#include "support/dial.h"
#include "support/fake_time.h"
#include "support/unit.h"

#define WORKERS 3u
#define MOST    1000u

#define FULL "* This server is full. Please try again later.\r\n"
#define ADDRESS                                                               \
    "* Your address has too many connections here. Please close one of them " \
    "first.\r\n"
#define RATE "* Your address connects too often. Please wait a moment.\r\n"
#define NO_ROOM \
    "* This server has no room just now. Please try again later.\r\n"

struct conns {
    uint32_t load;
    struct accepted last;
    struct conn_ticket *tickets[8];
    size_t tickets_count;
};

static struct conns conns[WORKERS];
static struct worker *worker;
static struct acceptor *acceptor;
static struct listen_addr address; /* of the first listener */
static const struct acceptor_counters *counters;

static struct {
    unsigned calls;
    unsigned failures; /* so many calls from now on fail ... */
    int error;         /* ... with this */
} accepting;
static bool memory_is_short;

void
conns_post_socket(struct conns *cs, const struct accepted *s)
{
    cs->load++;
    cs->last = *s;
    if (s->ticket != NULL && cs->tickets_count < ARRAY_LEN(cs->tickets))
        cs->tickets[cs->tickets_count++] = s->ticket;
    close(s->fd);
}

uint32_t
conns_load(const struct conns *cs)
{
    return cs->load;
}

int __real_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags);

int
__wrap_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags)
{
    accepting.calls++;
    if (accepting.failures == 0)
        return __real_accept4(fd, sa, len, flags);
    accepting.failures--;
    errno = accepting.error;
    return -1;
}

void *__real_malloc(size_t size);

void *
__wrap_malloc(size_t size)
{
    return memory_is_short ? NULL : __real_malloc(size);
}

/* -- arranging ------------------------------------------------------------ */

static void
listen_at(const char *text, unsigned index)
{
    const struct listener_conf conf = {
        .name = "main", .addr = dial_addr(text), .index = index};
    struct listener *l = NULL;

    ck_assert_int_eq(listener_open(&conf, &l), 0);
    address = *listener_addr(l);
    ck_assert_int_eq(acceptor_post_listen(acceptor, l), 0);
}

static struct net_conf
conf_of(uint64_t connections, uint64_t per_address, uint64_t rate)
{
    struct net_conf conf;

    net_conf_init(&conf);
    conf.limits_connections = connections;
    conf.limits_connections_per_address = per_address;
    conf.limits_connect_rate = rate;
    return conf;
}

static void
setup_acceptor(uint64_t connections, uint64_t per_address, uint64_t rate)
{
    static struct conns *const all[] = {&conns[0], &conns[1], &conns[2]};
    static struct conns *list[WORKERS];
    const struct worker_conf worker_conf = {.name = "acceptor", .cpu = -1};
    const struct net_conf conf = conf_of(connections, per_address, rate);
    struct acceptor_env env = {.conns = list, .conns_count = WORKERS};

    memcpy(list, all, sizeof(list));
    log_set_level(LOG_LEVEL_ERROR);
    fake_time_start(1000);
    ck_assert_int_eq(worker_create(&worker_conf, &worker), 0);
    env.worker = worker;
    ck_assert_int_eq(acceptor_create(&env, &conf, &acceptor), 0);
    counters = acceptor_counters(acceptor);
    listen_at("127.0.0.1:0", 5);
    worker_turn(worker);
}

static void
return_tickets(void)
{
    for (size_t i = 0; i < WORKERS; i++) {
        while (conns[i].tickets_count > 0)
            conn_ticket_return(conns[i].tickets[--conns[i].tickets_count]);
    }
}

static void
teardown_acceptor(void)
{
    return_tickets();
    acceptor_destroy(acceptor);
    worker_destroy(worker);
}

/* Turns until there is nothing left to do at this moment. */
static unsigned
turn_until_idle(void)
{
    const size_t idle = fake_time.idle;
    unsigned turns = 0;

    fake_time.stays = true;
    while (fake_time.idle == idle) {
        worker_turn(worker);
        ck_assert_uint_lt(turns++, 1000);
    }
    fake_time.stays = false;
    return turns;
}

/* Turns until nothing is left to wait for but new connections. */
static void
turn_until_quiet(void)
{
    const size_t for_ever = fake_time.for_ever;

    while (fake_time.for_ever == for_ever)
        worker_turn(worker);
}

static uint64_t
count(const _Atomic uint64_t *counter)
{
    return metric_read(counter);
}

static uint32_t
load_of_all(void)
{
    return conns[0].load + conns[1].load + conns[2].load;
}

/* A client that connects now and is let in or sent away in the next turns. */
static int
visit_from(const char *from)
{
    const int fd = dial_from(&address, from);

    ck_assert_int_ge(fd, 0);
    turn_until_idle();
    return fd;
}

static void
expect_text(int fd, const char *text)
{
    char got[256];

    ck_assert_int_ge(dial_read_all(fd, got, sizeof(got)), 0);
    ck_assert_str_eq(got, text);
    close(fd);
}

/* Let in: the double closes without a word. */
#define expect_welcome(fd) expect_text(fd, "")

/* -- bursts --------------------------------------------------------------- */

static void
burst(uint32_t size)
{
    static int fds[MOST];
    const uint32_t before = load_of_all();
    unsigned turns;

    for (uint32_t i = 0; i < size; i++) {
        fds[i] = dial(&address);
        ck_assert_int_ge(fds[i], 0);
    }

    turns = turn_until_idle();

    ck_assert_uint_eq(load_of_all() - before, size);
    ck_assert_uint_le(turns, size / ACCEPT_BUDGET + 2);
    for (uint32_t i = 0; i < size; i++)
        close(fds[i]);
}

START_TEST(of_a_burst_all_are_accepted_and_of_the_next_one_too)
{
    static const uint32_t sizes[] = {1, 20, 128, MOST};

    dial_raise_fd_limit();
    setup_acceptor(0, 0, 0);

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        burst(sizes[i]);
        burst(sizes[i]);
    }

    ck_assert_uint_eq(count(&counters->accepted), 2 * (1 + 20 + 128 + MOST));
    ck_assert_uint_eq(count(&counters->handed), count(&counters->accepted));
    ck_assert_uint_eq(conns[0].load, 766);
    ck_assert_uint_eq(conns[1].load, 766);
    ck_assert_uint_eq(conns[2].load, 766);
    teardown_acceptor();
}
END_TEST

START_TEST(the_worker_with_the_fewest_gets_the_next)
{
    setup_acceptor(0, 0, 0);
    conns[0].load = 10;
    conns[2].load = 4;

    burst(16);

    ck_assert_uint_eq(conns[0].load, 10);
    ck_assert_uint_eq(conns[1].load, 10);
    ck_assert_uint_eq(conns[2].load, 10);
    teardown_acceptor();
}
END_TEST

START_TEST(a_busy_listener_leaves_room_for_another)
{
    struct listen_addr first;
    int fds[ACCEPT_BUDGET + 10];
    int other;

    setup_acceptor(0, 0, 0);
    first = address;
    listen_at("127.0.0.1:0", 6);
    turn_until_idle();
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = dial(&first);
    other = dial(&address);

    worker_turn(worker);

    ck_assert_uint_eq(load_of_all(), ACCEPT_BUDGET + 1);
    turn_until_idle();
    ck_assert_uint_eq(load_of_all(), ARRAY_LEN(fds) + 1);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
    close(other);
    teardown_acceptor();
}
END_TEST

START_TEST(a_socket_comes_with_its_peer_and_listener)
{
    char text[ADDR_TEXT_MAX];
    int fd;

    setup_acceptor(0, 0, 0);
    fd = visit_from("127.0.0.9");

    ck_assert_str_eq(addr_format_host(&conns[0].last.peer, text), "127.0.0.9");
    ck_assert_uint_eq(conns[0].last.listener, 5);
    ck_assert_ptr_null(conns[0].last.ticket); /* nobody counts */
    expect_welcome(fd);
    teardown_acceptor();
}
END_TEST

/* -- limits --------------------------------------------------------------- */

START_TEST(a_full_server_says_so)
{
    setup_acceptor(2, 0, 0);

    expect_welcome(visit_from(NULL));
    expect_welcome(visit_from(NULL));
    expect_text(visit_from(NULL), FULL);
    ck_assert_uint_eq(count(&counters->refused_full), 1);

    conns[0].load--;
    expect_welcome(visit_from(NULL));
    ck_assert_uint_eq(count(&counters->accepted), count(&counters->handed) + 1);
    teardown_acceptor();
}
END_TEST

START_TEST(who_speaks_first_reads_why_it_is_refused_all_the_same)
{
    int fd;

    setup_acceptor(2, 0, 0);
    conns[0].load = 2;
    fd = dial(&address);
    ck_assert_int_eq(write(fd, "NICK a\r\nUSER a 0 * a\r\n", 22), 22);

    turn_until_idle();

    expect_text(fd, FULL);
    teardown_acceptor();
}
END_TEST

START_TEST(an_address_over_its_limit_is_refused_until_one_of_its_own_leaves)
{
    setup_acceptor(0, 2, 0);

    expect_welcome(visit_from("127.0.0.1"));
    expect_welcome(visit_from("127.0.0.1"));
    expect_text(visit_from("127.0.0.1"), ADDRESS);
    expect_welcome(visit_from("127.0.0.2"));
    ck_assert_uint_eq(count(&counters->refused_address), 1);
    ck_assert_uint_eq(count(&counters->addresses), 2);

    return_tickets();
    turn_until_idle();
    ck_assert_uint_eq(count(&counters->addresses), 0);
    expect_welcome(visit_from("127.0.0.1"));
    teardown_acceptor();
}
END_TEST

START_TEST(who_connects_too_often_is_refused_and_later_forgotten)
{
    setup_acceptor(0, 0, 1);

    for (int i = 0; i < 4; i++)
        expect_welcome(visit_from(NULL));
    expect_text(visit_from(NULL), RATE);
    ck_assert_uint_eq(count(&counters->refused_rate), 1);
    ck_assert_ptr_null(conns[0].last.ticket);
    fake_time_pass_ms(1000);
    expect_welcome(visit_from(NULL));

    ck_assert_uint_eq(count(&counters->addresses), 1);
    turn_until_quiet(); /* sweeps until there is none left */
    ck_assert_uint_eq(count(&counters->addresses), 0);
    teardown_acceptor();
}
END_TEST

START_TEST(new_limits_count_from_the_next_connection_on)
{
    struct net_conf conf = conf_of(1, 0, 0);

    setup_acceptor(0, 0, 0);
    expect_welcome(visit_from(NULL));

    ck_assert_int_eq(acceptor_post_reload(acceptor, &conf), 0);
    turn_until_idle();
    expect_text(visit_from(NULL), FULL);
    conf = conf_of(0, 1, 0);
    ck_assert_int_eq(acceptor_post_reload(acceptor, &conf), 0);
    turn_until_idle();
    expect_welcome(visit_from(NULL));
    expect_text(visit_from(NULL), ADDRESS);
    teardown_acceptor();
}
END_TEST

START_TEST(a_client_for_whom_there_is_no_memory_is_told_and_not_counted)
{
    int fd;

    setup_acceptor(0, 1, 0);
    expect_welcome(visit_from("127.0.0.2")); /* so that the table exists */
    fd = dial(&address);
    memory_is_short = true;
    worker_turn(worker);
    memory_is_short = false;

    expect_text(fd, NO_ROOM);
    ck_assert_uint_eq(count(&counters->refused_memory), 1);
    expect_welcome(visit_from(NULL));
    teardown_acceptor();
}
END_TEST

/* -- errors of accept4() -------------------------------------------------- */

static void
fail_accepts(unsigned times, int error)
{
    accepting.failures = times;
    accepting.error = error;
}

START_TEST(errors_of_one_connection_are_passed_over)
{
    static const int errors[] = {ECONNABORTED, EINTR,        EPROTO,
                                 ENETDOWN,     EHOSTUNREACH, EPERM};

    setup_acceptor(0, 0, 0);

    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        fail_accepts(3, errors[i]);
        expect_welcome(visit_from(NULL));
        ck_assert_uint_eq(accepting.failures, 0);
    }
    ck_assert_uint_eq(count(&counters->backoffs), 0);
    teardown_acceptor();
}
END_TEST

START_TEST(an_error_that_never_ends_cannot_keep_a_turn_from_ending)
{
    int fd;

    setup_acceptor(0, 0, 0);
    fd = dial(&address);
    fail_accepts(UINT_MAX, EPROTO);
    accepting.calls = 0;

    worker_turn(worker);

    ck_assert_uint_eq(accepting.calls, ACCEPT_BUDGET);
    close(fd);
    teardown_acceptor();
}
END_TEST

/* Goes through one pause, during which nothing may be tried. */
static void
expect_pause(void)
{
    const uint64_t start_ns = fake_time.now_ns;
    const uint64_t pause_ns = ACCEPT_BACKOFF_MS * UINT64_C(1000000);
    const size_t waits = fake_time.waits;

    accepting.calls = 0;
    while (fake_time.now_ns < start_ns + pause_ns) {
        ck_assert_uint_eq(accepting.calls, 0);
        worker_turn(worker);
        ck_assert_int_ne(fake_time.timeout_ms, -1);
    }
    /* The wheel may wake us in between, but it is not a spin. */
    ck_assert_uint_le(fake_time.waits - waits, 5);
    ck_assert_uint_eq(fake_time.now_ns, start_ns + pause_ns);
    turn_until_idle();
}

START_TEST(without_descriptors_one_is_told_and_then_accepting_pauses)
{
    int fds[3];

    setup_acceptor(0, 0, 0);
    for (int i = 0; i < 3; i++)
        fds[i] = dial(&address);
    fail_accepts(1, EMFILE);

    worker_turn(worker);
    expect_text(fds[0], NO_ROOM);
    ck_assert_uint_eq(load_of_all(), 0);
    ck_assert_uint_eq(count(&counters->refused_fds), 1);
    ck_assert_uint_eq(count(&counters->backoffs), 1);

    fail_accepts(1, ENFILE);
    expect_pause();
    expect_text(fds[1], NO_ROOM);
    ck_assert_uint_eq(count(&counters->backoffs), 2);

    expect_pause();
    expect_welcome(fds[2]);
    ck_assert_uint_eq(count(&counters->accepted), 3);
    teardown_acceptor();
}
END_TEST

START_TEST(without_kernel_memory_accepting_pauses_and_nobody_is_lost)
{
    int fds[2];

    setup_acceptor(0, 0, 0);
    for (int i = 0; i < 2; i++)
        fds[i] = dial(&address);
    fail_accepts(1, ENOBUFS);

    worker_turn(worker);
    fail_accepts(1, ENOMEM);
    expect_pause();
    expect_pause();

    expect_welcome(fds[0]);
    expect_welcome(fds[1]);
    ck_assert_uint_eq(count(&counters->backoffs), 2);
    teardown_acceptor();
}
END_TEST

START_TEST(a_pause_holds_for_every_listener_also_new_ones)
{
    struct listen_addr first;
    int fds[3];

    setup_acceptor(0, 0, 0);
    first = address;
    listen_at("127.0.0.1:0", 6);
    turn_until_idle();
    fds[0] = dial(&first);
    fds[1] = dial(&address);
    fail_accepts(UINT_MAX, ENOMEM);
    worker_turn(worker);
    ck_assert_uint_eq(count(&counters->backoffs), 1);
    listen_at("127.0.0.1:0", 7);
    fds[2] = dial(&address);
    fail_accepts(0, 0);

    worker_turn(worker); /* takes the post */
    expect_pause();

    for (int i = 0; i < 3; i++)
        expect_welcome(fds[i]);
    teardown_acceptor();
}
END_TEST

/* Takes every descriptor there is; returns how many that were. */
static size_t
use_up_descriptors(int *fds, size_t most)
{
    size_t n = 0;

    while (n < most && (fds[n] = dup(STDERR_FILENO)) >= 0)
        n++;
    ck_assert_uint_lt(n, most);
    return n;
}

START_TEST(it_holds_with_descriptors_really_used_up)
{
    const struct rlimit few = {64, 64};
    int hoard[64], first, second;
    size_t n;

    setup_acceptor(0, 0, 0);
    first = dial(&address);
    second = dial(&address);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    n = use_up_descriptors(hoard, ARRAY_LEN(hoard));

    worker_turn(worker);
    expect_text(first, NO_ROOM); /* its fd is free now; take that as well */
    ck_assert_int_ge(dup(STDERR_FILENO), 0);
    while (n > 0)
        close(hoard[--n]);
    expect_pause();

    expect_welcome(second);
    ck_assert_uint_eq(count(&counters->refused_fds), 1);
    teardown_acceptor();
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

    setup_acceptor(0, 0, 0);
    first = address;
    listen_at("127.0.0.1:0", 6);
    turn_until_idle();

    ck_assert_int_eq(acceptor_post_close(acceptor, 5, note_done, &done), 0);
    turn_until_idle();

    ck_assert_uint_eq(done, 1);
    ck_assert_int_eq(dial(&first), -ECONNREFUSED);
    expect_welcome(visit_from(NULL));
    teardown_acceptor();
}
END_TEST

START_TEST(closing_all_ends_all_even_in_a_pause)
{
    struct listen_addr first;
    unsigned done = 0;
    int fd;

    setup_acceptor(0, 0, 0);
    first = address;
    listen_at("127.0.0.1:0", 6);
    turn_until_idle();
    fail_accepts(1, ENOMEM);
    fd = dial(&address);
    worker_turn(worker);

    ck_assert_int_eq(
        acceptor_post_close(acceptor, ACCEPTOR_ALL, note_done, &done), 0);
    ck_assert_int_eq(acceptor_post_close(acceptor, 6, NULL, NULL), 0);
    turn_until_quiet();

    ck_assert_uint_eq(done, 1);
    ck_assert_int_eq(dial(&first), -ECONNREFUSED);
    ck_assert_int_eq(dial(&address), -ECONNREFUSED);
    close(fd);
    teardown_acceptor();
}
END_TEST

START_TEST(what_is_posted_too_late_is_given_back)
{
    const struct net_conf conf = conf_of(1, 1, 1);

    setup_acceptor(0, 1, 0);
    expect_welcome(visit_from(NULL));
    listen_at("127.0.0.1:0", 6);
    ck_assert_int_eq(acceptor_post_reload(acceptor, &conf), 0);
    ck_assert_int_eq(acceptor_post_close(acceptor, 5, NULL, NULL), 0);

    teardown_acceptor(); /* the ticket as well */

    ck_assert_int_eq(dial(&address), -ECONNREFUSED);
    acceptor_destroy(NULL);
}
END_TEST

START_TEST(a_post_that_cannot_be_made_leaves_the_listener_to_its_owner)
{
    const struct listener_conf lc = {.name = "x",
                                     .addr = dial_addr("127.0.0.1:0")};
    const struct net_conf conf = conf_of(1, 1, 1);
    struct listener *l = NULL;
    int results[3];

    setup_acceptor(0, 0, 0);
    ck_assert_int_eq(listener_open(&lc, &l), 0);

    memory_is_short = true; /* for Check as well: no assertion in between */
    results[0] = acceptor_post_listen(acceptor, l);
    results[1] = acceptor_post_reload(acceptor, &conf);
    results[2] = acceptor_post_close(acceptor, 5, NULL, NULL);
    memory_is_short = false;

    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(results[i], -ENOMEM);
    listener_close(l);
    teardown_acceptor();
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
          a_client_for_whom_there_is_no_memory_is_told_and_not_counted,
          errors_of_one_connection_are_passed_over,
          an_error_that_never_ends_cannot_keep_a_turn_from_ending,
          without_descriptors_one_is_told_and_then_accepting_pauses,
          without_kernel_memory_accepting_pauses_and_nobody_is_lost,
          a_pause_holds_for_every_listener_also_new_ones,
          it_holds_with_descriptors_really_used_up,
          closing_ends_the_listener_with_that_index_only,
          closing_all_ends_all_even_in_a_pause,
          what_is_posted_too_late_is_given_back,
          a_post_that_cannot_be_made_leaves_the_listener_to_its_owner)
