/* SPDX-License-Identifier: BSD-2-Clause
 *
 * conn_write - output: from the protocol to the socket.
 *
 * Shape    conn_queue() only appends and puts the conn on the dirty list. At
 *          the end of the turn conn_flush() writes as much as the kernel takes,
 *          so what a turn said goes out in one call.
 * Stall    The kernel refuses (EAGAIN): the conn is BLOCKED and leaves the
 *          dirty list, EPOLLOUT is watched, and its event puts it back. Once
 *          the queue is empty EPOLLOUT is watched no longer.
 * Behind   Who is given less than sendq at once (conn_has_room) is given the
 *          rest when it has taken that (conn_await_drained).
 * Marks    Over a quarter of sendq a conn is not read, until it is under an
 *          eighth; what would pass sendq ends it.
 */
#include <errno.h>
#include <sys/epoll.h>

#include "base/assert.h"
#include "base/msg.h"
#include "net/conn_priv.h"

#define INPUT_EVENTS (EPOLLIN | EPOLLRDHUP | EPOLLET)

/* -- queueing -------------------------------------------------------------- */

bool
conn_takes_output(const struct conn *c)
{
    return conn_is_serving(c) && (c->flags & CONN_BROKEN) == 0;
}

static bool
has_room(const struct conn *c, size_t len)
{
    const uint64_t cap = c->conns->conf.limits_sendq;

    return len <= cap && c->out.bytes <= cap - len;
}

/* A burst may fill the queue within one turn, and that is no fault of a peer
 * that reads: what can go out now does before the conn is given up. Also when
 * the kernel took no more earlier in this turn: it may meanwhile, and we hear
 * of that only in the next. */
bool
conn_has_room(struct conn *c, size_t len)
{
    ASSERT_OWNER(c->conns->worker);

    if (!conn_takes_output(c) || has_room(c, len))
        return true;
    c->flags &= (uint8_t)~CONN_BLOCKED;
    conn_flush(c);
    return !conn_takes_output(c) || has_room(c, len);
}

static int
make_room(struct conn *c, uint32_t len)
{
    const bool fits = conn_has_room(c, len);

    if (!conn_takes_output(c))
        return -ESHUTDOWN;
    if (!fits) {
        conn_close(c, CONN_END_SENDQ);
        return -ENOBUFS;
    }
    return 0;
}

static void
count_queued(struct conn *c, size_t bytes)
{
    struct conns_counters *const counters = &c->conns->counters;

    metric_add(&counters->queued_msgs, 1);
    metric_add(&counters->queued_bytes, bytes);
    metric_add(&counters->pending_msgs, 1);
    metric_add(&counters->pending_bytes, bytes);
}

/* Takes the reference over unless it fails. */
static int
append(struct conn *c, struct msg *m)
{
    const uint32_t len = m->len;
    int rc;

    rc = make_room(c, len);
    if (rc < 0)
        return rc;

    rc = wqueue_push(&c->out, &c->conns->chunks, m);
    if (rc < 0) {
        conn_close(c, CONN_END_NOMEM);
        return -ENOMEM;
    }

    count_queued(c, len);
    if (c->out.bytes > c->conns->conf.limits_sendq / 4)
        conn_pause(c, CONN_PAUSE_QUEUE);
    if ((c->flags & CONN_BLOCKED) == 0)
        conns_mark_dirty(c->conns, c);
    return 0;
}

int
conn_queue_take(struct conn *c, struct msg *m)
{
    int rc = -ESHUTDOWN;

    ASSERT_OWNER(c->conns->worker);

    if (!conn_takes_output(c))
        goto fail;
    if (m == NULL) {
        conn_close(c, CONN_END_NOMEM);
        return -ENOMEM;
    }
    if (m->len == 0) {
        msg_unref(m);
        return 0;
    }

    rc = append(c, m);
    if (rc < 0)
        goto fail;
    return 0;

fail:
    msg_unref(m);
    return rc;
}

int
conn_queue(struct conn *c, struct msg *m)
{
    return conn_queue_take(c, msg_ref(m));
}

static void
read_on_if_low(struct conn *c)
{
    if ((c->pauses & CONN_PAUSE_QUEUE) != 0 &&
        c->out.bytes < c->conns->conf.limits_sendq / 8)
        conn_resume(c, CONN_PAUSE_QUEUE);
}

static void
count_dropped(struct conn *c, size_t msgs, size_t bytes)
{
    struct conns_counters *const counters = &c->conns->counters;

    metric_add(&counters->dropped_msgs, msgs);
    metric_add(&counters->dropped_bytes, bytes);
    metric_sub(&counters->pending_msgs, msgs);
    metric_sub(&counters->pending_bytes, bytes);
}

