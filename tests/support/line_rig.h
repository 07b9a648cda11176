/* SPDX-License-Identifier: BSD-2-Clause
 *
 * line_rig - a hub and the line protocol on one worker, driven turn by turn.
 *
 * Use      unit(proto MODULE
 *               EXTRA ../../support/line_rig.c ../../support/fake_time.c
 *               WRAP clock_mono_ms clock_mono_ns clock_wall_ms epoll_wait
 *                    hub_thread_send)
 * Shape    The real hub, its thread's shell, a front and conns, all on a worker
 *          that the test turns. A peer is the far end of a socket.
 * Time     Stands still but for fake_time_pass_ms(); the wall clock always
 *          says 2026-11-21 10:04.
 * Balance  line_rig_stop() closes what is open and then counts: users, rooms,
 *          clients, conns, msgs, events and timers must all have come back.
 */
#ifndef SUPPORT_LINE_RIG_H
#define SUPPORT_LINE_RIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "chat/hub.h"
#include "net/conns.h"
#include "proto/front.h"

#define PEERS_MAX 16

struct peer {
    int fd;          /* -1: closed */
    struct buf text; /* what came with the last peer_read(), and a NUL */
    bool at_eof;
};

struct line_rig {
    struct worker *worker;
    struct hub *hub;
    struct hub_thread *hub_thread;
    struct conns *conns;
    struct front *front;
    struct net_conf net;
    struct proto_conf proto;
    struct chat_conf chat;
    struct peer peers[PEERS_MAX];
    size_t peer_count;
    bool detects;   /* listener 0 is not pinned to the line protocol */
    int loses;      /* a kind of command that never reaches the hub; -1: none */
    bool is_hungry; /* hub_thread_send() has no memory */
};

extern struct line_rig rig;

/* Changes to rig.net, rig.proto, rig.chat and rig.detects come in between. */
void line_rig_init(void);
void line_rig_start(void);
void line_rig_stop(void);

/* Turns until all is said and done that can be without more time. */
void line_rig_settle(void);

struct peer *peer_connect(void);

/* Says it without a word yet having been worked on. */
void peer_write(struct peer *p, const void *data, size_t len);

/* The same, and settles. */
void peer_say(struct peer *p, const char *text);
void peer_finish(struct peer *p); /* shutdown(SHUT_WR) */
void peer_close(struct peer *p);

/* All that came since the last call, as a string. */
const char *peer_read(struct peer *p);

/* Exactly `text` must have come since the last time. */
#define peer_expect(p, text) ck_assert_str_eq(peer_read(p), (text))

/* One in #lobby, who has read all so far. */
struct peer *peer_called(const char *nick);

/* What everybody was sent so far does not matter. */
void peers_skip(void);

/* As an operator. */
void oper_send(const struct command *c);

#endif
