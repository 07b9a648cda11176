/* SPDX-License-Identifier: BSD-2-Clause
 *
 * front_rig_hub - the hub's part of front_rig.h: what it was sent is noted, and
 * what it says is made up by the test.
 */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "front_rig.h"

int __wrap_hub_thread_send(struct hub_thread *t, const struct command *c);
void __wrap_hub_thread_detach(struct hub_thread *t, struct hub_ticket *ticket,
                              const struct hub_farewell *f);

bool __wrap_hub_thread_is_congested(const struct hub_thread *t);

bool
__wrap_hub_thread_is_congested(const struct hub_thread *t)
{
    if (rig.congested_looks > 0 && --rig.congested_looks == 0)
        rig.hub_is_congested = false;
    return rig.hub_is_congested;
}

static struct slice
keep(struct slice s, char *room, size_t size)
{
    ck_assert_uint_lt(s.len, size);
    if (s.len > 0)
        memcpy(room, s.data, s.len);
    return slice_make(room, s.len);
}

static void
note(const struct command *c, bool by_ticket)
{
    struct sent *const s = &rig.sent[rig.sent_count++];

    ck_assert_uint_le(rig.sent_count, RIG_SENT_MAX);
    s->c = *c;
    s->c.name = keep(c->name, s->name, sizeof(s->name));
    s->c.text = keep(c->text, s->text, sizeof(s->text));
    s->by_ticket = by_ticket;
}

int
__wrap_hub_thread_send(struct hub_thread *t, const struct command *c)
{
    if (rig.send_fails)
        return -ENOMEM;
    note(c, false);
    return 0;
}

void
__wrap_hub_thread_detach(struct hub_thread *t, struct hub_ticket *ticket,
                         const struct hub_farewell *f)
{
    const struct command c = {
        .kind = COMMAND_DETACH,
        .how = f->how,
        .from = f->from,
        .text = slice_of(f->why),
        .cursor = f->cursor,
        .upto = f->upto,
        .count = f->unacked,
    };

    ck_assert_ptr_nonnull(ticket);
    hub_ticket_destroy(ticket);
    note(&c, true);
}

const struct sent *
hub_take(enum command_kind kind)
{
    const struct sent *const s = &rig.sent[rig.taken++];

    ck_assert_uint_le(rig.taken, rig.sent_count);
    ck_assert_str_eq(command_name(s->c.kind), command_name(kind));
    return s;
}

bool
hub_is_idle(void)
{
    return rig.taken == rig.sent_count;
}

void
hub_deliver(enum route route, const struct event *draft, uint64_t to,
            uint32_t request, bool replay)
{
    struct delivery d = {
        .event = event_create(draft),
        .route = route,
        .replay = replay,
        .request = request,
        .to = to,
    };

    ck_assert_ptr_nonnull(d.event);
    front_on_batch(rig.f, &d, 1);
    event_unref(d.event);
}

static void
answer(const struct sent *s, const struct event *draft)
{
    hub_deliver(ROUTE_CONN, draft, s->c.from.conn, s->c.from.request, false);
}

/* Any number will do, as long as it is the conn's own. */
static session_id
session_of(uint64_t conn)
{
    return conn ^ 0x5e5500;
}

void
hub_attached(const struct sent *s, const char *nick)
{
    answer(s, &(struct event){
                  .kind = EVENT_ATTACHED,
                  .who =
                      {
                            .session = session_of(s->c.from.conn),
                            .conn = s->c.from.conn,
                            .nick = slice_of(nick),
                            },
    });
}

void
hub_refused(const struct sent *s, enum refusal refusal)
{
    answer(s, &(struct event){
                  .kind = EVENT_REFUSED,
                  .refusal = (uint8_t)refusal,
              });
}

void
hub_done(const struct sent *s)
{
    answer(s, &(struct event){.kind = EVENT_DONE});
}

void
hub_ended(struct peer *p, const char *why)
{
    hub_deliver(ROUTE_CONN,
                &(struct event){.kind = EVENT_ENDED, .text = slice_of(why)},
                p->id, 0, false);
}

struct event_who
rig_who(const struct peer *who, const char *nick)
{
    const uint64_t elsewhere = (uint64_t)(RIG_WORKER + 1) << 56 | 1;

    return (struct event_who){
        .conn = who != NULL ? who->id : elsewhere,
        .nick = slice_of(nick),
    };
}

static void
in_room(enum event_kind kind, const struct event_who *who, room_id room,
        const char *name, const char *text)
{
    const struct event draft = {
        .kind = (uint8_t)kind,
        .room = room,
        .who = *who,
        .name = slice_of(name),
        .text = slice_of(text),
    };

    hub_deliver(ROUTE_ROOM, &draft, who->conn, 0, false);
}

void
hub_joined(const struct event_who *who, room_id room, const char *name)
{
    in_room(EVENT_JOINED, who, room, name, "");
}

void
hub_parted(const struct event_who *who, room_id room, const char *why)
{
    in_room(EVENT_PARTED, who, room, "", why);
}

void
hub_said(const struct event_who *who, room_id room, const char *text)
{
    in_room(EVENT_SAID, who, room, "", text);
}

void
hub_peers(enum event_kind kind, const struct event_who *who, const char *name,
          const char *text, const room_id *rooms)
{
    struct event_place places[16];
    struct event draft = {
        .kind = (uint8_t)kind,
        .who = *who,
        .name = slice_of(name),
        .text = slice_of(text),
        .u.places = places,
    };

    for (; *rooms != 0; rooms++)
        places[draft.count++] = (struct event_place){.room = *rooms};
    hub_deliver(ROUTE_PEERS, &draft, who->conn, 0, false);
}
