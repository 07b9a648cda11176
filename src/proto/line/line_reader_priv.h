/* SPDX-License-Identifier: BSD-2-Clause
 *
 * line_reader - cuts a stream of bytes into lines.
 *
 * Shape    Pure. A line ends with LF; a CR right before it belongs to the
 *          ending, any other CR is dropped. A line that lies whole in the bytes
 *          given is handed out where it is; only one that is cut is copied.
 * Memory   Of a cut line, what came of it so far. Once that is more than `limit`
 *          bytes it is freed, the rest of the line is skipped, and when its end
 *          comes it counts as one LINE_TOO_LONG. So a reader holds at most the
 *          limit and one read.
 */
#ifndef PROTO_LINE_LINE_READER_PRIV_H
#define PROTO_LINE_LINE_READER_PRIV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/slice.h"

struct buf;

enum line_got {
    LINE_MORE, /* no end in sight; all bytes were eaten */
    LINE_READY,
    LINE_TOO_LONG,
    LINE_NO_MEMORY,
};

struct line_reader {
    struct buf *partial; /* the line so far; NULL: nothing, or skipping */
    bool skipping;       /* the rest of a line that is too long */
    bool after_cr;       /* the last byte eaten was a CR */
    bool saw_crlf;       /* some line ended with CR LF */
};

struct line_piece {
    enum line_got got;
    struct slice line; /* READY: without its ending; lives until
                          line_reader_forget(), or in the bytes given */
};

void line_reader_init(struct line_reader *r);

/* Eats bytes up to the end of a line, or all, and returns how many. */
size_t line_reader_take(struct line_reader *r, struct slice bytes, size_t limit,
                        struct line_piece *out);

/* Frees the line handed out, or what there is of the next. To be called between
 * a READY and the next take, and at the end. */
void line_reader_forget(struct line_reader *r);

#endif
