/* SPDX-License-Identifier: BSD-2-Clause
 *
 * front - one worker's protocol side: where its conns meet the hub.
 *
 * Shape    Conns come in at front_on_accepted(), commands leave to the hub's
 *          thread, deliveries come back through front_on_batch() and fan out
 *          over the local members of each room (view), each event encoded once
 *          a form and shared by reference.
 * Threads  Its worker's, but for front_create() and front_destroy().
 * Window   At most limits.client_window unanswered commands a client and
 *          limits.worker_window a front; a client over it is not read until
 *          answers come, so nobody can grow the hub's inbox without bound.
 */
#ifndef PROTO_FRONT_H
#define PROTO_FRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/metric.h"
#include "chat/event.h"
#include "net/conn.h"
#include "proto/proto_conf.h"

struct conns;
struct front;
struct hub_thread;

enum front_protocol {
    FRONT_AUTO,
    FRONT_LINE,
    FRONT_IRC,
    FRONT_HTTP,
};

/* What a listener is pinned to, by the index handed over with each socket. */
struct front_listener {
    unsigned index;
    enum front_protocol protocol;
};

/* clang-format off */
#define FRONT_COUNTERS(X)                                                     \
    X(clients,      GAUGE,   "clients attached to the hub, or about to be")   \
    X(line_clients, GAUGE,   "of these, on the line protocol")                \
    X(commands,     COUNTER, "commands sent to the hub")                      \
    X(unanswered,   GAUGE,   "commands the hub has not answered")             \
    X(events,       COUNTER, "deliveries from the hub")                       \
    X(fanout,       COUNTER, "messages queued for clients")                   \
    X(behind,       COUNTER, "times a client read too slowly and fell behind") \
    X(resumed,      COUNTER, "sessions taken back")                           \
    X(missed,       COUNTER, "events that a client could not be given later") \
    X(tracked,      GAUGE,   "clients that may not have all they were sent")  \
    X(unacked,      GAUGE,   "events sent to them, not known to have come")   \
    X(encoded,      COUNTER, "messages encoded")                              \
    X(rate_pauses,  COUNTER, "times a client talked too fast")                \
    X(window_waits, COUNTER, "times a client waited for the hub")             \
    X(view_rooms,   GAUGE,   "rooms with local members")                      \
    X(view_members, GAUGE,   "local memberships")
/* clang-format on */

struct front_counters {
    FRONT_COUNTERS(METRIC_FIELD)
};

extern const struct metric_desc front_metrics[];
extern const size_t front_metric_count;

struct front_env {
    struct hub_thread *hub;
    unsigned index; /* the worker's */
};

/* Before the worker starts; 0 or -ENOMEM. front_set_conns() must follow. */
MUST_CHECK int front_create(const struct front_env *env,
                            const struct proto_conf *conf, struct front **out);
void front_set_conns(struct front *f, struct conns *cs);

/* After its conns are gone. */
void front_destroy(struct front *f);

/* conns_env.on_accepted, with the front as `arg`. */
void front_on_accepted(struct conn *c, void *front);

/* hub_sink.on_batch, with the front as `arg`. */
void front_on_batch(void *front, const struct delivery *d, size_t n);

/* 0 or -ENOMEM. An index not set is FRONT_AUTO. */
MUST_CHECK int front_set_listener(struct front *f,
                                  const struct front_listener *l);
void front_reload(struct front *f, const struct proto_conf *conf);

/* Tells every client that the server stops, then drains each. */
void front_stop(struct front *f);

/* What an operator's list shows of a client. The slices live for the call. */
struct client_info {
    conn_id conn;
    const char *protocol;
    const char *state; /* conn_state_name() */
    struct slice nick; /* empty: none yet */
    struct slice room; /* current room */
    size_t rooms;
    struct conn *c;
};
typedef void (*client_visit_fn)(void *arg, const struct client_info *info);
void front_each_client(struct front *f, client_visit_fn visit, void *arg);

/* [any] */
const struct front_counters *front_counters(const struct front *f);

#endif
