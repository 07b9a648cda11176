/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_quit - how users go: by themselves, with their conn, long after it, or
 * because an operator says so. Nothing holds up a user that goes, not even want
 * of memory.
 */
#include "base/buf.h"
#include "chat/hub_priv.h"

/* Tells the peers of `user` that it goes. When memory is too short for that
 * they see it gone without a word: it must not stay for that. */
static void
announce_quit(const struct ask *a, const struct user *user, struct slice text)
{
    struct event draft;
    struct event *e;

    if (user->rooms == 0)
        return; /* nobody to tell */
    draft = ask_draft(a, EVENT_QUIT);
    draft.who = ask_who(user);
    draft.text = text;
    e = user_event(user, &draft);
    if (e == NULL)
        return;

    user_record(a->hub, user, e);
    emit_to_peers(a, user, e);
    event_unref(e);
}

enum refusal
quit_on_detach(struct ask *a)
{
    const struct command *const c = a->c;
    struct session *const session =
        c->session == 0 ? session_of_conn(a->hub, c->from.conn)
                        : session_find(a->hub, c->session, c->from.conn);

    if (session == NULL)
        return REFUSAL_NO_SESSION;
    if (c->how != DETACH_QUIT && session_lose(a, session))
        return REFUSAL_NONE;

    announce_quit(a, session->user, c->text);
    user_end(a->hub, session->user);
    return REFUSAL_NONE;
}

void
quit_expired(const struct ask *a, struct session *session)
{
    announce_quit(a, session->user, slice_of(session->wait->why));
    user_end(a->hub, session->user);
}

static void
announce_end(const struct ask *a, const struct user *user)
{
    struct event draft = ask_draft(a, EVENT_ENDED);
    struct event *e;

    if (session_waits(user->session))
        return; /* it has no conn to be told on */
    draft.text = a->c->text;
    e = event_create(&draft);
    emit_to_conn(a, user->session->conn, e != NULL ? e : a->hub->ended);
    event_unref(e);
}

enum refusal
quit_on_kick(struct ask *a)
{
    struct user *user;
    struct buf why;
    enum refusal refusal;

    refusal = user_named(a, &user);
    if (refusal != REFUSAL_NONE)
        return refusal;

    buf_init(&why);
    buf_append_str(&why, "kicked");
    if (a->c->text.len > 0) {
        buf_append_str(&why, ": ");
        buf_append(&why, a->c->text.data, a->c->text.len);
    }
    announce_end(a, user);
    announce_quit(a, user, slice_make(why.data, why.len));
    user_end(a->hub, user);
    buf_fini(&why);
    return REFUSAL_NONE;
}

static void
drop_session(void *arg, uint64_t id, void *thing)
{
    const struct session *const session = thing;

    user_end(arg, session->user);
}

void
quit_all(struct hub *hub)
{
    id_table_each(&hub->session_ids, drop_session, hub);
}
