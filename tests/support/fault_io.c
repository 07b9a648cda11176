/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/fault_io.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct fault_io fault_io;

ssize_t __real_recv(int fd, void *to, size_t size, int flags);
ssize_t __real_send(int fd, const void *from, size_t size, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *msg, int flags);

void
fault_io_script(unsigned seed, int peer)
{
    fault_io = (struct fault_io){
        .is_scripted = true,
        .state = seed,
        .peer = peer,
    };
}

void
fault_io_stop(void)
{
    fault_io = (struct fault_io){.is_scripted = false};
}

static unsigned
dice(unsigned sides)
{
    return (unsigned)rand_r(&fault_io.state) % sides;
}

static bool
peer_has_unread(void)
{
    int unread = 0;

    return ioctl(fault_io.peer, FIONREAD, &unread) == 0 && unread > 0;
}

/* True when the call is to fail; errno is set. */
static bool
fails(int *once, bool may_refuse)
{
    if (*once != 0) {
        errno = *once;
        *once = 0;
        return true;
    }
    if (!fault_io.is_scripted)
        return false;

    switch (dice(6)) {
    case 0:
        fault_io.interrupts++;
        errno = EINTR;
        return true;
    case 1:
        if (!may_refuse || !peer_has_unread())
            return false;
        fault_io.refusals++;
        errno = EAGAIN;
        return true;
    default:
        return false;
    }
}

static size_t
cut(size_t size)
{
    if (!fault_io.is_scripted || size < 2 || dice(2) == 0)
        return size;
    fault_io.shorts++;
    return 1 + dice((unsigned)size - 1);
}

ssize_t
__wrap_recv(int fd, void *to, size_t size, int flags)
{
    fault_io.recvs++;
    if (fails(&fault_io.recv_errno, false))
        return -1;
    return __real_recv(fd, to, cut(size), flags);
}

static size_t
sum(const struct iovec *iov, size_t n)
{
    size_t bytes = 0;

    for (size_t i = 0; i < n; i++)
        bytes += iov[i].iov_len;
    return bytes;
}

/* Sends the first `bytes` of what the iovecs name. */
static ssize_t
send_cut(int fd, const struct iovec *iov, size_t n, size_t bytes, int flags)
{
    struct iovec copy[64];
    struct msghdr msg = {.msg_iov = copy};

    for (size_t i = 0; i < n && bytes > 0; i++) {
        copy[i] = iov[i];
        if (copy[i].iov_len > bytes)
            copy[i].iov_len = bytes;
        bytes -= copy[i].iov_len;
        msg.msg_iovlen = i + 1;
    }
    return __real_sendmsg(fd, &msg, flags);
}

static ssize_t
send_some(int fd, const struct iovec *iov, size_t n, int flags)
{
    const size_t bytes = sum(iov, n);

    if ((flags & MSG_NOSIGNAL) == 0)
        fault_io.forgot_nosignal = true;
    if (n > fault_io.most_iovecs)
        fault_io.most_iovecs = n;
    if (fails(&fault_io.send_errno, true))
        return -1;
    if (fault_io.swallows)
        return (ssize_t)bytes;
    return send_cut(fd, iov, n, cut(bytes), flags);
}

ssize_t
__wrap_send(int fd, const void *from, size_t size, int flags)
{
    const struct iovec iov = {(void *)(size_t)from, size};

    fault_io.sends++;
    return send_some(fd, &iov, 1, flags);
}

ssize_t
__wrap_sendmsg(int fd, const struct msghdr *msg, int flags)
{
    fault_io.sendmsgs++;
    return send_some(fd, msg->msg_iov, msg->msg_iovlen, flags);
}
