/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_room - rooms, and who is in them.
 *
 * Life     A room is made by its first member and ends with its last; the
 *          lobby is made by hub_create() and ends with the hub.
 * Members  A member is in its room's list and in its user's, and is counted
 *          once in members_on of the worker that has the user's conn, if any.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/assert.h"
#include "chat/hub_priv.h"

/* ---- rooms --------------------------------------------------------------- */

static bool
room_matches(const struct hash_link *link, const void *key)
{
    const struct room *const room =
        CONST_CONTAINER_OF(link, struct room, by_key);

    return slice_equal(label_key(room->name), *(const struct slice *)key);
}

struct room *
room_find(const struct hub *hub, const struct name *name)
{
    const struct slice key = slice_make(name->key, name->key_len);
    const uint64_t hash = hash_bytes(&hub->conf.key, key.data, key.len);
    struct hash_link *const link =
        hash_find(&hub->rooms_by_key, hash, room_matches, &key);

    return link == NULL ? NULL : CONTAINER_OF(link, struct room, by_key);
}

/* What does not need the hub; NULL when memory is short. */
static struct room *
room_alloc(const struct hub *hub, const struct name *name)
{
    struct room *const room =
        calloc(1, sizeof(*room) + hub_worker_count(hub) * sizeof(uint32_t));

    if (room == NULL)
        return NULL;
    list_init(&room->members);
    room->name = label_create(name);
    if (room->name == NULL)
        goto fail;
    if (event_log_init(&room->log) < 0)
        goto fail;
    return room;

fail:
    free(room->name);
    free(room);
    return NULL;
}

static void
room_free(struct hub *hub, struct room *room)
{
    event_log_fini(&room->log, &hub->logged);
    event_unref(room->topic);
    free(room->name);
    free(room);
}

int
room_create(struct hub *hub, const struct name *name, uint64_t wall_ms,
            struct room **out)
{
    const uint64_t hash = hash_bytes(&hub->conf.key, name->key, name->key_len);
    struct room *const room = room_alloc(hub, name);

    if (room == NULL)
        return -ENOMEM;
    if (id_table_add(&hub->room_ids, room, &room->id) < 0)
        goto fail;
    if (hash_insert(&hub->rooms_by_key, &room->by_key, hash) < 0)
        goto fail_id;

    room->created_ms = wall_ms;
    list_push_back(&hub->rooms, &room->by_age);
    hub->census.rooms++;
    *out = room;
    return 0;

fail_id:
    id_table_remove(&hub->room_ids, room->id);
fail:
    room_free(hub, room);
    return -ENOMEM;
}

void
room_destroy(struct hub *hub, struct room *room)
{
    ASSERT(room->member_count == 0);

    hash_remove(&hub->rooms_by_key, &room->by_key);
    list_remove(&room->by_age);
    id_table_remove(&hub->room_ids, room->id);
    hub->census.rooms--;
    room_free(hub, room);
}

void
room_drop_if_empty(struct hub *hub, struct room *room)
{
    /* The oldest room is the lobby: it was there first and never ends. */
    if (room->member_count == 0 && list_first(&hub->rooms) != &room->by_age)
        room_destroy(hub, room);
}

void
room_record(struct hub *hub, struct room *room, struct event *e)
{
    const struct event_limits limits = {
        .events = hub->conf.chat.history_keep_events,
        .bytes = hub->conf.chat.history_keep_bytes,
    };

    room->last_seq++;
    event_log_push(&room->log, e, &limits, &hub->logged);
}

/* ---- members ------------------------------------------------------------- */

/* A walk, because a user is in few rooms, and a table of all memberships would
 * cost each of them more than it saves. */
struct member *
member_find(const struct user *user, const struct room *room)
{
    struct list_link *link;

    list_for_each (link, &user->members) {
        struct member *const m = CONTAINER_OF(link, struct member, in_user);

        if (m->room == room)
            return m;
    }
    return NULL;
}

struct member *
member_add(struct hub *hub, struct user *user, struct room *room)
{
    struct member *const m = slab_get(&hub->members);

    if (m == NULL)
        return NULL;

    m->user = user;
    m->room = room;
    list_push_back(&room->members, &m->in_room);
    list_push_back(&user->members, &m->in_user);
    user->rooms++;
    room->member_count++;
    session_count_room(user->session, room, +1);
    hub->census.members++;
    return m;
}

void
member_remove(struct hub *hub, struct member *m)
{
    struct room *const room = m->room;
    struct user *const user = m->user;

    list_remove(&m->in_room);
    list_remove(&m->in_user);
    user->rooms--;
    room->member_count--;
    session_count_room(user->session, room, -1);
    hub->census.members--;
    slab_put(&hub->members, m);
}

/* ---- commands ------------------------------------------------------------ */

static enum refusal
refusal_of_room(enum name_verdict verdict)
{
    switch (verdict) {
    case NAME_OK:
        return REFUSAL_NONE;
    case NAME_EMPTY:
        return REFUSAL_ROOM_EMPTY;
    case NAME_TOO_LONG:
        return REFUSAL_ROOM_TOO_LONG;
    case NAME_BAD_CHAR:
    case NAME_NOT_UTF8:
        return REFUSAL_ROOM_BAD_CHAR;
    case NAME_BAD_FIRST:
        return REFUSAL_ROOM_BAD_FIRST;
    case NAME_NO_MEMORY:
        return REFUSAL_NO_MEMORY;
    }
    return REFUSAL_ROOM_BAD_CHAR;
}

