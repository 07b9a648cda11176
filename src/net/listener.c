/* SPDX-License-Identifier: BSD-2-Clause
 *
 * listener - see listener.h. What Unix sockets need besides is in
 * listener_unix.c.
 */
#include "net/listener.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/listener_priv.h"

/* The kernel cuts it down to net.core.somaxconn. SOMAXCONN itself would be
 * 128 with some C libraries, too few for everyone who reconnects at once. */
#define BACKLOG_MOST 65535

static int
set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno
                                                                    : 0;
}

static bool
is_unix(const struct listen_addr *a)
{
    return a->u.any.sa_family == AF_UNIX;
}

static bool
is_any_ipv6(const struct listen_addr *a)
{
    return a->u.any.sa_family == AF_INET6 &&
           IN6_IS_ADDR_UNSPECIFIED(&a->u.in6.sin6_addr);
}

/* A stream socket fit for the address; the fd or a negative errno. */
static int
open_socket(const struct listen_addr *a)
{
    const int fd = socket(a->u.any.sa_family,
                          SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int rc = 0;

    if (fd < 0)
        return -errno;

    if (!is_unix(a))
        rc = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (rc == 0 && a->u.any.sa_family == AF_INET6)
        rc = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, !is_any_ipv6(a));
    if (rc < 0) {
        close(fd);
        return rc;
    }
    return fd;
}

static int
bind_to(int fd, const struct listen_addr *a)
{
    return bind(fd, &a->u.any, a->len) < 0 ? -errno : 0;
}

/* Does somebody listen there? Without SO_REUSEPORT bind(2) tells. */
static int
probe(const struct listen_addr *a)
{
    const int fd = open_socket(a);
    int rc;

    if (fd < 0)
        return fd;

    rc = bind_to(fd, a);
    close(fd);
    return rc;
}

static int
bind_tcp(struct listener *l)
{
    int rc;

    rc = probe(&l->addr);
    if (rc == 0)
        rc = set_option(l->fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (rc == 0)
        rc = set_option(l->fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (rc == 0)
        rc = bind_to(l->fd, &l->addr);
    return rc;
}

static int
bind_unix(struct listener *l)
{
    int rc;

    rc = listener_unix_clear(&l->addr);
    if (rc == 0)
        rc = bind_to(l->fd, &l->addr);
    if (rc == 0)
        rc = listener_unix_note(l);
    return rc;
}

/* Learns the port the kernel chose. */
static int
note_addr(struct listener *l)
{
    l->addr.len = sizeof(l->addr.u);
    return getsockname(l->fd, &l->addr.u.any, &l->addr.len) < 0 ? -errno : 0;
}

static void
prefer_ipv4(struct listen_addr *a)
{
    const in_port_t port = a->u.in6.sin6_port;

    *a = (struct listen_addr){
        .len = sizeof(a->u.in),
        .u.in = {.sin_family = AF_INET, .sin_port = port},
    };
}

static int
start_listening(struct listener *l, int backlog)
{
    int rc;

    l->fd = open_socket(&l->addr);
    if (l->fd == -EAFNOSUPPORT && is_any_ipv6(&l->addr)) {
        prefer_ipv4(&l->addr);
        l->fd = open_socket(&l->addr);
    }
    if (l->fd < 0)
        return l->fd;

    rc = is_unix(&l->addr) ? bind_unix(l) : bind_tcp(l);
    if (rc < 0)
        return rc;
    if (listen(l->fd, backlog > 0 ? backlog : BACKLOG_MOST) < 0)
        return -errno;
    return is_unix(&l->addr) ? 0 : note_addr(l);
}

int
listener_open(const struct listener_conf *conf, struct listener **out)
{
    struct listener *l;
    int rc;

    l = malloc(sizeof(*l));
    if (l == NULL)
        return -ENOMEM;
    *l = (struct listener){
        .fd = -1,
        .index = conf->index,
        .name = strdup(conf->name),
        .addr = conf->addr,
    };

    rc = l->name == NULL ? -ENOMEM : start_listening(l, conf->backlog);
    if (rc < 0) {
        listener_close(l);
        return rc;
    }
    *out = l;
    return 0;
}

void
listener_close(struct listener *l)
{
    if (l == NULL)
        return;

    if (is_unix(&l->addr))
        listener_unix_unlink(l);
    if (l->fd >= 0)
        close(l->fd);
    free(l->name);
    free(l);
}

int
listener_fd(const struct listener *l)
{
    return l->fd;
}

const char *
listener_name(const struct listener *l)
{
    return l->name;
}

unsigned
listener_index(const struct listener *l)
{
    return l->index;
}

const struct listen_addr *
listener_addr(const struct listener *l)
{
    return &l->addr;
}
