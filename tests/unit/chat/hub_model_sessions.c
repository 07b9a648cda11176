/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_model_sessions - how sessions are lost, wait, come back, catch up and end.
 */
#include <stdlib.h>
#include <string.h>

#include "hub_model_priv.h"

size_t
model_waiting(const struct model *m)
{
    size_t count = 0;

    for (size_t i = 0; i < m->user_count; i++)
        count += m->users[i]->waits;
    return count;
}

struct model_user *
model_longest_waiting(const struct model *m)
{
    struct model_user *found = NULL;

    for (size_t i = 0; i < m->user_count; i++) {
        struct model_user *const user = m->users[i];

        if (user->waits &&
            (found == NULL || user->lost_turn < found->lost_turn))
            found = user;
    }
    return found;
}

uint64_t
model_next_tick_ms(const struct model *m)
{
    const struct model_user *const user = model_longest_waiting(m);

    return user == NULL ? HUB_NEVER
                        : user->lost_mono_ms + m->conf.chat.session_linger;
}

bool
model_token(const struct model *m, bool waits, size_t n, struct token *out)
{
    size_t count = 0;

    for (size_t i = 0; i < m->user_count; i++)
        count += m->users[i]->is_resumable && m->users[i]->waits == waits;
    if (count == 0)
        return false;
    n %= count;
    for (size_t i = 0; i < m->user_count; i++) {
        const struct model_user *const user = m->users[i];

        if (user->is_resumable && user->waits == waits && n-- == 0)
            *out = user->token;
    }
    return true;
}

struct slice
model_waiting_nick(const struct model *m, size_t n)
{
    const size_t count = model_waiting(m);
    size_t skip = count > 0 ? n % count : 0;

    for (size_t i = 0; count > 0 && i < m->user_count; i++) {
        if (m->users[i]->waits && skip-- == 0)
            return model_shown(&m->users[i]->nick);
    }
    return slice_of("");
}

uint64_t
model_cursor(const struct model *m, uint64_t conn, size_t n)
{
    const struct model_user *const user = model_user_on(m, conn);

    if (user == NULL || n >= user->due_count ||
        user->due[user->due_count - 1 - n].e->id == 0)
        return m->last_id;
    return user->due[user->due_count - 1 - n].e->id;
}

/* ---- loss ---------------------------------------------------------------- */

/* As many whole characters of the command's text as are kept. */
static void
keep_why(const struct model *m, struct model_user *user)
{
    const struct slice text = m->c->text;
    size_t len = 0;

    for (size_t i = 1; i <= text.len && i <= HUB_WHY_MAX; i++) {
        if (i == text.len || (text.data[i] & '\xC0') != '\x80')
            len = i;
    }
    memset(user->why, 0, sizeof(user->why));
    if (len > 0)
        memcpy(user->why, text.data, len);
}

static void
tell_lost(struct model *m, const struct model_user *user)
{
    struct event draft = model_draft(m, EVENT_LOST);
    struct event *e;

    draft.who = model_who_is(user);
    draft.text = slice_of(user->why);
    e = model_make_everywhere(m, user, &draft);
    expect_at_peers(m, user, e);
    event_unref(e);
}

/* What the logs that it is given events from have dropped. */
static uint64_t
dropped_ever(const struct model *m, const struct model_user *user)
{
    uint64_t dropped = m->announced_dropped + user->mail_dropped;

    for (size_t i = 0; i < m->member_count; i++) {
        if (m->members[i].user == user)
            dropped += m->members[i].room->dropped;
    }
    return dropped;
}

bool
model_lose(struct model *m, struct model_user *user)
{
    const struct command *const c = m->c;
    const uint64_t upto = c->upto > c->cursor ? c->upto : c->cursor;

    if (!user->is_resumable || m->conf.chat.session_linger == 0)
        return false;

    user->cursor = c->cursor;
    user->owed = c->count;
    user->owed += model_on_its_way(m, user, upto);
    user->unsure = dropped_ever(m, user);
    model_forget_mail(user, c->cursor);
    user->waits = true;
    user->conn = 0;
    user->lost_turn = ++m->losses;
    user->lost_mono_ms = m->mono_ms;
    user->lost_wall_ms = m->wall_ms;
    user->is_told_lost = c->how != DETACH_REPLACED;
    keep_why(m, user);
    if (user->is_told_lost)
        tell_lost(m, user);
    while (model_waiting(m) > m->conf.chat.session_waiting) {
        struct model_user *const first = model_longest_waiting(m);

        model_quit(m, first, slice_of(first->why));
    }
    return true;
}

