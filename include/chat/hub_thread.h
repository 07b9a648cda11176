/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_thread - the thin shell that puts the hub on a thread of its own.
 *
 * Shape    Commands come in as posts to the hub's worker. Deliveries gather in
 *          one batch a sink and leave at the end of the turn, or when a batch
 *          is full, as one post: under load one bell serves many events.
 * Threads  hub_thread_send(): [any]. The sinks' on_batch: the sink's worker.
 * Back     A sink that cannot keep up makes the hub congested; whoever feeds the
 * pressure hub asks hub_thread_is_congested() and waits. Without it a talker
 *          on a worker with nothing else to do could fill another's inbox.
 * Order    Commands of one sender are applied in the order sent; a sink gets
 *          deliveries in the order the hub emitted them.
 */
#ifndef CHAT_HUB_THREAD_H
#define CHAT_HUB_THREAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/metric.h"
#include "chat/command.h"
#include "chat/event.h"
#include "chat/hub.h"

struct hub_thread;
struct worker;

#define HUB_BATCH   256  /* deliveries a post at most */
#define HUB_BACKLOG 4096 /* deliveries on their way to one sink: congested */

/* One a worker, and one for the operator (last). */
struct hub_sink {
    struct worker *worker;
    /* [sink's worker] Events are borrowed for the call. */
    void (*on_batch)(void *arg, const struct delivery *d, size_t n);
    void *arg;
};

/* clang-format off */
#define HUB_COUNTERS(X)                                                       \
    X(commands,   COUNTER, "commands applied")                                \
    X(refusals,   COUNTER, "commands refused")                                \
    X(deliveries, COUNTER, "deliveries handed to workers")                    \
    X(batches,    COUNTER, "posts they travelled in")                         \
    X(lost,       COUNTER, "deliveries lost because memory was short")        \
    X(users,      GAUGE,   "users")                                           \
    X(rooms,      GAUGE,   "rooms")                                           \
    X(members,    GAUGE,   "memberships")
/* clang-format on */

struct hub_counters {
    HUB_COUNTERS(METRIC_FIELD)
};

extern const struct metric_desc hub_metrics[];
extern const size_t hub_metric_count;

struct hub_thread_env {
    struct worker *worker; /* the hub's own */
    struct hub *hub;       /* stays the caller's */
    const struct hub_sink *sinks;
    size_t sink_count; /* hub_conf.workers + 1 */
};

MUST_CHECK int hub_thread_create(const struct hub_thread_env *env,
                                 struct hub_thread **out);

/* After its worker stopped, or never ran, and before that is destroyed. NULL
 * is fine. */
void hub_thread_destroy(struct hub_thread *t);

/* [any] Copies `c` and its bytes to the hub. 0 or -ENOMEM. */
MUST_CHECK int hub_thread_send(struct hub_thread *t, const struct command *c);

/* [hub's worker] Sends what has gathered without waiting for the end of the turn:
 * what the caller posts to a sink's worker then comes behind it. */
void hub_thread_flush(struct hub_thread *t);

/* [any] Is more than HUB_BACKLOG on its way to some sink? It ends by itself, when
 * that sink's worker has had its turn; nobody is told. */
bool hub_thread_is_congested(const struct hub_thread *t);

/* How a session's conn ends: a DETACH of whatever session `from.conn` has, with
 * the fields of the command. `why` is a literal. */
struct hub_farewell {
    struct origin from;
    enum detach_how how;
    const char *why;
    uint64_t cursor;
    uint64_t upto;
    uint32_t unacked;
};

/* [any] A DETACH that cannot fail, for a conn that dies when memory is short:
 * a ticket taken when the session began. NULL when memory is short then. The
 * ticket is used up. */
struct hub_ticket;
MUST_CHECK struct hub_ticket *hub_ticket_create(void);
void hub_ticket_destroy(struct hub_ticket *ticket); /* unused; NULL is fine */
void hub_thread_detach(struct hub_thread *t, struct hub_ticket *ticket,
                       const struct hub_farewell *f);

/* [hub's worker] hub_reload(), and its tick is at the right time from then on. */
void hub_thread_reload(struct hub_thread *t, const struct chat_conf *conf);

/* The hub; [hub's worker] only. */
struct hub *hub_thread_hub(struct hub_thread *t);

/* [any] */
const struct hub_counters *hub_thread_counters(const struct hub_thread *t);

#endif
