/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit/net/conn_rig.h"

#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/msg.h"
#include "base/wheel.h"
#include "loop/reactor.h"
#include "loop/worker.h"
#include "net/conn_priv.h"
#include "support/fake_time.h"

#define AWAIT_MS 10000

struct rig rig;

/* -- the protocol ---------------------------------------------------------- */

static size_t
on_bytes(struct conn *c, const char *data, size_t len)
{
    struct probe *const p = conn_data(c);

    p->offers++;
    if (p->on_bytes != NULL)
        return p->on_bytes(p, data, len);
    buf_append(&p->heard, data, len);
    return len;
}

static void
on_eof(struct conn *c, size_t rest)
{
    struct probe *const p = conn_data(c);

    p->eofs++;
    p->rest = rest;
    if (p->on_eof != NULL)
        p->on_eof(p);
    else
        conn_drain(c, CONN_END_EOF);
}

static void
on_deadline(struct conn *c)
{
    struct probe *const p = conn_data(c);

    p->deadlines++;
    if (p->on_deadline != NULL)
        p->on_deadline(p);
}

static void
on_drained(struct conn *c)
{
    struct probe *const p = conn_data(c);

    p->drained++;
    if (p->on_drained != NULL)
        p->on_drained(p);
}

static void
on_closed(struct conn *c, enum conn_end end)
{
    struct probe *const p = conn_data(c);

    ck_assert_int_eq(conn_get_state(c), CONN_CLOSED);
    p->closes++;
    p->end = end;
    if (p->on_closed != NULL)
        p->on_closed(p);
    p->c = NULL;
}

const struct conn_ops probe_ops = {
    .name = "probe",
    .on_bytes = on_bytes,
    .on_eof = on_eof,
    .on_deadline = on_deadline,
    .on_drained = on_drained,
    .on_closed = on_closed,
};

static struct probe *adoptee;

void
rig_expect(struct probe *p)
{
    adoptee = p;
}

static void
on_accepted(struct conn *c, void *arg)
{
    ck_assert_ptr_eq(arg, &rig);
    ck_assert_int_eq(conn_get_state(c), CONN_ACCEPTED);

    adoptee->c = c;
    adoptee->id = conn_get_id(c);
    conn_set_ops(c, &probe_ops, adoptee);
    if (rig.enters != CONN_ACCEPTED)
        conn_enter(c, rig.enters);
}

/* -- the rig --------------------------------------------------------------- */

void
rig_init(void)
{
    rig = (struct rig){.enters = CONN_OPEN};
    net_conf_init(&rig.conf);
}

static struct worker *
make_worker(unsigned index)
{
    const struct worker_conf conf = {.name = "rig", .index = index, .cpu = -1};
    struct worker *w;

    ck_assert_int_eq(worker_create(&conf, &w), 0);
    return w;
}

struct worker *
rig_other_worker(void)
{
    return make_worker(8);
}

void
rig_start(void)
{
    struct conns_env env = {.on_accepted = on_accepted, .arg = &rig};

    log_set_level(LOG_LEVEL_WARN);
    fake_time_start(RIG_START_MS);
    rig.worker = make_worker(7);
    env.worker = rig.worker;
    ck_assert_int_eq(conns_create(&env, &rig.conf, &rig.conns), 0);
}

static void
nothing(struct worker *w, struct task *t)
{
}

void
rig_turn(void)
{
    struct task wakes;

    task_init(&wakes, nothing);
    worker_soon(rig.worker, &wakes);
    worker_turn(rig.worker);
}

void
rig_turns(size_t n)
{
    while (n-- > 0)
        rig_turn();
}

void
rig_settle(void)
{
    do {
        rig_turn();
    } while (!list_is_empty(&rig.conns->dirty) ||
             !list_is_empty(&rig.conns->ready) ||
             !list_is_empty(&rig.conns->closed));
}

static void
close_one(void *arg, struct conn *c)
{
    conn_close(c, CONN_END_SHUTDOWN);
}

void
rig_stop(void)
{
    conns_each(rig.conns, close_one, NULL);
    rig_settle();
    rig_check_balances();
    ck_assert_uint_eq(rig_counter("open"), 0);
    ck_assert_uint_eq(rig_counter("pending_msgs"), 0);
    ck_assert_uint_eq(rig_counter("kept_bytes"), 0);
    ck_assert_uint_eq(rig_counter("paused"), 0);
    ck_assert_uint_eq(conns_load(rig.conns), 0);
    ck_assert_uint_eq(rig.conns->slab.live, 0);
    ck_assert_uint_eq(rig.conns->chunks.live, 0);
    ck_assert_uint_eq(reactor_sources(worker_reactor(rig.worker)), 1);
    ck_assert_uint_eq(worker_wheel(rig.worker)->armed, 0);
    ck_assert_uint_eq(msg_live(), 0);

    conns_destroy(rig.conns);
    worker_destroy(rig.worker);
}

/* -- probes ---------------------------------------------------------------- */

void
rig_socketpair(int ends[2])
{
    ck_assert_int_eq(socketpair(AF_UNIX,
                                SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                                ends),
                     0);
}

