/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_session - a client's attachment, which outlives its conn.
 *
 *   session_create()      session_lose()           session_regain()
 *  ---------------> HAS A CONN -----------> WAITS -----------------> HAS A CONN
 *                        |                    |
 *                        | quit, kick         | quit_expired(), kick
 *                        +--------------------+---------> session_destroy()
 *
 * HAS A CONN  In the table by conn; its rooms count it for that conn's worker.
 * WAITS       In hub.waiting; no worker has it, so nothing is emitted for it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "chat/hub_priv.h"

/* ---- finding ------------------------------------------------------------- */

struct session *
session_find(const struct hub *hub, session_id id, uint64_t conn)
{
    struct session *const session = id_table_find(&hub->session_ids, id);

    if (session == NULL || session_waits(session) || session->conn != conn)
        return NULL;
    return session;
}

static bool
session_matches(const struct hash_link *link, const void *key)
{
    const struct session *const session =
        CONST_CONTAINER_OF(link, struct session, by_conn);

    return session->conn == *(const uint64_t *)key;
}

struct session *
session_of_conn(const struct hub *hub, uint64_t conn)
{
    struct hash_link *const link = hash_find(
        &hub->sessions_by_conn, hash_u64(conn), session_matches, &conn);

    return link == NULL ? NULL : CONTAINER_OF(link, struct session, by_conn);
}

struct slice
session_token(const struct hub *hub, const struct session *session,
              char out[TOKEN_TEXT_MAX])
{
    struct token token;

    if (!session->is_resumable)
        return slice_make(NULL, 0);
    token_make(&hub->conf.key, id_to_slot(session->id), &session->secret,
               &token);
    return slice_of(token_format(&token, out));
}

/* ---- with a conn --------------------------------------------------------- */

static int
enter_conn(struct hub *hub, struct session *session, uint64_t conn)
{
    if (hash_insert(&hub->sessions_by_conn, &session->by_conn, hash_u64(conn)) <
        0)
        return -ENOMEM;

    session->conn = conn;
    hub->sessions_on[origin_worker(conn)]++;
    return 0;
}

static void
leave_conn(struct hub *hub, struct session *session)
{
    hash_remove(&hub->sessions_by_conn, &session->by_conn);
    hub->sessions_on[origin_worker(session->conn)]--;
    session->conn = 0;
}

void
session_count_room(const struct session *session, struct room *room, int by)
{
    if (!session_waits(session))
        room->members_on[origin_worker(session->conn)] += (uint32_t)by;
}

static void
count_rooms(const struct session *session, int by)
{
    struct list_link *link;

    list_for_each (link, &session->user->members)
        session_count_room(
            session, CONTAINER_OF(link, struct member, in_user)->room, by);
}

struct session *
session_create(const struct ask *a, struct user *user)
{
    struct hub *const hub = a->hub;
    struct session *const session = slab_get(&hub->sessions);

    if (session == NULL)
        return NULL;
    if (id_table_add(&hub->session_ids, session, &session->id) < 0)
        goto fail;
    if (enter_conn(hub, session, a->c->from.conn) < 0)
        goto fail_id;

    session->user = user;
    user->session = session;
    session->attached = hub->last_event_id;
    session->secret = a->c->secret;
    session->is_resumable = a->c->resumable;
    hub->census.sessions++;
    return session;

fail_id:
    id_table_remove(&hub->session_ids, session->id);
fail:
    slab_put(&hub->sessions, session);
    return NULL;
}

/* ---- without one --------------------------------------------------------- */

static void
start_waiting(struct hub *hub, struct session *session)
{
    list_push_back(&hub->waiting, &session->wait->by_age);
    hub->census.waiting++;
}

static void
stop_waiting(struct hub *hub, struct session *session)
{
    list_remove(&session->wait->by_age);
    hub->census.waiting--;
}

static void
drop_wait(struct session *session)
{
    free(session->wait);
    session->wait = NULL;
}

void
session_confirm(struct session *session)
{
    if (!session_waits(session))
        drop_wait(session);
}

bool
session_has_secret(const struct session *session,
                   const struct token_secret *secret)
{
    const struct wait *const w = session->wait;

    if (!session->is_resumable)
        return false;
    return token_secret_equal(&session->secret, secret) ||
           (w != NULL && w->is_resumed &&
            token_secret_equal(&w->before, secret));
}

void
session_destroy(struct hub *hub, struct session *session)
{
    session->user->session = NULL;
    if (session_waits(session))
        stop_waiting(hub, session);
    else
        leave_conn(hub, session);
    drop_wait(session);
    mail_fini(hub, session);
    id_table_remove(&hub->session_ids, session->id);
    hub->census.sessions--;
    slab_put(&hub->sessions, session);
}

/* The first HUB_WHY_MAX bytes, but no part of a character. */
static void
keep_why(struct wait *w, struct slice why)
{
    size_t len = why.len;

    if (len > HUB_WHY_MAX) {
        len = HUB_WHY_MAX;
        while (len > 0 && ((unsigned char)why.data[len] & 0xC0) == 0x80)
            len--;
    }
    if (len > 0)
        memcpy(w->why, why.data, len);
}

/* What it takes to know later what was missed; NULL when memory is short. */
static struct wait *
wait_create(const struct ask *a, struct session *session)
{
    struct wait *const w = calloc(
        1, sizeof(*w) + session->user->rooms * sizeof(struct wait_place));
    const struct command *const c = a->c;

    if (w == NULL)
        return NULL;
    w->session = session;
    list_link_init(&w->by_age);
    w->lost_mono_ms = a->now->mono_ms;
    w->lost_wall_ms = a->now->wall_ms;
    w->cursor = c->cursor;
    w->due = c->count;
    w->due_upto = c->upto > c->cursor ? c->upto : c->cursor;
    if (session->wait != NULL) {
        w->is_resumed = session->wait->is_resumed;
        w->before = session->wait->before;
        if (w->due_upto < session->wait->told_upto)
            w->due_upto = session->wait->told_upto;
    }
    keep_why(w, c->text);
    return w;
}

