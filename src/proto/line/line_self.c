/* SPDX-License-Identifier: BSD-2-Clause
 *
 * line_self - the commands about oneself, and what is said to one alone.
 */
#include "net/conn.h"
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
line_on_resume(struct line_client *lc, struct slice args)
{
    line_tell(lc, "You have a session already; /resume is for a new "
                  "connection, in place of a nickname.");
}

static void
switch_acks(struct line_client *lc, bool on)
{
    if (client_set_acks(&lc->cl, on, NULL) < 0)
        conn_close(lc->cl.conn, CONN_END_NOMEM);
    else if (on)
        line_tell(lc, "What is said and done comes with its number from now "
                      "on, your own talk too; /ack NUMBER says that you have "
                      "all up to it.");
    else
        line_tell(lc, "Numbers are off.");
}

static bool
parse_id(struct slice word, uint64_t *out)
{
    uint64_t id = 0;

    if (word.len == 0 || word.len > 19)
        return false;
    for (size_t i = 0; i < word.len; i++) {
        if (word.data[i] < '0' || word.data[i] > '9')
            return false;
        id = id * 10 + (uint64_t)(word.data[i] - '0');
    }
    *out = id;
    return true;
}

void
line_on_ack(struct line_client *lc, struct slice args)
{
    const struct slice word = line_word(&args);
    uint64_t id;

    if (slice_equal(word, slice_of("on")))
        switch_acks(lc, true);
    else if (slice_equal(word, slice_of("off")))
        switch_acks(lc, false);
    else if (!parse_id(word, &id))
        line_tell(lc, "Please write /ack on, /ack off, or /ack and the number "
                      "behind the @ of a line.");
    else if (!lc->cl.acks)
        line_tell(lc, "Nothing you get has a number; /ack on comes first.");
    else
        client_ack(&lc->cl, id);
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
