/* SPDX-License-Identifier: BSD-2-Clause
 *
 * front_rig - a front with real conns and no hub, driven turn by turn.
 *
 * Use      unit_front(MODULE), in CMakeLists.txt here
 * Shape    What the front sends to the hub is kept in rig.sent, and the test
 *          answers it with hub_*(). A peer is the far end of a conn whose
 *          client speaks `talk`: a line is the nickname, then each line is said
 *          in #lobby, /resume takes a session back, and /quit leaves. It stands in for the line protocol, too,
 *          where conns are detected. Each event comes as one line of its
 *          name, who, what it names and its text, where there are such.
 * Time     Stands still but for fake_time_pass_ms().
 * Balance  rig_stop() closes what is open and then counts: clients, rooms,
 *          members, conns, msgs, events, timers must all have come back.
 */
#ifndef PROTO_FRONT_RIG_H
#define PROTO_FRONT_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/conns.h"
#include "proto/front.h"
#include "proto/front_priv.h"

#define RIG_WORKER    3
#define RIG_SENT_MAX  4096
#define RIG_PEERS_MAX 640
#define RIG_LOBBY     100 /* its room_id */

struct talk_client {
    struct client cl;
    struct peer *peer;
    const struct view_member *current; /* the room joined last, if not left */
    uint32_t form;                     /* the key it is encoded by */
    size_t warnings;
    size_t behinds, caught_ups;
    uint64_t missed; /* as told by the latter */
};

struct peer {
    int fd;                   /* -1: closed */
    struct talk_client *talk; /* NULL: not opened yet, or freed */
    conn_id id;
    struct buf text; /* what came so far, with a NUL at the end */
    bool at_eof;
    enum conn_end end; /* valid once `ended` */
    bool ended;
};

/* A command as the hub would get it. */
struct sent {
    struct command c;
    char name[256];
    char text[256];
    bool by_ticket;
};

struct rig {
    struct worker *worker;
    struct conns *conns;
    struct front *f;
    struct net_conf net;
    struct proto_conf conf;
    struct sent *sent;
    size_t sent_count;
    size_t taken; /* of these, by hub_take() */
    struct peer peers[RIG_PEERS_MAX];
    size_t peer_count;
    bool detects; /* conns go to front_on_accepted() */
    bool hub_is_congested;
    unsigned congested_looks; /* after so many looks it is over; 0: never */
    bool send_fails;          /* hub_thread_send() has no memory */
    unsigned encode_fails;    /* so many encodings fail */
    size_t encode_calls;
    void (*on_event)(struct talk_client *tc, const struct delivery *d);
};

extern struct rig rig;
extern const struct protocol talk_protocol;

/* Changes to rig.conf, rig.net and rig.detects come between the two. */
void rig_init(void);
void rig_start(void);
void rig_stop(void);
void rig_turn(void);
void rig_settle(void);

struct peer *rig_connect(void);
struct peer *rig_connect_to(unsigned listener);
void peer_say(struct peer *p, const char *text);
void peer_finish(struct peer *p); /* shutdown(SHUT_WR) */
void peer_close(struct peer *p);

/* All that came since the last call, as a string. */
const char *peer_read(struct peer *p);

/* A MEMBER called `nick`; rig_in_lobby() also in #lobby. Both drop what the
 * peer was sent so far. */
struct peer *rig_member(const char *nick);
struct peer *rig_in_lobby(const char *nick);

/* ---- the hub's part ------------------------------------------------------ */

/* The next command; fails the test if there is none, or of another kind. */
const struct sent *hub_take(enum command_kind kind);
bool hub_is_idle(void); /* all taken */

/* One delivery as a batch of its own. `draft` is copied. */
void hub_deliver(enum route route, const struct event *draft, uint64_t to,
                 uint32_t request, bool replay);

void hub_attached(const struct sent *s, const char *nick);
void hub_refused(const struct sent *s, enum refusal refusal);
void hub_done(const struct sent *s);
void hub_ended(struct peer *p, const char *why);

/* `who` may be NULL: somebody of another worker, called `nick`. */
struct event_who rig_who(const struct peer *who, const char *nick);
void hub_joined(const struct event_who *who, room_id room, const char *name);
void hub_parted(const struct event_who *who, room_id room, const char *why);
void hub_said(const struct event_who *who, room_id room, const char *text);

/* RENAMED, QUIT or AWAY in rooms that end with a 0. */
void hub_peers(enum event_kind kind, const struct event_who *who,
               const char *name, const char *text, const room_id *rooms);

uint64_t rig_counter(const char *name);

#endif
