/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A stream of lines: the first byte says how it is cut, the second how long a
 * line may be, the rest is the stream. What the reader makes of it must be what
 * a reader that sees all of it at once and keeps nothing would; and whatever a
 * line holds, it can be cleaned, parsed and taken apart into words.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "proto/line/line_priv.h"
#include "support/fuzz.h"

#define CLEAN (UTF8_KEEP_FORMATTING | UTF8_KEEP_TABS)

/* ---- a line, once it is whole -------------------------------------------- */

static bool
lies_within(struct slice part, struct slice whole)
{
    return part.len == 0 || (part.data >= whole.data &&
                             part.data + part.len <= whole.data + whole.len);
}

static void
check_words(struct slice text)
{
    struct slice rest = text;
    struct slice word;
    size_t total = 0;
    uint32_t n;

    while ((word = line_word(&rest)).len > 0) {
        ASSERT(lies_within(word, text) && lies_within(rest, text));
        ASSERT(memchr(word.data, ' ', word.len) == NULL);
        ASSERT(!line_number(word, &n) || word.data[0] <= '9');
        total += word.len;
    }
    ASSERT(rest.len == 0 && total <= text.len);
    ASSERT(lies_within(line_trim(text), text));
}

static void
check_line(struct slice raw)
{
    struct line_input in;
    struct slice line;
    struct buf clean;

    buf_init(&clean);
    utf8_clean(raw, CLEAN, &clean);
    ASSERT(!clean.failed);
    line = slice_make(clean.data, clean.len);
    line_parse(line, &in);

    ASSERT(lies_within(in.text, line));
    ASSERT(utf8_is_valid(in.text));
    ASSERT((in.kind == LINE_COMMAND) == (in.command != NULL));
    ASSERT(in.kind != LINE_TALK || in.text.len > 0);
    check_words(in.text);
    buf_fini(&clean);
}

/* ---- two readers --------------------------------------------------------- */

static void
note(struct buf *b, bool is_long, struct slice line)
{
    if (is_long) {
        buf_append_char(b, '!');
        return;
    }
    buf_printf(b, "%zu:", line.len);
    buf_append(b, line.data, line.len);
}

/* One step of the reader at test; returns how much it ate. */
static size_t
take(struct line_reader *r, struct slice bytes, size_t limit, struct buf *out)
{
    struct line_piece piece;
    const size_t used = line_reader_take(r, bytes, limit, &piece);

    ASSERT(used >= 1 && used <= bytes.len);
    switch (piece.got) {
    case LINE_MORE:
        ASSERT(used == bytes.len);
        ASSERT(r->partial == NULL || r->partial->len <= limit);
        break;
    case LINE_READY:
        note(out, false, piece.line);
        check_line(piece.line);
        line_reader_forget(r);
        break;
    case LINE_TOO_LONG:
        note(out, true, piece.line);
        break;
    case LINE_NO_MEMORY:
        ASSERT(false);
        break;
    }
    return used;
}

/* In pieces of `step` bytes. */
static void
run(struct slice stream, size_t step, size_t limit, struct buf *out)
{
    struct line_reader r;

    line_reader_init(&r);
    while (stream.len > 0) {
        const size_t len = stream.len < step ? stream.len : step;
        char *const bytes = malloc(len); /* no longer: ASan watches */
        size_t used = 0;

        ASSERT(bytes != NULL);
        memcpy(bytes, stream.data, len);
        while (used < len)
            used += take(&r, slice_make(bytes + used, len - used), limit, out);
        free(bytes);
        stream = slice_make(stream.data + len, stream.len - len);
    }
    line_reader_forget(&r);
}

/* The plain one. */
static void
run_plainly(struct slice stream, size_t limit, struct buf *out)
{
    struct buf line;

    buf_init(&line);
    for (size_t i = 0; i < stream.len; i++) {
        if (stream.data[i] == '\n') {
            note(out, line.len > limit, slice_make(line.data, line.len));
            buf_reset(&line);
        } else if (stream.data[i] != '\r') {
            buf_append_char(&line, stream.data[i]);
        }
    }
    buf_fini(&line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice stream;
    struct buf cut, plain;
    size_t step, limit;

    if (size < 2)
        return 0;
    step = (size_t)data[0] % 32 + 1;
    limit = (size_t)data[1] % 64;
    stream = slice_make(data + 2, size - 2);

    buf_init(&cut);
    buf_init(&plain);
    run(stream, step, limit, &cut);
    run_plainly(stream, limit, &plain);
    ASSERT(slice_equal(slice_make(cut.data, cut.len),
                       slice_make(plain.data, plain.len)));
    buf_fini(&cut);
    buf_fini(&plain);
    return 0;
}
