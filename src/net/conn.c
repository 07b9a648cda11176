/* SPDX-License-Identifier: BSD-2-Clause
 *
 * conn - from birth to death, and what others ask. See conn_priv.h for where
 * the rest is.
 */
#include "net/conn.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/log.h"
#include "net/conn_priv.h"

#define LOW_BITS(n) ((UINT64_C(1) << (n)) - 1)

static_assert(CONNS_MAX <= BIT(CONN_ID_SLOT_BITS), "each slot has a conn_id");
static_assert(8 + CONN_ID_GENERATION_BITS + CONN_ID_SLOT_BITS == 64, "");

/* -- from birth ------------------------------------------------------------ */

/* Reads first: what came before an error counts, and so does the reason that
 * recv() gives. The error itself is asked for only where nothing was read. */
static void
on_ready(struct reactor_source *s, uint32_t events)
{
    struct conn *const c = CONTAINER_OF(s, struct conn, source);

    if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0)
        conn_unblock(c);
    if (list_is_linked(&c->ready))
        return; /* its turn to be read comes, and then it finds all this */

    if ((events & ~(uint32_t)EPOLLOUT) != 0)
        conn_read(c);
    if ((events & EPOLLERR) != 0 && c->state != CONN_CLOSED) {
        const int error = conn_socket_error(c);

        if (error < 0)
            conn_break(c, conn_end_of(error));
    }
}

static void
init(struct conn *c, struct conns *cs, const struct accepted *s)
{
    const uint64_t now_ms = worker_now_ms(cs->worker);

    c->conns = cs;
    c->opened_ms = now_ms;
    c->heard_ms = now_ms;
    c->listener = s->listener;
    c->peer = s->peer;
    c->fd = s->fd;
    c->data = cs->env.arg;
    reactor_source_init(&c->source, on_ready);
    conn_timers_init(c);
    list_link_init(&c->dirty);
    list_link_init(&c->ready);
    wqueue_init(&c->out);
}

int
conn_create(struct conns *cs, const struct accepted *s, struct conn **out)
{
    struct conn *c;
    int rc;

    c = slab_get(&cs->slab);
    if (c == NULL)
        return -ENOMEM;
    init(c, cs, s);

    rc = id_table_add(&cs->table, c, &c->table_id);
    if (rc < 0)
        goto fail_slab;
    rc = reactor_add(worker_reactor(cs->worker), &c->source, c->fd,
                     EPOLLIN | EPOLLRDHUP | EPOLLET);
    if (rc < 0)
        goto fail_id;

    c->ticket = s->ticket;
    conn_socket_setup(c);
    conn_arm_for(c, CONN_ACCEPTED);
    conn_state_init(c);
    *out = c;
    return 0;

fail_id:
    id_table_remove(&cs->table, c->table_id);
fail_slab:
    slab_put(&cs->slab, c);
    return rc;
}

void
conn_enter(struct conn *c, enum conn_state to)
{
    ASSERT_OWNER(c->conns->worker);
    ASSERT(to == CONN_DETECT || to == CONN_OPENING || to == CONN_OPEN);

    if (!conn_is_serving(c))
        return;
    /* Who is about to end keeps the deadline of that. */
    if ((c->flags & (CONN_AT_EOF | CONN_BROKEN)) == 0)
        conn_arm_for(c, to);
    conn_set_state(c, to);
}

/* -- to death -------------------------------------------------------------- */

void
conn_break(struct conn *c, enum conn_end end)
{
    const bool was_broken = (c->flags & CONN_BROKEN) != 0;

    c->flags |= CONN_BROKEN; /* also for conn_acked_upto() at the close */
    if (c->state == CONN_DRAINING) {
        conn_close(c, wqueue_is_empty(&c->out) ? (enum conn_end)c->end : end);
        return;
    }
    if (was_broken)
        return;
    if ((c->flags & CONN_AT_EOF) != 0) {
        conn_close(c, end);
        return;
    }

    c->end = (uint8_t)end;
    conn_drop_queue(c);
    conn_arm(c, conn_now_ms(c) + c->conns->conf.timeouts_drain);
    conn_resume(c, CONN_PAUSE_QUEUE);
    conns_mark_ready(c->conns, c);
}

