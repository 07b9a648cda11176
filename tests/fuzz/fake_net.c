/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz/fake_net.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/assert.h"
#include "base/compiler.h"

#define FIRST_FD  (1 << 20) /* beyond any limit of descriptors */
#define NS_PER_MS UINT64_C(1000000)
#define WALL_MS   UINT64_C(1795255440000) /* 2026-11-21 10:04:00 UTC */

struct fake_socket {
    struct buf to_server;
    size_t taken; /* of to_server */
    struct buf to_client;
    size_t room; /* of to_client */
    bool finished;
    bool reset;
    bool told_reset; /* by recv(), which says it once */
    bool server_finished;
    bool server_closed;

    bool is_watched;
    bool has_news; /* since the last event */
    struct epoll_event interest;
};

static struct {
    struct fake_socket sockets[FAKE_SOCKETS_MAX];
    size_t count;
    uint64_t now_ns;
    bool is_idle;
} net;

/* ---- the clock ------------------------------------------------------------ */

uint64_t __wrap_clock_mono_ns(void);
uint64_t __wrap_clock_mono_ms(void);
uint64_t __wrap_clock_wall_ms(void);

uint64_t
__wrap_clock_mono_ns(void)
{
    return net.now_ns;
}

uint64_t
__wrap_clock_mono_ms(void)
{
    return net.now_ns / NS_PER_MS;
}

uint64_t
__wrap_clock_wall_ms(void)
{
    return WALL_MS;
}

void
fake_net_pass_ms(uint64_t ms)
{
    net.now_ns += ms * NS_PER_MS;
}

/* ---- sockets -------------------------------------------------------------- */

static struct fake_socket *
socket_of(int fd)
{
    if (fd < FIRST_FD)
        return NULL;
    ASSERT((size_t)(fd - FIRST_FD) < net.count);
    return &net.sockets[fd - FIRST_FD];
}

/* Nothing of ours may use one that it has closed. */
static struct fake_socket *
open_socket(int fd)
{
    struct fake_socket *const s = socket_of(fd);

    ASSERT(s != NULL && !s->server_closed);
    return s;
}

void
fake_net_start(uint64_t now_ms)
{
    for (size_t i = 0; i < net.count; i++) {
        buf_fini(&net.sockets[i].to_server);
        buf_fini(&net.sockets[i].to_client);
    }
    net.count = 0;
    net.is_idle = false;
    net.now_ns = now_ms * NS_PER_MS;
}

int
fake_net_connect(void)
{
    struct fake_socket *s;

    ASSERT(net.count < FAKE_SOCKETS_MAX);
    s = &net.sockets[net.count];
    *s = (struct fake_socket){.room = FAKE_ROOM_ALL};
    buf_init(&s->to_server);
    buf_init(&s->to_client);
    return FIRST_FD + (int)net.count++;
}

void
fake_net_say(int fd, struct slice bytes)
{
    struct fake_socket *const s = socket_of(fd);

    if (s->finished || s->reset || bytes.len == 0)
        return;
    buf_append(&s->to_server, bytes.data, bytes.len);
    s->has_news = true;
}

void
fake_net_finish(int fd)
{
    struct fake_socket *const s = socket_of(fd);

    s->finished = true;
    s->has_news = true;
}

void
fake_net_reset(int fd)
{
    struct fake_socket *const s = socket_of(fd);

    s->reset = true;
    s->has_news = true;
}

void
fake_net_give_room(int fd, size_t bytes)
{
    struct fake_socket *const s = socket_of(fd);

    s->room = bytes;
    s->has_news = true;
}

struct slice
fake_net_heard(int fd)
{
    const struct fake_socket *const s = socket_of(fd);

    return slice_make(s->to_client.data, s->to_client.len);
}

bool
fake_net_server_finished(int fd)
{
    const struct fake_socket *const s = socket_of(fd);

    return s->server_finished || s->server_closed;
}

bool
fake_net_server_closed(int fd)
{
    return socket_of(fd)->server_closed;
}

/* ---- recv, send, shutdown, close ------------------------------------------ */

ssize_t __wrap_recv(int fd, void *to, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *from, size_t size, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags);
int __wrap_shutdown(int fd, int how);
int __wrap_getsockopt(int fd, int level, int option, void *value,
                      socklen_t *len);
int __real_close(int fd);
int __wrap_close(int fd);

static ssize_t
fail_with(int error)
{
    errno = error;
    return -1;
}

