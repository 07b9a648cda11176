/* SPDX-License-Identifier: BSD-2-Clause
 *
 * front_priv - the body of struct front, and what the files of proto's common
 * part tell each other.
 *
 *   front.c          its life, the operator's list, stopping
 *   front_deliver.c  what the hub says: effects, and who gets it
 *   opening.c        which protocol a new conn speaks
 *   refuse.c         the protocols that are known but not served
 *   client.c         a client's life with the hub
 *   client_track.c   what it has had
 *   client_behind.c  how it comes by what it missed
 *   client_revive.c  taking a session back
 *   ledger.c         events sent and not acknowledged
 *   window.c         who may send how much before the hub has answered
 *   view.c           rooms and their local members
 *   encoding.c       encode once
 *
 * Requests carry tags that one front counts up, and the hub answers its
 * commands in that order. So a DONE says that everything with a lower tag has
 * been answered too, even if memory was short and another DONE got lost.
 */
#ifndef PROTO_FRONT_PRIV_H
#define PROTO_FRONT_PRIV_H

#include <stdatomic.h>

#include "base/list.h"
#include "base/wheel.h"
#include "proto/client_priv.h"
#include "proto/detect.h"
#include "proto/front.h"
#include "proto/view_priv.h"

#define CATCH_AT_ONCE 16 /* clients of a front that catch up at a time */

struct front {
    /* set once */
    struct front_env env;
    struct conns *conns;

    /* [owner] */
    struct proto_conf conf;
    enum front_protocol *pins; /* by index of listener */
    size_t pin_count;
    struct view view;
    struct list clients; /* client.of_front, oldest first */
    struct list waiting; /* client.waiting, longest waiting first */
    struct list leaving; /* client.waiting of who waits for its DETACH's DONE */
    struct wheel_timer leave_timer;  /* armed while `leaving` is not empty */
    struct wheel_timer relief_timer; /* looks after `waiting` */
    struct list tracks;              /* client_track.of_front */
    struct wheel_timer track_timer;  /* armed while there are some */
    struct {
        unsigned asking;     /* clients whose CATCH_UP is under way */
        struct list waiting; /* client_track.of_turn, longest first */
    } catching;
    struct list revivals;            /* that try again */
    struct wheel_timer revive_timer; /* armed while there are some */
    uint64_t epoch;                  /* of the last PEERS delivery */
    uint64_t last_event; /* highest id of what was delivered, but for replays */
    uint32_t last_sent;  /* tag of the last command */
    uint32_t last_done;  /* tag of the last answered one */
    bool is_delivering;  /* inside front_on_batch() */
    bool is_stopping;

    /* [any] may read */
    _Alignas(CACHE_LINE) struct front_counters counters;
};

uint64_t front_now_ms(const struct front *f);

/* The gauges follow the view. */
void front_count_view(struct front *f);

/* NULL when the id is stale or another worker's. */
struct client *front_find_client(const struct front *f, conn_id id);

/* ---- client.c ------------------------------------------------------------ */

/* Does it still get deliveries? Once it does not it never will again. */
bool client_hears(const struct client *cl);

/* Takes session and nickname over; when memory is too short the conn ends.
 * False: it left meanwhile, and its DETACH follows. */
bool client_on_attached(struct client *cl, const struct event *e);

/* False: the client is not to be told, for it tries again. */
bool client_on_refused(struct client *cl, const struct event *e);
void client_on_renamed(struct client *cl, const struct event *e);

/* The hub ended its session, or wants it for another conn: nothing more will
 * come. */
void client_on_ended(struct client *cl, enum conn_end end);

/* All requests up to `tag` have been answered, and the client was told. */
void client_on_done(struct client *cl, uint32_t tag);

/* wheel_fn of front.leave_timer: clients whose DETACH takes too long. */
void client_on_leave_due(struct wheel_timer *t, uint64_t now_ms);

/* Sends a command; the tag is cl->last_request. 0 or -ENOMEM. */
MUST_CHECK int client_send_command(struct client *cl, struct command *c);

/* Gives the hub its farewell, with what is known of its peer. Uses the ticket
 * up. */
void client_bid_farewell(struct client *cl, enum detach_how how,
                         const char *why);

/* Sets nickname and MEMBER; when memory is too short the conn ends. */
void client_enter(struct client *cl, const struct event *e);

/* ---- client_revive.c ----------------------------------------------------- */

/* RESUMED: as client_on_attached(). */
bool client_on_resumed(struct client *cl, const struct event *e);

/* BUSY: asks again in a moment. False: it did not ask to resume. */
bool client_try_again(struct client *cl);
bool client_tries_again(const struct client *cl);
void client_forget_revival(struct client *cl);

/* wheel_fn of front.revive_timer. */
void client_on_revive_due(struct wheel_timer *t, uint64_t now_ms);

/* ---- client_track.c ------------------------------------------------------ */

/* Nothing is told to it from here on. */
void client_stop_hearing(struct client *cl);

/* Before an event is told: true if it is not to be, since the client is behind
 * and will ask for it, or is deaf. */
bool client_skips(struct client *cl, const struct delivery *d);

/* After a kept event was told, at its place in the stream. */
void client_note(struct client *cl, const struct delivery *d);

/* What is known of its peer: the cursor, and what may be lost behind it. */
void client_measure(struct client *cl, struct hub_farewell *out);
void client_track_fini(struct client *cl);

/* wheel_fn of front.track_timer. */
void client_on_track_due(struct wheel_timer *t, uint64_t now_ms);

/* ---- client_behind.c ----------------------------------------------------- */

/* Is it to be given what it missed, and not yet all of it? */
bool client_is_behind(const struct client *cl);

/* It came back: nothing but what it asks for, from the cursor on. 0, or
 * -ENOMEM. */
MUST_CHECK int client_start_behind(struct client *cl, const struct event *e);

/* It was told its new token, which ends here in its stream. */
void client_note_token(struct client *cl);

void client_on_caught_up(struct client *cl, const struct event *e);

/* ---- window.c ------------------------------------------------------------ */

/* The tag for the next command; never 0. */
uint32_t window_next_tag(const struct front *f);

/* The command with that tag is on its way. */
void window_count_sent(struct client *cl, uint32_t tag);

/* Behind it: makes the client wait if it, or all together, sent enough. */
void window_limit(struct client *cl);

/* Stops reading until window_release(). */
void window_hold(struct client *cl);

/* Reads again, unless something is still against it. */
void window_release(struct client *cl);

/* That DONE came; `cl` is NULL when its conn is gone. */
void window_count_done(struct front *f, struct client *cl, uint32_t tag);

/* Lets as many of those who waited longest go on as there is room for. */
void window_wake(struct front *f);

/* It waits no longer, for whatever it waited. */
void window_forget(struct client *cl);

/* wheel_fn of front.relief_timer. */
void window_on_relief_due(struct wheel_timer *t, uint64_t now_ms);

/* Is tag `a` of a later command than `b`? */
static inline bool
window_is_after(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0;
}

/* ---- opening.c ----------------------------------------------------------- */

/* Closes it if it is a conn whose protocol is not known yet. */
void opening_stop(void *front, struct conn *c);

/* ---- refuse.c ------------------------------------------------------------ */

void refuse_http(struct conn *c, struct front *f);
void refuse_irc(struct conn *c, struct front *f);
void refuse_tls(struct conn *c, struct front *f);

#endif
