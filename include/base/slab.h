/* SPDX-License-Identifier: BSD-2-Clause
 *
 * slab - many objects of one size, for one thread.
 *
 * Shape    Pages of SLAB_PAGE bytes aligned to their size, so that an object's
 *          page is found by masking its address. A page with free places is in
 *          the slab's list; a page that becomes empty is given back, but for
 *          one that is kept against flapping.
 * Memory   Less per object than malloc's size classes, and an exact count.
 * Threads  All calls by the one thread that holds the slab.
 */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/list.h"

#define SLAB_PAGE 16384u

struct slab {
    struct list partial; /* pages with at least one free place */
    struct list full;
    size_t object_size;   /* rounded up to 16 */
    uint32_t per_page;    /* objects that fit one page */
    uint32_t empty_pages; /* 0 or 1 */
    uint64_t live;        /* objects handed out */
    uint64_t pages;
};

/* `object_size` is at most a quarter of SLAB_PAGE. */
void slab_init(struct slab *slab, size_t object_size);

/* Every object must have been given back. */
void slab_fini(struct slab *slab);

/* A zeroed object, or NULL when memory is short. */
MUST_CHECK void *slab_get(struct slab *slab);

/* NULL is fine. */
void slab_put(struct slab *slab, void *object);

/* [any] Objects that this thread took less those it gave back, over all slabs.
 * Below 0 (modulo 2^64) for a thread that tidies up after others; the sum over
 * all threads is exact. */
uint64_t slab_live(void);

#endif
