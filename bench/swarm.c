/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See swarm.h.
 */
#include "bench/swarm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define READ_SIZE  65536
#define EVENTS     512
#define PATIENCE_S 60

void
bench_die(const char *fmt, ...)
{
    va_list args;

    fputs("klatch-bench: ", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

uint64_t
bench_now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void
swarm_init(struct swarm *s, uint16_t port, bool raw, size_t capacity)
{
    *s = (struct swarm){
        .epoll_fd = epoll_create1(EPOLL_CLOEXEC),
        .port = port,
        .raw = raw,
        .capacity = capacity,
        .conns = calloc(capacity, sizeof(struct swarm_conn)),
    };
    if (s->epoll_fd < 0 || s->conns == NULL)
        bench_die("cannot start: %s", strerror(errno));
}

void
swarm_fini(struct swarm *s)
{
    for (size_t i = 0; i < s->count; i++) {
        close(s->conns[i].fd);
        free(s->conns[i].partial);
    }
    close(s->epoll_fd);
    free(s->conns);
}

static void
connect_one(struct swarm *s)
{
    const struct sockaddr_in sin = {
        .sin_family = AF_INET,
        .sin_port = htons(s->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    struct swarm_conn *const c = &s->conns[s->count];
    struct epoll_event ev = {.events = EPOLLIN, .data.u64 = s->count};
    const int on = 1;
    static size_t made; /* names of clients that just left may be taken still */
    char nick[32];
    int len;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 ||
        connect(c->fd, (const struct sockaddr *)&sin, sizeof(sin)) < 0)
        bench_die("connection %zu: %s", s->count, strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, c->fd, &ev) < 0)
        bench_die("epoll_ctl: %s", strerror(errno));
    c->ready = s->raw;
    s->count++;
    if (s->raw)
        return;
    len = snprintf(nick, sizeof(nick), "n%d-%06zu\n", getpid(), ++made);
    swarm_send(c, nick, (size_t)len);
}

static void
mark_ready(void *arg, struct swarm_conn *c, const char *line, size_t len)
{
    static const char joined[] = "* You are in #lobby";

    if (len >= sizeof(joined) - 1 &&
        memcmp(line, joined, sizeof(joined) - 1) == 0) {
        c->ready = true;
        ++*(size_t *)arg;
    }
}

void
swarm_grow(struct swarm *s, size_t n, size_t abreast)
{
    const uint64_t deadline = bench_now_ns() + PATIENCE_S * 1000000000ull;
    const size_t goal = s->count + n;
    size_t ready = s->count;

    if (goal > s->capacity)
        bench_die("more than %zu connections", s->capacity);
    while (ready < goal) {
        while (s->count < goal && s->count - ready < abreast) {
            connect_one(s);
            if (s->raw)
                ready++;
        }
        if (!s->raw)
            swarm_read_lines(s, 100, mark_ready, &ready);
        if (bench_now_ns() > deadline)
            bench_die("%zu of %zu clients were not greeted", goal - ready, n);
    }
}

/* Gives each whole line of `data` away; returns what is left behind the last. */
static size_t
split_lines(struct swarm_conn *c, const char *data, size_t len,
            swarm_line_fn on_line, void *arg)
{
    size_t at = 0;

    while (at < len) {
        const char *const end = memchr(data + at, '\n', len - at);

        if (end == NULL)
            break;
        on_line(arg, c, data + at, (size_t)(end - data) - at);
        at = (size_t)(end - data) + 1;
    }
    return at;
}

static void
keep_partial(struct swarm_conn *c, const char *data, size_t len)
{
    if (len == 0) {
        c->partial_len = 0;
        return;
    }
    c->partial = realloc(c->partial, len);
    if (c->partial == NULL)
        bench_die("out of memory");
    memmove(c->partial, data, len);
    c->partial_len = len;
}

static void
read_lines(struct swarm_conn *c, swarm_line_fn on_line, void *arg)
{
    static char buf[READ_SIZE * 2];
    const size_t kept = c->partial_len;
    size_t used;
    ssize_t n;

    if (kept > 0)
        memcpy(buf, c->partial, kept);
    n = recv(c->fd, buf + kept, READ_SIZE, MSG_DONTWAIT);
    if (n == 0)
        bench_die("the server closed a connection");
    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR)
            bench_die("recv: %s", strerror(errno));
        return;
    }
    c->bytes += (uint64_t)n;
    used = split_lines(c, buf, kept + (size_t)n, on_line, arg);
    keep_partial(c, buf + used, kept + (size_t)n - used);
}

size_t
swarm_read_lines(struct swarm *s, int timeout_ms, swarm_line_fn on_line,
                 void *arg)
{
    struct epoll_event events[EVENTS];
    const int n = epoll_wait(s->epoll_fd, events, EVENTS, timeout_ms);

    for (int i = 0; i < n; i++)
        read_lines(&s->conns[events[i].data.u64], on_line, arg);
    return n > 0 ? (size_t)n : 0;
}

size_t
swarm_read_bytes(struct swarm *s, int timeout_ms)
{
    struct epoll_event events[EVENTS];
    const int n = epoll_wait(s->epoll_fd, events, EVENTS, timeout_ms);

    for (int i = 0; i < n; i++) {
        struct swarm_conn *const c = &s->conns[events[i].data.u64];
        const ssize_t got =
            recv(c->fd, NULL, 1 << 20, MSG_DONTWAIT | MSG_TRUNC);

        if (got == 0)
            bench_die("the server closed a connection");
        if (got > 0)
            c->bytes += (uint64_t)got;
        else if (errno != EAGAIN && errno != EINTR)
            bench_die("recv: %s", strerror(errno));
    }
    return n > 0 ? (size_t)n : 0;
}

void
swarm_settle(struct swarm *s, int quiet_ms)
{
    while (swarm_read_bytes(s, quiet_ms) > 0)
        continue;
    for (size_t i = 0; i < s->count; i++)
        s->conns[i].partial_len = 0;
}

void
swarm_reset_counts(struct swarm *s)
{
    for (size_t i = 0; i < s->count; i++)
        s->conns[i].bytes = 0;
}

void
swarm_send(struct swarm_conn *c, const char *data, size_t len)
{
    while (len > 0) {
        const ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            bench_die("send: %s", strerror(errno));
        data += n;
        len -= (size_t)n;
    }
}
