/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_priv - what the hub is made of; for src/chat/hub*.c only.
 *
 *            by_key              by_key
 *   hub ------------> user   room <------------ hub
 *    | by_conn, ids     \     /      ids, by age
 *    +-----> session --- \   / ---> log: events
 *    |          |       member
 *    |          +--> mailbox: events     (members are in both lists,
 *    +--> waiting sessions               oldest first)
 *    +--> announcements: events
 *
 * Files    hub.c the table of commands, life · hub_emit.c who is told ·
 *          hub_user.c users · hub_session.c sessions with a conn and without ·
 *          hub_resume.c their return · hub_count.c how much they missed ·
 *          hub_catch.c what · hub_mail.c what is kept for one of them ·
 *          hub_quit.c their end · hub_room.c rooms and members ·
 *          hub_log.c a ring of events · hub_say.c talk · hub_list.c lists ·
 *          hub_check.c the invariants.
 * Handlers One a command; they get a `struct ask`, look, allocate all they
 *          need, and only then change and emit. A refusal they return has
 *          changed nothing.
 * Memory   Users, sessions and members come from slabs; one idle user in one
 *          room takes 216 bytes of them, its two names, and its places in
 *          two tables.
 */
#ifndef CHAT_HUB_PRIV_H
#define CHAT_HUB_PRIV_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/list.h"
#include "base/slab.h"
#include "chat/hub.h"
#include "chat/name.h"

/* A checked name at its length: what is shown, then the key. */
struct label {
    uint16_t len;
    uint16_t key_len;
    char bytes[];
};

struct label *label_create(const struct name *name);

static inline struct slice
label_text(const struct label *l)
{
    return slice_make(l->bytes, l->len);
}

static inline struct slice
label_key(const struct label *l)
{
    return slice_make(l->bytes + l->len, l->key_len);
}

/* ---- users --------------------------------------------------------------- */

struct user {
    struct hash_link by_key;
    struct list members; /* in the order joined */
    user_id id;
    struct session *session;
    struct label *nick;
    struct event *away; /* the AWAY event; NULL: here */
    uint32_t rooms;
};

/* What a session needs from the loss of its conn until its client is known to
 * have it back. */
struct wait {
    struct list_link by_age; /* hub.waiting, longest first; else in none */
    struct session *session;
    struct token_secret before; /* what it was resumed with: still good … */
    bool is_resumed; /* … until its client is known to have the new one */
    uint64_t lost_mono_ms;
    uint64_t lost_wall_ms;
    uint64_t cursor;   /* the client is known to have all up to it … */
    uint64_t due;      /* … and was to get so many events behind it … */
    uint64_t due_upto; /* … up to this */
    /* Of what is kept behind the cursor, see hub_count.c: */
    uint64_t counted_upto;
    uint64_t to_come;   /* so many are shown to it … */
    uint64_t still_due; /* … of which so many were due */
    uint64_t gone;      /* and so many came, not due, and went uncounted */
    uint64_t told_upto; /* RESUMED told its worker of all up to this, also if
                           nothing has come to that worker since */
    bool is_announced;  /* its peers were told LOST */
    char why[HUB_WHY_MAX + 1]; /* and will be, if it does not return */
    uint64_t announced_at;     /* as wait_place.at, in hub.announced … */
    uint64_t mail_at;          /* … and in its mailbox */
    uint32_t place_count;
    struct wait_place {
        room_id room;
        uint64_t at; /* position in its log: what lies before was due, or is
                        counted, or is in `gone` */
    } places[];      /* its rooms */
};

struct session {
    struct hash_link by_conn; /* while it has one */
    session_id id;
    uint64_t conn; /* 0: it waits */
    struct user *user;
    struct wait *wait; /* while it waits, and until that is over for sure */
    struct event_log *mail; /* NULL: empty, never used or given back */
    uint64_t attached;      /* last id then: it has missed nothing before */
    struct token_secret secret;
    bool is_resumable;     /* it was given a secret */
    bool echoes;           /* its own talk is shown to it, too … */
    uint16_t resumed;      /* how often; stays at its maximum */
    uint64_t echoes_since; /* … if it came behind this id */
};

