/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_list - answers with many parts: members, rooms, past lines.
 *
 * Long lists leave in events of EVENT_ITEMS_MAX items; the last says so, and
 * there always is one. Should memory run short in between, the list breaks off
 * and the refusal takes the place of its end.
 */
#include "base/assert.h"
#include "chat/hub_priv.h"

/* Items on their way into events. */
struct list_writer {
    const struct ask *a;
    struct event draft;
    struct event_item items[EVENT_ITEMS_MAX];
};

static enum refusal
writer_flush(struct list_writer *w, bool last)
{
    struct event *e;

    w->draft.u.items = w->items;
    w->draft.last = last;
    e = event_create(&w->draft);
    if (e == NULL)
        return REFUSAL_NO_MEMORY;

    emit_to_asker(w->a, e);
    event_unref(e);
    w->draft.count = 0;
    return REFUSAL_NONE;
}

static enum refusal
writer_add(struct list_writer *w, const struct event_item *item)
{
    if (w->draft.count == EVENT_ITEMS_MAX) {
        const enum refusal refusal = writer_flush(w, false);

        if (refusal != REFUSAL_NONE)
            return refusal;
    }
    w->items[w->draft.count++] = *item;
    return REFUSAL_NONE;
}

static struct event_item
member_item(const struct user *user)
{
    struct event_item item = {
        .name = label_text(user->nick),
        .number = session_waits(user->session),
    };

    if (user->away != NULL)
        item.text = user->away->text;
    return item;
}

enum refusal
list_on_who(struct ask *a)
{
    struct list_writer w = {.a = a, .draft = ask_draft(a, EVENT_MEMBERS)};
    struct list_link *link;
    struct room *room;
    enum refusal refusal;

    refusal = room_named(a, &room);
    if (refusal != REFUSAL_NONE)
        return refusal;
    w.draft.room = room->id;
    w.draft.name = label_text(room->name);
    list_for_each (link, &room->members) {
        const struct event_item item =
            member_item(CONTAINER_OF(link, struct member, in_room)->user);

        refusal = writer_add(&w, &item);
        if (refusal != REFUSAL_NONE)
            return refusal;
    }
    return writer_flush(&w, true);
}

static struct event_item
room_item(const struct room *room)
{
    struct event_item item = {
        .name = label_text(room->name),
        .number = room->member_count,
    };

    if (room->topic != NULL)
        item.text = room->topic->text;
    return item;
}

enum refusal
list_on_rooms(struct ask *a)
{
    struct list_writer w = {.a = a, .draft = ask_draft(a, EVENT_ROOMS)};
    struct list_link *link;

    list_for_each (link, &a->hub->rooms) {
        const struct event_item item =
            room_item(CONTAINER_OF(link, struct room, by_age));
        const enum refusal refusal = writer_add(&w, &item);

        if (refusal != REFUSAL_NONE)
            return refusal;
    }
    return writer_flush(&w, true);
}

struct event *
list_history(const struct ask *a, const struct room *room, uint64_t wanted)
{
    struct event draft = ask_draft(a, EVENT_HISTORY);

    draft.room = room->id;
    draft.name = label_text(room->name);
    draft.number = wanted < room->log.said ? wanted : room->log.said;
    return event_create(&draft);
}

void
list_replay(const struct ask *a, const struct room *room, struct event *history)
{
    const uint32_t count = (uint32_t)history->number;
    uint64_t position;

    emit_to_asker(a, history);
    if (count == 0)
        return;

    position = event_log_said(&room->log, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct log_entry *const entry =
            event_log_at(&room->log, position);

        ASSERT(entry->event->kind == EVENT_SAID);
        emit_replay(a, entry->event, REPLAY_HISTORY);
        position += entry->to_newer_said;
    }
}

enum refusal
list_on_history(struct ask *a)
{
    struct event *history;
    struct room *room;
    enum refusal refusal;

    refusal = room_joined(a, &room);
    if (refusal != REFUSAL_NONE)
        return refusal;
    history = list_history(a, room, a->c->count);
    if (history == NULL)
        return REFUSAL_NO_MEMORY;

    list_replay(a, room, history);
    event_unref(history);
    return REFUSAL_NONE;
}

void
hub_each_room(const struct hub *hub, hub_room_fn visit, void *arg)
{
    struct list_link *link;

    list_for_each (link, &hub->rooms) {
        const struct room *const room = CONTAINER_OF(link, struct room, by_age);
        const struct event_item item = room_item(room);
        const struct hub_room_info info = {
            .id = room->id,
            .name = item.name,
            .topic = item.text,
            .members = item.number,
            .created_ms = room->created_ms,
            .last_seq = room->last_seq,
        };

        visit(arg, &info);
    }
}
