/* SPDX-License-Identifier: BSD-2-Clause
 */
#include "unit/ops/short_memory.h"

#include <stdbool.h>
#include <stddef.h>

long allocations_left = -1;

static bool
memory_is_short(void)
{
    if (allocations_left == 0)
        return true;
    if (allocations_left > 0)
        allocations_left--;
    return false;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);

void *
__wrap_malloc(size_t size)
{
    return memory_is_short() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
    return memory_is_short() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
    return memory_is_short() ? NULL : __real_realloc(old, size);
}
