/* SPDX-License-Identifier: BSD-2-Clause
 *
 * line_event - the rendering of each kind of event.
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "proto/line/line_text_priv.h"

typedef void (*render_fn)(struct line_out *o, const struct event *e,
                          const struct line_look *look);

/* ---- what is said -------------------------------------------------------- */

static void
add_speaker(struct line_out *o, const struct event *e)
{
    const enum say_style style = (enum say_style)e->style;

    switch (style) {
    case SAY_TEXT:
        line_add_str(o, "<");
        line_add_name(o, e->who.nick);
        line_add_str(o, "> ");
        break;
    case SAY_ACTION:
        line_add_str(o, "* ");
        line_add_name(o, e->who.nick);
        line_add_str(o, " ");
        break;
    case SAY_NOTICE:
        line_add_str(o, "-");
        line_add_name(o, e->who.nick);
        line_add_str(o, "- ");
        break;
    }
}

static void
render_said(struct line_out *o, const struct event *e,
            const struct line_look *look)
{
    if (look->replay) {
        line_add_clock(o, e->wall_ms);
        line_add_str(o, " ");
    } else if (look->other) {
        line_add_str(o, "[");
        line_add_name(o, look->room);
        line_add_str(o, "] ");
    }
    add_speaker(o, e);
    line_add_text(o, e->text);
    line_add_end(o);
}

static void
render_told(struct line_out *o, const struct event *e,
            const struct line_look *look)
{
    line_add_str(o, "[private] ");
    add_speaker(o, e);
    line_add_text(o, e->text);
    line_add_end(o);
}

static void
render_announced(struct line_out *o, const struct event *e,
                 const struct line_look *look)
{
    line_add_str(o, "* Operator: ");
    line_add_text(o, e->text);
    line_add_end(o);
}

/* ---- who comes, goes and changes ----------------------------------------- */

/* One who joins learns it from EVENT_ROOM, with more about the room. */
static void
render_joined(struct line_out *o, const struct event *e,
              const struct line_look *look)
{
    if (look->own)
        return;

    line_add_str(o, "* ");
    line_add_name(o, e->who.nick);
    line_add_str(o, " joined ");
    line_add_name(o, e->name);
    line_add_str(o, ".");
    line_add_end(o);
}

static void
render_parted(struct line_out *o, const struct event *e,
              const struct line_look *look)
{
    line_add_str(o, "* ");
    line_add_name(o, look->own ? slice_of("You") : e->who.nick);
    line_add_str(o, " left ");
    line_add_name(o, look->room);
    if (!look->own)
        line_add_why(o, e->text);
    line_add_str(o, ".");
    line_add_end(o);
}

static void
render_topic(struct line_out *o, const struct event *e,
             const struct line_look *look)
{
    const bool is_set = e->text.len > 0;

    line_add_str(o, "* ");
    line_add_name(o, e->who.nick);
    line_add_str(o, is_set ? " set the topic of " : " cleared the topic of ");
    line_add_name(o, look->room);
    line_add_str(o, is_set ? ": " : ".");
    line_add_text(o, e->text);
    line_add_end(o);
}

static void
render_renamed(struct line_out *o, const struct event *e,
               const struct line_look *look)
{
    line_add_str(o, "* ");
    if (look->own) {
        line_add_str(o, "You are known as ");
        line_add_name(o, e->name);
        line_add_str(o, " now.");
    } else {
        line_add_name(o, e->who.nick);
        line_add_str(o, " is now known as ");
        line_add_name(o, e->name);
        line_add_str(o, ".");
    }
    line_add_end(o);
}

static void
render_quit(struct line_out *o, const struct event *e,
            const struct line_look *look)
{
    line_add_str(o, "* ");
    line_add_name(o, e->who.nick);
    line_add_str(o, " quit");
    line_add_why(o, e->text);
    line_add_str(o, ".");
    line_add_end(o);
}

/* Empty when there is none, or only the stand-in for none. */
static struct slice
away_reason(struct slice text)
{
    const bool is_plain = slice_equal(text, slice_of(LINE_AWAY_PLAIN));

    return is_plain ? slice_make(NULL, 0) : text;
}

static void
render_away(struct line_out *o, const struct event *e,
            const struct line_look *look)
{
    const bool is_back = e->text.len == 0;

    line_add_str(o, "* ");
    line_add_name(o, look->own ? slice_of("You") : e->who.nick);
    line_add_str(o, look->own ? " are " : " is ");
    line_add_str(o, is_back ? "back" : "away");
    line_add_why(o, away_reason(e->text));
    line_add_str(o, look->own && !is_back ? "; /back ends that." : ".");
    line_add_end(o);
}

