/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_emit - from an event to the workers that must hear of it.
 *
 * An event goes to a worker at most once, in ascending order of workers,
 * however many of its conns will get it. The asker's conn and tag ride along
 * so that its worker knows for which request it was.
 */
#include "base/assert.h"
#include "chat/hub_priv.h"

static bool
is_answer(enum event_kind kind)
{
    return kind >= EVENT_ATTACHED;
}

struct event
ask_draft(const struct ask *a, enum event_kind kind)
{
    return (struct event){
        .kind = (uint8_t)kind,
        .id = is_answer(kind) ? 0 : ++a->hub->last_event_id,
        .wall_ms = a->now->wall_ms,
    };
}

struct event_who
ask_who(const struct user *user)
{
    return (struct event_who){
        .user = user->id,
        .session = user->session->id,
        .conn = user->session->conn,
        .nick = label_text(user->nick),
    };
}

static void
emit(const struct ask *a, unsigned worker, const struct delivery *d)
{
    ASSERT(worker < hub_worker_count(a->hub));

    a->out->emit(a->out->arg, worker, d);
}

static struct delivery
delivery_of(const struct ask *a, struct event *e, enum route route)
{
    return (struct delivery){
        .event = e,
        .route = route,
        .request = a->c->from.request,
        .to = a->c->from.conn,
    };
}

void
emit_to_conn(const struct ask *a, uint64_t conn, struct event *e)
{
    struct delivery d = delivery_of(a, e, ROUTE_CONN);

    if (conn != a->c->from.conn)
        d.request = 0; /* the tag means something to the asker only */
    d.to = conn;
    emit(a, origin_worker(conn), &d);
}

void
emit_replay(const struct ask *a, struct event *e, enum replay replay)
{
    struct delivery d = delivery_of(a, e, ROUTE_CONN);

    d.replay = replay;
    emit(a, origin_worker(d.to), &d);
}

void
emit_to_asker(const struct ask *a, struct event *e)
{
    emit_to_conn(a, a->c->from.conn, e);
}

void
emit_to_room(const struct ask *a, const struct room *room, struct event *e)
{
    const struct delivery d = delivery_of(a, e, ROUTE_ROOM);

    for (unsigned w = 0; w < hub_worker_count(a->hub); w++) {
        if (room->members_on[w] > 0)
            emit(a, w, &d);
    }
}

static bool
has_peers_on(const struct user *user, unsigned worker)
{
    struct list_link *link;

    if (!session_waits(user->session) &&
        worker == origin_worker(user->session->conn))
        return true;
    list_for_each (link, &user->members) {
        const struct member *const m =
            CONTAINER_OF(link, struct member, in_user);

        if (m->room->members_on[worker] > 0)
            return true;
    }
    return false;
}

void
emit_to_peers(const struct ask *a, const struct user *user, struct event *e)
{
    const struct delivery d = delivery_of(a, e, ROUTE_PEERS);

    for (unsigned w = 0; w < hub_worker_count(a->hub); w++) {
        if (has_peers_on(user, w))
            emit(a, w, &d);
    }
}

void
emit_to_all(const struct ask *a, struct event *e)
{
    const struct delivery d = delivery_of(a, e, ROUTE_ALL);

    for (unsigned w = 0; w < hub_worker_count(a->hub); w++) {
        if (a->hub->sessions_on[w] > 0)
            emit(a, w, &d);
    }
}
