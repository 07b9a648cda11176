/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See swarm.h.
 */
#include "support/swarm.h"

#include <arpa/inet.h>
#include <check.h>
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
#include <unistd.h>

#include "support/e2e.h"

#define EVENTS_A_TURN 256
#define READ_SIZE     262144
#define SEND_MAX      8192 /* bytes of what swarm_send() formats */

/* -- coming and going ----------------------------------------------------- */

void
swarm_init(struct swarm *s, size_t count, swarm_line_fn on_line, void *arg)
{
    e2e_raise_fd_limit();
    *s = (struct swarm){
        .count = count,
        .on_line = on_line,
        .arg = arg,
        .patience_ms = SWARM_PATIENCE_MS,
    };
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    ck_assert_int_ge(s->epoll, 0);
    s->clients = calloc(count, sizeof(*s->clients));
    ck_assert_ptr_nonnull(s->clients);
    for (size_t i = 0; i < count; i++)
        s->clients[i].fd = -1;
}

void
swarm_close(struct swarm *s, size_t i)
{
    struct swarm_client *const c = &s->clients[i];

    if (c->fd >= 0)
        close(c->fd);
    free(c->in);
    free(c->out);
    *c = (struct swarm_client){.fd = -1};
}

void
swarm_reset(struct swarm *s, size_t i)
{
    const struct linger now = {.l_onoff = 1};

    setsockopt(s->clients[i].fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    swarm_close(s, i);
}

static void
watch(struct swarm *s, size_t i, bool writes)
{
    struct swarm_client *const c = &s->clients[i];
    struct epoll_event ev = {.data.u64 = i};

    if (!c->is_deaf)
        ev.events |= EPOLLIN;
    if (writes)
        ev.events |= EPOLLOUT;
    if (epoll_ctl(s->epoll, EPOLL_CTL_MOD, c->fd, &ev) < 0)
        ck_assert_int_eq(epoll_ctl(s->epoll, EPOLL_CTL_ADD, c->fd, &ev), 0);
    c->is_blocked = writes;
}

bool
swarm_vanish(struct swarm *s, size_t i)
{
    const int on = 1;

    if (setsockopt(s->clients[i].fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) <
        0)
        return false;
    swarm_close(s, i);
    return true;
}

void
swarm_end_writing(struct swarm *s, size_t i)
{
    s->clients[i].may_end = true;
    ck_assert_int_eq(shutdown(s->clients[i].fd, SHUT_WR), 0);
}

void
swarm_mute(struct swarm *s, size_t i)
{
    s->clients[i].is_deaf = true;
    watch(s, i, s->clients[i].is_blocked);
}

void
swarm_fini(struct swarm *s)
{
    for (size_t i = 0; i < s->count; i++)
        swarm_close(s, i);
    free(s->clients);
    close(s->epoll);
}

static struct sockaddr_in
address(const char *text, uint16_t port)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};

    ck_assert_int_eq(inet_pton(AF_INET, text, &sin.sin_addr), 1);
    return sin;
}

/* `k` counts the clients on this route. */
static void
bind_to_route(int fd, const struct swarm_route *route, size_t k)
{
    const uint16_t port =
        (uint16_t)(route->first_port > 0 ? route->first_port + k : 0);
    const struct sockaddr_in from = address(route->from, port);
    const int on = 1;

    /* A port of the kernel's choice is chosen for the whole connection. */
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (const struct sockaddr *)&from, sizeof(from)) < 0)
        e2e_fail("bind to %s:%u: %s", route->from, port, strerror(errno));
}

static void
connect_one(struct swarm *s, size_t first, size_t k,
            const struct swarm_route *route)
{
    const struct sockaddr_in to = address(route->to, route->port);
    struct swarm_client *const c = &s->clients[first + k];
    const int on = 1;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_ge(c->fd, 0);
    /* A test writes in small pieces, and must not wait for Nagle. */
    ck_assert_int_eq(
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
    if (s->receive_buffer > 0)
        ck_assert_int_eq(setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF,
                                    &s->receive_buffer,
                                    sizeof(s->receive_buffer)),
                         0);
    if (route->from != NULL)
        bind_to_route(c->fd, route, k);
    if (connect(c->fd, (const struct sockaddr *)&to, sizeof(to)) < 0 &&
        errno != EINPROGRESS)
        e2e_fail("connect: %s", strerror(errno));
    watch(s, first + k, true);
}

void
swarm_connect_along(struct swarm *s, size_t first, size_t n,
                    const struct swarm_route *route)
{
    for (size_t k = 0; k < n; k++)
        connect_one(s, first, k, route);
}

void
swarm_connect(struct swarm *s, size_t first, size_t n, uint16_t port)
{
    const struct swarm_route route = {.to = "127.0.0.1", .port = port};

    swarm_connect_along(s, first, n, &route);
}

void
swarm_await_connected(struct swarm *s)
{
    for (size_t i = 0; i < s->count; i++) {
        struct pollfd pfd = {.fd = s->clients[i].fd, .events = POLLOUT};
        socklen_t len = sizeof(int);
        int error = 0;

        if (pfd.fd < 0)
            continue;
        if (poll(&pfd, 1, SWARM_PATIENCE_MS) != 1)
            e2e_fail("client %zu does not get connected", i);
        ck_assert_int_eq(getsockopt(pfd.fd, SOL_SOCKET, SO_ERROR, &error, &len),
                         0);
        if (error != 0)
            e2e_fail("client %zu: connect: %s", i, strerror(error));
    }
}

