/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dies - does a call abort, and what does it say on stderr first?
 *
 * Threads  Forks, so the test must not have started threads.
 */
#ifndef SUPPORT_DIES_H
#define SUPPORT_DIES_H

#include <check.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

typedef void (*dies_fn)(void *arg);

/* Runs fn(arg) in a child. True when the child ended by SIGABRT; `said` then
 * holds the beginning of its stderr, as a string. */
static inline bool
dies_saying(dies_fn fn, void *arg, char *said, size_t size)
{
    const struct rlimit no_core = {0, 0};
    size_t len = 0;
    ssize_t got;
    int status;
    int ends[2];
    pid_t pid;

    ck_assert_int_eq(pipe(ends), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        (void)setrlimit(RLIMIT_CORE, &no_core);
        (void)dup2(ends[1], STDERR_FILENO);
        fn(arg);
        _exit(0);
    }

    close(ends[1]);
    while ((got = read(ends[0], said + len, size - 1 - len)) > 0)
        len += (size_t)got;
    said[len] = '\0';
    close(ends[0]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static inline bool
dies(dies_fn fn, void *arg)
{
    char said[1024];

    return dies_saying(fn, arg, said, sizeof(said));
}

#endif
