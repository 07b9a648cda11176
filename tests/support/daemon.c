/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See daemon.h.
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
#include <sys/wait.h>
#include <unistd.h>

#include "support/peer.h"

#define PATIENCE_MS 20000

static void
join_path(char *out, const struct daemon *d, const char *name)
{
    snprintf(out, DAEMON_PATH_MAX, "%s/%s", d->dir, name);
}

void
daemon_configure(struct daemon *d, unsigned workers, const char *text)
{
    FILE *const f = fopen(d->config, "w");

    ck_assert_ptr_nonnull(f);
    fprintf(f,
            "[server]\nworkers = %u\n"
            "[admin]\nsocket = %s\n"
            "[listen \"main\"]\naddress = 127.0.0.1:0\n"
            "[listen \"unix\"]\naddress = unix:%s\nprotocol = line\n"
            "%s",
            workers, d->control, d->socket, text != NULL ? text : "");
    ck_assert_int_eq(fclose(f), 0);
}

static void
run_klatchd(const struct daemon *d, int out)
{
    const char *const klatchd = getenv("KLATCHD");
    const int log = open(d->log, O_WRONLY | O_CREAT | O_APPEND, 0600);

    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that crashes leaves nothing */
    if (klatchd == NULL || log < 0)
        _exit(127);
    dup2(out, 1);
    dup2(log, 2);
    execl(klatchd, klatchd, "-c", d->config, (char *)NULL);
    _exit(127);
}

/* The line that klatchd prints when it is ready tells the port. */
static void
await_port(struct daemon *d)
{
    static const char mark[] = "nc 127.0.0.1 ";
    const uint64_t deadline = now_ms() + PATIENCE_MS;
    char text[1024];
    size_t len = 0;

    for (;;) {
        struct pollfd pfd = {.fd = d->out, .events = POLLIN};
        const char *at;
        ssize_t n;

        text[len] = '\0';
        at = strstr(text, mark);
        if (at != NULL && strchr(at, '\n') != NULL) {
            d->port = (uint16_t)strtoul(at + sizeof(mark) - 1, NULL, 10);
            return;
        }
        if (now_ms() >= deadline)
            ck_abort_msg("klatchd did not get ready; see %s", d->log);
        if (poll(&pfd, 1, 100) <= 0)
            continue;
        n = read(d->out, text + len, sizeof(text) - 1 - len);
        if (n <= 0)
            ck_abort_msg("klatchd ended at its start; see %s", d->log);
        len += (size_t)n;
    }
}

void
daemon_start(struct daemon *d, unsigned workers, const char *config)
{
    const char *const tmp = getenv("TMPDIR");
    int out[2];

    *d = (struct daemon){.pid = -1, .out = -1};
    snprintf(d->dir, sizeof(d->dir), "%s/klatch-XXXXXX",
             tmp != NULL && strlen(tmp) < 30 ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(d->dir));
    join_path(d->config, d, "klatch.conf");
    join_path(d->control, d, "control.sock");
    join_path(d->socket, d, "line.sock");
    join_path(d->log, d, "log");
    daemon_configure(d, workers, config);

    ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
    d->pid = fork();
    ck_assert_int_ge(d->pid, 0);
    if (d->pid == 0)
        run_klatchd(d, out[1]);
    close(out[1]);
    d->out = out[0];
    await_port(d);
}

void
daemon_signal(struct daemon *d, int signal)
{
    ck_assert_int_eq(kill(d->pid, signal), 0);
}

static char *
read_file(const char *path)
{
    FILE *const f = fopen(path, "r");
    char *text = NULL;
    size_t len = 0;

    ck_assert_ptr_nonnull(f);
    for (;;) {
        size_t n;

        text = realloc(text, len + 65537);
        ck_assert_ptr_nonnull(text);
        n = fread(text + len, 1, 65536, f);
        len += n;
        if (n == 0)
            break;
    }
    fclose(f);
    text[len] = '\0';
    return text;
}

