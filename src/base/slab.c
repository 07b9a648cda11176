/* SPDX-License-Identifier: BSD-2-Clause
 *
 * slab - see slab.h.
 *
 * Shape    A page is a header and then places of object_size bytes. The header
 *          has a bit for each place, set while it is free; the lowest free
 *          place is handed out first. Free memory is never read or written, so
 *          a page costs only what was used of it, and a second slab_put() of
 *          the same object is noticed at once.
 * Order    Pages with objects stand before the empty one in `partial`, so that
 *          the empty page is only touched when all others are full.
 * Memory   AddressSanitizer is told which places are free; a use of an object
 *          after slab_put() is reported as if malloc() had been asked.
 */
#include "base/slab.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#ifndef __has_feature
#define __has_feature(x) 0 /* gcc 12 has no such question */
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, len)   ((void)(at), (void)(len))
#define ASAN_UNPOISON_MEMORY_REGION(at, len) ((void)(at), (void)(len))
#endif

#define OBJECT_ALIGN 16u
#define WORD_BITS    64u
#define FREE_WORDS   (SLAB_PAGE / OBJECT_ALIGN / WORD_BITS)

struct page {
    struct list_link link; /* in partial or full */
    struct slab *slab;
    uint32_t used;
    uint64_t free[FREE_WORDS]; /* bit set: this place is free */
    _Alignas(OBJECT_ALIGN) unsigned char places[];
};

static_assert(sizeof(struct page) % OBJECT_ALIGN == 0, "places are aligned");
static_assert((SLAB_PAGE & (SLAB_PAGE - 1)) == 0, "pages are found by a mask");

/* Counted where it is taken, so that threads share nothing here. */
static _Thread_local uint64_t live_here;

uint64_t
slab_live(void)
{
    return live_here;
}

static struct page *
page_of_link(struct list_link *link)
{
    return CONTAINER_OF(link, struct page, link);
}

static struct page *
page_of_object(const void *object)
{
    return (struct page *)((uintptr_t)object & ~(uintptr_t)(SLAB_PAGE - 1));
}

static void
page_mark_free(struct page *page, uint32_t place)
{
    page->free[place / WORD_BITS] |= UINT64_C(1) << place % WORD_BITS;
}

static bool
page_is_free(const struct page *page, uint32_t place)
{
    return (page->free[place / WORD_BITS] >> place % WORD_BITS & 1) != 0;
}

/* Marks the lowest free place as taken and returns it; there is one. */
static uint32_t
page_take_place(struct page *page)
{
    uint32_t word = 0;
    uint32_t bit;

    while (page->free[word] == 0) {
        word++;
        ASSERT(word < FREE_WORDS);
    }
    bit = (uint32_t)__builtin_ctzll(page->free[word]);
    page->free[word] &= ~(UINT64_C(1) << bit);
    return word * WORD_BITS + bit;
}

static struct page *
page_create(struct slab *slab)
{
    struct page *const page = aligned_alloc(SLAB_PAGE, SLAB_PAGE);

    if (page == NULL)
        return NULL;

    memset(page, 0, sizeof(*page));
    page->slab = slab;
    for (uint32_t place = 0; place < slab->per_page; place++)
        page_mark_free(page, place);
    ASAN_POISON_MEMORY_REGION(page->places, SLAB_PAGE - sizeof(*page));

    list_push_back(&slab->partial, &page->link);
    slab->empty_pages++;
    slab->pages++;
    return page;
}

static void
page_destroy(struct slab *slab, struct page *page)
{
    ASSERT(page->used == 0);

    list_remove(&page->link);
    slab->pages--;
    ASAN_UNPOISON_MEMORY_REGION(page->places, SLAB_PAGE - sizeof(*page));
    free(page);
}

void
slab_init(struct slab *slab, size_t object_size)
{
    ASSERT(object_size > 0 && object_size <= SLAB_PAGE / 4);

    *slab = (struct slab){
        .object_size =
            (object_size + OBJECT_ALIGN - 1) / OBJECT_ALIGN * OBJECT_ALIGN,
    };
    slab->per_page =
        (uint32_t)((SLAB_PAGE - sizeof(struct page)) / slab->object_size);
    list_init(&slab->partial);
    list_init(&slab->full);
}

void
slab_fini(struct slab *slab)
{
    struct list_link *link;

    ASSERT(slab->live == 0);

    while ((link = list_first(&slab->partial)) != NULL)
        page_destroy(slab, page_of_link(link));
    slab->empty_pages = 0;
}

static struct page *
page_with_room(struct slab *slab)
{
    struct list_link *const link = list_first(&slab->partial);

    return link != NULL ? page_of_link(link) : page_create(slab);
}

void *
slab_get(struct slab *slab)
{
    struct page *const page = page_with_room(slab);
    void *object;

    if (page == NULL)
        return NULL;

    object = page->places + page_take_place(page) * slab->object_size;
    if (page->used == 0)
        slab->empty_pages--;
    page->used++;
    slab->live++;
    live_here++;
    if (page->used == slab->per_page) {
        list_remove(&page->link);
        list_push_back(&slab->full, &page->link);
    }

    ASAN_UNPOISON_MEMORY_REGION(object, slab->object_size);
    return memset(object, 0, slab->object_size);
}

/* Puts `page`, which just lost an object, where it now belongs. */
static void
page_settle(struct slab *slab, struct page *page)
{
    if (page->used == 0 && slab->empty_pages > 0) {
        page_destroy(slab, page);
        return;
    }

    if (page->used == 0) {
        slab->empty_pages++;
        list_remove(&page->link);
        list_push_back(&slab->partial, &page->link);
    } else if (page->used == slab->per_page - 1) { /* it was full */
        list_remove(&page->link);
        list_push_front(&slab->partial, &page->link);
    }
}

void
slab_put(struct slab *slab, void *object)
{
    struct page *page;
    size_t offset;
    uint32_t place;

    if (object == NULL)
        return;

    page = page_of_object(object);
    offset = (size_t)((unsigned char *)object - page->places);
    place = (uint32_t)(offset / slab->object_size);
    ASSERT(page->slab == slab && offset % slab->object_size == 0);
    ASSERT(place < slab->per_page && !page_is_free(page, place));

    ASAN_POISON_MEMORY_REGION(object, slab->object_size);
    page_mark_free(page, place);
    page->used--;
    slab->live--;
    live_here--;
    page_settle(slab, page);
}
