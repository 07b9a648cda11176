/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_catch - gives a session what it missed, from where it is kept.
 *
 * Shape    A merge by id over the logs of its rooms, its mailbox and the
 *          announcements. What concerns several rooms stands in the log of each
 *          and comes once. Nothing is copied for anybody beforehand: a session
 *          is a cursor, not a queue.
 * Bound    CATCH_UP gives HUB_CATCH_MAX events at most and is asked again from
 *          where it ended, so that who missed much delays nobody.
 */
#include <errno.h>
#include <stdlib.h>

#include "chat/hub_priv.h"

struct catch_source {
    const struct event_log *log;
    uint64_t at;
};

/* A heap of sources by the id of their next event. */
struct catch
{
    const struct session *session;
    uint64_t last_id;
    size_t count;
    struct catch_source *sources;
};

static uint64_t
next_id(const struct catch_source *s)
{
    return event_log_at(s->log, s->at)->event->id;
}

static void
sift_down(struct catch *c, size_t i)
{
    for (;;) {
        const size_t left = 2 * i + 1;
        size_t least = i;

        for (size_t child = left; child <= left + 1 && child < c->count;
             child++) {
            if (next_id(&c->sources[child]) < next_id(&c->sources[least]))
                least = child;
        }
        if (least == i)
            return;

        const struct catch_source moved = c->sources[i];

        c->sources[i] = c->sources[least];
        c->sources[least] = moved;
        i = least;
    }
}

static void
add_source(struct catch *c, const struct event_log *log, uint64_t cursor)
{
    const uint64_t at = event_log_after(log, cursor);

    if (at < log->end)
        c->sources[c->count++] = (struct catch_source){.log = log, .at = at};
}

/* Everything behind `cursor`; 0 or -ENOMEM. */
static int
catch_init(struct catch *c, const struct hub *hub,
           const struct session *session, uint64_t cursor)
{
    const struct user *const user = session->user;
    const struct list_link *link;

    *c = (struct catch){.session = session};
    c->sources = calloc(user->rooms + (size_t)2, sizeof(*c->sources));
    if (c->sources == NULL)
        return -ENOMEM;

    list_for_each (link, &user->members) {
        const struct member *const m =
            CONST_CONTAINER_OF(link, struct member, in_user);

        add_source(c, &m->room->log, m->joined > cursor ? m->joined : cursor);
    }
    if (session->mail != NULL)
        add_source(c, session->mail, cursor);
    add_source(c, &hub->announced,
               session->attached > cursor ? session->attached : cursor);
    for (size_t i = c->count; i-- > 0;)
        sift_down(c, i);
    return 0;
}

static void
catch_fini(struct catch *c)
{
    free(c->sources);
}

static struct event *
pop(struct catch *c)
{
    struct catch_source *const top = &c->sources[0];
    struct event *const e = event_log_at(top->log, top->at)->event;

    if (++top->at == top->log->end)
        *top = c->sources[--c->count];
    sift_down(c, 0);
    return e;
}

/* The next event that is shown to the session; NULL: there is none. */
static struct event *
catch_next(struct catch *c)
{
    while (c->count > 0) {
        struct event *const e = pop(c);
        const bool is_own = e->who.user == c->session->user->id;

        if (e->id == c->last_id)
            continue; /* in another of its rooms, too */
        c->last_id = e->id;
        if (event_is_shown(e, is_own, c->session->echoes))
            return e;
    }
    return NULL;
}

/* ---- counting ------------------------------------------------------------ */

/* Events of a log that went by while the session waited, and are gone. */
static uint64_t
gone_since(const struct event_log *log, uint64_t end_then)
{
    return log->first > end_then ? log->first - end_then : 0;
}

static uint64_t
gone_from_rooms(const struct hub *hub, const struct wait *w)
{
    uint64_t gone = 0;

    for (uint32_t i = 0; i < w->place_count; i++) {
        const struct room *const room =
            id_table_find(&hub->room_ids, w->places[i].room);

        /* A room's seq and its log's positions go up together. */
        if (room != NULL)
            gone += gone_since(&room->log, w->places[i].seq + (room->log.end -
                                                               room->last_seq));
    }
    return gone;
}

