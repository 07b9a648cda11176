/* SPDX-License-Identifier: BSD-2-Clause
 *
 * stop - TERM, INT and `klatchctl stop`.
 *
 *  1. The acceptor closes its listeners: nobody new. Whom it accepted before is
 *     on the way to a worker by then.
 *  2. Behind those, each worker stops reading and says so to the hub, behind
 *     all commands that it sent. When the hub has heard that of all of them,
 *     everything that was asked has been applied, and what came of it is on its
 *     way.
 *  3. Behind that, the hub has each worker say farewell to its clients and
 *     drain them: what is queued goes out, then the conn ends.
 *  4. When no conn is left, or timeouts.drain has passed, main's loop ends and
 *     server_close() joins the threads: acceptor, workers, hub.
 * Asked a second time, 4 comes at once.
 */
#include "base/log.h"
#include "loop/call.h"
#include "loop/worker.h"
#include "main/server.h"
#include "net/acceptor.h"
#include "net/conns.h"
#include "proto/front.h"

#define STOP_TICK_MS 10

/* Above timeouts.drain, which bounds each conn: for what is between threads. */
#define STOP_GRACE_MS 500

static void
say_farewell(struct worker *w, void *arg)
{
    struct parts *const parts = arg;
    const unsigned i = worker_index(w);

    conns_hasten(parts->conns[i]);
    front_stop(parts->fronts[i]);
}

/* [hub's worker] A worker has gone quiet; without memory its clients hear no
 * farewell, and end at the deadline. */
static void
count_quiet(struct worker *w, void *arg)
{
    struct server *const s = arg;
    struct parts *const parts = &s->parts;

    if (++s->quiet_workers < parts->worker_count)
        return;
    hub_thread_flush(parts->hub);
    for (size_t i = 0; i < parts->worker_count; i++) {
        struct call *const call = call_create(say_farewell, parts, NULL);

        if (call != NULL)
            call_post(parts->workers[i], call);
    }
}

static void
stop_reading(void *arg, struct conn *c)
{
    conn_pause(c, CONN_PAUSE_STOP);
}

static void
go_quiet(struct worker *w, void *arg)
{
    struct server *const s = arg;
    struct call *const call = call_create(count_quiet, s, NULL);

    conns_each(s->parts.conns[worker_index(w)], stop_reading, NULL);
    if (call != NULL)
        call_post(s->parts.hub_worker, call);
}

static uint64_t
count_conns(const struct parts *parts)
{
    uint64_t n = 0;

    for (size_t i = 0; i < parts->worker_count; i++)
        n += conns_load(parts->conns[i]);
    return n;
}

static void
look_again(struct wheel_timer *t, uint64_t now_ms)
{
    struct server *const s = CONTAINER_OF(t, struct server, stop_tick);
    const uint64_t left = count_conns(&s->parts);

    if (left > 0 && now_ms < s->stop_deadline_ms) {
        wheel_arm(worker_wheel(s->parts.main_worker), t, now_ms + STOP_TICK_MS);
        return;
    }
    if (left > 0)
        LOG_NOTICE(LOG_MAIN, "the drain's time is over",
                   LOG_F_U64("connections", left));
    worker_quit(s->parts.main_worker);
}

/* [acceptor's thread] */
static void
doors_are_closed(void *arg)
{
    struct server *const s = arg;

    for (size_t i = 0; i < s->parts.worker_count; i++) {
        struct call *const call = call_create(go_quiet, s, NULL);

        if (call != NULL)
            call_post(s->parts.workers[i], call);
    }
}

/* No memory for a goodbye: then the end is abrupt, but it comes. */
static int
begin_drain(struct server *s)
{
    return acceptor_post_close(s->parts.acceptor, ACCEPTOR_ALL,
                               doors_are_closed, s);
}

void
server_stop_init(struct server *s)
{
    wheel_timer_init(&s->stop_tick, look_again);
}

void
server_stop(struct server *s)
{
    struct worker *const w = s->parts.main_worker;
    const uint64_t now_ms = worker_now_ms(w);

    if (s->stop_deadline_ms != 0) {
        LOG_NOTICE(LOG_MAIN, "stopping at once", LOG_F_NONE);
        worker_quit(w);
        return;
    }

    LOG_NOTICE(LOG_MAIN, "stopping",
               LOG_F_U64("connections", count_conns(&s->parts)));
    s->stop_deadline_ms =
        now_ms + s->config->net.timeouts_drain + STOP_GRACE_MS;
    if (begin_drain(s) < 0) {
        worker_quit(w);
        return;
    }
    wheel_arm(worker_wheel(w), &s->stop_tick, now_ms + STOP_TICK_MS);
}
