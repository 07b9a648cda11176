/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Nothing said is lost: the hub with clients that lose their conns, beside a
 * twin of it whose clients never do.
 *
 * Shape    Both hubs get the same commands; the first also the losses, returns
 *          and catch-ups. What a client of the twin is shown is what it was to
 *          see. A client reads some of what was sent; at a loss, the rest of it
 *          is gone. It throws away what it has had, by its id.
 * Holds    At each RESUMED: what is to come and what was missed are together
 *          what the twin's client saw behind the cursor. What a client reads is
 *          what its twin read, in that order and once, less what was missed.
 */
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "clients.h"
#include "support/unit.h"

static struct hub *hub, *twin;
static struct hub_now now;
static uint64_t seed;
static uint64_t last_conn;
static uint64_t secrets;
static uint64_t texts;

static uint32_t
draw(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 33) % n);
}

/* ---- commands ------------------------------------------------------------ */

static void
apply(struct command c, const struct client *from)
{
    clients_is_full = false;
    c.from.conn = from != NULL ? from->conn : (uint64_t)WORKERS << 56 | 1;
    c.session = from != NULL ? from->session : 0;
    hub_apply(hub, &c, &now, &clients_out);
}

/* To the twin, too, but for what the mailbox of one who waits refused. */
static void
apply_both(struct command c, const struct client *from)
{
    apply(c, from);
    if (clients_is_full)
        return;
    c.from.conn =
        from != NULL ? clients_twin_conn(from) : (uint64_t)WORKERS << 56 | 1;
    c.session = from != NULL ? from->twin_session : 0;
    hub_apply(twin, &c, &now, &clients_twin_out);
}

void
clients_catch_up(struct client *c, uint64_t cursor)
{
    apply((struct command){.kind = COMMAND_CATCH_UP,
                           .cursor = cursor,
                           .count = CHUNK},
          c);
}

static struct token_secret
next_secret(void)
{
    struct token_secret secret = {.bytes = {0}};

    secrets++;
    memcpy(secret.bytes, &secrets, sizeof(secrets));
    return secret;
}

static uint64_t
next_conn(void)
{
    return (uint64_t)draw(WORKERS) << 56 | ++last_conn;
}

static void
attach(struct client *c)
{
    struct command attach = {
        .kind = COMMAND_ATTACH,
        .resumable = true,
        .secret = next_secret(),
    };

    snprintf(c->nick, sizeof(c->nick), "n%u", (unsigned)(c - clients));
    attach.name = slice_of(c->nick);
    c->conn = next_conn();
    c->state = CLIENT_HERE;
    apply_both(attach, c);
    clients_pump_all();
    c->echoes = draw(2) == 0;
    apply_both((struct command){.kind = COMMAND_ACKS, .set = c->echoes}, c);
}

static struct slice
draw_room(void)
{
    static const char *const names[ROOMS] = {"#lobby", "#tea", "#a"};

    return slice_of(names[draw(ROOMS)]);
}

static void
talk(struct client *c)
{
    static const enum command_kind kinds[] = {
        COMMAND_SAY,  COMMAND_SAY,  COMMAND_SAY,  COMMAND_TELL, COMMAND_TOPIC,
        COMMAND_JOIN, COMMAND_PART, COMMAND_NICK, COMMAND_AWAY,
    };
    const enum command_kind kind = kinds[draw(ARRAY_LEN(kinds))];
    struct command command = {.kind = kind, .set = true};
    char text[32], nick[16];

    if ((kind == COMMAND_PART && !clients_weather->parts) ||
        ((kind == COMMAND_NICK || kind == COMMAND_AWAY) &&
         !clients_weather->renames))
        return;
    snprintf(text, sizeof(text), "text %llu", (unsigned long long)++texts);
    snprintf(nick, sizeof(nick), "n%u", draw(2 * CLIENTS));
    command.text = slice_of(text);
    command.name = kind == COMMAND_TELL || kind == COMMAND_NICK ? slice_of(nick)
                                                                : draw_room();
    if (kind == COMMAND_PART)
        clients_pump_all(); /* nothing of the room is on its way: command.h */
    apply_both(command, c);
}

static void
announce(void)
{
    char text[32];

    snprintf(text, sizeof(text), "notice %llu", (unsigned long long)++texts);
    apply_both(
        (struct command){.kind = COMMAND_ANNOUNCE, .text = slice_of(text)},
        NULL);
}

