/* SPDX-License-Identifier: BSD-2-Clause
 *
 * case_file - reads a file of cases. Its grammar is in README.md.
 *
 * Everything that can be seen without carrying it out is complained about
 * here, before the first case runs.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile/hostile.h"

#define WORDS_MAX 64
#define STEPS_MAX 4096

struct reader {
    struct case_file *file;
    unsigned line;
    struct step steps[STEPS_MAX]; /* of the case under way */
    size_t step_count;
    struct hostile_case cases[512];
    struct word words[WORDS_MAX]; /* of the line at hand */
    size_t word_count;
    const char **block_of; /* where a line with a `|` belongs */
};

static _Noreturn void __attribute__((format(printf, 2, 3)))
complain(const struct reader *in, const char *fmt, ...)
{
    va_list args;

    fprintf(stderr, "%s:%u: ", in->file->path, in->line);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    exit(EXIT_FAILURE);
}

/* -- words ---------------------------------------------------------------- */

/* The text whose opening quote is at `at`; returns what follows it. */
static const char *
take_text(struct reader *in, const char *at, struct word *out)
{
    const char *end = at + 1;

    while (*end != '"') {
        if (*end == '\0' || (*end == '\\' && end[1] == '\0'))
            complain(in, "a text without its closing quote");
        end += *end == '\\' ? 2 : 1;
    }
    *out = (struct word){true, keep_text(at + 1, (size_t)(end - at - 1))};
    if (strchr(" \t", end[1]) == NULL) /* the NUL too */
        complain(in, "a blank is missing behind a text");
    return end + 1;
}

static void
split_words(struct reader *in, const char *at)
{
    in->word_count = 0;
    for (;;) {
        struct word *const word = &in->words[in->word_count];
        size_t len;

        at += strspn(at, " \t");
        if (*at == '\0' || *at == '#')
            return;
        if (++in->word_count == WORDS_MAX)
            complain(in, "more than %d words", WORDS_MAX - 1);
        if (*at == '"') {
            at = take_text(in, at, word);
            continue;
        }
        len = strcspn(at, " \t");
        *word = (struct word){false, keep_text(at, len)};
        at += len;
    }
}

static bool
is_first(const struct reader *in, const char *word)
{
    return !in->words[0].is_text && strcmp(in->words[0].raw, word) == 0;
}

/* -- cases ---------------------------------------------------------------- */

static struct hostile_case *
current(struct reader *in)
{
    return in->file->count > 0 ? &in->cases[in->file->count - 1] : NULL;
}

/* Finds the `end` of each `for`. */
static void
match_loops(struct reader *in)
{
    size_t open[8];
    size_t depth = 0;

    for (size_t i = 0; i < in->step_count; i++) {
        struct step *const s = &in->steps[i];

        in->line = s->line;
        if (strcmp(s->words[0].raw, "for") == 0) {
            if (depth == sizeof(open) / sizeof(open[0]))
                complain(in, "loops are nested too deep");
            if (s->count < 4 || strcmp(s->words[2].raw, "in") != 0)
                complain(in, "write for NAME in VALUE…");
            open[depth++] = i;
        } else if (strcmp(s->words[0].raw, "end") == 0) {
            if (depth == 0)
                complain(in, "an end without its for");
            in->steps[open[--depth]].end = i;
        }
    }
    if (depth > 0) {
        in->line = in->steps[open[depth - 1]].line;
        complain(in, "a for without its end");
    }
}

static void
finish_case(struct reader *in)
{
    struct hostile_case *const c = current(in);
    const unsigned line = in->line;

    if (c == NULL)
        return;
    if (in->step_count == 0)
        complain(in, "the case before has no steps");
    match_loops(in);
    in->line = line;
    c->count = in->step_count;
    c->steps = keep(c->count * sizeof(*c->steps));
    memcpy(c->steps, in->steps, c->count * sizeof(*c->steps));
    in->step_count = 0;
}

static void
begin_case(struct reader *in, const char *line)
{
    const char *name = strstr(line, "case") + strlen("case");
    struct hostile_case *c;

    finish_case(in);
    name += strspn(name, " \t");
    if (*name == '\0')
        complain(in, "a case needs a name");
    for (size_t i = 0; i < in->file->count; i++)
        if (strcmp(in->cases[i].name, name) == 0)
            complain(in, "there is a case of that name on line %u",
                     in->cases[i].line);
    if (in->file->count == sizeof(in->cases) / sizeof(in->cases[0]))
        complain(in, "too many cases for one file");

    c = &in->cases[in->file->count++];
    *c = (struct hostile_case){
        .name = keep_text(name, strlen(name)),
        .line = in->line,
    };
    in->block_of = NULL;
}

static void
add_daemon(struct reader *in)
{
    struct hostile_case *const c = current(in);
    const char **const daemon = c != NULL ? &c->own_daemon : &in->file->daemon;

    if (*daemon != NULL || in->step_count > 0 || in->word_count > 1)
        complain(in, "`daemon` stands alone, once, before everything else");
    *daemon = "";
    in->block_of = daemon;
}

static void
add_step(struct reader *in)
{
    struct step *const s = &in->steps[in->step_count];

    if (current(in) == NULL)
        complain(in, "a step before the first case");
    if (in->words[0].is_text)
        complain(in, "a step begins with a client's name or a verb");
    if (++in->step_count == STEPS_MAX)
        complain(in, "too many steps");

    *s = (struct step){.line = in->line, .count = in->word_count};
    s->words = keep(s->count * sizeof(*s->words));
    memcpy(s->words, in->words, s->count * sizeof(*s->words));
    in->block_of = &s->block;
}

/* A line of the block behind `daemon` or a step. */
static void
add_block_line(struct reader *in, const char *text)
{
    const char *before;
    char *longer;

    if (in->block_of == NULL)
        complain(in, "this text belongs to nothing");
    text += *text == ' ' ? 1 : 0;
    before = *in->block_of != NULL ? *in->block_of : "";
    longer = keep(strlen(before) + strlen(text) + 2);
    sprintf(longer, "%s%s\n", before, text);
    *in->block_of = longer;
}

static void
read_line(struct reader *in, const char *line)
{
    const char *const at = line + strspn(line, " \t");

    in->line++;
    if (*at == '|') {
        add_block_line(in, at + 1);
        return;
    }
    split_words(in, at);
    if (in->word_count == 0)
        return;
    if (is_first(in, "case"))
        begin_case(in, at);
    else if (is_first(in, "daemon"))
        add_daemon(in);
    else
        add_step(in);
}

void
case_file_read(struct case_file *file, const char *path)
{
    static struct reader in; /* large */
    FILE *const f = fopen(path, "r");
    char line[8192];

    *file = (struct case_file){.path = path};
    in = (struct reader){.file = file};
    if (f == NULL)
        complain(&in, "cannot be read");
    while (fgets(line, sizeof(line), f) != NULL) {
        const size_t len = strcspn(line, "\n");

        if (line[len] != '\n' && !feof(f))
            complain(&in, "line %u is too long", in.line + 1);
        line[len] = '\0';
        read_line(&in, line);
    }
    fclose(f);
    finish_case(&in);
    if (file->count == 0)
        complain(&in, "there is no case in it");
    file->cases = in.cases;
}
