/* SPDX-License-Identifier: BSD-2-Clause
 *
 * conn_read - input: from the socket to the protocol.
 *
 * Shape    The worker's buffer takes what is kept of this conn, then what is
 *          read; on_bytes sees both as one; what it leaves is kept again.
 *          Reading goes on to EAGAIN, EOF or an error, also after a short
 *          read: urgent data makes TCP stop short with more behind it.
 * Bounds   recvq a turn; then the conn goes to the back of the ready list. A
 *          protocol that reads on and leaves more than CONN_KEPT_MAX has no use
 *          for it, and the conn ends. So before each recv() the buffer holds at
 *          most that, and recvq more fits behind.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "net/conn_priv.h"

#define KEPT_STEP 64u

bool
conn_is_reading(const struct conn *c)
{
    return conn_is_serving(c) && c->pauses == 0;
}

/* -- what waits for more --------------------------------------------------- */

void
conn_drop_kept(struct conn *c)
{
    metric_sub(&c->conns->counters.kept_bytes, c->kept_len);
    free(c->kept);
    c->kept = NULL;
    c->kept_len = 0;
    c->kept_cap = 0;
}

/* Copies what is kept to the front of the buffer; how much that is. */
static size_t
fetch_kept(const struct conn *c)
{
    if (c->kept_len > 0)
        memcpy(c->conns->buffer, c->kept, c->kept_len);
    return c->kept_len;
}

static int
make_room_to_keep(struct conn *c, size_t len)
{
    const size_t cap = (len + KEPT_STEP - 1) / KEPT_STEP * KEPT_STEP;
    char *room;

    if (len <= c->kept_cap)
        return 0;

    room = realloc(c->kept, cap);
    if (room == NULL)
        return -ENOMEM;
    c->kept = room;
    c->kept_cap = (uint32_t)cap;
    return 0;
}

/* Keeps the first `len` bytes of the buffer, instead of what was kept. */
static void
keep(struct conn *c, size_t len)
{
    if (len == 0) {
        conn_drop_kept(c);
        return;
    }
    if (make_room_to_keep(c, len) < 0) {
        conn_close(c, CONN_END_NOMEM);
        return;
    }

    memcpy(c->kept, c->conns->buffer, len);
    metric_add(&c->conns->counters.kept_bytes, len - c->kept_len);
    c->kept_len = (uint32_t)len;
}

/* -- offering -------------------------------------------------------------- */

/* Shows the protocol the first `len` bytes of the buffer, and a new protocol
 * what the old one left. How many are left over, moved to the front. */
static size_t
offer(struct conn *c, size_t len)
{
    char *const data = c->conns->buffer;
    size_t used = 0;

    c->flags &= (uint8_t)~CONN_REOFFER;
    while (used < len && conn_is_reading(c)) {
        const struct conn_ops *const ops = c->ops;
        const size_t n = ops->on_bytes(c, data + used, len - used);

        ASSERT(n <= len - used);
        used += n;
        if (c->ops == ops)
            break;
    }

    len -= used;
    if (used > 0 && len > 0)
        memmove(data, data + used, len);
    if (conn_is_reading(c) && len > CONN_KEPT_MAX)
        conn_close(c, CONN_END_PROTOCOL);
    return len;
}

static void
count_read(struct conn *c, size_t bytes)
{
    struct conns_counters *const counters = &c->conns->counters;

    metric_add(&counters->reads, 1);
    metric_add(&counters->bytes_in, bytes);
    c->bytes_in += bytes;
    c->heard_ms = conn_now_ms(c);
    if (c->state == CONN_OPEN)
        c->alive_ms = c->heard_ms;
}

/* -- reading --------------------------------------------------------------- */

/* All that came was offered, but for `rest` bytes that nobody wanted. */
static void
on_eof(struct conn *c, size_t rest)
{
    c->flags |= CONN_AT_EOF;
    conn_drop_kept(c);
    conn_arm(c, conn_now_ms(c) + c->conns->conf.timeouts_drain);
    c->ops->on_eof(c, rest);
}

