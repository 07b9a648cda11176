/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_model_priv - what the model is made of; for hub_model*.c only.
 */
#ifndef UNIT_CHAT_HUB_MODEL_PRIV_H
#define UNIT_CHAT_HUB_MODEL_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chat/name.h"
#include "hub_model.h"

#define MODEL_MAX 512 /* users, rooms; memberships: its square is never near */

struct model_user {
    user_id id; /* 0: not seen yet; the session likewise */
    session_id session;
    uint64_t conn;
    struct name nick;
    struct event *away; /* NULL: here */
};

struct model_room {
    room_id id; /* 0: not seen yet */
    struct name name;
    struct event *topic;
    uint64_t seq;
    struct event **log; /* oldest first */
    size_t log_count;
};

struct model_member {
    struct model_user *user;
    struct model_room *room;
};

/* One delivery that must come. */
struct expected {
    unsigned worker;
    struct delivery d;
    struct model_user *user; /* whose ids this event shows first */
    struct model_room *room; /* likewise */
};

struct model {
    struct hub_conf conf;
    struct model_user *users[MODEL_MAX];
    size_t user_count;
    struct model_room *rooms[MODEL_MAX]; /* by age */
    size_t room_count;
    struct model_member *members; /* in the order joined */
    size_t member_count;
    uint64_t last_id;
    user_id last_user;
    /* of the command under way */
    const struct command *c;
    uint64_t wall_ms;
    struct expected *expected;
    size_t expected_count;
    size_t expected_size;
};

/* ---- hub_model_state.c --------------------------------------------------- */

/* Aborts when `memory` is NULL. */
void *model_must(void *memory);
struct slice model_shown(const struct name *name);
struct model_user *model_user_called(const struct model *m,
                                     const struct name *name);
struct model_user *model_user_on(const struct model *m, uint64_t conn);
struct model_room *model_room_called(const struct model *m,
                                     const struct name *name);
bool model_is_member(const struct model *m, const struct model_user *user,
                     const struct model_room *room);
size_t model_members_of(const struct model *m, const struct model_room *room);
size_t model_rooms_of(const struct model *m, const struct model_user *user);
bool model_room_is_on(const struct model *m, const struct model_room *room,
                      unsigned worker);
bool model_peers_are_on(const struct model *m, const struct model_user *user,
                        unsigned worker);

struct model_room *model_add_room(struct model *m, const struct name *name);
void model_remove_room(struct model *m, size_t at);
void model_add_member(struct model *m, struct model_user *user,
                      struct model_room *room);
void model_remove_member(struct model *m, const struct model_user *user,
                         const struct model_room *room);
void model_remove_user(struct model *m, struct model_user *user);
size_t model_log_bytes(const struct model_room *room);
void model_record(struct model *m, struct model_room *room, struct event *e);
void model_record_everywhere(struct model *m, const struct model_user *user,
                             struct event *e);

/* ---- hub_model_expect.c -------------------------------------------------- */

struct event model_draft(const struct model *m, enum event_kind kind);
struct event_who model_who_is(const struct model_user *user);
struct event *model_make(const struct event *draft);
struct event *model_make_everywhere(const struct model *m,
                                    const struct model_user *user,
                                    struct event *draft);
struct expected *expect_on_worker(struct model *m, unsigned worker,
                                  struct event *e, enum route route);
struct expected *expect_on_conn(struct model *m, uint64_t conn,
                                struct event *e);
struct expected *expect_answer(struct model *m, struct event *e);
struct expected *expect_only_answer(struct model *m, struct event *e);
void expect_in_room(struct model *m, struct model_room *room, struct event *e);
void expect_at_peers(struct model *m, const struct model_user *user,
                     struct event *e);
void expect_refusal(struct model *m, enum refusal refusal, struct slice what);

enum refusal model_nick_refusal(enum name_verdict verdict);
enum refusal model_room_refusal(enum name_verdict verdict);
enum refusal model_may_take_nick(const struct model *m,
                                 const struct model_user *user,
                                 struct name *name);
enum refusal model_existing_room(const struct model *m,
                                 struct model_room **out);
enum refusal model_own_room(const struct model *m,
                            const struct model_user *user,
                            struct model_room **out);
enum refusal model_existing_user(const struct model *m,
                                 struct model_user **out);

/* ---- hub_model_users.c, hub_model_rooms.c -------------------------------- */

enum refusal model_attach(struct model *m);
enum refusal model_detach(struct model *m);
enum refusal model_kick(struct model *m);
enum refusal model_nick(struct model *m, struct model_user *user);
enum refusal model_away(struct model *m, struct model_user *user);
enum refusal model_tell(struct model *m, struct model_user *user);
enum refusal model_announce(struct model *m);

enum refusal model_join(struct model *m, struct model_user *user);
enum refusal model_part(struct model *m, struct model_user *user);
enum refusal model_say(struct model *m, struct model_user *user);
enum refusal model_oper_say(struct model *m, struct slice *what);
enum refusal model_topic(struct model *m, struct model_user *user);
enum refusal model_who(struct model *m);
enum refusal model_rooms(struct model *m);
enum refusal model_history(struct model *m, struct model_user *user);
enum refusal model_ping(struct model *m);

#endif
