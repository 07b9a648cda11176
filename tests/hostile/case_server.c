/* SPDX-License-Identifier: BSD-2-Clause
 *
 * case_server - what is done to the server, and what it says of itself.
 */
#include <check.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile/hostile.h"

#define PATIENCE_MS 10000
#define LOOK_MS     5

/* -- freezing --------------------------------------------------------------- */

/* `T` behind the name in /proc/PID/task/TID/stat. */
static bool
is_stopped(const char *dir, const char *thread)
{
    char path[512], text[512] = "";
    const char *at;
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s/stat", dir, thread);
    f = fopen(path, "r");
    if (f == NULL)
        return true; /* it has ended */
    at = fgets(text, sizeof(text), f) != NULL ? strrchr(text, ')') : NULL;
    fclose(f);
    return at != NULL && strncmp(at, ") T", 3) == 0;
}

static bool
all_stopped(const struct daemon *d)
{
    char path[64];
    struct dirent *e;
    bool all = true;
    DIR *dir;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)d->pid);
    dir = opendir(path);
    ck_assert_ptr_nonnull(dir);
    while ((e = readdir(dir)) != NULL)
        if (e->d_name[0] != '.')
            all = all && is_stopped(path, e->d_name);
    closedir(dir);
    return all;
}

/* Not daemon_freeze(): the daemon need not be this process's child. */
static void
on_freeze(struct run *r, const struct step *s)
{
    const uint64_t deadline = now_ms() + e2e_patience_ms(PATIENCE_MS);

    daemon_signal(r->daemon, SIGSTOP);
    while (!all_stopped(r->daemon)) {
        if (now_ms() >= deadline)
            e2e_fail("the server does not stop");
        (void)poll(NULL, 0, 1);
    }
}

static void
on_thaw(struct run *r, const struct step *s)
{
    daemon_thaw(r->daemon);
}

/* -- census, log ------------------------------------------------------------ */

static bool
compares(const char *how, uint64_t is, uint64_t than)
{
    if (strcmp(how, "below") == 0)
        return is < than;
    if (strcmp(how, "least") == 0)
        return is >= than;
    if (strcmp(how, "is") == 0)
        return is == than;
    e2e_fail("write census KEY is|below|least NUMBER");
}

/* census KEY is|below|least NUMBER: in a while, but for `below`, at once. */
static void
on_census(struct run *r, const struct step *s)
{
    const uint64_t deadline = now_ms() + e2e_patience_ms(PATIENCE_MS);
    const char *const key = step_word(s, 1);
    const char *const how = step_word(s, 2);
    const uint64_t than = text_number(step_word(s, 3));
    uint64_t is;

    while (!compares(how, is = daemon_census(r->daemon, key), than)) {
        if (now_ms() >= deadline || strcmp(how, "below") == 0)
            e2e_fail("census: %s is %llu", key, (unsigned long long)is);
        (void)poll(NULL, 0, LOOK_MS);
    }
}

static unsigned
count_logged(const struct run *r, const char *text)
{
    char *const log = daemon_log_text(r->daemon);
    const char *at = log + r->log_from;
    unsigned n = 0;

    while ((at = strstr(at, text)) != NULL) {
        at += strlen(text);
        n++;
    }
    free(log);
    return n;
}

static void
await_logged(const struct run *r, const char *text, unsigned times)
{
    const uint64_t deadline = now_ms() + e2e_patience_ms(PATIENCE_MS);

    while (count_logged(r, text) < times) {
        if (now_ms() >= deadline)
            e2e_fail("not in the log %s: %s", r->daemon->log,
                     printable(text, strlen(text)));
        (void)poll(NULL, 0, LOOK_MS);
    }
}

/* log has|lacks TEXT */
static void
on_log(struct run *r, const struct step *s)
{
    const char *const text = step_word(s, 2);

    if (step_has(s, 1, "has"))
        await_logged(r, text, 1);
    else if (!step_has(s, 1, "lacks"))
        e2e_fail("write log has TEXT, or log lacks TEXT");
    else if (count_logged(r, text) > 0)
        e2e_fail("the log has: %s", printable(text, strlen(text)));
}

/* -- its configuration ------------------------------------------------------- */

/* Joins show no history: the room has seen the cases before. */
/* clang-format off */
static const char base_config[] =
    "[listen \"pinned\"]\n"
    "address = 127.0.0.1:0\n"
    "protocol = line\n"
    "[history]\n"
    "room_events = 0\n"
    "[log]\n"
    "level = trace\n";
/* clang-format on */

static char *
whole_config(const char *raw)
{
    const char *const text = text_string(raw);
    char *const whole = keep(sizeof(base_config) + strlen(text));

    sprintf(whole, "%s%s", base_config, text);
    return whole;
}

/* reload works|fails, with the lines that follow as its configuration. */
static void
on_reload(struct run *r, const struct step *s)
{
    const bool works = step_has(s, 1, "works");
    const char *const outcome =
        works ? "notice config reloaded"
              : "not reloaded; the old configuration stays";
    const unsigned before = count_logged(r, outcome);

    if (!works && !step_has(s, 1, "fails"))
        e2e_fail("write reload works, or reload fails");
    if (!r->is_own)
        e2e_fail("a case that reloads needs a daemon of its own");
    daemon_configure(r->daemon, whole_config(s->block != NULL ? s->block : ""));
    daemon_signal(r->daemon, SIGHUP);
    await_logged(r, outcome, before + 1);
}

static uint16_t
find_pinned_port(struct daemon *d)
{
    static const char mark[] = "\"name\":\"pinned\",\"address\":\"127.0.0.1:";
    char *const answer = daemon_ask(d, "{\"command\":\"status\"}");
    const char *const at = strstr(answer, mark);
    uint16_t port;

    if (at == NULL)
        e2e_fail("no pinned listener in %s", answer);
    port = (uint16_t)strtoul(at + sizeof(mark) - 1, NULL, 10);
    free(answer);
    return port;
}

uint16_t
case_daemon_start(struct daemon *d, const char *config)
{
    daemon_start(d, whole_config(config));
    return find_pinned_port(d);
}

void
case_daemon_stop(struct daemon *d)
{
    int status;

    daemon_await_census_now(d, d->at_rest);
    daemon_signal(d, SIGTERM);
    status = daemon_await_exit(d, 10000);
    if (status != 0)
        e2e_fail("klatchd ended with status %d; see %s", status, d->log);
    judge_log(d, 0);
    daemon_check_remains(d);
}

/* -- verbs ------------------------------------------------------------------- */

static const struct {
    const char *name;
    step_fn run;
    size_t words; /* the least */
} verbs[] = {
    {"freeze", on_freeze, 1},
    {"thaw",   on_thaw,   1},
    {"census", on_census, 4},
    {"log",    on_log,    3},
    {"reload", on_reload, 2},
};

bool
server_step(struct run *r, const struct step *s)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(s->words[0].raw, verbs[i].name) != 0)
            continue;
        if (s->count < verbs[i].words)
            e2e_fail("%s what?", verbs[i].name);
        if (r->daemon == NULL)
            e2e_fail("there is no server here");
        verbs[i].run(r, s);
        return true;
    }
    return false;
}
