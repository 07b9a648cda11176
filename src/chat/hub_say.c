/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_say - what is said: in a room, to one user, to all; and topics.
 */
#include <errno.h>

#include "chat/hub_priv.h"

/* Who speaks for the operator when the command does not say. */
#define OPERATOR_NICK "klatchctl"

static enum refusal
say(const struct ask *a, struct room *room, const struct event_who *who)
{
    struct event draft = ask_draft(a, EVENT_SAID);
    struct event *e;

    draft.style = (uint8_t)a->c->style;
    draft.who = *who;
    draft.room = room->id;
    draft.seq = room->last_seq + 1;
    draft.text = a->c->text;
    e = event_create(&draft);
    if (e == NULL)
        return REFUSAL_NO_MEMORY;

    room_record(a->hub, room, e);
    emit_to_room(a, room, e);
    event_unref(e);
    return REFUSAL_NONE;
}

enum refusal
say_on_say(struct ask *a)
{
    struct event_who who;
    struct room *room;
    enum refusal refusal;

    refusal = room_joined(a, &room);
    if (refusal != REFUSAL_NONE)
        return refusal;
    if (a->c->text.len == 0)
        return REFUSAL_TEXT_EMPTY;

    who = ask_who(a->user);
    return say(a, room, &who);
}

/* The name under which the operator speaks: reserved ones are for this, but
 * nobody present is spoken for. */
static enum refusal
operator_name(struct ask *a, struct name *name)
{
    const struct slice nick =
        a->c->nick.len > 0 ? a->c->nick : slice_of(OPERATOR_NICK);
    const enum refusal refusal = user_refusal(name_check_nick(nick, name));

    if (refusal == REFUSAL_NONE && user_find(a->hub, name) == NULL)
        return REFUSAL_NONE;
    a->what = nick;
    return refusal != REFUSAL_NONE ? refusal : REFUSAL_NICK_TAKEN;
}

enum refusal
say_on_oper_say(struct ask *a)
{
    struct event_who who = {.user = 0};
    struct room *room;
    struct name name;
    enum refusal refusal;

    refusal = room_named(a, &room);
    if (refusal != REFUSAL_NONE)
        return refusal;
    refusal = operator_name(a, &name);
    if (refusal != REFUSAL_NONE)
        return refusal;
    if (a->c->text.len == 0)
        return REFUSAL_TEXT_EMPTY;

    who.nick = slice_make(name.text, name.len);
    return say(a, room, &who);
}

static struct event *
told_event(const struct ask *a, const struct user *to)
{
    struct event draft = ask_draft(a, EVENT_TOLD);

    draft.style = (uint8_t)a->c->style;
    draft.who = ask_who(a->user);
    draft.name = label_text(to->nick);
    draft.text = a->c->text;
    return event_create(&draft);
}

/* Why `to` is away is an automatic answer, which a notice never gets. */
static struct event *
sent_event(const struct ask *a, const struct user *to)
{
    struct event draft = ask_draft(a, EVENT_SENT);

    draft.style = (uint8_t)a->c->style;
    draft.name = label_text(to->nick);
    if (to->away != NULL && a->c->style != SAY_NOTICE)
        draft.text = to->away->text;
    draft.number = session_waits(to->session);
    return event_create(&draft);
}

/* `told` reaches its session now, or when that is resumed, or both. */
static enum refusal
tell(const struct ask *a, const struct user *to, struct event *told)
{
    const int rc = mail_put(a->hub, to->session, told);

    if (rc < 0)
        return rc == -ENOSPC ? REFUSAL_MAILBOX_FULL : REFUSAL_NO_MEMORY;
    if (!session_waits(to->session))
        emit_to_conn(a, to->session->conn, told);
    return REFUSAL_NONE;
}

enum refusal
say_on_tell(struct ask *a)
{
    struct event *told, *sent;
    struct user *to;
    enum refusal refusal;

    refusal = user_named(a, &to);
    if (refusal != REFUSAL_NONE)
        return refusal;
    if (a->c->text.len == 0)
        return REFUSAL_TEXT_EMPTY;

    told = told_event(a, to);
    sent = sent_event(a, to);
    refusal =
        told != NULL && sent != NULL ? tell(a, to, told) : REFUSAL_NO_MEMORY;
    if (refusal == REFUSAL_NONE)
        emit_to_asker(a, sent);
    event_unref(sent);
    event_unref(told);
    return refusal;
}

static enum refusal
tell_topic(const struct ask *a, const struct room *room)
{
    struct event draft = ask_draft(a, EVENT_TOPIC_IS);
    struct event *e;

    draft.wall_ms = 0; /* never set */
    draft.room = room->id;
    draft.name = label_text(room->name);
    if (room->topic != NULL) {
        draft.wall_ms = room->topic->wall_ms;
        draft.who = room->topic->who;
        draft.text = room->topic->text;
    }
    e = event_create(&draft);
    if (e == NULL)
        return REFUSAL_NO_MEMORY;

    emit_to_asker(a, e);
    event_unref(e);
    return REFUSAL_NONE;
}

static enum refusal
set_topic(const struct ask *a, struct room *room)
{
    struct event draft = ask_draft(a, EVENT_TOPIC);
    struct event *e;

    draft.who = ask_who(a->user);
    draft.room = room->id;
    draft.seq = room->last_seq + 1;
    draft.text = a->c->text;
    e = event_create(&draft);
    if (e == NULL)
        return REFUSAL_NO_MEMORY;

    room_record(a->hub, room, e);
    emit_to_room(a, room, e);
    event_unref(room->topic);
    room->topic = e;
    return REFUSAL_NONE;
}

enum refusal
say_on_topic(struct ask *a)
{
    struct room *room;
    const enum refusal refusal =
        a->c->set ? room_joined(a, &room) : room_named(a, &room);

    if (refusal != REFUSAL_NONE)
        return refusal;
    if (!a->c->set)
        return tell_topic(a, room);
    if (a->c->text.len > a->hub->conf.chat.limits_topic_length)
        return REFUSAL_TOPIC_TOO_LONG;
    return set_topic(a, room);
}

enum refusal
say_on_announce(struct ask *a)
{
    struct event draft;
    struct event *e;

    if (a->c->text.len == 0)
        return REFUSAL_TEXT_EMPTY;
    draft = ask_draft(a, EVENT_ANNOUNCED);
    draft.text = a->c->text;
    e = event_create(&draft);
    if (e == NULL)
        return REFUSAL_NO_MEMORY;

    mail_announce(a->hub, e);
    emit_to_all(a, e);
    event_unref(e);
    return REFUSAL_NONE;
}

enum refusal
say_on_ping(struct ask *a)
{
    struct event draft = ask_draft(a, EVENT_PONG);
    struct event *e;

    draft.text = a->c->text;
    e = event_create(&draft);
    if (e == NULL)
        return REFUSAL_NO_MEMORY;

    emit_to_asker(a, e);
    event_unref(e);
    return REFUSAL_NONE;
}
