/* SPDX-License-Identifier: BSD-2-Clause
 *
 * option_value - values of the kinds: from text, into text, and in words.
 *
 * Shape    Whatever option_format() writes, option_set() reads back as the
 *          same value, whether from a file or elsewhere; hence texts that a
 *          file could not hold are refused wherever they come from.
 */
#include "ops/options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "ops/options_priv.h"

#define QUOTED_MAX 60u

/* -- slices ----------------------------------------------------------------- */

size_t
quoted_len(struct slice text)
{
    if (text.len <= QUOTED_MAX)
        return text.len;
    return utf8_is_valid(text) ? utf8_prefix(text, QUOTED_MAX) : QUOTED_MAX;
}

const char *
quoted_tail(struct slice text)
{
    return text.len > QUOTED_MAX ? "…" : "";
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct slice
strip_blanks(struct slice text)
{
    while (text.len > 0 && is_blank(text.data[0])) {
        text.data++;
        text.len--;
    }
    while (text.len > 0 && is_blank(text.data[text.len - 1]))
        text.len--;
    return text;
}

/* -- numbers ---------------------------------------------------------------- */

static const char *
number_example(enum option_kind kind)
{
    switch (kind) {
    case OPTION_BYTES:
        return "a size: write 512, 64k, 8M or 1G";
    case OPTION_DURATION:
        return "a time: write 250ms, 60s, 2m, 1h or 7d";
    case OPTION_COUNT:
    case OPTION_FLAG:
    case OPTION_CHOICE:
    case OPTION_TEXT:
    case OPTION_PATH:
        break;
    }
    return "a whole number";
}

static int
set_number(const struct option *o, uint64_t *field, struct slice text,
           char *why, size_t why_size)
{
    char min[24], max[24];
    uint64_t number;

    if (!option_parse_number(o->kind, text, &number)) {
        (void)snprintf(why, why_size, "`%.*s%s` is not %s", QUOTED_ARG(text),
                       number_example(o->kind));
        return -EINVAL;
    }
    if (number < o->min || number > o->max) {
        (void)snprintf(why, why_size,
                       "%.*s%s is out of range: it may be %s to %s",
                       QUOTED_ARG(text),
                       option_format_number(o->kind, o->min, min, sizeof(min)),
                       option_format_number(o->kind, o->max, max, sizeof(max)));
        return -EINVAL;
    }
    *field = number;
    return 0;
}

/* -- words ------------------------------------------------------------------ */

static const struct {
    const char *word;
    uint64_t value;
} flag_words[] = {
    {"on",    1},
    {"off",   0},
    {"yes",   1},
    {"no",    0},
    {"true",  1},
    {"false", 0},
};

static int
set_flag(uint64_t *field, struct slice text, char *why, size_t why_size)
{
    for (size_t i = 0; i < ARRAY_LEN(flag_words); i++)
        if (strlen(flag_words[i].word) == text.len &&
            strncasecmp(flag_words[i].word, text.data, text.len) == 0) {
            *field = flag_words[i].value;
            return 0;
        }
    (void)snprintf(why, why_size, "`%.*s%s` is neither on nor off",
                   QUOTED_ARG(text));
    return -EINVAL;
}

static size_t
count_words(const char *const *words)
{
    size_t n = 0;

    while (words[n] != NULL)
        n++;
    return n;
}

/* "error, warn or info" */
static char *
list_words(const char *const *words, char *out, size_t size)
{
    const size_t n = count_words(words);
    size_t at = 0;

    for (size_t i = 0; i < n && at < size; i++) {
        const char *const before = i == 0 ? "" : i + 1 < n ? ", " : " or ";

        at += (size_t)snprintf(out + at, size - at, "%s%s", before, words[i]);
    }
    return out;
}

static int
set_choice(const struct option *o, uint64_t *field, struct slice text,
           char *why, size_t why_size)
{
    const char *meant;
    char list[128];

    for (size_t i = 0; o->words[i] != NULL; i++)
        if (slice_equal(slice_of(o->words[i]), text)) {
            *field = i;
            return 0;
        }

    meant = suggest(text, o->words, count_words(o->words));
    (void)snprintf(why, why_size, "`%.*s%s` is not %s%s%s%s", QUOTED_ARG(text),
                   list_words(o->words, list, sizeof(list)),
                   meant != NULL ? "; did you mean `" : "",
                   meant != NULL ? meant : "", meant != NULL ? "`?" : "");
    return -EINVAL;
}

/* -- texts ------------------------------------------------------------------ */

/* Would a file take the end of it for a comment? */
static bool
has_comment(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == ';' && (i == 0 || text.data[i - 1] == ' '))
            return true;
    return false;
}

