/* SPDX-License-Identifier: BSD-2-Clause
 *
 * acceptor - the thread that accepts, and hands each socket to a worker.
 *
 * Shape    The listening sockets are level-triggered: of several connections
 *          that arrive together none can be forgotten. accept4() in a loop,
 *          ACCEPT_BUDGET a listener and turn; each socket goes to the worker
 *          with the fewest conns.
 * Limits   Whole server, per address, connect rate: over one of them the
 *          client is told in one plain line and closed; never silently. Where
 *          addresses are counted, each socket travels with a ticket, which its
 *          conn returns (net/conns.h); else there is none, to save its memory.
 * Balance  accepted = handed + refused (sum over reasons), at rest.
 * Errors   EMFILE, ENFILE: a reserve fd is given up to accept and close one
 *          client with a word; then, as for ENOBUFS and ENOMEM, accepting
 *          pauses for ACCEPT_BACKOFF_MS. ECONNABORTED, EINTR, EPROTO and the
 *          network errors of accept(2) are passed over.
 * Threads  acceptor_create/destroy: [main], while its worker does not run.
 *          acceptor_post_*() and the counters: [any].
 */
#ifndef NET_ACCEPTOR_H
#define NET_ACCEPTOR_H

#include <limits.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/metric.h"
#include "net/net_conf.h"

struct acceptor;
struct conns;
struct listener;
struct worker;

#define ACCEPT_BUDGET     64u
#define ACCEPT_BACKOFF_MS 100u
#define ACCEPT_SWEEP_MS   1000u /* between looks at the addresses that left */

/* clang-format off */
#define ACCEPTOR_COUNTERS(X)                                                  \
    X(accepted,        COUNTER, "sockets accepted")                           \
    X(handed,          COUNTER, "sockets handed to a worker")                 \
    X(refused_full,    COUNTER, "refused: limits.connections")                \
    X(refused_address, COUNTER, "refused: limits.connections_per_address")    \
    X(refused_rate,    COUNTER, "refused: limits.connect_rate")               \
    X(refused_fds,     COUNTER, "refused: no file descriptors left")          \
    X(refused_memory,  COUNTER, "refused: memory was short")                  \
    X(backoffs,        COUNTER, "pauses after accept4 failed")                \
    X(addresses,       GAUGE,   "addresses with a connection or a recent one")
/* clang-format on */

struct acceptor_counters {
    ACCEPTOR_COUNTERS(METRIC_FIELD)
};

extern const struct metric_desc acceptor_metrics[];
extern const size_t acceptor_metric_count;

struct acceptor_env {
    struct worker *worker; /* its own thread */
    struct conns **conns;  /* one a worker; outlives the acceptor */
    size_t conns_count;
};

MUST_CHECK int acceptor_create(const struct acceptor_env *env,
                               const struct net_conf *conf,
                               struct acceptor **out);

/* After its worker stopped. Closes the listeners it still has. Every ticket
 * must be home, or its post dropped with the worker: conns end first. */
void acceptor_destroy(struct acceptor *a);

/* [any] Takes the listener over, but on failure, and starts accepting. */
MUST_CHECK int acceptor_post_listen(struct acceptor *a, struct listener *l);

/* [any] Closes every listener, or the one with that index; then calls
 * `done(arg)` on the acceptor's thread (NULL is fine). What waits in a backlog
 * is reset. */
#define ACCEPTOR_ALL UINT_MAX
MUST_CHECK int acceptor_post_close(struct acceptor *a, unsigned index,
                                   void (*done)(void *arg), void *arg);

/* [any] New limits. */
MUST_CHECK int acceptor_post_reload(struct acceptor *a,
                                    const struct net_conf *conf);

/* [any] */
const struct acceptor_counters *acceptor_counters(const struct acceptor *a);

#endif