static void
announce_loss(const struct ask *a, struct session *session)
{
    struct event draft;
    struct event *e;

    if (a->c->how == DETACH_REPLACED)
        return; /* it is about to return */
    draft = ask_draft(a, EVENT_LOST);
    draft.who = ask_who(session->user);
    draft.text = slice_of(session->wait->why);
    e = user_event(session->user, &draft);
    if (e == NULL)
        return;
    emit_to_peers(a, session->user, e);
    event_unref(e);
    session->wait->is_announced = true;
}

/* Ends the one that waits longest; there is one. */
static void
expire_oldest(const struct ask *a)
{
    struct list_link *const link = a->hub->waiting.head.next;

    ASSERT(!list_is_empty(&a->hub->waiting));
    quit_expired(a, CONTAINER_OF(link, struct wait, by_age)->session);
}

static void
limit_waiting(const struct ask *a)
{
    const struct hub *const hub = a->hub;

    while (hub->census.waiting > hub->conf.chat.session_waiting)
        expire_oldest(a);
}

/* Remembers how its client stands. False: no memory. */
static bool
take_leave(const struct ask *a, struct session *session)
{
    struct wait *w;

    if (a->c->how == DETACH_UNHEARD && session->wait != NULL) {
        /* Its client is where it was when it was lost before. */
        session->wait->lost_mono_ms = a->now->mono_ms;
        session->wait->is_announced = false;
        return true;
    }
    w = wait_create(a, session);
    if (w == NULL)
        return false;
    drop_wait(session);
    session->wait = w;
    count_start(a->hub, session);
    mail_forget(a->hub, session, w->cursor);
    return true;
}

bool
session_lose(const struct ask *a, struct session *session)
{
    struct hub *const hub = a->hub;

    if (!session->is_resumable || hub->conf.chat.session_linger == 0)
        return false;
    if (!take_leave(a, session))
        return false;

    count_rooms(session, -1);
    leave_conn(hub, session);
    start_waiting(hub, session);
    announce_loss(a, session);
    limit_waiting(a);
    return true;
}

/* Who comes with the token before has not heard of the one that followed: that
 * is told again, so that however often it is lost on the way, what the client
 * knows is good, and no more than two are. */
void
session_next_secret(const struct ask *a, const struct session *session,
                    struct token_secret *out)
{
    struct token_secret used;

    (void)token_slot(&a->hub->conf.key, &a->c->token, &used);
    *out = token_secret_equal(&used, &session->secret) ? a->c->secret
                                                       : session->secret;
}

static void
change_secret(const struct ask *a, struct session *session)
{
    struct wait *const w = session->wait;
    struct token_secret next;

    session_next_secret(a, session, &next);
    if (token_secret_equal(&next, &session->secret))
        return;
    w->before = session->secret;
    w->is_resumed = true;
    session->secret = next;
}

int
session_regain(const struct ask *a, struct session *session)
{
    const int rc = enter_conn(a->hub, session, a->c->from.conn);

    if (rc < 0)
        return rc;

    stop_waiting(a->hub, session);
    session->wait->told_upto = a->hub->last_event_id;
    change_secret(a, session);
    count_rooms(session, +1);
    if (session->resumed < UINT16_MAX)
        session->resumed++;
    return 0;
}

/* ---- time ---------------------------------------------------------------- */

#define TICK_BUDGET 64

uint64_t
hub_next_tick_ms(const struct hub *hub)
{
    const struct list_link *const link = hub->waiting.head.next;

    if (list_is_empty(&hub->waiting))
        return HUB_NEVER;
    return CONST_CONTAINER_OF(link, struct wait, by_age)->lost_mono_ms +
           hub->conf.chat.session_linger;
}

void
hub_tick(struct hub *hub, const struct hub_now *now, const struct hub_out *out)
{
    /* Nobody asks, so there is nobody to answer. */
    static const struct command nothing = {.kind = COMMAND_DETACH};
    const struct ask a = {.hub = hub, .c = &nothing, .now = now, .out = out};

    for (unsigned i = 0; i < TICK_BUDGET; i++) {
        if (hub_next_tick_ms(hub) > now->mono_ms)
            return;
        expire_oldest(&a);
    }
}

/* ---- an operator's list -------------------------------------------------- */

static struct hub_session_info
describe(const struct session *session, const struct hub_now *now)
{
    struct hub_session_info info = {
        .id = session->id,
        .nick = label_text(session->user->nick),
        .conn = session->conn,
        .rooms = session->user->rooms,
        .resumed = session->resumed,
        .is_resumable = session->is_resumable,
        .echoes = session->echoes,
    };

    if (session->mail != NULL)
        info.kept_events = event_log_used(session->mail);
    if (session_waits(session)) {
        info.lost_ms = session->wait->lost_wall_ms;
        info.waited_ms = now->mono_ms - session->wait->lost_mono_ms;
    }
    return info;
}

void
hub_each_session(const struct hub *hub, const struct hub_now *now,
                 hub_session_fn visit, void *arg)
{
    for (uint32_t slot = 0; slot < hub->session_ids.size; slot++) {
        const struct session *const session =
            id_table_at(&hub->session_ids, slot);

        if (session != NULL) {
            const struct hub_session_info info = describe(session, now);

            visit(arg, &info);
        }
    }
}