static void
log_end(const struct conn *c)
{
    char peer[ADDR_TEXT_MAX];

    LOG_INFO(LOG_CONN, "closed", LOG_F_U64("conn", conn_get_id(c)),
             LOG_F_STR("peer", addr_format(&c->peer, peer)),
             LOG_F_STR("proto", c->ops != NULL ? c->ops->name : "none"),
             LOG_F_STR("reason", conn_end_name(c->end)),
             LOG_F_U64("in", c->bytes_in), LOG_F_U64("out", c->bytes_out),
             LOG_F_U64("ms", conn_now_ms(c) - c->opened_ms));
}

/* Who takes nothing would hold what the kernel has for it, long after we gave
 * it up; and what was not acknowledged by now, a session is given again. */
static bool
is_forsaken(enum conn_end end)
{
    return end == CONN_END_SENDQ || end == CONN_END_TIMEOUT;
}

static void
release_socket(struct conn *c, enum conn_end end)
{
    if (is_forsaken(end))
        conn_socket_abort(c);
    reactor_remove(worker_reactor(c->conns->worker), &c->source, c->fd);
    close(c->fd);
    c->fd = -1;
}

void
conn_close(struct conn *c, enum conn_end end)
{
    struct conns *const cs = c->conns;
    uint64_t acked;

    ASSERT_OWNER(cs->worker);

    if (c->state == CONN_CLOSED)
        return;

    acked = conn_socket_acked(c);
    release_socket(c, end);
    conn_drop_queue(c);
    conn_drop_kept(c);
    conn_timers_stop(c);
    conn_unpause(c);
    id_table_remove(&cs->table, c->table_id);
    c->end = (uint8_t)end;
    conns_mark_closed(cs, c);
    conn_set_state(c, CONN_CLOSED);
    c->acked = acked;
    log_end(c);
    if (c->ops != NULL && c->ops->on_closing != NULL)
        c->ops->on_closing(c);
}

void
conn_bury(struct conn *c)
{
    struct conns *const cs = c->conns;

    ASSERT(c->state == CONN_CLOSED);

    if (c->ops != NULL)
        c->ops->on_closed(c, c->end);
    metric_sub(&cs->counters.in_state[CONN_CLOSED], 1);
    slab_put(&cs->slab, c);
}

/* -- what others ask ------------------------------------------------------- */

void
conn_set_ops(struct conn *c, const struct conn_ops *ops, void *data)
{
    ASSERT_OWNER(c->conns->worker);

    c->ops = ops;
    c->data = data;

    /* Inside on_bytes the new protocol is offered the rest right afterwards. */
    if (c->kept_len > 0 && c->conns->reading != c) {
        c->flags |= CONN_REOFFER;
        conns_mark_ready(c->conns, c);
    }
}

conn_id
conn_get_id(const struct conn *c)
{
    const uint64_t worker = worker_index(c->conns->worker);
    const uint64_t generation =
        c->table_id >> 32 & LOW_BITS(CONN_ID_GENERATION_BITS);

    return worker << (CONN_ID_GENERATION_BITS + CONN_ID_SLOT_BITS) |
           generation << CONN_ID_SLOT_BITS | id_to_slot(c->table_id);
}

const char *
conn_end_name(enum conn_end end)
{
#define NAME(id, name, help) [CONN_END_##id] = (name),
    static const char *const names[CONN_END_COUNT] = {CONN_ENDS(NAME)};
#undef NAME

    return names[end];
}

void *
conn_data(const struct conn *c)
{
    return c->data;
}

enum conn_state
conn_get_state(const struct conn *c)
{
    return c->state;
}

enum conn_end
conn_get_end(const struct conn *c)
{
    return c->end;
}

bool
conn_at_eof(const struct conn *c)
{
    return (c->flags & CONN_AT_EOF) != 0;
}

const struct conn_ops *
conn_get_ops(const struct conn *c)
{
    return c->ops;
}

const struct addr *
conn_peer(const struct conn *c)
{
    return &c->peer;
}

unsigned
conn_listener(const struct conn *c)
{
    return c->listener;
}

struct conns *
conn_conns(const struct conn *c)
{
    return c->conns;
}

size_t
conn_queued_bytes(const struct conn *c)
{
    return c->out.bytes;
}

uint64_t
conn_acked_upto(const struct conn *c)
{
    return c->state == CONN_CLOSED ? c->acked : conn_socket_acked(c);
}

uint64_t
conn_opened_ms(const struct conn *c)
{
    return c->opened_ms;
}

uint64_t
conn_heard_ms(const struct conn *c)
{
    return c->heard_ms;
}

uint64_t
conn_bytes_in(const struct conn *c)
{
    return c->bytes_in;
}

uint64_t
conn_bytes_out(const struct conn *c)
{
    return c->bytes_out;
}