bool
daemon_logged(struct daemon *d, const char *text)
{
    char *const log = read_file(d->log);
    const bool found = strstr(log, text) != NULL;

    free(log);
    return found;
}

void
daemon_await_log(struct daemon *d, const char *text)
{
    const uint64_t deadline = now_ms() + 10000;

    while (!daemon_logged(d, text)) {
        if (now_ms() >= deadline)
            ck_abort_msg("never logged: %s", text);
        poll(NULL, 0, 10);
    }
}

static void
check_log(struct daemon *d)
{
    char *const log = read_file(d->log);

    if (strstr(log, "Sanitizer") != NULL || strstr(log, " error ") != NULL ||
        strstr(log, "runtime error") != NULL)
        ck_abort_msg("klatchd's log has an error:\n%s", log);
    free(log);
}

static int
await_exit(struct daemon *d, uint64_t limit_ms)
{
    const uint64_t deadline = now_ms() + limit_ms;
    int status = 0;

    for (;;) {
        const pid_t pid = waitpid(d->pid, &status, WNOHANG);

        if (pid == d->pid)
            return status;
        if (now_ms() >= deadline) {
            kill(d->pid, SIGABRT);
            ck_abort_msg("klatchd did not end in %u ms", (unsigned)limit_ms);
        }
        poll(NULL, 0, 5);
    }
}

static void
remove_files(struct daemon *d)
{
    unlink(d->config);
    unlink(d->log);
    /* Its sockets must be gone already. */
    if (rmdir(d->dir) < 0)
        ck_abort_msg("klatchd left something in %s: %s", d->dir,
                     strerror(errno));
}

void
daemon_stop_within(struct daemon *d, uint64_t limit_ms)
{
    int status;

    daemon_signal(d, SIGTERM);
    status = await_exit(d, limit_ms);
    close(d->out);
    check_log(d);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        ck_abort_msg("klatchd ended with status %d; see %s", status, d->log);
    remove_files(d);
}

void
daemon_stop(struct daemon *d)
{
    daemon_stop_within(d, 10000);
}

char *
daemon_ask(struct daemon *d, const char *request)
{
    struct peer p;
    char *answer;
    size_t cap = 1 << 20;
    size_t len = 0;

    answer = malloc(cap);
    ck_assert_ptr_nonnull(answer);
    peer_connect_unix(&p, d->control);
    peer_send(&p, "%s\n", request);
    for (;;) {
        struct pollfd pfd = {.fd = p.fd, .events = POLLIN};
        ssize_t n;

        ck_assert_int_eq(poll(&pfd, 1, PATIENCE_MS), 1);
        n = read(p.fd, answer + len, cap - 1 - len);
        ck_assert_int_gt((int)n, 0);
        len += (size_t)n;
        answer[len] = '\0';
        if (strchr(answer, '\n') != NULL)
            break;
        ck_assert_uint_lt(len, cap - 1);
    }
    peer_close(&p);
    return answer;
}

uint64_t
daemon_census(struct daemon *d, const char *key)
{
    char *const answer = daemon_ask(d, "{\"command\":\"census\"}");
    char quoted[64];
    const char *at;
    uint64_t value;

    snprintf(quoted, sizeof(quoted), "\"%s\":", key);
    at = strstr(answer, quoted);
    if (at == NULL)
        ck_abort_msg("no %s in %s", key, answer);
    value = strtoull(at + strlen(quoted), NULL, 10);
    free(answer);
    return value;
}

void
daemon_await_census(struct daemon *d, const char *key, uint64_t value)
{
    const uint64_t deadline = now_ms() + 10000;
    uint64_t is;

    while ((is = daemon_census(d, key)) != value) {
        if (now_ms() >= deadline)
            ck_abort_msg("census: %s is %llu, not %llu", key,
                         (unsigned long long)is, (unsigned long long)value);
        poll(NULL, 0, 10);
    }
}
