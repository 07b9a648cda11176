/* SPDX-License-Identifier: BSD-2-Clause
 *
 * control_chat - what an operator does among the clients: commands to the hub.
 *
 * Order    The hub is asked as by a client whose conn is {worker_count, place of
 *          the control connection} and whose request is the connection's
 *          serial. An answer for another serial comes too late and is not
 *          heard. REFUSED is kept until DONE, which is always the last.
 */
#include <errno.h>

#include "base/assert.h"
#include "base/utf8.h"
#include "chat/hub_thread.h"
#include "ops/control_priv.h"

#define PLACE_BITS 56

const char *
control_refusal_sentence(enum refusal refusal)
{
    switch (refusal) {
    case REFUSAL_NONE:
        return "it was done";
    case REFUSAL_NICK_EMPTY:
        return "that is no nickname: it is empty";
    case REFUSAL_NICK_TOO_LONG:
        return "that is no nickname: it is too long";
    case REFUSAL_NICK_BAD_CHAR:
        return "that is no nickname: a character may not be in one";
    case REFUSAL_NICK_BAD_FIRST:
        return "that is no nickname: one cannot begin like this";
    case REFUSAL_NICK_TAKEN:
        return "somebody has that nickname";
    case REFUSAL_NICK_WAITING:
        return "somebody who is reconnecting has that nickname";
    case REFUSAL_NICK_RESERVED:
        return "that nickname is the server's own";
    case REFUSAL_NICK_SAME:
        return "that is the nickname already";
    case REFUSAL_ROOM_EMPTY:
        return "that is no room: the name is empty";
    case REFUSAL_ROOM_TOO_LONG:
        return "that is no room: the name is too long";
    case REFUSAL_ROOM_BAD_CHAR:
        return "that is no room: a character may not be in its name";
    case REFUSAL_ROOM_BAD_FIRST:
        return "that is no room: names of rooms begin with #";
    case REFUSAL_NO_SUCH_ROOM:
        return "there is no such room";
    case REFUSAL_NO_SUCH_NICK:
        return "nobody has that nickname";
    case REFUSAL_NOT_A_MEMBER:
        return "not in that room";
    case REFUSAL_ALREADY_A_MEMBER:
        return "in that room already";
    case REFUSAL_TOO_MANY_ROOMS:
        return "in too many rooms (limits.rooms_per_user)";
    case REFUSAL_SERVER_FULL:
        return "there are too many rooms (limits.rooms)";
    case REFUSAL_TEXT_EMPTY:
        return "there is no text";
    case REFUSAL_TOPIC_TOO_LONG:
        return "the topic is too long (limits.topic_length)";
    case REFUSAL_ATTACHED_ALREADY:
        return "there is a session already";
    case REFUSAL_NO_SESSION:
        return "the session has ended meanwhile";
    case REFUSAL_BAD_TOKEN:
        return "no session waits for that token";
    case REFUSAL_SESSION_BUSY:
        return "the session is still in use";
    case REFUSAL_MAILBOX_FULL:
        return "no more can be kept for somebody who is reconnecting";
    case REFUSAL_NO_MEMORY:
        return "the server is short of memory";
    }
    return "?";
}

/* ---- asking --------------------------------------------------------------- */

/* One line of text that is safe on every client's terminal. */
static void
clean(struct slice text, struct buf *out)
{
    struct buf line;

    buf_init(&line);
    buf_append(&line, text.data, text.len);
    for (size_t i = 0; i < line.len; i++)
        if (line.data[i] == '\n')
            line.data[i] = ' ';
    utf8_clean(slice_make(line.data, line.len),
               UTF8_KEEP_FORMATTING | UTF8_KEEP_TABS, out);
    if (line.failed)
        out->failed = true;
    buf_fini(&line);
}

static int
send_command(struct control_conn *c, struct command *command)
{
    const struct parts *const parts = c->control->env.parts;

    command->from = (struct origin){
        .conn = (uint64_t)parts->worker_count << PLACE_BITS | c->place,
        .request = c->serial,
    };
    return hub_thread_send(parts->hub, command);
}

/* Sends `command` with `text` cleaned; answers at once only what goes wrong. */
static void
send_text(struct control_conn *c, struct command *command, struct slice text)
{
    const size_t most = c->control->env.parts->config->proto.limits_line_length;
    struct buf cleaned;

    buf_init(&cleaned);
    clean(text, &cleaned);
    command->text = slice_make(cleaned.data, cleaned.len);
    if (cleaned.failed)
        control_refuse(c, "%s", control_refusal_sentence(REFUSAL_NO_MEMORY));
    else if (cleaned.len > most)
        control_refuse(
            c, "the text is longer than %zu bytes (limits.line_length)", most);
    else if (send_command(c, command) < 0)
        control_refuse(c, "%s", control_refusal_sentence(REFUSAL_NO_MEMORY));
    buf_fini(&cleaned);
}

void
control_on_say(struct control_conn *c, const struct control_request *r)
{
    struct command command = {
        .kind = COMMAND_OPER_SAY,
        .style = SAY_TEXT,
        .name = r->args[0],
        .nick = r->as,
    };

    send_text(c, &command, r->args[1]);
}

void
control_on_broadcast(struct control_conn *c, const struct control_request *r)
{
    struct command command = {.kind = COMMAND_ANNOUNCE};

    send_text(c, &command, r->args[0]);
}

void
control_on_kick(struct control_conn *c, const struct control_request *r)
{
    struct command command = {
        .kind = COMMAND_KICK,
        .name = r->args[0],
    };

    send_text(c, &command, r->argc > 1 ? r->args[1] : slice_make("", 0));
}

/* ---- what the hub says ---------------------------------------------------- */

/* The connection that asked and still waits; else NULL. */
static struct control_conn *
asker(struct control *control, const struct delivery *d)
{
    const uint64_t place = d->to & ((UINT64_C(1) << PLACE_BITS) - 1);
    struct control_conn *c;

    if (d->route != ROUTE_CONN || place >= CONTROL_CONNS_MAX)
        return NULL;
    c = &control->conns[place];
    return c->state == CONTROL_WORKING && c->serial == d->request ? c : NULL;
}

static void
finish(struct control_conn *c)
{
    if (c->refused == REFUSAL_NONE)
        control_answer(c, control_ok());
    else
        control_refuse(c, "%s", control_refusal_sentence(c->refused));
}

void
control_on_batch(void *arg, const struct delivery *d, size_t n)
{
    struct control *const control = arg;

    ASSERT_OWNER(control->worker);

    for (size_t i = 0; i < n; i++) {
        struct control_conn *const c = asker(control, &d[i]);

        if (c == NULL)
            continue;
        if (d[i].event->kind == EVENT_REFUSED)
            c->refused = (enum refusal)d[i].event->refusal;
        else if (d[i].event->kind == EVENT_DONE)
            finish(c);
    }
}
