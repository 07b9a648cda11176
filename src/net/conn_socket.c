/* SPDX-License-Identifier: BSD-2-Clause
 *
 * conn_socket - the system calls on a conn's socket, and what their errors
 * mean. Where TLS comes in, it comes in here.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/assert.h"
#include "net/conn_priv.h"

#define PROBES 4u

static bool
is_tcp(const struct conn *c)
{
    return c->peer.family == AF_INET || c->peer.family == AF_INET6;
}

/* -- options --------------------------------------------------------------- */

static unsigned
whole_seconds(uint64_t ms)
{
    return (unsigned)((ms + 999) / 1000);
}

/* Once TCP_USER_TIMEOUT is set, the kernel no longer counts probes: it gives a
 * peer up at the first probe due after that time of silence (tcp(7) does not
 * say so; net/ipv4/tcp_timer.c does). So the first probe must come early enough
 * for several to be lost before: otherwise one lost packet ends a healthy idle
 * peer.
 *
 * While data is unacknowledged the kernel sends no probes, and counts that time
 * anew from the first retransmission. So who vanished may be given up only
 * after twice the time, when something is said to it just before the first time
 * is over; and twice is what must fit in our patience. */
void
keepalive_plan(const struct net_conf *conf, struct keepalive *out)
{
    const uint64_t patience_ms = conf->timeouts_idle_ping + conf->timeouts_pong;
    uint64_t within_ms = conf->timeouts_user_timeout;
    unsigned within_s;
    unsigned interval_s;
    unsigned probes;

    if (within_ms == 0)
        within_ms = patience_ms;
    else if (within_ms > patience_ms / 2)
        within_ms = patience_ms / 2;
    within_s = whole_seconds(within_ms);
    interval_s = within_s / (2 * PROBES);
    if (interval_s == 0)
        interval_s = 1;
    probes = PROBES;
    while (probes > 1 && probes * interval_s >= within_s)
        probes--;

    *out = (struct keepalive){
        .idle_s = 1,
        .interval_s = (int)interval_s,
        .probes = (int)probes,
        .user_timeout_ms =
            conf->timeouts_user_timeout == 0 ? 0 : (unsigned)within_ms,
    };
    if (within_s > probes * interval_s)
        out->idle_s = (int)(within_s - probes * interval_s);
}

/* An option that is refused makes a conn slower or its death noticed later,
 * which is no reason not to serve it. */
static void
set_option(const struct conn *c, int level, int option, int value)
{
    (void)setsockopt(c->fd, level, option, &value, sizeof(value));
}

void
conn_socket_setup(const struct conn *c)
{
    struct keepalive k;

    if (!is_tcp(c))
        return;

    keepalive_plan(&c->conns->conf, &k);
    set_option(c, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(c, IPPROTO_TCP, TCP_KEEPIDLE, k.idle_s);
    set_option(c, IPPROTO_TCP, TCP_KEEPINTVL, k.interval_s);
    set_option(c, IPPROTO_TCP, TCP_KEEPCNT, k.probes);
    set_option(c, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)k.user_timeout_ms);
    set_option(c, SOL_SOCKET, SO_KEEPALIVE, 1);
    /* telnet sends the last byte of some commands as urgent data; out of the
     * stream, it would be missing there. */
    set_option(c, SOL_SOCKET, SO_OOBINLINE, 1);
}

/* -- bytes ----------------------------------------------------------------- */

ssize_t
conn_socket_recv(const struct conn *c, char *to, size_t size)
{
    ssize_t got;

    ASSERT(size > 0);

    do
        got = recv(c->fd, to, size, 0);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

static ssize_t
send_once(const struct conn *c, struct iovec *iov, size_t n)
{
    const struct msghdr many = {.msg_iov = iov, .msg_iovlen = n};

    if (n == 1)
        return send(c->fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL);
    return sendmsg(c->fd, &many, MSG_NOSIGNAL);
}

ssize_t
conn_socket_send(const struct conn *c)
{
    struct iovec iov[CONN_IOVECS];
    const size_t n = wqueue_gather(&c->out, iov, CONN_IOVECS);
    ssize_t sent;

    ASSERT(n > 0);

    do
        sent = send_once(c, iov, n);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

/* -- what the kernel knows ------------------------------------------------- */

int
conn_socket_error(const struct conn *c)
{
    int error = 0;
    socklen_t len = sizeof(error);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        return -errno;
    return -error;
}

bool
conn_socket_is_acked(const struct conn *c)
{
    int left = 0;

    /* What a Unix socket was given is in its peer's queue already. */
    if (!is_tcp(c))
        return true;
    return ioctl(c->fd, SIOCOUTQ, &left) < 0 || left == 0;
}

enum conn_end
conn_end_of(int error)
{
    switch (-error) {
    case ECONNRESET:
    case EPIPE:
        return CONN_END_RESET;
    case ETIMEDOUT:
    case EHOSTUNREACH: /* reported instead, when a router said so */
    case EHOSTDOWN:
    case ENETUNREACH:
    case ENETDOWN:
        return CONN_END_TIMEOUT;
    case ENOMEM:
    case ENOBUFS:
        return CONN_END_NOMEM;
    default:
        return CONN_END_ERROR;
    }
}
