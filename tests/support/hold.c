/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See hold.h, and ptrace(2).
 */
#include "support/hold.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "support/e2e.h"

#define PATIENCE_MS 20000

/* -- finding -------------------------------------------------------------- */

static int
by_number(const void *a, const void *b)
{
    const pid_t left = *(const pid_t *)a, right = *(const pid_t *)b;

    return (left > right) - (left < right);
}

/* Of all threads there are now, oldest first. */
static size_t
list_threads(pid_t pid, pid_t tids[HOLD_THREADS_MAX])
{
    const struct dirent *entry;
    char path[64];
    size_t n = 0;
    DIR *dir;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    dir = opendir(path);
    ck_assert_ptr_nonnull(dir);
    while ((entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.') {
            ck_assert_uint_lt(n, HOLD_THREADS_MAX);
            tids[n++] = (pid_t)strtol(entry->d_name, NULL, 10);
        }
    closedir(dir);
    qsort(tids, n, sizeof(*tids), by_number);
    return n;
}

static bool
is_named(pid_t pid, pid_t tid, const char *name)
{
    char path[64], is[32] = "";
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", (int)pid, (int)tid);
    f = fopen(path, "r");
    if (f == NULL)
        return false; /* it has ended */
    if (fgets(is, sizeof(is), f) != NULL)
        is[strcspn(is, "\n")] = '\0';
    fclose(f);
    return strcmp(is, name) == 0;
}

pid_t
hold_find(pid_t pid, const char *name, unsigned nth)
{
    pid_t tids[HOLD_THREADS_MAX];
    const size_t n = list_threads(pid, tids);

    for (size_t i = 0; i < n; i++)
        if (is_named(pid, tids[i], name) && nth-- == 0)
            return tids[i];
    e2e_fail("there is no such thread %s", name);
}

/* -- holding -------------------------------------------------------------- */

/* False when it has not stopped in that time. */
static bool
await_stop(pid_t tid, uint64_t ms)
{
    const uint64_t deadline = now_ms() + ms;
    int status = 0;
    pid_t got;

    while ((got = waitpid(tid, &status, __WALL | WNOHANG)) != tid) {
        if (got < 0)
            e2e_fail("waitpid: %s", strerror(errno));
        if (now_ms() >= deadline)
            return false;
        (void)poll(NULL, 0, 1);
    }
    if (!WIFSTOPPED(status))
        e2e_fail("thread %d ended (%d)", (int)tid, status);
    return true;
}

static void
interrupt(pid_t tid)
{
    ck_assert_int_eq(ptrace(PTRACE_INTERRUPT, tid, NULL, NULL), 0);
    if (!await_stop(tid, e2e_patience_ms(PATIENCE_MS)))
        e2e_fail("thread %d cannot be stopped", (int)tid);
}

void
hold_begin(pid_t tid)
{
    if (ptrace(PTRACE_SEIZE, tid, NULL,
               (void *)(uintptr_t)PTRACE_O_TRACESYSGOOD) < 0)
        e2e_fail("this test needs ptrace(2): %s", strerror(errno));
    interrupt(tid);
    ck_assert_int_eq(ptrace(PTRACE_SYSCALL, tid, NULL, NULL), 0);
}

bool
hold_at_within(pid_t tid, long nr, uint64_t ms)
{
    const uint64_t deadline = now_ms() + ms;

    for (;;) {
        struct __ptrace_syscall_info info = {.op = PTRACE_SYSCALL_INFO_NONE};
        const uint64_t now = now_ms();

        if (!await_stop(tid, now < deadline ? deadline - now : 0))
            return false;
        ck_assert_int_gt(
            ptrace(PTRACE_GET_SYSCALL_INFO, tid, (void *)sizeof(info), &info),
            0);
        if (info.op == PTRACE_SYSCALL_INFO_ENTRY &&
            info.entry.nr == (uint64_t)nr)
            return true;
        ck_assert_int_eq(ptrace(PTRACE_SYSCALL, tid, NULL, NULL), 0);
    }
}

void
hold_at(pid_t tid, long nr)
{
    if (!hold_at_within(tid, nr, e2e_patience_ms(PATIENCE_MS)))
        e2e_fail("thread %d does not come to where it shall stop", (int)tid);
}

void
hold_end(pid_t tid)
{
    ck_assert_int_eq(ptrace(PTRACE_DETACH, tid, NULL, NULL), 0);
}

size_t
hold_all(pid_t pid, pid_t held, pid_t tids[HOLD_THREADS_MAX])
{
    const size_t n = list_threads(pid, tids);
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        if (tids[i] == held)
            continue;
        if (ptrace(PTRACE_SEIZE, tids[i], NULL, NULL) < 0)
            e2e_fail("this test needs ptrace(2): %s", strerror(errno));
        interrupt(tids[i]);
        tids[kept++] = tids[i];
    }
    return kept;
}
