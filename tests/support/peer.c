/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See peer.h.
 */
#include "support/peer.h"

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
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ROOM_TO_READ 65536
#define LINE_MAX_OUT 16384 /* bytes of what peer_send() formats */

/* -- coming and going ----------------------------------------------------- */

static void
make_room(struct peer *p)
{
    if (p->cap - p->head - p->len >= ROOM_TO_READ)
        return;
    if (p->head > 0) {
        memmove(p->data, p->data + p->head, p->len);
        p->head = 0;
    }
    if (p->cap - p->len < ROOM_TO_READ) {
        p->cap = p->cap * 2 + ROOM_TO_READ;
        p->data = realloc(p->data, p->cap);
        ck_assert_ptr_nonnull(p->data);
    }
}

static void
open_socket(struct peer *p, int family)
{
    const int on = 1;

    *p = (struct peer){.fd = -1};
    make_room(p);
    p->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(p->fd, 0);
    /* A test writes in small pieces, and must not wait for Nagle. */
    if (family == AF_INET)
        ck_assert_int_eq(
            setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
}

static void
connect_socket(struct peer *p, const struct sockaddr *sa, socklen_t len)
{
    if (connect(p->fd, sa, len) < 0)
        e2e_fail("connect: %s", strerror(errno));
}

static struct sockaddr_in
loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

static void
connect_tcp(struct peer *p, uint16_t port)
{
    const struct sockaddr_in sin = loopback(port);

    connect_socket(p, (const struct sockaddr *)&sin, sizeof(sin));
}

void
peer_connect(struct peer *p, uint16_t port)
{
    open_socket(p, AF_INET);
    connect_tcp(p, port);
}

bool
peer_try_connect(struct peer *p, uint16_t port)
{
    const struct sockaddr_in sin = loopback(port);

    open_socket(p, AF_INET);
    if (connect(p->fd, (const struct sockaddr *)&sin, sizeof(sin)) == 0)
        return true;
    ck_assert_int_eq(errno, ECONNREFUSED);
    peer_close(p);
    return false;
}

void
peer_connect_small(struct peer *p, uint16_t port, int receive_buffer)
{
    open_socket(p, AF_INET);
    ck_assert_int_eq(setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer,
                                sizeof(receive_buffer)),
                     0);
    connect_tcp(p, port);
}

void
peer_connect_from(struct peer *p, uint16_t port, const char *address)
{
    struct sockaddr_in sin = {.sin_family = AF_INET};

    open_socket(p, AF_INET);
    ck_assert_int_eq(inet_pton(AF_INET, address, &sin.sin_addr), 1);
    ck_assert_int_eq(bind(p->fd, (const struct sockaddr *)&sin, sizeof(sin)),
                     0);
    connect_tcp(p, port);
}

void
peer_connect_unix(struct peer *p, const char *path)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};

    open_socket(p, AF_UNIX);
    snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
    connect_socket(p, (const struct sockaddr *)&sun, sizeof(sun));
}

void
peer_enter(struct peer *p, const char *nick)
{
    peer_send(p, "%s\n", nick);
    peer_await(p, "* You are in #lobby");
    /* What comes with a join is in front of the answer to this. */
    peer_send(p, "/topic #lobby\n");
    while (strncmp(peer_take(p), "* #lobby has no topic", 21) != 0)
        if (strncmp(p->line, "* Topic of #lobby", 17) == 0)
            break;
}

void
peer_join(struct peer *p, uint16_t port, const char *nick)
{
    peer_connect(p, port);
    peer_enter(p, nick);
}

void
peers_expect_joined(struct peer *const *peers, size_t n, const char *nick)
{
    for (size_t i = 0; i < n; i++)
        peer_expect(peers[i], "* %s joined #lobby.", nick);
}

void
peer_close(struct peer *p)
{
    if (p->fd >= 0)
        close(p->fd);
    free(p->data);
    *p = (struct peer){.fd = -1};
}

void
peer_reset(struct peer *p)
{
    const struct linger now = {.l_onoff = 1};

    setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    peer_close(p);
}

bool
peer_vanish(struct peer *p)
{
    const int on = 1;

    if (setsockopt(p->fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) < 0) {
        peer_reset(p);
        return false;
    }
    peer_close(p);
    return true;
}

void
peer_end_writing(struct peer *p)
{
    ck_assert_int_eq(shutdown(p->fd, SHUT_WR), 0);
}

/* -- speaking ------------------------------------------------------------- */

void
peer_send_bytes(struct peer *p, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0) {
        const ssize_t n = send(p->fd, at, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            e2e_fail("send: %s", strerror(errno));
        at += n;
        len -= (size_t)n;
    }
}

size_t
peer_send_some(struct peer *p, const void *data, size_t len)
{
    const ssize_t n = send(p->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n < 0 && errno != EAGAIN)
        e2e_fail("send: %s", strerror(errno));
    return n < 0 ? 0 : (size_t)n;
}

