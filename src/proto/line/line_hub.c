/* SPDX-License-Identifier: BSD-2-Clause
 *
 * line_hub - what the hub says, on its way to a client of the line protocol.
 *
 * What concerns several is encoded once a form and shared; what one did itself
 * or asked for is made for that one.
 */
#include "base/assert.h"
#include "base/msg.h"
#include "net/conn.h"
#include "proto/front.h"
#include "proto/line/line_priv.h"
#include "proto/line/line_text_priv.h"
#include "proto/view_priv.h"

static struct slice
name_of(const struct view_room *room)
{
    return room == NULL ? slice_make(NULL, 0)
                        : slice_make(room->name, room->name_len);
}

/* ---- for many ------------------------------------------------------------ */

static struct msg *
line_encode(const struct front *f, const struct delivery *d,
            const struct view_room *room, uint32_t key)
{
    const struct line_look look = {
        .room = name_of(room),
        .other = (key & LINE_FORM_OTHER) != 0,
        .ids = (key & LINE_FORM_IDS) != 0,
    };
    struct line_out o;

    line_out_init(&o, (key & LINE_FORM_CRLF) != 0);
    line_render(&o, d->event, &look);
    return line_out_to_msg(&o);
}

static void
share(struct line_client *lc, struct encoding *enc, uint32_t key)
{
    if (line_uses_crlf(lc))
        key |= LINE_FORM_CRLF;
    if (lc->cl.acks)
        key |= LINE_FORM_IDS;
    encoding_queue(enc, &lc->cl, key);
}

/* ---- for one ------------------------------------------------------------- */

static void
show(struct line_client *lc, const struct event *e,
     const struct line_look *look)
{
    struct line_out o;

    line_out_begin(lc, &o);
    line_render(&o, e, look);
    line_out_send(lc, &o);
}

static void
answer(struct line_client *lc, const struct delivery *d)
{
    const struct line_look look = {.replay = d->replay != REPLAY_NONE};

    show(lc, d->event, &look);
}

static void
answer_list(struct line_client *lc, const struct event *e)
{
    const struct line_look look = {
        .listed = (uint64_t)lc->list_events * EVENT_ITEMS_MAX,
    };

    show(lc, e, &look);
    lc->list_events = e->last ? 0 : (uint16_t)(lc->list_events + 1);
}

/* Here comes what the reader did itself, which is told in other words. */
static void
show_own(struct line_client *lc, const struct view_member *member,
         const struct event *e)
{
    const struct line_look look = {
        .room = name_of(member == NULL ? NULL : member->room),
        .own = true,
    };

    show(lc, e, &look);
}

static bool
is_elsewhere(const struct line_client *lc, const struct view_member *member,
             const struct event *e)
{
    return e->kind == EVENT_SAID && member != lc->current;
}

/* As it would have come, if it had. */
static void
show_missed(struct line_client *lc, const struct view_member *member,
            const struct event *e)
{
    const struct line_look look = {
        .room = name_of(member == NULL ? NULL : member->room),
        .other = is_elsewhere(lc, member, e),
        .missed = true,
        .ids = lc->cl.acks,
    };

    show(lc, e, &look);
}

/* ---- events with an effect ----------------------------------------------- */

static void
welcome(struct line_client *lc)
{
    const struct proto_conf *const conf = client_conf(&lc->cl);

    line_tell(lc, "Welcome to %s, %s. Type /help for the commands.",
              conf->server_name, lc->cl.nick);
    if (conf->server_description[0] != '\0')
        line_tell(lc, "%s", conf->server_description);
}

static void
tell_token(struct line_client *lc, struct slice token)
{
    if (token.len > 0)
        line_tell(lc, "To come back after a broken connection: /resume %.*s",
                  SLICE_ARG(token));
}

static void
attached(struct line_client *lc, const struct event *e)
{
    struct command c = {.kind = COMMAND_JOIN, .name = slice_of(HUB_LOBBY)};

    if (lc->cl.state != CLIENT_MEMBER)
        return; /* it left before it came */

    conn_enter(lc->cl.conn, CONN_OPEN);
    welcome(lc);
    tell_token(lc, e->text);
    c.count = (uint32_t)client_conf(&lc->cl)->history_room_events;
    line_ask_and_wait(lc, &c);
}

/* Its rooms follow, then what it missed, and then line_on_caught_up(). */
static void
resumed(struct line_client *lc, const struct delivery *d)
{
    conn_enter(lc->cl.conn, CONN_OPEN);
    lc->is_back = true;
    answer(lc, d);
    tell_token(lc, d->event->text);
}

static void
rejoined(struct line_client *lc, const struct delivery *d)
{
    const struct list_link *const newest = lc->cl.rooms.head.prev;

    lc->current = CONST_CONTAINER_OF(newest, struct view_member, of_client);
    answer(lc, d);
}

static void
line_on_behind(struct client *cl)
{
    line_tell(line_of(cl), "You are reading too slowly; what you have not got "
                           "yet follows when you have read this.");
}

static void
tell_where(struct line_client *lc)
{
    const struct view_room *const room = line_current_room(lc);

    if (room != NULL)
        line_tell(lc, "That is all. You are talking in %.*s now.",
                  SLICE_ARG(name_of(room)));
}

