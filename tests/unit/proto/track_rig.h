/* SPDX-License-Identifier: BSD-2-Clause
 *
 * track_rig - what the suites of client_track play with: a client in the lobby
 * whose session outlives its conn, and the hub's part of that.
 */
#ifndef PROTO_TRACK_RIG_H
#define PROTO_TRACK_RIG_H

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front_rig.h"
#include "support/fake_time.h"
#include "support/unit.h"

#define SENDQ 65536u
#define LOOK  1000u

static uint64_t last_id; /* the last event there was */
static char long_text[8001];

static inline void
start(void)
{
    rig_init();
    rig.conf.session_linger = 120000;
    rig.net.limits_sendq = SENDQ;
    rig_start();
    last_id = 100;
    rig.f->last_event = last_id; /* of a front that is not new */
    memset(long_text, 'x', sizeof(long_text) - 1);
}

/* Somebody of another worker says it in the lobby; returns its id. */
static inline uint64_t
said(const char *text)
{
    const struct event draft = {
        .kind = EVENT_SAID,
        .id = ++last_id,
        .room = RIG_LOBBY,
        .who = rig_who(NULL, "bob"),
        .text = slice_of(text),
    };

    hub_deliver(ROUTE_ROOM, &draft, draft.who.conn, 0, false);
    return last_id;
}

static inline void
to_conn(const struct sent *s, const struct event *draft, enum replay replay)
{
    struct delivery d = {
        .event = event_create(draft),
        .route = ROUTE_CONN,
        .replay = replay,
        .request = s->c.from.request,
        .to = s->c.from.conn,
    };

    front_on_batch(rig.f, &d, 1);
    event_unref(d.event);
}

static inline void
missed(const struct sent *s, uint64_t id)
{
    to_conn(s,
            &(struct event){
                .kind = EVENT_SAID,
                .id = id,
                .room = RIG_LOBBY,
                .who = rig_who(NULL, "bob"),
                .text = slice_of("missed"),
            },
            REPLAY_MISSED);
}

static inline void
caught_up(const struct sent *s, uint64_t upto, bool last)
{
    to_conn(s,
            &(struct event){
                .kind = EVENT_CAUGHT_UP,
                .number = upto,
                .last = last,
            },
            REPLAY_NONE);
    hub_done(s);
    rig_settle();
}

static inline void
resumed(const struct sent *s, uint64_t cursor, uint64_t to_come, uint64_t gone)
{
    to_conn(s,
            &(struct event){
                .kind = EVENT_RESUMED,
                .id = cursor,
                .number = to_come,
                .seq = gone,
                .who = {.session = 5,
                        .conn = s->c.from.conn,
                        .nick = slice_of("alice")},
    },
            REPLAY_NONE);
    to_conn(s,
            &(struct event){
                .kind = EVENT_REJOINED,
                .room = RIG_LOBBY,
                .name = slice_of("#lobby"),
            },
            REPLAY_NONE);
    hub_done(s);
    rig_settle();
}

/* Ends its conn; what the hub is told of it. */
static inline const struct command *
farewell(struct peer *p, enum detach_how how)
{
    const struct sent *s;

    conn_close(p->talk->cl.conn, CONN_END_RESET);
    rig_settle();
    s = hub_take(COMMAND_DETACH);
    ck_assert_int_eq(s->c.how, how);
    return &s->c;
}

static inline void
expect_farewell(const struct command *f, uint64_t cursor, uint64_t upto,
                uint32_t count)
{
    ck_assert_uint_eq(f->cursor, cursor);
    ck_assert_uint_eq(f->upto, upto);
    ck_assert_uint_eq(f->count, count);
}

/* Not read, with the first of its events in the kernel. Returns how many. */
static inline unsigned
overflow(struct peer *p)
{
    unsigned n = 0;

    while (p->talk->behinds == 0) {
        said(long_text);
        n++;
        if (n % 4 == 0)
            rig_turn();
        ck_assert_uint_lt(n, 1000);
    }
    return n;
}

static inline struct peer *
come_back(uint64_t cursor, uint64_t to_come, uint64_t gone)
{
    struct peer *const p = rig_connect();

    peer_say(p, "/resume\n");
    resumed(hub_take(COMMAND_RESUME), cursor, to_come, gone);
    return p;
}

/* Leaves it to the caller to take the CATCH_UPs, which may come later. */
static inline struct peer *
come_back_quietly(void)
{
    struct peer *const p = rig_connect();

    peer_say(p, "/resume\n");
    resumed(&rig.sent[rig.sent_count - 1], 60, 0, 0);
    return p;
}

#endif
