/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Nothing said is lost: the hub with clients that lose their conns, beside a
 * twin of it whose clients never do.
 *
 * Shape    Both hubs get the same commands; the first also the losses, returns
 *          and catch-ups. What a client of the twin is shown is what it was to
 *          see. In between stands a simulated front: deliveries reach it late;
 *          it fans out to clients by the rooms it knows them in, sends what is
 *          kept and shown, and knows of each client up to where it has acknow-
 *          ledged. A client reads some of what was sent; at a loss, the rest of
 *          it is gone. It throws away what it has had, by its id.
 * Holds    At each RESUMED: what is to come and what was missed are together
 *          what the twin's client saw behind the cursor. What a client reads is
 *          what its twin read, in that order and once, less what was missed.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "chat/hub.h"
#include "support/unit.h"

enum {
    WORKERS = 2,
    CLIENTS = 6,
    ROOMS = 3,
    WIRE_MAX = 4096,
    CHUNK = 3,
};

/* What happens in a run. */
struct weather {
    unsigned steps;
    bool is_slow; /* losses come while a client catches up, too; nothing is
                      missed then */
    bool parts;   /* rooms are left, and entered again */
    bool renames; /* NICK and AWAY, which concern several rooms */
    uint64_t keep_events;
    uint64_t direct_events;
};

static const struct weather *weather;

/* An event by all that a client sees of it. */
struct view {
    char **keys;
    size_t count;
};

struct sent {
    char *key;
    uint64_t id;
};

enum client_state {
    CLIENT_AWAY,
    CLIENT_ASKS, /* RESUME was sent */
    CLIENT_BACK, /* and answered; it is not caught up */
    CLIENT_HERE,
};

struct client {
    enum client_state state;
    char nick[16];
    bool echoes;
    uint64_t conn;
    session_id session;
    struct token token;
    room_id rooms[ROOMS]; /* as the front knows them */
    size_t room_count;
    /* sent on this conn */
    struct sent *sent;
    size_t sent_count;
    size_t read;  /* of them, by the client */
    size_t acked; /* of them, as the front knows */
    uint64_t cursor;
    uint64_t passed_over; /* while catching up */
    uint64_t promised;
    uint64_t caught_up; /* it has been sent all up to this id */
    /* over all conns */
    uint64_t last_read_id;
    struct view has;
    /* of the twin */
    session_id twin_session;
    room_id twin_rooms[ROOMS];
    size_t twin_room_count;
    struct view want;
    size_t want_behind_cursor; /* first in `want` behind the cursor */
    size_t want_caught_up;     /* likewise */
};

struct wire {
    struct delivery items[WIRE_MAX];
    size_t first;
    size_t end;
};

static struct hub *hub, *twin;
static struct client clients[CLIENTS];
static struct wire wires[WORKERS + 1];
static struct hub_now now;
static uint64_t seed;
static uint64_t last_conn;
static uint64_t secrets;
static uint64_t texts;
static bool is_full; /* the last command was refused as MAILBOX_FULL */

static struct {
    uint64_t losses;
    uint64_t losses_in_catch_up;
    uint64_t to_come;
    uint64_t missed;
} seen;

static uint32_t
draw(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((seed >> 33) % n);
}

/* ---- views --------------------------------------------------------------- */

static char *
key_of(const struct event *e)
{
    struct buf key;

    buf_init(&key);
    buf_printf(&key, "%s %.*s %.*s %.*s %llu",
               event_name((enum event_kind)e->kind), SLICE_ARG(e->who.nick),
               SLICE_ARG(e->name), SLICE_ARG(e->text),
               (unsigned long long)e->seq);
    if (e->kind == EVENT_RENAMED || e->kind == EVENT_AWAY ||
        e->kind == EVENT_QUIT) {
        for (uint32_t i = 0; i < e->count; i++)
            buf_printf(&key, ",%llu", (unsigned long long)e->u.places[i].seq);
    }
    buf_append_char(&key, '\0');
    ck_assert(!key.failed);
    return key.data;
}

static void
view_add(struct view *v, char *key)
{
    v->keys = realloc(v->keys, (v->count + 1) * sizeof(*v->keys));
    ck_assert_ptr_nonnull(v->keys);
    v->keys[v->count++] = key;
}

