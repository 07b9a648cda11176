/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_model_users - what commands about persons do.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "hub_model_priv.h"

enum refusal
model_attach(struct model *m)
{
    struct event draft = model_draft(m, EVENT_ATTACHED);
    struct model_user *user;
    struct expected *x;
    struct name name;
    enum refusal refusal;

    if (model_user_on(m, m->c->from.conn) != NULL)
        return REFUSAL_ATTACHED_ALREADY;
    refusal = model_may_take_nick(m, NULL, &name);
    if (refusal != REFUSAL_NONE)
        return refusal;

    if (m->user_count == MODEL_MAX)
        abort();
    user = model_must(calloc(1, sizeof(*user)));
    user->conn = m->c->from.conn;
    user->nick = name;
    user->is_resumable = m->c->resumable;
    m->users[m->user_count++] = user;
    draft.who = model_who_is(user);
    draft.number = m->user_count;
    x = expect_only_answer(m, model_make(&draft));
    x->user = user;
    x->holder = user;
    return REFUSAL_NONE;
}

void
model_quit(struct model *m, struct model_user *user, struct slice text)
{
    struct event draft = model_draft(m, EVENT_QUIT);
    struct event *e;

    if (model_rooms_of(m, user) > 0) {
        draft.who = model_who_is(user);
        draft.text = text;
        e = model_make_everywhere(m, user, &draft);
        expect_at_peers(m, user, e);
        model_record_everywhere(m, user, e);
        event_unref(e);
    }
    model_remove_user(m, user);
}

enum refusal
model_detach(struct model *m)
{
    struct model_user *const user = model_user_on(m, m->c->from.conn);

    if (user == NULL || (m->c->session != 0 && m->c->session != user->session))
        return REFUSAL_NO_SESSION;
    if (m->c->how != DETACH_QUIT && model_lose(m, user))
        return REFUSAL_NONE;
    model_quit(m, user, m->c->text);
    return REFUSAL_NONE;
}

enum refusal
model_kick(struct model *m)
{
    struct event draft = model_draft(m, EVENT_ENDED);
    struct model_user *user;
    struct event *e;
    struct buf why;
    const enum refusal refusal = model_existing_user(m, &user);

    if (refusal != REFUSAL_NONE)
        return refusal;
    draft.text = m->c->text;
    e = model_make(&draft);
    if (!user->waits)
        (void)expect_on_conn(m, user->conn, e);
    event_unref(e);
    buf_init(&why);
    buf_append_str(&why, m->c->text.len > 0 ? "kicked: " : "kicked");
    buf_append(&why, m->c->text.data, m->c->text.len);
    model_quit(m, user, slice_make(why.data, why.len));
    buf_fini(&why);
    return REFUSAL_NONE;
}

enum refusal
model_nick(struct model *m, struct model_user *user)
{
    struct event draft = model_draft(m, EVENT_RENAMED);
    struct event *e;
    struct name name;
    const enum refusal refusal = model_may_take_nick(m, user, &name);

    if (refusal != REFUSAL_NONE)
        return refusal;
    if (slice_equal(model_shown(&name), model_shown(&user->nick)))
        return REFUSAL_NICK_SAME;
    draft.who = model_who_is(user);
    draft.name = model_shown(&name);
    e = model_make_everywhere(m, user, &draft);
    expect_at_peers(m, user, e);
    model_record_everywhere(m, user, e);
    event_unref(e);
    user->nick = name;
    return REFUSAL_NONE;
}

enum refusal
model_away(struct model *m, struct model_user *user)
{
    const struct slice before =
        user->away != NULL ? user->away->text : slice_make(NULL, 0);
    struct event draft = model_draft(m, EVENT_AWAY);
    struct event *e;

    draft.who = model_who_is(user);
    draft.text = m->c->text;
    if (slice_equal(before, m->c->text)) {
        (void)expect_only_answer(m, model_make(&draft));
        return REFUSAL_NONE;
    }
    e = model_make_everywhere(m, user, &draft);
    expect_at_peers(m, user, e);
    model_record_everywhere(m, user, e);
    event_unref(user->away);
    user->away = m->c->text.len > 0 ? event_ref(e) : NULL;
    event_unref(e);
    return REFUSAL_NONE;
}

enum refusal
model_tell(struct model *m, struct model_user *user)
{
    struct event told = model_draft(m, EVENT_TOLD);
    struct event sent = model_draft(m, EVENT_SENT);
    struct model_user *to;
    struct event *e;
    bool is_kept;
    const enum refusal refusal = model_existing_user(m, &to);

    if (refusal != REFUSAL_NONE)
        return refusal;
    if (m->c->text.len == 0)
        return REFUSAL_TEXT_EMPTY;
    told.style = (uint8_t)m->c->style;
    told.who = model_who_is(user);
    told.name = model_shown(&to->nick);
    told.text = m->c->text;
    e = model_make(&told);
    is_kept = model_mail(m, to, e);
    if (!to->waits)
        (void)expect_on_conn(m, to->conn, e);
    event_unref(e);
    if (!is_kept)
        return REFUSAL_MAILBOX_FULL;
    sent.number = to->waits ? 1 : 0;
    sent.style = (uint8_t)m->c->style;
    sent.name = model_shown(&to->nick);
    if (to->away != NULL && m->c->style != SAY_NOTICE)
        sent.text = to->away->text;
    (void)expect_only_answer(m, model_make(&sent));
    return REFUSAL_NONE;
}

enum refusal
model_announce(struct model *m)
{
    struct event draft = model_draft(m, EVENT_ANNOUNCED);
    bool on[HUB_WORKERS_MAX + 1] = {false};
    struct event *e;

    if (m->c->text.len == 0)
        return REFUSAL_TEXT_EMPTY;
    draft.text = m->c->text;
    e = model_make(&draft);
    model_keep_announced(m, e);
    for (size_t i = 0; i < m->user_count; i++) {
        if (!m->users[i]->waits)
            on[m->users[i]->conn >> 56] = true;
    }
    for (unsigned w = 0; w <= HUB_WORKERS_MAX; w++) {
        if (on[w])
            (void)expect_on_worker(m, w, e, ROUTE_ALL);
    }
    event_unref(e);
    return REFUSAL_NONE;
}
