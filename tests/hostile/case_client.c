/* SPDX-License-Identifier: BSD-2-Clause
 *
 * case_client - what clients do; what they must hear is in case_hear.c.
 */
#include <stdio.h>
#include <string.h>

#include "hostile/hostile.h"

#define PATIENCE_MS 10000
#define SMALL       4096 /* receive buffer of a client that shall not take much */

/* -- coming ---------------------------------------------------------------- */

struct client *
client_named(struct run *r, const char *name)
{
    struct client *c;

    for (size_t i = 0; i < r->client_count; i++)
        if (strcmp(r->clients[i].name, name) == 0)
            return &r->clients[i];
    if (r->client_count == CLIENTS_MAX)
        e2e_fail("more than %d clients", CLIENTS_MAX);
    c = &r->clients[r->client_count++];
    *c = (struct client){.name = name, .peer = {.fd = -1}};
    return c;
}

void
client_connect(struct run *r, struct client *c, enum client_way way,
               const char *from)
{
    struct daemon *const d = r->daemon;
    const uint16_t port = way == WAY_AUTO ? d->port : r->pinned_port;

    if (c->is_open)
        e2e_fail("%s is connected already", c->name);
    if (way == WAY_CONTROL)
        peer_connect_unix(&c->peer, d->control);
    else if (way == WAY_UNIX)
        peer_connect_unix(&c->peer, d->socket);
    else if (from == NULL)
        peer_connect(&c->peer, port);
    else if (strcmp(from, "small") == 0)
        peer_connect_small(&c->peer, port, SMALL);
    else
        peer_connect_from(&c->peer, port, from);
    c->way = way;
    c->is_open = true;
    c->has_nick = c->saw_end = c->is_ignored = false;
}

static enum client_way
way_of(const char *word)
{
    static const char *const names[] = {
        [WAY_AUTO] = "auto",
        [WAY_LINE] = "line",
        [WAY_UNIX] = "unix",
        [WAY_CONTROL] = "control",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], word) == 0)
            return (enum client_way)i;
    e2e_fail("one connects to auto, line, unix or control, not to %s", word);
}

void
client_enter(struct client *c)
{
    peer_enter(&c->peer, c->name);
    c->has_nick = true;
}

/* connect WAY [from ADDRESS | small] */
static void
on_connect(struct run *r, struct client *c, const struct step *s)
{
    const char *const how = s->count > 3 ? step_word(s, 3) : NULL;

    client_connect(r, c, way_of(step_word(s, 2)),
                   how != NULL && strcmp(how, "from") == 0 ? step_word(s, 4)
                                                           : how);
}

/* join [WAY] */
static void
on_join(struct run *r, struct client *c, const struct step *s)
{
    char told[256];

    client_connect(r, c, s->count > 2 ? way_of(step_word(s, 2)) : WAY_AUTO,
                   NULL);
    client_enter(c);
    snprintf(told, sizeof(told), "* %s joined #lobby.", c->name);
    if (strcmp(client_line(&r->clients[INNOCENT], told), told) != 0)
        e2e_fail("the innocent expected: %s", told);
}

/* -- speaking --------------------------------------------------------------- */

/* The pieces of `all` between the offsets named by the words from `i` on, each
 * read by the server before the next is sent. */
static void
send_at(struct run *r, struct client *c, const struct step *s, size_t i,
        struct bytes all)
{
    size_t sent = 0;

    for (; !s->words[i].is_text; i++) {
        const size_t to = text_number(s->words[i].raw);

        if (to < sent || to > all.len)
            e2e_fail("%zu is not in this text of %zu bytes", to, all.len);
        peer_send_bytes(&c->peer, all.data + sent, to - sent);
        client_await_read(r, c);
        sent = to;
    }
    peer_send_bytes(&c->peer, all.data + sent, all.len - sent);
}

static void
send_bytewise(struct run *r, struct client *c, struct bytes all)
{
    for (size_t i = 0; i < all.len; i++) {
        peer_send_bytes(&c->peer, all.data + i, 1);
        client_await_read(r, c);
    }
}