/* ---- the client's end ---------------------------------------------------- */

/* It reads up to `most` of what was sent; what it has had it throws away. */
static void
read_some(struct client *c, size_t most)
{
    while (most-- > 0 && c->read < c->sent_count) {
        const struct sent *const s = &c->sent[c->read++];

        if (s->id > c->last_read_id) {
            view_add(&c->has, strdup(s->key));
            c->last_read_id = s->id;
        }
    }
}

/* The front hears of some of what was read. */
static void
ack_some(struct client *c, size_t most)
{
    while (most-- > 0 && c->acked < c->read) {
        const struct sent *const s = &c->sent[c->acked++];

        c->cursor = s->id;
        c->want_behind_cursor = view_find(c, c->want_behind_cursor, s->key) + 1;
    }
    if (draw(2) == 0)
        apply((struct command){.kind = COMMAND_ACK, .cursor = c->cursor}, c);
}

static void
forget_sent(struct client *c)
{
    while (c->sent_count > 0)
        free(c->sent[--c->sent_count].key);
    c->read = c->acked = 0;
}

static void
lose(struct client *c)
{
    const struct command detach = {
        .kind = COMMAND_DETACH,
        .how = draw(4) == 0 ? DETACH_REPLACED : DETACH_LOST,
        .text = slice_of("reset"),
        .cursor = c->cursor,
        .upto = c->sent_count > 0 ? c->sent[c->sent_count - 1].id : c->cursor,
        .count = (uint32_t)(c->sent_count - c->acked),
    };

    clients_seen.losses++;
    clients_seen.losses_in_catch_up += c->state == CLIENT_BACK;
    apply(detach, c);
    forget_sent(c);
    c->state = CLIENT_AWAY;
    c->room_count = 0;
}

/* Catches up, and its client has all of it: what it was told that it missed it
 * is not told again. What leaves a log behind RESUMED is the front's to notice
 * (hub.h), so nothing does. */
static void
finish(struct client *c)
{
    for (unsigned i = 0; c->state != CLIENT_HERE; i++) {
        ck_assert_uint_lt(i, 1000);
        clients_pump_all();
    }
    read_some(c, SIZE_MAX);
    ack_some(c, SIZE_MAX);
    if (c->cursor < c->caught_up) {
        c->cursor = c->caught_up;
        c->want_behind_cursor = c->want_caught_up;
    }
}

/* Some of what it missed is counted with each question. */
static void
ask(struct client *c)
{
    c->asks_again = false;
    now.mono_ms++;
    apply((struct command){.kind = COMMAND_RESUME,
                           .token = c->token,
                           .secret = next_secret()},
          c);
    if (clients_weather->is_slow)
        return;
    clients_pump_all();
    if (c->state != CLIENT_ASKS)
        finish(c);
}

static void
resume(struct client *c)
{
    c->conn = next_conn();
    c->state = CLIENT_ASKS;
    ask(c);
}

/* ---- a run --------------------------------------------------------------- */

static void
step(void)
{
    struct client *const c = &clients[draw(CLIENTS)];
    const uint32_t what = draw(20);

    now.wall_ms += draw(100);
    now.mono_ms += draw(100);
    if (c->state == CLIENT_AWAY) {
        if (draw(8) == 0)
            resume(c);
    } else if (c->state == CLIENT_ASKS) {
        if (c->asks_again)
            ask(c);
    } else if (what == 0 || (c->state == CLIENT_BACK && what < 8)) {
        lose(c);
    } else if (what < 4) {
        read_some(c, draw(100));
    } else if (what < 6) {
        ack_some(c, draw(100));
    } else if (c->state == CLIENT_HERE) {
        talk(c);
    }
    if (draw(100) == 0)
        announce();
    /* Not more is on its way than a log keeps: command.h. */
    for (unsigned w = 0; w < WORKERS; w++)
        clients_pump(w, clients_on_the_way(w) > 12 ? SIZE_MAX : draw(2));
    clients_pump(WORKERS, SIZE_MAX);
}

