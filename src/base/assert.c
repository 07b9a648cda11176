/* SPDX-License-Identifier: BSD-2-Clause
 *
 * assert - the last words of a process that found itself wrong.
 *
 * Order    Goes to stderr directly and not through the log: whatever broke may
 *          be the log, or may hold what the log would wait for.
 */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void
assert_failed(const char *expr, const char *file, int line, const char *func)
{
    (void)dprintf(STDERR_FILENO, "klatch: %s:%d: %s: does not hold: %s\n", file,
                  line, func, expr);
    abort();
}
