/* SPDX-License-Identifier: BSD-2-Clause
 *
 * client - a conn's life with the hub; see client_priv.h for its states.
 *
 * Order    A DETACH is a command like others, so the hub answers it behind all
 *          that was asked before, however the conn came to its end:
 *            /quit, EOF    client_detach(): the conn stays until the DONE, and
 *                          everything asked before is answered into it
 *                          (one that is lost and may come back sends a PING in
 *                          its place, and then is as the next)
 *            RST, cap …    client_fini(): nobody is left to be answered; the
 *                          ticket tells the hub. If ATTACH is under way, it
 *                          is in front of the DETACH, which names the conn
 *            kick          EVENT_ENDED: there is no session to detach
 * Leaving  Those who wait for their DONE are listed by time. One timer a front
 *          sees to it that this, too, ends.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "loop/worker.h"
#include "net/conns.h"
#include "proto/front_priv.h"

static void
count_client(struct client *cl, uint64_t by)
{
    struct front_counters *const counters = &cl->front->counters;
    char *const base = (char *)counters;

    metric_add(&counters->clients, by);
    if (cl->protocol->gauge != 0)
        metric_add((_Atomic uint64_t *)(void *)(base + cl->protocol->gauge),
                   by);
}

int
client_init(struct client *cl, struct front *f, struct conn *c,
            const struct protocol *protocol)
{
    struct hub_ticket *const ticket = hub_ticket_create();

    if (ticket == NULL)
        return -ENOMEM;

    cl->front = f;
    cl->conn = c;
    cl->protocol = protocol;
    cl->ticket = ticket;
    cl->state = CLIENT_STRANGER;
    list_init(&cl->rooms);
    list_link_init(&cl->waiting);
    bucket_init(&cl->rate, front_now_ms(f),
                (uint32_t)f->conf.limits_message_burst);
    list_push_back(&f->clients, &cl->of_front);
    count_client(cl, 1);
    return 0;
}

/* By the ticket, which cannot fail. */
void
client_bid_farewell(struct client *cl, enum detach_how how, const char *why)
{
    struct hub_farewell f = {
        .from =
            {
                   .conn = conn_get_id(cl->conn),
                   .request = window_next_tag(cl->front),
                   },
        .how = how,
        .why = why,
    };

    client_measure(cl, &f);
    hub_thread_detach(cl->front->env.hub, cl->ticket, &f);
    cl->ticket = NULL;
    cl->owes = false;
    window_count_sent(cl, f.from.request);
}

static void
leave_rooms(struct client *cl)
{
    struct list_link *link;

    while ((link = list_first(&cl->rooms)) != NULL)
        view_leave(&cl->front->view,
                   CONTAINER_OF(link, struct view_member, of_client));
}

static void
stop_waiting(struct client *cl)
{
    struct front *const f = cl->front;

    window_forget(cl);
    if (list_is_empty(&f->leaving))
        wheel_disarm(worker_wheel(conns_worker(f->conns)), &f->leave_timer);
}

/* Who never saw its token could not come back. Who was about to come back is
 * where it was before. */
static enum detach_how
farewell_of(const struct client *cl)
{
    if (cl->front->is_stopping)
        return DETACH_QUIT;
    if (!cl->is_attached)
        return cl->revival != NULL ? DETACH_UNHEARD : DETACH_QUIT;
    return DETACH_LOST;
}

void
client_fini(struct client *cl, const char *why)
{
    struct front *const f = cl->front;

    /* conn_close() calls on_closed at the end of the turn, never inside. */
    ASSERT(!f->is_delivering);

    leave_rooms(cl);
    front_count_view(f);
    if (cl->owes)
        client_bid_farewell(cl, farewell_of(cl), why);
    hub_ticket_destroy(cl->ticket);
    stop_waiting(cl);
    client_forget_revival(cl);
    client_track_fini(cl);
    list_remove(&cl->of_front);
    count_client(cl, UINT64_MAX); /* one less */
    free(cl->nick);
}

/* -- asking ---------------------------------------------------------------- */

int
client_send_command(struct client *cl, struct command *c)
{
    const uint32_t tag = window_next_tag(cl->front);
    int rc;

    c->session = cl->session;
    c->from.conn = conn_get_id(cl->conn);
    c->from.request = tag;
    rc = hub_thread_send(cl->front->env.hub, c);
    if (rc == 0)
        window_count_sent(cl, tag);
    return rc;
}