static void
view_clear(struct view *v)
{
    while (v->count > 0)
        free(v->keys[--v->count]);
    free(v->keys);
    *v = (struct view){.count = 0};
}

/* Where `key` is, at or behind `from`. */
static size_t
view_find(const struct client *c, size_t from, const char *key)
{
    for (size_t i = from; i < c->want.count; i++) {
        if (strcmp(c->want.keys[i], key) == 0)
            return i;
    }
    ck_abort_msg("%s was not to see, here and now: %s", c->nick, key);
}

/* ---- fan-out, for both --------------------------------------------------- */

static bool
is_in(const room_id *rooms, size_t count, room_id room)
{
    for (size_t i = 0; i < count; i++) {
        if (rooms[i] == room)
            return true;
    }
    return false;
}

static bool
is_for(const struct delivery *d, uint64_t conn, const room_id *rooms,
       size_t count)
{
    switch (d->route) {
    case ROUTE_CONN:
        return d->to == conn;
    case ROUTE_ROOM:
        return is_in(rooms, count, d->event->room);
    case ROUTE_PEERS:
        for (uint32_t i = 0; i < d->event->count; i++) {
            if (is_in(rooms, count, d->event->u.places[i].room))
                return true;
        }
        return d->event->who.conn == conn;
    case ROUTE_ALL:
        return true;
    }
    return false;
}

static bool
is_sent(const struct delivery *d, session_id session, bool echoes)
{
    return d->replay != REPLAY_HISTORY &&
           event_is_kept((enum event_kind)d->event->kind) &&
           event_is_shown(d->event, d->event->who.session == session, echoes);
}

static void
learn_rooms(const struct event *e, session_id session, room_id *rooms,
            size_t *count)
{
    const bool is_own = e->who.session == session;

    if ((e->kind == EVENT_JOINED && is_own) || e->kind == EVENT_REJOINED) {
        ck_assert_uint_lt(*count, ROOMS);
        rooms[(*count)++] = e->room;
    }
    if (e->kind != EVENT_PARTED || !is_own)
        return;
    for (size_t i = 0; i < *count; i++) {
        if (rooms[i] == e->room)
            rooms[i] = rooms[--*count];
    }
}

/* ---- the twin ------------------------------------------------------------ */

static uint64_t
twin_conn(const struct client *c)
{
    const uint64_t number = (uint64_t)(c - clients);

    return (number % WORKERS) << 56 | (number + 1);
}

/* A worker's fan-out comes from one delivery, though each worker has one. */
static void
on_twin_emit(void *arg, unsigned worker, const struct delivery *d)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        struct client *const c = &clients[i];
        const uint64_t conn = twin_conn(c);

        if (d->event->kind == EVENT_ATTACHED && d->to == conn)
            c->twin_session = d->event->who.session;
        if (c->twin_session == 0 || origin_worker(conn) != worker)
            continue;
        if (d->event->who.session == c->twin_session && d->route != ROUTE_CONN)
            learn_rooms(d->event, c->twin_session, c->twin_rooms,
                        &c->twin_room_count);
        if (is_for(d, conn, c->twin_rooms, c->twin_room_count) &&
            is_sent(d, c->twin_session, c->echoes))
            view_add(&c->want, key_of(d->event));
    }
}

/* ---- the front ----------------------------------------------------------- */

/* RESUMED as it leaves the hub: the promise is judged at once. */
static void
judge(const struct event *resumed)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        struct client *const c = &clients[i];

        if (c->session != resumed->who.session)
            continue;
        ck_assert_uint_eq(resumed->id, c->cursor);
        ck_assert_uint_eq(resumed->number + resumed->seq,
                          c->want.count - c->want_behind_cursor);
        if (weather->is_slow)
            ck_assert_uint_eq(resumed->seq, 0);
        seen.to_come += resumed->number;
        seen.missed += resumed->seq;
    }
}

static void
note_caught_up(uint64_t conn)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        if (clients[i].conn == conn)
            clients[i].want_caught_up = clients[i].want.count;
    }
}

