/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_check - what hub.h promises, asserted over the whole hub. The numbers
 * are those of hub.h.
 */
#include <stdlib.h>

#include "base/assert.h"
#include "chat/hub_priv.h"

static const struct member *
member_in_user(const struct list_link *link)
{
    return CONST_CONTAINER_OF(link, struct member, in_user);
}

static const struct member *
member_in_room(const struct list_link *link)
{
    return CONST_CONTAINER_OF(link, struct member, in_room);
}

static struct name
name_of(const struct label *l)
{
    struct name name;

    ASSERT(name_check_room(label_text(l), &name) == NAME_OK ||
           name_check_nick(label_text(l), &name) == NAME_OK);
    ASSERT(slice_equal(label_key(l), slice_make(name.key, name.key_len)));
    return name;
}

/* 8: one of those that are in no room's log. */
static void
check_kept(const struct event_log *log, enum event_kind kind)
{
    uint64_t last_id = 0;
    uint64_t bytes = 0;

    for (uint64_t at = log->first; at < log->end; at++) {
        const struct event *const e = event_log_at(log, at)->event;

        ASSERT(e->kind == kind && e->id > last_id);
        last_id = e->id;
        bytes += event_bytes(e);
    }
    ASSERT(bytes == log->bytes);
}

/* 7: it has a conn and is found by it, or it waits. */
static void
check_session(const struct hub *hub, const struct session *session)
{
    ASSERT(id_table_find(&hub->session_ids, session->id) == session);
    if (session->mail != NULL)
        check_kept(session->mail, EVENT_TOLD);
    if (session_waits(session)) {
        ASSERT(session->wait != NULL && session->wait->session == session);
        ASSERT(list_is_linked(&session->wait->by_age));
        ASSERT(session->is_resumable);
    } else {
        ASSERT(session_of_conn(hub, session->conn) == session);
        ASSERT(session->wait == NULL || session->wait->is_resumed);
        ASSERT(session_find(hub, session->id, session->conn) == session);
    }
}

/* 1: found under its nickname and no other, until its session ends. */
static void
check_user(const struct hub *hub, const struct user *user)
{
    const struct name name = name_of(user->nick);
    const struct list_link *link;
    uint32_t rooms = 0;

    ASSERT(user_find(hub, &name) == user);
    ASSERT(user->session != NULL && user->session->user == user);
    check_session(hub, user->session);
    list_for_each (link, &user->members) {
        ASSERT(member_in_user(link)->user == user);
        rooms++;
    }
    ASSERT(rooms == user->rooms);
}

static uint64_t
check_users(const struct hub *hub)
{
    struct hash_link *link;
    uint64_t members = 0;
    uint64_t users = 0;
    size_t at;

    hash_for_each (link, at, &hub->users_by_key) {
        const struct user *const user = CONTAINER_OF(link, struct user, by_key);

        check_user(hub, user);
        members += user->rooms;
        users++;
    }
    ASSERT(users == hub->census.users);
    ASSERT(users == hub->census.sessions);
    ASSERT(users == hub->session_ids.used);
    ASSERT(users == hub->sessions_by_conn.used + hub->census.waiting);
    return members;
}

static uint64_t
seq_in(const struct room *room, const struct event *e)
{
    if (e->room == room->id)
        return e->seq;
    for (uint32_t i = 0; i < e->count; i++) {
        if (e->u.places[i].room == room->id)
            return e->u.places[i].seq;
    }
    return 0;
}

/* 3, 8: the log ends with the last seq and has no gap; ids grow. */
static void
check_log(const struct room *room)
{
    const struct event_log *const log = &room->log;
    uint64_t seq = room->last_seq - (log->end - log->first);
    uint64_t bytes = 0;
    uint64_t newest_said = 0;
    uint32_t said = 0;

    for (uint64_t at = log->first; at < log->end; at++) {
        const struct log_entry *const entry = event_log_at(log, at);

        ASSERT(event_is_logged(entry->event->kind));
        ASSERT(seq_in(room, entry->event) == ++seq);
        ASSERT(at == log->first ||
               event_log_at(log, at - 1)->event->id < entry->event->id);
        bytes += event_bytes(entry->event);
        if (entry->event->kind != EVENT_SAID)
            continue;
        ASSERT(said == 0 || at - entry->to_older_said == newest_said);
        ASSERT(said == 0 ||
               newest_said + event_log_at(log, newest_said)->to_newer_said ==
                   at);
        newest_said = at;
        said++;
    }
    ASSERT(seq == room->last_seq);
    ASSERT(bytes == log->bytes);
    ASSERT(said == log->said);
    ASSERT(said == 0 || newest_said == log->newest_said);
}

