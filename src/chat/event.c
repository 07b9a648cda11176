/* SPDX-License-Identifier: BSD-2-Clause
 *
 * event - one allocation holds all that happened; then only references.
 *
 * Shape    The struct, then places or items (which need its alignment), then
 *          the bytes of all slices, packed.
 * Threads  event_ref() and event_unref() are [any]; the last one frees.
 */
#include "chat/event.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static_assert(sizeof(struct event) % _Alignof(struct event_place) == 0 &&
                  sizeof(struct event) % _Alignof(struct event_item) == 0,
              "places and items follow the struct without a gap");

/* [any] Apart from each other, because the hub makes events and workers free
 * them. */
static struct {
    _Alignas(CACHE_LINE) _Atomic uint64_t made;
    _Alignas(CACHE_LINE) _Atomic uint64_t freed;
} tally;

const char *
event_name(enum event_kind kind)
{
    switch (kind) {
    case EVENT_SAID:
        return "said";
    case EVENT_JOINED:
        return "joined";
    case EVENT_PARTED:
        return "parted";
    case EVENT_TOPIC:
        return "topic";
    case EVENT_RENAMED:
        return "renamed";
    case EVENT_QUIT:
        return "quit";
    case EVENT_AWAY:
        return "away";
    case EVENT_LOST:
        return "lost";
    case EVENT_RETURNED:
        return "returned";
    case EVENT_TOLD:
        return "told";
    case EVENT_ANNOUNCED:
        return "announced";
    case EVENT_ENDED:
        return "ended";
    case EVENT_REPLACED:
        return "replaced";
    case EVENT_ATTACHED:
        return "attached";
    case EVENT_RESUMED:
        return "resumed";
    case EVENT_REJOINED:
        return "rejoined";
    case EVENT_CAUGHT_UP:
        return "caught-up";
    case EVENT_ROOM:
        return "room";
    case EVENT_TOPIC_IS:
        return "topic-is";
    case EVENT_MEMBERS:
        return "members";
    case EVENT_ROOMS:
        return "rooms";
    case EVENT_SENT:
        return "sent";
    case EVENT_HISTORY:
        return "history";
    case EVENT_PONG:
        return "pong";
    case EVENT_REFUSED:
        return "refused";
    case EVENT_DONE:
        return "done";
    }
    return "?";
}

const char *
refusal_name(enum refusal refusal)
{
    switch (refusal) {
    case REFUSAL_NONE:
        return "none";
    case REFUSAL_NICK_EMPTY:
        return "nick-empty";
    case REFUSAL_NICK_TOO_LONG:
        return "nick-too-long";
    case REFUSAL_NICK_BAD_CHAR:
        return "nick-bad-char";
    case REFUSAL_NICK_BAD_FIRST:
        return "nick-bad-first";
    case REFUSAL_NICK_TAKEN:
        return "nick-taken";
    case REFUSAL_NICK_WAITING:
        return "nick-waiting";
    case REFUSAL_NICK_RESERVED:
        return "nick-reserved";
    case REFUSAL_NICK_SAME:
        return "nick-same";
    case REFUSAL_ROOM_EMPTY:
        return "room-empty";
    case REFUSAL_ROOM_TOO_LONG:
        return "room-too-long";
    case REFUSAL_ROOM_BAD_CHAR:
        return "room-bad-char";
    case REFUSAL_ROOM_BAD_FIRST:
        return "room-bad-first";
    case REFUSAL_NO_SUCH_ROOM:
        return "no-such-room";
    case REFUSAL_NO_SUCH_NICK:
        return "no-such-nick";
    case REFUSAL_NOT_A_MEMBER:
        return "not-a-member";
    case REFUSAL_ALREADY_A_MEMBER:
        return "already-a-member";
    case REFUSAL_TOO_MANY_ROOMS:
        return "too-many-rooms";
    case REFUSAL_SERVER_FULL:
        return "server-full";
    case REFUSAL_TEXT_EMPTY:
        return "text-empty";
    case REFUSAL_TOPIC_TOO_LONG:
        return "topic-too-long";
    case REFUSAL_ATTACHED_ALREADY:
        return "attached-already";
    case REFUSAL_NO_SESSION:
        return "no-session";
    case REFUSAL_BAD_TOKEN:
        return "bad-token";
    case REFUSAL_SESSION_BUSY:
        return "session-busy";
    case REFUSAL_MAILBOX_FULL:
        return "mailbox-full";
    case REFUSAL_NO_MEMORY:
        return "no-memory";
    }
    return "?";
}

