/* SPDX-License-Identifier: BSD-2-Clause
 *
 * event - what happened, as every receiver gets it.
 *
 * Shape    One allocation; the slices point behind the struct. Immutable once
 *          event_create() returned but for `refs`, so workers, the room's log
 *          and history share it.
 * Order    An event of a room has that room's next `seq` (from 1, no gaps) and
 *          an `id` unique for this server, which grows in the order that they
 *          happen; RENAMED, QUIT and AWAY concern all rooms of a user and have a
 *          seq in each: `places`.
 * Threads  event_ref(), event_unref(): [any].
 *
 *  kind       goes to         who    name         text       number, items
 *  in a room's log:
 *  SAID       room            x      -            text       style
 *  JOINED     room            x      room name    -
 *  PARTED     room            x      -            goodbye
 *  TOPIC      room            x      -            topic
 *  in the logs of all rooms of `who` (places[]); each peer is told once:
 *  RENAMED    peers, self     x      new nick     -
 *  QUIT       peers           x      -            goodbye; "kicked: why"
 *  AWAY       peers, self     x      -            why; empty: back (said twice:
 *                                                 the second to self only, and
 *                                                 in no log)
 *  to those who share a room with `who` (places[], seq 0), in no log:
 *  LOST       peers           x      -            why        its conn died; the
 *                                                            session waits
 *  RETURNED   peers           x      -            -          and was resumed; its
 *                                                            new conn gets it too,
 *                                                            not shown
 *  to one session or to all:
 *  TOLD       that session    x      to: nick     text       style; kept for it, if
 *                                                            it has a token
 *  ANNOUNCED  everybody       -      -            text
 *  ENDED      that session    -      -            why        (then it is gone)
 *  REPLACED   that session    -      -            -          asks its conn to
 *                                                            DETACH: another one
 *                                                            wants to RESUME
 *  answers:
 *  ATTACHED   asker           x      -            token      users now
 *  RESUMED    asker           x      -            token      events to come; seq:
 *                                                            events that cannot
 *                                                            (what concerned more
 *                                                            rooms: once for each
 *                                                            that dropped it);
 *                                                            id: the cursor;
 *                                                            wall_ms: lost when;
 *                                                            style: 1: echoes
 *  REJOINED   asker           -      room name    topic      members now, seq; after
 *                                                            RESUMED, one a room
 *  CAUGHT_UP  asker           -      -            -          after CATCH_UP's
 *                                                            events: all up to the
 *                                                            id `number`; last:
 *                                                            those are all
 *  ROOM       asker           -      room name    topic      members now, seq
 *  TOPIC_IS   asker           setter room name    topic      wall_ms: when set
 *  MEMBERS    asker           -      room name    -          items: nick, why
 *  ROOMS      asker           -      -            -          items: name, topic,
 *                                                            members
 *  SENT       asker           -      to: nick     why away   style (after TELL;
 *                                                            text if `to` is
 *                                                            away, but not for
 *                                                            a notice); number:
 *                                                            1: kept till it is
 *                                                            resumed
 *  HISTORY    asker           -      room name    -          SAID that follow
 *  PONG       asker           -      -            token
 *  REFUSED    asker           -      what it was  -          refusal; the name is
 *                                                            cleaned and cut
 *  DONE       asker           -      -            -
 */
#ifndef CHAT_EVENT_H
#define CHAT_EVENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/slice.h"
#include "chat/command.h"

enum event_kind {
    EVENT_SAID,
    EVENT_JOINED,
    EVENT_PARTED,
    EVENT_TOPIC,
    EVENT_RENAMED,
    EVENT_QUIT,
    EVENT_AWAY,
    EVENT_LOST,
    EVENT_RETURNED,
    EVENT_TOLD,
    EVENT_ANNOUNCED,
    EVENT_ENDED,
    EVENT_REPLACED,
    EVENT_ATTACHED,
    EVENT_RESUMED,
    EVENT_REJOINED,
    EVENT_CAUGHT_UP,
    EVENT_ROOM,
    EVENT_TOPIC_IS,
    EVENT_MEMBERS,
    EVENT_ROOMS,
    EVENT_SENT,
    EVENT_HISTORY,
    EVENT_PONG,
    EVENT_REFUSED,
    EVENT_DONE,
};

#define EVENT_COUNT (EVENT_DONE + 1)

const char *event_name(enum event_kind kind);

