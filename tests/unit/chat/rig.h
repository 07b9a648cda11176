/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rig - a hub on a bench: commands go in, and every delivery is written down
 * as one line that a case can compare with.
 *
 *   rig_do(&rig, &anna, COMMAND_SAY, "#tea", "hello");
 *   rig_expect(&rig, "0 room said anna text=hello seq=4", "0 conn done", NULL);
 *
 * A line: worker, route (conn, room, peers, all), event, who did it if anybody
 * did, and then whatever is not empty or 0 of: name= text= items= number= seq=
 * at= (wall_ms, where it tells more than now) style= why= (of a refusal) echoes
 * replay, missed, more (the list goes on), and to= for a ROUTE_CONN to somebody
 * else than the asker. Ids and tokens are in no line but in the rig.
 */
#ifndef UNIT_CHAT_RIG_H
#define UNIT_CHAT_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chat/hub.h"

#define RIG_LINES_MAX 4096
#define RIG_WORKERS   3 /* and the operator, who is worker 3 */

/* A conn id of worker `w`. */
#define RIG_CONN(w, n) ((uint64_t)(w) << 56 | (n))
#define RIG_OPERATOR   RIG_CONN(RIG_WORKERS, 1)

struct rig {
    struct hub *hub;
    struct hub_conf conf;
    struct hub_now now;
    uint64_t asker;
    uint32_t request; /* of the last command */
    session_id attached;
    struct token token;  /* that was given last */
    uint64_t last_id;    /* of the last event that has one */
    uint64_t resumed_at; /* the cursor in RESUMED */
    uint64_t caught_up;  /* the number in CAUGHT_UP */
    uint64_t secrets;
    size_t count;
    char *lines[RIG_LINES_MAX];
};

struct person {
    uint64_t conn;
    session_id session;
    struct token token; /* to come back with */
};

/* With the default limits, or those of `chat`. */
void rig_open(struct rig *rig, const struct chat_conf *chat);

/* As rig_open(); so much is counted for a session at a time. */
void rig_open_counting(struct rig *rig, const struct chat_conf *chat,
                       uint32_t at_once);

/* Fails the case when an event outlives the hub. */
void rig_close(struct rig *rig);

/* Applies `c` and checks the hub; the lines are those of this command. */
void rig_apply(struct rig *rig, const struct command *c);

/* From `who`; NULL: from the operator. */
void rig_do(struct rig *rig, const struct person *who, enum command_kind kind,
            const char *name, const char *text);

/* As rig_do() with a style, with `set`, with a count. */
void rig_say(struct rig *rig, const struct person *who, enum command_kind kind,
             const char *name, const char *text, enum say_style style);
void rig_topic(struct rig *rig, const struct person *who, const char *room,
               const char *topic);
void rig_count(struct rig *rig, const struct person *who,
               enum command_kind kind, const char *room, uint32_t count);

/* A person on `conn` called `nick`; the case fails when it is refused. */
struct person rig_attach(struct rig *rig, uint64_t conn, const char *nick);

/* As rig_attach(), and can come back. */
struct person rig_attach_resumable(struct rig *rig, uint64_t conn,
                                   const char *nick);

/* Its conn ends, for `why`. */
void rig_lose(struct rig *rig, const struct person *who, const char *why);

/* How it ends, and what it had. */
struct rig_end {
    enum detach_how how;
    uint64_t cursor;
    uint64_t upto;
    uint32_t count;
};
void rig_end(struct rig *rig, const struct person *who, struct rig_end end);

/* Asks for the session of `token` on `conn`. */
void rig_ask_resume(struct rig *rig, uint64_t conn, const struct token *token);

/* As rig_ask_resume() for who waits, who is on `conn` then; the case fails when
 * it is refused. */
void rig_resume(struct rig *rig, struct person *who, uint64_t conn);

void rig_catch_up(struct rig *rig, const struct person *who, uint64_t cursor,
                  uint32_t count);
void rig_ack(struct rig *rig, const struct person *who, uint64_t cursor);
void rig_echo(struct rig *rig, const struct person *who, bool on);

/* hub_tick() when it is `mono_ms`. */
void rig_tick(struct rig *rig, uint64_t mono_ms);

/* Joins without asking for history. */
void rig_join(struct rig *rig, const struct person *who, const char *room);

/* The lines of the last command are exactly these, up to NULL. */
void rig_expect(const struct rig *rig, const char *line, ...);

/* The last command was refused for `why`, and nothing else happened. */
void rig_expect_refusal(const struct rig *rig, enum refusal why);

#endif
