/* SPDX-License-Identifier: BSD-2-Clause
 *
 * console - an operator's prompt. What is typed is said to everybody; `/` begins
 * a command, `//` a text that begins with a slash.
 *
 * On a terminal there is a prompt (console_prompt.c, or console_none.c where it
 * was left out); else the lines are simply read, so that a script can be piped
 * in.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"

/* ---- a line --------------------------------------------------------------- */

static enum ctl_exit
show_help(struct ctl *ctl)
{
    enum ctl_exit code;
    struct buf text;

    buf_init(&text);
    buf_append_str(&text, "What you type is said to everybody. Commands:\n");
    ctl_append_help(&text, true);
    buf_append_str(&text, "  /help                     this list\n"
                          "  /quit                     leaves the console\n"
                          "  //text                    says /text\n");
    code = ctl_print(ctl, &text);
    buf_fini(&text);
    return code;
}

static enum ctl_exit
run_command(struct ctl *ctl, char *line, bool *over)
{
    const size_t len = strcspn(line, " \t");
    char *const rest = line[len] != '\0' ? line + len + 1 : line + len;
    const struct ctl_command *command;
    struct ctl_args args;

    line[len] = '\0';
    if (strcmp(line, "quit") == 0 || strcmp(line, "exit") == 0) {
        *over = true;
        return CTL_DONE;
    }
    if (strcmp(line, "help") == 0 || *line == '\0')
        return show_help(ctl);

    command = ctl_find(line);
    if (command == NULL || command->run == ctl_console) {
        ctl_complain_unknown(ctl, line);
        return CTL_USAGE;
    }
    if (!ctl_args_from_line(command, rest, &args)) {
        ctl_complain_usage(ctl, command);
        return CTL_USAGE;
    }
    return command->run(ctl, command, &args);
}

enum ctl_exit
ctl_console_line(struct ctl *ctl, char *line, bool *over)
{
    struct ctl_args args = {.count = 0};

    line[strcspn(line, "\r\n")] = '\0';
    if (line[0] == '/' && line[1] != '/')
        return run_command(ctl, line + 1, over);
    if (line[0] == '/')
        line++;
    if (line[strspn(line, " \t")] == '\0')
        return CTL_DONE;

    args.text = line;
    return ctl_speak(ctl, ctl_find("broadcast"), &args);
}

/* ---- without a terminal --------------------------------------------------- */

/* Like a script: all lines are tried, and what went wrong first is the exit
 * code; but where no server is, no further line can do better. */
static enum ctl_exit
run_script(struct ctl *ctl)
{
    enum ctl_exit code = CTL_DONE;
    bool over = false;
    char *line = NULL;
    size_t size = 0;

    while (!over && code != CTL_NO_SERVER &&
           getline(&line, &size, ctl->in) >= 0) {
        const enum ctl_exit one = ctl_console_line(ctl, line, &over);

        if (code == CTL_DONE || one == CTL_NO_SERVER)
            code = one;
    }
    free(line);
    return code;
}

enum ctl_exit
ctl_console(struct ctl *ctl, const struct ctl_command *command,
            const struct ctl_args *args)
{
    ctl->is_console = true;
    return isatty(fileno(ctl->in)) && isatty(fileno(ctl->out))
               ? ctl_console_prompt(ctl)
               : run_script(ctl);
}
