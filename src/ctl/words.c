/* SPDX-License-Identifier: BSD-2-Clause
 *
 * words - from argv, or a line, to what a command was given.
 */
#include <string.h>

#include "ctl/ctl.h"

/* Is a text that may be left out, or stand for standard input, there? */
static const char *
settle_text(const struct ctl_command *command, const char *text)
{
    if (command->text == CTL_TEXT_INPUT && strcmp(text, "-") == 0)
        return NULL;
    return text;
}

bool
ctl_args_from_argv(const struct ctl_command *command, int argc,
                   char *const *argv, struct ctl_args *out, struct buf *text)
{
    size_t i = 0;
    const size_t n = (size_t)argc;

    *out = (struct ctl_args){.count = 0};
    while (i < n && out->count < command->max_words)
        out->words[out->count++] = argv[i++];
    if (out->count < command->min_words)
        return false;
    if (i == n)
        return true;
    if (command->text == CTL_TEXT_NONE)
        return false;

    for (size_t k = i; k < n; k++) {
        if (k > i)
            buf_append_char(text, ' ');
        buf_append_str(text, argv[k]);
    }
    buf_append_char(text, '\0');
    if (text->failed)
        return false;
    out->text = settle_text(command, text->data);
    return true;
}

/* Cuts the first word off *rest; NULL when there is none. */
static char *
cut_word(char **rest)
{
    char *const word = *rest + strspn(*rest, " \t");
    char *const end = word + strcspn(word, " \t");

    if (*word == '\0')
        return NULL;
    *rest = end;
    if (*end != '\0') {
        *end = '\0';
        *rest = end + 1;
    }
    return word;
}

bool
ctl_args_from_line(const struct ctl_command *command, char *line,
                   struct ctl_args *out)
{
    char *rest = line;
    const char *word;

    *out = (struct ctl_args){.count = 0};
    while (out->count < command->max_words && (word = cut_word(&rest)) != NULL)
        out->words[out->count++] = word;
    rest += strspn(rest, " \t");
    if (*rest != '\0')
        out->text = rest;

    if (out->count < command->min_words)
        return false;
    if (command->text == CTL_TEXT_INPUT) /* a console's input is its own */
        return out->text != NULL;
    return command->text == CTL_TEXT_MAY || out->text == NULL;
}

static size_t
common_length(const char *a, const char *b, size_t most)
{
    size_t n = 0;

    while (n < most && a[n] == b[n])
        n++;
    return n;
}

size_t
ctl_complete(const char *prefix, struct buf *out)
{
    const size_t len = strlen(prefix);
    const char *first = NULL;
    size_t common = 0;
    size_t matches = 0;

    for (size_t i = 0; i < ctl_command_count; i++) {
        const char *const name = ctl_commands[i].name;

        if (strncmp(name, prefix, len) != 0)
            continue;
        matches++;
        if (first == NULL) {
            first = name;
            common = strlen(name);
        } else {
            common = common_length(first, name, common);
        }
    }
    if (matches == 0)
        return 0;
    buf_append(out, first + len, common - len);
    if (matches == 1)
        buf_append_char(out, ' ');
    return matches;
}
