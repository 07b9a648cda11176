/* SPDX-License-Identifier: BSD-2-Clause
 *
 * conn_rig - a worker with conns, driven turn by turn, and their far ends.
 *
 * Use      unit(net MODULE EXTRA conn_rig.c ../../support/fake_time.c
 *               WRAP clock_mono_ms clock_mono_ns epoll_wait)
 * Shape    One rig a process. A probe is both ends of one connection: the conn
 *          with a protocol that notes what it is told, and the peer's socket.
 * Time     Stands still but for fake_time_pass_ms().
 * Balance  rig_stop() closes what is open and then counts: conns, msgs, bytes,
 *          sources and timers must all have come back.
 */
#ifndef NET_CONN_RIG_H
#define NET_CONN_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/conns.h"

#define RIG_START_MS 1000000u

struct probe {
    struct conn *c; /* NULL before adoption and after on_closed */
    conn_id id;
    int peer;
    struct buf heard; /* what the protocol consumed */
    size_t offers;    /* calls of on_bytes */
    size_t eofs;
    size_t rest; /* at the last on_eof */
    size_t deadlines;
    size_t drained; /* calls of on_drained */
    size_t closes;
    enum conn_end end;

    /* What it does; NULL: consume all, drain as EOF, nothing, nothing. */
    size_t (*on_bytes)(struct probe *p, const char *data, size_t len);
    void (*on_eof)(struct probe *p);
    void (*on_deadline)(struct probe *p);
    void (*on_drained)(struct probe *p);
    void (*on_closed)(struct probe *p);
    struct probe *other; /* for use by these */
    size_t number;
};

struct rig {
    struct worker *worker;
    struct conns *conns;
    struct net_conf conf;
    enum conn_state enters; /* what a new conn enters; ACCEPTED: nothing */
};

extern struct rig rig;
extern const struct conn_ops probe_ops;

/* With the defaults of net_conf, or as changed in rig.conf after rig_init(). */
void rig_init(void);
void rig_start(void);
void rig_stop(void);

/* One turn that does not wait. */
void rig_turn(void);
void rig_turns(size_t n);

/* Turns until the rig has nothing left to do but wait. */
void rig_settle(void);

/* An OPEN conn over a socketpair, or over TCP on the loopback. */
void probe_open(struct probe *p);
void probe_open_tcp(struct probe *p);

/* Makes the two sockets only, non-blocking; ends[0] is the conn's. */
void rig_socketpair(int ends[2]);
void rig_tcp_pair(int ends[2]);
void rig_adopt(struct probe *p, int fd, int family);

/* The next conn that comes will be this probe's. */
void rig_expect(struct probe *p);

/* One that outlives the rig. */
struct worker *rig_other_worker(void);

/* Closes the peer's end, and frees; a conn still there is closed first. */
void probe_end(struct probe *p);

/* The peer's side. */
void peer_say(struct probe *p, const char *text);
void peer_close(struct probe *p);
void peer_reset(struct probe *p);  /* TCP: a RST */
void peer_finish(struct probe *p); /* shutdown(SHUT_WR) */

/* Appends all there is to read; true at EOF. */
bool peer_read(struct probe *p, struct buf *into);

/* A callback that does nothing, for where NULL does something. */
void probe_nothing(struct probe *p);

/* Queues `text` as one msg; conn_queue_take()'s result. */
int probe_say(struct probe *p, const char *text);

/* The smallest send buffer, so that the kernel soon takes no more. */
void probe_shrink_buffer(struct probe *p);

/* Queues zeros until the kernel takes no more and `bytes` wait. */
void probe_fill(struct probe *p, size_t bytes);

/* Waits, for real, until the conn's socket has `events` of poll(2): TCP may
 * take its time even on the loopback. */
void probe_await(const struct probe *p, short events);

/* Has the protocol consumed exactly `text`? */
bool probe_heard(const struct probe *p, const char *text);

uint64_t rig_counter(const char *name);
void rig_check_balances(void);

#endif
