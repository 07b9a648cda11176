/* SPDX-License-Identifier: BSD-2-Clause
 *
 * case_run - one case from its first step to the server at rest.
 *
 * Innocent  In each case with a server somebody sits in #lobby who has done
 *           nothing. What it hears, but for what the steps say it hears, is a
 *           failure; at the end it must still be there, and be heard by
 *           somebody who comes then.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile/hostile.h"

const char *
step_word(const struct step *s, size_t i)
{
    if (i >= s->count)
        e2e_fail("a word is missing");
    return text_string(s->words[i].raw);
}

bool
step_has(const struct step *s, size_t i, const char *word)
{
    return i < s->count && !s->words[i].is_text &&
           strcmp(s->words[i].raw, word) == 0;
}

/* -- steps ------------------------------------------------------------------ */

static void run_steps(struct run *r, size_t from, size_t to);

/* FIRST..LAST; false when it is none. */
static bool
parse_range(const char *raw, unsigned long *first, unsigned long *last)
{
    char *end;

    *first = strtoul(raw, &end, 10);
    if (end == raw || strncmp(end, "..", 2) != 0)
        return false;
    raw = end + 2;
    *last = strtoul(raw, &end, 10);
    return end != raw && *end == '\0';
}

static void
run_with(struct run *r, size_t at, const char *name, const char *raw)
{
    text_set(name, raw);
    run_steps(r, at + 1, r->hostile_case->steps[at].end);
}

/* for NAME in VALUE… */
static void
run_loop(struct run *r, size_t at)
{
    const struct step *const s = &r->hostile_case->steps[at];
    const char *const name = s->words[1].raw;

    for (size_t i = 3; i < s->count; i++) {
        unsigned long first, last;

        if (s->words[i].is_text ||
            !parse_range(step_word(s, i), &first, &last)) {
            run_with(r, at, name, s->words[i].raw);
            continue;
        }
        for (unsigned long n = first; n <= last; n++) {
            char *const text = keep(24);

            snprintf(text, 24, "%lu", n);
            run_with(r, at, name, text);
        }
    }
}

static void
set_scene(const struct run *r, unsigned line)
{
    e2e_scene("%s:%u: %s", r->file->path, line, r->hostile_case->name);
}

static void
run_steps(struct run *r, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        const struct step *const s = &r->hostile_case->steps[i];

        set_scene(r, s->line);
        if (strcmp(s->words[0].raw, "for") == 0) {
            run_loop(r, i);
            i = s->end;
        } else if (!server_step(r, s) && !config_step(r, s)) {
            client_step(r, s);
        }
    }
}

/* -- the innocent ------------------------------------------------------------- */

static void
innocent_comes(struct run *r)
{
    struct client *const innocent = client_named(r, "innocent");

    client_connect(r, innocent, WAY_AUTO, NULL);
    client_enter(innocent);
}

/* The clients still there must have read all; the innocent last. */
static void
check_clients(struct run *r)
{
    for (size_t i = r->client_count; i-- > 0;) {
        struct client *const c = &r->clients[i];

        if (c->is_open && !c->saw_end && !c->is_ignored)
            client_expect_nothing(r, c);
    }
}

/* All but the innocent go, of which it may hear. */
static void
dismiss_clients(struct run *r)
{
    struct client *const innocent = &r->clients[INNOCENT];
    static const char wanted[] = "the end of the others";

    for (size_t i = INNOCENT + 1; i < r->client_count; i++)
        if (r->clients[i].is_open)
            peer_close(&r->clients[i].peer);
    daemon_await_census(r->daemon, "conns", 1);
    peer_send(&innocent->peer, "/topic #gone\n");
    for (;;) {
        const char *const line = client_line(innocent, wanted);

        if (line == NULL)
            e2e_fail("the innocent was closed");
        if (strncmp(line, "* There is no room #gone;", 25) == 0)
            return;
        if (strstr(line, " quit (connection ") == NULL)
            e2e_fail("the innocent hears: %s", printable(line, strlen(line)));
    }
}

/* It talks, and is heard by somebody new. */
static void
check_innocent(struct run *r)
{
    struct client *const innocent = &r->clients[INNOCENT];
    struct peer witness;

    peer_join(&witness, r->daemon->port, "witness");
    if (strcmp(client_line(innocent, "the witness"),
               "* witness joined #lobby.") != 0)
        e2e_fail("the innocent does not hear that somebody came");
    peer_send(&innocent->peer, "I am still here\n");
    peer_expect(&witness, "<innocent> I am still here");
    client_expect_nothing(r, innocent);
    peer_close(&witness);
    peer_close(&innocent->peer);
}

/* -- a case ------------------------------------------------------------------- */

static void
run_with_server(struct run *r)
{
    daemon_await_census_now(r->daemon, r->daemon->at_rest);
    innocent_comes(r);
    run_steps(r, 0, r->hostile_case->count);
    check_clients(r);
    dismiss_clients(r);
    check_innocent(r);
    daemon_await_census_now(r->daemon, r->daemon->at_rest);
    judge_log(r->daemon, r->log_from);
}

void
case_run(const struct case_file *file, const struct hostile_case *c,
         struct daemon *daemon, uint16_t pinned_port)
{
    struct daemon own;
    struct run r = {
        .file = file,
        .hostile_case = c,
        .daemon = daemon,
        .pinned_port = pinned_port,
        .is_own = c->own_daemon != NULL,
    };

    set_scene(&r, c->line);
    if (r.is_own) {
        r.pinned_port = case_daemon_start(&own, c->own_daemon);
        r.daemon = &own;
    }
    if (r.daemon != NULL) {
        r.log_from = judge_log(r.daemon, 0);
        run_with_server(&r);
        set_scene(&r, c->line);
    } else {
        config_begin();
        run_steps(&r, 0, c->count);
        config_finish();
    }
    if (r.is_own)
        case_daemon_stop(&own);
}
