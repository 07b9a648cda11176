/* SPDX-License-Identifier: BSD-2-Clause
 *
 * buf - bytes that grow at the end; for building lines and keeping partials.
 *
 * Memory   Errors stick: after an append failed for want of memory the buf
 *          holds what it held, `failed` is set and later appends do nothing,
 *          so a builder checks once, at the end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct msg;

struct buf {
    char *data; /* not NUL-terminated */
    size_t len;
    size_t cap;
    bool failed;
};

void buf_init(struct buf *b);
void buf_fini(struct buf *b);

/* Empties; keeps the memory and clears `failed`. */
void buf_reset(struct buf *b);

void buf_append(struct buf *b, const void *data, size_t len);
void buf_append_str(struct buf *b, const char *str);
void buf_append_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Drops the first `len` bytes. */
void buf_consume(struct buf *b, size_t len);

/* A msg with a copy of the contents; NULL when memory is or was short. */
MUST_CHECK struct msg *buf_to_msg(const struct buf *b);

#endif
