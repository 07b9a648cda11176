/* SPDX-License-Identifier: BSD-2-Clause
 *
 * conn_state - the state of a conn: the only file that changes it.
 */
#include "base/assert.h"
#include "net/conn_priv.h"

#define SERVING (BIT(CONN_DETECT) | BIT(CONN_OPENING) | BIT(CONN_OPEN) | ENDING)
#define ENDING  (BIT(CONN_DRAINING) | BIT(CONN_CLOSED))

static const unsigned may_go[CONN_STATE_COUNT] = {
    [CONN_ACCEPTED] = SERVING,
    [CONN_DETECT] = SERVING,
    [CONN_OPENING] = BIT(CONN_OPEN) | ENDING,
    [CONN_OPEN] = ENDING,
    [CONN_DRAINING] = BIT(CONN_CLOSED),
    [CONN_CLOSED] = 0,
};

const char *
conn_state_name(enum conn_state state)
{
    switch (state) {
    case CONN_ACCEPTED:
        return "accepted";
    case CONN_DETECT:
        return "detect";
    case CONN_OPENING:
        return "opening";
    case CONN_OPEN:
        return "open";
    case CONN_DRAINING:
        return "draining";
    case CONN_CLOSED:
        return "closed";
    }
    return "?";
}

static void
check_serving(const struct conn *c)
{
    ASSERT(c->fd >= 0 && c->source.id != ID_NONE);
    ASSERT(wheel_is_armed(&c->deadline));
    ASSERT((c->flags & CONN_SHUT) == 0);
    ASSERT(c->resumption == NULL || wheel_is_armed(&c->resumption->timer));
    ASSERT((c->flags & CONN_BLOCKED) == 0 || (c->flags & CONN_WATCHED) != 0);
}

static void
check_draining(const struct conn *c)
{
    ASSERT(c->fd >= 0 && c->source.id != ID_NONE);
    ASSERT(wheel_is_armed(&c->deadline));
    ASSERT(c->kept == NULL && c->pauses == 0);
    ASSERT((c->flags & CONN_SHUT) == 0 || wqueue_is_empty(&c->out));
}

static void
check_closed(const struct conn *c)
{
    ASSERT(c->fd == -1 && c->source.id == ID_NONE);
    ASSERT(wqueue_is_empty(&c->out) && c->kept == NULL && c->pauses == 0);
    ASSERT(!wheel_is_armed(&c->deadline) && c->resumption == NULL);
    ASSERT(!list_is_linked(&c->dirty));
}

void
conn_check(const struct conn *c)
{
    switch ((enum conn_state)c->state) {
    case CONN_ACCEPTED:
    case CONN_DETECT:
    case CONN_OPENING:
    case CONN_OPEN:
        check_serving(c);
        break;
    case CONN_DRAINING:
        check_draining(c);
        break;
    case CONN_CLOSED:
        check_closed(c);
        break;
    }
}

void
conn_state_init(struct conn *c)
{
    c->state = CONN_ACCEPTED;
    metric_add(&c->conns->counters.in_state[CONN_ACCEPTED], 1);
    conn_check(c);
}

void
conn_set_state(struct conn *c, enum conn_state to)
{
    struct conns_counters *const counters = &c->conns->counters;

    ASSERT((may_go[c->state] & BIT(to)) != 0);

    metric_sub(&counters->in_state[c->state], 1);
    c->state = (uint8_t)to;
    metric_add(&counters->in_state[to], 1);
    conn_check(c);
}
