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

/* Something that a user was to see, and where it stands so that it can be given
 * again: in the log of `room`; without one, in the user's mailbox if it was
 * TOLD, else among the announcements. What concerns several rooms is in the
 * list once for each of them, side by side. */
struct model_due {
    struct event *e;
    struct model_room *room;
    uint64_t above; /* its id is above this; the id itself may not be known */
    uint64_t born;  /* a later event has a greater one */
    bool is_mail;   /* it is in the mailbox */
    bool in_wait;   /* it happened while the user waited */
    bool
        is_counted; /* when it came back, which its worker knows until the ACK */
};

struct model_user {
    user_id id; /* 0: not seen yet; the session likewise */
    session_id session;
    uint64_t conn; /* 0 while it waits */
    struct name nick;
    struct event *away; /* NULL: here */
    struct model_due *due;
    size_t due_count;
    bool is_resumable;
    bool echoes;
    struct token token;
    struct token before; /* what it came back with: good until it ACKs */
    bool has_before;
    bool is_retold; /* it came with that, and is told the same one again */
    /* while it waits */
    bool waits;
    bool is_told_lost;
    uint64_t lost_turn; /* who was lost first has the least */
    uint64_t lost_mono_ms;
    uint64_t lost_wall_ms;
    uint64_t cursor;
    uint64_t owed;   /* events that it was to see when it was lost … */
    uint64_t unsure; /* … and so many more, if its logs had dropped them */
    uint64_t mail_dropped; /* for newer mail, ever */
    char why[HUB_WHY_MAX + 1];
};

struct model_room {
    room_id id; /* 0: not seen yet */
    struct name name;
    struct event *topic;
    uint64_t seq;
    struct event **log; /* oldest first */
    size_t log_count;
    uint64_t dropped; /* from it, ever */
};

struct model_member {
    struct model_user *user;
    struct model_room *room;
};

/* One delivery that must come. */
struct expected {
    unsigned worker;
    struct delivery d;
    struct model_user *user;   /* whose ids this event shows first */
    struct model_room *room;   /* likewise */
    struct model_user *holder; /* whose new token it shows */
    struct event *upto;        /* whose id its `number` is */
    uint64_t unsure;           /* its `seq` may be so much more */
};

struct model {
    struct hub_conf conf;
    struct model_user *users[MODEL_MAX];
    size_t user_count;
    struct model_room *rooms[MODEL_MAX]; /* by age */
    size_t room_count;
    struct model_member *members; /* in the order joined */
    size_t member_count;
    struct model_due announced[HUB_ANNOUNCED_EVENTS + 1]; /* `e` only */
    size_t announced_count;
    uint64_t announced_dropped; /* ever */
    uint64_t losses;
    uint64_t births;
    uint64_t last_id;
    user_id last_user;
    /* of the command under way */
    const struct command *c;
    uint64_t wall_ms;
    uint64_t mono_ms;
    uint64_t last_missed; /* id given by CATCH_UP */
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
void model_remove_member(struct model *m, struct model_user *user,
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

/* ---- hub_model_due.c ----------------------------------------------------- */

/* `user` is to see `e`, or would be if it had a conn. */
void model_owe(struct model *m, struct model_user *user, struct event *e,
               struct model_room *room);

/* The id of `e`, which nobody got when it happened, is known now. */
void model_learn_id(struct model *m, const struct event *e);

/* All that stands in the log of `room`; NULL: all. */
void model_forget_due(struct model_user *user, const struct model_room *room);

/* The events behind `cursor` that can still be given to `user`: their number,
 * and them when `out` is not NULL. `even_in_wait`: also what happened since it
 * was lost. */
size_t model_can_give(const struct model *m, const struct model_user *user,
                      uint64_t cursor, bool even_in_wait, struct event **out);

/* Those of them behind `upto` that its worker, whose conn ended, knows nothing
 * of. */
size_t model_on_its_way(const struct model *m, const struct model_user *user,
                        uint64_t upto);

/* What happened in its rooms and to all while `user` waited, and cannot. */
size_t model_cannot_give(const struct model *m, const struct model_user *user);

/* Into the mailbox. False: it waits and it does not fit. */
bool model_mail(struct model *m, struct model_user *user, struct event *e);
void model_forget_mail(struct model_user *user, uint64_t cursor);
void model_count_kept(const struct model *m, uint64_t *events, uint64_t *bytes);
void model_keep_announced(struct model *m, struct event *e);
void model_forget_announced(struct model *m);

/* ---- hub_model_sessions.c ------------------------------------------------ */

size_t model_waiting(const struct model *m);

/* The one that was lost first; NULL: none waits. */
struct model_user *model_longest_waiting(const struct model *m);

bool model_lose(struct model *m, struct model_user *user);
enum refusal model_resume(struct model *m);
enum refusal model_catch_up(struct model *m, struct model_user *user);
void model_quit(struct model *m, struct model_user *user, struct slice text);

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
