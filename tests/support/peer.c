/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See peer.h.
 */
#include "support/peer.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

uint64_t
now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void
connect_to(struct peer *p, const struct sockaddr *sa, socklen_t len)
{
    *p = (struct peer){.fd = -1};
    p->fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(p->fd, 0);
    if (connect(p->fd, sa, len) < 0)
        ck_abort_msg("connect: %s", strerror(errno));
}

void
peer_connect(struct peer *p, uint16_t port)
{
    const struct sockaddr_in sin = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };

    connect_to(p, (const struct sockaddr *)&sin, sizeof(sin));
}

void
peer_connect_unix(struct peer *p, const char *path)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};

    snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
    connect_to(p, (const struct sockaddr *)&sun, sizeof(sun));
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

void
peer_send_bytes(struct peer *p, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0) {
        const ssize_t n = send(p->fd, at, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            ck_abort_msg("send: %s", strerror(errno));
        at += n;
        len -= (size_t)n;
    }
}

void
peer_send(struct peer *p, const char *fmt, ...)
{
    char text[16384];
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    ck_assert_int_lt(n, (int)sizeof(text));
    peer_send_bytes(p, text, (size_t)n);
}

/* More bytes behind what is there: their number, 0 at the end of the stream, or
 * -1 at a reset. */
static ssize_t
receive(struct peer *p, const char *waiting_for)
{
    const uint64_t deadline = now_ms() + PEER_PATIENCE_MS;

    if (p->cap - p->len < 65536) {
        p->cap = p->cap * 2 + 65536;
        p->data = realloc(p->data, p->cap);
        ck_assert_ptr_nonnull(p->data);
    }
    for (;;) {
        struct pollfd pfd = {.fd = p->fd, .events = POLLIN};
        const uint64_t now = now_ms();
        ssize_t n;

        if (now >= deadline)
            ck_abort_msg("waited in vain for: %s\nthere is: %.*s", waiting_for,
                         (int)p->len, p->data);
        if (poll(&pfd, 1, (int)(deadline - now)) <= 0)
            continue;
        n = recv(p->fd, p->data + p->len, p->cap - p->len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        p->len += (size_t)n;
        return n;
    }
}

static void
consume(struct peer *p, size_t len)
{
    p->len -= len;
    memmove(p->data, p->data + len, p->len);
}

static const char *
take_line(struct peer *p, const char *waiting_for)
{
    for (;;) {
        char *const end = p->len > 0 ? memchr(p->data, '\n', p->len) : NULL;
        size_t len;

        if (end == NULL) {
            if (receive(p, waiting_for) <= 0)
                ck_abort_msg("the server closed; waited for: %s", waiting_for);
            continue;
        }
        len = (size_t)(end - p->data);
        ck_assert_uint_lt(len, sizeof(p->line));
        memcpy(p->line, p->data, len);
        p->line[len] = '\0';
        if (len > 0 && p->line[len - 1] == '\r')
            p->line[len - 1] = '\0';
        consume(p, len + 1);
        return p->line;
    }
}

const char *
peer_take(struct peer *p)
{
    return take_line(p, "a line");
}

void
peer_expect(struct peer *p, const char *line)
{
    ck_assert_str_eq(take_line(p, line), line);
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
        if (receive(p, bytes) <= 0)
            ck_abort_msg("the server closed; waited for: %s", bytes);
    if (memcmp(p->data, bytes, len) != 0)
        ck_abort_msg("waited for: %s\nthere is: %.*s", bytes, (int)p->len,
                     p->data);
    consume(p, len);
}

void
peer_expect_end(struct peer *p, bool reset_is_fine)
{
    const ssize_t n = p->len > 0 ? 1 : receive(p, "the end");

    if (n > 0)
        ck_abort_msg("expected the end, there is: %.*s", (int)p->len, p->data);
    if (n < 0 && !reset_is_fine)
        ck_abort_msg("expected a FIN, there is a reset");
}

void
peer_expect_silence(struct peer *p)
{
    peer_send(p, "/topic #lobby\n");
    if (strstr(take_line(p, "the answer to /topic"), "#lobby") == NULL ||
        strstr(p->line, "opic") == NULL)
        ck_abort_msg("expected silence, there is: %s", p->line);
}

void
peer_join(struct peer *p, uint16_t port, const char *nick)
{
    peer_connect(p, port);
    peer_send(p, "%s\n", nick);
    peer_await(p, "* You are in #lobby");
    /* What comes with a join is in front of the answer to this. */
    peer_send(p, "/topic #lobby\n");
    while (strncmp(take_line(p, "the topic"), "* #lobby has no topic", 21) != 0)
        if (strncmp(p->line, "* Topic of #lobby", 17) == 0)
            break;
}
