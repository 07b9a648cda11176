/* SPDX-License-Identifier: BSD-2-Clause
 *
 * wheel - where a timer waits, and how time passes.
 *
 * Shape    Written in base 64, a time is a digit a ring. A timer waits in the
 *          ring of the highest digit in which it differs from now, in the slot
 *          that this digit names. The last ring is the exception: it goes
 *          round, and what lies more than 63 of its slots ahead waits in the
 *          slot that comes round last, to be placed anew from there.
 * Ready    The slot of now itself, slots[0][now % 64], holds what is due
 *          already: armed for a time gone by, or left over from a budget.
 *
 *  1. In rings 0 to 4 all slots that hold something lie ahead of now's own
 *     digit (in ring 0: at it or ahead), within the present turn of the ring.
 *     So the first slot of the lowest ring that holds something is the next.
 *  2. Moving now forward keeps every timer in its place, as long as no slot
 *     that holds something is passed: its digit stays the highest one that
 *     differs. Only a slot that is reached must be placed anew.
 *  3. A list's bit is set exactly when the list holds something.
 */
#include "base/wheel.h"

#include <assert.h>

#include "base/assert.h"
#include "base/compiler.h"

#define LAST       (WHEEL_LEVELS - 1u)
#define DIGIT_MASK (WHEEL_SLOTS - 1u)

static_assert(WHEEL_SLOTS == 64, "a ring's bitmap is one uint64_t");

static uint64_t
ring_time(uint64_t ms, unsigned level)
{
    return ms >> (WHEEL_BITS * level);
}

static unsigned
digit(uint64_t ms, unsigned level)
{
    return (unsigned)ring_time(ms, level) & DIGIT_MASK;
}

void
wheel_init(struct wheel *w, uint64_t now_ms)
{
    w->now_ms = now_ms;
    w->armed = 0;
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        w->bitmap[level] = 0;
        for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
            list_init(&w->slots[level][slot]);
    }
}

void
wheel_timer_init(struct wheel_timer *t, wheel_fn on_due)
{
    list_link_init(&t->link);
    t->due_ms = 0;
    t->on_due = on_due;
}

bool
wheel_is_armed(const struct wheel_timer *t)
{
    return list_is_linked(&t->link);
}

static unsigned
level_for(const struct wheel *w, uint64_t due_ms)
{
    const uint64_t differ = due_ms ^ w->now_ms;
    unsigned level;

    if (differ == 0)
        return 0;
    level = (63u - (unsigned)__builtin_clzll(differ)) / WHEEL_BITS;
    return level < LAST ? level : LAST;
}

static unsigned
slot_for(const struct wheel *w, uint64_t due_ms, unsigned level)
{
    if (level == LAST &&
        ring_time(due_ms, LAST) - ring_time(w->now_ms, LAST) >= WHEEL_SLOTS)
        return (digit(w->now_ms, LAST) + WHEEL_SLOTS - 1) & DIGIT_MASK;
    return digit(due_ms, level);
}

static void
place(struct wheel *w, struct wheel_timer *t)
{
    const uint64_t due_ms = t->due_ms > w->now_ms ? t->due_ms : w->now_ms;
    const unsigned level = level_for(w, due_ms);
    const unsigned slot = slot_for(w, due_ms, level);

    list_push_back(&w->slots[level][slot], &t->link);
    w->bitmap[level] |= UINT64_C(1) << slot;
}

/* Moves a slot's timers behind those in `to`. */
static void
empty_slot(struct wheel *w, unsigned level, unsigned slot, struct list *to)
{
    list_append_all(to, &w->slots[level][slot]);
    w->bitmap[level] &= ~(UINT64_C(1) << slot);
}

/* Takes a timer out. If it was alone, both its neighbours are the head of its
 * list, whose address says which slot has become empty; or it is none of the
 * wheel's, when the timer is one of those that wheel_advance() is firing. */
