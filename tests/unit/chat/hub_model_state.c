/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_model_state - looking at the model, and changing it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub_model_priv.h"

void *
model_must(void *memory)
{
    if (memory == NULL) {
        fputs("the model is out of memory\n", stderr);
        abort();
    }
    return memory;
}

struct slice
model_shown(const struct name *name)
{
    return slice_make(name->text, name->len);
}

static bool
same(const struct name *a, const struct name *b)
{
    return a->key_len == b->key_len && memcmp(a->key, b->key, a->key_len) == 0;
}

struct model_user *
model_user_called(const struct model *m, const struct name *name)
{
    for (size_t i = 0; i < m->user_count; i++) {
        if (same(&m->users[i]->nick, name))
            return m->users[i];
    }
    return NULL;
}

struct model_user *
model_user_on(const struct model *m, uint64_t conn)
{
    for (size_t i = 0; i < m->user_count; i++) {
        if (!m->users[i]->waits && m->users[i]->conn == conn)
            return m->users[i];
    }
    return NULL;
}

struct model_room *
model_room_called(const struct model *m, const struct name *name)
{
    for (size_t i = 0; i < m->room_count; i++) {
        if (same(&m->rooms[i]->name, name))
            return m->rooms[i];
    }
    return NULL;
}

bool
model_is_member(const struct model *m, const struct model_user *user,
                const struct model_room *room)
{
    for (size_t i = 0; i < m->member_count; i++) {
        if (m->members[i].user == user && m->members[i].room == room)
            return true;
    }
    return false;
}

size_t
model_members_of(const struct model *m, const struct model_room *room)
{
    size_t count = 0;

    for (size_t i = 0; i < m->member_count; i++)
        count += m->members[i].room == room;
    return count;
}

size_t
model_rooms_of(const struct model *m, const struct model_user *user)
{
    size_t count = 0;

    for (size_t i = 0; i < m->member_count; i++)
        count += m->members[i].user == user;
    return count;
}

bool
model_room_is_on(const struct model *m, const struct model_room *room,
                 unsigned worker)
{
    for (size_t i = 0; i < m->member_count; i++) {
        if (m->members[i].room == room && !m->members[i].user->waits &&
            m->members[i].user->conn >> 56 == worker)
            return true;
    }
    return false;
}

bool
model_peers_are_on(const struct model *m, const struct model_user *user,
                   unsigned worker)
{
    for (size_t i = 0; i < m->member_count; i++) {
        if (m->members[i].user == user &&
            model_room_is_on(m, m->members[i].room, worker))
            return true;
    }
    return !user->waits && user->conn >> 56 == worker;
}

struct model_room *
model_add_room(struct model *m, const struct name *name)
{
    struct model_room *const room = model_must(calloc(1, sizeof(*room)));

    if (m->room_count == MODEL_MAX)
        abort();
    room->name = *name;
    m->rooms[m->room_count++] = room;
    return room;
}

static void
drop_oldest(struct model_room *room)
{
    event_unref(room->log[0]);
    room->log_count--;
    memmove(room->log, room->log + 1, room->log_count * sizeof(*room->log));
    room->dropped++;
}

void
model_remove_room(struct model *m, size_t at)
{
    struct model_room *const room = m->rooms[at];

    while (room->log_count > 0)
        drop_oldest(room);
    event_unref(room->topic);
    free(room->log);
    free(room);
    m->room_count--;
    memmove(&m->rooms[at], &m->rooms[at + 1],
            (m->room_count - at) * sizeof(m->rooms[0]));
}

/* All rooms that nobody is in, but the first: the lobby. */
static void
remove_empty_rooms(struct model *m)
{
    for (size_t i = m->room_count; i-- > 1;) {
        if (model_members_of(m, m->rooms[i]) == 0)
            model_remove_room(m, i);
    }
}

void
model_add_member(struct model *m, struct model_user *user,
                 struct model_room *room)
{
    m->members = model_must(
        realloc(m->members, (m->member_count + 1) * sizeof(*m->members)));
    m->members[m->member_count++] = (struct model_member){user, room};
}

/* `room` NULL: from all. */
void
model_remove_member(struct model *m, struct model_user *user,
                    const struct model_room *room)
{
    size_t kept = 0;

    for (size_t i = 0; i < m->member_count; i++) {
        if (m->members[i].user != user ||
            (room != NULL && m->members[i].room != room))
            m->members[kept++] = m->members[i];
    }
    m->member_count = kept;
    model_forget_due(user, room);
    remove_empty_rooms(m);
}

void
model_remove_user(struct model *m, struct model_user *user)
{
    size_t at = 0;

    model_remove_member(m, user, NULL);
    while (m->users[at] != user)
        at++;
    m->user_count--;
    memmove(&m->users[at], &m->users[at + 1],
            (m->user_count - at) * sizeof(m->users[0]));
    event_unref(user->away);
    free(user->due);
    free(user);
}

size_t
model_log_bytes(const struct model_room *room)
{
    size_t bytes = 0;

    for (size_t i = 0; i < room->log_count; i++)
        bytes += event_bytes(room->log[i]);
    return bytes;
}

void
model_record(struct model *m, struct model_room *room, struct event *e)
{
    const struct chat_conf *const conf = &m->conf.chat;

    room->log = model_must(
        realloc(room->log, (room->log_count + 1) * sizeof(*room->log)));
    room->log[room->log_count++] = event_ref(e);
    room->seq++;
    for (size_t i = 0; i < m->member_count; i++) {
        if (m->members[i].room == room)
            model_owe(m, m->members[i].user, e, room);
    }
    while (room->log_count > 1 &&
           (room->log_count > conf->history_keep_events ||
            model_log_bytes(room) > conf->history_keep_bytes))
        drop_oldest(room);
}

void
model_record_everywhere(struct model *m, const struct model_user *user,
                        struct event *e)
{
    for (size_t i = 0; i < m->member_count; i++) {
        if (m->members[i].user == user)
            model_record(m, m->members[i].room, e);
    }
}
