/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/line/line_reader_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

void
line_reader_init(struct line_reader *r)
{
    *r = (struct line_reader){.partial = NULL};
}

void
line_reader_forget(struct line_reader *r)
{
    if (r->partial == NULL)
        return;

    buf_fini(r->partial);
    free(r->partial);
    r->partial = NULL;
}

/* Appends `bytes` but for their CRs. */
static void
append_without_cr(struct buf *b, struct slice bytes)
{
    while (bytes.len > 0) {
        const char *const cr = memchr(bytes.data, '\r', bytes.len);
        const size_t n = cr == NULL ? bytes.len : (size_t)(cr - bytes.data);

        buf_append(b, bytes.data, n);
        if (cr == NULL)
            return;
        bytes = slice_make(cr + 1, bytes.len - n - 1);
    }
}

/* Adds to the partial line. LINE_MORE: it went well, or is skipped now. */
static enum line_got
partial_add(struct line_reader *r, struct slice bytes, size_t limit)
{
    if (r->skipping || bytes.len == 0)
        return LINE_MORE;

    if (r->partial == NULL) {
        r->partial = malloc(sizeof(*r->partial));
        if (r->partial == NULL)
            return LINE_NO_MEMORY;
        buf_init(r->partial);
    }

    append_without_cr(r->partial, bytes);
    if (r->partial->failed)
        return LINE_NO_MEMORY;
    if (r->partial->len > limit) {
        line_reader_forget(r);
        r->skipping = true;
    }
    return LINE_MORE;
}

/* The line is at hand in one piece and no CR is in the middle of it. */
static bool
is_in_place(const struct line_reader *r, struct slice text)
{
    return r->partial == NULL && !r->skipping &&
           (text.len == 0 || memchr(text.data, '\r', text.len) == NULL);
}

/* The bytes before the LF, with the CR of the ending, if any, cut off. */
static struct slice
ending_cut(struct line_reader *r, struct slice bytes)
{
    bool crlf = r->after_cr;

    if (bytes.len > 0) {
        crlf = bytes.data[bytes.len - 1] == '\r';
        bytes.len -= crlf ? 1 : 0;
    }
    r->saw_crlf |= crlf;
    r->after_cr = false;
    return bytes;
}

static void
line_finish(struct line_reader *r, struct slice text, size_t limit,
            struct line_piece *out)
{
    text = ending_cut(r, text);
    if (is_in_place(r, text)) {
        out->got = text.len <= limit ? LINE_READY : LINE_TOO_LONG;
        out->line = text;
        return;
    }

    out->got = partial_add(r, text, limit);
    if (out->got == LINE_NO_MEMORY)
        return;

    out->got = r->skipping ? LINE_TOO_LONG : LINE_READY;
    if (r->partial != NULL)
        out->line = slice_make(r->partial->data, r->partial->len);
    r->skipping = false;
}

size_t
line_reader_take(struct line_reader *r, struct slice bytes, size_t limit,
                 struct line_piece *out)
{
    const char *const lf =
        bytes.len == 0 ? NULL : memchr(bytes.data, '\n', bytes.len);

    *out = (struct line_piece){.got = LINE_MORE};
    if (lf != NULL) {
        const size_t len = (size_t)(lf - bytes.data);

        line_finish(r, slice_make(bytes.data, len), limit, out);
        return len + 1;
    }

    out->got = partial_add(r, bytes, limit);
    if (bytes.len > 0)
        r->after_cr = bytes.data[bytes.len - 1] == '\r';
    return bytes.len;
}
