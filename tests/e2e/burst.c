/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See burst.h.
 */
#include "e2e/burst.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/e2e.h"

#define EVENTS_A_TURN 256

/* -- doors ---------------------------------------------------------------- */

static bool
has_ipv6(void)
{
    const struct sockaddr_in6 loopback = {.sin6_family = AF_INET6,
                                          .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool has = fd >= 0 && bind(fd, (const struct sockaddr *)&loopback,
                                     sizeof(loopback)) == 0;

    if (fd >= 0)
        close(fd);
    return has;
}

const char *
doors_config(void)
{
    return has_ipv6() ? "[listen \"lines\"]\naddress = 127.0.0.1:0\n"
                        "protocol = line\n"
                        "[listen \"six\"]\naddress = [::1]:0\n"
                      : "[listen \"lines\"]\naddress = 127.0.0.1:0\n"
                        "protocol = line\n";
}

static void
add_tcp(struct doors *doors, const char *status, const char *name)
{
    struct door *const door = &doors->of[doors->count++];
    char mark[64];
    const char *at;

    snprintf(mark, sizeof(mark), "\"name\":\"%s\",\"address\":\"", name);
    at = strstr(status, mark);
    if (at == NULL)
        e2e_fail("no listener %s in %s", name, status);
    at += strlen(mark);
    *door = (struct door){.name = name};
    if (*at == '[') {
        struct sockaddr_in6 *const in6 = (void *)&door->addr;

        door->port = (uint16_t)strtoul(strstr(at, "]:") + 2, NULL, 10);
        *in6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
                                     .sin6_addr = IN6ADDR_LOOPBACK_INIT,
                                     .sin6_port = htons(door->port)};
        door->addr_len = sizeof(*in6);
    } else {
        struct sockaddr_in *const in = (void *)&door->addr;

        door->port = (uint16_t)strtoul(strchr(at, ':') + 1, NULL, 10);
        *in = (struct sockaddr_in){.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                   .sin_port = htons(door->port)};
        door->addr_len = sizeof(*in);
    }
}

void
doors_find(struct doors *doors, struct daemon *d)
{
    char *const status = daemon_ask(d, "{\"command\":\"status\"}");
    struct door *last;
    struct sockaddr_un *un;

    *doors = (struct doors){.count = 0};
    add_tcp(doors, status, "main");
    add_tcp(doors, status, "lines");
    if (has_ipv6())
        add_tcp(doors, status, "six");
    free(status);

    last = &doors->of[doors->count++];
    *last = (struct door){.name = "unix", .addr_len = sizeof(*un)};
    un = (void *)&last->addr;
    un->sun_family = AF_UNIX;
    ck_assert_uint_lt(strlen(d->socket), sizeof(un->sun_path));
    memcpy(un->sun_path, d->socket, strlen(d->socket) + 1);
}

static unsigned
queue_in(const char *path, const struct doors *doors)
{
    FILE *const f = fopen(path, "r");
    unsigned found = 0;
    char line[512];

    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        unsigned port, state, waits;

        /* For a listening socket (state 0A) the kernel shows its accept queue
         * where others have what waits to be received. */
        if (sscanf(line, " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x %*x:%x", &port,
                   &state, &waits) != 3 ||
            state != 0x0a)
            continue;
        for (size_t i = 0; i < doors->count; i++)
            if (doors->of[i].port == port)
                found += waits;
    }
    if (f != NULL)
        fclose(f);
    return found;
}

unsigned
doors_queue(const struct doors *doors)
{
    return queue_in("/proc/net/tcp", doors) + queue_in("/proc/net/tcp6", doors);
}

/* -- a burst -------------------------------------------------------------- */

static int
connect_one(const struct door *door)
{
    const int fd = socket(door->addr.ss_family,
                          SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    ck_assert_int_ge(fd, 0);
    if (connect(fd, (const struct sockaddr *)&door->addr, door->addr_len) < 0 &&
        errno != EINPROGRESS)
        e2e_fail("connect to %s: %s", door->name, strerror(errno));
    return fd;
}

void
burst_connect(struct burst *b, size_t n, const struct doors *doors, size_t door)
{
    *b = (struct burst){.epoll = epoll_create1(EPOLL_CLOEXEC), .count = n};
    ck_assert_int_ge(b->epoll, 0);
    b->fds = calloc(n, sizeof(*b->fds));
    b->spoken = calloc(n, sizeof(*b->spoken));
    ck_assert(b->fds != NULL && b->spoken != NULL);

    for (size_t i = 0; i < n; i++)
        b->fds[i] = connect_one(
            &doors->of[door < doors->count ? door : i % doors->count]);
    for (size_t i = 0; i < n; i++) {
        struct epoll_event ev = {.events = EPOLLIN, .data.u64 = i};

        ck_assert_int_eq(epoll_ctl(b->epoll, EPOLL_CTL_ADD, b->fds[i], &ev), 0);
    }
    b->waiting = n;
}

void
burst_reset_half(struct burst *b)
{
    const struct linger now = {.l_onoff = 1};

    for (size_t i = 0; i < b->count; i += 2) {
        setsockopt(b->fds[i], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
        close(b->fds[i]);
        b->fds[i] = -1;
        b->waiting--;
    }
}

static void
hear(struct burst *b, size_t i)
{
    char text[256];
    const ssize_t n = recv(b->fds[i], text, sizeof(text), 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0)
        e2e_fail("client %zu of %zu: closed without a word (%s)", i, b->count,
                 n < 0 ? strerror(errno) : "FIN");
    b->spoken[i] = true;
    b->waiting--;
    ck_assert_int_eq(epoll_ctl(b->epoll, EPOLL_CTL_DEL, b->fds[i], NULL), 0);
}

static size_t
first_forgotten(const struct burst *b)
{
    size_t i = 0;

    while (i < b->count && (b->fds[i] < 0 || b->spoken[i]))
        i++;
    return i;
}

void
burst_await(struct burst *b, uint64_t limit_ms)
{
    const uint64_t deadline = now_ms() + limit_ms;

    while (b->waiting > 0) {
        struct epoll_event events[EVENTS_A_TURN];
        const int n = epoll_wait(b->epoll, events, EVENTS_A_TURN, 10);

        for (int k = 0; k < n; k++)
            hear(b, (size_t)events[k].data.u64);
        if (b->waiting > 0 && now_ms() >= deadline)
            e2e_fail("%zu of %zu are forgotten; the first is client %zu",
                     b->waiting, b->count, first_forgotten(b));
    }
}

void
burst_close(struct burst *b)
{
    for (size_t i = 0; i < b->count; i++)
        if (b->fds[i] >= 0)
            close(b->fds[i]);
    close(b->epoll);
    free(b->fds);
    free(b->spoken);
}
