/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_user - users: how they are found, come and are called.
 *
 * A user has exactly one session; both come with ATTACH and go together.
 */
#include <stdlib.h>

#include "base/assert.h"
#include "chat/hub_priv.h"

/* Names of the server itself, and the words its notices begin with
 * (tests/lint/notices.sh): on the line protocol `/me` makes "* NICK text", and
 * nobody shall be able to write "* The server is stopping." */
static const char *const reserved_keys[] = {
    "an",        "earlier",  "goodbye", "in",     "klatch",
    "klatchctl", "klatchd",  "no",      "nobody", "nothing",
    "numbers",   "operator", "please",  "server", "that",
    "the",       "there",    "this",    "to",     "topic",
    "welcome",   "what",     "you",     "your",   "[private]",
};

static bool
is_reserved(const struct name *name)
{
    const struct slice key = slice_make(name->key, name->key_len);

    for (size_t i = 0; i < ARRAY_LEN(reserved_keys); i++) {
        if (slice_equal(key, slice_of(reserved_keys[i])))
            return true;
    }
    return false;
}

/* ---- finding ------------------------------------------------------------- */

static uint64_t
key_hash(const struct hub *hub, const struct name *name)
{
    return hash_bytes(&hub->conf.key, name->key, name->key_len);
}

static bool
user_matches(const struct hash_link *link, const void *key)
{
    const struct user *const user =
        CONST_CONTAINER_OF(link, struct user, by_key);

    return slice_equal(label_key(user->nick), *(const struct slice *)key);
}

struct user *
user_find(const struct hub *hub, const struct name *name)
{
    const struct slice key = slice_make(name->key, name->key_len);
    struct hash_link *const link =
        hash_find(&hub->users_by_key, key_hash(hub, name), user_matches, &key);

    return link == NULL ? NULL : CONTAINER_OF(link, struct user, by_key);
}

enum refusal
user_refusal(enum name_verdict verdict)
{
    switch (verdict) {
    case NAME_OK:
        return REFUSAL_NONE;
    case NAME_EMPTY:
        return REFUSAL_NICK_EMPTY;
    case NAME_TOO_LONG:
        return REFUSAL_NICK_TOO_LONG;
    case NAME_BAD_CHAR:
    case NAME_NOT_UTF8:
        return REFUSAL_NICK_BAD_CHAR;
    case NAME_BAD_FIRST:
        return REFUSAL_NICK_BAD_FIRST;
    case NAME_NO_MEMORY:
        return REFUSAL_NO_MEMORY;
    }
    return REFUSAL_NICK_BAD_CHAR;
}

enum refusal
user_named(struct ask *a, struct user **out)
{
    struct name name;
    const enum name_verdict verdict = name_check_nick(a->c->name, &name);

    if (verdict == NAME_NO_MEMORY)
        return REFUSAL_NO_MEMORY;
    /* What cannot be a nickname is nobody's. */
    *out = verdict == NAME_OK ? user_find(a->hub, &name) : NULL;
    return *out == NULL ? REFUSAL_NO_SUCH_NICK : REFUSAL_NONE;
}

/* ---- coming -------------------------------------------------------------- */

/* May `user` (NULL: a new one) be called what the command says? */
static enum refusal
may_be_called(const struct ask *a, const struct user *user, struct name *name)
{
    const struct user *holder;
    enum refusal refusal;

    refusal = user_refusal(name_check_nick(a->c->name, name));
    if (refusal != REFUSAL_NONE)
        return refusal;
    if (is_reserved(name))
        return REFUSAL_NICK_RESERVED;
    holder = user_find(a->hub, name);
    if (holder == NULL || holder == user)
        return REFUSAL_NONE;
    return session_waits(holder->session) ? REFUSAL_NICK_WAITING
                                          : REFUSAL_NICK_TAKEN;
}

/* In the table of nicknames, without a session; NULL when memory is short. */
static struct user *
user_create(struct hub *hub, const struct name *name)
{
    struct user *const user = slab_get(&hub->users);

    if (user == NULL)
        return NULL;
    user->nick = label_create(name);
    if (user->nick == NULL)
        goto fail;
    if (hash_insert(&hub->users_by_key, &user->by_key, key_hash(hub, name)) < 0)
        goto fail;

    user->id = ++hub->last_user_id;
    list_init(&user->members);
    hub->census.users++;
    return user;

fail:
    free(user->nick);
    slab_put(&hub->users, user);
    return NULL;
}

static void
user_destroy(struct hub *hub, struct user *user)
{
    ASSERT(user->session == NULL && user->rooms == 0);

    hash_remove(&hub->users_by_key, &user->by_key);
    event_unref(user->away);
    free(user->nick);
    hub->census.users--;
    slab_put(&hub->users, user);
}