void
peer_send(struct peer *p, const char *fmt, ...)
{
    char text[LINE_MAX_OUT];
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    ck_assert_int_lt(n, (int)sizeof(text));
    peer_send_bytes(p, text, (size_t)n);
}

/* -- hearing -------------------------------------------------------------- */

/* More bytes behind what is there: their number, 0 at the end of the stream, or
 * -1 at a reset. */
static ssize_t
receive(struct peer *p, size_t max, const char *waiting_for)
{
    const uint64_t deadline = now_ms() + PEER_PATIENCE_MS;

    make_room(p);
    for (;;) {
        struct pollfd pfd = {.fd = p->fd, .events = POLLIN};
        const uint64_t now = now_ms();
        ssize_t n;

        if (now >= deadline)
            e2e_fail("waited in vain for: %s\nthere is: %.*s", waiting_for,
                     (int)p->len, p->data + p->head);
        n = recv(p->fd, p->data + p->head + p->len, max, MSG_DONTWAIT);
        if (n >= 0) {
            p->len += (size_t)n;
            return n;
        }
        if (errno == EAGAIN)
            (void)poll(&pfd, 1, (int)(deadline - now));
        else if (errno != EINTR)
            return -1;
    }
}

static void
consume(struct peer *p, size_t len)
{
    p->head += len;
    p->len -= len;
}

static const char *
take_line(struct peer *p, const char *waiting_for)
{
    size_t looked_at = 0;
    char *line, *end;

    for (;;) {
        line = p->data + p->head;
        end = p->len > looked_at
                  ? memchr(line + looked_at, '\n', p->len - looked_at)
                  : NULL;
        if (end != NULL)
            break;
        looked_at = p->len;
        if (receive(p, ROOM_TO_READ, waiting_for) <= 0)
            e2e_fail("the server closed; waited for: %s\nthere is: %.*s",
                     waiting_for, (int)p->len, p->data + p->head);
    }
    consume(p, (size_t)(end - line) + 1);
    *end = '\0';
    if (end > line && end[-1] == '\r')
        end[-1] = '\0';
    p->line = line;
    return line;
}

const char *
peer_take(struct peer *p)
{
    return take_line(p, "a line");
}

void
peer_expect(struct peer *p, const char *fmt, ...)
{
    char line[LINE_MAX_OUT];
    va_list args;

    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    if (strcmp(take_line(p, line), line) != 0)
        e2e_fail("expected: %s\nthere is: %s", line, p->line);
}

const char *
peer_expect_start(struct peer *p, const char *start)
{
    if (strncmp(take_line(p, start), start, strlen(start)) != 0)
        e2e_fail("expected: %s…\nthere is: %s", start, p->line);
    return p->line;
}

const char *
peer_await(struct peer *p, const char *part)
{
    while (strstr(take_line(p, part), part) == NULL)
        continue;
    return p->line;
}

void
peer_expect_bytes(struct peer *p, const char *bytes)
{
    const size_t len = strlen(bytes);

    while (p->len < len)
        if (receive(p, ROOM_TO_READ, bytes) <= 0)
            e2e_fail("the server closed; waited for: %s\nthere is: %.*s", bytes,
                     (int)p->len, p->data + p->head);
    if (memcmp(p->data + p->head, bytes, len) != 0)
        e2e_fail("waited for: %s\nthere is: %.*s", bytes, (int)p->len,
                 p->data + p->head);
    consume(p, len);
}

void
peer_expect_end(struct peer *p, bool reset_is_fine)
{
    const ssize_t n =
        p->len > 0 ? 1 : receive(p, ROOM_TO_READ, "the end of the stream");

    if (n > 0)
        e2e_fail("expected the end, there is: %.*s", (int)p->len,
                 p->data + p->head);
    if (n < 0 && !reset_is_fine)
        e2e_fail("expected a FIN, there is a reset");
}

void
peer_expect_silence(struct peer *p)
{
    peer_send(p, "/topic #lobby\n");
    if (strstr(take_line(p, "the answer to /topic"), "#lobby") == NULL ||
        strstr(p->line, "opic") == NULL)
        e2e_fail("expected silence, there is: %s", p->line);
}

void
peer_receive_all(struct peer *p)
{
    ssize_t n;

    do {
        make_room(p);
        n = recv(p->fd, p->data + p->head + p->len, ROOM_TO_READ, MSG_DONTWAIT);
        p->len += n > 0 ? (size_t)n : 0;
    } while (n > 0);
}

bool
peer_has_more(struct peer *p)
{
    peer_receive_all(p);
    return p->len > 0 && memchr(p->data + p->head, '\n', p->len) != NULL;
}

size_t
peer_receive_some(struct peer *p, size_t max)
{
    const ssize_t n = receive(p, max, "more");

    if (n < 0)
        e2e_fail("a reset in the middle of the stream");
    return (size_t)n;
}
