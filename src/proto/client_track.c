/* SPDX-License-Identifier: BSD-2-Clause
 *
 * client_track - what a client has had.
 *
 * Shape    While events are on their way to a client it has a track: a ledger
 *          of them, which its peer's acknowledgements empty: those of its TCP,
 *          looked at by a timer and when the ledger fills, or the client's own.
 *          An idle client has none, and its cursor is simply the last event
 *          that came to this front. What it missed is client_behind.c's.
 */
#include <stdlib.h>

#include "base/assert.h"
#include "base/msg.h"
#include "loop/worker.h"
#include "net/conns.h"
#include "proto/front_priv.h"
#include "proto/track_priv.h"

#define LOOK_MS      1000 /* between looks at what was acknowledged */
#define LOOK_SOON_MS 50   /* when one look was not enough for all */
#define LOOK_BUDGET  1024
#define NOTES_FREE   64 /* so many before each more is worth a look */

static struct wheel *
wheel_of(const struct front *f)
{
    return worker_wheel(conns_worker(f->conns));
}

bool
client_is_behind(const struct client *cl)
{
    const struct client_track *const t = track_of(cl);

    return t != NULL && t->is_behind;
}

/* ---- its life ------------------------------------------------------------ */

struct client_track *
track_create(struct client *cl, uint64_t cursor)
{
    struct front *const f = cl->front;
    struct client_track *const t = calloc(1, sizeof(*t));

    if (t == NULL)
        return NULL;
    t->client = cl;
    list_link_init(&t->of_turn);
    ledger_init(&t->ledger, cursor);
    if (list_is_empty(&f->tracks))
        wheel_arm(wheel_of(f), &f->track_timer, front_now_ms(f) + LOOK_MS);
    list_push_back(&f->tracks, &t->of_front);
    metric_add(&f->counters.tracked, 1);
    cl->track = t;
    return t;
}

void
track_count_unacked(const struct client_track *t, uint32_t before)
{
    metric_add(&t->client->front->counters.unacked,
               (uint64_t)t->ledger.events - before);
}

static void
track_destroy(struct client_track *t)
{
    struct client *const cl = t->client;
    const uint32_t before = t->ledger.events;

    t->ledger.events = 0;
    track_count_unacked(t, before);
    track_drop_turn(t);
    cl->track = NULL;
    list_remove(&t->of_front);
    if (list_is_empty(&cl->front->tracks))
        wheel_disarm(wheel_of(cl->front), &cl->front->track_timer);
    metric_add(&cl->front->counters.tracked, UINT64_MAX);
    ledger_fini(&t->ledger);
    free(t);
}

void
client_track_fini(struct client *cl)
{
    if (track_of(cl) != NULL)
        track_destroy(cl->track);
}

/* ---- what it has had ----------------------------------------------------- */

uint64_t
track_end_of_told(const struct client *cl)
{
    return conn_queued_upto(cl->conn) + !conn_takes_output(cl->conn);
}

/* By its TCP; of a client that acknowledges itself, what it cannot. */
static void
settle_events(struct client_track *t, uint64_t acked)
{
    const uint32_t before = t->ledger.events;

    if (t->client->acks && acked > t->mute_end)
        acked = t->mute_end;
    if (acked > 0)
        ledger_settle_bytes(&t->ledger, acked);
    if (acked >= t->mute_end)
        t->mute_end = 0;
    track_count_unacked(t, before);
}

void
track_settle(struct client_track *t)
{
    const bool has_open =
        !ledger_is_settled(&t->ledger) && (!t->client->acks || t->mute_end > 0);
    uint64_t acked;

    if (!has_open && t->gap == 0)
        return;
    acked = conn_acked_upto(t->client->conn);
    if (has_open)
        settle_events(t, acked);
    if (!t->client->acks && acked >= t->gap_end)
        t->gap = 0;
}

void
client_ack(struct client *cl, uint64_t id)
{
    struct client_track *const t = track_of(cl);
    uint32_t before;

    if (t == NULL || !cl->acks)
        return;
    before = t->ledger.events;
    ledger_settle_id(&t->ledger, id);
    track_count_unacked(t, before);
    if (id <= t->told_id)
        return;
    t->has_answered = true; /* and read on the way there what it was told */
    t->gap = 0;
}

int
client_set_acks(struct client *cl, bool on, uint32_t *request)
{
    struct command c = {.kind = COMMAND_ACKS, .set = on};
    const int rc = client_send(cl, &c, request);

    if (rc < 0)
        return rc;
    /* What was sent before carries no number to be acknowledged by. */
    if (on && track_of(cl) != NULL && !cl->acks)
        cl->track->mute_end = conn_queued_upto(cl->conn);
    cl->acks = on;
    return 0;
}

/* The hub forgets what it kept for this client alone. */
static bool
tell_hub(struct client_track *t)
{
    struct command c = {.kind = COMMAND_ACK, .cursor = t->ledger.cursor};

    if (c.cursor < t->next)
        c.cursor = t->next; /* up to which nothing else was to come */
    if (!t->has_mail && !t->has_token)
        return true;
    if (t->client->state != CLIENT_MEMBER ||
        client_send_command(t->client, &c) < 0)
        return false;
    t->has_mail = false;
    t->has_token = false;
    return true;
}

