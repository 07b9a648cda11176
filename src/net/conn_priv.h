/* SPDX-License-Identifier: BSD-2-Clause
 *
 * conn_priv - the bodies of struct conn and struct conns, and what the files
 * that make a conn tell each other.
 *
 *   conns.c        adoption, the table, the lists that are run each turn
 *   conn.c         from birth to death, and what others ask
 *   conn_state.c   the state; nobody else writes c->state
 *   conn_timer.c   deadlines, heartbeat, delayed resumption
 *   conn_read.c    input: offered, paused, kept
 *   conn_write.c   output: queued, written, stalled
 *   conn_drain.c   the goodbye
 *   conn_socket.c  system calls on the socket, and what their errors mean
 *   wqueue.c       the queue itself
 *
 * Three lists of conns make up for edge-triggered events:
 *
 *   dirty   has something to write and, as far as known, room to write it
 *   ready   may have something to read that no event will tell of again
 *   closed  waits for on_closed and for its memory to be given back
 *
 *  1. A conn whose socket may hold unread input and that is not paused is in
 *     `ready`, or an event is still to come for it.
 *  2. A conn with a queue is in `dirty`, or BLOCKED: then EPOLLOUT is watched,
 *     and was not reported since the kernel last refused bytes.
 *  3. Callbacks of a protocol are called with no conn being half changed, and
 *     never while another conn's read is under way: the read buffer is one.
 */
#ifndef NET_CONN_PRIV_H
#define NET_CONN_PRIV_H

#include <assert.h>
#include <sys/types.h>

#include "base/id.h"
#include "base/list.h"
#include "base/slab.h"
#include "base/wheel.h"
#include "loop/reactor.h"
#include "loop/worker.h"
#include "net/conn.h"
#include "net/conns.h"
#include "net/wqueue_priv.h"

#define CONN_WRITE_BUDGET 262144u /* bytes a conn and turn, or one call more */
#define CONN_IOVECS       64u     /* msgs a call */
#define CONN_GRACE_MS     1000u   /* for the peer's FIN after the last ACK */
#define CONN_HASTE_MS     20u     /* between looks at the last ACK, at exit */
#define CONNS_TURN_BUDGET 1024u   /* conns to write, or to bury, a turn */
#define CONNS_READ_BUDGET 256u    /* conns to read on, a turn */
#define CONNS_MAX         (1u << 24)

#define CONN_ID_SLOT_BITS       28u
#define CONN_ID_GENERATION_BITS 28u

/* Why a conn is not read although it is its peer that must do something. */
#define CONN_PAUSES_FOR_PEER (CONN_PAUSE_QUEUE | CONN_PAUSE_BEHIND)

enum conn_flag {
    CONN_BLOCKED = BIT(0),  /* the kernel took no more, and said nothing yet */
    CONN_WATCHED = BIT(1),  /* EPOLLOUT is asked for */
    CONN_AT_EOF = BIT(2),   /* the peer's FIN was read */
    CONN_BROKEN = BIT(3),   /* no output any more; the last input is read */
    CONN_SHUT = BIT(4),     /* our FIN is on its way */
    CONN_REOFFER = BIT(5),  /* what is kept must be offered as it is */
    CONN_DEADLESS = BIT(6), /* counted as without_deadline */
    CONN_AWAITED = BIT(7),  /* on_drained is asked for */
};

/* What a fan-out touches comes first, so that it is in the first two cache
 * lines: to most conns, most turns bring one msg and nothing else. */
struct conn {
    struct conns *conns; /* set once */

    /* [owner] */
    struct wqueue out;
    struct list_link dirty;
    int fd;
    uint8_t state;  /* enum conn_state */
    uint8_t end;    /* enum conn_end: when CLOSED, DRAINING or BROKEN */
    uint8_t flags;  /* enum conn_flag */
    uint8_t pauses; /* enum conn_pause */
    uint64_t bytes_out;
    uint64_t bytes_in;
    uint64_t heard_ms;
    union {
        uint64_t alive_ms;    /* OPEN: silence counts from here */
        uint64_t drain_by_ms; /* DRAINING */
        uint64_t acked;       /* CLOSED: conn_acked_upto() */
    };
    const struct conn_ops *ops;
    void *data;
    struct reactor_source source;
    struct list_link ready; /* in conns->ready; in conns->closed at the end */
    char *kept;             /* input that waits for more; NULL: none */
    uint32_t kept_len;
    uint32_t kept_cap;
    struct wheel_timer deadline;
    struct conn_resumption *resumption; /* of conn_pause_for(); or NULL */

    /* set once */
    uint32_t listener;
    struct addr peer;
    struct conn_ticket *ticket; /* or NULL */
    uint64_t table_id;          /* {generation:32, slot:32}, see conn_get_id */
    uint64_t opened_ms;
};

static_assert(sizeof(struct conn) <= 256, "an idle conn is to stay small");
static_assert(CONN_END_COUNT <= UINT8_MAX, "fits c->end");

/* A pause that ends by itself; few conns have one at a time. */
struct conn_resumption {
    struct wheel_timer timer;
    struct conn *conn;
    unsigned pauses; /* those that it will lift */
};