static void
on_emit(void *arg, unsigned worker, const struct delivery *d)
{
    struct wire *const wire = &wires[worker];

    if (d->event->kind == EVENT_RESUMED)
        judge(d->event);
    if (d->event->kind == EVENT_CAUGHT_UP)
        note_caught_up(d->to);
    if (d->event->kind == EVENT_REFUSED)
        is_full = d->event->refusal == REFUSAL_MAILBOX_FULL;
    ck_assert_uint_lt(wire->end - wire->first, WIRE_MAX);
    wire->items[wire->end % WIRE_MAX] = *d;
    (void)event_ref(d->event);
    wire->end++;
}

static void
send_event(struct client *c, const struct event *e)
{
    c->sent = realloc(c->sent, (c->sent_count + 1) * sizeof(*c->sent));
    ck_assert_ptr_nonnull(c->sent);
    c->sent[c->sent_count++] = (struct sent){key_of(e), e->id};
}

static void catch_up(struct client *c, uint64_t cursor);

static void
caught_up(struct client *c, const struct event *e)
{
    if (!e->last) {
        catch_up(c, e->number);
        return;
    }
    /* What was promised, and what went by since. */
    if (weather->is_slow)
        ck_assert_uint_eq(c->sent_count, c->promised + c->passed_over);
    c->caught_up = e->number;
    c->state = CLIENT_HERE;
}

static void
answer(struct client *c, const struct event *e)
{
    if (e->kind == EVENT_ATTACHED || e->kind == EVENT_RESUMED) {
        c->session = e->who.session;
        ck_assert(token_parse(e->text, &c->token));
    }
    if (e->kind == EVENT_RESUMED) {
        c->promised = e->number;
        c->passed_over = 0;
        c->state = CLIENT_BACK;
        catch_up(c, e->id);
    }
    if (e->kind == EVENT_CAUGHT_UP)
        caught_up(c, e);
}

/* While it catches up, what happens comes with the rest: nothing is sent. */
static void
deliver(struct client *c, const struct delivery *d)
{
    if (!is_for(d, c->conn, c->rooms, c->room_count) ||
        !is_sent(d, c->session, c->echoes))
        return;
    if (c->state == CLIENT_HERE || d->replay == REPLAY_MISSED)
        send_event(c, d->event);
    else
        c->passed_over++;
}

static void
handle(const struct delivery *d, unsigned worker)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        struct client *const c = &clients[i];

        if (c->state == CLIENT_AWAY || origin_worker(c->conn) != worker)
            continue;
        if (d->route == ROUTE_CONN && d->to == c->conn)
            answer(c, d->event);
        if (c->state == CLIENT_ASKS)
            continue; /* of before its time */
        if (d->event->kind == EVENT_REJOINED ? d->to == c->conn
                                             : d->route != ROUTE_CONN)
            learn_rooms(d->event, c->session, c->rooms, &c->room_count);
        deliver(c, d);
    }
}

static void
pump(unsigned worker, size_t most)
{
    struct wire *const wire = &wires[worker];

    while (most-- > 0 && wire->first < wire->end) {
        const struct delivery d = wire->items[wire->first % WIRE_MAX];

        wire->first++;
        handle(&d, worker);
        event_unref(d.event);
    }
}

static void
pump_all(void)
{
    for (unsigned again = 0; again < 2 * WORKERS; again++)
        pump(again % WORKERS, SIZE_MAX);
}

/* ---- commands ------------------------------------------------------------ */

static void
apply(struct command c, const struct client *from)
{
    const struct hub_out out = {.emit = on_emit};

    is_full = false;
    c.from.conn = from != NULL ? from->conn : (uint64_t)WORKERS << 56 | 1;
    c.session = from != NULL ? from->session : 0;
    hub_apply(hub, &c, &now, &out);
}

/* To the twin, too, but for what the mailbox of one who waits refused. */
static void
apply_both(struct command c, const struct client *from)
{
    const struct hub_out out = {.emit = on_twin_emit};

    apply(c, from);
    if (is_full)
        return;
    c.from.conn = from != NULL ? twin_conn(from) : (uint64_t)WORKERS << 56 | 1;
    c.session = from != NULL ? from->twin_session : 0;
    hub_apply(twin, &c, &now, &out);
}