static bool
has_its_token(const struct client_track *t)
{
    if (!t->has_token)
        return true;
    return t->client->acks ? t->has_answered
                           : conn_acked_upto(t->client->conn) >= t->token_end;
}

static void
look_at(struct client_track *t)
{
    track_settle(t);
    if (ledger_is_settled(&t->ledger) && t->gap == 0 && !t->is_behind &&
        has_its_token(t) && tell_hub(t))
        track_destroy(t);
}

void
client_on_track_due(struct wheel_timer *timer, uint64_t now_ms)
{
    struct front *const f = CONTAINER_OF(timer, struct front, track_timer);
    uint64_t wait_ms = LOOK_MS;
    struct list now;
    struct list_link *link;

    list_init(&now);
    for (unsigned i = 0; i < LOOK_BUDGET; i++) {
        link = list_pop_front(&f->tracks);
        if (link == NULL)
            break;
        list_push_back(&now, link);
    }
    /* What was not looked at comes first the next time. */
    if (!list_is_empty(&f->tracks))
        wait_ms = LOOK_SOON_MS;
    while ((link = list_pop_front(&now)) != NULL) {
        list_push_back(&f->tracks, link);
        look_at(CONTAINER_OF(link, struct client_track, of_front));
    }
    if (!list_is_empty(&f->tracks))
        wheel_arm(wheel_of(f), timer, now_ms + wait_ms);
}

/* ---- what it is told ----------------------------------------------------- */

/* Would somebody who missed it be given it later? */
static bool
is_given_later(const struct client *cl, const struct event *e)
{
    const bool is_own =
        e->who.conn != 0 && e->who.conn == conn_get_id(cl->conn);

    return event_is_kept((enum event_kind)e->kind) &&
           event_is_shown(e, is_own, cl->acks);
}

/* Told now although it is behind: what it did itself has effects, answers were
 * asked for, and notices of state are late as soon as they are old. */
static bool
passes_by(const struct client *cl, const struct delivery *d)
{
    return is_given_later(cl, d->event) || d->event->kind == EVENT_LOST ||
           d->event->kind == EVENT_RETURNED;
}

void
client_stop_hearing(struct client *cl)
{
    if (cl->is_deaf)
        return;
    cl->is_deaf = true;
    cl->heard_upto = cl->front->last_event;
}

void
client_on_closing(struct conn *c)
{
    struct client *const cl = conn_data(c);

    if (cl->is_attached)
        client_stop_hearing(cl);
}

bool
client_skips(struct client *cl, const struct delivery *d)
{
    if (!cl->is_attached) /* it is leaving, and comes back as it came */
        return d->event->id > 0;
    if (!client_hears(cl)) {
        if (d->event->id > 0)
            client_stop_hearing(cl);
        return true;
    }
    if (!client_is_behind(cl))
        return false;
    if (d->replay == REPLAY_MISSED)
        return cl->track->is_cut;
    if (!passes_by(cl, d))
        return false;
    if (is_given_later(cl, d->event))
        cl->track->expected++;
    return true;
}

void
client_note(struct client *cl, const struct delivery *d)
{
    const bool is_missed = d->replay == REPLAY_MISSED;
    struct client_track *t = track_of(cl);
    uint32_t before;

    if (t == NULL && !client_is_resumable(cl))
        return; /* who has a track keeps it, or it would be told wrong */
    if (!is_missed && !is_given_later(cl, d->event))
        return;
    if (t == NULL)
        t = track_create(cl, cl->front->last_event);
    if (t == NULL)
        return; /* memory: it counts as had */
    if (t->is_behind && !is_missed) {
        t->expected++; /* it fell behind over this one */
        return;
    }
    if (is_missed && t->is_cut)
        return; /* over this one */
    if (is_missed)
        t->got++;
    if (d->event->kind == EVENT_TOLD)
        t->has_mail = true;
    if (ledger_is_full(&t->ledger) && t->ledger.used >= NOTES_FREE)
        track_settle(t);
    before = t->ledger.events;
    ledger_note(&t->ledger, d->event->id, track_end_of_told(cl));
    track_count_unacked(t, before);
}

/* ---- at the end ---------------------------------------------------------- */

void
client_measure(struct client *cl, struct hub_farewell *out)
{
    const uint64_t heard = cl->is_deaf ? cl->heard_upto : cl->front->last_event;
    struct client_track *const t = track_of(cl);
    uint64_t unacked;

    out->upto = heard;
    out->cursor = heard;
    out->unacked = 0;
    if (t == NULL)
        return;

    track_settle(t);
    unacked = t->ledger.events + t->gap;
    if (t->is_behind)
        unacked += t->expected - (t->got < t->expected ? t->got : t->expected);
    if (!ledger_is_settled(&t->ledger) || t->is_behind)
        out->cursor = t->ledger.cursor;
    out->unacked = unacked < UINT32_MAX ? (uint32_t)unacked : UINT32_MAX;
}
