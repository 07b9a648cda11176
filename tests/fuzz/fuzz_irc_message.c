/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A line of IRC. What was taken apart, put together again, is taken apart in the
 * same way; it lies in the line, within its limits; a tag's value survives being
 * unescaped and escaped.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "proto/irc/irc_message_priv.h"
#include "support/fuzz.h"

static bool
lies_in(struct slice part, struct slice line)
{
    return part.len == 0 || (part.data >= line.data &&
                             part.data + part.len <= line.data + line.len);
}

static void
check_value(struct slice raw)
{
    char *const value = malloc(raw.len + 1);
    char *const again = malloc(2 * raw.len + 1);
    char *const back = malloc(2 * raw.len + 1);
    size_t len, again_len, back_len;

    ASSERT(value != NULL && again != NULL && back != NULL);
    len = irc_tag_unescape(raw, value);
    ASSERT(len <= raw.len);
    again_len = irc_tag_escape(slice_make(value, len), again);
    ASSERT(again_len <= 2 * len);
    ASSERT(again_len == 0 || memchr(again, ';', again_len) == NULL);
    ASSERT(again_len == 0 || memchr(again, ' ', again_len) == NULL);
    back_len = irc_tag_unescape(slice_make(again, again_len), back);
    ASSERT(slice_equal(slice_make(value, len), slice_make(back, back_len)));
    free(value);
    free(again);
    free(back);
}

static void
check_tags(struct slice tags)
{
    const size_t most = tags.len;
    struct slice rest = tags;
    struct irc_tag tag;
    size_t count = 0;

    while (irc_tag_next(&rest, &tag)) {
        ASSERT(++count <= most);
        ASSERT(tag.key.len > 0);
        ASSERT(lies_in(tag.key, tags) && lies_in(tag.raw, tags));
        check_value(tag.raw);
    }
}

/* The last param is written as trailing, which is always allowed. */
static void
put_together(const struct irc_message *m, struct buf *b)
{
    if (m->tags.len > 0)
        buf_printf(b, "@%.*s ", SLICE_ARG(m->tags));
    if (m->source.len > 0)
        buf_printf(b, ":%.*s ", SLICE_ARG(m->source));
    buf_append(b, m->command.data, m->command.len);
    for (size_t i = 0; i < m->count; i++)
        buf_printf(b, i + 1 == m->count ? " :%.*s" : " %.*s",
                   SLICE_ARG(m->params[i]));
    ASSERT(!b->failed);
}

static void
check_again(const struct irc_message *m)
{
    struct irc_message again;
    enum irc_verdict verdict;
    struct buf b;

    buf_init(&b);
    put_together(m, &b);
    verdict = irc_message_parse(slice_make(b.data, b.len), &again);
    if (verdict == IRC_TOO_LONG) { /* by the ':' that it had not */
        ASSERT(b.len > IRC_BODY_MAX);
        buf_fini(&b);
        return;
    }
    ASSERT(verdict == IRC_OK);
    ASSERT(slice_equal(m->tags, again.tags));
    ASSERT(slice_equal(m->source, again.source));
    ASSERT(slice_equal(m->command, again.command));
    ASSERT(m->count == again.count);
    for (size_t i = 0; i < m->count; i++)
        ASSERT(slice_equal(m->params[i], again.params[i]));
    buf_fini(&b);
}

static void
check_message(const struct irc_message *m, struct slice line)
{
    ASSERT(m->command.len > 0 && m->count <= IRC_PARAMS_MAX);
    ASSERT(m->tags.len <= IRC_TAGS_MAX);
    ASSERT(lies_in(m->tags, line) && lies_in(m->source, line));
    ASSERT(lies_in(m->command, line));
    for (size_t i = 0; i < m->count; i++)
        ASSERT(lies_in(m->params[i], line));
    check_tags(m->tags);
    check_again(m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *const copy = malloc(size + 1);
    const struct slice line = slice_make(copy, size);
    struct irc_message m;

    ASSERT(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    switch (irc_message_parse(line, &m)) {
    case IRC_OK:
        check_message(&m, line);
        break;
    case IRC_TOO_LONG:
        ASSERT(size > IRC_BODY_MAX);
        break;
    case IRC_HAS_NUL:
        ASSERT(memchr(copy, '\0', size) != NULL);
        break;
    case IRC_NOTHING:
    case IRC_BAD_COMMAND:
        check_tags(m.tags);
        break;
    }
    free(copy);
    return 0;
}
