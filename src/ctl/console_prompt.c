/* SPDX-License-Identifier: BSD-2-Clause
 *
 * console_prompt - the console on a terminal: libedit reads the lines, with
 * history and completion.
 */
#include <histedit.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"

#define HISTORY_LINES 500

static char *
prompt(EditLine *el)
{
    static char text[] = "klatch> ";

    return text;
}

static void
list_matches(const char *prefix, FILE *out)
{
    fputc('\n', out);
    for (size_t i = 0; i < ctl_command_count; i++)
        if (strncmp(ctl_commands[i].name, prefix, strlen(prefix)) == 0)
            fprintf(out, "/%s  ", ctl_commands[i].name);
    fputc('\n', out);
    fflush(out);
}

/* Completes the name of a command, the first word behind the slash. */
static unsigned char
complete(EditLine *el, wint_t key)
{
    const LineInfo *const info = el_line(el);
    const size_t len = (size_t)(info->cursor - info->buffer);
    unsigned char verdict = CC_REFRESH;
    struct buf more;
    char prefix[32];
    size_t matches;

    if (len < 1 || len >= sizeof(prefix) || info->buffer[0] != '/' ||
        memchr(info->buffer, ' ', len) != NULL)
        return CC_ERROR;
    memcpy(prefix, info->buffer + 1, len - 1);
    prefix[len - 1] = '\0';

    buf_init(&more);
    matches = ctl_complete(prefix, &more);
    buf_append_char(&more, '\0');
    if (matches == 0 || more.failed)
        verdict = CC_ERROR;
    else if (more.len > 1)
        verdict = el_insertstr(el, more.data) < 0 ? CC_ERROR : CC_REFRESH;
    else {
        list_matches(prefix, stdout);
        verdict = CC_REDISPLAY;
    }
    buf_fini(&more);
    return verdict;
}

/* libedit decodes what is typed by the locale; where that is not a UTF-8 one it
 * would take every other script for garbage. */
static void
set_locale(void)
{
    if (setlocale(LC_CTYPE, "") == NULL || MB_CUR_MAX == 1)
        (void)setlocale(LC_CTYPE, "C.UTF-8");
}

static enum ctl_exit
read_lines(struct ctl *ctl, EditLine *el, History *past)
{
    enum ctl_exit code = CTL_DONE;
    bool over = false;
    HistEvent event;
    int count;

    while (!over) {
        const char *const typed = el_gets(el, &count);
        char *line;

        if (typed == NULL || count <= 0)
            break;
        if (count > 1)
            history(past, &event, H_ENTER, typed);
        line = strdup(typed);
        if (line == NULL)
            return CTL_OS_ERROR;
        code = ctl_console_line(ctl, line, &over);
        free(line);
    }
    return code == CTL_NO_SERVER ? code : CTL_DONE;
}

enum ctl_exit
ctl_console_prompt(struct ctl *ctl)
{
    EditLine *el;
    History *past;
    HistEvent event;
    enum ctl_exit code = CTL_OS_ERROR;

    set_locale();
    el = el_init("klatchctl", ctl->in, ctl->out, ctl->err);
    past = history_init();
    if (el == NULL || past == NULL) {
        fputs("klatchctl: this terminal cannot be used\n", ctl->err);
        goto out;
    }
    history(past, &event, H_SETSIZE, HISTORY_LINES);
    el_set(el, EL_PROMPT, prompt);
    el_set(el, EL_EDITOR, "emacs");
    el_set(el, EL_SIGNAL, 1);
    el_set(el, EL_HIST, history, past);
    /* The narrow call copies both texts and never frees them. */
    el_wset(el, EL_ADDFN, L"klatch-complete", L"Completes a command", complete);
    el_set(el, EL_BIND, "^I", "klatch-complete", NULL);

    fputs("What you type is said to everybody; /help lists the commands, "
          "/quit leaves.\n",
          ctl->out);
    code = read_lines(ctl, el, past);

out:
    if (past != NULL)
        history_end(past);
    if (el != NULL)
        el_end(el);
    return code;
}
