/* SPDX-License-Identifier: BSD-2-Clause
 *
 * front_deliver - what the hub says, one delivery after the other.
 *
 * Shape    Each delivery has up to three steps: what must be true before
 *          anybody hears of it (the joiner is in the view), the telling, and
 *          what ends behind it (who left is out of the view). The view follows
 *          what rooms are told; a JOINED that comes to one conn, as history, is
 *          just something to show.
 * Order    Rule 4 of chat/hub.h makes the view right: the hub tells a worker of
 *          JOINED before anything else in that room, and of PARTED, ENDED or a
 *          DETACH's DONE behind everything the leaver is to hear.
 * QUIT     Does not touch the view. It concerns a client that is ending: by
 *          ENDED, by its DETACH's DONE, or by client_fini() already; until then
 *          it is only passed over.
 * Walking  Telling may end conns, in the middle of a list: a full write queue
 *          does, or a protocol without memory. That only marks a conn; its
 *          client and memberships go in client_fini(), at the end of the turn,
 *          which asserts it. So lists are walked without further care.
 */
#include "base/assert.h"
#include "loop/worker.h"
#include "net/conns.h"
#include "proto/front_priv.h"

static struct view_member *
member_of_room(struct list_link *link)
{
    return CONTAINER_OF(link, struct view_member, of_room);
}

/* -- telling --------------------------------------------------------------- */

static void
tell(struct client *cl, const struct view_member *member,
     const struct delivery *d, struct encoding *enc)
{
    if (client_skips(cl, d))
        return;
    cl->protocol->on_event(cl, member, d, enc);
    if (cl->is_deaf && d->event->id > 0 && d->replay == REPLAY_NONE)
        cl->heard_upto = d->event->id; /* its conn closed over this one */
    if (d->event->id > 0 && d->replay != REPLAY_HISTORY)
        client_note(cl, d);
}

static void
tell_room(const struct view_room *room, const struct delivery *d,
          struct encoding *enc)
{
    struct list_link *link;

    list_for_each (link, &room->members) {
        struct view_member *const member = member_of_room(link);

        tell(member->client, member, d, enc);
    }
}

/* The first room that is shared tells; the mark keeps the others silent. */
static void
tell_peers_in(const struct view_room *room, const struct delivery *d,
              struct encoding *enc)
{
    const uint64_t epoch = enc->front->epoch;
    struct list_link *link;

    list_for_each (link, &room->members) {
        struct client *const cl = member_of_room(link)->client;

        if (cl->mark == epoch)
            continue;
        cl->mark = epoch;
        tell(cl, NULL, d, enc);
    }
}

/* `self`: whom it is about, if it is one of ours. */
static void
tell_peers(struct front *f, struct client *self, const struct delivery *d)
{
    const struct event *const e = d->event;
    struct encoding enc;

    f->epoch++;
    encoding_init(&enc, f, d, NULL);
    if (self != NULL) {
        self->mark = f->epoch;
        if (e->kind != EVENT_QUIT)
            tell(self, NULL, d, &enc);
    }
    for (uint32_t i = 0; i < e->count; i++) {
        const struct view_room *const room =
            view_find(&f->view, e->u.places[i].room);

        if (room != NULL)
            tell_peers_in(room, d, &enc);
    }
    encoding_fini(&enc);
}

static void
tell_all(struct front *f, const struct delivery *d)
{
    struct encoding enc;
    struct list_link *link;

    encoding_init(&enc, f, d, NULL);
    list_for_each (link, &f->clients) {
        struct client *const cl = CONTAINER_OF(link, struct client, of_front);

        if (cl->is_attached)
            tell(cl, NULL, d, &enc);
    }
    encoding_fini(&enc);
}

/* What was missed in a room comes to one conn, but was said in the room. */
static const struct view_member *
find_place(const struct client *cl, const struct delivery *d)
{
    const struct view_room *room;

    if (d->replay != REPLAY_MISSED || d->event->room == 0)
        return NULL;
    room = view_find(&cl->front->view, d->event->room);
    return room != NULL ? client_find_room(cl, room) : NULL;
}

static void
tell_one(struct client *cl, const struct delivery *d)
{
    const struct view_member *const member = find_place(cl, d);
    struct encoding enc;

    encoding_init(&enc, cl->front, d, member != NULL ? member->room : NULL);
    tell(cl, member, d, &enc);
    encoding_fini(&enc);
}

/* -- by route -------------------------------------------------------------- */

static void
enter_view(struct front *f, struct client *cl, const struct event *e)
{
    struct view_member *member;

    /* Outside the view it would miss what is said without knowing. */
    if (view_join(&f->view, cl, e->room, e->name, &member) < 0)
        conn_close(cl->conn, CONN_END_NOMEM);
}

static void
leave_view(struct front *f, const struct client *cl, struct view_room *room)
{
    struct view_member *const member = client_find_room(cl, room);

    if (member != NULL)
        view_leave(&f->view, member);
}

