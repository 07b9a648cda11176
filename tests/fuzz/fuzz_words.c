/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What an operator types into klatchctl: the first byte chooses the command,
 * the rest is the line behind it; or, as a name, is completed. Words hold no
 * blanks and lie in the line, in its order; a line that is taken gives what
 * argv of the same words gives; a completion only ever adds to what is there.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/compiler.h"
#include "ctl/ctl.h"
#include "support/fuzz.h"

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void
check_word(const char *word, const char *line, size_t len)
{
    ASSERT(word >= line && word < line + len);
    ASSERT(*word != '\0' && strcspn(word, " \t") == strlen(word));
}

/* The words and the text as argv, through the other way in. */
static void
check_argv(const struct ctl_command *command, const struct ctl_args *args)
{
    char *argv[CTL_WORDS_MAX + 1];
    struct ctl_args same;
    struct buf text;
    int argc = 0;

    for (size_t i = 0; i < args->count; i++)
        argv[argc++] = (char *)(size_t)args->words[i];
    if (args->text != NULL)
        argv[argc++] = (char *)(size_t)args->text;
    if (command->text == CTL_TEXT_INPUT && strcmp(args->text, "-") == 0)
        return; /* a shell's standard input; the console has none */

    buf_init(&text);
    ASSERT(ctl_args_from_argv(command, argc, argv, &same, &text));
    ASSERT(same.count == args->count);
    for (size_t i = 0; i < same.count; i++)
        ASSERT(same.words[i] == args->words[i]);
    ASSERT((same.text == NULL) == (args->text == NULL));
    ASSERT(same.text == NULL || strcmp(same.text, args->text) == 0);
    buf_fini(&text);
}

static void
check_line(const struct ctl_command *command, const char *typed, size_t len)
{
    char *const line = strndup(typed, len); /* no longer: ASan watches */
    struct ctl_args args;
    const char *at = line;
    size_t length;

    ASSERT(line != NULL);
    length = strlen(line);
    if (ctl_args_from_line(command, line, &args)) {
        ASSERT(args.count >= command->min_words);
        ASSERT(args.count <= command->max_words);
        for (size_t i = 0; i < args.count; i++) {
            check_word(args.words[i], line, length);
            ASSERT(args.words[i] >= at);
            at = args.words[i] + strlen(args.words[i]);
        }
        ASSERT(args.text == NULL || command->text != CTL_TEXT_NONE);
        if (args.text != NULL)
            ASSERT(args.text >= at && args.text < line + length &&
                   !is_blank(*args.text));
        check_argv(command, &args);
    }
    free(line);
}

static bool
begins_with(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static void
check_completion(const char *typed, size_t len)
{
    char *const prefix = strndup(typed, len);
    size_t matches = 0;
    struct buf more;
    size_t n;

    ASSERT(prefix != NULL);
    buf_init(&more);
    n = ctl_complete(prefix, &more);
    for (size_t i = 0; i < ctl_command_count; i++)
        matches += begins_with(ctl_commands[i].name, prefix);
    ASSERT(n == matches && !more.failed);
    ASSERT(n > 0 || more.len == 0);
    ASSERT(n != 1 || (more.len > 0 && more.data[more.len - 1] == ' '));
    for (size_t i = 0; n > 1 && i < ctl_command_count; i++) {
        const char *const name = ctl_commands[i].name;

        if (more.len > 0 && begins_with(name, prefix))
            ASSERT(strlen(name) >= strlen(prefix) + more.len &&
                   memcmp(name + strlen(prefix), more.data, more.len) == 0);
    }
    buf_fini(&more);
    free(prefix);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *typed;

    if (size < 2)
        return 0;
    typed = (const char *)data + 1;
    check_line(&ctl_commands[data[0] % ctl_command_count], typed, size - 1);
    check_completion(typed, size - 1);
    return 0;
}
