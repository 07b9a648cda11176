/* SPDX-License-Identifier: BSD-2-Clause
 *
 * slice - bytes that belong to somebody else: a pointer and a length.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *data; /* not NUL-terminated; may be NULL when len is 0 */
    size_t len;
};

/* For printf's "%.*s". */
#define SLICE_ARG(s) (int)(s).len, ((s).data != NULL ? (s).data : "")

static inline struct slice
slice_of(const char *str)
{
    return (struct slice){.data = str, .len = strlen(str)};
}

static inline struct slice
slice_make(const void *data, size_t len)
{
    return (struct slice){.data = data, .len = len};
}

static inline bool
slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

#endif
