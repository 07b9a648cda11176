/* SPDX-License-Identifier: BSD-2-Clause
 *
 * listen - which sockets listen, now and after a reload.
 *
 * A plan is made whole before anything is touched. A listener is known by the
 * address it was asked for: one that stays keeps its socket, so that no client
 * in its backlog is lost, even when its name or protocol changes.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "main/server.h"
#include "net/acceptor.h"

static const struct parts_listener *
find_asked(const struct parts_listener *list, size_t count, const char *asked)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].asked, asked) == 0)
            return &list[i];
    return NULL;
}

static int
bind_listener(const struct config_listener *conf, unsigned index,
              struct parts_listener *out, struct listener **socket)
{
    const struct listener_conf lc = {
        .name = conf->name,
        .addr = conf->addr,
        .index = index,
    };
    int rc;

    rc = listener_open(&lc, socket);
    if (rc < 0)
        return rc;

    out->index = index;
    listen_addr_format(listener_addr(*socket), out->bound, sizeof(out->bound));
    return 0;
}

int
listen_plan_make(struct listen_plan *plan, const struct parts *was,
                 unsigned next_index, const struct config *conf, char *why,
                 size_t size)
{
    *plan = (struct listen_plan){.next_index = next_index};

    for (size_t i = 0; i < conf->listener_count; i++) {
        const struct config_listener *const c = &conf->listeners[i];
        struct parts_listener *const l = &plan->listeners[i];
        const struct parts_listener *const old =
            find_asked(was->listeners, was->listener_count, c->address);
        int rc = 0;

        plan->count = i + 1;
        if (old != NULL)
            *l = *old;
        else
            rc = bind_listener(c, plan->next_index++, l, &plan->pending[i]);
        if (rc < 0) {
            snprintf(why, size, "listen \"%s\": %s: %s", c->name, c->address,
                     strerror(-rc));
            listen_plan_abandon(plan);
            return rc;
        }
        snprintf(l->name, sizeof(l->name), "%s", c->name);
        snprintf(l->asked, sizeof(l->asked), "%s", c->address);
        l->protocol = c->protocol;
    }
    return 0;
}

void
listen_plan_abandon(struct listen_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        listener_close(plan->pending[i]);
        plan->pending[i] = NULL;
    }
    plan->count = 0;
}

static int
close_vanished(const struct listen_plan *plan, struct parts *parts)
{
    for (size_t i = 0; i < parts->listener_count; i++) {
        const struct parts_listener *const l = &parts->listeners[i];
        int rc;

        if (find_asked(plan->listeners, plan->count, l->asked) != NULL)
            continue;
        rc = acceptor_post_close(parts->acceptor, l->index, NULL, NULL);
        if (rc < 0)
            return rc;
        LOG_NOTICE(LOG_NET, "closed listener", LOG_F_STR("listener", l->name),
                   LOG_F_STR("address", l->bound));
    }
    return 0;
}

int
listen_plan_apply(struct listen_plan *plan, struct server *s)
{
    int rc;

    rc = close_vanished(plan, &s->parts);
    if (rc < 0)
        return rc;

    for (size_t i = 0; i < plan->count; i++) {
        const struct parts_listener *const l = &plan->listeners[i];

        if (plan->pending[i] == NULL)
            continue;
        rc = acceptor_post_listen(s->parts.acceptor, plan->pending[i]);
        if (rc < 0)
            return rc;
        plan->pending[i] = NULL;
        LOG_NOTICE(LOG_NET, "listening", LOG_F_STR("listener", l->name),
                   LOG_F_STR("address", l->bound));
    }
    s->parts.listener_count = plan->count;
    memcpy(s->parts.listeners, plan->listeners, sizeof(plan->listeners));
    s->next_listener = plan->next_index;
    return 0;
}