enum refusal
room_named(struct ask *a, struct room **out)
{
    struct name name;
    enum refusal refusal;

    refusal = refusal_of_room(name_check_room(a->c->name, &name));
    if (refusal != REFUSAL_NONE)
        return refusal;
    *out = room_find(a->hub, &name);
    return *out == NULL ? REFUSAL_NO_SUCH_ROOM : REFUSAL_NONE;
}

enum refusal
room_joined(struct ask *a, struct room **out)
{
    const enum refusal refusal = room_named(a, out);

    if (refusal != REFUSAL_NONE)
        return refusal;
    return member_find(a->user, *out) == NULL ? REFUSAL_NOT_A_MEMBER
                                              : REFUSAL_NONE;
}

static struct event *
joined_event(const struct ask *a, const struct room *room)
{
    struct event draft = ask_draft(a, EVENT_JOINED);

    draft.who = ask_who(a->user);
    draft.room = room->id;
    draft.seq = room->last_seq + 1;
    draft.name = label_text(room->name);
    return event_create(&draft);
}

/* How the joiner finds the room, after JOINED. */
static struct event *
room_event(const struct ask *a, const struct room *room)
{
    struct event draft = ask_draft(a, EVENT_ROOM);

    draft.room = room->id;
    draft.seq = room->last_seq + 1;
    draft.name = label_text(room->name);
    if (room->topic != NULL)
        draft.text = room->topic->text;
    draft.number = room->member_count;
    return event_create(&draft);
}

/* The asker is a member of `room` already; REFUSAL_NO_MEMORY: unannounced. */
static enum refusal
announce_join(const struct ask *a, struct member *m)
{
    struct room *const room = m->room;
    const uint64_t shown = a->hub->conf.chat.history_room_events;
    const uint64_t wanted = a->c->count < shown ? a->c->count : shown;
    enum refusal refusal = REFUSAL_NO_MEMORY;
    struct event *const joined = joined_event(a, room);
    struct event *const state = room_event(a, room);
    struct event *const history = list_history(a, room, wanted);

    if (joined == NULL || state == NULL || history == NULL)
        goto out;

    emit_to_room(a, room, joined);
    emit_to_asker(a, state);
    if (history->number > 0)
        list_replay(a, room, history);
    room_record(a->hub, room, joined); /* may push a line out of the log */
    m->joined = joined->id;
    refusal = REFUSAL_NONE;

out:
    event_unref(history);
    event_unref(state);
    event_unref(joined);
    return refusal;
}

static enum refusal
join_room(const struct ask *a, struct room *room)
{
    struct member *const m = member_add(a->hub, a->user, room);
    enum refusal refusal;

    if (m == NULL)
        return REFUSAL_NO_MEMORY;
    refusal = announce_join(a, m);
    if (refusal != REFUSAL_NONE)
        member_remove(a->hub, m);
    return refusal;
}

/* `room` is NULL when there is none yet. */
static enum refusal
may_join(const struct ask *a, const struct room *room)
{
    const struct chat_conf *const conf = &a->hub->conf.chat;

    if (room != NULL && member_find(a->user, room) != NULL)
        return REFUSAL_ALREADY_A_MEMBER;
    if (a->user->rooms >= conf->limits_rooms_per_user)
        return REFUSAL_TOO_MANY_ROOMS;
    if (room == NULL && a->hub->census.rooms >= conf->limits_rooms)
        return REFUSAL_SERVER_FULL;
    return REFUSAL_NONE;
}

enum refusal
room_on_join(struct ask *a)
{
    struct room *room = NULL;
    struct name name;
    enum refusal refusal;

    refusal = refusal_of_room(name_check_room(a->c->name, &name));
    if (refusal != REFUSAL_NONE)
        return refusal;
    room = room_find(a->hub, &name);
    refusal = may_join(a, room);
    if (refusal != REFUSAL_NONE)
        return refusal;
    if (room == NULL && room_create(a->hub, &name, a->now->wall_ms, &room) < 0)
        return REFUSAL_NO_MEMORY;

    refusal = join_room(a, room);
    if (refusal != REFUSAL_NONE)
        room_drop_if_empty(a->hub, room);
    return refusal;
}

enum refusal
room_on_part(struct ask *a)
{
    struct room *room;
    struct event draft;
    struct event *e;
    enum refusal refusal;

    refusal = room_joined(a, &room);
    if (refusal != REFUSAL_NONE)
        return refusal;
    draft = ask_draft(a, EVENT_PARTED);
    draft.who = ask_who(a->user);
    draft.room = room->id;
    draft.seq = room->last_seq + 1;
    draft.text = a->c->text;
    e = event_create(&draft);
    if (e == NULL)
        return REFUSAL_NO_MEMORY;

    room_record(a->hub, room, e);
    emit_to_room(a, room, e); /* the leaver is told too */
    event_unref(e);
    member_remove(a->hub, member_find(a->user, room));
    room_drop_if_empty(a->hub, room);
    return REFUSAL_NONE;
}