void
rig_tcp_pair(int ends[2])
{
    struct sockaddr_in sin = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    struct sockaddr *const sa = (struct sockaddr *)&sin;
    socklen_t len = sizeof(sin);
    const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(listening, sa, len), 0);
    ck_assert_int_eq(listen(listening, 1), 0);
    ck_assert_int_eq(getsockname(listening, sa, &len), 0);

    ends[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(ends[1], sa, len), 0);
    ends[0] = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    ck_assert_int_ge(ends[0], 0);
    close(listening);
}

void
rig_adopt(struct probe *p, int fd, int family)
{
    const struct accepted s = {
        .fd = fd,
        .listener = 3,
        .peer.family = (uint8_t)family,
    };

    rig_expect(p);
    conns_adopt(rig.conns, &s);
}

void
probe_open(struct probe *p)
{
    int ends[2];

    rig_socketpair(ends);
    p->peer = ends[1];
    rig_adopt(p, ends[0], AF_UNIX);
}

void
probe_open_tcp(struct probe *p)
{
    int ends[2];

    rig_tcp_pair(ends);
    p->peer = ends[1];
    rig_adopt(p, ends[0], AF_INET);
}

void
probe_end(struct probe *p)
{
    if (p->c != NULL) {
        conn_close(p->c, CONN_END_SHUTDOWN);
        rig_settle();
    }
    peer_close(p);
    buf_fini(&p->heard);
}

void
peer_say(struct probe *p, const char *text)
{
    ck_assert_int_eq(write(p->peer, text, strlen(text)), (ssize_t)strlen(text));
}

void
peer_close(struct probe *p)
{
    if (p->peer >= 0)
        close(p->peer);
    p->peer = -1;
}

void
peer_reset(struct probe *p)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};

    ck_assert_int_eq(
        setsockopt(p->peer, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
    peer_close(p);
}

void
peer_finish(struct probe *p)
{
    ck_assert_int_eq(shutdown(p->peer, SHUT_WR), 0);
}

bool
peer_read(struct probe *p, struct buf *into)
{
    char chunk[65536];
    ssize_t got;

    do {
        /* Not recv(): some tests replace that. */
        struct iovec iov = {.iov_base = chunk, .iov_len = sizeof(chunk)};
        struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

        got = recvmsg(p->peer, &msg, MSG_DONTWAIT);
        if (got > 0)
            buf_append(into, chunk, (size_t)got);
    } while (got > 0);
    ck_assert(got == 0 || errno == EAGAIN);
    return got == 0;
}

void
probe_nothing(struct probe *p)
{
}

int
probe_say(struct probe *p, const char *text)
{
    return conn_queue_take(p->c, msg_copy(text, strlen(text)));
}

void
probe_shrink_buffer(struct probe *p)
{
    const int least = 1; /* the kernel makes 4608 of it */

    ck_assert_int_eq(
        setsockopt(p->c->fd, SOL_SOCKET, SO_SNDBUF, &least, sizeof(least)), 0);
}

void
probe_fill(struct probe *p, size_t bytes)
{
    for (int n = 0; conn_queued_bytes(p->c) < bytes; n++) {
        const bool is_writable = conn_queued_bytes(p->c) == 0;
        struct msg *const m = msg_create(10000);

        ck_assert_int_lt(n, 10000);
        memset(m->data, 0, m->len);
        ck_assert_int_eq(conn_queue_take(p->c, m), 0);
        if (is_writable)
            rig_turn();
    }
}

void
probe_await(const struct probe *p, short events)
{
    struct pollfd pfd = {.fd = p->c->fd, .events = events};

    do {
        ck_assert_int_eq(poll(&pfd, 1, AWAIT_MS), 1);
    } while ((pfd.revents & events) != events);
}

bool
probe_heard(const struct probe *p, const char *text)
{
    const size_t len = strlen(text);

    return p->heard.len == len &&
           (len == 0 || memcmp(p->heard.data, text, len) == 0);
}

/* -- counting -------------------------------------------------------------- */

uint64_t
rig_counter(const char *name)
{
    for (size_t i = 0; i < conns_metric_count; i++)
        if (strcmp(conns_metrics[i].name, name) == 0)
            return metric_read_at(conns_counters(rig.conns), &conns_metrics[i]);
    ck_abort_msg("no counter %s", name);
}

static void
check_one(void *arg, struct conn *c)
{
    uint64_t *const open = arg;

    conn_check(c);
    (*open)++;
}

void
rig_check_balances(void)
{
    const struct conns_counters *const counters = conns_counters(rig.conns);
    uint64_t walked = 0, in_states = 0, ended = 0;

    conns_each(rig.conns, check_one, &walked);
    for (int state = 0; state < CONN_CLOSED; state++)
        in_states += metric_read(&counters->in_state[state]);
    for (int end = 0; end < CONN_END_COUNT; end++)
        ended += metric_read(&counters->ended[end]);

    ck_assert_uint_eq(rig_counter("open"), walked);
    ck_assert_uint_eq(rig_counter("open"), in_states);
    ck_assert_uint_eq(rig_counter("accepted"), rig_counter("open") + ended);
    ck_assert_uint_eq(rig_counter("without_deadline"), 0);
    ck_assert_uint_eq(rig_counter("queued_msgs"),
                      rig_counter("sent_msgs") + rig_counter("dropped_msgs") +
                          rig_counter("pending_msgs"));
    ck_assert_uint_eq(rig_counter("queued_bytes"),
                      rig_counter("sent_bytes") + rig_counter("dropped_bytes") +
                          rig_counter("pending_bytes"));
}