/* There is no more to read for now: got is 0, -EAGAIN or another error. */
static void
on_no_more(struct conn *c, ssize_t got, size_t rest)
{
    if ((c->flags & CONN_BROKEN) != 0) {
        conn_close(c, c->end);
    } else if (got == 0) {
        on_eof(c, rest);
    } else if (got != -EAGAIN) {
        c->flags |= CONN_BROKEN;
        conn_close(c, conn_end_of((int)got));
    } else {
        keep(c, rest);
    }
}

static void
read_and_offer(struct conn *c)
{
    struct conns *const cs = c->conns;
    size_t budget = cs->recvq;
    size_t len = fetch_kept(c);

    while (conn_is_reading(c)) {
        ssize_t got;

        if ((c->flags & CONN_REOFFER) != 0) {
            len = offer(c, len);
            continue;
        }
        if (budget == 0)
            break;
        got = conn_socket_recv(c, cs->buffer + len, budget);
        if (got <= 0) {
            on_no_more(c, got, len);
            return;
        }
        count_read(c, (size_t)got);
        budget -= (size_t)got;
        len = offer(c, len + (size_t)got);
    }

    if (conn_is_serving(c))
        keep(c, len);
    if (conn_is_reading(c))
        conns_mark_ready(cs, c);
}

void
conn_read(struct conn *c)
{
    struct conns *const cs = c->conns;

    ASSERT(cs->reading == NULL);

    cs->reading = c;
    if (c->state == CONN_DRAINING)
        conn_drain_read(c);
    else if (conn_is_reading(c) && (c->flags & CONN_AT_EOF) == 0)
        read_and_offer(c);
    cs->reading = NULL;
}

/* -- pausing --------------------------------------------------------------- */

/* From here on its silence counts anew. */
static void
count_alive(struct conn *c)
{
    if (c->state == CONN_OPEN)
        c->alive_ms = conn_now_ms(c);
}

static void
count_paused(struct conn *c, uint8_t before)
{
    if (before == 0 && c->pauses != 0)
        metric_add(&c->conns->counters.paused, 1);
    else if (before != 0 && c->pauses == 0)
        metric_sub(&c->conns->counters.paused, 1);
}

/* It has timeouts.slow from now on; or the deadline of its end, if it is at
 * EOF. */
static void
wait_for_peer(struct conn *c)
{
    if (c->state != CONN_OPEN || (c->flags & (CONN_AT_EOF | CONN_BROKEN)) != 0)
        return;
    count_alive(c);
    conn_arm(c, conn_now_ms(c) + c->conns->conf.timeouts_slow);
}

void
conn_pause(struct conn *c, enum conn_pause why)
{
    const uint8_t before = c->pauses;

    ASSERT_OWNER(c->conns->worker);

    if (!conn_is_serving(c))
        return;
    c->pauses |= (uint8_t)why;
    count_paused(c, before);
    if (before == 0)
        count_alive(c);
    if ((why & CONN_PAUSES_FOR_PEER) != 0 &&
        (before & CONN_PAUSES_FOR_PEER) == 0)
        wait_for_peer(c);
}

void
conn_resume(struct conn *c, enum conn_pause why)
{
    const uint8_t before = c->pauses;

    ASSERT_OWNER(c->conns->worker);

    c->pauses &= (uint8_t)~why;
    count_paused(c, before);
    conn_timers_resumed(c, why);
    if (before == 0 || !conn_is_reading(c))
        return;

    /* Events that came during the pause are gone, hence the ready list. */
    c->flags |= CONN_REOFFER;
    count_alive(c);
    conns_mark_ready(c->conns, c);
}

void
conn_unpause(struct conn *c)
{
    const uint8_t before = c->pauses;

    c->pauses = 0;
    count_paused(c, before);
}