static void
render_lost(struct line_out *o, const struct event *e,
            const struct line_look *look)
{
    line_add_str(o, "* ");
    line_add_name(o, e->who.nick);
    line_add_str(o, " is away (reconnecting).");
    line_add_end(o);
}

static void
render_returned(struct line_out *o, const struct event *e,
                const struct line_look *look)
{
    if (look->own)
        return;

    line_add_str(o, "* ");
    line_add_name(o, e->who.nick);
    line_add_str(o, " is back.");
    line_add_end(o);
}

static void
render_replaced(struct line_out *o, const struct event *e,
                const struct line_look *look)
{
    line_add_str(o, "* Your session goes on in another connection. Goodbye.");
    line_add_end(o);
}

static void
render_ended(struct line_out *o, const struct event *e,
             const struct line_look *look)
{
    line_add_str(o, "* An operator ended your session");
    line_add_str(o, e->text.len > 0 ? ": " : ".");
    line_add_text(o, e->text);
    line_add_end(o);
}

/* ---- answers ------------------------------------------------------------- */

static void
render_room(struct line_out *o, const struct event *e,
            const struct line_look *look)
{
    line_add_str(o, "* You are in ");
    line_add_name(o, e->name);
    if (e->number > 1) {
        line_add_str(o, ": ");
        line_add_count(o, e->number, "person", "people");
        line_add_str(o, " are here, /who names them.");
    } else {
        line_add_str(o, ". Nobody else is here.");
    }
    line_add_end(o);

    if (e->text.len > 0) {
        line_add_str(o, "* Topic: ");
        line_add_text(o, e->text);
        line_add_end(o);
    }
}

static void
add_missed(struct line_out *o, uint64_t missed)
{
    line_add_str(o, "* ");
    line_add_count(o, missed, "message was", "messages were");
    line_add_str(o, " missed and cannot be shown.");
    line_add_end(o);
}

void
line_render_missed(struct line_out *o, uint64_t missed)
{
    if (missed > 0)
        add_missed(o, missed);
}

/* The token is told where the one of a new session is (line_client.c). */
static void
render_resumed(struct line_out *o, const struct event *e,
               const struct line_look *look)
{
    line_add_str(o, "* Welcome back, ");
    line_add_name(o, e->who.nick);
    if (e->number > 0) {
        line_add_str(o, ". ");
        line_add_count(o, e->number, "message", "messages");
        line_add_str(o, " came since ");
        line_add_date(o, e->wall_ms);
        line_add_str(o, ":");
    } else {
        line_add_str(o, e->seq > 0 ? "." : ". You missed nothing.");
    }
    line_add_end(o);
    line_render_missed(o, e->seq);
}

static void
render_topic_is(struct line_out *o, const struct event *e,
                const struct line_look *look)
{
    if (e->text.len == 0) {
        line_add_str(o, "* ");
        line_add_name(o, e->name);
        line_add_str(o, " has no topic.");
        line_add_end(o);
        return;
    }

    line_add_str(o, "* Topic of ");
    line_add_name(o, e->name);
    line_add_str(o, ": ");
    line_add_text(o, e->text);
    line_add_str(o, " (set by ");
    line_add_name(o, e->who.nick);
    line_add_str(o, ", ");
    line_add_date(o, e->wall_ms);
    line_add_str(o, ")");
    line_add_end(o);
}

/* The names of one event, in lines of LINE_WRAP_AT bytes at most. */
static void
add_members(struct line_out *o, const struct event *e)
{
    size_t line_start = 0;

    for (uint32_t i = 0; i < e->count; i++) {
        const struct event_item *const item = &e->u.items[i];
        const char *const mark = item->number > 0     ? " (reconnecting)"
                                 : item->text.len > 0 ? " (away)"
                                                      : "";
        const size_t len = item->name.len + strlen(mark);

        if (i > 0 && o->text.len - line_start + 2 + len <= LINE_WRAP_AT) {
            line_add_str(o, ", ");
        } else {
            if (i > 0)
                line_add_end(o);
            line_start = o->text.len;
            line_add_str(o, "* In ");
            line_add_name(o, e->name);
            line_add_str(o, ": ");
        }
        line_add_name(o, item->name);
        line_add_str(o, mark);
    }
    if (e->count > 0)
        line_add_end(o);
}

