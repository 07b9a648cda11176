/* SPDX-License-Identifier: BSD-2-Clause
 *
 * client - a conn that chats: what every protocol's client has in common.
 *
 * Threads  One worker's. Made when a protocol is chosen, freed in on_closed.
 * Memory   A protocol's own client begins with this struct and is allocated
 *          and freed by the protocol; `ticket` makes sure that the hub learns
 *          of its end even when memory is short. A membership ends only behind
 *          the on_event that tells the client so, or when it hears no more; so
 *          a protocol may keep a pointer to one until it is told.
 * Order    client_send() in order; answers come in that order; the DONE of the
 *          last one sent means that all are answered.
 *
 *            client_attach()        ATTACHED
 *            client_resume()        RESUMED                client_detach()
 *  STRANGER ----------------> ASKED --------------> MEMBER ----------------+
 *      ^                       |                                           |
 *      +-----------------------+            STRANGER, ASKED on_closed      v
 *           EVENT_REFUSED                   -------------------------->  GONE
 *
 *  STRANGER  No session. client_send() is not allowed.
 *  ASKED     ATTACH or RESUME is under way, or to be tried again; the conn is
 *            paused (WINDOW).
 *  MEMBER    `session` and `nick` are set.
 *  GONE      Nothing is sent or read any more. While `detach_request` is set,
 *            DETACH, or the PING in its place, is under way: what comes before
 *            its DONE was asked for, or said, before, and is still delivered,
 *            but for ATTACHED. Behind it nothing is, and the conn is draining
 *            or closed. EVENT_ENDED and REPLACED, and REFUSED as NO_SESSION,
 *            lead here from MEMBER.
 *
 * Sessions  A client that ends other than by leaving `owes` the hub a farewell,
 *           given when its conn is closed: only then is it known what its peer
 *           has had. client_track.c.
 */
#ifndef PROTO_CLIENT_PRIV_H
#define PROTO_CLIENT_PRIV_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/list.h"
#include "base/slice.h"
#include "chat/command.h"
#include "chat/event.h"
#include "chat/hub_thread.h"
#include "net/conn.h"
#include "net/limit.h"
#include "proto/proto_conf.h"

struct client;
struct client_revival;
struct client_track;
struct encoding;
struct front;
struct msg;
struct view_room;

enum client_state {
    CLIENT_STRANGER,
    CLIENT_ASKED,
    CLIENT_MEMBER,
    CLIENT_GONE,
};

/* One local membership: a client in a room of the view. The protocol may tell
 * rooms apart by it, e.g. the current one. */
struct view_member {
    struct list_link of_room;   /* view_room.members */
    struct list_link of_client; /* client.rooms, oldest first */
    struct view_room *room;
    struct client *client;
};

/* What a protocol does with what the hub says. One static table a protocol. */
struct protocol {
    const char *name;

    /* Where its clients are counted, too: offsetof(struct front_counters, …);
     * 0: nowhere. */
    size_t gauge;

    /* An event for this client. `member`: the membership by which it comes
     * (ROUTE_ROOM), else NULL. `enc` is shared by all receivers of this
     * delivery on this worker. JOINED, RENAMED, ATTACHED, REFUSED and DONE have
     * had their effect on `cl` already; PARTED, ENDED and the DONE of a DETACH
     * will have it after the call. Must not change the view itself. */
    void (*on_event)(struct client *cl, const struct view_member *member,
                     const struct delivery *d, struct encoding *enc);

    /* The text of a delivery in one form; `key` is the protocol's own way to
     * name a form. NULL when memory is short. */
    struct msg *(*encode)(const struct front *f, const struct delivery *d,
                          const struct view_room *room, uint32_t key);

    /* The client reads too slowly, or has come back: from now on it gets no
     * events but what it asks for, as REPLAY_MISSED … */
    void (*on_behind)(struct client *cl);

    /* … and here has got all; `missed` events could not be had any more. */
    void (*on_caught_up)(struct client *cl, uint64_t missed);

    /* Fills current room and the like for an operator's list; may be NULL. */
    const struct view_room *(*current_room)(const struct client *cl);

    /* The server stops: say so. The caller drains. */
    void (*on_stop)(struct client *cl);
};

