/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_mail - what is in no room's log and must still not be lost: what was
 * said to one alone, and what an operator told everybody.
 *
 * Shape    A mailbox a session, made with the first message and given back once
 *          the client is known to have all of it (ACK, or a DETACH's cursor). It
 *          is bounded: a client that does not take its mail loses the oldest; one
 *          that waits gets no more than fits, and the sender is told so.
 */
#include <errno.h>
#include <stdlib.h>

#include "chat/hub_priv.h"

static const struct event_limits announced_limits = {
    .events = HUB_ANNOUNCED_EVENTS,
    .bytes = HUB_ANNOUNCED_BYTES,
};

static struct event_log *
mailbox(struct session *session)
{
    struct event_log *log;

    if (session->mail != NULL)
        return session->mail;
    log = malloc(sizeof(*log));
    if (log == NULL)
        return NULL;
    if (event_log_init(log) < 0) {
        free(log);
        return NULL;
    }
    session->mail = log;
    return log;
}

static bool
has_room(const struct event_log *log, const struct event *e,
         const struct event_limits *limits)
{
    return event_log_used(log) < limits->events &&
           log->bytes + event_bytes(e) <= limits->bytes;
}

int
mail_put(struct hub *hub, struct session *session, struct event *e)
{
    const struct event_limits limits = {
        .events = hub->conf.chat.session_direct_events,
        .bytes = hub->conf.chat.session_direct_bytes,
    };
    struct event_log *log;

    if (!session->is_resumable)
        return 0;
    log = mailbox(session);
    if (log == NULL)
        return -ENOMEM;
    if (session_waits(session)) {
        if (!has_room(log, e, &limits))
            return -ENOSPC;
        if (event_log_reserve(log) < 0)
            return -ENOMEM; /* the sender is told that it is kept: it must be */
    }
    event_log_push(log, e, &limits, &hub->kept);
    return 0;
}

void
mail_fini(struct hub *hub, struct session *session)
{
    if (session->mail == NULL)
        return;
    event_log_fini(session->mail, &hub->kept);
    free(session->mail);
    session->mail = NULL;
    if (session->wait != NULL)
        session->wait->mail_at = 0; /* the next one begins there */
}

void
mail_forget(struct hub *hub, struct session *session, uint64_t cursor)
{
    if (session->mail == NULL)
        return;
    event_log_drop_upto(session->mail, cursor, &hub->kept);
    if (event_log_used(session->mail) == 0)
        mail_fini(hub, session);
}

enum refusal
mail_on_ack(struct ask *a)
{
    session_confirm(a->session);
    mail_forget(a->hub, a->session, a->c->cursor);
    return REFUSAL_NONE;
}

void
mail_announce(struct hub *hub, struct event *e)
{
    event_log_push(&hub->announced, e, &announced_limits, &hub->kept);
}
