/* SPDX-License-Identifier: BSD-2-Clause
 *
 * page_pool - a few large blocks from a pool, for targets that make and break a
 * whole hub or server each time: slab pages, and the buffer into which a worker
 * reads. To AddressSanitizer a large or aligned block is an mmap() and a
 * munmap(), and that is most of the time that a short input takes.
 *
 * Use      EXTRA page_pool.c WRAP aligned_alloc free realloc
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/slab.h"

#define PAGES  64u
#define BUFFER 262144u
#define LARGE  131072u

static _Alignas(SLAB_PAGE) unsigned char pages[PAGES][SLAB_PAGE];
static bool is_taken[PAGES];

static unsigned char buffer[BUFFER];
static bool buffer_is_taken;

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __real_free(void *block);
void __wrap_free(void *block);

void *
__wrap_aligned_alloc(size_t alignment, size_t size)
{
    if (alignment == SLAB_PAGE && size == SLAB_PAGE)
        for (size_t i = 0; i < PAGES; i++)
            if (!is_taken[i]) {
                is_taken[i] = true;
                return pages[i];
            }
    return __real_aligned_alloc(alignment, size);
}

/* The one such block never grows in a target. */
void *
__wrap_realloc(void *block, size_t size)
{
    if (block != NULL || size < LARGE || size > BUFFER || buffer_is_taken)
        return __real_realloc(block, size);
    buffer_is_taken = true;
    return buffer;
}

void
__wrap_free(void *block)
{
    unsigned char *const first = (unsigned char *)pages;
    unsigned char *const at = block;

    if (at == buffer)
        buffer_is_taken = false;
    else if (at < first || at >= first + sizeof(pages))
        __real_free(block);
    else
        is_taken[(size_t)(at - first) / SLAB_PAGE] = false;
}
