/* SPDX-License-Identifier: BSD-2-Clause
 *
 * ctl - what all of klatchctl shares: the table of commands, and asking.
 *
 * Shape    A command's row says how many words it takes and whether a text, the
 *          rest of the line, follows. From it come the command line, the
 *          console, --help and /help.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sysexits.h>

#include "base/buf.h"
#include "ctl/show.h"

struct link;

/* Exit codes, as --help has them. */
enum ctl_exit {
    CTL_DONE = EX_OK,
    CTL_REFUSED = 1,
    CTL_USAGE = EX_USAGE,           /* 64 */
    CTL_NO_SERVER = EX_UNAVAILABLE, /* 69 */
    CTL_OS_ERROR = EX_OSERR,        /* 71 */
    CTL_NO_OUTPUT = EX_IOERR,       /* 74 */
    CTL_WRONG_CONFIG = EX_CONFIG,   /* 78 */
};

struct ctl {
    struct link *link;
    const char *socket; /* its path, for messages */
    bool json;
    const char *as; /* --as; or NULL */
    bool is_console;
    FILE *in;
    FILE *out;
    FILE *err;
};

#define CTL_WORDS_MAX 2

/* What a command was given. */
struct ctl_args {
    const char *words[CTL_WORDS_MAX];
    size_t count;
    const char *text; /* NULL: none */
};

enum ctl_text {
    CTL_TEXT_NONE,
    CTL_TEXT_MAY,   /* left out: there is none */
    CTL_TEXT_INPUT, /* left out, or "-": standard input, each line one */
};

struct ctl_command {
    const char *name;
    enum ctl_exit (*run)(struct ctl *ctl, const struct ctl_command *command,
                         const struct ctl_args *args);
    unsigned min_words;
    unsigned max_words;
    enum ctl_text text;
    bool takes_as;
    show_fn show; /* the answer, unless --json */
    const char *args;
    const char *help;
};

/* ---- commands.c ----------------------------------------------------------- */

extern const struct ctl_command ctl_commands[];
extern const size_t ctl_command_count;

/* NULL: no such command. */
const struct ctl_command *ctl_find(const char *name);

/* A sentence on ctl->err about a name that is no command's. */
void ctl_complain_unknown(struct ctl *ctl, const char *name);

/* "usage: …" on ctl->err. */
void ctl_complain_usage(struct ctl *ctl, const struct ctl_command *command);

/* A row a command: for --help, or for /help in the console. */
void ctl_append_help(struct buf *out, bool in_console);

/* ---- ask.c ---------------------------------------------------------------- */

/* Asks the server: `words`, then `text` if not NULL, as the args. Shows the
 * answer, or complains. */
enum ctl_exit ctl_ask(struct ctl *ctl, const struct ctl_command *command,
                      const struct ctl_args *args);

/* CTL_DONE, or CTL_NO_OUTPUT. */
enum ctl_exit ctl_print(struct ctl *ctl, const struct buf *text);

/* ---- speak.c -------------------------------------------------------------- */

/* Each line of the text, or of standard input, as a request of its own; ends
 * with the first that is refused. */
enum ctl_exit ctl_speak(struct ctl *ctl, const struct ctl_command *command,
                        const struct ctl_args *args);

/* ---- words.c: pure -------------------------------------------------------- */

/* Takes the arguments of a command from argv: words, then the rest joined by
 * blanks into `text`. False: they are too few or too many. */
bool ctl_args_from_argv(const struct ctl_command *command, int argc,
                        char *const *argv, struct ctl_args *out,
                        struct buf *text);

/* The same from a line, which is cut up in place. */
bool ctl_args_from_line(const struct ctl_command *command, char *line,
                        struct ctl_args *out);

/* What the commands that begin with `prefix` have in common behind it, with a
 * blank if it is only one. Appends nothing when there is none, or more than one
 * and they part here. The number of such commands. */
size_t ctl_complete(const char *prefix, struct buf *out);

/* ---- console.c ------------------------------------------------------------ */

enum ctl_exit ctl_console(struct ctl *ctl, const struct ctl_command *command,
                          const struct ctl_args *args);

/* What a line typed there does; true in *over for /quit. The line is cut up. */
enum ctl_exit ctl_console_line(struct ctl *ctl, char *line, bool *over);

/* ---- console_prompt.c, or console_none.c ---------------------------------- */

/* On a terminal: a prompt, or a sentence that this build has none. */
enum ctl_exit ctl_console_prompt(struct ctl *ctl);

#endif
