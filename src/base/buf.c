/* SPDX-License-Identifier: BSD-2-Clause
 *
 * buf - see buf.h. Room doubles, so n appends cost n copies at most twice over.
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/msg.h"

#define BUF_FIRST_CAP 64u

void
buf_init(struct buf *b)
{
    *b = (struct buf){.data = NULL};
}

void
buf_fini(struct buf *b)
{
    free(b->data);
    buf_init(b);
}

void
buf_reset(struct buf *b)
{
    b->len = 0;
    b->failed = false;
}

static size_t
cap_for(size_t cap, size_t need)
{
    if (cap < BUF_FIRST_CAP)
        cap = BUF_FIRST_CAP;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    return cap;
}

/* Makes room for `more` bytes; false, and `failed` set, when there is none. */
static bool
reserve(struct buf *b, size_t more)
{
    size_t cap;
    char *data;

    if (b->failed)
        return false;
    if (more <= b->cap - b->len)
        return true;
    if (more > SIZE_MAX - b->len)
        goto fail;

    cap = cap_for(b->cap, b->len + more);
    data = realloc(b->data, cap);
    if (data == NULL)
        goto fail;

    b->data = data;
    b->cap = cap;
    return true;

fail:
    b->failed = true;
    return false;
}

void
buf_append(struct buf *b, const void *data, size_t len)
{
    if (len == 0 || !reserve(b, len))
        return;

    memcpy(b->data + b->len, data, len);
    b->len += len;
}

void
buf_append_str(struct buf *b, const char *str)
{
    buf_append(b, str, strlen(str));
}

void
buf_append_char(struct buf *b, char c)
{
    buf_append(b, &c, 1);
}

/* Writes into the room there is. Returns the length the text has, whether or
 * not it fitted with its NUL; negative when it cannot be formatted. */
PRINTF_LIKE(2, 0)
static int
print_into_room(struct buf *b, const char *fmt, va_list args)
{
    char *const end = b->data == NULL ? NULL : b->data + b->len;

    return vsnprintf(end, b->cap - b->len, fmt, args);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args;
    int len;

    if (b->failed)
        return;

    va_start(args, fmt);
    len = print_into_room(b, fmt, args);
    va_end(args);
    if (len < 0) {
        b->failed = true;
        return;
    }

    if ((size_t)len >= b->cap - b->len) {
        if (!reserve(b, (size_t)len + 1)) /* 1: the NUL, not counted in len */
            return;
        va_start(args, fmt);
        (void)print_into_room(b, fmt, args);
        va_end(args);
    }
    b->len += (size_t)len;
}

void
buf_consume(struct buf *b, size_t len)
{
    ASSERT(len <= b->len);

    if (len == 0)
        return;
    b->len -= len;
    memmove(b->data, b->data + len, b->len);
}

struct msg *
buf_to_msg(const struct buf *b)
{
    return b->failed ? NULL : msg_copy(b->data, b->len);
}
