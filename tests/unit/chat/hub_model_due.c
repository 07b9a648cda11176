/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_model_due - what each user was to see, and what of it can be given once
 * more. Nothing is taken off a list before it must be: when the user leaves the
 * room, or has its mail.
 */
#include <stdlib.h>
#include <string.h>

#include "hub_model_priv.h"

#define DUE_MANY 400

static bool
is_among(struct event *const *list, size_t count, const struct event *e)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == e)
            return true;
    }
    return false;
}

static bool
is_announced(const struct model *m, const struct event *e)
{
    for (size_t i = 0; i < m->announced_count; i++) {
        if (m->announced[i].e == e)
            return true;
    }
    return false;
}

/* Does it still stand where it was put? */
static bool
is_there(const struct model *m, const struct model_due *due)
{
    if (due->room != NULL)
        return is_among(due->room->log, due->room->log_count, due->e);
    return due->e->kind == EVENT_TOLD ? due->is_mail : is_announced(m, due->e);
}

static void
remove_due(struct model_user *user, size_t at)
{
    event_unref(user->due[at].e);
    user->due_count--;
    memmove(&user->due[at], &user->due[at + 1],
            (user->due_count - at) * sizeof(user->due[0]));
}

/* What can never be given again is good for nothing but to be counted once, if
 * it happened in a wait. */
static void
shorten(const struct model *m, struct model_user *user)
{
    for (size_t i = user->due_count; i-- > 0;) {
        if (!user->due[i].in_wait && !is_there(m, &user->due[i]))
            remove_due(user, i);
    }
}

void
model_owe(struct model *m, struct model_user *user, struct event *e,
          struct model_room *room)
{
    const bool is_own = e->who.user == user->id;

    /* Told by their effects. */
    if (is_own && (e->kind == EVENT_JOINED || e->kind == EVENT_PARTED ||
                   e->kind == EVENT_RENAMED || e->kind == EVENT_QUIT ||
                   e->kind == EVENT_AWAY))
        return;
    if (user->due_count > DUE_MANY)
        shorten(m, user);
    user->due = model_must(
        realloc(user->due, (user->due_count + 1) * sizeof(*user->due)));
    user->due[user->due_count++] = (struct model_due){
        .e = event_ref(e),
        .room = room,
        .above = m->last_id,
        .born = ++m->births,
        .in_wait = user->waits,
    };
}

void
model_learn_id(struct model *m, const struct event *e)
{
    uint64_t born = 0;

    for (size_t u = 0; u < m->user_count; u++) {
        for (size_t i = 0; i < m->users[u]->due_count; i++) {
            if (m->users[u]->due[i].e == e)
                born = m->users[u]->due[i].born;
        }
    }
    if (born == 0)
        return; /* nobody was to see it, so it is no cursor */
    for (size_t u = 0; u < m->user_count; u++) {
        for (size_t i = 0; i < m->users[u]->due_count; i++) {
            struct model_due *const due = &m->users[u]->due[i];

            if (due->born > born && due->above < e->id)
                due->above = e->id;
        }
    }
    if (m->last_id < e->id)
        m->last_id = e->id;
}

void
model_forget_due(struct model_user *user, const struct model_room *room)
{
    for (size_t i = user->due_count; i-- > 0;) {
        if (room == NULL || user->due[i].room == room)
            remove_due(user, i);
    }
}

static bool
is_behind(const struct model_due *due, uint64_t cursor)
{
    return due->e->id != 0 ? due->e->id > cursor : due->above >= cursor;
}

static size_t
can_give(const struct model *m, const struct model_user *user, uint64_t cursor,
         bool even_in_wait, bool even_counted, struct event **out)
{
    const struct event *last = NULL;
    size_t count = 0;

    for (size_t i = 0; i < user->due_count; i++) {
        const struct model_due *const due = &user->due[i];
        const bool is_own_talk =
            due->e->kind == EVENT_SAID && due->e->who.user == user->id;

        if (!is_behind(due, cursor) || !is_there(m, due) || due->e == last)
            continue;
        if ((is_own_talk && !user->echoes) || (due->in_wait && !even_in_wait))
            continue;
        if (due->is_counted && !even_counted)
            continue;
        last = due->e;
        if (out != NULL)
            out[count] = due->e;
        count++;
    }
    return count;
}

