/* SPDX-License-Identifier: BSD-2-Clause
 *
 * addr - where a socket listens or comes from.
 *
 * Text     `127.0.0.1:7000`, `[::1]:7000`, `*:7000` (all addresses, v6 with
 *          v4), `localhost:7000` (no DNS: only that name), `unix:/path`.
 *          IPv4 in IPv6 (::ffff:a.b.c.d) is treated and shown as IPv4.
 */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/compiler.h"
#include "base/slice.h"

/* The far end of a conn: small, because each conn has one. */
struct addr {
    uint8_t family; /* AF_UNSPEC, AF_INET, AF_INET6, AF_UNIX */
    uint16_t port;  /* host order */
    uint8_t ip[16]; /* network order; IPv4 in the first four */
};

#define ADDR_TEXT_MAX 56 /* "[v6]:65535" with its NUL */

/* What a listener binds to. */
struct listen_addr {
    socklen_t len;
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    } u;
};

/* 0 and *out, or -EINVAL (not an address), -ENAMETOOLONG (Unix path). */
MUST_CHECK int listen_addr_parse(struct slice text, struct listen_addr *out);

/* Into `out`, as text; returns `out`. */
char *listen_addr_format(const struct listen_addr *a, char *out, size_t size);

void addr_from_sockaddr(const struct sockaddr *sa, struct addr *out);

/* "203.0.113.9:51312", "[2001:db8::1]:51312", "unix"; returns `out`. */
char *addr_format(const struct addr *a, char out[ADDR_TEXT_MAX]);

/* The same without the port or brackets. */
char *addr_format_host(const struct addr *a, char out[ADDR_TEXT_MAX]);

/* What counts as one peer for limits: an IPv4 address, an IPv6 /64 (which one
 * customer is usually given); false for Unix sockets, which have none. */
bool addr_limit_key(const struct addr *a, uint8_t key[17]);

#endif