static void
line_on_caught_up(struct client *cl, uint64_t missed)
{
    struct line_client *const lc = line_of(cl);
    struct line_out o;

    if (missed > 0) {
        line_out_begin(lc, &o);
        line_render_missed(&o, missed);
        line_out_send(lc, &o);
    }
    if (lc->is_back)
        tell_where(lc);
    else
        line_tell(lc, "You have caught up.");
    lc->is_back = false;
}

/* The room joined last, other than `left`; NULL when there is none. */
static const struct view_member *
newest_but(const struct client *cl, const struct view_member *left)
{
    const struct list_link *link = cl->rooms.head.prev;

    if (link == &left->of_client)
        link = link->prev;
    return link == &cl->rooms.head
               ? NULL
               : CONST_CONTAINER_OF(link, struct view_member, of_client);
}

static void
parted(struct line_client *lc, const struct view_member *member,
       const struct event *e)
{
    show_own(lc, member, e);
    if (lc->current != member)
        return;

    lc->current = newest_but(&lc->cl, member);
    if (lc->current != NULL) {
        const struct slice name = name_of(lc->current->room);

        line_tell(lc, "You are talking in %.*s now.", SLICE_ARG(name));
    } else {
        (void)line_current_room(lc); /* says that there is none */
    }
}

static void
refused(struct line_client *lc, const struct delivery *d)
{
    answer(lc, d);
    if (lc->cl.state == CLIENT_STRANGER)
        line_nick_refused(lc);
    lc->list_events = 0; /* a list may break off */
}

static void
done(struct line_client *lc, const struct delivery *d)
{
    if (lc->awaited != 0 && d->request == lc->awaited)
        line_answered(lc);
    if (lc->cl.detach_request != 0 && d->request == lc->cl.detach_request &&
        lc->cl.end == CONN_END_QUIT && lc->cl.nick != NULL)
        line_tell(lc, "Goodbye, %s.", lc->cl.nick);
}

/* ---- struct protocol ----------------------------------------------------- */

/* What happened, to the reader or to others. */
static void
happened(struct line_client *lc, const struct view_member *member,
         const struct delivery *d, struct encoding *enc)
{
    const struct event *const e = d->event;
    const bool is_own = e->who.conn == conn_get_id(lc->cl.conn);

    if (!is_own || (event_is_kept((enum event_kind)e->kind) &&
                    event_is_shown(e, true, lc->cl.acks)))
        share(lc, enc, is_elsewhere(lc, member, e) ? LINE_FORM_OTHER : 0);
    else if (e->kind == EVENT_JOINED)
        lc->current = member;
    else if (e->kind == EVENT_PARTED)
        parted(lc, member, e);
    else if (e->kind != EVENT_SAID)
        show_own(lc, member, e);
}

static void
line_on_event(struct client *cl, const struct view_member *member,
              const struct delivery *d, struct encoding *enc)
{
    struct line_client *const lc = line_of(cl);

    if (d->replay == REPLAY_MISSED) {
        show_missed(lc, member, d->event);
        return;
    }
    if (d->replay == REPLAY_HISTORY) {
        answer(lc, d);
        return;
    }
    switch ((enum event_kind)d->event->kind) {
    case EVENT_SAID:
    case EVENT_JOINED:
    case EVENT_PARTED:
    case EVENT_TOPIC:
    case EVENT_RENAMED:
    case EVENT_QUIT:
    case EVENT_AWAY:
    case EVENT_LOST:
    case EVENT_RETURNED:
    case EVENT_TOLD:
    case EVENT_ANNOUNCED:
        happened(lc, member, d, enc);
        break;
    case EVENT_ATTACHED:
        attached(lc, d->event);
        break;
    case EVENT_RESUMED:
        resumed(lc, d);
        break;
    case EVENT_REJOINED:
        rejoined(lc, d);
        break;
    case EVENT_MEMBERS:
    case EVENT_ROOMS:
        answer_list(lc, d->event);
        break;
    case EVENT_ENDED:
    case EVENT_REPLACED:
    case EVENT_ROOM:
    case EVENT_TOPIC_IS:
    case EVENT_SENT:
    case EVENT_HISTORY:
        answer(lc, d);
        break;
    case EVENT_REFUSED:
        refused(lc, d);
        break;
    case EVENT_DONE:
        done(lc, d);
        break;
    case EVENT_CAUGHT_UP: /* line_on_caught_up() */
    case EVENT_PONG:      /* nobody asks for one */
        break;
    }
}

static const struct view_room *
line_current(const struct client *cl)
{
    const struct line_client *const lc =
        CONST_CONTAINER_OF(cl, struct line_client, cl);

    return lc->current == NULL ? NULL : lc->current->room;
}

static void
line_on_stop(struct client *cl)
{
    line_tell(line_of(cl), "The server is stopping. Goodbye.");
}

const struct protocol line_protocol = {
    .name = "line",
    .gauge = offsetof(struct front_counters, line_clients),
    .on_event = line_on_event,
    .encode = line_encode,
    .on_behind = line_on_behind,
    .on_caught_up = line_on_caught_up,
    .current_room = line_current,
    .on_stop = line_on_stop,
};
