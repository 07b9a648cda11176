/* SPDX-License-Identifier: BSD-2-Clause
 *
 * line_client - the life of a client of the line protocol.
 *
 *   line_open() -> OPENING, at the prompt: lines are nicknames
 *               -> ATTACHED (line_hub.c): lines are talk and commands
 *               -> GONE, by /quit, telnet or EOF: what comes is thrown away
 *               -> line_on_closed()
 */
#include "proto/line/line_priv.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/msg.h"
#include "net/conn.h"
#include "proto/line/line_text_priv.h"

#define PROMPT    "Nickname: "
#define ANSWER_MS 30000 /* an answer that is out for so long got lost */

struct line_client *
line_of(struct client *cl)
{
    return CONTAINER_OF(cl, struct line_client, cl);
}

/* ---- speaking ------------------------------------------------------------ */

void
line_out_begin(struct line_client *lc, struct line_out *o)
{
    line_out_init(o, line_uses_crlf(lc));
    if (lc->at_prompt)
        line_add_end(o);
    lc->at_prompt = false;
}

/* A conn that cannot take it closes itself; there is nobody left to tell. */
void
line_out_send(struct line_client *lc, struct line_out *o)
{
    client_queue_take(&lc->cl, line_out_to_msg(o));
}

void
line_tell(struct line_client *lc, const char *fmt, ...)
{
    struct line_out o;
    va_list args;

    line_out_begin(lc, &o);
    va_start(args, fmt);
    line_vnotice(&o, fmt, args);
    va_end(args);
    line_out_send(lc, &o);
}

void
line_prompt(struct line_client *lc)
{
    client_queue_take(&lc->cl, msg_copy(PROMPT, strlen(PROMPT)));
    lc->at_prompt = true;
}

/* ---- asking -------------------------------------------------------------- */

void
line_ask(struct line_client *lc, struct command *c)
{
    if (client_send(&lc->cl, c, NULL) < 0)
        conn_close(lc->cl.conn, CONN_END_NOMEM);
}

void
line_ask_and_wait(struct line_client *lc, struct command *c)
{
    if (client_send(&lc->cl, c, &lc->awaited) < 0)
        conn_close(lc->cl.conn, CONN_END_NOMEM);
    else
        conn_pause_for(lc->cl.conn, CONN_PAUSE_ANSWER, ANSWER_MS);
}

void
line_answered(struct line_client *lc)
{
    lc->awaited = 0;
    conn_resume(lc->cl.conn, CONN_PAUSE_ANSWER);
}

const struct view_room *
line_current_room(struct line_client *lc)
{
    if (lc->current != NULL)
        return lc->current->room;

    line_tell(lc, "You are in no room now. /join one to talk.");
    return NULL;
}

/* ---- the nickname -------------------------------------------------------- */

void
line_nick_refused(struct line_client *lc)
{
    if (++lc->refused < LINE_NICK_TRIES) {
        line_prompt(lc);
        return;
    }

    line_tell(lc, "That makes %d; please come back with another idea. Goodbye.",
              LINE_NICK_TRIES);
    client_detach(&lc->cl, DETACH_QUIT, slice_make(NULL, 0), CONN_END_OPENING);
}

void
line_take_token(struct line_client *lc, struct slice text)
{
    struct token token;

    if (!token_parse(text, &token)) {
        line_tell(lc, "That is no token; please type it as it was shown to "
                      "you, or choose a nickname.");
        line_nick_refused(lc);
    } else if (client_resume(&lc->cl, &token) < 0) {
        conn_close(lc->cl.conn, CONN_END_NOMEM);
    }
}

static void
try_nick(struct line_client *lc, struct slice nick)
{
    if (client_attach(&lc->cl, line_trim(nick)) < 0)
        conn_close(lc->cl.conn, CONN_END_NOMEM);
}

void
line_take_nick(struct line_client *lc, const struct line_input *in,
               struct slice line)
{
    const struct line_command *const command = in->command;

    if (in->kind == LINE_EMPTY) {
        line_nick_refused(lc); /* or one could have prompts without end */
    } else if (command == NULL) {
        try_nick(lc, line);
    } else if (command->run == line_on_nick) {
        try_nick(lc, in->text);
    } else if (command->run == line_on_resume) {
        line_take_token(lc, line_trim(in->text));
    } else if (command->run == line_on_quit) {
        line_on_quit(lc, in->text);
    } else if (command->run == line_show_help) {
        line_show_help(lc, in->text);
        line_prompt(lc);
    } else {
        try_nick(lc, line);
    }
}