/* 4: the counts by which workers are chosen are those of the members. */
static void
check_members(const struct hub *hub, const struct room *room)
{
    uint32_t on[HUB_WORKERS_MAX + 1] = {0};
    const struct list_link *link;
    uint64_t members = 0;

    list_for_each (link, &room->members) {
        const struct member *const m = member_in_room(link);

        ASSERT(m->room == room);
        ASSERT(member_find(m->user, room) == m);
        if (!session_waits(m->user->session))
            on[origin_worker(m->user->session->conn)]++;
        members++;
    }
    ASSERT(members == room->member_count);
    for (unsigned w = 0; w < hub_worker_count(hub); w++)
        ASSERT(on[w] == room->members_on[w]);
}

/* 2: somebody is in it, or it is the lobby. */
static void
check_room(const struct hub *hub, const struct room *room)
{
    const struct name name = name_of(room->name);

    ASSERT(room_find(hub, &name) == room);
    ASSERT(id_table_find(&hub->room_ids, room->id) == room);
    ASSERT(room->member_count > 0 ||
           slice_equal(label_text(room->name), slice_of(HUB_LOBBY)));
    check_members(hub, room);
    check_log(room);
}

/* 7: those that wait stand in the order in which they were lost. */
static void
check_waiting(const struct hub *hub)
{
    const struct list_link *link;
    uint64_t waiting = 0;
    uint64_t before = 0;

    list_for_each (link, &hub->waiting) {
        const struct wait *const w =
            CONST_CONTAINER_OF(link, struct wait, by_age);

        ASSERT(w->session->wait == w);
        ASSERT(w->lost_mono_ms >= before);
        before = w->lost_mono_ms;
        waiting++;
    }
    ASSERT(waiting == hub->census.waiting);
}

/* What is kept is what is counted, and workers are chosen by true numbers. */
static void
check_sessions(const struct hub *hub)
{
    uint32_t on[HUB_WORKERS_MAX + 1] = {0};
    struct event_tally kept = {
        .events = event_log_used(&hub->announced),
        .bytes = hub->announced.bytes,
    };

    for (uint32_t slot = 0; slot < hub->session_ids.size; slot++) {
        const struct session *const session =
            id_table_at(&hub->session_ids, slot);

        if (session == NULL)
            continue;
        if (!session_waits(session))
            on[origin_worker(session->conn)]++;
        if (session->mail != NULL) {
            kept.events += event_log_used(session->mail);
            kept.bytes += session->mail->bytes;
        }
    }
    ASSERT(kept.events == hub->kept.events && kept.bytes == hub->kept.bytes);
    for (unsigned w = 0; w < hub_worker_count(hub); w++)
        ASSERT(on[w] == hub->sessions_on[w]);
}

void
hub_check(const struct hub *hub)
{
    const uint64_t members_of_users = check_users(hub);
    struct hub_census sum = {.rooms = 0};
    struct list_link *link;

    check_waiting(hub);
    check_sessions(hub);
    check_kept(&hub->announced, EVENT_ANNOUNCED);
    list_for_each (link, &hub->rooms) {
        const struct room *const room = CONTAINER_OF(link, struct room, by_age);

        check_room(hub, room);
        sum.rooms++;
        sum.members += room->member_count;
        sum.log_events += room->log.end - room->log.first;
        sum.log_bytes += room->log.bytes;
    }
    ASSERT(sum.rooms >= 1 && sum.rooms == hub->census.rooms);
    ASSERT(sum.members == hub->census.members);
    ASSERT(sum.members == members_of_users);
    ASSERT(sum.log_events == hub->logged.events);
    ASSERT(sum.log_bytes == hub->logged.bytes);
}