static inline bool
session_waits(const struct session *session)
{
    return session->conn == 0;
}

/* A user in a room. */
struct member {
    struct list_link in_room;
    struct list_link in_user;
    struct room *room;
    struct user *user;
    uint64_t joined; /* id of its JOINED event: it has missed nothing before */
};

static_assert(sizeof(struct user) <= 80 && sizeof(struct session) <= 88 &&
                  sizeof(struct member) <= 56,
              "ten thousand idle users are two megabytes of slabs");

/* ---- rings of events ----------------------------------------------------- */

/* How much may be kept, and how much is. */
struct event_limits {
    uint64_t events;
    uint64_t bytes;
};

struct event_tally {
    uint64_t events;
    uint64_t bytes;
};

/* SAID entries are chained both ways by distance, so that the last lines of a
 * room are found without looking at what lies between them. */
struct log_entry {
    struct event *event;
    uint32_t to_older_said;
    uint32_t to_newer_said;
};

/* Positions count from the log's birth; the ring is a window [first, end) of
 * them. */
struct event_log {
    struct log_entry *ring;
    uint32_t size; /* of `ring`, a power of two */
    uint32_t said; /* SAID entries in the window */
    uint64_t first;
    uint64_t end;
    uint64_t newest_said; /* position; only when said > 0 */
    uint64_t bytes;
    uint64_t crowded_out; /* events dropped for newer ones … */
    uint64_t crowded_id;  /* … and the last of them; 0: none */
};

static inline uint64_t
event_log_used(const struct event_log *log)
{
    return log->end - log->first;
}

/* ---- rooms --------------------------------------------------------------- */

struct room {
    struct hash_link by_key;
    struct list_link by_age;
    struct list members; /* in the order joined */
    struct label *name;
    struct event *topic; /* the TOPIC event; NULL: never set */
    room_id id;
    uint64_t created_ms;
    uint64_t last_seq;
    uint64_t member_count;
    struct event_log log;
    uint32_t members_on[]; /* per worker; hub_conf.workers + 1 of them */
};

/* ---- hub ----------------------------------------------------------------- */

struct hub {
    struct hub_conf conf;
    struct hash users_by_key;
    struct hash sessions_by_conn;
    struct hash rooms_by_key;
    struct id_table session_ids;
    struct id_table room_ids;
    struct list rooms;   /* by age */
    struct list waiting; /* wait.by_age */
    struct event_log announced;
    struct slab users;
    struct slab sessions;
    struct slab members;
    struct hub_census census;
    struct event_tally logged; /* in all rooms' logs */
    struct event_tally kept;   /* in mailboxes, and announcements */
    uint64_t last_event_id;
    user_id last_user_id;
    /* So many kept entries may be looked at from this millisecond on, more with
     * time, but never more than that. */
    uint64_t count_ms;
    uint32_t count_left;
    uint32_t count_most;
    /* Made at the start, so that there is an answer when memory is short. */
    struct event *done;
    struct event *no_memory;
    struct event *ended;
    uint32_t sessions_on[HUB_WORKERS_MAX + 1];
};

/* One command under way. */
struct ask {
    struct hub *hub;
    const struct command *c;
    const struct hub_now *now;
    const struct hub_out *out;
    struct session *session; /* whose the command is; NULL: nobody's */
    struct user *user;       /* likewise */
    struct slice what;       /* named in a refusal */
};

static inline unsigned
hub_worker_count(const struct hub *hub)
{
    return hub->conf.workers + 1; /* the operator's too */
}

/* ---- hub_emit.c ---------------------------------------------------------- */

/* The start of an event: its kind, the time and, when it is not an answer, an
 * id. To be filled in and given to event_create(). */
struct event ask_draft(const struct ask *a, enum event_kind kind);

/* `user` as it is now. */
struct event_who ask_who(const struct user *user);

void emit_to_conn(const struct ask *a, uint64_t conn, struct event *e);
void emit_replay(const struct ask *a, struct event *e, enum replay replay);
void emit_to_asker(const struct ask *a, struct event *e);
void emit_to_room(const struct ask *a, const struct room *room,
                  struct event *e);