ssize_t
__wrap_recv(int fd, void *to, size_t size, int flags)
{
    struct fake_socket *const s = open_socket(fd);
    size_t len = s->to_server.len - s->taken;

    if (len > 0) {
        if (len > size)
            len = size;
        memcpy(to, s->to_server.data + s->taken, len);
        s->taken += len;
        return (ssize_t)len;
    }
    if (s->reset && !s->told_reset) {
        s->told_reset = true;
        return fail_with(ECONNRESET);
    }
    return s->reset || s->finished ? 0 : fail_with(EAGAIN);
}

/* As much of it as there is room for. */
static size_t
take(struct fake_socket *s, const void *from, size_t size)
{
    const size_t len = size < s->room ? size : s->room;

    if (len == 0)
        return 0;
    buf_append(&s->to_client, from, len);
    if (s->room != FAKE_ROOM_ALL)
        s->room -= len;
    return len;
}

ssize_t
__wrap_sendmsg(int fd, const struct msghdr *msg, int flags)
{
    struct fake_socket *const s = open_socket(fd);
    size_t sum = 0;

    ASSERT((flags & MSG_NOSIGNAL) != 0 && !s->server_finished);
    if (s->reset)
        return fail_with(EPIPE);
    for (size_t i = 0; i < msg->msg_iovlen; i++) {
        const struct iovec *const iov = &msg->msg_iov[i];
        const size_t len = take(s, iov->iov_base, iov->iov_len);

        sum += len;
        if (len < iov->iov_len)
            break;
    }
    return sum > 0 ? (ssize_t)sum : fail_with(EAGAIN);
}

ssize_t
__wrap_send(int fd, const void *from, size_t size, int flags)
{
    struct iovec iov = {(void *)(size_t)from, size};
    const struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

    return __wrap_sendmsg(fd, &msg, flags);
}

int
__wrap_shutdown(int fd, int how)
{
    struct fake_socket *const s = open_socket(fd);

    ASSERT(how == SHUT_WR && !s->server_finished);
    s->server_finished = true;
    return s->reset ? (int)fail_with(ENOTCONN) : 0;
}

int
__wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
    const struct fake_socket *const s = open_socket(fd);
    const int error = s->reset && !s->told_reset ? ECONNRESET : 0;

    ASSERT(option == SO_ERROR && *len == sizeof(error));
    memcpy(value, &error, sizeof(error));
    return 0;
}

int
__wrap_close(int fd)
{
    struct fake_socket *const s = socket_of(fd);

    if (s == NULL)
        return __real_close(fd);
    ASSERT(!s->server_closed && !s->is_watched);
    s->server_closed = true;
    return 0;
}

/* ---- epoll ---------------------------------------------------------------- */

int __real_epoll_ctl(int fd, int op, int of, struct epoll_event *ev);
int __wrap_epoll_ctl(int fd, int op, int of, struct epoll_event *ev);
int __wrap_epoll_wait(int fd, struct epoll_event *events, int max, int timeout);

int
__wrap_epoll_ctl(int fd, int op, int of, struct epoll_event *ev)
{
    struct fake_socket *const s = socket_of(of);

    if (s == NULL)
        return __real_epoll_ctl(fd, op, of, ev);
    ASSERT(!s->server_closed && s->is_watched == (op != EPOLL_CTL_ADD));
    s->is_watched = op != EPOLL_CTL_DEL;
    if (!s->is_watched)
        return 0;
    ASSERT((ev->events & EPOLLET) != 0);
    s->interest = *ev;
    s->has_news = true;
    return 0;
}

static uint32_t
readiness(const struct fake_socket *s)
{
    uint32_t is = 0;

    if (s->taken < s->to_server.len || s->finished || s->reset)
        is |= EPOLLIN;
    if (s->finished || s->reset)
        is |= EPOLLRDHUP;
    if (s->room > 0 || s->reset)
        is |= EPOLLOUT;
    if (s->reset && !s->told_reset)
        is |= EPOLLERR;
    if (s->reset || (s->finished && s->server_finished))
        is |= EPOLLHUP;
    return is & (s->interest.events | EPOLLERR | EPOLLHUP);
}

int
__wrap_epoll_wait(int fd, struct epoll_event *events, int max, int timeout)
{
    int n = 0;

    for (size_t i = 0; i < net.count && n < max; i++) {
        struct fake_socket *const s = &net.sockets[i];

        if (!s->is_watched || !s->has_news)
            continue;
        s->has_news = false;
        if (readiness(s) == 0)
            continue;
        events[n].events = readiness(s);
        events[n].data = s->interest.data;
        n++;
    }
    if (n == 0 && timeout != 0)
        net.is_idle = true;
    return n;
}

bool
fake_net_is_idle(void)
{
    const bool was = net.is_idle;

    net.is_idle = false;
    return was;
}
