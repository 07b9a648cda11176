/* SPDX-License-Identifier: BSD-2-Clause
 *
 * line_commands - the table of commands, what a line asks for, and /help.
 *
 * A row is all there is to know about a command: /help, the check of its
 * arguments and the sentence for wrong ones are made from it.
 */
#include <string.h>
#include <strings.h>

#include "proto/line/line_priv.h"
#include "proto/line/line_text_priv.h"

/* clang-format off */
static const struct line_command commands[] = {
    {"help",    "[COMMAND]",          "lists the commands, or explains one",
                line_show_help,  0, 1},
    {"nick",    "NAME",               "changes your nickname",
                line_on_nick,    1, 1},
    {"join",    "#room",              "enters a room and talks there from now on; # may be left out",
                line_on_join,    1, 1},
    {"part",    "[#room] [why]",      "leaves a room, or the current one",
                line_on_part,    0, LINE_ARGS_ANY},
    {"switch",  "#room",              "talks in another of your rooms",
                line_on_switch,  1, 1},
    {"msg",     "NICK text",          "says it to one person alone",
                line_on_msg,     2, LINE_ARGS_ANY},
    {"me",      "text",               "says what you do: * you text",
                line_on_me,      1, LINE_ARGS_ANY},
    {"who",     "[#room]",            "names the people in a room",
                line_on_who,     0, 1},
    {"rooms",   "",                   "lists the rooms there are",
                line_on_rooms,   0, 0},
    {"topic",   "[#room] [text]",     "shows the topic, or sets it; /topic - clears it",
                line_on_topic,   0, LINE_ARGS_ANY},
    {"history", "[#room] [N]",        "shows the last N lines",
                line_on_history, 0, 2},
    {"resume",  "TOKEN",              "instead of a nickname: takes your session back",
                line_on_resume,  1, 1},
    {"ack",     "on|off|ID",          "for programs: numbers what you get, and says what you have",
                line_on_ack,     1, 1},
    {"away",    "[why]",              "tells others that you are away",
                line_on_away,    0, LINE_ARGS_ANY},
    {"back",    "",                   "tells others that you are back",
                line_on_back,    0, 0},
    {"quit",    "[why]",              "leaves",
                line_on_quit,    0, LINE_ARGS_ANY},
};
/* clang-format on */

#define HELP_WIDTH 20 /* of the longest name and usage, and a space */

/* ---- words --------------------------------------------------------------- */

static bool
is_space(char c)
{
    return c == ' ' || c == '\t';
}

struct slice
line_trim_left(struct slice text)
{
    while (text.len > 0 && is_space(text.data[0]))
        text = slice_make(text.data + 1, text.len - 1);
    return text;
}

struct slice
line_trim(struct slice text)
{
    text = line_trim_left(text);
    while (text.len > 0 && is_space(text.data[text.len - 1]))
        text.len--;
    return text;
}

struct slice
line_word(struct slice *rest)
{
    const struct slice text = line_trim_left(*rest);
    struct slice word = text;

    word.len = 0;
    while (word.len < text.len && !is_space(text.data[word.len]))
        word.len++;
    if (text.len > 0)
        *rest = line_trim_left(
            slice_make(text.data + word.len, text.len - word.len));
    else
        *rest = text;
    return word;
}

bool
line_number(struct slice word, uint32_t *out)
{
    uint64_t n = 0;

    if (word.len == 0)
        return false;
    for (size_t i = 0; i < word.len; i++) {
        const char c = word.data[i];

        if (c < '0' || c > '9')
            return false;
        n = n * 10 + (uint64_t)(c - '0');
        if (n > UINT32_MAX)
            n = UINT32_MAX;
    }
    *out = (uint32_t)n;
    return true;
}

/* Words in `text`, but no more than the limit. */
static unsigned
count_words(struct slice text, unsigned limit)
{
    unsigned n = 0;

    while (n < limit && line_word(&text).len > 0)
        n++;
    return n;
}

/* ---- from a line to a row ------------------------------------------------ */