static void
render_members(struct line_out *o, const struct event *e,
               const struct line_look *look)
{
    const uint64_t total = look->listed + e->count;

    add_members(o, e);
    if (!e->last)
        return;

    line_add_str(o, "* ");
    if (total > 0)
        line_add_count(o, total, "person", "people");
    else
        line_add_str(o, "Nobody is");
    line_add_str(o, " in ");
    line_add_name(o, e->name);
    line_add_str(o, ".");
    line_add_end(o);
}

static void
render_rooms(struct line_out *o, const struct event *e,
             const struct line_look *look)
{
    for (uint32_t i = 0; i < e->count; i++) {
        const struct event_item *const item = &e->u.items[i];

        line_add_str(o, "* ");
        line_add_name(o, item->name);
        line_add_str(o, ": ");
        line_add_count(o, item->number, "person", "people");
        line_add_str(o, item->text.len > 0 ? ". " : ".");
        line_add_text(o, item->text);
        line_add_end(o);
    }
    if (!e->last)
        return;

    line_add_str(o, "* ");
    line_add_count(o, look->listed + e->count, "room", "rooms");
    line_add_str(o, ".");
    line_add_end(o);
}

/* Of a text that went its way the sender hears no more, unless to tell that
 * nobody may be there to read it. */
static void
render_sent(struct line_out *o, const struct event *e,
            const struct line_look *look)
{
    const struct slice why = away_reason(e->text);

    if (e->number > 0) {
        line_add_str(o, "* ");
        line_add_name(o, e->name);
        line_add_str(o, " is away (reconnecting) and gets it on returning.");
        line_add_end(o);
        return;
    }
    if (e->text.len == 0)
        return;

    line_add_str(o, "* ");
    line_add_name(o, e->name);
    line_add_str(o, why.len > 0 ? " is away: " : " is away.");
    line_add_text(o, why);
    line_add_end(o);
}

static void
render_history(struct line_out *o, const struct event *e,
               const struct line_look *look)
{
    line_add_str(o, e->number > 0 ? "* Earlier in " : "* Nothing is said in ");
    line_add_name(o, e->name);
    line_add_str(o, e->number > 0 ? " (times are UTC):" : " so far.");
    line_add_end(o);
}

static void
render_refused(struct line_out *o, const struct event *e,
               const struct line_look *look)
{
    line_render_refusal(o, (enum refusal)e->refusal, e->name);
}

/* ATTACHED needs the server's name (line_client.c); PONG and DONE answer the
 * program, not the reader. */
static void
render_nothing(struct line_out *o, const struct event *e,
               const struct line_look *look)
{
}

/* clang-format off */
static const render_fn renders[] = {
    [EVENT_SAID]      = render_said,
    [EVENT_JOINED]    = render_joined,
    [EVENT_PARTED]    = render_parted,
    [EVENT_TOPIC]     = render_topic,
    [EVENT_RENAMED]   = render_renamed,
    [EVENT_QUIT]      = render_quit,
    [EVENT_AWAY]      = render_away,
    [EVENT_LOST]      = render_lost,
    [EVENT_RETURNED]  = render_returned,
    [EVENT_TOLD]      = render_told,
    [EVENT_ANNOUNCED] = render_announced,
    [EVENT_ENDED]     = render_ended,
    [EVENT_REPLACED]  = render_replaced,
    [EVENT_ATTACHED]  = render_nothing,
    [EVENT_RESUMED]   = render_resumed,
    [EVENT_REJOINED]  = render_room,
    [EVENT_CAUGHT_UP] = render_nothing,
    [EVENT_ROOM]      = render_room,
    [EVENT_TOPIC_IS]  = render_topic_is,
    [EVENT_MEMBERS]   = render_members,
    [EVENT_ROOMS]     = render_rooms,
    [EVENT_SENT]      = render_sent,
    [EVENT_HISTORY]   = render_history,
    [EVENT_PONG]      = render_nothing,
    [EVENT_REFUSED]   = render_refused,
    [EVENT_DONE]      = render_nothing,
};
/* clang-format on */
static_assert(ARRAY_LEN(renders) == EVENT_COUNT, "every kind has a row");

void
line_render(struct line_out *o, const struct event *e,
            const struct line_look *look)
{
    ASSERT(e->kind < EVENT_COUNT);

    if (look->ids && event_is_kept((enum event_kind)e->kind)) {
        buf_printf(&o->text, "@%" PRIu64 " ", e->id);
    } else if (look->missed) {
        line_add_clock(o, e->wall_ms);
        line_add_str(o, " ");
    }
    renders[e->kind](o, e, look);
}
