/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See daemon.h: from start to end.
 */
#include "support/daemon.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/daemon_priv.h"
#include "support/e2e.h"

#define PATIENCE_MS 20000

/* -- start ---------------------------------------------------------------- */

static void
join_path(char *out, const struct daemon *d, const char *name)
{
    snprintf(out, DAEMON_PATH_MAX, "%s/%s", d->dir, name);
}

void
daemon_prepare(struct daemon *d)
{
    const char *const tmp = getenv("TMPDIR");

    *d = (struct daemon){.pid = -1, .out = -1, .workers = e2e_workers()};
    snprintf(d->address, sizeof(d->address), "127.0.0.1:0");
    snprintf(d->dir, sizeof(d->dir), "%s/klatch-XXXXXX",
             tmp != NULL && strlen(tmp) < 30 ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(d->dir));
    join_path(d->config, d, "klatch.conf");
    join_path(d->control, d, "control.sock");
    join_path(d->socket, d, "line.sock");
    join_path(d->log, d, "log");
}

void
daemon_configure(struct daemon *d, const char *text)
{
    /* Whole or not at all: the daemon may be reading it for an earlier HUP. */
    char fresh[DAEMON_PATH_MAX + 8];
    FILE *f;

    snprintf(fresh, sizeof(fresh), "%s.new", d->config);
    f = fopen(fresh, "w");
    ck_assert_ptr_nonnull(f);
    fprintf(f,
            "[server]\nworkers = %u\n"
            "[admin]\nsocket = %s\n"
            "[listen \"main\"]\naddress = %s\n"
            "[listen \"unix\"]\naddress = unix:%s\nprotocol = line\n"
            "%s%s",
            d->workers, d->control, d->address, d->socket,
            d->lingers ? "" : "[session]\nlinger = 0\n",
            text != NULL ? text : "");
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(rename(fresh, d->config), 0);
}

/* In the child. */
static _Noreturn void
run_klatchd(const struct daemon *d, int out)
{
    const char *const klatchd = getenv("KLATCHD");
    const int log = open(d->log, O_WRONLY | O_CREAT | O_APPEND, 0600);

    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that crashes leaves nothing */
    if (klatchd == NULL || log < 0)
        _exit(127);
    dup2(out, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    if (d->config[0] != '\0')
        execl(klatchd, klatchd, "-c", d->config, (char *)NULL);
    else
        execl(klatchd, klatchd, (char *)NULL);
    _exit(127);
}

void
daemon_launch(struct daemon *d)
{
    int out[2];

    ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
    d->pid = fork();
    ck_assert_int_ge(d->pid, 0);
    if (d->pid == 0)
        run_klatchd(d, out[1]);
    close(out[1]);
    if (d->out >= 0)
        close(d->out);
    d->out = out[0];
}

/* What klatchd prints when it is ready tells the port. */
static bool
find_port(struct daemon *d, const char *text)
{
    static const char mark[] = "nc 127.0.0.1 ";
    const char *const at = strstr(text, mark);

    if (at == NULL || strchr(at, '\n') == NULL)
        return false;
    d->port = (uint16_t)strtoul(at + sizeof(mark) - 1, NULL, 10);
    return true;
}

void
daemon_await_ready(struct daemon *d)
{
    const uint64_t deadline = now_ms() + PATIENCE_MS;
    char text[2048] = "";
    size_t len = 0;

    while (!find_port(d, text)) {
        struct pollfd pfd = {.fd = d->out, .events = POLLIN};
        ssize_t n;

        if (now_ms() >= deadline)
            e2e_fail("klatchd did not get ready; see %s", d->log);
        if (poll(&pfd, 1, 100) <= 0)
            continue;
        n = read(d->out, text + len, sizeof(text) - 1 - len);
        if (n <= 0)
            e2e_fail("klatchd ($KLATCHD) ended at its start:\n%s",
                     daemon_read_file(d->log));
        len += (size_t)n;
        text[len] = '\0';
    }
}

static void
start(struct daemon *d, const char *config)
{
    daemon_configure(d, config);
    daemon_launch(d);
    daemon_await_ready(d);
    d->at_rest = daemon_census_now(d);
}

void
daemon_start(struct daemon *d, const char *config)
{
    daemon_prepare(d);
    start(d, config);
}

void
daemon_start_lingering(struct daemon *d, const char *config)
{
    daemon_prepare(d);
    d->lingers = true;
    start(d, config);
}

void
daemon_signal(struct daemon *d, int signal)
{
    ck_assert_int_eq(kill(d->pid, signal), 0);
}

void
daemon_freeze(struct daemon *d)
{
    int status = 0;

    daemon_signal(d, SIGSTOP);
    ck_assert_int_eq(waitpid(d->pid, &status, WUNTRACED), d->pid);
    ck_assert(WIFSTOPPED(status));
}

void
daemon_thaw(struct daemon *d)
{
    daemon_signal(d, SIGCONT);
}

/* -- stop ----------------------------------------------------------------- */

void
daemon_limit_fds(struct daemon *d, uint64_t n)
{
    struct rlimit limit;

    ck_assert_int_eq(prlimit(d->pid, RLIMIT_NOFILE, NULL, &limit), 0);
    limit.rlim_cur = n == 0 ? limit.rlim_max : n;
    ck_assert_int_eq(prlimit(d->pid, RLIMIT_NOFILE, &limit, NULL), 0);
}

int
daemon_await_exit(struct daemon *d, uint64_t limit_ms)
{
    const uint64_t deadline = now_ms() + limit_ms;
    int status = 0;

    for (;;) {
        const pid_t pid = waitpid(d->pid, &status, WNOHANG);

        if (pid == d->pid)
            return status;
        if (now_ms() >= deadline) {
            kill(d->pid, SIGABRT);
            e2e_fail("klatchd did not end in %u ms", (unsigned)limit_ms);
        }
        (void)poll(NULL, 0, 5);
    }
}

static void
check_log(const struct daemon *d)
{
    char *const log = daemon_read_file(d->log);

    if (strstr(log, "Sanitizer") != NULL || strstr(log, "Z error ") != NULL ||
        strstr(log, "runtime error") != NULL)
        e2e_fail("klatchd's log has an error:\n%s", log);
    free(log);
}

void
daemon_check_remains(struct daemon *d)
{
    check_log(d);
    close(d->out);
    free(d->at_rest);
    unlink(d->config);
    unlink(d->log);
    /* Its sockets must be gone already. */
    if (rmdir(d->dir) < 0)
        e2e_fail("klatchd left something in %s: %s", d->dir, strerror(errno));
}

void
daemon_stop_within(struct daemon *d, uint64_t limit_ms)
{
    daemon_signal(d, SIGTERM);
    daemon_reap(d, limit_ms);
}

void
daemon_reap(struct daemon *d, uint64_t limit_ms)
{
    const int status = daemon_await_exit(d, limit_ms);

    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        e2e_fail("klatchd ended with status %d; see %s", status, d->log);
    daemon_check_remains(d);
}

void
daemon_stop(struct daemon *d)
{
    daemon_await_census_now(d, d->at_rest);
    daemon_stop_within(d, 10000);
}
