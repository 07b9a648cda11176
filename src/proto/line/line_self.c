/* SPDX-License-Identifier: BSD-2-Clause
 *
 * line_self - the commands about oneself, and what is said to one alone.
 */
#include "proto/line/line_priv.h"
#include "proto/line/line_text_priv.h"

void
line_on_nick(struct line_client *lc, struct slice args)
{
    struct command c = {.kind = COMMAND_NICK, .name = line_word(&args)};

    line_ask(lc, &c);
}

void
line_on_msg(struct line_client *lc, struct slice args)
{
    struct command c = {.kind = COMMAND_TELL, .style = SAY_TEXT};

    c.name = line_word(&args);
    c.text = args;
    line_ask(lc, &c);
}

void
line_on_away(struct line_client *lc, struct slice args)
{
    struct command c = {.kind = COMMAND_AWAY, .text = line_trim(args)};

    if (c.text.len == 0)
        c.text = slice_of(LINE_AWAY_PLAIN);
    line_ask(lc, &c);
}

void
line_on_back(struct line_client *lc, struct slice args)
{
    struct command c = {.kind = COMMAND_AWAY};

    line_ask(lc, &c);
}

void
line_on_quit(struct line_client *lc, struct slice args)
{
    line_quit(lc, line_trim(args));
}