/* Why the hub did not do it. The protocol makes a sentence or numeric of it. */
enum refusal {
    REFUSAL_NONE,
    REFUSAL_NICK_EMPTY,
    REFUSAL_NICK_TOO_LONG,
    REFUSAL_NICK_BAD_CHAR,
    REFUSAL_NICK_BAD_FIRST,
    REFUSAL_NICK_TAKEN,
    REFUSAL_NICK_WAITING,  /* its session may still be resumed */
    REFUSAL_NICK_RESERVED, /* names of the server itself */
    REFUSAL_NICK_SAME,     /* it is yours already, letter for letter */
    REFUSAL_ROOM_EMPTY,
    REFUSAL_ROOM_TOO_LONG,
    REFUSAL_ROOM_BAD_CHAR,
    REFUSAL_ROOM_BAD_FIRST, /* does not begin with # */
    REFUSAL_NO_SUCH_ROOM,
    REFUSAL_NO_SUCH_NICK,
    REFUSAL_NOT_A_MEMBER,
    REFUSAL_ALREADY_A_MEMBER,
    REFUSAL_TOO_MANY_ROOMS, /* limits.rooms_per_user */
    REFUSAL_SERVER_FULL,    /* limits.rooms */
    REFUSAL_TEXT_EMPTY,
    REFUSAL_TOPIC_TOO_LONG,
    REFUSAL_ATTACHED_ALREADY, /* that conn has a session */
    REFUSAL_NO_SESSION,       /* stale: it was ended meanwhile */
    REFUSAL_BAD_TOKEN,        /* no session waits for that one */
    /* To be asked again: its conn still stands and was asked to go, or there is
     * more to be counted. */
    REFUSAL_SESSION_BUSY,
    REFUSAL_MAILBOX_FULL, /* who waits to be resumed can be told no more */
    REFUSAL_NO_MEMORY,
};

#define REFUSAL_COUNT (REFUSAL_NO_MEMORY + 1)

const char *refusal_name(enum refusal refusal);

/* Who did it, as they were at that moment. */
struct event_who {
    user_id user;
    session_id session;
    uint64_t conn; /* the session's conn then; CONN_NONE for an operator */
    struct slice nick;
};

struct event_place {
    room_id room;
    uint64_t seq;
};

struct event_item {
    struct slice name;
    struct slice text;
    uint64_t number;
};

#define EVENT_ITEMS_MAX 128 /* longer lists come in several events */

struct event {
    /* [any] */
    _Atomic uint32_t refs;
    /* set once */
    uint8_t kind;    /* enum event_kind */
    uint8_t style;   /* enum say_style */
    uint8_t refusal; /* enum refusal */
    bool last;       /* MEMBERS, ROOMS, CAUGHT_UP: no more follow */
    uint32_t count;  /* of places or items */
    uint64_t id;     /* unique with hub_conf.epoch; 0 for answers but RESUMED */
    uint64_t wall_ms;
    room_id room;
    uint64_t seq; /* in `room`; 0: not in a log */
    uint64_t number;
    struct event_who who;
    struct slice name;
    struct slice text;
    union {
        const struct event_place *places;
        const struct event_item *items;
    } u;
};

/* Copies `from` (its slices, places or items too) into one allocation with one
 * reference. NULL when memory is short. */
MUST_CHECK struct event *event_create(const struct event *from);

/* [any] */
struct event *event_ref(struct event *e);
void event_unref(struct event *e);

/* Bytes its allocation takes. */
size_t event_bytes(const struct event *e);

/* Is it put into room logs? */
bool event_is_logged(enum event_kind kind);

/* Is it kept somewhere, so that who missed it can be given it later? */
bool event_is_kept(enum event_kind kind);

/* Is a kept event shown to somebody who is its `who` (`is_own`)? One's own
 * doings are told by their effects, and one's own talk only to who `echoes`; a
 * topic is shown to all. */
bool event_is_shown(const struct event *e, bool is_own, bool echoes);

/* [any] Events that exist; exact when no thread is inside this module. */
uint64_t event_live(void);

/* ---- how it reaches workers ---------------------------------------------- */

enum route {
    ROUTE_CONN,  /* to the conn `to` only */
    ROUTE_ROOM,  /* to all local members of event->room */
    ROUTE_PEERS, /* to all local members of any of event->u.places, once, and
                    to who->conn (which, for QUIT, has no session any more, and
                    for LOST, is 0) */
    ROUTE_ALL,   /* to every session */
};

enum replay {
    REPLAY_NONE,    /* it happens now */
    REPLAY_HISTORY, /* it was asked for */
    REPLAY_MISSED,  /* the receiver's conn did not get it when it happened */
};

struct delivery {
    struct event *event;
    enum route route;
    enum replay replay; /* ROUTE_CONN */
    uint32_t request;   /* the asker's tag, for the conn `to` only */
    uint64_t to;        /* the asker's conn; ROUTE_CONN: who gets it, and when
                         that is not the asker `request` is 0 */
};

#endif
