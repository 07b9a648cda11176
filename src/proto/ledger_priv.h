/* SPDX-License-Identifier: BSD-2-Clause
 *
 * ledger - which events a client was sent and is not known to have.
 *
 * Shape    Pure. A ring of notes, one an event: its id, and the place in the
 *          client's stream of bytes where it ends. What the peer acknowledged
 *          takes notes off the front; the id of the last one taken is the
 *          client's cursor. Only events that are kept somewhere (chat/event.h)
 *          are noted.
 * Bound    LEDGER_MAX notes; beyond, and when memory is short, the older half
 *          of them are shared by two of their neighbours, again and again.
 *          Events that share one count as unacknowledged until the last of
 *          them is known. The newest, which may have to be cut off because
 *          they were never sent, have one each.
 */
#ifndef PROTO_LEDGER_PRIV_H
#define PROTO_LEDGER_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#define LEDGER_MAX 65536u /* 1 MiB, of a client that does not read */

struct ledger_note {
    uint64_t id;     /* of the last event of this note */
    uint32_t end;    /* low half of its place */
    uint32_t events; /* that share it */
};

struct ledger {
    uint64_t cursor; /* the client has all up to this id */
    struct ledger_note *notes;
    uint32_t size; /* of `notes`: 0 or a power of two */
    uint32_t head;
    uint32_t used;
    uint32_t events; /* in all notes */
};

void ledger_init(struct ledger *l, uint64_t cursor);
void ledger_fini(struct ledger *l);

/* No event is open? */
static inline bool
ledger_is_settled(const struct ledger *l)
{
    return l->used == 0;
}

/* Is there no room for one more note without taking memory? */
static inline bool
ledger_is_full(const struct ledger *l)
{
    return l->used == l->size;
}

/* The event `id`, larger than all before, ends at `end`. */
void ledger_note(struct ledger *l, uint64_t id, uint64_t end);

/* The peer has all bytes up to `upto`. */
void ledger_settle_bytes(struct ledger *l, uint64_t upto);

/* The client says that it has all events up to `id`. An id that is not open is
 * fine: older ones change nothing, newer ones settle all. */
void ledger_settle_id(struct ledger *l, uint64_t id);

/* What lies behind `end` was never sent: takes those notes off the back and
 * returns how many events they were. */
uint32_t ledger_cut(struct ledger *l, uint64_t end);

/* The id of the last event noted; the cursor when none is open. */
uint64_t ledger_last(const struct ledger *l);

#endif
