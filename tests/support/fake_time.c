/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/fake_time.h"

#include <sys/epoll.h>

#define NS_PER_MS UINT64_C(1000000)

struct fake_time fake_time;
static bool is_fake;

uint64_t __real_clock_mono_ns(void);
int __real_epoll_wait(int fd, struct epoll_event *events, int max, int timeout);

void
fake_time_start(uint64_t now_ms)
{
    fake_time = (struct fake_time){.now_ns = now_ms * NS_PER_MS};
    is_fake = true;
}

void
fake_time_pass_ms(uint64_t ms)
{
    fake_time.now_ns += ms * NS_PER_MS;
}

uint64_t
__wrap_clock_mono_ns(void)
{
    return is_fake ? fake_time.now_ns : __real_clock_mono_ns();
}

uint64_t
__wrap_clock_mono_ms(void)
{
    return __wrap_clock_mono_ns() / NS_PER_MS;
}

static int
pretend_to_wait(int fd, struct epoll_event *events, int max, int timeout_ms)
{
    int n;

    fake_time.waits++;
    fake_time.timeout_ms = timeout_ms;
    if (timeout_ms != 0 && fake_time.on_wait != NULL)
        fake_time.on_wait();

    n = __real_epoll_wait(fd, events, max, 0);
    if (n != 0 || timeout_ms == 0)
        return n;
    fake_time.idle++;
    if (timeout_ms < 0)
        fake_time.for_ever++;
    else if (!fake_time.stays)
        fake_time_pass_ms((uint64_t)timeout_ms);
    return 0;
}

int
__wrap_epoll_wait(int fd, struct epoll_event *events, int max, int timeout_ms)
{
    if (!is_fake)
        return __real_epoll_wait(fd, events, max, timeout_ms);
    return pretend_to_wait(fd, events, max, timeout_ms);
}