static void
take_out(struct wheel *w, struct wheel_timer *t)
{
    const struct list_link *const head = t->link.prev;
    const bool alone = head == t->link.next;
    const uintptr_t at = (uintptr_t)head - (uintptr_t)w->slots;

    list_remove(&t->link);
    w->armed--;
    if (alone && at < sizeof(w->slots)) {
        const size_t slot = at / sizeof(struct list);

        w->bitmap[slot / WHEEL_SLOTS] &= ~(UINT64_C(1) << slot % WHEEL_SLOTS);
    }
}

void
wheel_arm(struct wheel *w, struct wheel_timer *t, uint64_t due_ms)
{
    wheel_disarm(w, t);
    t->due_ms = due_ms;
    place(w, t);
    w->armed++;
}

void
wheel_disarm(struct wheel *w, struct wheel_timer *t)
{
    if (wheel_is_armed(t))
        take_out(w, t);
}

/* The slot that comes next in a ring that holds something (1.). */
static unsigned
next_slot(const struct wheel *w, unsigned level)
{
    const unsigned here = digit(w->now_ms, level);
    const uint64_t bits = w->bitmap[level];

    if (level < LAST || bits >> here != 0)
        return (unsigned)__builtin_ctzll(bits >> here) + here;
    return (unsigned)__builtin_ctzll(bits);
}

/* When that slot is reached; for the ready slot that is now. */
static uint64_t
slot_time(const struct wheel *w, unsigned level, unsigned slot)
{
    const unsigned ahead = (slot - digit(w->now_ms, level)) & DIGIT_MASK;

    return (ring_time(w->now_ms, level) + ahead) << (WHEEL_BITS * level);
}

/* The lowest ring that holds something, or WHEEL_LEVELS. */
static unsigned
next_level(const struct wheel *w)
{
    unsigned level = 0;

    while (level < WHEEL_LEVELS && w->bitmap[level] == 0)
        level++;
    return level;
}

static void
place_anew(struct wheel *w, unsigned level, unsigned slot)
{
    struct list moving;
    struct list_link *link;

    list_init(&moving);
    empty_slot(w, level, slot, &moving);
    while ((link = list_pop_front(&moving)) != NULL)
        place(w, CONTAINER_OF(link, struct wheel_timer, link));
}

/* Moves now to `now_ms`, and all that is due by then to `due`, in order. */
static void
collect_due(struct wheel *w, uint64_t now_ms, struct list *due)
{
    unsigned level;

    while ((level = next_level(w)) < WHEEL_LEVELS) {
        const unsigned slot = next_slot(w, level);
        const uint64_t reached_ms = slot_time(w, level, slot);

        if (reached_ms > now_ms)
            break;
        w->now_ms = reached_ms;
        if (level == 0)
            empty_slot(w, level, slot, due);
        else
            place_anew(w, level, slot);
    }
    w->now_ms = now_ms;
}

/* What the budget left goes before what callbacks armed for a time gone by. */
static void
put_back(struct wheel *w, struct list *due)
{
    const unsigned ready = digit(w->now_ms, 0);

    if (list_is_empty(due))
        return;
    list_append_all(due, &w->slots[0][ready]);
    list_append_all(&w->slots[0][ready], due);
    w->bitmap[0] |= UINT64_C(1) << ready;
}

size_t
wheel_advance(struct wheel *w, uint64_t now_ms, size_t budget)
{
    struct list due;
    size_t fired = 0;

    ASSERT(now_ms >= w->now_ms);

    list_init(&due);
    collect_due(w, now_ms, &due);
    while (fired < budget && !list_is_empty(&due)) {
        struct wheel_timer *const t =
            CONTAINER_OF(list_first(&due), struct wheel_timer, link);

        take_out(w, t);
        fired++;
        t->on_due(t, now_ms);
    }
    put_back(w, &due);
    return fired;
}

uint64_t
wheel_next_ms(const struct wheel *w)
{
    const unsigned level = next_level(w);

    if (level == WHEEL_LEVELS)
        return WHEEL_NEVER;
    return slot_time(w, level, next_slot(w, level));
}