/* To who shares a room with `user`, and to `user` if it has a conn. */
void emit_to_peers(const struct ask *a, const struct user *user,
                   struct event *e);
void emit_to_all(const struct ask *a, struct event *e);

/* ---- hub_log.c ----------------------------------------------------------- */

MUST_CHECK int event_log_init(struct event_log *log);
void event_log_fini(struct event_log *log, struct event_tally *tally);

/* Appends a reference to `e` and drops what is over the limits, oldest first.
 * A ring that cannot grow for want of memory keeps fewer events. */
void event_log_push(struct event_log *log, struct event *e,
                    const struct event_limits *limits,
                    struct event_tally *tally);

/* Drops what has an id up to `id`. */
void event_log_drop_upto(struct event_log *log, uint64_t id,
                         struct event_tally *tally);

/* Finds place for one more than there are. 0 or -ENOMEM. */
MUST_CHECK int event_log_reserve(struct event_log *log);

/* The position of the first event with an id above `id`; log->end: none. */
uint64_t event_log_after(const struct event_log *log, uint64_t id);

static inline const struct log_entry *
event_log_at(const struct event_log *log, uint64_t position)
{
    return &log->ring[position & (log->size - 1)];
}

/* The position of the `n`-th SAID from the end; 1 <= n <= log->said. */
uint64_t event_log_said(const struct event_log *log, uint32_t n);

/* ---- hub_user.c ---------------------------------------------------------- */

struct user *user_find(const struct hub *hub, const struct name *name);

enum refusal user_refusal(enum name_verdict verdict);

/* The user that the command names, or why not. */
enum refusal user_named(struct ask *a, struct user **out);

/* Makes of `draft` an event with a place in each room of `user`; NULL when
 * memory is short. user_record() then puts it in their logs. */
struct event *user_event(const struct user *user, struct event *draft);
void user_record(struct hub *hub, const struct user *user, struct event *e);

/* Out of all rooms and tables, without a word. */
void user_end(struct hub *hub, struct user *user);

enum refusal user_on_attach(struct ask *a);
enum refusal user_on_nick(struct ask *a);
enum refusal user_on_away(struct ask *a);

/* ---- hub_session.c ------------------------------------------------------- */

/* NULL when it has ended, or is not that conn's. */
struct session *session_find(const struct hub *hub, session_id id,
                             uint64_t conn);
struct session *session_of_conn(const struct hub *hub, uint64_t conn);

/* Of `user`, on the asker's conn; NULL when memory is short. */
struct session *session_create(const struct ask *a, struct user *user);
void session_destroy(struct hub *hub, struct session *session);

/* What its client is to come back with; empty if it cannot. */
struct slice session_token(const struct hub *hub, const struct session *session,
                           char out[TOKEN_TEXT_MAX]);

/* Its client is known to have its token: if it was resumed, that is over. */
void session_confirm(struct session *session);

/* Is that its secret, or the one before that is still good? */
bool session_has_secret(const struct session *session,
                        const struct token_secret *secret);

/* Its conn is lost: it waits. False: it cannot, and is as it was. */
bool session_lose(const struct ask *a, struct session *session);

/* The secret of the token that who resumes it is told. */
void session_next_secret(const struct ask *a, const struct session *session,
                         struct token_secret *out);

/* It waits no longer: it is on the asker's conn, with the asker's secret. 0 or
 * -ENOMEM. */
MUST_CHECK int session_regain(const struct ask *a, struct session *session);

/* Counts `room` for the worker of `session`, or no longer; nothing while it
 * waits. */
void session_count_room(const struct session *session, struct room *room,
                        int by);

/* ---- hub_resume.c -------------------------------------------------------- */

enum refusal resume_on_resume(struct ask *a);
enum refusal resume_on_acks(struct ask *a);

/* ---- hub_count.c --------------------------------------------------------- */

/* Its wait is new: to what the client was sent and may have lost adds what is on
 * its way. */
void count_start(const struct hub *hub, const struct session *session);

/* Counts on, some at a time. 0: all is counted. -EAGAIN: not yet. -ENOMEM. */
MUST_CHECK int count_go_on(const struct ask *a, const struct session *session);

/* What came for it and cannot be given. */
uint64_t count_missed(const struct wait *w);

