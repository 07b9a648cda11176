/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The truth is what the hub made of it: each event that it creates is noted with
 * who was to see it, by a model of rooms that knows nothing of sessions.
 */
#include "once.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat/event.h"
#include "support/unit.h"

const char *const room_names[ROOMS] = {"#lobby", "#tea", "#mill", "#sea"};

struct play play;
struct past past[PAST];

struct event *__real_event_create(const struct event *from);
struct event *__wrap_event_create(const struct event *from);

static int
actor_of(user_id user)
{
    for (unsigned i = 0; i < ACTORS; i++)
        if (play.actors[i].user == user)
            return (int)i;
    return -1;
}

static int
actor_called(struct slice nick)
{
    for (unsigned i = 0; i < ACTORS; i++)
        if (slice_equal(slice_of(play.actors[i].nick), nick))
            return (int)i;
    return -1;
}

static unsigned
room_index(const struct event *e)
{
    for (unsigned i = 0; i < ROOMS; i++) {
        if (e->kind == EVENT_JOINED &&
            slice_equal(e->name, slice_of(room_names[i])))
            play.rooms[i] = e->room;
        if (play.rooms[i] == e->room)
            return i;
    }
    ck_abort_msg("a room nobody made");
}

/* Those who share a room of `rooms`. */
static uint32_t
those_in(uint32_t rooms)
{
    uint32_t who = 0;

    for (unsigned i = 0; i < ACTORS; i++)
        if ((play.actors[i].in & rooms) != 0)
            who |= BIT(i);
    return who;
}

static void
body_of(const struct event *e, struct buf *b)
{
    const char *const room =
        e->kind <= EVENT_TOPIC ? room_names[room_index(e)] : "";
    const bool acts = e->style == SAY_ACTION;

    switch ((enum event_kind)e->kind) {
    case EVENT_SAID:
        buf_printf(b, acts ? "* %.*s %.*s" : "<%.*s> %.*s",
                   SLICE_ARG(e->who.nick), SLICE_ARG(e->text));
        break;
    case EVENT_TOLD:
        buf_printf(b, "[private] <%.*s> %.*s", SLICE_ARG(e->who.nick),
                   SLICE_ARG(e->text));
        break;
    case EVENT_JOINED:
        buf_printf(b, "* %.*s joined %s.", SLICE_ARG(e->who.nick), room);
        break;
    case EVENT_PARTED:
        buf_printf(b, "* %.*s left %s (%.*s).", SLICE_ARG(e->who.nick), room,
                   SLICE_ARG(e->text));
        break;
    case EVENT_TOPIC:
        buf_printf(b, "* %.*s set the topic of %s: %.*s",
                   SLICE_ARG(e->who.nick), room, SLICE_ARG(e->text));
        break;
    case EVENT_RENAMED:
        buf_printf(b, "* %.*s is now known as %.*s.", SLICE_ARG(e->who.nick),
                   SLICE_ARG(e->name));
        break;
    case EVENT_AWAY:
        buf_printf(b, "* %.*s is away (%.*s).", SLICE_ARG(e->who.nick),
                   SLICE_ARG(e->text));
        break;
    case EVENT_ANNOUNCED:
        buf_printf(b, "* Operator: %.*s", SLICE_ARG(e->text));
        break;
    default:
        ck_abort_msg("%s was not to happen", event_name(e->kind));
    }
    buf_append_char(b, '\0');
}

/* Who is to see it; then it has its effect. */
static uint32_t
apply(const struct event *e, int who)
{
    struct actor *const a = who < 0 ? NULL : &play.actors[who];
    const uint32_t own = who < 0 ? 0 : BIT((unsigned)who);
    uint32_t room, seers;

    switch ((enum event_kind)e->kind) {
    case EVENT_SAID:
        return those_in(BIT(room_index(e))) & ~(a->acks ? 0 : own);
    case EVENT_TOPIC:
        return those_in(BIT(room_index(e)));
    case EVENT_JOINED:
        room = BIT(room_index(e));
        seers = those_in(room) & ~own;
        a->in |= room;
        return seers;
    case EVENT_PARTED:
        room = BIT(room_index(e));
        seers = those_in(room) & ~own;
        a->in &= ~room;
        a->parted = play.past;
        return seers;
    case EVENT_RENAMED:
        (void)snprintf(a->nick, sizeof(a->nick), "%.*s", SLICE_ARG(e->name));
        memset(a->was_in, 0, sizeof(a->was_in));
        return those_in(a->in) & ~own;
    case EVENT_AWAY:
        return those_in(a->in) & ~own;
    case EVENT_TOLD:
        who = actor_called(e->name);
        return who < 0 ? 0 : BIT((unsigned)who);
    default:
        return BIT(ACTORS) - 1;
    }
}

struct event *
__wrap_event_create(const struct event *from)
{
    if (from->kind == EVENT_ATTACHED)
        play.actors[actor_called(from->who.nick)].user = from->who.user;
    if (event_is_kept((enum event_kind)from->kind) && !play.is_over) {
        struct past *const p = &past[play.past];
        struct buf body;

        ck_assert_uint_lt(play.past, PAST);
        buf_init(&body);
        body_of(from, &body);
        p->id = from->id;
        p->body = strdup(body.data);
        p->saw = 0;
        p->seers = apply(from, actor_of(from->who.user));
        play.past++;
        buf_fini(&body);
    }
    return __real_event_create(from);
}
