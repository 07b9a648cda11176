/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_count - how much a session is to be given, and how much it cannot be.
 *
 * Shape    Behind the cursor of a wait lies first what was due when it was lost
 *          (its worker has counted that), then what came since:
 *
 *            cursor            due_upto              last event
 *              |---- due ---------|---- came since -----|
 *              |---- looked at ---------|
 *                                 counted_upto
 *
 *          A look goes from the cursor to the end over what is kept and counts
 *          what is shown: `to_come`. What was due and was not found is missed.
 *          Of what came since, that is known by the positions in the logs: what
 *          was dropped before the look came to it is `gone`; each dropped entry
 *          counts, in however many logs it was.
 * Bound    In a millisecond hub_conf.counted_per_ms entries are looked at, or a
 *          few times that when none were before, for whoever asks first; the
 *          others, and who is not done, ask again, and the look goes on where it
 *          was. So, however many come back and have
 *          missed however much, the rest is not kept waiting. When a wait
 *          begins, what is more than that counts as not due.
 * Late     What goes after the look has counted it is to come, and does not:
 *          who is given the rest sees that by the number.
 */
#include <errno.h>

#include "chat/hub_priv.h"

static uint64_t
larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* ---- positions ----------------------------------------------------------- */

/* What lies in `log` before *at is settled: due, counted, or gone. Returns how
 * many of the others are dropped, and settles them. */
static uint64_t
settle_dropped(const struct event_log *log, uint64_t *at)
{
    const uint64_t gone = log->first > *at ? log->first - *at : 0;

    *at += gone;
    return gone;
}

static uint64_t
settle_all_dropped(const struct hub *hub, const struct session *session)
{
    struct wait *const w = session->wait;
    uint64_t gone = settle_dropped(&hub->announced, &w->announced_at);

    if (session->mail != NULL)
        gone += settle_dropped(session->mail, &w->mail_at);
    for (uint32_t i = 0; i < w->place_count; i++) {
        const struct room *const room =
            id_table_find(&hub->room_ids, w->places[i].room);

        if (room != NULL)
            gone += settle_dropped(&room->log, &w->places[i].at);
    }
    return gone;
}

/* ---- at the start -------------------------------------------------------- */

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
    uint64_t out =
        crowded_out_since(&hub->announced, larger(session->attached, cursor));
    const struct list_link *link;

    if (session->mail != NULL)
        out += crowded_out_since(session->mail, cursor);
    list_for_each (link, &session->user->members) {
        const struct member *const m =
            CONST_CONTAINER_OF(link, struct member, in_user);

        out += crowded_out_since(&m->room->log, larger(m->joined, cursor));
    }
    return out;
}

/* Was it to be sent when it happened? One's own talk only to who echoed then,
 * though all of it comes to who does now. */
static bool
was_shown(const struct session *session, const struct event *e)
{
    return e->who.user != session->user->id || e->id > session->echoes_since;
}

/* What came between the client's last event and its DETACH. Where the logs do
 * not reach back so far, that is told as too many rather than too few. */
static void
add_due(const struct hub *hub, const struct session *session, struct wait *w)
{
    const uint64_t upto =
        w->due_upto < hub->last_event_id ? w->due_upto : hub->last_event_id;
    const uint64_t came = hub->last_event_id - upto;
    const uint64_t gone = crowded_out_for(hub, session, upto);
    uint64_t kept = 0;
    struct event *e = NULL;
    struct catch_merge c;
    uint32_t left = hub->conf.counted_per_ms;

    w->due_upto = upto;
    if (catch_init(&c, hub, session, upto, NULL) == 0) {
        while (left > 0 && catch_look(&c, &e)) {
            kept += e != NULL && was_shown(session, e);
            left--;
        }
        w->due_upto = left > 0 ? hub->last_event_id : c.looked_upto;
        catch_fini(&c);
    }
    /* What is kept and was not looked at counts as come since. What is gone
     * counts here wherever it lay: the positions begin behind it. */
    w->due += kept + (gone < came - kept ? gone : came - kept);
}

void
count_start(const struct hub *hub, const struct session *session)
{
    struct wait *const w = session->wait;
    const struct list_link *link;

    add_due(hub, session, w);
    w->counted_upto = w->cursor;
    w->announced_at = event_log_after(&hub->announced,
                                      larger(session->attached, w->due_upto));
    if (session->mail != NULL)
        w->mail_at = event_log_after(session->mail, w->due_upto);
    list_for_each (link, &session->user->members) {
        const struct member *const m =
            CONST_CONTAINER_OF(link, struct member, in_user);

        w->places[w->place_count++] = (struct wait_place){
            .room = m->room->id,
            .at =
                event_log_after(&m->room->log, larger(m->joined, w->due_upto)),
        };
    }
}

/* ---- from question to question ------------------------------------------- */

/* What may be looked at now, by whomever. Workers ask again all at once, every few
 * milliseconds, so what was not used is saved for a while. */
static uint32_t *
left_now(const struct ask *a)
{
    struct hub *const hub = a->hub;
    const uint64_t ms = a->now->mono_ms - hub->count_ms;
    const uint64_t grown =
        hub->count_left +
        hub->conf.counted_per_ms *
            (ms < HUB_COUNT_SAVED ? ms : (uint64_t)HUB_COUNT_SAVED);

    hub->count_ms = a->now->mono_ms;
    hub->count_left =
        grown < hub->count_most ? (uint32_t)grown : hub->count_most;
    return &hub->count_left;
}

static int
go_on(const struct ask *a, const struct session *session, uint32_t *left)
{
    struct wait *const w = session->wait;
    struct event *e = NULL;
    struct catch_merge c;

    if (catch_init(&c, a->hub, session, w->counted_upto, w) < 0)
        return -ENOMEM;

    w->gone += settle_all_dropped(a->hub, session);
    while (*left > 0 && catch_look(&c, &e)) {
        --*left;
        if (e == NULL)
            continue;
        w->to_come++;
        w->still_due += e->id <= w->due_upto && was_shown(session, e);
    }
    w->counted_upto = c.looked_upto;
    catch_fini(&c);
    return *left > 0 ? 0 : -EAGAIN;
}

int
count_go_on(const struct ask *a, const struct session *session)
{
    uint32_t *const left = left_now(a);

    return *left > 0 ? go_on(a, session, left) : -EAGAIN;
}

uint64_t
count_missed(const struct wait *w)
{
    return w->gone + (w->due > w->still_due ? w->due - w->still_due : 0);
}
