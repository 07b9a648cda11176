/* SPDX-License-Identifier: BSD-2-Clause
 *
 * text - how klatchctl writes things for people. Pure.
 *
 * Bytes    Whatever came from the server is cleaned again here before it
 *          reaches a terminal: nothing that a client may have chosen is taken
 *          on trust.
 */
#ifndef CTL_TEXT_H
#define CTL_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

/* One line: controls, bidi overrides and newlines are left out. */
void text_append(struct buf *out, struct slice text);

/* The same, line by line. */
void text_append_lines(struct buf *out, struct slice text);

/* 0s 59s 1m05s 2h03m 3d04h */
void text_append_duration(struct buf *out, uint64_t ms);

/* 0 999 1.0k 9.9k 10k 1023k 1.0M … (powers of 1024) */
void text_append_bytes(struct buf *out, uint64_t bytes);

/* Cleans every string in `json`, however deep. 0 or -ENOMEM. */
int text_clean_json(json_t *json);

/* ---- tables --------------------------------------------------------------- */

#define TEXT_COLUMNS_MAX 16

struct text_column {
    const char *title;
    bool right; /* numbers */
};

struct text_table {
    const struct text_column *columns;
    size_t column_count;
    struct buf text;  /* of all cells, one after the other */
    struct buf cells; /* of size_t: where each ends */
};

void text_table_init(struct text_table *t, const struct text_column *columns,
                     size_t n);
void text_table_fini(struct text_table *t);

/* Row by row, from left to right: what was appended to t->text since the last
 * cell is a cell. */
void text_table_end_cell(struct text_table *t);

/* Titles and rows, as wide as they need to be; the last column is not padded.
 * The last row must be whole. */
void text_table_append(const struct text_table *t, struct buf *out);

#endif
