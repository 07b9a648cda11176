/* SPDX-License-Identifier: BSD-2-Clause
 *
 * conn_drain - the goodbye: nothing that was queued is lost by closing.
 *
 * Closing a TCP socket that has unread input makes the kernel send a RST, and
 * the peer's kernel may then throw away what it had received but its program
 * had not yet read. So a draining conn
 *
 *   1. writes its queue; meanwhile and afterwards it reads and forgets input;
 *   2. shuts its side down, which sends a FIN behind the last byte;
 *   3. closes when the peer's FIN was read. A peer that keeps its side open
 *      has CONN_GRACE_MS from 2 on; then it is enough that its kernel has
 *      acknowledged everything. When the server is about to exit, that is
 *      enough at once;
 *   4. closes at drain_by_ms at the latest.
 */
#include <errno.h>
#include <sys/socket.h>

#include "base/assert.h"
#include "net/conn_priv.h"

static bool
is_shut(const struct conn *c)
{
    return (c->flags & CONN_SHUT) != 0;
}

void
conn_drain(struct conn *c, enum conn_end end)
{
    ASSERT_OWNER(c->conns->worker);

    if (!conn_is_serving(c))
        return;
    if ((c->flags & CONN_BROKEN) != 0) {
        conn_close(c, c->end);
        return;
    }

    conn_timers_stop(c);
    conn_unpause(c);
    conn_drop_kept(c);
    conn_arm_for(c, CONN_DRAINING);
    c->end = (uint8_t)end;
    conn_set_state(c, CONN_DRAINING);

    if ((c->flags & CONN_BLOCKED) == 0)
        conns_mark_dirty(c->conns, c);
    conns_mark_ready(c->conns, c);
}

/* When to look next whether the peer has it all. */
static void
arm_next_look(struct conn *c, uint64_t now_ms)
{
    const uint64_t step_ms = c->conns->hastens ? CONN_HASTE_MS : CONN_GRACE_MS;
    const uint64_t due_ms = now_ms + step_ms;

    conn_arm(c, due_ms < c->drain_by_ms ? due_ms : c->drain_by_ms);
}

void
conn_drain_flushed(struct conn *c)
{
    if (!is_shut(c)) {
        /* It fails when the peer has reset: then reading tells. */
        (void)shutdown(c->fd, SHUT_WR);
        c->flags |= CONN_SHUT;
        arm_next_look(c, conn_now_ms(c));
    }

    if ((c->flags & CONN_AT_EOF) != 0 ||
        (c->conns->hastens && conn_socket_is_acked(c)))
        conn_close(c, c->end);
}

void
conn_drain_due(struct conn *c, uint64_t now_ms)
{
    if (is_shut(c) && conn_socket_is_acked(c))
        conn_close(c, c->end);
    else if (now_ms >= c->drain_by_ms)
        conn_close(c, CONN_END_DRAIN);
    else
        arm_next_look(c, now_ms);
}

void
conn_drain_hasten(struct conn *c)
{
    if (c->state == CONN_DRAINING && is_shut(c))
        conn_arm(c, conn_now_ms(c));
}

static void
on_no_more(struct conn *c, ssize_t got)
{
    if (got == -EAGAIN)
        return;
    if (got < 0) {
        conn_break(c, conn_end_of((int)got));
        return;
    }

    c->flags |= CONN_AT_EOF;
    if (is_shut(c))
        conn_close(c, c->end);
}

void
conn_drain_read(struct conn *c)
{
    struct conns *const cs = c->conns;
    size_t budget = cs->recvq;

    while ((c->flags & CONN_AT_EOF) == 0) {
        const ssize_t got = conn_socket_recv(c, cs->buffer, budget);

        if (got <= 0) {
            on_no_more(c, got);
            return;
        }
        metric_add(&cs->counters.reads, 1);
        metric_add(&cs->counters.bytes_in, (uint64_t)got);
        c->bytes_in += (uint64_t)got;
        budget -= (size_t)got;
        if (budget == 0) {
            conns_mark_ready(cs, c);
            return;
        }
    }
}
