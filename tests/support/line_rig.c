/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/line_rig.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/msg.h"
#include "base/wheel.h"
#include "chat/hub_thread.h"
#include "loop/worker.h"
#include "support/fake_time.h"

#define START_MS 1000000u
#define WALL_MS  UINT64_C(1795255440000) /* 2026-11-21 10:04:00 UTC */
#define TURNS    200u                    /* more than calming down takes */

struct line_rig rig;

/* ---- seams --------------------------------------------------------------- */

uint64_t __wrap_clock_wall_ms(void);
int __real_hub_thread_send(struct hub_thread *t, const struct command *c);
int __wrap_hub_thread_send(struct hub_thread *t, const struct command *c);

uint64_t
__wrap_clock_wall_ms(void)
{
    return WALL_MS;
}

int
__wrap_hub_thread_send(struct hub_thread *t, const struct command *c)
{
    if (rig.is_hungry)
        return -ENOMEM;
    if (rig.loses == (int)c->kind)
        return 0;
    return __real_hub_thread_send(t, c);
}

/* ---- the rig ------------------------------------------------------------- */

void
line_rig_init(void)
{
    memset(&rig, 0, sizeof(rig));
    net_conf_init(&rig.net);
    proto_conf_init(&rig.proto);
    chat_conf_init(&rig.chat);
    rig.proto.session_linger = 0; /* a case that wants sessions says so */
    rig.chat.session_linger = 0;
    rig.loses = -1;
}

static void
operator_hears(void *arg, const struct delivery *d, size_t n)
{
}

/* The front is made after the hub's thread, which it must be told. */
static void
front_hears(void *arg, const struct delivery *d, size_t n)
{
    front_on_batch(rig.front, d, n);
}

static void
hub_start(void)
{
    const struct hub_conf conf = {.workers = 1, .chat = rig.chat};
    const struct hub_sink sinks[] = {
        {rig.worker, front_hears,    NULL},
        {rig.worker, operator_hears, NULL},
    };
    struct hub_thread_env env = {
        .worker = rig.worker,
        .sinks = sinks,
        .sink_count = ARRAY_LEN(sinks),
    };

    ck_assert_int_eq(hub_create(&conf, &rig.hub), 0);
    env.hub = rig.hub;
    ck_assert_int_eq(hub_thread_create(&env, &rig.hub_thread), 0);
}

static void
front_start(void)
{
    const struct front_listener pin = {.protocol = FRONT_LINE};
    const struct front_env env = {.hub = rig.hub_thread};

    ck_assert_int_eq(front_create(&env, &rig.proto, &rig.front), 0);
    if (!rig.detects)
        ck_assert_int_eq(front_set_listener(rig.front, &pin), 0);
}

void
line_rig_start(void)
{
    const struct worker_conf conf = {.name = "rig", .cpu = -1};
    struct conns_env env = {.on_accepted = front_on_accepted};

    log_set_level(LOG_LEVEL_WARN);
    fake_time_start(START_MS);
    ck_assert_int_eq(worker_create(&conf, &rig.worker), 0);
    hub_start();
    front_start();
    env.worker = rig.worker;
    env.arg = rig.front;
    ck_assert_int_eq(conns_create(&env, &rig.net, &rig.conns), 0);
    front_set_conns(rig.front, rig.conns);
}

static void
nothing(struct worker *w, struct task *t)
{
}

void
line_rig_settle(void)
{
    for (unsigned i = 0; i < TURNS; i++) {
        struct task wakes;

        task_init(&wakes, nothing);
        worker_soon(rig.worker, &wakes); /* so that the turn does not wait */
        worker_turn(rig.worker);
    }
}

static void
close_one(void *arg, struct conn *c)
{
    conn_close(c, CONN_END_SHUTDOWN);
}

static void
check_all_came_back(void)
{
    struct hub_census census;

    hub_check(rig.hub);
    hub_count(rig.hub, &census);
    ck_assert_uint_eq(census.users, 0);
    ck_assert_uint_eq(census.sessions, 0);
    ck_assert_uint_eq(census.members, 0);
    ck_assert_uint_eq(census.rooms, 1);
    for (size_t i = 0; i < front_metric_count; i++)
        if (front_metrics[i].kind == METRIC_GAUGE && rig.loses < 0)
            ck_assert_msg(metric_read_at(front_counters(rig.front),
                                         &front_metrics[i]) == 0,
                          "%s is not 0", front_metrics[i].name);
    ck_assert_uint_eq(metric_read(&conns_counters(rig.conns)->open), 0);
    ck_assert_uint_eq(metric_read(&conns_counters(rig.conns)->paused), 0);
    ck_assert_uint_eq(worker_wheel(rig.worker)->armed, 0);
    ck_assert_uint_eq(msg_live(), 0);
}

void
line_rig_stop(void)
{
    conns_each(rig.conns, close_one, NULL);
    line_rig_settle();
    check_all_came_back();

    conns_destroy(rig.conns);
    front_destroy(rig.front);
    hub_thread_destroy(rig.hub_thread);
    hub_destroy(rig.hub);
    worker_destroy(rig.worker);
    ck_assert_uint_eq(event_live(), 0);
    for (size_t i = 0; i < rig.peer_count; i++) {
        peer_close(&rig.peers[i]);
        buf_fini(&rig.peers[i].text);
    }
}

/* ---- peers --------------------------------------------------------------- */

struct peer *
peer_connect(void)
{
    struct accepted s = {.peer.family = AF_UNIX};
    const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    struct peer *p;
    int ends[2];

    ck_assert_uint_lt(rig.peer_count, PEERS_MAX);
    p = &rig.peers[rig.peer_count++];
    ck_assert_int_eq(socketpair(AF_UNIX, type, 0, ends), 0);
    buf_init(&p->text);
    p->fd = ends[1];
    s.fd = ends[0];
    conns_adopt(rig.conns, &s);
    line_rig_settle();
    return p;
}

void
peer_write(struct peer *p, const void *data, size_t len)
{
    ck_assert_int_eq(write(p->fd, data, len), (ssize_t)len);
}

void
peer_say(struct peer *p, const char *text)
{
    peer_write(p, text, strlen(text));
    line_rig_settle();
}

void
peer_finish(struct peer *p)
{
    ck_assert_int_eq(shutdown(p->fd, SHUT_WR), 0);
    line_rig_settle();
}

void
peer_close(struct peer *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
}

const char *
peer_read(struct peer *p)
{
    char chunk[16384];
    ssize_t got = 1;

    buf_reset(&p->text);
    for (int quiet = 0; quiet < 2 && got != 0; quiet++) {
        line_rig_settle();
        while ((got = read(p->fd, chunk, sizeof(chunk))) > 0) {
            buf_append(&p->text, chunk, (size_t)got);
            quiet = -1;
        }
    }
    p->at_eof = got == 0;
    buf_append_char(&p->text, '\0');
    return p->text.data;
}

struct peer *
peer_called(const char *nick)
{
    struct peer *const p = peer_connect();
    char line[256];

    (void)snprintf(line, sizeof(line), "%s\n", nick);
    peer_say(p, line);
    peers_skip();
    return p;
}

void
peers_skip(void)
{
    for (size_t i = 0; i < rig.peer_count; i++)
        if (rig.peers[i].fd >= 0)
            (void)peer_read(&rig.peers[i]);
}

void
oper_send(const struct command *c)
{
    struct command from_oper = *c;

    from_oper.from.conn = UINT64_C(1) << 56 | 1; /* behind the last worker */
    ck_assert_int_eq(hub_thread_send(rig.hub_thread, &from_oper), 0);
    line_rig_settle();
}
