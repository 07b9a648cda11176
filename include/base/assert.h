/* SPDX-License-Identifier: BSD-2-Clause
 *
 * assert - facts about ourselves; never about what a peer sent.
 *
 * ASSERT is compiled into every build: it is for cheap facts. DEBUG_ASSERT is
 * for walks over whole structures and exists in debug builds only.
 */
#ifndef BASE_ASSERT_H
#define BASE_ASSERT_H

/* [any] Says what did not hold on stderr, then aborts. */
_Noreturn void assert_failed(const char *expr, const char *file, int line,
                             const char *func);

#define ASSERT(expr) \
    ((expr) ? (void)0 : assert_failed(#expr, __FILE__, __LINE__, __func__))

#ifdef KLATCH_DEBUG
#define DEBUG_ASSERT(expr) ASSERT(expr)
#else
#define DEBUG_ASSERT(expr) ((void)sizeof(expr))
#endif

#endif