const struct line_command *
line_command_find(struct slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        const struct line_command *const command = &commands[i];

        if (strlen(command->name) == name.len && name.len > 0 &&
            strncasecmp(command->name, name.data, name.len) == 0)
            return command;
    }
    return NULL;
}

void
line_each_command(line_command_fn visit, void *arg)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        visit(arg, &commands[i]);
}

static void
parse_command(struct slice line, struct line_input *out)
{
    struct slice rest = slice_make(line.data + 1, line.len - 1);
    struct slice name = rest;

    /* Not line_word(): the name follows the slash without a space. */
    name.len = 0;
    while (name.len < rest.len && !is_space(rest.data[name.len]))
        name.len++;
    rest = slice_make(rest.data + name.len, rest.len - name.len);

    out->command = line_command_find(name);
    out->kind = out->command != NULL ? LINE_COMMAND : LINE_UNKNOWN;
    out->text = out->command != NULL ? line_trim_left(rest) : name;
}

void
line_parse(struct slice line, struct line_input *out)
{
    *out = (struct line_input){.kind = LINE_TALK, .text = line};

    if (line_trim_left(line).len == 0)
        out->kind = LINE_EMPTY;
    else if (line.len >= 2 && line.data[0] == '/' && line.data[1] == '/')
        out->text = slice_make(line.data + 1, line.len - 1);
    else if (line.data[0] == '/')
        parse_command(line, out);
}

/* ---- carrying out -------------------------------------------------------- */

static void
tell_usage(struct line_client *lc, const struct line_command *command)
{
    line_tell(lc, "Please write it as /%s%s%s", command->name,
              command->usage[0] != '\0' ? " " : "", command->usage);
}

static void
run_command(struct line_client *lc, const struct line_command *command,
            struct slice args)
{
    const bool takes_text = command->max == LINE_ARGS_ANY;
    const unsigned limit = takes_text ? command->min : command->max + 1u;
    const unsigned words = count_words(args, limit);

    if (words < command->min || words > command->max)
        tell_usage(lc, command);
    else
        command->run(lc, args);
}

static void
tell_unknown(struct line_client *lc, struct slice name)
{
    const int shown = name.len <= 32 ? (int)name.len : 0;

    line_tell(lc, "There is no command /%.*s; /help lists those there are.",
              shown, name.data);
}

void
line_run(struct line_client *lc, const struct line_input *in)
{
    switch (in->kind) {
    case LINE_EMPTY:
        break;
    case LINE_TALK:
        line_say(lc, in->text, SAY_TEXT);
        break;
    case LINE_COMMAND:
        run_command(lc, in->command, in->text);
        break;
    case LINE_UNKNOWN:
        tell_unknown(lc, in->text);
        break;
    }
}

/* ---- /help --------------------------------------------------------------- */

static void
add_row(void *arg, const struct line_command *command)
{
    struct line_out *const o = arg;
    const int width = HELP_WIDTH - (int)strlen(command->name);

    line_notice(o, "  /%s %-*s %s", command->name, width, command->usage,
                command->help);
}

static void
help_explain(struct line_client *lc, struct slice name)
{
    const struct line_command *command;

    if (name.data[0] == '/')
        name = slice_make(name.data + 1, name.len - 1);
    command = line_command_find(name);
    if (command == NULL)
        tell_unknown(lc, name);
    else
        line_tell(lc, "/%s%s%s %s.", command->name,
                  command->usage[0] != '\0' ? " " : "", command->usage,
                  command->help);
}

void
line_show_help(struct line_client *lc, struct slice args)
{
    const struct slice name = line_word(&args);
    struct line_out o;

    if (name.len > 0) {
        help_explain(lc, name);
        return;
    }

    line_out_begin(lc, &o);
    line_notice(&o, "What you type is said in your current room; a line that "
                    "begins with / is a command:");
    line_each_command(add_row, &o);
    line_notice(&o, "//text says /text.");
    line_out_send(lc, &o);
}
