/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/small_net.h"

#include <check.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void
raise_loopback(void)
{
    struct ifreq lo = {.ifr_flags = IFF_UP | IFF_RUNNING};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    strcpy(lo.ifr_name, "lo");
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &lo), 0);
    close(fd);
}

/* As /proc/sys belongs to the network of who opens it, this is ours alone. */
static void
shrink_buffers(void)
{
    FILE *const f = fopen("/proc/sys/net/ipv4/tcp_wmem", "w");

    ck_assert_ptr_nonnull(f);
    fprintf(f, "%d %d %d\n", SMALL_NET_SNDBUF, SMALL_NET_SNDBUF,
            SMALL_NET_SNDBUF);
    ck_assert_int_eq(fclose(f), 0);
}

bool
small_net_enter(void)
{
    if (unshare(CLONE_NEWNET) < 0) {
        ck_assert_int_eq(errno, EPERM);
        return false;
    }
    raise_loopback();
    shrink_buffers();
    return true;
}
