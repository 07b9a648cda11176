/* SPDX-License-Identifier: BSD-2-Clause
 *
 * addr - see addr.h.
 *
 * Nothing here asks a resolver: an address that is not a number would make the
 * start depend on the network, and could mean another host tomorrow.
 */
#include "net/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PORT_MAX  65535u
#define HOST_MAX  INET6_ADDRSTRLEN
#define IPV4_SIZE 4u
#define IPV6_SIZE 16u

#define UNIX_PREFIX "unix:"

/* -- text to address ------------------------------------------------------ */

static int
parse_port(struct slice text, in_port_t *out)
{
    unsigned port = 0;

    if (text.len == 0 || text.len > 5)
        return -EINVAL;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return -EINVAL;
        port = port * 10 + (unsigned)(text.data[i] - '0');
    }
    if (port > PORT_MAX)
        return -EINVAL;

    *out = htons((uint16_t)port);
    return 0;
}

static bool
slice_is(struct slice text, const char *str)
{
    return slice_equal(text, slice_of(str));
}

static void
set_ipv4(struct listen_addr *a, struct in_addr ip, in_port_t port)
{
    *a = (struct listen_addr){
        .len = sizeof(a->u.in),
        .u.in = {.sin_family = AF_INET, .sin_addr = ip, .sin_port = port},
    };
}

static void
set_ipv6(struct listen_addr *a, struct in6_addr ip, in_port_t port)
{
    *a = (struct listen_addr){
        .len = sizeof(a->u.in6),
        .u.in6 = {.sin6_family = AF_INET6, .sin6_addr = ip, .sin6_port = port},
    };
}

/* As a string, for inet_pton(); "" when it is too long to be an address. */
static const char *
host_string(struct slice host, char out[HOST_MAX])
{
    if (host.len >= HOST_MAX)
        return "";
    snprintf(out, HOST_MAX, "%.*s", SLICE_ARG(host));
    return out;
}

static int
parse_ipv4(struct slice host, in_port_t port, struct listen_addr *out)
{
    char text[HOST_MAX];
    struct in_addr ip;

    if (slice_is(host, "localhost"))
        host = slice_of("127.0.0.1");
    if (inet_pton(AF_INET, host_string(host, text), &ip) != 1)
        return -EINVAL;

    set_ipv4(out, ip, port);
    return 0;
}

static int
parse_ipv6(struct slice host, in_port_t port, struct listen_addr *out)
{
    char text[HOST_MAX];
    struct in6_addr ip;
    struct in_addr inner;

    if (inet_pton(AF_INET6, host_string(host, text), &ip) != 1)
        return -EINVAL;

    if (IN6_IS_ADDR_V4MAPPED(&ip)) {
        memcpy(&inner, &ip.s6_addr[IPV6_SIZE - IPV4_SIZE], sizeof(inner));
        set_ipv4(out, inner, port);
    } else {
        set_ipv6(out, ip, port);
    }
    return 0;
}

static int
parse_unix(struct slice path, struct listen_addr *out)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};

    if (path.len == 0 || path.data[0] != '/')
        return -EINVAL;
    if (path.len >= sizeof(un.sun_path))
        return -ENAMETOOLONG;

    memcpy(un.sun_path, path.data, path.len);
    *out = (struct listen_addr){
        .len =
            (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len + 1),
        .u.un = un,
    };
    return 0;
}

/* Splits at the last colon. */
static int
split_port(struct slice text, struct slice *host, in_port_t *port)
{
    const char *const colon = memrchr(text.data, ':', text.len);

    if (colon == NULL)
        return -EINVAL;
    *host = slice_make(text.data, (size_t)(colon - text.data));
    return parse_port(slice_make(colon + 1, text.len - host->len - 1), port);
}