/* ---- hub_catch.c --------------------------------------------------------- */

/* All that is kept for a session behind a cursor, by id: a heap of sources by
 * the id of their next event. */
struct catch_source {
    const struct event_log *log;
    uint64_t at;
    uint64_t id;      /* of the event there */
    uint64_t *passed; /* goes up with `at`; or NULL */
};

struct catch_merge {
    const struct session *session;
    uint64_t looked_upto;
    size_t count;
    struct catch_source *sources;
};

/* 0 or -ENOMEM; then catch_fini(). The positions in `w`, if it is not NULL, go up
 * with what is looked at. */
MUST_CHECK int catch_init(struct catch_merge *c, const struct hub *hub,
                          const struct session *session, uint64_t cursor,
                          struct wait *w);
void catch_fini(struct catch_merge *c);

/* Looks at the next one: *out is NULL when that is not shown to the session.
 * False: there is none. */
MUST_CHECK bool catch_look(struct catch_merge *c, struct event **out);

enum refusal catch_on_catch_up(struct ask *a);

/* ---- hub_mail.c ---------------------------------------------------------- */

/* Keeps `e` for `session`. 0; -ENOSPC when it waits and has no place for more;
 * -ENOMEM. One that has a conn loses its oldest instead. */
MUST_CHECK int mail_put(struct hub *hub, struct session *session,
                        struct event *e);

/* Its client has all up to the id `cursor`. */
void mail_forget(struct hub *hub, struct session *session, uint64_t cursor);
void mail_fini(struct hub *hub, struct session *session);
enum refusal mail_on_ack(struct ask *a);

/* Keeps `e`, which goes to everybody. */
void mail_announce(struct hub *hub, struct event *e);

/* ---- hub_quit.c ---------------------------------------------------------- */

enum refusal quit_on_detach(struct ask *a);
enum refusal quit_on_kick(struct ask *a);

/* Ends a session that has waited for too long. */
void quit_expired(const struct ask *a, struct session *session);

/* Ends all users, at the hub's end. */
void quit_all(struct hub *hub);

/* ---- hub_room.c ---------------------------------------------------------- */

struct room *room_find(const struct hub *hub, const struct name *name);

/* 0 and *out, in all tables and without members, or -ENOMEM. */
MUST_CHECK int room_create(struct hub *hub, const struct name *name,
                           uint64_t wall_ms, struct room **out);

/* Ends `room` when it has no members and is not the lobby. */
void room_drop_if_empty(struct hub *hub, struct room *room);

/* Ends it whatever it is, at the hub's end. */
void room_destroy(struct hub *hub, struct room *room);

/* NULL when the user is not in that room. */
struct member *member_find(const struct user *user, const struct room *room);

/* NULL when memory is short. */
struct member *member_add(struct hub *hub, struct user *user,
                          struct room *room);

/* The room stays, even empty. */
void member_remove(struct hub *hub, struct member *m);

/* Puts `e` in the log of `room`, whose next seq it carries. */
void room_record(struct hub *hub, struct room *room, struct event *e);

/* The room that the command names, or why not. */
enum refusal room_named(struct ask *a, struct room **out);

/* As room_named(), and the asker is a member. */
enum refusal room_joined(struct ask *a, struct room **out);

enum refusal room_on_join(struct ask *a);
enum refusal room_on_part(struct ask *a);

/* ---- hub_say.c, hub_list.c ----------------------------------------------- */

enum refusal say_on_say(struct ask *a);
enum refusal say_on_tell(struct ask *a);
enum refusal say_on_topic(struct ask *a);
enum refusal say_on_ping(struct ask *a);
enum refusal say_on_oper_say(struct ask *a);
enum refusal say_on_announce(struct ask *a);

enum refusal list_on_who(struct ask *a);
enum refusal list_on_rooms(struct ask *a);
enum refusal list_on_history(struct ask *a);

/* The HISTORY answer with up to `wanted` lines, for list_replay() to follow;
 * NULL when memory is short. */
struct event *list_history(const struct ask *a, const struct room *room,
                           uint64_t wanted);
void list_replay(const struct ask *a, const struct room *room,
                 struct event *history);

#endif