int
client_attach(struct client *cl, struct slice nick)
{
    struct command c = {.kind = COMMAND_ATTACH, .name = nick};
    int rc;

    ASSERT(cl->state == CLIENT_STRANGER);

    c.resumable = cl->front->conf.session_linger > 0;
    if (c.resumable)
        token_secret_random(&c.secret);
    rc = client_send_command(cl, &c);
    if (rc < 0)
        return rc;
    cl->state = CLIENT_ASKED;
    cl->owes = true;
    window_hold(cl);
    return 0;
}

int
client_send(struct client *cl, struct command *c, uint32_t *request)
{
    int rc;

    ASSERT(cl->state == CLIENT_MEMBER);

    rc = client_send_command(cl, c);
    if (rc < 0)
        return rc;
    window_limit(cl);
    if (request != NULL)
        *request = cl->last_request;
    return 0;
}

/* The bucket lets nothing through: wait, and tell it once until it has calmed
 * down so far that half of its burst is there again. */
static void
slow_down(struct client *cl, uint64_t wait_ms, bool *warn)
{
    metric_add(&cl->front->counters.rate_pauses, 1);
    conn_pause_for(cl->conn, CONN_PAUSE_RATE, wait_ms);
    *warn = !cl->warned_rate;
    cl->warned_rate = true;
}

bool
client_may_talk(struct client *cl, uint32_t cost, uint64_t now_ms, bool *warn)
{
    const struct proto_conf *const conf = client_conf(cl);
    const uint32_t burst = (uint32_t)conf->limits_message_burst;
    uint64_t wait_ms;

    *warn = false;
    if (cl->is_held || !client_hears(cl))
        return false;

    wait_ms = bucket_take(&cl->rate, now_ms,
                          (uint32_t)conf->limits_message_rate, burst, cost);
    if (wait_ms > 0) {
        slow_down(cl, wait_ms, warn);
        return false;
    }
    if (cl->rate.millitokens >= (int64_t)burst * 500)
        cl->warned_rate = false;
    return true;
}

const struct proto_conf *
client_conf(const struct client *cl)
{
    return &cl->front->conf;
}

/* -- leaving --------------------------------------------------------------- */

/* Until it is drained anyway; 0: that is now. */
static uint32_t
time_left(const struct client *cl, uint64_t now_ms)
{
    const int32_t left = (int32_t)(cl->leave_by - (uint32_t)now_ms);

    return left > 0 ? (uint32_t)left : 0;
}

static void
arm_leave_timer(struct front *f)
{
    struct wheel *const wheel = worker_wheel(conns_worker(f->conns));
    struct list_link *const link = list_first(&f->leaving);
    const uint64_t now_ms = front_now_ms(f);

    if (link == NULL)
        wheel_disarm(wheel, &f->leave_timer);
    else
        wheel_arm(wheel, &f->leave_timer,
                  now_ms + time_left(CONTAINER_OF(link, struct client, waiting),
                                     now_ms));
}

static void
wait_for_done(struct client *cl)
{
    struct front *const f = cl->front;
    const uint64_t patience_ms = conns_conf(f->conns)->timeouts_drain;

    cl->leave_by = (uint32_t)(front_now_ms(f) + patience_ms);
    conn_put_off(cl->conn, 2 * patience_ms); /* leave() comes first */
    window_forget(cl);
    list_push_back(&f->leaving, &cl->waiting);
    arm_leave_timer(f);
}

static void
send_detach(struct client *cl, enum detach_how how, struct slice why)
{
    struct command c = {.kind = COMMAND_DETACH, .how = how, .text = why};

    if (client_send_command(cl, &c) < 0)
        client_bid_farewell(cl, how, "");
    cl->owes = false;
    cl->detach_request = cl->last_request;
}

/* Its DONE comes when all that was asked before is answered; the farewell comes
 * later. Without memory for it, the conn ends at once. */
static void
send_barrier(struct client *cl)
{
    struct command c = {.kind = COMMAND_PING};

    if (client_send_command(cl, &c) < 0)
        conn_close(cl->conn, CONN_END_NOMEM);
    cl->detach_request = cl->last_request;
}

