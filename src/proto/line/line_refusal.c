/* SPDX-License-Identifier: BSD-2-Clause
 *
 * line_refusal - one sentence for each refusal, saying what to do instead.
 */
#include <assert.h>

#include "base/utf8.h"
#include "proto/line/line_text_priv.h"

#define WHAT_MAX 80 /* bytes of what was refused that are shown again */

/* `%` stands for what was refused. */
/* clang-format off */
static const char *const sentences[] = {
    [REFUSAL_NONE] =
        "That did not work; please try again.",
    [REFUSAL_NICK_EMPTY] =
        "Please type a nickname.",
    [REFUSAL_NICK_TOO_LONG] =
        "That nickname is too long; 32 characters are the most.",
    [REFUSAL_NICK_BAD_CHAR] =
        "% cannot be a nickname; use letters, digits and _ - [ ] { } \\ ^ | `",
    [REFUSAL_NICK_BAD_FIRST] =
        "% cannot be a nickname; begin it with a letter.",
    [REFUSAL_NICK_TAKEN] =
        "% is taken; please choose another nickname.",
    [REFUSAL_NICK_WAITING] =
        "% is kept for somebody who is reconnecting; if that is you, type /resume and your token.",
    [REFUSAL_NICK_RESERVED] =
        "% is kept for the server; please choose another nickname.",
    [REFUSAL_NICK_SAME] =
        "You are known as % already; /nick NAME takes another one.",
    [REFUSAL_ROOM_EMPTY] =
        "Please name a room, for example #lobby.",
    [REFUSAL_ROOM_TOO_LONG] =
        "That room name is too long; 63 characters after the # are the most.",
    [REFUSAL_ROOM_BAD_CHAR] =
        "% cannot be a room; its name is # and no space, comma or colon.",
    [REFUSAL_ROOM_BAD_FIRST] =
        "% is not a room; their names begin with #, for example #lobby.",
    [REFUSAL_NO_SUCH_ROOM] =
        "There is no room %; /rooms lists those there are.",
    [REFUSAL_NO_SUCH_NICK] =
        "Nobody here is called %; /who names the people in a room.",
    [REFUSAL_NOT_A_MEMBER] =
        "You are not in %; /join % first.",
    [REFUSAL_ALREADY_A_MEMBER] =
        "You are in % already; /switch % to talk there.",
    [REFUSAL_TOO_MANY_ROOMS] =
        "You are in as many rooms as one may be; /part one of them first.",
    [REFUSAL_SERVER_FULL] =
        "The server has no place for one more room; /rooms lists them.",
    [REFUSAL_TEXT_EMPTY] =
        "There is nothing in that to say; please add some text.",
    [REFUSAL_TOPIC_TOO_LONG] =
        "That topic is too long; please shorten it.",
    [REFUSAL_ATTACHED_ALREADY] =
        "This connection has a nickname already; /nick NAME changes it.",
    [REFUSAL_NO_SESSION] =
        "Your session has ended; please connect again.",
    [REFUSAL_BAD_TOKEN] =
        "No session waits for that token; please choose a nickname.",
    [REFUSAL_SESSION_BUSY] =
        "Your session is still in use; please try again in a moment.",
    [REFUSAL_MAILBOX_FULL] =
        "% is reconnecting, and no more private messages can be kept for it; please try again later.",
    [REFUSAL_NO_MEMORY] =
        "The server is short of memory; please try again in a moment.",
};
/* clang-format on */
static_assert(ARRAY_LEN(sentences) == REFUSAL_COUNT, "every refusal has one");

/* `is_first`: it begins the sentence. */
static void
add_what(struct line_out *o, struct slice what, bool is_first)
{
    struct buf clean;
    struct slice text;

    buf_init(&clean);
    utf8_clean(what, 0, &clean);
    text = slice_make(clean.data, clean.len);
    text.len = utf8_prefix(text, WHAT_MAX);
    line_add_name(o, text);
    if (text.len < clean.len)
        line_add_str(o, "…");
    else if (clean.len == 0)
        line_add_str(o, is_first ? "That" : "that");
    o->text.failed |= clean.failed;
    buf_fini(&clean);
}

void
line_render_refusal(struct line_out *o, enum refusal refusal, struct slice what)
{
    const char *const sentence = sentences[refusal];

    line_add_str(o, "* ");
    for (const char *s = sentence; *s != '\0'; s++) {
        if (*s == '%')
            add_what(o, what, s == sentence);
        else
            buf_append_char(&o->text, *s);
    }
    line_add_end(o);
}
