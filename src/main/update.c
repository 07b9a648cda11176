/* SPDX-License-Identifier: BSD-2-Clause
 *
 * update - tells every thread what the configuration says.
 *
 * Shape    One call a worker, one for the hub; the acceptor's own post. All
 *          memory is taken in update_create(), so sending is all or nothing.
 * Order    A worker learns of a listener's protocol before the acceptor can
 *          hand it a socket of that listener: the calls are posted first.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "chat/hub_thread.h"
#include "loop/call.h"
#include "main/server.h"
#include "net/conns.h"
#include "proto/front.h"

struct worker_update {
    struct conns *conns;
    struct front *front;
    struct net_conf net;
    struct proto_conf proto;
    size_t listener_count;
    struct front_listener listeners[CONFIG_LISTENERS_MAX];
};

struct hub_update {
    struct hub_thread *hub;
    struct chat_conf chat;
};

struct update {
    const struct server *server;
    struct call *hub;
    struct call **workers; /* parts.worker_count */
};

static void
update_worker(struct worker *w, void *arg)
{
    struct worker_update *const u = arg;

    conns_reload(u->conns, &u->net);
    front_reload(u->front, &u->proto);
    for (size_t i = 0; i < u->listener_count; i++)
        if (front_set_listener(u->front, &u->listeners[i]) < 0)
            LOG_ERROR(LOG_NET, "listener keeps its old protocol",
                      LOG_F_U64("index", u->listeners[i].index),
                      LOG_F_STR("error", "out of memory"));
    free(u);
}

static void
update_hub(struct worker *w, void *arg)
{
    struct hub_update *const u = arg;

    hub_thread_reload(u->hub, &u->chat);
    free(u);
}

static struct call *
make_worker_call(const struct parts *parts, size_t i, const struct config *conf,
                 const struct listen_plan *plan)
{
    struct worker_update *const u = calloc(1, sizeof(*u));
    struct call *call;

    if (u == NULL)
        return NULL;
    u->conns = parts->conns[i];
    u->front = parts->fronts[i];
    u->net = conf->net;
    u->proto = conf->proto;
    u->listener_count = plan->count;
    for (size_t k = 0; k < plan->count; k++)
        u->listeners[k] = (struct front_listener){
            .index = plan->listeners[k].index,
            .protocol = (enum front_protocol)plan->listeners[k].protocol,
        };

    call = call_create(update_worker, u, free);
    if (call == NULL)
        free(u);
    return call;
}

static struct call *
make_hub_call(const struct parts *parts, const struct config *conf)
{
    struct hub_update *const u = calloc(1, sizeof(*u));
    struct call *call;

    if (u == NULL)
        return NULL;
    u->hub = parts->hub;
    u->chat = conf->chat;
    call = call_create(update_hub, u, free);
    if (call == NULL)
        free(u);
    return call;
}

struct update *
update_create(const struct server *s, const struct config *conf,
              const struct listen_plan *plan)
{
    const size_t count = s->parts.worker_count;
    struct update *const u = calloc(1, sizeof(*u));

    if (u == NULL)
        return NULL;
    u->server = s;
    u->workers = calloc(count, sizeof(struct call *));
    u->hub = make_hub_call(&s->parts, conf);
    if (u->workers == NULL || u->hub == NULL)
        goto fail;
    for (size_t i = 0; i < count; i++) {
        u->workers[i] = make_worker_call(&s->parts, i, conf, plan);
        if (u->workers[i] == NULL)
            goto fail;
    }
    return u;

fail:
    update_destroy(u);
    return NULL;
}

void
update_destroy(struct update *u)
{
    if (u == NULL)
        return;
    for (size_t i = 0; u->workers != NULL && i < u->server->parts.worker_count;
         i++)
        call_destroy(u->workers[i]);
    free(u->workers);
    call_destroy(u->hub);
    free(u);
}

void
update_send(struct update *u)
{
    const struct parts *const parts = &u->server->parts;

    call_post(parts->hub_worker, u->hub);
    for (size_t i = 0; i < parts->worker_count; i++)
        call_post(parts->workers[i], u->workers[i]);
    free(u->workers);
    free(u);
}