void
client_detach(struct client *cl, enum detach_how how, struct slice why,
              enum conn_end end)
{
    if (cl->state == CLIENT_GONE)
        return;

    cl->state = CLIENT_GONE;
    cl->end = (uint8_t)end;
    if (!cl->owes) {
        conn_drain(cl->conn, end);
        return;
    }
    if (how == DETACH_LOST && client_is_resumable(cl))
        send_barrier(cl);
    else
        send_detach(cl, how, why);
    window_hold(cl);
    wait_for_done(cl);
}

/* Hears no more: the rest is flushed and the conn ends. */
static void
leave(struct client *cl)
{
    cl->detach_request = 0;
    stop_waiting(cl);
    client_stop_hearing(cl);
    leave_rooms(cl);
    conn_drain(cl->conn, (enum conn_end)cl->end);
}

void
client_on_leave_due(struct wheel_timer *t, uint64_t now_ms)
{
    struct front *const f = CONTAINER_OF(t, struct front, leave_timer);
    struct list_link *link;

    while ((link = list_first(&f->leaving)) != NULL) {
        struct client *const cl = CONTAINER_OF(link, struct client, waiting);

        if (time_left(cl, now_ms) > 0)
            break;
        leave(cl);
    }
    front_count_view(f);
    arm_leave_timer(f);
}

/* -- what the hub says ----------------------------------------------------- */

bool
client_hears(const struct client *cl)
{
    const bool is_open = conn_get_state(cl->conn) < CONN_DRAINING;

    ASSERT(!is_open || cl->state != CLIENT_GONE || cl->detach_request != 0);
    return is_open;
}

static void
take_nick(struct client *cl, struct slice nick)
{
    char *const copy = strndup(nick.data, nick.len);

    if (copy == NULL) {
        conn_close(cl->conn, CONN_END_NOMEM);
        return;
    }
    free(cl->nick);
    cl->nick = copy;
}

void
client_enter(struct client *cl, const struct event *e)
{
    cl->session = e->who.session;
    cl->state = CLIENT_MEMBER;
    cl->is_attached = true;
    take_nick(cl, e->who.nick);
}

bool
client_on_attached(struct client *cl, const struct event *e)
{
    if (cl->state != CLIENT_ASKED)
        return false;

    client_enter(cl, e);
    return true;
}

bool
client_on_refused(struct client *cl, const struct event *e)
{
    if (e->refusal == REFUSAL_NO_MEMORY && client_is_behind(cl)) {
        /* It lacks a room, or what it missed: it may come back for it. */
        conn_close(cl->conn, CONN_END_NOMEM);
        return false;
    }
    if (cl->state != CLIENT_ASKED) /* it asks no more, and was told so */
        return e->refusal != REFUSAL_SESSION_BUSY;
    if (e->refusal == REFUSAL_SESSION_BUSY && client_try_again(cl))
        return false;
    client_forget_revival(cl);
    cl->state = CLIENT_STRANGER;
    cl->owes = false;
    return true;
}

bool
client_is_resumable(const struct client *cl)
{
    return cl->front->conf.session_linger > 0;
}

void
client_on_renamed(struct client *cl, const struct event *e)
{
    take_nick(cl, e->name);
}

void
client_on_ended(struct client *cl, enum conn_end end)
{
    if (cl->state != CLIENT_GONE) {
        cl->state = CLIENT_GONE;
        cl->end = (uint8_t)end;
    }
    if (cl->owes && end == CONN_END_REPLACED)
        client_bid_farewell(
            cl, cl->is_attached ? DETACH_REPLACED : farewell_of(cl), "");
    cl->owes = false;
    leave(cl);
}

void
client_on_done(struct client *cl, uint32_t tag)
{
    switch ((enum client_state)cl->state) {
    case CLIENT_STRANGER:
    case CLIENT_MEMBER:
        window_release(cl);
        break;
    case CLIENT_ASKED:
        /* Neither ATTACHED nor REFUSED came: the hub's memory was short. Unless
         * it has asked again since. */
        if (!client_tries_again(cl) && !window_is_after(cl->last_request, tag))
            conn_close(cl->conn, CONN_END_NOMEM);
        break;
    case CLIENT_GONE:
        if (cl->detach_request != 0 &&
            !window_is_after(cl->detach_request, tag))
            leave(cl);
        break;
    }
}
