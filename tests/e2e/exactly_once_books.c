/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See exactly_once.h: the books.
 */
#include <check.h>
#include <inttypes.h>
#include <stdlib.h>

#include "e2e/exactly_once.h"

struct book {
    struct said *said;
    size_t count;
    size_t cap;
    uint32_t *last; /* number of each sender */
};

void
books_init(struct books *b, const struct plan *plan)
{
    *b = (struct books){.room_count = plan->rooms,
                        .senders = plan->guests,
                        .may_miss = plan->may_miss};
    b->rooms = calloc(b->room_count, sizeof(*b->rooms));
    ck_assert_ptr_nonnull(b->rooms);
    for (size_t i = 0; i < b->room_count; i++) {
        b->rooms[i].last = calloc(b->senders, sizeof(uint32_t));
        ck_assert_ptr_nonnull(b->rooms[i].last);
    }
}

void
books_fini(struct books *b)
{
    for (size_t i = 0; i < b->room_count; i++) {
        free(b->rooms[i].said);
        free(b->rooms[i].last);
    }
    free(b->rooms);
}

size_t
books_count(const struct books *b, size_t room)
{
    return b->rooms[room].count;
}

static _Noreturn void
complain(size_t room, const struct said *what, const char *why)
{
    e2e_fail("#r%zu: @%" PRIu64 ", number %u of m%u, %s", room, what->id,
             what->number, what->sender, why);
}

static bool
is_same(const struct said *a, const struct said *b)
{
    return a->id == b->id && a->sender == b->sender && a->number == b->number;
}

/* Nobody has heard it before. */
static void
write_down(struct books *b, size_t room, const struct said *what)
{
    struct book *const book = &b->rooms[room];
    uint32_t *const last = &book->last[what->sender];

    if (book->count > 0 && book->said[book->count - 1].id >= what->id)
        complain(room, what, "is older than what others heard last");
    if (what->number <= *last)
        complain(room, what, "was said twice");
    if (what->number != *last + 1 && !b->may_miss)
        complain(room, what, "comes before an earlier one of the same sender");
    *last = what->number;

    if (book->count == book->cap) {
        book->cap = book->cap * 2 + 1024;
        book->said = realloc(book->said, book->cap * sizeof(*book->said));
        ck_assert_ptr_nonnull(book->said);
    }
    book->said[book->count++] = *what;
}

/* The place of the first with that id or a higher one. */
static size_t
place_of(const struct book *book, uint64_t id)
{
    size_t from = 0, to = book->count;

    while (from < to) {
        const size_t mid = (from + to) / 2;

        if (book->said[mid].id < id)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

void
books_hear(struct books *b, size_t room, const struct said *what,
           struct bookmark *mark)
{
    const struct book *const book = &b->rooms[room];
    size_t place;

    ck_assert_uint_lt(room, b->room_count);
    ck_assert_uint_lt(what->sender, b->senders);
    place = place_of(book, what->id);
    if (place == book->count)
        write_down(b, room, what);
    if (!is_same(&book->said[place], what))
        complain(room, what, "is something else than what others heard");
    if (place < mark->next)
        complain(room, what, "comes again under a higher id");
    if (place > mark->next && !b->may_miss)
        complain(room, what, "comes without the one before it");
    mark->skipped += place - mark->next;
    mark->next = place + 1;
}

void
books_hear_again(const struct books *b, size_t room, const struct said *what,
                 const struct bookmark *mark)
{
    const struct book *const book = &b->rooms[room];
    const size_t place = place_of(book, what->id);

    if (place >= mark->next || !is_same(&book->said[place], what))
        complain(room, what, "comes late, and not for the second time");
}
