/* SPDX-License-Identifier: BSD-2-Clause
 *
 * conns - all conns of one worker, and what they share.
 *
 * Shape    The id table, slabs of conns and queue chunks, one read buffer, the
 *          list of conns with something to write at the end of the turn, the
 *          list of those that have more to read, and the counters.
 * Threads  conns_post_socket() and the counters: [any]. All else: the worker.
 *
 * Balances, at rest:  accepted = open + closed (sum over reasons)
 *                     queued   = sent + dropped + pending   (msgs, and bytes)
 */
#ifndef NET_CONNS_H
#define NET_CONNS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/metric.h"
#include "loop/worker.h"
#include "net/addr.h"
#include "net/conn.h"

/* clang-format off */
#define CONNS_COUNTERS(X)                                                     \
    X(accepted,          COUNTER, "connections taken over")                   \
    X(open,              GAUGE,   "connections now")                          \
    X(without_deadline,  GAUGE,   "connections without a deadline; always 0") \
    X(bytes_in,          COUNTER, "bytes read")                               \
    X(bytes_out,         COUNTER, "bytes written")                            \
    X(reads,             COUNTER, "calls that read")                          \
    X(writes,            COUNTER, "calls that wrote")                         \
    X(queued_msgs,       COUNTER, "messages queued")                          \
    X(sent_msgs,         COUNTER, "messages written whole")                   \
    X(dropped_msgs,      COUNTER, "messages dropped by a close")              \
    X(pending_msgs,      GAUGE,   "messages waiting")                         \
    X(queued_bytes,      COUNTER, "bytes queued")                             \
    X(sent_bytes,        COUNTER, "bytes of queued messages written")         \
    X(dropped_bytes,     COUNTER, "bytes dropped by a close")                 \
    X(pending_bytes,     GAUGE,   "bytes waiting")                            \
    X(kept_bytes,        GAUGE,   "bytes of partial input kept")              \
    X(paused,            GAUGE,   "connections not read at the moment")       \
    X(stalled_writes,    COUNTER, "writes that met a full socket buffer")
/* clang-format on */

struct conns_counters {
    CONNS_COUNTERS(METRIC_FIELD)
    _Atomic uint64_t ended[CONN_END_COUNT];
    _Atomic uint64_t in_state[CONN_STATE_COUNT];
};

extern const struct metric_desc conns_metrics[];
extern const size_t conns_metric_count;

/* What somebody counts conns by. Its first bytes are known here so that a conn
 * can send it back when it is gone, which thus can never fail. */
struct conn_ticket {
    struct post post;    /* its kind is the counter's own */
    struct worker *home; /* who counts; outlives every conn */
};

/* [any] Sends the ticket home; NULL is fine. */
static inline void
conn_ticket_return(struct conn_ticket *ticket)
{
    if (ticket != NULL)
        worker_post(ticket->home, &ticket->post);
}

/* A socket on its way from the acceptor to its conn. */
struct accepted {
    int fd;
    unsigned listener; /* index */
    struct addr peer;
    struct conn_ticket *ticket; /* returned when the conn is gone; or NULL */
};

struct conns_env {
    struct worker *worker;
    /* Set on a new conn, with `arg` as its data; ACCEPTED until on_accepted
     * moves it on. */
    void (*on_accepted)(struct conn *c, void *arg);
    void *arg;
};

/* 0 and *out, or -ENOMEM. Before the worker starts. */
MUST_CHECK int conns_create(const struct conns_env *env,
                            const struct net_conf *conf, struct conns **out);

/* After the worker stopped; every conn must be closed. */
void conns_destroy(struct conns *cs);

/* [any] Hands an accepted, non-blocking socket to the worker; fd and ticket are
 * its own from here on, also when memory is short. */
void conns_post_socket(struct conns *cs, const struct accepted *s);

/* The same, already on the worker's thread. */
void conns_adopt(struct conns *cs, const struct accepted *s);

/* [any] Conns now or on their way here; the acceptor picks the least. */
uint32_t conns_load(const struct conns *cs);

struct conn *conns_find(struct conns *cs, conn_id id);

typedef void (*conn_visit_fn)(void *arg, struct conn *c);
void conns_each(struct conns *cs, conn_visit_fn visit, void *arg);

/* From now on a draining conn is closed as soon as the peer has acknowledged
 * all, not only at its FIN: the server is about to exit. */
void conns_hasten(struct conns *cs);

void conns_reload(struct conns *cs, const struct net_conf *conf);
const struct net_conf *conns_conf(const struct conns *cs);
struct worker *conns_worker(const struct conns *cs);

/* [any] */
const struct conns_counters *conns_counters(const struct conns *cs);

#endif
