/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_resume - a client comes back for its session.
 *
 * While the old conn still stands, it is asked to give the session up
 * (REPLACED), because only its worker knows what its client has had; the asker
 * is refused as SESSION_BUSY and asks again. So two conns never have one
 * session, and nothing in the hub waits for anybody. Likewise when there is
 * much to be counted: hub_count.c.
 */
#include <errno.h>

#include "chat/hub_priv.h"

/* The session that the token is of; NULL. */
static struct session *
find_by_token(const struct ask *a)
{
    const struct hub *const hub = a->hub;
    struct token_secret secret;
    const uint32_t slot = token_slot(&hub->conf.key, &a->c->token, &secret);
    struct session *const session = id_table_at(&hub->session_ids, slot);

    if (session == NULL || !session_has_secret(session, &secret))
        return NULL;
    return session;
}

static enum refusal
ask_for(const struct ask *a, const struct session *session)
{
    struct event draft = ask_draft(a, EVENT_REPLACED);
    struct event *const e = event_create(&draft);

    if (e == NULL)
        return REFUSAL_NO_MEMORY;
    emit_to_conn(a, session->conn, e);
    event_unref(e);
    return REFUSAL_SESSION_BUSY;
}

/* ---- what the client is told --------------------------------------------- */

static struct event *
resumed_event(const struct ask *a, const struct session *session)
{
    struct event draft = ask_draft(a, EVENT_RESUMED);
    char text[TOKEN_TEXT_MAX];
    struct token_secret secret;
    struct token token;

    session_next_secret(a, session, &secret);
    token_make(&a->hub->conf.key, id_to_slot(session->id), &secret, &token);
    draft.who = ask_who(session->user);
    draft.who.conn = a->c->from.conn; /* from here on */
    draft.text = slice_of(token_format(&token, text));
    draft.number = session->wait->to_come;
    draft.seq = count_missed(session->wait);
    draft.id = session->wait->cursor;
    draft.wall_ms = session->wait->lost_wall_ms;
    draft.style = session->echoes;
    return event_create(&draft);
}

static struct event *
rejoined_event(const struct ask *a, const struct room *room)
{
    struct event draft = ask_draft(a, EVENT_REJOINED);

    draft.room = room->id;
    draft.seq = room->last_seq;
    draft.name = label_text(room->name);
    if (room->topic != NULL)
        draft.text = room->topic->text;
    draft.number = room->member_count;
    return event_create(&draft);
}

/* Without memory for one of them it is a refusal, and the client ends; it may
 * come back. */
static enum refusal
tell_rooms(const struct ask *a, const struct user *user)
{
    struct list_link *link;

    list_for_each (link, &user->members) {
        struct event *const e =
            rejoined_event(a, CONTAINER_OF(link, struct member, in_user)->room);

        if (e == NULL)
            return REFUSAL_NO_MEMORY;
        emit_to_asker(a, e);
        event_unref(e);
    }
    return REFUSAL_NONE;
}

/* ---- what its peers are told --------------------------------------------- */

static void
announce_return(const struct ask *a, const struct user *user)
{
    struct event draft = ask_draft(a, EVENT_RETURNED);
    struct event *e;

    draft.who = ask_who(user);
    e = user_event(user, &draft);
    if (e == NULL)
        return; /* they see it talk */
    emit_to_peers(a, user, e);
    event_unref(e);
}

/* ---- commands ------------------------------------------------------------ */

static enum refusal
resume(const struct ask *a, struct session *session)
{
    const bool was_announced = session->wait->is_announced;
    const int rc = count_go_on(a, session);
    struct event *resumed;
    enum refusal refusal;

    if (rc < 0)
        return rc == -EAGAIN ? REFUSAL_SESSION_BUSY : REFUSAL_NO_MEMORY;
    resumed = resumed_event(a, session);
    if (resumed == NULL || session_regain(a, session) < 0) {
        event_unref(resumed);
        return REFUSAL_NO_MEMORY;
    }

    emit_to_asker(a, resumed);
    event_unref(resumed);
    refusal = tell_rooms(a, session->user);
    if (was_announced)
        announce_return(a, session->user);
    return refusal;
}

enum refusal
resume_on_resume(struct ask *a)
{
    struct session *session;

    if (session_of_conn(a->hub, a->c->from.conn) != NULL)
        return REFUSAL_ATTACHED_ALREADY;
    session = find_by_token(a);
    if (session == NULL)
        return REFUSAL_BAD_TOKEN;
    if (!session_waits(session))
        return ask_for(a, session);
    return resume(a, session);
}

enum refusal
resume_on_acks(struct ask *a)
{
    if (a->c->set && !a->session->echoes)
        a->session->echoes_since = a->hub->last_event_id;
    a->session->echoes = a->c->set;
    return REFUSAL_NONE;
}