void
conn_drop_queue(struct conn *c)
{
    const uint32_t bytes = c->out.bytes;

    count_dropped(c, wqueue_clear(&c->out, &c->conns->chunks), bytes);
}

void
conn_drop_unsent(struct conn *c)
{
    const uint32_t bytes = c->out.bytes;
    size_t msgs;

    ASSERT_OWNER(c->conns->worker);

    msgs = wqueue_cut(&c->out, &c->conns->chunks);
    count_dropped(c, msgs, bytes - c->out.bytes);
    read_on_if_low(c);
}

uint64_t
conn_queued_upto(const struct conn *c)
{
    return c->bytes_out + c->out.bytes;
}

/* -- writing --------------------------------------------------------------- */

/* Asks for EPOLLOUT, or no longer. */
static void
watch_output(struct conn *c, bool wanted)
{
    const uint32_t events = INPUT_EVENTS | (wanted ? EPOLLOUT : 0u);
    const bool is_watched = (c->flags & CONN_WATCHED) != 0;

    if (wanted == is_watched)
        return;
    if (reactor_modify(worker_reactor(c->conns->worker), &c->source, c->fd,
                       events) < 0) {
        conn_close(c, CONN_END_NOMEM);
        return;
    }
    c->flags ^= CONN_WATCHED;
}

static void
count_written(struct conn *c, size_t bytes, size_t whole)
{
    struct conns_counters *const counters = &c->conns->counters;

    metric_add(&counters->writes, 1);
    metric_add(&counters->bytes_out, bytes);
    metric_add(&counters->sent_bytes, bytes);
    metric_add(&counters->sent_msgs, whole);
    metric_sub(&counters->pending_bytes, bytes);
    metric_sub(&counters->pending_msgs, whole);
    c->bytes_out += bytes;
    if (c->state == CONN_OPEN && (c->pauses & CONN_PAUSES_FOR_PEER) != 0)
        c->alive_ms = conn_now_ms(c);
}

static void
on_refused(struct conn *c, int error)
{
    if (error != -EAGAIN) {
        conn_break(c, conn_end_of(error));
        return;
    }

    metric_add(&c->conns->counters.stalled_writes, 1);
    c->flags |= CONN_BLOCKED;
    list_remove(&c->dirty);
    watch_output(c, true);
}

static void
write_queue(struct conn *c)
{
    size_t budget = CONN_WRITE_BUDGET;

    while (!wqueue_is_empty(&c->out)) {
        const ssize_t sent = conn_socket_send(c);

        if (sent < 0) {
            on_refused(c, (int)sent);
            return;
        }
        count_written(c, (size_t)sent,
                      wqueue_consume(&c->out, &c->conns->chunks, (size_t)sent));
        if ((size_t)sent >= budget) {
            conns_mark_dirty(c->conns, c);
            return;
        }
        budget -= (size_t)sent;
    }
}

void
conn_flush(struct conn *c)
{
    write_queue(c);
    if (c->state == CONN_CLOSED)
        return;

    read_on_if_low(c);
    if (!wqueue_is_empty(&c->out))
        return;
    watch_output(c, false);
    if (c->state == CONN_DRAINING)
        conn_drain_flushed(c);
}

void
conn_await_drained(struct conn *c)
{
    ASSERT_OWNER(c->conns->worker);

    if (!conn_is_serving(c))
        return;
    c->flags |= CONN_AWAITED;
    if ((c->flags & CONN_BLOCKED) == 0)
        conns_mark_dirty(c->conns, c);
}

/* A small queue would otherwise count as drained when it is full. */
bool
conn_is_drained(const struct conn *c)
{
    return c->out.bytes <= CONN_DRAINED_BYTES &&
           c->out.bytes <= c->conns->conf.limits_sendq / 8;
}

void
conn_take_turn(struct conn *c)
{
    conn_flush(c);
    if ((c->flags & CONN_AWAITED) == 0 || !conn_is_serving(c) ||
        !conn_is_drained(c))
        return;

    c->flags &= (uint8_t)~CONN_AWAITED;
    c->ops->on_drained(c);
}

void
conn_unblock(struct conn *c)
{
    c->flags &= (uint8_t)~CONN_BLOCKED;
    /* The queue may have been dropped while on_drained was asked for. */
    if (!wqueue_is_empty(&c->out) || (c->flags & CONN_AWAITED) != 0)
        conns_mark_dirty(c->conns, c);
}
