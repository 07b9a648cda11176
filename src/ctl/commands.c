/* SPDX-License-Identifier: BSD-2-Clause
 *
 * commands - the one table of them.
 */
#include <string.h>

#include "base/compiler.h"
#include "ctl/ctl.h"
#include "ops/options.h"

/* clang-format off */
const struct ctl_command ctl_commands[] = {
    /* name        run          words  text            as     show          args              help */
    {"status",     ctl_ask,     0, 0,  CTL_TEXT_NONE,  false, show_status,  "",               "what runs, and how many are here"},
    {"clients",    ctl_ask,     0, 0,  CTL_TEXT_NONE,  false, show_clients, "",               "every connection"},
    {"sessions",   ctl_ask,     0, 0,  CTL_TEXT_NONE,  false, show_sessions, "",             "every session, those that wait for their client too"},
    {"rooms",      ctl_ask,     0, 0,  CTL_TEXT_NONE,  false, show_rooms,   "",               "every room"},
    {"census",     ctl_ask,     0, 0,  CTL_TEXT_NONE,  false, show_census,  "",               "exact counts of all that is alive"},
    {"say",        ctl_speak,   1, 1,  CTL_TEXT_INPUT, true,  show_nothing, "ROOM [TEXT...]", "says TEXT, or each line of its input, in a room"},
    {"broadcast",  ctl_speak,   0, 0,  CTL_TEXT_INPUT, false, show_nothing, "[TEXT...]",      "says TEXT, or each line of its input, to everybody"},
    {"kick",       ctl_ask,     1, 1,  CTL_TEXT_MAY,   false, show_nothing, "NICK [WHY...]",  "ends somebody's session"},
    {"reload",     ctl_ask,     0, 0,  CTL_TEXT_NONE,  false, show_nothing, "",               "reads the configuration again"},
    {"stop",       ctl_ask,     0, 0,  CTL_TEXT_NONE,  false, show_nothing, "",               "stops the server; given again, at once"},
    {"log",        ctl_ask,     1, 2,  CTL_TEXT_NONE,  false, show_nothing, "LEVEL [AREA]",   "sets the least level that is logged"},
    {"version",    ctl_ask,     0, 0,  CTL_TEXT_NONE,  false, show_version, "",               "the server's version"},
    {"console",    ctl_console, 0, 0,  CTL_TEXT_NONE,  false, NULL,         "",               "a prompt: what you type is said to everybody"},
};
/* clang-format on */
const size_t ctl_command_count = ARRAY_LEN(ctl_commands);

const struct ctl_command *
ctl_find(const char *name)
{
    for (size_t i = 0; i < ctl_command_count; i++)
        if (strcmp(ctl_commands[i].name, name) == 0)
            return &ctl_commands[i];
    return NULL;
}

void
ctl_complain_unknown(struct ctl *ctl, const char *name)
{
    const char *words[ARRAY_LEN(ctl_commands)];
    const char *near;

    for (size_t i = 0; i < ctl_command_count; i++)
        words[i] = ctl_commands[i].name;
    near = suggest(slice_of(name), words, ctl_command_count);
    if (near != NULL)
        fprintf(ctl->err, "klatchctl: there is no command %s; is it %s?\n",
                name, near);
    else
        fprintf(ctl->err, "klatchctl: there is no command %s; %s lists them\n",
                name, ctl->is_console ? "/help" : "klatchctl --help");
}

void
ctl_complain_usage(struct ctl *ctl, const struct ctl_command *command)
{
    fprintf(ctl->err, "usage: %s%s%s%s %s\n",
            ctl->is_console ? "/" : "klatchctl ", command->name,
            ctl->is_console ? "" : " [--json]",
            command->takes_as && !ctl->is_console ? " [--as NAME]" : "",
            command->args);
}

void
ctl_append_help(struct buf *out, bool in_console)
{
    const char *const slash = in_console ? "/" : "";

    for (size_t i = 0; i < ctl_command_count; i++) {
        const struct ctl_command *const command = &ctl_commands[i];
        const int used = (int)(strlen(slash) + strlen(command->name) + 1);

        if (in_console && command->run == ctl_console)
            continue;
        buf_printf(out, "  %s%s %-*s  %s\n", slash, command->name, 25 - used,
                   command->args, command->help);
    }
}
