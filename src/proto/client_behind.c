/* SPDX-License-Identifier: BSD-2-Clause
 *
 * client_behind - how a client comes by what it missed.
 *
 *              client_queue_take(): no room
 *              client_start_behind(): it came back         CAUGHT_UP, the last
 *      LIVE ------------------------------------> BEHIND ------------------> LIVE
 *
 *  LIVE    Each event is queued for it as it happens.
 *  BEHIND  It is not read (CONN_PAUSE_BEHIND). Events pass it by; when its queue
 *          is nearly empty the next ones are asked of the hub (CATCH_UP), which
 *          has them in its logs. So a client that reads slowly costs what it
 *          reads, and nobody waits for it. CATCH_AT_ONCE clients a front ask at
 *          a time, the others after them: when thousands come back at once,
 *          what they missed does not all lie between the threads.
 *
 *  1. `expected` counts what it is still to get when it falls behind, and what
 *     passes it by; `got` what it is given. At the end the difference is what
 *     the logs had no more, and the client is told.
 *  2. The hub's answer to CATCH_UP lies in the order of its deliveries: what
 *     came before it passed by, what comes behind the last is live.
 */
#include <errno.h>

#include "base/msg.h"
#include "net/conns.h"
#include "proto/front_priv.h"
#include "proto/track_priv.h"

#define CATCH_EVENTS 256 /* asked for at once */

/* ---- turns --------------------------------------------------------------- */

/* To the first that can use it at once; who cannot comes again by itself. */
static void
give_turn(struct front *f)
{
    struct list_link *link;

    while ((link = list_pop_front(&f->catching.waiting)) != NULL) {
        struct conn *const c =
            CONTAINER_OF(link, struct client_track, of_turn)->client->conn;

        conn_await_drained(c);
        if (conn_is_drained(c))
            break;
    }
}

/* Its answer is here, or not to be waited for. */
static void
end_asking(struct client_track *t)
{
    if (!t->is_asking)
        return;
    t->is_asking = false;
    t->client->front->catching.asking--;
}

void
track_drop_turn(struct client_track *t)
{
    list_remove(&t->of_turn);
    end_asking(t);
    if (t->is_behind)
        give_turn(t->client->front); /* it may have had one, and not used it */
}

/* ---- behind -------------------------------------------------------------- */

static void
wait_until_drained(struct client_track *t)
{
    conn_pause(t->client->conn, CONN_PAUSE_BEHIND);
    conn_await_drained(t->client->conn);
}

static void
start_behind(struct client_track *t, uint64_t next, uint64_t expected)
{
    t->is_behind = true;
    t->next = next;
    t->expected = expected;
    t->got = 0;
    wait_until_drained(t);
}

/* It is told at this place that so many events cannot be had; if it does not
 * come to read that, it is told again. */
static void
note_gap(struct client_track *t, uint64_t missed, uint64_t id)
{
    t->gap += missed;
    t->told_id = id;
    t->has_answered = false;
    t->gap_end = track_end_of_told(t->client);
}

int
client_start_behind(struct client *cl, const struct event *e)
{
    struct client_track *const t = track_create(cl, e->id);

    if (t == NULL)
        return -ENOMEM;
    t->has_token = true;
    t->token_end = UINT64_MAX;
    t->gap = e->seq;
    t->gap_end = UINT64_MAX;
    start_behind(t, e->id, e->number);
    return 0;
}

void
client_note_token(struct client *cl)
{
    struct client_track *const t = track_of(cl);

    if (t == NULL)
        return;
    t->token_end = track_end_of_told(cl);
    note_gap(t, 0, t->next);
}

/* Its queue is full: what waits there is dropped and will be asked for again.
 * False: it cannot be; the conn then ends. */
static bool
fall_behind(struct client *cl)
{
    struct client_track *t = track_of(cl);
    uint64_t cut_gap = 0;
    uint32_t before, cut;

    if (cl->state != CLIENT_MEMBER || !client_is_resumable(cl))
        return false;
    if (t == NULL)
        t = track_create(cl, cl->front->last_event);
    if (t == NULL || t->is_behind)
        return false;

    track_settle(t);
    conn_drop_unsent(cl->conn);
    before = t->ledger.events;
    cut = ledger_cut(&t->ledger, conn_queued_upto(cl->conn));
    track_count_unacked(t, before);
    if (t->token_end > conn_queued_upto(cl->conn))
        t->token_end = UINT64_MAX; /* it is dropped, and never comes */
    if (t->mute_end > conn_queued_upto(cl->conn))
        t->mute_end = conn_queued_upto(cl->conn);
    if (t->gap_end > conn_queued_upto(cl->conn)) {
        cut_gap = t->gap;
        t->gap = 0;
    }
    metric_add(&cl->front->counters.behind, 1);
    start_behind(t, ledger_last(&t->ledger), cut + cut_gap);
    cl->protocol->on_behind(cl);
    return true;
}

/* It is given what it missed, and some of that is queued: the rest is asked for
 * again when it has read this. */
static bool
cut_short(struct client *cl)
{
    struct client_track *const t = track_of(cl);

    if (t == NULL || !t->is_asking || t->got == t->got_before)
        return false;
    t->is_cut = true;
    return true;
}

void
client_queue_take(struct client *cl, struct msg *m)
{
    if (m != NULL && !conn_has_room(cl->conn, m->len) &&
        (fall_behind(cl) || cut_short(cl))) {
        msg_unref(m);
        return;
    }
    if (conn_queue_take(cl->conn, m) == 0)
        metric_add(&cl->front->counters.fanout, 1);
}

void
client_on_drained(struct conn *c)
{
    struct client *const cl = conn_data(c);
    struct client_track *const t = track_of(cl);
    struct command ask = {.kind = COMMAND_CATCH_UP, .count = CATCH_EVENTS};

    if (t == NULL || !t->is_behind || t->is_asking ||
        cl->state != CLIENT_MEMBER)
        return;
    if (cl->front->catching.asking >= CATCH_AT_ONCE) {
        if (!list_is_linked(&t->of_turn))
            list_push_back(&cl->front->catching.waiting, &t->of_turn);
        return;
    }
    ask.cursor = t->next;
    if (client_send_command(cl, &ask) < 0) {
        conn_close(c, CONN_END_NOMEM);
        return;
    }
    t->is_asking = true;
    t->is_cut = false;
    t->got_before = t->got;
    cl->front->catching.asking++;
}

/* The difference to what was to come could not be had any more. */
static void
end_behind(struct client_track *t)
{
    struct client *const cl = t->client;
    const uint64_t missed = t->expected > t->got ? t->expected - t->got : 0;

    t->is_behind = false;
    metric_add(&cl->front->counters.missed, missed);
    cl->protocol->on_caught_up(cl, missed);
    if (missed > 0)
        note_gap(t, missed, t->next);
    conn_resume(cl->conn, CONN_PAUSE_BEHIND);
}

void
client_on_caught_up(struct client *cl, const struct event *e)
{
    struct client_track *const t = track_of(cl);

    if (t == NULL || !t->is_asking)
        return;
    end_asking(t);
    give_turn(cl->front);
    if (!client_hears(cl))
        return; /* it was not told what came before this, and is in no room */
    if (t->is_cut) {
        t->next = ledger_last(&t->ledger);
        wait_until_drained(t);
        return;
    }
    t->next = e->number;
    if (ledger_is_settled(&t->ledger))
        t->ledger.cursor = e->number;
    if (e->last)
        end_behind(t);
    else
        wait_until_drained(t);
}
