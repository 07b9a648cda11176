/* SPDX-License-Identifier: BSD-2-Clause
 *
 * line_room - the commands about rooms, and talk.
 */
#include <string.h>

#include "base/utf8.h"
#include "chat/name.h"
#include "proto/line/line_priv.h"
#include "proto/line/line_text_priv.h"
#include "proto/view_priv.h"

/* History that is asked for without a number, where joins show none. */
#define HISTORY_COUNT 20

static struct slice
room_name(const struct view_room *room)
{
    return slice_make(room->name, room->name_len);
}

static bool
is_room_name(struct slice word)
{
    return word.len > 0 && word.data[0] == '#';
}

/* A room's name as typed, with or without its #; one that is too long to be a
 * name may be cut, being too long still. */
struct typed_room {
    char bytes[ROOM_BYTES_MAX + 8];
    struct slice name;
};

static void
typed_room_set(struct typed_room *out, struct slice word)
{
    const size_t hash = is_room_name(word) ? 0 : 1;
    const size_t len = utf8_prefix(word, sizeof(out->bytes) - hash);

    out->bytes[0] = '#';
    memcpy(out->bytes + hash, word.data, len);
    out->name = slice_make(out->bytes, hash + len);
}

/* A room taken off the front of *args, when it begins with #, else the current
 * one. False: there is none, and the client was told. */
static bool
room_or_current(struct line_client *lc, struct slice *args, struct slice *out)
{
    struct slice rest = *args;
    const struct slice word = line_word(&rest);
    const struct view_room *room;

    if (is_room_name(word)) {
        *out = word;
        *args = rest;
        return true;
    }

    room = line_current_room(lc);
    if (room != NULL)
        *out = room_name(room);
    return room != NULL;
}

void
line_say(struct line_client *lc, struct slice text, enum say_style style)
{
    const struct view_room *const room = line_current_room(lc);
    struct command c = {.kind = COMMAND_SAY, .style = style, .text = text};

    if (room == NULL)
        return;

    c.name = room_name(room);
    line_ask(lc, &c);
}

void
line_on_me(struct line_client *lc, struct slice args)
{
    line_say(lc, args, SAY_ACTION);
}

/* Makes one of the client's rooms its current one. */
static void
switch_to(struct line_client *lc, const struct view_member *member)
{
    const struct slice name = room_name(member->room);

    lc->current = member;
    line_tell(lc, "You are talking in %.*s now.", SLICE_ARG(name));
}

void
line_on_join(struct line_client *lc, struct slice args)
{
    struct command c = {.kind = COMMAND_JOIN};
    const struct view_member *member;
    struct typed_room typed;

    typed_room_set(&typed, line_word(&args));
    member = view_find_by_name(&lc->cl, typed.name);
    if (member != NULL) {
        switch_to(lc, member);
        return;
    }

    c.name = typed.name;
    c.count = (uint32_t)client_conf(&lc->cl)->history_room_events;
    line_ask_and_wait(lc, &c);
}

void
line_on_switch(struct line_client *lc, struct slice args)
{
    const struct view_member *member;
    struct typed_room typed;
    struct line_out o;

    typed_room_set(&typed, line_word(&args));
    member = view_find_by_name(&lc->cl, typed.name);
    if (member != NULL) {
        switch_to(lc, member);
        return;
    }

    line_out_begin(lc, &o);
    line_render_refusal(&o, REFUSAL_NOT_A_MEMBER, typed.name);
    line_out_send(lc, &o);
}

void
line_on_part(struct line_client *lc, struct slice args)
{
    struct command c = {.kind = COMMAND_PART};

    if (!room_or_current(lc, &args, &c.name))
        return;

    c.text = line_trim(args);
    line_ask_and_wait(lc, &c);
}

void
line_on_who(struct line_client *lc, struct slice args)
{
    struct command c = {.kind = COMMAND_WHO};
    struct typed_room typed;

    if (args.len > 0) {
        typed_room_set(&typed, line_word(&args));
        c.name = typed.name;
    } else if (!room_or_current(lc, &args, &c.name)) {
        return;
    }
    line_ask_and_wait(lc, &c); /* lists are long: one at a time */
}

void
line_on_rooms(struct line_client *lc, struct slice args)
{
    struct command c = {.kind = COMMAND_ROOMS};

    line_ask_and_wait(lc, &c); /* lists are long: one at a time */
}

void
line_on_topic(struct line_client *lc, struct slice args)
{
    struct command c = {.kind = COMMAND_TOPIC};

    if (!room_or_current(lc, &args, &c.name))
        return;

    c.text = line_trim(args);
    c.set = c.text.len > 0;
    if (slice_equal(c.text, slice_of("-")))
        c.text = slice_make(NULL, 0);
    line_ask(lc, &c);
}

void
line_on_history(struct line_client *lc, struct slice args)
{
    const uint64_t shown = client_conf(&lc->cl)->history_room_events;
    struct command c = {.kind = COMMAND_HISTORY};
    struct slice word;

    if (!room_or_current(lc, &args, &c.name))
        return;

    c.count = shown > 0 ? (uint32_t)shown : HISTORY_COUNT;
    word = line_word(&args);
    if (word.len > 0 && (!line_number(word, &c.count) || c.count == 0)) {
        line_tell(lc, "Please say how many lines as a number, for example "
                      "/history 50");
        return;
    }
    line_ask_and_wait(lc, &c); /* lists are long: one at a time */
}