static void
start(void)
{
    struct hub_conf conf = {.workers = WORKERS, .counted_per_ms = 5};

    chat_conf_init(&conf.chat);
    conf.chat.session_linger = 604800000;
    conf.chat.history_room_events = 0;
    conf.chat.history_keep_events = clients_weather->keep_events;
    conf.chat.session_direct_events = clients_weather->direct_events;
    ck_assert_int_eq(hub_create(&conf, &hub), 0);
    ck_assert_int_eq(hub_create(&conf, &twin), 0);
    now = (struct hub_now){.wall_ms = 1000, .mono_ms = 1000};
    memset(clients, 0, sizeof(clients));
    clients_seen = (struct clients_seen){.losses = 0};
    for (size_t i = 0; i < CLIENTS; i++)
        attach(&clients[i]);
}

/* All come back and read to the end: what they have is what they were to. */
static void
check_end(struct client *c)
{
    size_t at = 0;

    if (c->state == CLIENT_AWAY)
        resume(c);
    for (unsigned i = 0; i < 1000 && c->state != CLIENT_HERE; i++) {
        clients_pump_all();
        if (c->asks_again)
            ask(c);
    }
    ck_assert_int_eq(c->state, CLIENT_HERE);
    clients_pump_all();
    read_some(c, SIZE_MAX);
    for (size_t i = 0; i < c->has.count; i++)
        at = view_find(c, at, c->has.keys[i]) + 1;
    if (clients_weather->is_slow)
        ck_assert_uint_eq(c->has.count, c->want.count);
}

static void
run(const struct weather *w, uint64_t number)
{
    seed = number * UINT64_C(0x9E3779B97F4A7C15);
    clients_weather = w;
    start();
    for (unsigned i = 0; i < w->steps; i++) {
        step();
        if (i % 64 == 0)
            hub_check(hub);
    }
    clients_pump_all();
    for (size_t i = 0; i < CLIENTS; i++)
        check_end(&clients[i]);
    for (unsigned i = 0; i <= WORKERS; i++)
        clients_pump(i, SIZE_MAX);
    for (size_t i = 0; i < CLIENTS; i++) {
        forget_sent(&clients[i]);
        free(clients[i].sent);
        view_clear(&clients[i].has);
        view_clear(&clients[i].want);
    }
    hub_destroy(hub);
    hub_destroy(twin);
    ck_assert_uint_eq(event_live(), 0);
    ck_assert_uint_gt(clients_seen.losses, w->steps / 200);
    ck_assert_uint_gt(clients_seen.to_come, w->steps / 20);
    ck_assert_uint_gt(clients_seen.asked_again, w->steps / 200);
}

#ifndef RUNS
#define RUNS 12u
#endif

START_TEST(who_comes_back_has_all_that_was_to_be_seen)
{
    const struct weather calm = {
        .steps = 6000,
        .is_slow = true,
        .renames = true,
        .keep_events = 100000,
        .direct_events = 100000,
    };

    uint64_t in_catch_up = 0;

    for (uint64_t i = 1; i <= RUNS; i++) {
        run(&calm, i);
        ck_assert_uint_eq(clients_seen.missed, 0);
        in_catch_up += clients_seen.losses_in_catch_up;
    }
    ck_assert_uint_gt(in_catch_up, 5 * RUNS);
}
END_TEST

START_TEST(what_was_sent_from_a_room_left_since_is_all_that_is_missed)
{
    const struct weather parting = {
        .steps = 6000,
        .parts = true,
        .renames = true,
        .keep_events = 100000,
        .direct_events = 100000,
    };
    uint64_t missed = 0;

    for (uint64_t i = 1; i <= RUNS; i++) {
        run(&parting, 100 + i);
        missed += clients_seen.missed;
    }
    ck_assert_uint_gt(missed, 0);
}
END_TEST

START_TEST(what_the_logs_lost_is_counted_to_the_last)
{
    const struct weather rough = {
        .steps = 6000,
        .keep_events = 20,
        .direct_events = 20,
    };

    uint64_t missed = 0;

    for (uint64_t i = 1; i <= RUNS; i++) {
        run(&rough, 200 + i);
        missed += clients_seen.missed;
    }
    ck_assert_uint_gt(missed, 20 * RUNS);
}
END_TEST

UNIT_MAIN("chat/hub_clients", who_comes_back_has_all_that_was_to_be_seen,
          what_was_sent_from_a_room_left_since_is_all_that_is_missed,
          what_the_logs_lost_is_counted_to_the_last)
