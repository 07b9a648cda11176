/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_model_expect - what must be emitted, and which names may be meant.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "hub_model_priv.h"

struct event
model_draft(const struct model *m, enum event_kind kind)
{
    return (struct event){.kind = (uint8_t)kind, .wall_ms = m->wall_ms};
}

struct event_who
model_who_is(const struct model_user *user)
{
    return (struct event_who){
        .user = user->id,
        .session = user->session,
        .conn = user->conn,
        .nick = model_shown(&user->nick),
    };
}

struct event *
model_make(const struct event *draft)
{
    return model_must(event_create(draft));
}

/* With a place in each room of `user`. */
struct event *
model_make_everywhere(const struct model *m, const struct model_user *user,
                      struct event *draft)
{
    struct event_place *const places =
        model_must(calloc(m->member_count + 1, sizeof(*places)));
    const bool is_in_no_log =
        draft->kind == EVENT_LOST || draft->kind == EVENT_RETURNED;
    struct event *e;

    draft->count = 0;
    for (size_t i = 0; i < m->member_count; i++) {
        struct model_room *const room = m->members[i].room;

        if (m->members[i].user == user)
            places[draft->count++] = (struct event_place){
                room->id, is_in_no_log ? 0 : room->seq + 1};
    }
    draft->u.places = places;
    e = model_make(draft);
    free(places);
    return e;
}

struct expected *
expect_on_worker(struct model *m, unsigned worker, struct event *e,
                 enum route route)
{
    struct expected *x;

    if (m->expected_count == m->expected_size) {
        m->expected_size = m->expected_size == 0 ? 64 : m->expected_size * 2;
        m->expected = model_must(
            realloc(m->expected, m->expected_size * sizeof(*m->expected)));
    }
    x = &m->expected[m->expected_count++];
    *x = (struct expected){
        .worker = worker,
        .d = {.event = event_ref(e),
              .route = route,
              .request = m->c->from.request,
              .to = m->c->from.conn},
    };
    return x;
}

struct expected *
expect_on_conn(struct model *m, uint64_t conn, struct event *e)
{
    struct expected *const x =
        expect_on_worker(m, (unsigned)(conn >> 56), e, ROUTE_CONN);

    if (conn != m->c->from.conn)
        x->d.request = 0;
    x->d.to = conn;
    return x;
}

struct expected *
expect_answer(struct model *m, struct event *e)
{
    return expect_on_conn(m, m->c->from.conn, e);
}

/* Takes over `e`. */
struct expected *
expect_only_answer(struct model *m, struct event *e)
{
    struct expected *const x = expect_answer(m, e);

    event_unref(e);
    return x;
}

void
expect_in_room(struct model *m, struct model_room *room, struct event *e)
{
    for (unsigned w = 0; w <= m->conf.workers; w++) {
        if (model_room_is_on(m, room, w))
            expect_on_worker(m, w, e, ROUTE_ROOM)->room = room;
    }
}

void
expect_at_peers(struct model *m, const struct model_user *user, struct event *e)
{
    for (unsigned w = 0; w <= m->conf.workers; w++) {
        if (model_peers_are_on(m, user, w))
            expect_on_worker(m, w, e, ROUTE_PEERS);
    }
}

void
expect_refusal(struct model *m, enum refusal refusal, struct slice what)
{
    struct event draft = model_draft(m, EVENT_REFUSED);
    struct buf clean;

    buf_init(&clean);
    what.len = what.len > ROOM_BYTES_MAX ? ROOM_BYTES_MAX : what.len;
    utf8_clean(what, 0, &clean);
    draft.refusal = (uint8_t)refusal;
    draft.name = slice_make(clean.data, clean.len);
    (void)expect_only_answer(m, model_make(&draft));
    buf_fini(&clean);
}

enum refusal
model_nick_refusal(enum name_verdict verdict)
{
    static const enum refusal of[] = {
        [NAME_OK] = REFUSAL_NONE,
        [NAME_EMPTY] = REFUSAL_NICK_EMPTY,
        [NAME_TOO_LONG] = REFUSAL_NICK_TOO_LONG,
        [NAME_BAD_CHAR] = REFUSAL_NICK_BAD_CHAR,
        [NAME_BAD_FIRST] = REFUSAL_NICK_BAD_FIRST,
        [NAME_NOT_UTF8] = REFUSAL_NICK_BAD_CHAR,
        [NAME_NO_MEMORY] = REFUSAL_NO_MEMORY,
    };

    return of[verdict];
}

enum refusal
model_room_refusal(enum name_verdict verdict)
{
    static const enum refusal of[] = {
        [NAME_OK] = REFUSAL_NONE,
        [NAME_EMPTY] = REFUSAL_ROOM_EMPTY,
        [NAME_TOO_LONG] = REFUSAL_ROOM_TOO_LONG,
        [NAME_BAD_CHAR] = REFUSAL_ROOM_BAD_CHAR,
        [NAME_BAD_FIRST] = REFUSAL_ROOM_BAD_FIRST,
        [NAME_NOT_UTF8] = REFUSAL_ROOM_BAD_CHAR,
        [NAME_NO_MEMORY] = REFUSAL_NO_MEMORY,
    };

    return of[verdict];
}

static bool
is_servers_own(const struct name *name)
{
    static const char *const own[] = {
        "an",      "earlier", "goodbye", "in",      "klatch",  "klatchctl",
        "klatchd", "no",      "nobody",  "nothing", "numbers", "operator",
        "please",  "server",  "that",    "the",     "there",   "this",
        "to",      "topic",   "welcome", "what",    "you",     "your",
    };

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (name->key_len == strlen(own[i]) &&
            memcmp(name->key, own[i], name->key_len) == 0)
            return true;
    }
    return false;
}

enum refusal
model_may_take_nick(const struct model *m, const struct model_user *user,
                    struct name *name)
{
    const struct model_user *holder;

    enum refusal refusal =
        model_nick_refusal(name_check_nick(m->c->name, name));

    if (refusal != REFUSAL_NONE)
        return refusal;
    if (is_servers_own(name))
        return REFUSAL_NICK_RESERVED;
    holder = model_user_called(m, name);
    if (holder == NULL || holder == user)
        return REFUSAL_NONE;
    return holder->waits ? REFUSAL_NICK_WAITING : REFUSAL_NICK_TAKEN;
}

enum refusal
model_existing_room(const struct model *m, struct model_room **out)
{
    struct name name;
    const enum refusal refusal =
        model_room_refusal(name_check_room(m->c->name, &name));

    if (refusal != REFUSAL_NONE)
        return refusal;
    *out = model_room_called(m, &name);
    return *out == NULL ? REFUSAL_NO_SUCH_ROOM : REFUSAL_NONE;
}

enum refusal
model_own_room(const struct model *m, const struct model_user *user,
               struct model_room **out)
{
    const enum refusal refusal = model_existing_room(m, out);

    if (refusal != REFUSAL_NONE)
        return refusal;
    return model_is_member(m, user, *out) ? REFUSAL_NONE : REFUSAL_NOT_A_MEMBER;
}

enum refusal
model_existing_user(const struct model *m, struct model_user **out)
{
    struct name name;

    if (name_check_nick(m->c->name, &name) != NAME_OK)
        return REFUSAL_NO_SUCH_NICK;
    *out = model_user_called(m, &name);
    return *out == NULL ? REFUSAL_NO_SUCH_NICK : REFUSAL_NONE;
}