/* Of events that move somebody, our client whom they move; else NULL. */
static struct client *
find_mover(const struct front *f, const struct event *e)
{
    if (e->kind != EVENT_JOINED && e->kind != EVENT_PARTED)
        return NULL;
    return front_find_client(f, e->who.conn);
}

static void
deliver_to_room(struct front *f, const struct delivery *d)
{
    const struct event *const e = d->event;
    struct client *const who = find_mover(f, e);
    struct encoding enc;
    struct view_room *room;

    if (e->kind == EVENT_JOINED && who != NULL)
        enter_view(f, who, e);

    room = view_find(&f->view, e->room);
    if (room == NULL)
        return; /* all its local members have died meanwhile */
    encoding_init(&enc, f, d, room);
    tell_room(room, d, &enc);
    encoding_fini(&enc);

    if (e->kind == EVENT_PARTED && who != NULL)
        leave_view(f, who, room);
}

static void
deliver_to_peers(struct front *f, const struct delivery *d)
{
    const struct event *const e = d->event;
    struct client *const who = front_find_client(f, e->who.conn);

    if (e->kind == EVENT_RENAMED && who != NULL)
        client_on_renamed(who, e);
    tell_peers(f, who, d);
}

/* Is this how the hub says that there is no session (any more)? */
static bool
ends_session(const struct client *cl, const struct event *e)
{
    if (e->kind == EVENT_ENDED || e->kind == EVENT_REPLACED)
        return true;
    return cl->state == CLIENT_MEMBER && e->kind == EVENT_REFUSED &&
           e->refusal == REFUSAL_NO_SESSION;
}

/* Is it the answer to the last command of a client that leaves? It may have no
 * session to leave, and need not hear that. */
static bool
is_of_farewell(const struct client *cl, const struct delivery *d)
{
    return cl->detach_request != 0 && d->request == cl->detach_request;
}

/* What must be true before the client hears of it. False: it is not to. */
static bool
prepare(struct client *cl, const struct delivery *d)
{
    const struct event *const e = d->event;

    switch ((enum event_kind)e->kind) {
    case EVENT_ATTACHED:
        return client_on_attached(cl, e);
    case EVENT_RESUMED:
        return client_on_resumed(cl, e);
    case EVENT_REJOINED:
        if (cl->state != CLIENT_MEMBER)
            return false; /* it left before it was back */
        enter_view(cl->front, cl, e);
        return true;
    case EVENT_REFUSED:
        return !is_of_farewell(cl, d) && client_on_refused(cl, e);
    default:
        return true;
    }
}

static void
deliver_to_client(struct client *cl, const struct delivery *d)
{
    const struct event *const e = d->event;
    const bool ends = ends_session(cl, e);

    if (d->replay == REPLAY_NONE && !prepare(cl, d))
        return;

    tell_one(cl, d);

    if (e->kind == EVENT_RESUMED)
        client_note_token(cl);
    if (ends)
        client_on_ended(cl, e->kind == EVENT_REPLACED ? CONN_END_REPLACED
                                                      : CONN_END_KICKED);
    else if (e->kind == EVENT_CAUGHT_UP)
        client_on_caught_up(cl, e);
    else if (e->kind == EVENT_DONE)
        client_on_done(cl, d->request);
}

static void
deliver_to_conn(struct front *f, const struct delivery *d)
{
    struct client *const cl = front_find_client(f, d->to);

    if (d->event->kind == EVENT_DONE)
        window_count_done(f, cl, d->request);
    if (cl != NULL) /* else its conn died meanwhile */
        deliver_to_client(cl, d);
}

static void
deliver(struct front *f, const struct delivery *d)
{
    switch (d->route) {
    case ROUTE_CONN:
        deliver_to_conn(f, d);
        break;
    case ROUTE_ROOM:
        deliver_to_room(f, d);
        break;
    case ROUTE_PEERS:
        deliver_to_peers(f, d);
        break;
    case ROUTE_ALL:
        tell_all(f, d);
        break;
    }
}

/* Ids grow in the order of deliveries (chat/hub.h 8), but for what is shown
 * again and for RESUMED, whose id is a cursor. Who has caught up has had what
 * came to other fronts before it came to this one. */
static void
note_id(struct front *f, const struct delivery *d)
{
    const struct event *const e = d->event;

    if (e->kind == EVENT_CAUGHT_UP && e->number > f->last_event)
        f->last_event = e->number;
    if (d->replay != REPLAY_NONE || e->kind == EVENT_RESUMED || e->id == 0)
        return;
    ASSERT(e->id > f->last_event);
    f->last_event = e->id;
}

void
front_on_batch(void *front, const struct delivery *d, size_t n)
{
    struct front *const f = front;

    ASSERT_OWNER(conns_worker(f->conns));
    ASSERT(!f->is_delivering);

    f->is_delivering = true;
    for (size_t i = 0; i < n; i++) {
        deliver(f, &d[i]);
        note_id(f, &d[i]);
    }
    f->is_delivering = false;

    metric_add(&f->counters.events, n);
    front_count_view(f);
    window_wake(f);
}