struct conns {
    /* set once */
    struct conns_env env;
    struct worker *worker;

    /* [owner] */
    struct net_conf conf;
    char *buffer; /* what is kept of a conn, then what is read */
    size_t buffer_size;
    size_t recvq;         /* conf's, or what the buffer has room for */
    struct conn *reading; /* whose bytes are in the buffer; or NULL */
    bool hastens;
    struct id_table table;
    struct slab slab;
    struct slab chunks;
    struct slab resumptions;
    struct list dirty;
    struct list ready;
    struct list closed;
    struct task turn_task;          /* end of turn: writes, then buries */
    struct task ready_task;         /* start of turn: reads on */
    struct conns_counters counters; /* [any] may read */

    /* [any] */
    _Alignas(CACHE_LINE) _Atomic uint32_t load;
};

/* ---- conns.c ------------------------------------------------------------- */

/* Puts it on that list, unless it is there; runs the list this turn or next. */
void conns_mark_dirty(struct conns *cs, struct conn *c);
void conns_mark_ready(struct conns *cs, struct conn *c);
void conns_mark_closed(struct conns *cs, struct conn *c);

/* ---- conn.c -------------------------------------------------------------- */

/* 0 and *out, ACCEPTED and watched; or a negative errno, nothing taken over. */
MUST_CHECK int conn_create(struct conns *cs, const struct accepted *s,
                           struct conn **out);

/* The last call and the memory. */
void conn_bury(struct conn *c);

/* Output failed, as `end` tells, but what the peer said before still counts:
 * drops the queue; closes once that is read, or timeouts.drain has passed. */
void conn_break(struct conn *c, enum conn_end end);

/* ---- conn_state.c -------------------------------------------------------- */

void conn_state_init(struct conn *c);
void conn_set_state(struct conn *c, enum conn_state to);

/* Asserts what must hold in its state. */
void conn_check(const struct conn *c);

/* Before DRAINING. */
static inline bool
conn_is_serving(const struct conn *c)
{
    return c->state < CONN_DRAINING;
}

/* ---- conn_timer.c -------------------------------------------------------- */

void conn_timers_init(struct conn *c);
void conn_timers_stop(struct conn *c);

/* `why` is over, so its delay (conn_pause_for()) lifts it no more. */
void conn_timers_resumed(struct conn *c, enum conn_pause why);
void conn_arm(struct conn *c, uint64_t due_ms);

/* Arms what `state` gives it, from now on. */
void conn_arm_for(struct conn *c, enum conn_state state);

/* Counts it in without_deadline if it has none, until it is armed: whoever
 * forgot that is to be seen in the metrics. */
void conn_count_deadless(struct conn *c);

/* The configured times changed. */
void conn_rearm(struct conn *c);

uint64_t conn_now_ms(const struct conn *c);

/* ---- conn_read.c --------------------------------------------------------- */

/* Reads and offers, one budget of it. */
void conn_read(struct conn *c);

/* Lifts all pauses, for good. */
void conn_unpause(struct conn *c);
void conn_drop_kept(struct conn *c);

/* ---- conn_write.c -------------------------------------------------------- */

/* Writes until all is out, the kernel refuses, or the budget is used up. */
void conn_flush(struct conn *c);

/* The same as the conn's turn to write, after which on_drained may be called. */
void conn_take_turn(struct conn *c);

/* An event said that there may be room again. */
void conn_unblock(struct conn *c);
void conn_drop_queue(struct conn *c);

/* ---- conn_drain.c -------------------------------------------------------- */

void conn_drain_flushed(struct conn *c); /* the queue is empty */
void conn_drain_read(struct conn *c);    /* there may be input */
void conn_drain_due(struct conn *c, uint64_t now_ms);
void conn_drain_hasten(struct conn *c);

/* ---- conn_socket.c ------------------------------------------------------- */

/* How the kernel is to find out that an idle peer is gone. */
struct keepalive {
    int idle_s;
    int interval_s;
    int probes;
    unsigned user_timeout_ms; /* 0: as the kernel does */
};

void keepalive_plan(const struct net_conf *conf, struct keepalive *out);
void conn_socket_setup(const struct conn *c);

/* The close that follows sends nothing more: a RST (socket(7), SO_LINGER). */
void conn_socket_abort(const struct conn *c);

/* Bytes read, 0 at EOF, or a negative errno; -EAGAIN: nothing there. */
ssize_t conn_socket_recv(const struct conn *c, char *to, size_t size);

/* Bytes of the queue written, or a negative errno; -EAGAIN: no room. */
ssize_t conn_socket_send(const struct conn *c);

/* The socket's pending error, which this clears: 0 or a negative errno. */
int conn_socket_error(const struct conn *c);

/* Has the peer's kernel acknowledged all that was sent, our FIN included? */
bool conn_socket_is_acked(const struct conn *c);

/* Of all that was written, as conn_acked_upto(). */
uint64_t conn_socket_acked(const struct conn *c);

enum conn_end conn_end_of(int error); /* a negative errno */

#endif
