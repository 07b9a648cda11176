/* SPDX-License-Identifier: BSD-2-Clause
 *
 * control_status - the server at a glance.
 *
 * Asks nobody: all of it is main's own or a counter that anyone may read, so
 * it also comes when a thread is stuck.
 */
#include <unistd.h>

#include "chat/hub_thread.h"
#include "loop/watchdog.h"
#include "loop/worker.h"
#include "net/acceptor.h"
#include "net/conns.h"
#include "ops/control_priv.h"
#include "proto/front.h"

static json_int_t
number(const _Atomic uint64_t *metric)
{
    return (json_int_t)metric_read(metric);
}

static const char *
protocol_name(uint64_t protocol)
{
    switch ((enum front_protocol)protocol) {
    case FRONT_AUTO:
        return "auto";
    case FRONT_LINE:
        return "line";
    case FRONT_IRC:
        return "irc";
    case FRONT_HTTP:
        return "http";
    }
    return "?";
}

static json_t *
list_listeners(const struct parts *p)
{
    json_t *const list = json_array();

    for (size_t i = 0; i < p->listener_count; i++) {
        const struct parts_listener *const l = &p->listeners[i];

        json_array_append_new(
            list,
            json_pack("{s:o, s:o, s:s}", "name",
                      control_json_text(slice_of(l->name), false), "address",
                      control_json_text(slice_of(l->bound), false), "protocol",
                      protocol_name(l->protocol)));
    }
    return list;
}

static json_t *
list_workers(const struct parts *p)
{
    json_t *const list = json_array();

    for (size_t i = 0; i < p->worker_count; i++) {
        const struct worker_counters *const w = worker_counters(p->workers[i]);

        json_array_append_new(
            list,
            json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "index", (json_int_t)i,
                      "connections", number(&conns_counters(p->conns[i])->open),
                      "clients", number(&front_counters(p->fronts[i])->clients),
                      "turns", number(&w->turns), "busy_us",
                      number(&w->busy_us), "longest_turn_us",
                      number(&w->longest_us)));
    }
    return list;
}

/* Each thread that runs a loop: where it is, and whether it got stuck. */
static json_t *
list_threads(const struct parts *p)
{
    json_t *const list = json_array();

    for (size_t i = 0; i < watchdog_count(p->watchdog); i++) {
        const struct worker *const w = watchdog_worker(p->watchdog, i);
        const struct watchdog_counters *const n =
            watchdog_counters(p->watchdog, i);
        uint64_t since_ms;

        json_array_append_new(
            list,
            json_pack("{s:s, s:I, s:s, s:I, s:I, s:I}", "name", worker_name(w),
                      "index", (json_int_t)worker_index(w), "where",
                      worker_where(w, &since_ms), "stalls", number(&n->stalls),
                      "longest_stall_ms", number(&n->longest_ms), "stalled_ms",
                      number(&n->stalled_ms)));
    }
    return list;
}

/* Sums over the workers. */
struct traffic {
    json_int_t open;
    json_int_t bytes_in;
    json_int_t bytes_out;
    json_int_t queued;
    json_int_t sent;
};

static struct traffic
sum_traffic(const struct parts *p)
{
    struct traffic sum = {.open = 0};

    for (size_t i = 0; i < p->worker_count; i++) {
        const struct conns_counters *const n = conns_counters(p->conns[i]);

        sum.open += number(&n->open);
        sum.bytes_in += number(&n->bytes_in);
        sum.bytes_out += number(&n->bytes_out);
        sum.queued += number(&n->queued_msgs);
        sum.sent += number(&n->sent_msgs);
    }
    return sum;
}

/* Messages in are what the hub was asked, messages out what clients got. */
static json_t *
describe_traffic(const struct parts *p, const struct traffic *sum)
{
    const struct hub_counters *const hub = hub_thread_counters(p->hub);

    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "commands",
                     number(&hub->commands), "refused", number(&hub->refusals),
                     "queued", sum->queued, "sent", sum->sent, "bytes_in",
                     sum->bytes_in, "bytes_out", sum->bytes_out);
}

static json_t *
config_path_json(const struct parts *p)
{
    return p->config_path != NULL
               ? control_json_text(slice_of(p->config_path), false)
               : json_null();
}

void
control_on_status(struct control_conn *c, const struct control_request *r)
{
    const struct parts *const p = c->control->env.parts;
    const struct hub_counters *const hub = hub_thread_counters(p->hub);
    const struct traffic sum = sum_traffic(p);

    control_answer(
        c, json_pack(
               "{s:b, s:s, s:I, s:I, s:I, s:o, s:o, s:o, s:b, s:o, s:I, s:I, "
               "s:I, s:I, s:o}",
               "ok", 1, "version", KLATCH_VERSION, "pid", (json_int_t)getpid(),
               "started_ms", (json_int_t)p->started_wall_ms, "uptime_ms",
               (json_int_t)(worker_now_ms(p->main_worker) - p->started_mono_ms),
               "config", config_path_json(p), "listeners", list_listeners(p),
               "workers", list_workers(p), "alive",
               watchdog_all_alive(p->watchdog, worker_now_ms(p->main_worker)),
               "threads", list_threads(p), "connections", sum.open, "users",
               number(&hub->users), "rooms", number(&hub->rooms), "members",
               number(&hub->members), "messages", describe_traffic(p, &sum)));
}