/* Whether cleaning it for a terminal would take anything away. */
static const char *
fault_of_characters(struct slice text)
{
    struct buf clean;
    const char *fault = NULL;

    buf_init(&clean);
    utf8_clean(text, 0, &clean);
    if (clean.failed)
        fault = "cannot be checked: out of memory";
    else if (clean.len != text.len)
        fault = "has a control character in it";
    buf_fini(&clean);
    return fault;
}

/* What is wrong with it, as the end of a sentence; NULL: nothing. */
static const char *
fault_of_text(const struct option *o, struct slice text)
{
    if (text.len < o->min)
        return "may not be empty";
    if (!utf8_is_valid(text))
        return "is not UTF-8";
    if (o->kind == OPTION_PATH && text.len > 0 && text.data[0] != '/')
        return "is not an absolute path";
    if (has_comment(text))
        return "has a `;` that would begin a comment";
    return fault_of_characters(text);
}

static int
set_text(const struct option *o, char *field, struct slice text, char *why,
         size_t why_size)
{
    const char *const fault = fault_of_text(o, text);

    if (fault != NULL) {
        (void)snprintf(why, why_size, "%s%.*s%s%s %s", text.len > 0 ? "`" : "",
                       QUOTED_ARG(text), text.len > 0 ? "`" : "it", fault);
        return -EINVAL;
    }
    if (text.len > o->max) {
        (void)snprintf(why, why_size,
                       "`%.*s%s` is too long: %zu bytes, where %" PRIu64
                       " may be",
                       QUOTED_ARG(text), text.len, o->max);
        return -EINVAL;
    }
    if (text.len > 0)
        memcpy(field, text.data, text.len);
    field[text.len] = '\0';
    return 0;
}

/* -- all -------------------------------------------------------------------- */

int
option_set(const struct option *o, void *base, struct slice text, char *why,
           size_t why_size)
{
    void *const field = (char *)base + o->offset;

    text = strip_blanks(text);
    switch (o->kind) {
    case OPTION_COUNT:
    case OPTION_BYTES:
    case OPTION_DURATION:
        return set_number(o, field, text, why, why_size);
    case OPTION_FLAG:
        return set_flag(field, text, why, why_size);
    case OPTION_CHOICE:
        return set_choice(o, field, text, why, why_size);
    case OPTION_TEXT:
    case OPTION_PATH:
        return set_text(o, field, text, why, why_size);
    }
    return -EINVAL;
}

char *
option_format(const struct option *o, const void *base, char *out, size_t size)
{
    const void *const field = (const char *)base + o->offset;
    const uint64_t *const number = field;
    const char *word = field;

    switch (o->kind) {
    case OPTION_COUNT:
    case OPTION_BYTES:
    case OPTION_DURATION:
        return option_format_number(o->kind, *number, out, size);
    case OPTION_FLAG:
        word = *number != 0 ? "on" : "off";
        break;
    case OPTION_CHOICE:
        ASSERT(*number < count_words(o->words));
        word = o->words[*number];
        break;
    case OPTION_TEXT:
    case OPTION_PATH:
        break;
    }
    (void)snprintf(out, size, "%s", word);
    return out;
}

char *
option_describe(const struct option *o, char *out, size_t size)
{
    char min[24], max[24];

    switch (o->kind) {
    case OPTION_COUNT:
    case OPTION_BYTES:
    case OPTION_DURATION:
        (void)snprintf(out, size, "%s to %s",
                       option_format_number(o->kind, o->min, min, sizeof(min)),
                       option_format_number(o->kind, o->max, max, sizeof(max)));
        break;
    case OPTION_FLAG:
        (void)snprintf(out, size, "on or off");
        break;
    case OPTION_CHOICE:
        return list_words(o->words, out, size);
    case OPTION_TEXT:
        (void)snprintf(out, size, "a text of at most %" PRIu64 " bytes",
                       o->max);
        break;
    case OPTION_PATH:
        (void)snprintf(out, size,
                       "an absolute path of at most %" PRIu64 " bytes", o->max);
        break;
    }
    return out;
}