/* ---- conn_ops ------------------------------------------------------------ */

static size_t
line_on_bytes(struct conn *c, const char *data, size_t len)
{
    struct line_client *const lc = conn_data(c);
    size_t used = 0;

    lc->awaited = 0; /* or this would not be called */
    while (used < len && lc->cl.state != CLIENT_GONE) {
        const size_t n = line_take(lc, slice_make(data + used, len - used));

        used += n;
        if (n == 0 || !conn_is_reading(c))
            break;
    }
    if (used < len && lc->cl.state != CLIENT_GONE)
        return used;
    if (lc->is_leaving)
        line_quit(lc, slice_make(NULL, 0));
    return len;
}

void
line_quit(struct line_client *lc, struct slice why)
{
    if (lc->cl.state == CLIENT_GONE)
        return;

    /* A member is told when its DETACH is done: after all other answers. */
    if (lc->cl.state != CLIENT_MEMBER)
        line_tell(lc, "Goodbye.");
    client_detach(&lc->cl, DETACH_QUIT, why, CONN_END_QUIT);
}

/* What was not consumed is the rest of an unfinished line, and is dropped. */
static void
line_on_eof(struct conn *c, size_t rest)
{
    struct line_client *const lc = conn_data(c);

    client_detach(&lc->cl, DETACH_LOST, slice_of("connection closed"),
                  CONN_END_EOF);
}

/* In OPEN it is the heartbeat, and dead peers are TCP keepalive's affair. */
static void
line_on_deadline(struct conn *c)
{
    struct line_client *const lc = conn_data(c);

    if (conn_get_state(c) != CONN_OPENING || lc->cl.state == CLIENT_GONE)
        return;

    if (lc->cl.state == CLIENT_ASKED)
        line_tell(lc, "The server is too busy to let you in; please try again "
                      "later. Goodbye.");
    else
        line_tell(lc, "No nickname came in time. Goodbye.");
    client_detach(&lc->cl, DETACH_LOST, slice_of("no nickname in time"),
                  CONN_END_OPENING);
}

/* What the others read about one who went without a goodbye. */
/* clang-format off */
static const char *const last_words[] = {
    [CONN_END_EOF]      = "connection closed",
    [CONN_END_RESET]    = "connection lost",
    [CONN_END_TIMEOUT]  = "timed out",
    [CONN_END_IDLE]     = "timed out",
    [CONN_END_OPENING]  = "no nickname in time",
    [CONN_END_QUIT]     = "left",
    [CONN_END_KICKED]   = "ended by an operator",
    [CONN_END_REPLACED] = "went on elsewhere",
    [CONN_END_SENDQ]    = "read too slowly",
    [CONN_END_PROTOCOL] = "spoke another protocol",
    [CONN_END_DRAIN]    = "connection lost",
    [CONN_END_SHUTDOWN] = "the server is stopping",
    [CONN_END_NOMEM]    = "the server is short of memory",
    [CONN_END_ERROR]    = "connection lost",
};
/* clang-format on */
static_assert(ARRAY_LEN(last_words) == CONN_END_COUNT, "one for every end");

static void
line_on_closed(struct conn *c, enum conn_end end)
{
    struct line_client *const lc = conn_data(c);

    client_fini(&lc->cl, last_words[end]);
    line_reader_forget(&lc->reader);
    free(lc->telnet);
    free(lc);
}

static const struct conn_ops line_ops = {
    .name = "line",
    .on_bytes = line_on_bytes,
    .on_eof = line_on_eof,
    .on_deadline = line_on_deadline,
    .on_drained = client_on_drained,
    .on_closing = client_on_closing,
    .on_closed = line_on_closed,
};

void
line_open(struct conn *c, struct front *f)
{
    struct line_client *const lc = calloc(1, sizeof(*lc));

    if (lc == NULL || client_init(&lc->cl, f, c, &line_protocol) < 0) {
        free(lc);
        conn_close(c, CONN_END_NOMEM);
        return;
    }

    line_reader_init(&lc->reader);
    conn_set_ops(c, &line_ops, lc);
    conn_enter(c, CONN_OPENING);
    line_prompt(lc);
}
