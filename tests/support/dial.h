/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dial - a client's side of a connection, for tests of net/.
 *
 * Needs a socket only: the kernel completes a connection in the listener's
 * backlog, so a test can dial first and let the server accept afterwards.
 */
#ifndef SUPPORT_DIAL_H
#define SUPPORT_DIAL_H

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "net/addr.h"

/* A listen_addr from its text, which must be right. */
static inline struct listen_addr
dial_addr(const char *text)
{
    struct listen_addr a;

    ck_assert_int_eq(listen_addr_parse(slice_of(text), &a), 0);
    return a;
}

/* Connects from the IPv4 address `from` (NULL: the kernel's choice). A
 * blocking socket, or a negative errno. */
static inline int
dial_from(const struct listen_addr *to, const char *from)
{
    struct sockaddr_in local = {.sin_family = AF_INET};
    const int fd = socket(to->u.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc = 0;

    ck_assert_int_ge(fd, 0);
    if (from != NULL) {
        ck_assert_int_eq(inet_pton(AF_INET, from, &local.sin_addr), 1);
        rc = bind(fd, (const struct sockaddr *)&local, sizeof(local));
    }
    if (rc == 0)
        rc = connect(fd, &to->u.any, to->len);
    if (rc < 0) {
        rc = -errno;
        close(fd);
        return rc;
    }
    return fd;
}

static inline int
dial(const struct listen_addr *to)
{
    return dial_from(to, NULL);
}

/* Reads until the peer closes; the bytes as a string. -1 where there is a
 * reset instead of an end, or nothing for two seconds. */
static inline int
dial_read_all(int fd, char *out, size_t size)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    size_t len = 0;
    ssize_t n = 1;

    while (n > 0 && len + 1 < size) {
        if (poll(&p, 1, 2000) != 1)
            return -1;
        n = read(fd, out + len, size - 1 - len);
        len += n > 0 ? (size_t)n : 0;
    }
    out[len] = '\0';
    return n < 0 ? -1 : (int)len;
}

/* As many descriptors as we may have; a test with thousands needs them. */
static inline void
dial_raise_fd_limit(void)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

#endif
