/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sockets handed to a worker by several threads while it serves others, ends
 * some and at last stops; its counters are read meanwhile.
 *
 * Shape    Each client is a socketpair: one end is posted, the other says a
 *          line, hears it again and is closed.
 */
#include "net/conns.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/msg.h"
#include "support/crew.h"
#include "support/unit.h"

enum {
    CLIENT_THREADS = 4,
    CLIENTS = 300,
    LATE = 50, /* sockets a thread posts to a worker about to stop */
};

static const char line[] = "can you hear me?\n";

static struct worker *worker;
static struct conns *conns;

/* -- the server ------------------------------------------------------------ */

static size_t
echo(struct conn *c, const char *data, size_t len)
{
    (void)conn_queue_take(c, msg_copy(data, len));
    return len;
}

static void
on_eof(struct conn *c, size_t rest)
{
    conn_drain(c, CONN_END_EOF);
}

static void
on_closed(struct conn *c, enum conn_end end)
{
}

static const struct conn_ops echo_ops = {
    .name = "echo",
    .on_bytes = echo,
    .on_eof = on_eof,
    .on_closed = on_closed,
};

static void
on_accepted(struct conn *c, void *arg)
{
    conn_set_ops(c, &echo_ops, NULL);
    conn_enter(c, CONN_OPEN);
}

static void
close_one(void *arg, struct conn *c)
{
    conn_close(c, CONN_END_SHUTDOWN);
}

static void
on_stop(struct worker *w, void *arg)
{
    conns_each(conns, close_one, NULL);
}

static void
serve(void)
{
    const struct worker_conf worker_conf = {.name = "race", .cpu = -1};
    const struct worker_hooks hooks = {.on_stop = on_stop};
    struct conns_env env = {.on_accepted = on_accepted};
    struct net_conf conf;

    log_set_level(LOG_LEVEL_WARN);
    net_conf_init(&conf);
    ck_assert_int_eq(worker_create(&worker_conf, &worker), 0);
    worker_set_hooks(worker, &hooks);
    env.worker = worker;
    ck_assert_int_eq(conns_create(&env, &conf, &conns), 0);
    ck_assert_int_eq(worker_start(worker), 0);
}

/* -- the clients ----------------------------------------------------------- */

static int
connect_one(void)
{
    struct accepted s = {.peer.family = AF_UNIX};
    int ends[2];
    int rc;

    rc = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
    CREW_ASSERT(rc == 0);
    rc = fcntl(ends[0], F_SETFL, O_NONBLOCK);
    CREW_ASSERT(rc == 0);
    s.fd = ends[0];
    conns_post_socket(conns, &s);
    return ends[1];
}

static void
say_and_hear(int fd)
{
    char heard[sizeof(line)];
    size_t len = 0;

    CREW_ASSERT(write(fd, line, sizeof(line)) == sizeof(line));
    while (len < sizeof(line)) {
        const ssize_t got = read(fd, heard + len, sizeof(heard) - len);

        CREW_ASSERT(got > 0);
        len += (size_t)got;
    }
    CREW_ASSERT(memcmp(heard, line, sizeof(line)) == 0);
}

static void
talk(struct crew *crew, unsigned member)
{
    for (int i = 0; i < CLIENTS; i++) {
        const int fd = connect_one();

        say_and_hear(fd);
        close(fd);
        CREW_ASSERT(metric_read(&conns_counters(conns)->accepted) > 0);
    }
}

START_TEST(every_socket_that_is_posted_is_served)
{
    struct crew *const crew = &(struct crew){.members = 0};
    const struct conns_counters *counters;

    serve();
    counters = conns_counters(conns);
    crew_start(crew, CLIENT_THREADS, talk);
    crew_join(crew);
    while (conns_load(conns) > 0)
        sched_yield();
    worker_stop(worker);

    ck_assert_uint_eq(metric_read(&counters->accepted),
                      CLIENT_THREADS * CLIENTS);
    ck_assert_uint_eq(metric_read(&counters->ended[CONN_END_EOF]),
                      CLIENT_THREADS * CLIENTS);
    ck_assert_uint_eq(metric_read(&counters->sent_bytes),
                      CLIENT_THREADS * CLIENTS * sizeof(line));
    conns_destroy(conns);
    worker_destroy(worker);
    ck_assert_uint_eq(msg_live(), 0);
}
END_TEST

static int late[CLIENT_THREADS][LATE];

static void
come_late(struct crew *crew, unsigned member)
{
    for (int i = 0; i < LATE; i++)
        late[member][i] = connect_one();
}

START_TEST(a_socket_that_comes_too_late_is_closed_all_the_same)
{
    struct crew *const crew = &(struct crew){.members = 0};
    char nothing;

    serve();
    crew_start(crew, CLIENT_THREADS, come_late);
    worker_stop(worker);
    crew_join(crew);
    conns_destroy(conns);
    worker_destroy(worker);

    for (int member = 0; member < CLIENT_THREADS; member++) {
        for (int i = 0; i < LATE; i++) {
            ck_assert_int_eq(read(late[member][i], &nothing, 1), 0);
            close(late[member][i]);
        }
    }
}
END_TEST

UNIT_MAIN("race/conns", every_socket_that_is_posted_is_served,
          a_socket_that_comes_too_late_is_closed_all_the_same)