struct client {
    /* set once */
    struct front *front;
    struct conn *conn;
    const struct protocol *protocol;
    struct hub_ticket *ticket;
    struct list_link of_front; /* front.clients */
    /* [owner] */
    struct list rooms;        /* view_member.of_client, oldest first */
    struct list_link waiting; /* front.waiting, or front.leaving when GONE */
    union {
        session_id session;
        uint64_t heard_upto; /* is_deaf: id of the last event before that */
    };
    uint64_t mark; /* front's epoch in which it last got a PEERS delivery */
    struct bucket rate;
    char *nick; /* NUL-terminated; NULL until ATTACHED */
    union {
        struct client_track *track;     /* NULL: it has all it was sent */
        struct client_revival *revival; /* ASKED, by client_resume() */
    };
    uint32_t last_request; /* tag of the last command sent */
    uint32_t unanswered;
    uint32_t detach_request; /* whose DONE ends it; 0: none */
    uint32_t leave_by;       /* in front.leaving: when it is drained anyway;
                                low half */
    uint8_t state;           /* enum client_state */
    uint8_t end;             /* enum conn_end, when GONE */
    bool is_held;            /* not read: CONN_PAUSE_WINDOW is set */
    bool warned_rate;        /* has been told, and not calmed down since */
    bool is_attached;        /* it has, or had, a session */
    bool owes;               /* the hub may have a session for it */
    bool is_deaf;            /* an event was not told to it any more */
    bool acks;               /* it says itself what it has had */
};

static_assert(sizeof(struct client) <= 152, "an idle client is to stay small");

/* Sets up `cl` (zeroed by its maker) and puts it into its front's list.
 * 0 or -ENOMEM. */
MUST_CHECK int client_init(struct client *cl, struct front *f, struct conn *c,
                           const struct protocol *protocol);

/* In on_closed: leaves the view, tells the hub if it must know, gives all back
 * but the struct itself. `why` is what others read: "connection lost" …; a
 * literal, because it travels as a pointer. */
void client_fini(struct client *cl, const char *why);

/* STRANGER -> ASKED. 0, or -ENOMEM. */
MUST_CHECK int client_attach(struct client *cl, struct slice nick);

/* The same, into the session of that token. While its old conn stands, that is
 * asked to go and this one asks again, until timeouts.opening. */
MUST_CHECK int client_resume(struct client *cl, const struct token *token);

/* Has the session a token, so that it outlives the conn? */
bool client_is_resumable(const struct client *cl);

/* From now on the client itself says what it has had (client_ack()), and is
 * shown its own talk; or no longer. 0, or -ENOMEM. */
MUST_CHECK int client_set_acks(struct client *cl, bool on, uint32_t *request);

/* It has had all events up to that id. */
void client_ack(struct client *cl, uint64_t id);

/* Queues a msg for the client, whose reference it takes over. One that reads
 * too slowly falls behind instead: what waits for it is dropped, and when it
 * has taken what is on its way it is told what it missed. */
void client_queue_take(struct client *cl, struct msg *m);

/* conn_ops.on_drained of every protocol. */
void client_on_drained(struct conn *c);

/* Likewise on_closing: it has heard what came before this, and no more. */
void client_on_closing(struct conn *c);

/* Sends a command of a MEMBER; fills `from` and `session`. 0 and, when
 * `request` is not NULL, the tag its answers will carry (never 0); or -ENOMEM.
 * May pause the conn; client_may_talk() then says so. */
MUST_CHECK int client_send(struct client *cl, struct command *c,
                           uint32_t *request);

/* Any -> GONE with a goodbye others may read; when its DONE comes, or
 * timeouts.drain has passed (or at once, for a client without a session), the
 * conn is drained as `end`. One that is lost (not QUIT) and has a token keeps
 * its session. The first call counts, later ones do nothing. */
void client_detach(struct client *cl, enum detach_how how, struct slice why,
                   enum conn_end end);

/* Before each line: may it be carried out now? True: its cost is taken from the
 * bucket. False: leave the line and what is behind it unconsumed and return
 * from on_bytes. Then the conn is paused, for the hub's answers or until the
 * bucket has filled, and the bytes come again; or it is ending. *warn says if
 * this is the moment to tell the client that it talks too fast. */
bool client_may_talk(struct client *cl, uint32_t cost, uint64_t now_ms,
                     bool *warn);

/* The membership in that room; NULL if none. */
struct view_member *client_find_room(const struct client *cl,
                                     const struct view_room *room);

const struct proto_conf *client_conf(const struct client *cl);

/* ---- encode once --------------------------------------------------------- */

#define ENCODING_FORMS 16 /* remembered; more are encoded each time */

struct encoding_form {
    const struct protocol *protocol;
    struct msg *msg;
    uint32_t key;
};

struct encoding {
    struct front *front;
    const struct delivery *delivery;
    const struct view_room *room; /* ROUTE_ROOM */
    unsigned used;
    struct encoding_form forms[ENCODING_FORMS];
};

void encoding_init(struct encoding *enc, struct front *f,
                   const struct delivery *d, const struct view_room *room);
void encoding_fini(struct encoding *enc);

/* Queues the delivery for `cl` in form `key`, encoding it if nobody of that
 * form got it yet. When memory is too short for that, this client ends. */
void encoding_queue(struct encoding *enc, struct client *cl, uint32_t key);

#endif
