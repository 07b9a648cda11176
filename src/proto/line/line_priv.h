/* SPDX-License-Identifier: BSD-2-Clause
 *
 * line - the line protocol, for nc, telnet and people: docs/protocol-line.md.
 *
 * Shape    bytes -> telnet -> line_reader -> clean text -> line_parse() -> a
 *          row of the table of commands -> client_send(); and back: delivery
 *          -> line_render() -> conn_queue(). What has no file of its own below
 *          is pure.
 *            line_client.c    a client's life, conn_ops
 *            line_input.c     from bytes to lines
 *            line_hub.c       what the hub says to it: struct protocol
 *            line_commands.c  the table, parsing, /help
 *            line_room.c      handlers: rooms, and what is said in them
 *            line_self.c      handlers: oneself
 * Order    Which room a line goes to depends on the answer to the /join or
 *          /part before it. So the conn pauses (ANSWER) behind those two until
 *          their DONE, and a client may send it all in one go.
 * Threads  Its worker's.
 */
#ifndef PROTO_LINE_LINE_PRIV_H
#define PROTO_LINE_LINE_PRIV_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/slice.h"
#include "proto/client_priv.h"
#include "proto/line/line_reader_priv.h"

struct conn;
struct front;
struct line_client;
struct line_input;
struct line_out;
struct telnet;

#define LINE_NICK_TRIES 10 /* refused nicknames before goodbye */

/* How a delivery is to be encoded for a client: its `key`. */
enum line_form {
    LINE_FORM_CRLF = BIT(0),
    LINE_FORM_OTHER = BIT(1), /* not the current room: names it */
    LINE_FORM_IDS = BIT(2),   /* begins with the event's id */
};

struct line_client {
    struct client cl; /* first: see client_priv.h */
    struct line_reader reader;
    struct telnet *telnet;             /* NULL until an IAC came */
    const struct view_member *current; /* where talk goes; NULL: nowhere */
    uint32_t awaited;     /* request whose DONE lifts the pause; 0: none */
    uint16_t list_events; /* of the list under way, so far */
    uint8_t refused;      /* nicknames, so far */
    bool at_prompt : 1;   /* the prompt was the last thing sent: no new line */
    bool is_leaving : 1;  /* telnet asked to, at the end of these bytes */
    bool is_back : 1;     /* is being told what it missed while it was away */
};

/* Ten thousand of them are idle at once; jemalloc has a class of 192 bytes. */
static_assert(sizeof(struct line_client) <= 224, "an idle client is small");

extern const struct protocol line_protocol;

/* Makes `c`, on which nothing was said yet, a client of this protocol. What the
 * conn keeps of its bytes is offered to it next. */
void line_open(struct conn *c, struct front *f);

/* ---- line_client.c ------------------------------------------------------- */

struct line_client *line_of(struct client *cl);

static inline bool
line_uses_crlf(const struct line_client *lc)
{
    return lc->reader.saw_crlf || lc->telnet != NULL;
}

/* Begins what shall be sent as one; line_out_send() sends and frees it. */
void line_out_begin(struct line_client *lc, struct line_out *o);
void line_out_send(struct line_client *lc, struct line_out *o);

/* A notice made by printf; only for what is clean by its making. */
void line_tell(struct line_client *lc, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Asks for the nickname. */
void line_prompt(struct line_client *lc);

/* Sends a command, or closes the conn when memory is too short for it. */
void line_ask(struct line_client *lc, struct command *c);

/* The same, and reads no further line before it is answered. */
void line_ask_and_wait(struct line_client *lc, struct command *c);

/* The answer came that line_ask_and_wait() waits for: reads on. */
void line_answered(struct line_client *lc);

/* A line of somebody who has no nickname yet. */
void line_take_nick(struct line_client *lc, const struct line_input *in,
                    struct slice line);

/* Who has no nickname asks for a session by its token. */
void line_take_token(struct line_client *lc, struct slice token);

/* A nickname was refused, and why was said: once more, or goodbye. */
void line_nick_refused(struct line_client *lc);

/* Says goodbye and leaves. */
void line_quit(struct line_client *lc, struct slice why);

/* Where talk goes; when that is nowhere, says so and returns NULL. */
const struct view_room *line_current_room(struct line_client *lc);

/* ---- line_input.c -------------------------------------------------------- */

/* Takes something off the front of `bytes`, which is not empty, and carries it
 * out if it ends a line. Returns how much, 0: not now. */
size_t line_take(struct line_client *lc, struct slice bytes);

/* ---- line_commands.c ----------------------------------------------------- */

#define LINE_ARGS_ANY 255 /* the last one is a text */

struct line_command {
    const char *name;
    const char *usage; /* the arguments, as /help shows them */
    const char *help;
    void (*run)(struct line_client *lc, struct slice args);
    uint8_t min, max; /* words that may follow */
};

enum line_kind {
    LINE_EMPTY,
    LINE_TALK,    /* `text` is to be said */
    LINE_COMMAND, /* `command`, and `text` behind its name */
    LINE_UNKNOWN, /* begins with a slash; `text` is the name */
};

struct line_input {
    enum line_kind kind;
    const struct line_command *command;
    struct slice text;
};

/* What a line of clean text asks for; pure. */
void line_parse(struct slice line, struct line_input *out);

/* NULL when there is none; case does not matter. */
const struct line_command *line_command_find(struct slice name);

/* Calls `visit` for each row of the table. */
typedef void (*line_command_fn)(void *arg, const struct line_command *command);
void line_each_command(line_command_fn visit, void *arg);

/* Cuts spaces off both ends; off the front only. */
struct slice line_trim(struct slice text);
struct slice line_trim_left(struct slice text);

/* Takes the first word off the front of *rest and the spaces behind it; empty
 * when there is none. */
struct slice line_word(struct slice *rest);

/* A number of digits only; UINT32_MAX stands for larger ones too. False: it is
 * none. */
MUST_CHECK bool line_number(struct slice word, uint32_t *out);

/* Carries out what a client that has a nickname wrote. */
void line_run(struct line_client *lc, const struct line_input *in);

void line_show_help(struct line_client *lc, struct slice args);

/* ---- handlers: line_room.c ----------------------------------------------- */

void line_say(struct line_client *lc, struct slice text, enum say_style style);
void line_on_me(struct line_client *lc, struct slice args);
void line_on_join(struct line_client *lc, struct slice args);
void line_on_part(struct line_client *lc, struct slice args);
void line_on_switch(struct line_client *lc, struct slice args);
void line_on_who(struct line_client *lc, struct slice args);
void line_on_rooms(struct line_client *lc, struct slice args);
void line_on_topic(struct line_client *lc, struct slice args);
void line_on_history(struct line_client *lc, struct slice args);

/* ---- handlers: line_self.c ----------------------------------------------- */

void line_on_nick(struct line_client *lc, struct slice args);
void line_on_msg(struct line_client *lc, struct slice args);
void line_on_away(struct line_client *lc, struct slice args);
void line_on_resume(struct line_client *lc, struct slice args);
void line_on_ack(struct line_client *lc, struct slice args);
void line_on_back(struct line_client *lc, struct slice args);
void line_on_quit(struct line_client *lc, struct slice args);

#endif