static void
catch_up(struct client *c, uint64_t cursor)
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
    pump_all();
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

    if ((kind == COMMAND_PART && !weather->parts) ||
        ((kind == COMMAND_NICK || kind == COMMAND_AWAY) && !weather->renames))
        return;
    snprintf(text, sizeof(text), "text %llu", (unsigned long long)++texts);
    snprintf(nick, sizeof(nick), "n%u", draw(2 * CLIENTS));
    command.text = slice_of(text);
    command.name = kind == COMMAND_TELL || kind == COMMAND_NICK ? slice_of(nick)
                                                                : draw_room();
    if (kind == COMMAND_PART)
        pump_all(); /* nothing of the room is on its way: command.h */
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

    seen.losses++;
    seen.losses_in_catch_up += c->state == CLIENT_BACK;
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
        pump_all();
    }
    read_some(c, SIZE_MAX);
    ack_some(c, SIZE_MAX);
    if (c->cursor < c->caught_up) {
        c->cursor = c->caught_up;
        c->want_behind_cursor = c->want_caught_up;
    }
}

static void
resume(struct client *c)
{
    c->conn = next_conn();
    c->state = CLIENT_ASKS;
    apply((struct command){.kind = COMMAND_RESUME,
                           .token = c->token,
                           .secret = next_secret()},
          c);
    if (!weather->is_slow)
        finish(c);
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
        /* it waits for the answer */
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
        pump(w, wires[w].end - wires[w].first > 12 ? SIZE_MAX : draw(2));
    pump(WORKERS, SIZE_MAX);
}

static void
start(void)
{
    struct hub_conf conf = {.workers = WORKERS};

    chat_conf_init(&conf.chat);
    conf.chat.session_linger = 604800000;
    conf.chat.history_room_events = 0;
    conf.chat.history_keep_events = weather->keep_events;
    conf.chat.session_direct_events = weather->direct_events;
    ck_assert_int_eq(hub_create(&conf, &hub), 0);
    ck_assert_int_eq(hub_create(&conf, &twin), 0);
    now = (struct hub_now){.wall_ms = 1000, .mono_ms = 1000};
    memset(clients, 0, sizeof(clients));
    memset(&seen, 0, sizeof(seen));
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
    for (unsigned i = 0; i < 1000 && c->state != CLIENT_HERE; i++)
        pump_all();
    ck_assert_int_eq(c->state, CLIENT_HERE);
    pump_all();
    read_some(c, SIZE_MAX);
    for (size_t i = 0; i < c->has.count; i++)
        at = view_find(c, at, c->has.keys[i]) + 1;
    if (weather->is_slow)
        ck_assert_uint_eq(c->has.count, c->want.count);
}

static void
run(const struct weather *w, uint64_t number)
{
    seed = number * UINT64_C(0x9E3779B97F4A7C15);
    weather = w;
    start();
    for (unsigned i = 0; i < w->steps; i++) {
        step();
        if (i % 64 == 0)
            hub_check(hub);
    }
    pump_all();
    for (size_t i = 0; i < CLIENTS; i++)
        check_end(&clients[i]);
    for (unsigned i = 0; i <= WORKERS; i++)
        pump(i, SIZE_MAX);
    for (size_t i = 0; i < CLIENTS; i++) {
        forget_sent(&clients[i]);
        free(clients[i].sent);
        view_clear(&clients[i].has);
        view_clear(&clients[i].want);
    }
    hub_destroy(hub);
    hub_destroy(twin);
    ck_assert_uint_eq(event_live(), 0);
    ck_assert_uint_gt(seen.losses, w->steps / 200);
    ck_assert_uint_gt(seen.to_come, w->steps / 20);
}

enum {
    RUNS = 12,
};

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
        ck_assert_uint_eq(seen.missed, 0);
        in_catch_up += seen.losses_in_catch_up;
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
        missed += seen.missed;
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

    for (uint64_t i = 1; i <= RUNS; i++) {
        run(&rough, 200 + i);
        ck_assert_uint_gt(seen.missed, 20);
    }
}
END_TEST

UNIT_MAIN("chat/hub_clients", who_comes_back_has_all_that_was_to_be_seen,
          what_was_sent_from_a_room_left_since_is_all_that_is_missed,
          what_the_logs_lost_is_counted_to_the_last)
