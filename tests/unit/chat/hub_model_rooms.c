/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_model_rooms - what commands about rooms do, and the ping.
 */
#include <stdlib.h>
#include <string.h>

#include "hub_model_priv.h"

/* HISTORY and the last `wanted` lines. */
static void
expect_history(struct model *m, struct model_room *room, uint64_t wanted,
               bool even_none)
{
    struct event draft = model_draft(m, EVENT_HISTORY);
    uint64_t said = 0;

    for (size_t i = 0; i < room->log_count; i++)
        said += room->log[i]->kind == EVENT_SAID;
    if (wanted > said)
        wanted = said;
    if (wanted == 0 && !even_none)
        return;
    draft.room = room->id;
    draft.name = model_shown(&room->name);
    draft.number = wanted;
    expect_only_answer(m, model_make(&draft))->room = room;
    for (size_t i = 0; i < room->log_count; i++) {
        struct expected *x;

        if (room->log[i]->kind != EVENT_SAID || said-- > wanted)
            continue;
        x = expect_answer(m, room->log[i]);
        x->d.replay = REPLAY_HISTORY;
        x->room = room;
    }
}

static enum refusal
may_enter(const struct model *m, const struct model_user *user,
          const struct model_room *room)
{
    if (room != NULL && model_is_member(m, user, room))
        return REFUSAL_ALREADY_A_MEMBER;
    if (model_rooms_of(m, user) >= m->conf.chat.limits_rooms_per_user)
        return REFUSAL_TOO_MANY_ROOMS;
    if (room == NULL && m->room_count >= m->conf.chat.limits_rooms)
        return REFUSAL_SERVER_FULL;
    return REFUSAL_NONE;
}

enum refusal
model_join(struct model *m, struct model_user *user)
{
    const uint64_t most = m->conf.chat.history_room_events;
    struct event joined = model_draft(m, EVENT_JOINED);
    struct event state = model_draft(m, EVENT_ROOM);
    struct model_room *room;
    struct event *e;
    struct name name;
    enum refusal refusal =
        model_room_refusal(name_check_room(m->c->name, &name));

    if (refusal != REFUSAL_NONE)
        return refusal;
    room = model_room_called(m, &name);
    refusal = may_enter(m, user, room);
    if (refusal != REFUSAL_NONE)
        return refusal;
    if (room == NULL)
        room = model_add_room(m, &name);
    model_add_member(m, user, room);

    joined.who = model_who_is(user);
    joined.room = room->id;
    joined.seq = room->seq + 1;
    joined.name = model_shown(&room->name);
    e = model_make(&joined);
    expect_in_room(m, room, e);
    state.room = room->id;
    state.seq = room->seq + 1;
    state.name = model_shown(&room->name);
    state.text = room->topic != NULL ? room->topic->text : slice_of("");
    state.number = model_members_of(m, room);
    expect_only_answer(m, model_make(&state))->room = room;
    expect_history(m, room, m->c->count < most ? m->c->count : most, false);
    model_record(m, room, e);
    event_unref(e);
    return REFUSAL_NONE;
}

/* Something happens in a room; takes over `e`. */
static void
happen(struct model *m, struct model_room *room, struct event *e)
{
    expect_in_room(m, room, e);
    model_record(m, room, e);
    event_unref(e);
}

static struct event
room_draft(const struct model *m, enum event_kind kind,
           const struct model_room *room)
{
    struct event draft = model_draft(m, kind);

    draft.room = room->id;
    draft.seq = room->seq + 1;
    draft.text = m->c->text;
    return draft;
}

enum refusal
model_part(struct model *m, struct model_user *user)
{
    struct model_room *room;
    struct event draft;
    const enum refusal refusal = model_own_room(m, user, &room);

    if (refusal != REFUSAL_NONE)
        return refusal;
    draft = room_draft(m, EVENT_PARTED, room);
    draft.who = model_who_is(user);
    happen(m, room, model_make(&draft));
    model_remove_member(m, user, room);
    return REFUSAL_NONE;
}

enum refusal
model_say(struct model *m, struct model_user *user)
{
    struct model_room *room;
    struct event draft;
    const enum refusal refusal = model_own_room(m, user, &room);

    if (refusal != REFUSAL_NONE)
        return refusal;
    if (m->c->text.len == 0)
        return REFUSAL_TEXT_EMPTY;
    draft = room_draft(m, EVENT_SAID, room);
    draft.style = (uint8_t)m->c->style;
    draft.who = model_who_is(user);
    happen(m, room, model_make(&draft));
    return REFUSAL_NONE;
}