/* At most so many events behind `cursor` a log has dropped for newer ones: their
 * ids lie between, but so may others'. */
static uint64_t
crowded_out_since(const struct event_log *log, uint64_t cursor)
{
    const uint64_t ids =
        log->crowded_id > cursor ? log->crowded_id - cursor : 0;

    return ids < log->crowded_out ? ids : log->crowded_out;
}

/* Likewise of all that the session is given events from. */
static uint64_t
crowded_out_for(const struct hub *hub, const struct session *session,
                uint64_t cursor)
{
    uint64_t out = crowded_out_since(&hub->announced, session->attached > cursor
                                                          ? session->attached
                                                          : cursor);
    const struct list_link *link;

    if (session->mail != NULL)
        out += crowded_out_since(session->mail, cursor);
    list_for_each (link, &session->user->members) {
        const struct member *const m =
            CONST_CONTAINER_OF(link, struct member, in_user);

        out += crowded_out_since(&m->room->log,
                                 m->joined > cursor ? m->joined : cursor);
    }
    return out;
}

/* What came between the client's last event and its DETACH. Where the logs do
 * not reach back so far, that is told as too many rather than too few. */
void
catch_note_due(const struct hub *hub, const struct session *session,
               struct wait *w)
{
    const uint64_t upto =
        w->due_upto < hub->last_event_id ? w->due_upto : hub->last_event_id;
    const uint64_t gone = crowded_out_for(hub, session, upto);
    uint64_t kept = 0;
    uint64_t most;
    struct catch c;

    w->due_upto = upto;
    if (catch_init(&c, hub, session, upto) < 0)
        return;
    while (catch_next(&c) != NULL)
        kept++;
    catch_fini(&c);

    most = hub->last_event_id - upto - kept;
    w->due += kept + (gone < most ? gone : most);
    w->due_upto = hub->last_event_id;
}

int
catch_count(const struct ask *a, const struct session *session,
            struct catch_count *out)
{
    const struct wait *const w = session->wait;
    uint64_t still_due = 0;
    struct catch c;
    struct event *e;

    if (catch_init(&c, a->hub, session, w->cursor) < 0)
        return -ENOMEM;

    *out = (struct catch_count){.to_come = 0};
    while ((e = catch_next(&c)) != NULL) {
        out->to_come++;
        if (e->id <= w->due_upto)
            still_due++;
    }
    catch_fini(&c);

    out->missed = gone_from_rooms(a->hub, w) +
                  gone_since(&a->hub->announced, w->announced_end);
    if (w->due > still_due)
        out->missed += w->due - still_due;
    return 0;
}

/* ---- giving -------------------------------------------------------------- */

static enum refusal
say_caught_up(const struct ask *a, uint64_t upto, bool last)
{
    struct event draft = ask_draft(a, EVENT_CAUGHT_UP);
    struct event *e;

    draft.number = upto;
    draft.last = last;
    e = event_create(&draft);
    if (e == NULL)
        return REFUSAL_NO_MEMORY;
    emit_to_asker(a, e);
    event_unref(e);
    return REFUSAL_NONE;
}

enum refusal
catch_on_catch_up(struct ask *a)
{
    const uint32_t most =
        a->c->count < HUB_CATCH_MAX ? a->c->count : HUB_CATCH_MAX;
    uint64_t upto = a->c->cursor;
    struct catch c;
    struct event *e;

    if (catch_init(&c, a->hub, a->session, a->c->cursor) < 0)
        return REFUSAL_NO_MEMORY;
    e = catch_next(&c);
    for (uint32_t i = 0; i < most && e != NULL; i++) {
        emit_replay(a, e, REPLAY_MISSED);
        upto = e->id;
        e = catch_next(&c);
    }
    catch_fini(&c);
    if (e == NULL)
        return say_caught_up(a, a->hub->last_event_id, true);
    return say_caught_up(a, upto, false);
}
