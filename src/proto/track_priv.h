/* SPDX-License-Identifier: BSD-2-Clause
 *
 * track_priv - what client_track.c and client_behind.c share.
 */
#ifndef PROTO_TRACK_PRIV_H
#define PROTO_TRACK_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/list.h"
#include "proto/client_priv.h"
#include "proto/ledger_priv.h"

struct client_track {
    struct list_link of_front; /* front.tracks */
    struct list_link of_turn;  /* front.catching.waiting: it is to ask */
    struct client *client;
    struct ledger ledger;
    uint64_t token_end; /* place of the end of a new token, if has_token */
    uint64_t mute_end;  /* acks: what lies before carries no number; or 0 */
    uint64_t gap;       /* events that it was told it cannot have … */
    uint64_t gap_end;   /* … at this place … */
    uint64_t told_id;   /* … and behind this event, like a new token */
    bool has_token;     /* the hub is to hear that it came, if it does */
    bool has_answered;  /* acks: it has an event behind told_id */
    bool has_mail;      /* likewise of private messages */
    bool is_behind;
    bool is_asking; /* CATCH_UP is under way */
    bool is_cut;    /* and the rest of its answer does not fit */
    uint64_t next;  /* BEHIND: the cursor of the next CATCH_UP */
    uint64_t expected;
    uint64_t got;
    uint64_t got_before; /* this CATCH_UP */
};

/* Until it is attached the field is another's. */
static inline struct client_track *
track_of(const struct client *cl)
{
    return cl->is_attached ? cl->track : NULL;
}

/* ---- client_track.c ------------------------------------------------------ */

/* NULL when memory is short. */
struct client_track *track_create(struct client *cl, uint64_t cursor);

/* Where the stream ends with what was told last. What a conn did not take any
 * more ends where its peer cannot come to. */
uint64_t track_end_of_told(const struct client *cl);

/* Takes off what its peer has acknowledged. */
void track_settle(struct client_track *t);

/* Its ledger held `before` events, and may hold others now. */
void track_count_unacked(const struct client_track *t, uint32_t before);

/* ---- client_behind.c ----------------------------------------------------- */

/* It ends: another may have its turn. */
void track_drop_turn(struct client_track *t);

#endif
