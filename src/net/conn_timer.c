/* SPDX-License-Identifier: BSD-2-Clause
 *
 * conn_timer - what happens to a conn when nothing happens.
 *
 * Shape    Each conn has one deadline, armed from adoption to close, whose
 *          meaning follows from its state; and, while it is paused for a time,
 *          one timer to resume reading.
 *
 * Heartbeat  The deadline of OPEN is not moved with each byte that comes: when
 *          it is due and something was heard meanwhile, it moves on. A conn
 *          that we do not read cannot be heard; that is not held against it,
 *          unless it is we who wait for it to read.
 */
#include "base/assert.h"
#include "net/conn_priv.h"

uint64_t
conn_now_ms(const struct conn *c)
{
    return worker_now_ms(c->conns->worker);
}

void
conn_count_deadless(struct conn *c)
{
    if (c->state == CONN_CLOSED || wheel_is_armed(&c->deadline))
        return;

    c->flags |= CONN_DEADLESS;
    metric_add(&c->conns->counters.without_deadline, 1);
}

static void
uncount_deadless(struct conn *c)
{
    if ((c->flags & CONN_DEADLESS) == 0)
        return;

    c->flags &= (uint8_t)~CONN_DEADLESS;
    metric_sub(&c->conns->counters.without_deadline, 1);
}

void
conn_arm(struct conn *c, uint64_t due_ms)
{
    wheel_arm(worker_wheel(c->conns->worker), &c->deadline, due_ms);
    uncount_deadless(c);
}

void
conn_arm_for(struct conn *c, enum conn_state state)
{
    const struct net_conf *const conf = &c->conns->conf;
    const uint64_t now_ms = conn_now_ms(c);

    switch (state) {
    case CONN_ACCEPTED:
    case CONN_DETECT:
        conn_arm(c, now_ms + conf->timeouts_detect);
        break;
    case CONN_OPENING:
        conn_arm(c, now_ms + conf->timeouts_opening);
        break;
    case CONN_OPEN:
        c->alive_ms = now_ms;
        conn_arm(c, now_ms + conf->timeouts_idle_ping);
        break;
    case CONN_DRAINING:
        c->drain_by_ms = now_ms + conf->timeouts_drain;
        conn_arm(c, c->drain_by_ms);
        break;
    case CONN_CLOSED:
        break;
    }
}

void
conn_rearm(struct conn *c)
{
    if (c->state == CONN_OPEN && (c->flags & (CONN_AT_EOF | CONN_BROKEN)) == 0)
        conn_arm(c, c->alive_ms + c->conns->conf.timeouts_idle_ping);
}

static void
tell_deadline(struct conn *c)
{
    if (c->ops->on_deadline != NULL)
        c->ops->on_deadline(c);
}

/* We wait for the peer to read what is queued, and read nothing meanwhile. */
static void
on_unread_queue(struct conn *c)
{
    const uint64_t end_ms = c->alive_ms + c->conns->conf.timeouts_slow;

    if (conn_now_ms(c) >= end_ms)
        conn_close(c, CONN_END_SENDQ);
    else
        conn_arm(c, end_ms);
}

static void
on_heartbeat(struct conn *c)
{
    const struct net_conf *const conf = &c->conns->conf;
    const uint64_t quiet_ms = conn_now_ms(c) - c->alive_ms;

    if ((c->pauses & CONN_PAUSES_FOR_PEER) != 0) {
        on_unread_queue(c);
    } else if (quiet_ms < conf->timeouts_idle_ping) {
        conn_rearm(c);
    } else {
        conn_arm(c, conn_now_ms(c) + conf->timeouts_pong);
        if (c->pauses == 0)
            tell_deadline(c);
    }
}

void
conn_put_off(struct conn *c, uint64_t delay_ms)
{
    ASSERT_OWNER(c->conns->worker);

    if (c->state < CONN_OPEN)
        conn_arm(c, conn_now_ms(c) + delay_ms);
}

static void
on_not_opened(struct conn *c)
{
    tell_deadline(c);
    if (c->state != CONN_CLOSED && !wheel_is_armed(&c->deadline))
        conn_close(c, CONN_END_OPENING);
}

/* What on_eof promised, or the last input of a broken socket, did not come. */
static void
on_late_end(struct conn *c)
{
    const bool is_broken = (c->flags & CONN_BROKEN) != 0;

    conn_close(c, is_broken ? (enum conn_end)c->end : CONN_END_EOF);
}

static void
run_deadline(struct conn *c, uint64_t now_ms)
{
    switch ((enum conn_state)c->state) {
    case CONN_ACCEPTED:
    case CONN_DETECT:
    case CONN_OPENING:
        on_not_opened(c);
        break;
    case CONN_OPEN:
        on_heartbeat(c);
        break;
    case CONN_DRAINING:
        conn_drain_due(c, now_ms);
        break;
    case CONN_CLOSED:
        break; /* closing disarmed it */
    }
}

static void
on_due(struct wheel_timer *t, uint64_t now_ms)
{
    struct conn *const c = CONTAINER_OF(t, struct conn, deadline);

    if (conn_is_serving(c) && (c->flags & (CONN_AT_EOF | CONN_BROKEN)) != 0)
        on_late_end(c);
    else
        run_deadline(c, now_ms);
    conn_count_deadless(c);
}

static void
drop_resumption(struct conn *c)
{
    if (c->resumption == NULL)
        return;
    wheel_disarm(worker_wheel(c->conns->worker), &c->resumption->timer);
    slab_put(&c->conns->resumptions, c->resumption);
    c->resumption = NULL;
}

void
conn_timers_resumed(struct conn *c, enum conn_pause why)
{
    struct conn_resumption *const r = c->resumption;

    if (r == NULL)
        return;
    r->pauses &= ~(unsigned)why;
    if (r->pauses == 0)
        drop_resumption(c);
}

static void
on_resumption(struct wheel_timer *t, uint64_t now_ms)
{
    struct conn_resumption *const r =
        CONTAINER_OF(t, struct conn_resumption, timer);

    conn_resume(r->conn, (enum conn_pause)r->pauses);
}

/* The conn's, made if it has none. NULL: no memory. */
static struct conn_resumption *
get_resumption(struct conn *c)
{
    struct conn_resumption *r = c->resumption;

    if (r != NULL)
        return r;
    r = slab_get(&c->conns->resumptions);
    if (r == NULL)
        return NULL;
    r->conn = c;
    r->pauses = 0;
    wheel_timer_init(&r->timer, on_resumption);
    c->resumption = r;
    return r;
}

void
conn_pause_for(struct conn *c, enum conn_pause why, uint64_t delay_ms)
{
    struct conn_resumption *r;

    conn_pause(c, why);
    if (!conn_is_serving(c))
        return;

    r = get_resumption(c);
    if (r == NULL) {
        conn_close(c, CONN_END_NOMEM); /* or it would never be read again */
        return;
    }
    r->pauses |= (unsigned)why;
    wheel_arm(worker_wheel(c->conns->worker), &r->timer,
              conn_now_ms(c) + delay_ms);
}

void
conn_timers_init(struct conn *c)
{
    wheel_timer_init(&c->deadline, on_due);
}

void
conn_timers_stop(struct conn *c)
{
    struct wheel *const wheel = worker_wheel(c->conns->worker);

    wheel_disarm(wheel, &c->deadline);
    drop_resumption(c);
    uncount_deadless(c);
}
