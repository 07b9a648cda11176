/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub - the one place where chat state changes: users, nicknames, rooms,
 * membership, topics, and the order of events.
 *
 * Shape    A deterministic state machine: what hub_apply() emits depends on
 *          the commands so far and the times given with them, on nothing else.
 *          No sockets, threads, clock or randomness inside.
 * Threads  Whoever holds the hub; in the daemon the hub thread (hub_thread.h).
 * Order    hub_apply() finishes one command before the next. The deliveries of
 *          one command go out in the order of cause; DONE is the last.
 * Fan-out  The hub never walks a room's members to deliver. A room counts its
 *          members per worker, and an event goes once to each worker that has
 *          some. Thereby the cost of a message does not grow with the room.
 *
 *  1. A nickname key is held by one user. A user is in the table of nicknames
 *     from ATTACH to the end of its last session.
 *  2. A room exists while it has members; `#lobby` always.
 *  3. A room's seq grows by one with each event put in its log, and each of
 *     those is emitted to every worker with members, the joiner's included.
 *  4. A worker that learns of JOINED before any later event of that room, and
 *     of PARTED/QUIT after any earlier one, thus knows its local members.
 *  5. Memory short: the command is refused with NO_MEMORY and nothing has
 *     changed, except DETACH and KICK, which always end the session (then
 *     perhaps without QUIT), and a RESUME whose REJOINED break off. DONE and this refusal need no memory. A log that
 *     cannot grow keeps fewer events; a long list may break off.
 *  6. JOIN is answered by JOINED to the room, then ROOM, HISTORY and its SAID
 *     (replay) to the joiner, if there are any; HISTORY always by HISTORY.
 *     KICK: ENDED to the session, then QUIT to its peers. TELL: TOLD, SENT.
 *  7. A session whose conn is lost waits: its user keeps nickname and rooms,
 *     nothing is sent to it, and it ends by hub_tick() once session.linger is
 *     over. RESUME gives it a new conn and a new token, and is answered by
 *     RESUMED and REJOINED, or by SESSION_BUSY: then it is to be asked again.
 *     CATCH_UP is answered by what was kept behind a cursor, in the order of
 *     ids, and CAUGHT_UP. What is emitted behind a CAUGHT_UP that is
 *     the last has an id above its number. What a log drops behind RESUMED
 *     does not come: who counts sees it, by RESUMED's number.
 *  8. Ids of events grow in the order in which they are emitted, so one id is a
 *     cursor over all rooms, private messages and announcements.
 */
#ifndef CHAT_HUB_H
#define CHAT_HUB_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/hash.h"
#include "chat/chat_conf.h"
#include "chat/command.h"
#include "chat/event.h"

struct hub;

#define HUB_LOBBY       "#lobby"
#define HUB_WORKERS_MAX 255
#define HUB_CATCH_MAX   256 /* events a CATCH_UP gives at most */
#define HUB_COUNT_MAX   4096 /* kept events looked at in a ms, by all RESUMEs … */
#define HUB_COUNT_SAVED 5  /* … and in one, if in none of so many before */
#define HUB_WHY_MAX     38 /* bytes kept of why a session was lost */

/* How many announcements are kept for who was away, and their memory. */
#define HUB_ANNOUNCED_EVENTS 100
#define HUB_ANNOUNCED_BYTES  65536

struct hub_conf {
    struct hash_key key; /* of the tables of names */
    uint64_t epoch;      /* makes event ids unique over restarts */
    unsigned workers;    /* deliveries name a worker below this + 1; the index
                             `workers` itself is the operator */
    uint32_t counted_per_ms; /* for tests: less than HUB_COUNT_MAX, and none
                                is saved; 0: that */
    struct chat_conf chat;
};

/* Where deliveries go, in order. `d` and its event are the callee's to look at
 * during the call; it takes a reference to keep the event. */
struct hub_out {
    void (*emit)(void *arg, unsigned worker, const struct delivery *d);
    void *arg;
};

struct hub_now {
    uint64_t wall_ms;
    uint64_t mono_ms; /* never goes back */
};

struct hub_census {
    uint64_t users;
    uint64_t sessions;
    uint64_t rooms;
    uint64_t members;
    uint64_t log_events; /* in all rooms' logs */
    uint64_t log_bytes;
    uint64_t waiting;     /* sessions without a conn */
    uint64_t kept_events; /* private messages and announcements */
    uint64_t kept_bytes;
};

/* 0 and *out, or -ENOMEM. `#lobby` exists from here on. */
MUST_CHECK int hub_create(const struct hub_conf *conf, struct hub **out);

/* Frees everything, sessions included, without a word. NULL is fine. */
void hub_destroy(struct hub *hub);

void hub_apply(struct hub *hub, const struct command *c,
               const struct hub_now *now, const struct hub_out *out);

/* Ends sessions that have waited for too long, some at a time. */
void hub_tick(struct hub *hub, const struct hub_now *now,
              const struct hub_out *out);

/* When hub_tick() is wanted next (mono_ms), or HUB_NEVER. */
#define HUB_NEVER UINT64_MAX
uint64_t hub_next_tick_ms(const struct hub *hub);

/* New limits; what is over them stays and only new requests are judged. */
void hub_reload(struct hub *hub, const struct chat_conf *conf);

void hub_count(const struct hub *hub, struct hub_census *out);

/* For an operator's lists: rooms by age, members by time of joining. */
struct hub_room_info {
    room_id id;
    struct slice name;
    struct slice topic;
    uint64_t members;
    uint64_t created_ms; /* wall */
    uint64_t last_seq;
};
typedef void (*hub_room_fn)(void *arg, const struct hub_room_info *room);
void hub_each_room(const struct hub *hub, hub_room_fn visit, void *arg);

/* Sessions in the order of their ids' slots. */
struct hub_session_info {
    session_id id;
    struct slice nick;
    uint64_t conn;      /* 0: it waits … */
    uint64_t lost_ms;   /* … since (wall), … */
    uint64_t waited_ms; /* … so long */
    uint32_t rooms;
    uint32_t resumed; /* how often */
    bool is_resumable;
    bool echoes;
    uint64_t kept_events;
};
typedef void (*hub_session_fn)(void *arg, const struct hub_session_info *s);
void hub_each_session(const struct hub *hub, const struct hub_now *now,
                      hub_session_fn visit, void *arg);

/* Walks everything and asserts 1-4, 7. For tests and fuzzing. */
void hub_check(const struct hub *hub);

#endif
