/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_apply() alone: what a command costs, by the size of the room. Deliveries
 * are counted and forgotten.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/micro/micro.h"
#include "chat/hub.h"

#define SAYS    1000000u
#define WORKERS 4u

static uint64_t emitted;
static session_id last_session;

static void
count(void *arg, unsigned worker, const struct delivery *d)
{
    emitted++;
    if (d->event->kind == EVENT_ATTACHED)
        last_session = d->event->who.session;
}

static const struct hub_out out = {.emit = count};
static const struct hub_now now = {.wall_ms = 1, .mono_ms = 1};

static uint64_t
conn_of(unsigned i)
{
    return ((uint64_t)(i % WORKERS) << 56) | (i + 1);
}

static session_id
enter(struct hub *hub, unsigned i)
{
    char nick[16];
    struct command c = {
        .kind = COMMAND_ATTACH,
        .from.conn = conn_of(i),
    };

    snprintf(nick, sizeof(nick), "n%u", i);
    c.name = slice_of(nick);
    hub_apply(hub, &c, &now, &out);
    c = (struct command){
        .kind = COMMAND_JOIN,
        .from.conn = conn_of(i),
        .session = last_session,
        .name = slice_of(HUB_LOBBY),
    };
    hub_apply(hub, &c, &now, &out);
    return last_session;
}

static void
measure(unsigned members)
{
    struct hub_conf conf = {.workers = WORKERS};
    session_id session = 0;
    uint64_t started;
    struct hub *hub;
    char what[64];

    chat_conf_init(&conf.chat);
    if (hub_create(&conf, &hub) < 0)
        exit(1);
    started = clock_mono_ns();
    for (unsigned i = 0; i < members; i++)
        session = enter(hub, i);
    snprintf(what, sizeof(what), "hub: attach and join, %u members", members);
    micro_report(what, members, started);

    started = clock_mono_ns();
    for (unsigned i = 0; i < SAYS; i++) {
        const struct command c = {
            .kind = COMMAND_SAY,
            .from.conn = conn_of(members - 1),
            .session = session,
            .name = slice_of(HUB_LOBBY),
            .text = slice_of("the kettle is on, and so is everybody here"),
        };

        hub_apply(hub, &c, &now, &out);
    }
    snprintf(what, sizeof(what), "hub: say, %u members", members);
    micro_report(what, SAYS, started);
    hub_destroy(hub);
}

int
main(void)
{
    measure(10);
    measure(1000);
    measure(100000);
    return 0;
}
