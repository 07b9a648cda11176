/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See daemon.h: what a running klatchd, its log and the kernel tell of it.
 */
#include <check.h>
#include <dirent.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support/daemon.h"
#include "support/daemon_priv.h"
#include "support/e2e.h"
#include "support/peer.h"

#define PATIENCE_MS 10000
#define LOOK_MS     10 /* between two looks at what has no event */

/* -- the control socket --------------------------------------------------- */

char *
daemon_ask(struct daemon *d, const char *request)
{
    struct peer p;
    char *answer;

    peer_connect_unix(&p, d->control);
    peer_send(&p, "%s\n", request);
    answer = strdup(peer_take(&p));
    ck_assert_ptr_nonnull(answer);
    peer_close(&p);
    return answer;
}

uint64_t
daemon_number_in(const char *answer, const char *key)
{
    char quoted[64];
    const char *at;

    snprintf(quoted, sizeof(quoted), "\"%s\":", key);
    at = strstr(answer, quoted);
    if (at == NULL)
        e2e_fail("no %s in %s", key, answer);
    return strtoull(at + strlen(quoted), NULL, 10);
}

/* A thread that is busy for long may be too late for an answer; not for all. */
char *
daemon_ask_census(struct daemon *d)
{
    const uint64_t deadline = now_ms() + e2e_patience_ms(PATIENCE_MS);
    char *answer;

    for (;;) {
        answer = daemon_ask(d, "{\"command\":\"census\"}");
        if (strstr(answer, "did not find the answer in time") == NULL ||
            now_ms() >= deadline)
            return answer;
        free(answer);
    }
}

uint64_t
daemon_census(struct daemon *d, const char *key)
{
    char *const answer = daemon_ask_census(d);
    const uint64_t value = daemon_number_in(answer, key);

    free(answer);
    return value;
}

void
daemon_await_census(struct daemon *d, const char *key, uint64_t value)
{
    const uint64_t deadline = now_ms() + e2e_patience_ms(PATIENCE_MS);
    uint64_t is;

    while ((is = daemon_census(d, key)) != value) {
        if (now_ms() >= deadline)
            e2e_fail("census: %s is %" PRIu64 ", not %" PRIu64, key, is, value);
        (void)poll(NULL, 0, LOOK_MS);
    }
}

/* -- at rest -------------------------------------------------------------- */

/* malloc's own threads begin when it likes. */
static void
forget_threads(char *now)
{
    static const char key[] = "\"threads\":";
    char *const at = strstr(now, key);
    const char *const end = at != NULL ? strchr(at, ',') : NULL;

    if (end != NULL)
        memmove(at, end + 1, strlen(end));
}

static char *
cut_out_now(const char *answer)
{
    const char *const from = strstr(answer, "\"now\":{");
    const char *const to = from != NULL ? strchr(from, '}') : NULL;
    char *now;

    if (to == NULL)
        e2e_fail("this is no census: %s", answer);
    now = strndup(from, (size_t)(to - from));
    ck_assert_ptr_nonnull(now);
    forget_threads(now);
    return now;
}

char *
daemon_census_now(struct daemon *d)
{
    char *const answer = daemon_ask_census(d);
    char *const now = cut_out_now(answer);

    free(answer);
    return now;
}

static void
check_balances(const char *answer)
{
    if (strstr(answer, "\"balanced\":true") == NULL ||
        daemon_number_in(answer, "lost_deliveries") != 0 ||
        daemon_number_in(answer, "lost_log_lines") != 0)
        e2e_fail("what came in is not what went out: %s", answer);
}

/* Of two censuses that begin alike: the first number that differs, and what is
 * behind it. */
static const char *
first_difference(const char *a, const char *b)
{
    size_t same = 0;

    while (a[same] != '\0' && a[same] == b[same])
        same++;
    while (same > 0 && a[same - 1] != ',')
        same--;
    return a + same;
}

void
daemon_await_census_now(struct daemon *d, const char *now)
{
    const uint64_t deadline = now_ms() + e2e_patience_ms(PATIENCE_MS);

    for (;;) {
        char *const answer = daemon_ask_census(d);
        char *const is = cut_out_now(answer);
        const bool same = strcmp(is, now) == 0;

        if (same)
            check_balances(answer);
        else if (now_ms() >= deadline)
            e2e_fail("the census was …%s\nand now it is …%s",
                     first_difference(now, is), first_difference(is, now));
        free(answer);
        free(is);
        if (same)
            return;
        (void)poll(NULL, 0, LOOK_MS);
    }
}

/* -- its log -------------------------------------------------------------- */

char *
daemon_read_file(const char *path)
{
    FILE *const f = fopen(path, "r");
    char *text = NULL;
    size_t len = 0;
    size_t n = 1;

    ck_assert_ptr_nonnull(f);
    while (n > 0) {
        text = realloc(text, len + 65537);
        ck_assert_ptr_nonnull(text);
        n = fread(text + len, 1, 65536, f);
        len += n;
    }
    fclose(f);
    text[len] = '\0';
    return text;
}

char *
daemon_log_text(struct daemon *d)
{
    return daemon_read_file(d->log);
}

bool
daemon_logged(struct daemon *d, const char *text)
{
    char *const log = daemon_log_text(d);
    const bool found = strstr(log, text) != NULL;

    free(log);
    return found;
}

void
daemon_await_log(struct daemon *d, const char *text)
{
    const uint64_t deadline = now_ms() + e2e_patience_ms(PATIENCE_MS);

    while (!daemon_logged(d, text)) {
        if (now_ms() >= deadline)
            e2e_fail("never logged: %s; see %s", text, d->log);
        (void)poll(NULL, 0, LOOK_MS);
    }
}

/* -- the kernel ----------------------------------------------------------- */

uint64_t
daemon_cpu_us(const struct daemon *d)
{
    struct timespec used;
    clockid_t clock;

    ck_assert_int_eq(clock_getcpuclockid(d->pid, &clock), 0);
    ck_assert_int_eq(clock_gettime(clock, &used), 0);
    return (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000;
}

uint64_t
daemon_cpu_ms(const struct daemon *d)
{
    return daemon_cpu_us(d) / 1000;
}

static bool
is_own_thread(const char *tasks, const char *task)
{
    char path[384];
    char *name;
    bool is_own;

    if (task[0] == '.')
        return false;
    snprintf(path, sizeof(path), "%s/%s/comm", tasks, task);
    name = daemon_read_file(path);
    is_own = strncmp(name, "jemalloc", 8) != 0;
    free(name);
    return is_own;
}

unsigned
daemon_threads(struct daemon *d)
{
    const struct dirent *task;
    unsigned count = 0;
    char tasks[64];
    DIR *dir;

    snprintf(tasks, sizeof(tasks), "/proc/%d/task", (int)d->pid);
    dir = opendir(tasks);
    ck_assert_ptr_nonnull(dir);
    while ((task = readdir(dir)) != NULL)
        count += is_own_thread(tasks, task->d_name);
    closedir(dir);
    return count;
}

unsigned
daemon_listen_queue(struct daemon *d)
{
    FILE *const f = fopen("/proc/net/tcp", "r");
    unsigned found = 0;
    char line[512];

    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        unsigned port, state, sends, waits;

        /* The accept queue of a listening socket (state 0A) is where others
         * have what waits to be received. */
        if (sscanf(line, " %*d: %*x:%x %*x:%*x %x %x:%x", &port, &state, &sends,
                   &waits) == 4 &&
            port == d->port && state == 0x0a)
            found += waits;
    }
    fclose(f);
    return found;
}