size_t
model_can_give(const struct model *m, const struct model_user *user,
               uint64_t cursor, bool even_in_wait, struct event **out)
{
    return can_give(m, user, cursor, even_in_wait, true, out);
}

size_t
model_on_its_way(const struct model *m, const struct model_user *user,
                 uint64_t upto)
{
    return can_give(m, user, upto, true, !user->has_before, NULL);
}

size_t
model_cannot_give(const struct model *m, const struct model_user *user)
{
    size_t count = 0;

    for (size_t i = 0; i < user->due_count; i++)
        count += user->due[i].in_wait && !is_there(m, &user->due[i]);
    return count;
}

/* ---- mail ---------------------------------------------------------------- */

static size_t
mail_of(const struct model_user *user, size_t *bytes)
{
    size_t count = 0;

    *bytes = 0;
    for (size_t i = 0; i < user->due_count; i++) {
        if (!user->due[i].is_mail)
            continue;
        *bytes += event_bytes(user->due[i].e);
        count++;
    }
    return count;
}

static void
forget_oldest_mail(struct model_user *user)
{
    for (size_t i = 0; i < user->due_count; i++) {
        if (user->due[i].is_mail) {
            user->due[i].is_mail = false;
            user->mail_dropped++;
            return;
        }
    }
}

static bool
is_too_much(const struct model *m, const struct model_user *user)
{
    size_t bytes;
    const size_t count = mail_of(user, &bytes);

    return count > m->conf.chat.session_direct_events ||
           bytes > m->conf.chat.session_direct_bytes;
}

bool
model_mail(struct model *m, struct model_user *user, struct event *e)
{
    size_t bytes;

    if (!user->is_resumable)
        return true; /* not kept, but told */
    model_owe(m, user, e, NULL);
    user->due[user->due_count - 1].is_mail = true;
    if (user->waits && is_too_much(m, user)) {
        remove_due(user, user->due_count - 1);
        return false;
    }
    while (is_too_much(m, user) && mail_of(user, &bytes) > 1)
        forget_oldest_mail(user);
    return true;
}

void
model_forget_mail(struct model_user *user, uint64_t cursor)
{
    for (size_t i = 0; i < user->due_count; i++) {
        if (!is_behind(&user->due[i], cursor))
            user->due[i].is_mail = false;
    }
}

/* ---- announcements ------------------------------------------------------- */

static size_t
announced_bytes(const struct model *m)
{
    size_t bytes = 0;

    for (size_t i = 0; i < m->announced_count; i++)
        bytes += event_bytes(m->announced[i].e);
    return bytes;
}

static void
forget_oldest_announced(struct model *m)
{
    event_unref(m->announced[0].e);
    m->announced_dropped++;
    m->announced_count--;
    memmove(m->announced, m->announced + 1,
            m->announced_count * sizeof(m->announced[0]));
}

void
model_keep_announced(struct model *m, struct event *e)
{
    m->announced[m->announced_count++].e = event_ref(e);
    while (m->announced_count > 1 &&
           (m->announced_count > HUB_ANNOUNCED_EVENTS ||
            announced_bytes(m) > HUB_ANNOUNCED_BYTES))
        forget_oldest_announced(m);
    for (size_t i = 0; i < m->user_count; i++)
        model_owe(m, m->users[i], e, NULL);
}

void
model_forget_announced(struct model *m)
{
    while (m->announced_count > 0)
        forget_oldest_announced(m);
}

void
model_count_kept(const struct model *m, uint64_t *events, uint64_t *bytes)
{
    *events = m->announced_count;
    *bytes = announced_bytes(m);
    for (size_t i = 0; i < m->user_count; i++) {
        size_t mail_bytes;

        *events += mail_of(m->users[i], &mail_bytes);
        *bytes += mail_bytes;
    }
}
