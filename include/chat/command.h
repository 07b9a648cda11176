/* SPDX-License-Identifier: BSD-2-Clause
 *
 * command - what a client, or an operator, asks of the hub.
 *
 * Shape    A plain struct whose slices point to the asker's bytes. Who sends
 *          it to the hub's thread lets hub_thread_send() copy it.
 * Answers  Each command yields zero or more deliveries to `from.conn` and then
 *          exactly one EVENT_DONE there, all tagged with `from.request`.
 *
 *  kind       session  name           text            other
 *  ATTACH     -        nickname       -               who from.conn is; secret
 *  RESUME     -        -              -               token; secret
 *  DETACH     x or 0   -              goodbye         how; 0: from.conn's own;
 *                                                     cursor, upto, count
 *  NICK       x        new nickname   -
 *  JOIN       x        room           -               count: past lines wanted
 *  PART       x        room           goodbye
 *  SAY        x        room           text            style
 *  TELL       x        nickname       text            style
 *  TOPIC      x        room           new topic       set: change, else ask
 *  AWAY       x        -              why; empty: back
 *  WHO        x        room           -
 *  ROOMS      x        -              -
 *  HISTORY    x        room           -               count
 *  PING       x        -              token
 *  CATCH_UP   x        -              -               cursor; count at most,
 *                                                     and HUB_CATCH_MAX
 *  ACKS       x        -              -               set: echo own talk, or not
 *  ACK        x        -              -               cursor; the client has its
 *                                                     token, too
 *  the operator's; no session:
 *  OPER_SAY   -        room           text            style, nick: speaks as
 *  ANNOUNCE   -        -              text
 *  KICK       -        nickname       why
 *
 * Who may  A session is good only together with its conn, else NO_SESSION.
 *          PART, SAY, HISTORY and a TOPIC that is `set` want a member of the
 *          room; WHO and asking for a TOPIC want only a room that exists.
 * Sessions A session that was given a secret outlives its conn when that is
 *          DETACHed other than by QUIT: RESUME with its token takes it back.
 *          That gives it a new token; the one before stays good until an ACK
 *          says that the client has the new one, and brings the same new one
 *          again.
 *          `cursor` is the id of the last event of which the client is known
 *          to have had all up to it; in a DETACH, `count` events up to the id
 *          `upto` were sent to it behind that, and may have been lost: events
 *          that are kept and shown to it (event.h), as they happened or by
 *          CATCH_UP. What is on its way behind `upto` the hub counts itself, but
 *          for what left a log, or was of a room that was left, meanwhile.
 *          So many bytes of why it was lost are kept: HUB_WHY_MAX.
 * Counts   JOIN shows as many past lines as wanted, but at most
 *          history.room_events; HISTORY as many as wanted and kept.
 */
#ifndef CHAT_COMMAND_H
#define CHAT_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "base/token.h"

/* Ids of the hub's; {generation, slot} as in base/id.h, so they may be stale.
 * 0 is nobody. Users are counted instead: their ids never come again. */
typedef uint64_t session_id;
typedef uint64_t user_id;
typedef uint64_t room_id;

enum command_kind {
    COMMAND_ATTACH,
    COMMAND_DETACH,
    COMMAND_NICK,
    COMMAND_JOIN,
    COMMAND_PART,
    COMMAND_SAY,
    COMMAND_TELL,
    COMMAND_TOPIC,
    COMMAND_AWAY,
    COMMAND_WHO,
    COMMAND_ROOMS,
    COMMAND_HISTORY,
    COMMAND_PING,
    COMMAND_RESUME,
    COMMAND_CATCH_UP,
    COMMAND_ACKS,
    COMMAND_ACK,
    COMMAND_OPER_SAY,
    COMMAND_ANNOUNCE,
    COMMAND_KICK,
};

#define COMMAND_COUNT (COMMAND_KICK + 1)

const char *command_name(enum command_kind kind);

enum say_style {
    SAY_TEXT,
    SAY_ACTION, /* /me */
    SAY_NOTICE, /* no automatic answer, ever */
};

/* How a session ended, when a worker says so. */
enum detach_how {
    DETACH_QUIT,     /* the user asked */
    DETACH_LOST,     /* the conn died; `text` says of what */
    DETACH_REPLACED, /* another conn asked for the session */
    DETACH_UNHEARD,  /* it died before it was told RESUMED, if it was resumed */
};

/* Whom to answer. The worker's index is the conn id's top byte; the operator
 * has an index of its own behind the last worker's. */
struct origin {
    uint64_t conn; /* a conn_id; opaque to the hub but for the top byte */
    uint32_t request;
};

static inline unsigned
origin_worker(uint64_t conn)
{
    return (unsigned)(conn >> 56);
}

struct command {
    enum command_kind kind;
    enum say_style style;
    enum detach_how how;
    bool set;
    bool resumable; /* ATTACH: `secret` is one; in a RESUME it always is */
    uint32_t count;
    uint64_t cursor;
    uint64_t upto;
    struct token token;
    struct token_secret secret; /* random, for the token to come */
    struct origin from;
    session_id session;
    struct slice name; /* room or nickname, unchecked */
    struct slice nick; /* OPER_SAY: whom it shows as the speaker; a reserved
                          name or a free one. Empty: klatchctl */
    struct slice text; /* clean UTF-8 (base/utf8.h); the protocol saw to it */
};

#endif