int
listen_addr_parse(struct slice text, struct listen_addr *out)
{
    const size_t prefix = strlen(UNIX_PREFIX);
    struct slice host;
    in_port_t port;
    int rc;

    /* What follows a NUL would be lost on the way to a string. */
    if (text.len == 0 || memchr(text.data, '\0', text.len) != NULL)
        return -EINVAL;
    if (text.len >= prefix && memcmp(text.data, UNIX_PREFIX, prefix) == 0)
        return parse_unix(slice_make(text.data + prefix, text.len - prefix),
                          out);

    rc = split_port(text, &host, &port);
    if (rc < 0)
        return rc;

    if (slice_is(host, "*")) {
        set_ipv6(out, in6addr_any, port);
        return 0;
    }
    if (host.len >= 2 && host.data[0] == '[' && host.data[host.len - 1] == ']')
        return parse_ipv6(slice_make(host.data + 1, host.len - 2), port, out);
    return parse_ipv4(host, port, out);
}

/* -- address to text ------------------------------------------------------ */

static void
from_in(const struct sockaddr_in *in, struct addr *out)
{
    out->family = AF_INET;
    out->port = ntohs(in->sin_port);
    memcpy(out->ip, &in->sin_addr, IPV4_SIZE);
}

static void
from_in6(const struct sockaddr_in6 *in6, struct addr *out)
{
    const uint8_t *const ip = in6->sin6_addr.s6_addr;

    out->port = ntohs(in6->sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
        out->family = AF_INET;
        memcpy(out->ip, ip + IPV6_SIZE - IPV4_SIZE, IPV4_SIZE);
    } else {
        out->family = AF_INET6;
        memcpy(out->ip, ip, IPV6_SIZE);
    }
}

void
addr_from_sockaddr(const struct sockaddr *sa, struct addr *out)
{
    *out = (struct addr){.family = AF_UNSPEC};
    if (sa->sa_family == AF_INET)
        from_in((const struct sockaddr_in *)(const void *)sa, out);
    else if (sa->sa_family == AF_INET6)
        from_in6((const struct sockaddr_in6 *)(const void *)sa, out);
    else if (sa->sa_family == AF_UNIX)
        out->family = AF_UNIX;
}

char *
addr_format_host(const struct addr *a, char out[ADDR_TEXT_MAX])
{
    if (a->family == AF_UNIX)
        snprintf(out, ADDR_TEXT_MAX, "unix");
    else if (inet_ntop(a->family, a->ip, out, ADDR_TEXT_MAX) == NULL)
        snprintf(out, ADDR_TEXT_MAX, "unknown"); /* AF_UNSPEC */
    return out;
}

char *
addr_format(const struct addr *a, char out[ADDR_TEXT_MAX])
{
    char host[ADDR_TEXT_MAX];

    addr_format_host(a, host);
    if (a->family == AF_INET)
        snprintf(out, ADDR_TEXT_MAX, "%.15s:%u", host, a->port);
    else if (a->family == AF_INET6)
        snprintf(out, ADDR_TEXT_MAX, "[%.45s]:%u", host, a->port);
    else
        snprintf(out, ADDR_TEXT_MAX, "%s", host);
    return out;
}

char *
listen_addr_format(const struct listen_addr *a, char *out, size_t size)
{
    char text[ADDR_TEXT_MAX];
    struct addr plain;

    if (a->u.any.sa_family == AF_UNIX) {
        snprintf(out, size, UNIX_PREFIX "%s", a->u.un.sun_path);
    } else if (a->u.any.sa_family == AF_INET6 &&
               IN6_IS_ADDR_UNSPECIFIED(&a->u.in6.sin6_addr)) {
        snprintf(out, size, "*:%u", ntohs(a->u.in6.sin6_port));
    } else {
        addr_from_sockaddr(&a->u.any, &plain);
        snprintf(out, size, "%s", addr_format(&plain, text));
    }
    return out;
}

/* -- what limits see ------------------------------------------------------ */

bool
addr_limit_key(const struct addr *a, uint8_t key[17])
{
    const size_t counts = a->family == AF_INET ? IPV4_SIZE : IPV6_SIZE / 2;

    if (a->family != AF_INET && a->family != AF_INET6)
        return false;

    memset(key, 0, 17);
    key[0] = a->family;
    memcpy(key + 1, a->ip, counts);
    return true;
}
