/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_catch - gives a session what it missed, from where it is kept.
 *
 * Shape    A merge by id over the logs of its rooms, its mailbox and the
 *          announcements. What concerns several rooms stands in the log of each
 *          and comes once. Nothing is copied for anybody beforehand: a session
 *          is a cursor, not a queue.
 * Bound    CATCH_UP gives HUB_CATCH_MAX events at most, looks at HUB_COUNT_MAX
 *          (one's own talk is kept, too, and what concerns many rooms often),
 *          and is asked again from where it ended, so that who missed much
 *          delays nobody.
 */
#include <errno.h>
#include <stdlib.h>

#include "chat/hub_priv.h"

static void
sift_down(struct catch_merge *c, size_t i)
{
    for (;;) {
        const size_t left = 2 * i + 1;
        size_t least = i;

        for (size_t child = left; child <= left + 1 && child < c->count;
             child++) {
            if (c->sources[child].id < c->sources[least].id)
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
add_source(struct catch_merge *c, const struct event_log *log, uint64_t cursor,
           uint64_t *passed)
{
    const uint64_t at = event_log_after(log, cursor);

    if (at < log->end)
        c->sources[c->count++] = (struct catch_source){
            .log = log,
            .at = at,
            .id = event_log_at(log, at)->event->id,
            .passed = passed,
        };
}

/* The place of `room` in `w`, from the *i-th on: they are in the order of the
 * user's rooms. */
static uint64_t *
passed_in(struct wait *w, const struct room *room, uint32_t *i)
{
    while (w != NULL && *i < w->place_count) {
        struct wait_place *const place = &w->places[(*i)++];

        if (place->room == room->id)
            return &place->at;
    }
    return NULL;
}

static void
add_rooms(struct catch_merge *c, const struct user *user, uint64_t cursor,
          struct wait *w)
{
    const struct list_link *link;
    uint32_t i = 0;

    list_for_each (link, &user->members) {
        const struct member *const m =
            CONST_CONTAINER_OF(link, struct member, in_user);

        add_source(c, &m->room->log, m->joined > cursor ? m->joined : cursor,
                   passed_in(w, m->room, &i));
    }
}

int
catch_init(struct catch_merge *c, const struct hub *hub,
           const struct session *session, uint64_t cursor, struct wait *w)
{
    *c = (struct catch_merge){.session = session, .looked_upto = cursor};
    c->sources = calloc(session->user->rooms + (size_t)2, sizeof(*c->sources));
    if (c->sources == NULL)
        return -ENOMEM;

    add_rooms(c, session->user, cursor, w);
    if (session->mail != NULL)
        add_source(c, session->mail, cursor, w != NULL ? &w->mail_at : NULL);
    add_source(c, &hub->announced,
               session->attached > cursor ? session->attached : cursor,
               w != NULL ? &w->announced_at : NULL);
    for (size_t i = c->count; i-- > 0;)
        sift_down(c, i);
    return 0;
}

void
catch_fini(struct catch_merge *c)
{
    free(c->sources);
}

static struct event *
pop(struct catch_merge *c)
{
    struct catch_source *const top = &c->sources[0];
    struct event *const e = event_log_at(top->log, top->at)->event;

    top->at++;
    if (top->passed != NULL && *top->passed < top->at)
        *top->passed = top->at;
    if (top->at == top->log->end)
        *top = c->sources[--c->count];
    else
        top->id = event_log_at(top->log, top->at)->event->id;
    sift_down(c, 0);
    return e;
}

bool
catch_look(struct catch_merge *c, struct event **out)
{
    struct event *e;
    bool is_own;

    if (c->count == 0)
        return false;
    e = pop(c);
    is_own = e->who.user == c->session->user->id;
    /* The same id: it was in another of its rooms, too. */
    *out =
        e->id > c->looked_upto && event_is_shown(e, is_own, c->session->echoes)
            ? e
            : NULL;
    c->looked_upto = e->id;
    return true;
}

/* The next event that is shown to the session; NULL: there is none, or none that
 * *left looks find. */
static struct event *
catch_next(struct catch_merge *c, uint32_t *left)
{
    struct event *e;

    while (*left > 0 && catch_look(c, &e)) {
        --*left;
        if (e != NULL)
            return e;
    }
    return NULL;
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
    uint32_t left = HUB_COUNT_MAX;
    struct catch_merge c;
    struct event *e;

    if (catch_init(&c, a->hub, a->session, a->c->cursor, NULL) < 0)
        return REFUSAL_NO_MEMORY;
    e = catch_next(&c, &left);
    for (uint32_t i = 0; i < most && e != NULL; i++) {
        emit_replay(a, e, REPLAY_MISSED);
        upto = e->id;
        e = catch_next(&c, &left);
    }
    catch_fini(&c);
    if (e == NULL && left > 0)
        return say_caught_up(a, a->hub->last_event_id, true);
    return say_caught_up(a, e == NULL ? c.looked_upto : upto, false);
}