/* -- speaking ------------------------------------------------------------- */

static void
flush(struct swarm *s, size_t i)
{
    struct swarm_client *const c = &s->clients[i];

    while (c->out_len > 0) {
        const ssize_t n = send(c->fd, c->out, c->out_len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN && !c->may_end)
            e2e_fail("client %zu: send: %s", i, strerror(errno));
        if (n < 0 && errno != EAGAIN)
            c->out_len = 0; /* for nobody; reading will tell */
        if (n < 0)
            break;
        c->out_len -= (size_t)n;
        memmove(c->out, c->out + n, c->out_len);
    }
    if (c->is_blocked != (c->out_len > 0))
        watch(s, i, c->out_len > 0);
}

void
swarm_send(struct swarm *s, size_t i, const char *fmt, ...)
{
    struct swarm_client *const c = &s->clients[i];
    va_list args;
    int n;

    c->out = realloc(c->out, c->out_len + SEND_MAX);
    ck_assert_ptr_nonnull(c->out);
    va_start(args, fmt);
    n = vsnprintf(c->out + c->out_len, SEND_MAX, fmt, args);
    va_end(args);
    ck_assert_int_lt(n, SEND_MAX);
    c->out_len += (size_t)n;
    if (!c->is_blocked)
        flush(s, i);
}

/* -- hearing -------------------------------------------------------------- */

static void
keep(struct swarm_client *c, const char *data, size_t len)
{
    c->in = realloc(c->in, c->in_len + len + 1);
    ck_assert_ptr_nonnull(c->in);
    memcpy(c->in + c->in_len, data, len);
    c->in_len += len;
}

/* The line whose beginning was kept. */
static void
end_kept(struct swarm *s, size_t i, const char *data, size_t len)
{
    struct swarm_client *const c = &s->clients[i];
    char *line;

    keep(c, data, len);
    line = c->in;
    line[c->in_len] = '\0';
    c->in = NULL;
    c->in_len = 0;
    s->on_line(s->arg, i, line);
    free(line);
}

/* on_line() may close the client: then the rest is not for anybody. */
static void
cut_lines(struct swarm *s, size_t i, char *data, size_t len)
{
    const int fd = s->clients[i].fd;
    char *end;

    while (s->clients[i].fd == fd && (end = memchr(data, '\n', len)) != NULL) {
        const size_t n = (size_t)(end - data);

        *end = '\0';
        if (s->clients[i].in != NULL)
            end_kept(s, i, data, n);
        else
            s->on_line(s->arg, i, data);
        data = end + 1;
        len -= n + 1;
    }
    if (s->clients[i].fd == fd && len > 0)
        keep(&s->clients[i], data, len);
}

static void
on_end(struct swarm *s, size_t i, ssize_t got)
{
    struct swarm_client *const c = &s->clients[i];

    if (!c->may_end)
        e2e_fail("client %zu: the server closed (%s)", i,
                 got < 0 ? strerror(errno) : "FIN");
    ck_assert_int_eq(epoll_ctl(s->epoll, EPOLL_CTL_DEL, c->fd, NULL), 0);
    c->has_ended = true;
    s->ended++;
}

static void
hear(struct swarm *s, size_t i)
{
    static char data[READ_SIZE];
    struct swarm_client *const c = &s->clients[i];
    const ssize_t n = recv(c->fd, data, sizeof(data), 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        on_end(s, i, n);
        return;
    }
    c->heard += (uint64_t)n;
    cut_lines(s, i, data, (size_t)n);
}

/* -- the loop ------------------------------------------------------------- */

static void
serve(struct swarm *s, size_t i, uint32_t events)
{
    const uint32_t input =
        s->clients[i].is_deaf ? 0 : EPOLLIN | EPOLLERR | EPOLLHUP;

    if ((events & EPOLLOUT) != 0)
        flush(s, i);
    if ((events & input) != 0)
        hear(s, i);
    else if ((events & (EPOLLERR | EPOLLHUP)) != 0)
        on_end(s, i, -1);
}

static void
turn(struct swarm *s)
{
    struct epoll_event events[EVENTS_A_TURN];
    const int n = epoll_wait(s->epoll, events, EVENTS_A_TURN, 10);

    if (n < 0 && errno != EINTR)
        e2e_fail("epoll_wait: %s", strerror(errno));
    for (int k = 0; k < n; k++) {
        const size_t i = (size_t)events[k].data.u64;

        if (s->clients[i].fd >= 0 && !s->clients[i].has_ended)
            serve(s, i, events[k].events);
    }
}

void
swarm_run_for(struct swarm *s, uint64_t ms)
{
    const uint64_t end_ms = now_ms() + ms;

    while (now_ms() < end_ms)
        turn(s);
}

void
swarm_run_until(struct swarm *s, bool (*is_done)(void *arg), void *arg,
                const char *what)
{
    const uint64_t deadline = now_ms() + s->patience_ms;

    while (!is_done(arg)) {
        if (now_ms() >= deadline)
            e2e_fail("waited in vain for %s", what);
        turn(s);
    }
}
