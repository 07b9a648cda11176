/* SPDX-License-Identifier: BSD-2-Clause
 *
 * client - a conn that chats: what every protocol's client has in common.
 *
 * Threads  One worker's. Made when a protocol is chosen, freed in on_closed.
 * Memory   A protocol's own client begins with this struct and is allocated
 *          and freed by the protocol; `ticket` makes sure that the hub learns
 *          of its end even when memory is short.
 * Order    client_send() in order; answers come in that order; the DONE of the
 *          last one sent means that all are answered.
 *
 *            client_attach()        EVENT_ATTACHED         client_detach()
 *  STRANGER ----------------> ASKED --------------> MEMBER ----------------+
 *      ^                       |                                           |
 *      +-----------------------+            STRANGER, ASKED on_closed      v
 *           EVENT_REFUSED                   -------------------------->  GONE
 *
 *  STRANGER  No session. client_send() is not allowed.
 *  ASKED     ATTACH is under way; the conn is paused (WINDOW).
 *  MEMBER    `session` and `nick` are set.
 *  GONE      DETACH was sent, or nothing needs to be. Deliveries but the DONE
 *            of the DETACH are ignored.
 */
#ifndef PROTO_CLIENT_PRIV_H
#define PROTO_CLIENT_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/list.h"
#include "base/slice.h"
#include "chat/command.h"
#include "chat/event.h"
#include "chat/hub_thread.h"
#include "net/limit.h"
#include "proto/proto_conf.h"

struct client;
struct conn;
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

    /* An event for this client. `member`: the membership by which it comes
     * (ROUTE_ROOM), else NULL. `enc` is shared by all receivers of this
     * delivery on this worker. DONE, ATTACHED and REFUSED have had their effect
     * on `cl` already. */
    void (*on_event)(struct client *cl, const struct view_member *member,
                     const struct delivery *d, struct encoding *enc);

    /* The text of a delivery in one form; `key` is the protocol's own way to
     * name a form. NULL when memory is short. */
    struct msg *(*encode)(const struct front *f, const struct delivery *d,
                          const struct view_room *room, uint32_t key);

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
    struct list rooms;        /* view_member.of_client */
    struct list_link waiting; /* front.waiting: over the worker's window */
    session_id session;
    uint64_t mark; /* front's epoch in which it last got a PEERS delivery */
    struct bucket rate;
    char *nick; /* NUL-terminated; NULL until ATTACHED */
    uint32_t next_request;
    uint32_t unanswered;
    uint32_t detach_request; /* whose DONE ends it; 0: none */
    enum client_state state;
    bool warned_rate;
};

/* Sets up `cl` (zeroed by its maker) and puts it into its front's list.
 * 0 or -ENOMEM. */
MUST_CHECK int client_init(struct client *cl, struct front *f, struct conn *c,
                           const struct protocol *protocol);

/* In on_closed: leaves the view, tells the hub if it must know, gives all back
 * but the struct itself. `why` is what others read: "connection lost" … */
void client_fini(struct client *cl, const char *why);

/* STRANGER -> ASKED. 0, or -ENOMEM. */
MUST_CHECK int client_attach(struct client *cl, struct slice nick);

/* Sends a command of a MEMBER; fills `from` and `session`. 0 and, when
 * `request` is not NULL, the tag its answers will carry; or -ENOMEM. May pause
 * the conn: return from on_bytes then. */
MUST_CHECK int client_send(struct client *cl, struct command *c,
                           uint32_t *request);

/* MEMBER -> GONE with a goodbye others may read; when its DONE comes (or at
 * once, for a client without a session) the conn is drained as `end`. */
void client_detach(struct client *cl, enum detach_how how, struct slice why,
                   int end);

/* Takes a line's cost from the bucket. True: go on. False: do not consume the
 * line; the conn is paused until it fits, and *warn says if this is the moment
 * to tell the client. */
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

/* Queues the delivery for `cl` in form `key`, encoding it if nobody of that
 * form got it yet. */
void encoding_queue(struct encoding *enc, struct client *cl, uint32_t key);

#endif
