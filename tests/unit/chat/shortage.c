/* SPDX-License-Identifier: BSD-2-Clause
 *
 * shortage - see shortage.h.
 */
#include "shortage.h"

#include <stddef.h>

static struct {
    bool armed;
    bool lasting;
    uint32_t left; /* requests still granted */
    uint64_t refused;
} shortage;

static bool
must_fail(void)
{
    if (!shortage.armed)
        return false;
    if (shortage.left > 0) {
        shortage.left--;
        return false;
    }
    shortage.armed = shortage.lasting;
    shortage.refused++;
    return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);

void *
__wrap_malloc(size_t size)
{
    return must_fail() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
    return must_fail() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
    return must_fail() ? NULL : __real_realloc(old, size);
}

void *
__wrap_reallocarray(void *old, size_t count, size_t size)
{
    return must_fail() ? NULL : __real_reallocarray(old, count, size);
}

void *
__wrap_aligned_alloc(size_t align, size_t size)
{
    return must_fail() ? NULL : __real_aligned_alloc(align, size);
}

void
run_short(uint32_t granted, bool lasting)
{
    shortage.left = granted;
    shortage.lasting = lasting;
    shortage.refused = 0;
    shortage.armed = true;
}

void
run_free(void)
{
    shortage.armed = false;
}

uint64_t
run_refused(void)
{
    return shortage.refused;
}