bool
event_is_logged(enum event_kind kind)
{
    return kind <= EVENT_AWAY;
}

static_assert(EVENT_SAID == 0 && EVENT_AWAY + 1 == EVENT_LOST,
              "the logged kinds come first");

bool
event_is_kept(enum event_kind kind)
{
    return event_is_logged(kind) || kind == EVENT_TOLD ||
           kind == EVENT_ANNOUNCED;
}

bool
event_is_shown(const struct event *e, bool is_own, bool echoes)
{
    switch ((enum event_kind)e->kind) {
    case EVENT_SAID:
        return !is_own || echoes;
    case EVENT_JOINED:
    case EVENT_PARTED:
    case EVENT_RENAMED:
    case EVENT_QUIT:
    case EVENT_AWAY:
    case EVENT_RETURNED:
        return !is_own;
    default:
        return true;
    }
}

static_assert(EVENT_RENAMED + 1 == EVENT_QUIT && EVENT_QUIT + 1 == EVENT_AWAY &&
                  EVENT_AWAY + 1 == EVENT_LOST &&
                  EVENT_LOST + 1 == EVENT_RETURNED,
              "what concerns all rooms of a user stands together");

static bool
has_places(const struct event *e)
{
    return e->kind >= EVENT_RENAMED && e->kind <= EVENT_RETURNED;
}

static size_t
table_bytes(const struct event *e)
{
    return e->count * (has_places(e) ? sizeof(struct event_place)
                                     : sizeof(struct event_item));
}

size_t
event_bytes(const struct event *e)
{
    size_t bytes = sizeof(*e) + table_bytes(e);

    bytes += e->who.nick.len + e->name.len + e->text.len;
    if (!has_places(e)) {
        for (uint32_t i = 0; i < e->count; i++)
            bytes += e->u.items[i].name.len + e->u.items[i].text.len;
    }
    return bytes;
}

/* Copies the bytes of `s` to *end, moves *end behind them. */
static struct slice
pack(char **end, struct slice s)
{
    const struct slice copy = slice_make(*end, s.len);

    if (s.len > 0)
        memcpy(*end, s.data, s.len);
    *end += s.len;
    return copy;
}

static void
pack_items(struct event_item *to, const struct event *from, char **end)
{
    for (uint32_t i = 0; i < from->count; i++) {
        to[i].name = pack(end, from->u.items[i].name);
        to[i].text = pack(end, from->u.items[i].text);
        to[i].number = from->u.items[i].number;
    }
}

static void
pack_places(struct event_place *to, const struct event *from)
{
    if (from->count > 0)
        memcpy(to, from->u.places, table_bytes(from));
}

struct event *
event_create(const struct event *from)
{
    struct event *const e = malloc(event_bytes(from));
    char *end;

    if (e == NULL)
        return NULL;

    *e = *from;
    atomic_init(&e->refs, 1);
    end = (char *)(e + 1) + table_bytes(from);
    if (has_places(from)) {
        e->u.places = (struct event_place *)(void *)(e + 1);
        pack_places((struct event_place *)(void *)(e + 1), from);
    } else {
        e->u.items = (struct event_item *)(void *)(e + 1);
        pack_items((struct event_item *)(void *)(e + 1), from, &end);
    }
    e->who.nick = pack(&end, from->who.nick);
    e->name = pack(&end, from->name);
    e->text = pack(&end, from->text);

    /* relaxed, here and below: the tally publishes nothing but itself. */
    atomic_fetch_add_explicit(&tally.made, 1, memory_order_relaxed);
    return e;
}

struct event *
event_ref(struct event *e)
{
    /* relaxed: the caller holds a reference, so `e` cannot go away and its
     * bytes are known to this thread already. */
    const uint32_t before =
        atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);

    ASSERT(before > 0);
    return e;
}

void
event_unref(struct event *e)
{
    uint32_t before;

    if (e == NULL)
        return;

    /* release: what this thread read of `e` comes before the free; acquire:
     * the thread that frees sees the releases of all others. The partner is
     * this line on those threads. */
    before = atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel);
    ASSERT(before > 0);
    if (before > 1)
        return;

    free(e);
    atomic_fetch_add_explicit(&tally.freed, 1, memory_order_relaxed);
}

uint64_t
event_live(void)
{
    /* relaxed: exact only at rest, as the header says. */
    return atomic_load_explicit(&tally.made, memory_order_relaxed) -
           atomic_load_explicit(&tally.freed, memory_order_relaxed);
}
