/* SPDX-License-Identifier: BSD-2-Clause
 *
 * clients - see clients.h.
 */
#include "clients.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

const struct weather *clients_weather;
struct client clients[CLIENTS];
struct clients_seen clients_seen;
bool clients_is_full;

struct wire {
    struct delivery items[WIRE_MAX];
    size_t first;
    size_t end;
};

static struct wire wires[WORKERS + 1];

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

void
view_add(struct view *v, char *key)
{
    v->keys = realloc(v->keys, (v->count + 1) * sizeof(*v->keys));
    ck_assert_ptr_nonnull(v->keys);
    v->keys[v->count++] = key;
}

void
view_clear(struct view *v)
{
    while (v->count > 0)
        free(v->keys[--v->count]);
    free(v->keys);
    *v = (struct view){.count = 0};
}

size_t
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

uint64_t
clients_twin_conn(const struct client *c)
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
        const uint64_t conn = clients_twin_conn(c);

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
        if (clients_weather->is_slow)
            ck_assert_uint_eq(resumed->seq, 0);
        clients_seen.to_come += resumed->number;
        clients_seen.missed += resumed->seq;
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
        clients_is_full = d->event->refusal == REFUSAL_MAILBOX_FULL;
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

static void
caught_up(struct client *c, const struct event *e)
{
    if (!e->last) {
        clients_catch_up(c, e->number);
        return;
    }
    /* What was promised, and what went by since. */
    if (clients_weather->is_slow)
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
    if (e->kind == EVENT_REFUSED && e->refusal == REFUSAL_SESSION_BUSY) {
        clients_seen.asked_again++;
        c->asks_again = true;
    }
    if (e->kind == EVENT_RESUMED) {
        c->promised = e->number;
        c->passed_over = 0;
        c->state = CLIENT_BACK;
        clients_catch_up(c, e->id);
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

size_t
clients_on_the_way(unsigned worker)
{
    return wires[worker].end - wires[worker].first;
}

void
clients_pump(unsigned worker, size_t most)
{
    struct wire *const wire = &wires[worker];

    while (most-- > 0 && wire->first < wire->end) {
        const struct delivery d = wire->items[wire->first % WIRE_MAX];

        wire->first++;
        handle(&d, worker);
        event_unref(d.event);
    }
}

void
clients_pump_all(void)
{
    for (unsigned again = 0; again < 2 * WORKERS; again++)
        clients_pump(again % WORKERS, SIZE_MAX);
}

const struct hub_out clients_out = {.emit = on_emit};
const struct hub_out clients_twin_out = {.emit = on_twin_emit};
