/* SPDX-License-Identifier: BSD-2-Clause
 *
 * speak - say and broadcast: each line is a message.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"

/* An empty line says nothing. */
static enum ctl_exit
speak_line(struct ctl *ctl, const struct ctl_command *command,
           const struct ctl_args *args, char *line, size_t len)
{
    struct ctl_args one = *args;

    while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
        len--;
    line[len] = '\0';
    if (len == 0)
        return CTL_DONE;

    one.text = line;
    return ctl_ask(ctl, command, &one);
}

static enum ctl_exit
speak_input(struct ctl *ctl, const struct ctl_command *command,
            const struct ctl_args *args)
{
    enum ctl_exit code = CTL_DONE;
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    while (code == CTL_DONE && (len = getline(&line, &size, ctl->in)) >= 0)
        code = speak_line(ctl, command, args, line, (size_t)len);
    if (ferror(ctl->in)) {
        fprintf(ctl->err, "klatchctl: cannot read: %s\n", strerror(errno));
        code = CTL_OS_ERROR;
    }
    free(line);
    return code;
}

static enum ctl_exit
speak_text(struct ctl *ctl, const struct ctl_command *command,
           const struct ctl_args *args)
{
    char *const text = strdup(args->text);
    enum ctl_exit code = CTL_DONE;
    char *line = text;

    if (text == NULL) {
        fputs("klatchctl: out of memory\n", ctl->err);
        return CTL_OS_ERROR;
    }
    while (code == CTL_DONE && line != NULL) {
        char *const end = strchr(line, '\n');
        const size_t len = end != NULL ? (size_t)(end - line) : strlen(line);

        code = speak_line(ctl, command, args, line, len);
        line = end != NULL ? end + 1 : NULL;
    }
    free(text);
    return code;
}

enum ctl_exit
ctl_speak(struct ctl *ctl, const struct ctl_command *command,
          const struct ctl_args *args)
{
    return args->text != NULL ? speak_text(ctl, command, args)
                              : speak_input(ctl, command, args);
}