/* May refuse the name of the speaker, hence the second result. */
enum refusal
model_oper_say(struct model *m, struct slice *what)
{
    const struct slice nick =
        m->c->nick.len > 0 ? m->c->nick : slice_of("klatchctl");
    struct model_room *room;
    struct event draft;
    struct name name;
    enum refusal refusal = model_existing_room(m, &room);

    if (refusal != REFUSAL_NONE)
        return refusal;
    *what = nick;
    refusal = model_nick_refusal(name_check_nick(nick, &name));
    if (refusal != REFUSAL_NONE)
        return refusal;
    if (model_user_called(m, &name) != NULL)
        return REFUSAL_NICK_TAKEN;
    *what = m->c->name;
    if (m->c->text.len == 0)
        return REFUSAL_TEXT_EMPTY;
    draft = room_draft(m, EVENT_SAID, room);
    draft.style = (uint8_t)m->c->style;
    draft.who.nick = model_shown(&name);
    happen(m, room, model_make(&draft));
    return REFUSAL_NONE;
}

static enum refusal
model_ask_topic(struct model *m)
{
    struct event draft = model_draft(m, EVENT_TOPIC_IS);
    struct model_room *room;
    const enum refusal refusal = model_existing_room(m, &room);

    if (refusal != REFUSAL_NONE)
        return refusal;
    draft.wall_ms = 0;
    draft.room = room->id;
    draft.name = model_shown(&room->name);
    if (room->topic != NULL) {
        draft.wall_ms = room->topic->wall_ms;
        draft.who = room->topic->who;
        draft.text = room->topic->text;
    }
    expect_only_answer(m, model_make(&draft))->room = room;
    return REFUSAL_NONE;
}

enum refusal
model_topic(struct model *m, struct model_user *user)
{
    struct model_room *room;
    struct event draft;
    struct event *e;
    enum refusal refusal;

    if (!m->c->set)
        return model_ask_topic(m);
    refusal = model_own_room(m, user, &room);
    if (refusal != REFUSAL_NONE)
        return refusal;
    if (m->c->text.len > m->conf.chat.limits_topic_length)
        return REFUSAL_TOPIC_TOO_LONG;
    draft = room_draft(m, EVENT_TOPIC, room);
    draft.who = model_who_is(user);
    e = model_make(&draft);
    event_unref(room->topic);
    room->topic = event_ref(e);
    happen(m, room, e);
    return REFUSAL_NONE;
}

/* Items of a list in events of EVENT_ITEMS_MAX; at least one event. */
static void
expect_list(struct model *m, struct event *draft,
            const struct event_item *items, size_t count,
            struct model_room *room)
{
    size_t at = 0;

    do {
        const size_t left = count - at;

        draft->count =
            (uint32_t)(left > EVENT_ITEMS_MAX ? EVENT_ITEMS_MAX : left);
        draft->u.items = items + at;
        at += draft->count;
        draft->last = at == count;
        expect_only_answer(m, model_make(draft))->room = room;
    } while (at < count);
}

enum refusal
model_who(struct model *m)
{
    struct event draft = model_draft(m, EVENT_MEMBERS);
    struct event_item *items;
    struct model_room *room;
    size_t count = 0;
    const enum refusal refusal = model_existing_room(m, &room);

    if (refusal != REFUSAL_NONE)
        return refusal;
    items = model_must(calloc(m->member_count + 1, sizeof(*items)));
    for (size_t i = 0; i < m->member_count; i++) {
        const struct model_user *const user = m->members[i].user;

        if (m->members[i].room != room)
            continue;
        items[count].name = model_shown(&user->nick);
        if (user->away != NULL)
            items[count].text = user->away->text;
        items[count].number = user->waits ? 1 : 0;
        count++;
    }
    draft.room = room->id;
    draft.name = model_shown(&room->name);
    expect_list(m, &draft, items, count, room);
    free(items);
    return REFUSAL_NONE;
}

enum refusal
model_rooms(struct model *m)
{
    struct event draft = model_draft(m, EVENT_ROOMS);
    struct event_item items[MODEL_MAX];

    memset(items, 0, sizeof(items));
    for (size_t i = 0; i < m->room_count; i++) {
        const struct model_room *const room = m->rooms[i];

        items[i].name = model_shown(&room->name);
        items[i].number = model_members_of(m, room);
        if (room->topic != NULL)
            items[i].text = room->topic->text;
    }
    expect_list(m, &draft, items, m->room_count, NULL);
    return REFUSAL_NONE;
}

enum refusal
model_history(struct model *m, struct model_user *user)
{
    struct model_room *room;
    const enum refusal refusal = model_own_room(m, user, &room);

    if (refusal != REFUSAL_NONE)
        return refusal;
    expect_history(m, room, m->c->count, true);
    return REFUSAL_NONE;
}

enum refusal
model_ping(struct model *m)
{
    struct event draft = model_draft(m, EVENT_PONG);

    draft.text = m->c->text;
    (void)expect_only_answer(m, model_make(&draft));
    return REFUSAL_NONE;
}