/* ---- return -------------------------------------------------------------- */

static struct model_user *
holder_of(const struct model *m, const struct token *token)
{
    for (size_t i = 0; i < m->user_count; i++) {
        struct model_user *const user = m->users[i];

        if (user->is_resumable &&
            (memcmp(&user->token, token, sizeof(*token)) == 0 ||
             (user->has_before &&
              memcmp(&user->before, token, sizeof(*token)) == 0)))
            return user;
    }
    return NULL;
}

static void
expect_resumed(struct model *m, struct model_user *user)
{
    struct event draft = model_draft(m, EVENT_RESUMED);
    const uint64_t old = model_can_give(m, user, user->cursor, false, NULL);
    struct expected *x;

    draft.who = model_who_is(user);
    draft.number = model_can_give(m, user, user->cursor, true, NULL);
    draft.seq = model_cannot_give(m, user);
    if (user->owed > old)
        draft.seq += user->owed - old;
    draft.id = user->cursor;
    draft.wall_ms = user->lost_wall_ms;
    draft.style = user->echoes;
    x = expect_only_answer(m, model_make(&draft));
    x->holder = user;
    x->unsure = user->unsure;
}

static void
expect_rejoined(struct model *m, struct model_room *room)
{
    struct event draft = model_draft(m, EVENT_REJOINED);

    draft.room = room->id;
    draft.seq = room->seq;
    draft.name = model_shown(&room->name);
    draft.text = room->topic != NULL ? room->topic->text : slice_of("");
    draft.number = model_members_of(m, room);
    (void)expect_only_answer(m, model_make(&draft));
}

static void
tell_returned(struct model *m, const struct model_user *user)
{
    struct event draft = model_draft(m, EVENT_RETURNED);
    struct event *e;

    draft.who = model_who_is(user);
    e = model_make_everywhere(m, user, &draft);
    expect_at_peers(m, user, e);
    event_unref(e);
}

static void
come_back(struct model *m, struct model_user *user)
{
    user->conn = m->c->from.conn;
    user->is_retold =
        memcmp(&user->token, &m->c->token, sizeof(user->token)) != 0;
    if (!user->is_retold)
        user->before = user->token;
    user->has_before = true;
    expect_resumed(m, user);
    user->waits = false;
    for (size_t i = 0; i < user->due_count; i++) {
        user->due[i].in_wait = false;
        user->due[i].is_counted = true;
    }
    for (size_t i = 0; i < m->member_count; i++) {
        if (m->members[i].user == user)
            expect_rejoined(m, m->members[i].room);
    }
    if (user->is_told_lost)
        tell_returned(m, user);
}

enum refusal
model_resume(struct model *m)
{
    struct event draft = model_draft(m, EVENT_REPLACED);
    struct model_user *user;
    struct event *e;

    if (model_user_on(m, m->c->from.conn) != NULL)
        return REFUSAL_ATTACHED_ALREADY;
    user = holder_of(m, &m->c->token);
    if (user == NULL)
        return REFUSAL_BAD_TOKEN;
    if (user->waits) {
        come_back(m, user);
        return REFUSAL_NONE;
    }
    e = model_make(&draft);
    (void)expect_on_conn(m, user->conn, e);
    event_unref(e);
    return REFUSAL_SESSION_BUSY;
}

/* ---- catching up --------------------------------------------------------- */

enum refusal
model_catch_up(struct model *m, struct model_user *user)
{
    struct event **const events =
        model_must(calloc(user->due_count + 1, sizeof(struct event *)));
    const size_t count = model_can_give(m, user, m->c->cursor, true, events);
    struct event draft = model_draft(m, EVENT_CAUGHT_UP);
    size_t given = 0;
    struct expected *x;

    while (given < count && given < m->c->count && given < HUB_CATCH_MAX)
        expect_answer(m, events[given++])->d.replay = REPLAY_MISSED;
    draft.last = given == count;
    draft.number = m->c->cursor;
    x = expect_only_answer(m, model_make(&draft));
    x->upto = given > 0 ? events[given - 1] : NULL;
    free(events);
    return REFUSAL_NONE;
}