static enum refusal
attach(struct ask *a, struct user *user)
{
    struct session *const session = session_create(a, user);
    struct event draft = ask_draft(a, EVENT_ATTACHED);
    char token[TOKEN_TEXT_MAX];
    struct event *e;

    if (session == NULL)
        return REFUSAL_NO_MEMORY;
    draft.who = ask_who(user);
    draft.number = a->hub->census.users;
    draft.text = session_token(a->hub, session, token);
    e = event_create(&draft);
    if (e == NULL) {
        session_destroy(a->hub, session);
        return REFUSAL_NO_MEMORY;
    }

    emit_to_asker(a, e);
    event_unref(e);
    return REFUSAL_NONE;
}

enum refusal
user_on_attach(struct ask *a)
{
    struct user *user;
    struct name name;
    enum refusal refusal;

    if (session_of_conn(a->hub, a->c->from.conn) != NULL)
        return REFUSAL_ATTACHED_ALREADY;
    refusal = may_be_called(a, NULL, &name);
    if (refusal != REFUSAL_NONE)
        return refusal;
    user = user_create(a->hub, &name);
    if (user == NULL)
        return REFUSAL_NO_MEMORY;

    refusal = attach(a, user);
    if (refusal != REFUSAL_NONE)
        user_destroy(a->hub, user);
    return refusal;
}

/* ---- what concerns all rooms of a user ----------------------------------- */

struct event *
user_event(const struct user *user, struct event *draft)
{
    struct event_place *const places =
        calloc(user->rooms + (size_t)1, sizeof(*places));
    struct list_link *link;
    struct event *e;

    if (places == NULL)
        return NULL;
    list_for_each (link, &user->members) {
        const struct room *const room =
            CONTAINER_OF(link, struct member, in_user)->room;

        places[draft->count++] = (struct event_place){
            .room = room->id,
            .seq = event_is_logged(draft->kind) ? room->last_seq + 1 : 0,
        };
    }
    draft->u.places = places;
    e = event_create(draft);
    free(places);
    return e;
}

void
user_record(struct hub *hub, const struct user *user, struct event *e)
{
    struct list_link *link;

    list_for_each (link, &user->members)
        room_record(hub, CONTAINER_OF(link, struct member, in_user)->room, e);
}

static void
leave_all_rooms(struct hub *hub, struct user *user)
{
    struct list_link *link;

    while ((link = list_first(&user->members)) != NULL) {
        struct member *const m = CONTAINER_OF(link, struct member, in_user);
        struct room *const room = m->room;

        member_remove(hub, m);
        room_drop_if_empty(hub, room);
    }
}

void
user_end(struct hub *hub, struct user *user)
{
    leave_all_rooms(hub, user);
    session_destroy(hub, user->session);
    user_destroy(hub, user);
}

/* ---- being called, being away -------------------------------------------- */

static void
rename_user(struct hub *hub, struct user *user, struct label *nick,
            uint64_t hash)
{
    int rc;

    free(user->nick);
    user->nick = nick;
    hash_remove(&hub->users_by_key, &user->by_key);
    rc = hash_insert(&hub->users_by_key, &user->by_key, hash);
    ASSERT(rc == 0); /* the table has buckets: it just held this user */
}

enum refusal
user_on_nick(struct ask *a)
{
    struct event draft;
    struct event *e;
    struct label *nick;
    struct name name;
    enum refusal refusal;

    refusal = may_be_called(a, a->user, &name);
    if (refusal != REFUSAL_NONE)
        return refusal;
    if (slice_equal(slice_make(name.text, name.len), label_text(a->user->nick)))
        return REFUSAL_NICK_SAME;

    nick = label_create(&name);
    if (nick == NULL)
        return REFUSAL_NO_MEMORY;
    draft = ask_draft(a, EVENT_RENAMED);
    draft.who = ask_who(a->user);
    draft.name = label_text(nick);
    e = user_event(a->user, &draft);
    if (e == NULL) {
        free(nick);
        return REFUSAL_NO_MEMORY;
    }

    user_record(a->hub, a->user, e);
    emit_to_peers(a, a->user, e);
    rename_user(a->hub, a->user, nick, key_hash(a->hub, &name));
    event_unref(e);
    return REFUSAL_NONE;
}

static struct slice
away_text(const struct user *user)
{
    return user->away != NULL ? user->away->text : slice_make(NULL, 0);
}

/* Said once more: the asker is answered, the peers know already. */
static enum refusal
repeat_away(const struct ask *a, struct event *draft)
{
    struct event *const e = event_create(draft);

    if (e == NULL)
        return REFUSAL_NO_MEMORY;
    emit_to_asker(a, e);
    event_unref(e);
    return REFUSAL_NONE;
}

enum refusal
user_on_away(struct ask *a)
{
    struct event draft = ask_draft(a, EVENT_AWAY);
    struct event *e;

    draft.who = ask_who(a->user);
    draft.text = a->c->text;
    if (slice_equal(draft.text, away_text(a->user)))
        return repeat_away(a, &draft);
    e = user_event(a->user, &draft);
    if (e == NULL)
        return REFUSAL_NO_MEMORY;

    user_record(a->hub, a->user, e);
    emit_to_peers(a, a->user, e);
    event_unref(a->user->away);
    a->user->away = draft.text.len > 0 ? event_ref(e) : NULL;
    event_unref(e);
    return REFUSAL_NONE;
}