/* send [bytewise | at OFFSET…] TEXT [/ TEXT]… */
static void
on_send(struct run *r, struct client *c, const struct step *s)
{
    const bool bytewise = step_has(s, 2, "bytewise");
    size_t i = 2;

    if (bytewise || step_has(s, 2, "at")) {
        const struct word *const last = &s->words[s->count - 1];

        if (!last->is_text)
            e2e_fail("send what?");
        if (bytewise)
            send_bytewise(r, c, text_bytes(last->raw));
        else
            send_at(r, c, s, 3, text_bytes(last->raw));
        return;
    }
    for (; i < s->count; i++) {
        if (s->words[i].is_text) {
            const struct bytes b = text_bytes(s->words[i].raw);

            peer_send_bytes(&c->peer, b.data, b.len);
        } else if (step_has(s, i, "/")) {
            client_await_read(r, c);
        } else {
            e2e_fail("what is %s?", step_word(s, i));
        }
    }
}

/* flood TEXT until KEY NUMBER: again and again, as much as the kernel takes,
 * until the census says that much or more. */
static void
on_flood(struct run *r, struct client *c, const struct step *s)
{
    const uint64_t deadline = now_ms() + e2e_patience_ms(PATIENCE_MS);
    const struct bytes text = text_bytes(s->words[2].raw);
    const char *const key = step_word(s, 4);
    const uint64_t wanted = text_number(step_word(s, 5));
    size_t at = 0;

    while (daemon_census(r->daemon, key) < wanted) {
        if (now_ms() >= deadline)
            e2e_fail("the census never said %s %s", key, step_word(s, 5));
        for (int i = 0; i < 64; i++)
            at =
                (at + peer_send_some(&c->peer, text.data + at, text.len - at)) %
                text.len;
    }
}

/* -- leaving ---------------------------------------------------------------- */

static void
on_fin(struct run *r, struct client *c, const struct step *s)
{
    peer_end_writing(&c->peer);
    c->has_nick = false; /* it can ask nothing more */
}

static void
on_close(struct run *r, struct client *c, const struct step *s)
{
    peer_close(&c->peer);
    c->is_open = false;
}

static void
on_reset(struct run *r, struct client *c, const struct step *s)
{
    peer_reset(&c->peer);
    c->is_open = false;
}

/* It has a nickname from now on, or none: whether the barrier may be asked. */
static void
on_named(struct run *r, struct client *c, const struct step *s)
{
    c->has_nick = true;
}

static void
on_ignore(struct run *r, struct client *c, const struct step *s)
{
    c->is_ignored = true;
}

/* -- verbs ------------------------------------------------------------------ */

static const struct {
    const char *name;
    void (*run)(struct run *r, struct client *c, const struct step *s);
    size_t words; /* the least */
} verbs[] = {
    {"connect", on_connect,   3},
    {"join",    on_join,      2},
    {"named",   on_named,     2},
    {"send",    on_send,      3},
    {"flood",   on_flood,     6},
    {"hears",   client_hears, 3},
    {"fin",     on_fin,       2},
    {"close",   on_close,     2},
    {"reset",   on_reset,     2},
    {"ignore",  on_ignore,    2},
};

void
client_step(struct run *r, const struct step *s)
{
    struct client *c;

    if (s->count < 2)
        e2e_fail("there is no such step: %s", s->words[0].raw);
    if (r->daemon == NULL)
        e2e_fail("there is no server: the file, or the case, has no `daemon`");
    c = client_named(r, step_word(s, 0));
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (!step_has(s, 1, verbs[i].name))
            continue;
        if (s->count < verbs[i].words)
            e2e_fail("%s what?", verbs[i].name);
        if (!c->is_open && verbs[i].run != on_connect &&
            verbs[i].run != on_join)
            e2e_fail("%s is not connected", c->name);
        verbs[i].run(r, c, s);
        return;
    }
    e2e_fail("%s does what? there is no verb %s", c->name, step_word(s, 1));
}
