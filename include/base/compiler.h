/* SPDX-License-Identifier: BSD-2-Clause
 *
 * compiler - what the language leaves to the compiler, under our names.
 */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

#include <stddef.h>

/* Fields that different threads write are this far apart. */
#define CACHE_LINE 64

#define MUST_CHECK            __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, arg) __attribute__((format(printf, fmt, arg)))
#define BIT(n)                (1u << (n))
#define ARRAY_LEN(a)          (sizeof(a) / sizeof((a)[0]))

/* The struct of `type` whose field `member` is at `ptr`. */
#define CONTAINER_OF(ptr, type, member) \
    ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#define CONST_CONTAINER_OF(ptr, type, member) \
    ((const type *)(const void *)((const char *)(ptr)-offsetof(type, member)))

#endif
