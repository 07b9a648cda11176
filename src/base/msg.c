/* SPDX-License-Identifier: BSD-2-Clause
 *
 * msg - see msg.h.
 *
 * Shape    The census is kept in a few tallies, one a cache line; a thread adds
 *          to the one it was dealt when it first made or freed a msg. What one
 *          thread made another may free, so a single tally means nothing and
 *          may be below zero (it wraps); their sum is the count.
 * Threads  Two threads may have been dealt the same tally, hence real atomic
 *          additions; with fewer threads than tallies no line is ever shared.
 */
#include "base/msg.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#define TALLY_COUNT 32u
#define TALLY_NONE  UINT32_MAX

struct tally {
    _Alignas(CACHE_LINE) _Atomic uint64_t msgs;
    _Atomic uint64_t bytes;
};

static struct tally tallies[TALLY_COUNT];
static _Atomic uint32_t tallies_dealt;
static _Thread_local uint32_t my_tally = TALLY_NONE;

static struct tally *
tally_mine(void)
{
    if (my_tally == TALLY_NONE) {
        /* relaxed: only the number matters. */
        my_tally =
            atomic_fetch_add_explicit(&tallies_dealt, 1, memory_order_relaxed) %
            TALLY_COUNT;
    }
    return &tallies[my_tally];
}

/* relaxed, here and in the readers: the counts publish nothing; whoever wants
 * them exact has first waited for the threads that change them. */
static void
tally_add(uint64_t msgs, uint64_t bytes)
{
    struct tally *const tally = tally_mine();

    atomic_fetch_add_explicit(&tally->msgs, msgs, memory_order_relaxed);
    atomic_fetch_add_explicit(&tally->bytes, bytes, memory_order_relaxed);
}

uint64_t
msg_live(void)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < TALLY_COUNT; i++) /* relaxed: see tally_add() */
        sum += atomic_load_explicit(&tallies[i].msgs, memory_order_relaxed);
    return sum;
}

uint64_t
msg_live_bytes(void)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < TALLY_COUNT; i++) /* relaxed: see tally_add() */
        sum += atomic_load_explicit(&tallies[i].bytes, memory_order_relaxed);
    return sum;
}

/* `slack` bytes lie behind the msg and belong to nobody. */
static struct msg *
allocate(size_t len, size_t slack)
{
    struct msg *m;

    if (len > MSG_MAX)
        return NULL;
    m = malloc(sizeof(*m) + len + slack);
    if (m == NULL)
        return NULL;

    atomic_init(&m->refs, 1);
    m->len = (uint32_t)len;
    tally_add(1, len);
    return m;
}

struct msg *
msg_create(size_t len)
{
    return allocate(len, 0);
}

struct msg *
msg_copy(const void *data, size_t len)
{
    struct msg *const m = allocate(len, 0);

    if (m != NULL && len > 0)
        memcpy(m->data, data, len);
    return m;
}

struct msg *
msg_printf(const char *fmt, ...)
{
    struct msg *m;
    va_list args;
    int len;

    va_start(args, fmt);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0)
        return NULL;

    m = allocate((size_t)len, 1); /* vsnprintf() insists on its NUL */
    if (m == NULL)
        return NULL;
    va_start(args, fmt);
    (void)vsnprintf((char *)m->data, (size_t)len + 1, fmt, args);
    va_end(args);
    return m;
}

struct msg *
msg_ref(struct msg *m)
{
    uint32_t before;

    /* relaxed: the caller holds a reference, so the msg is already visible to
     * it and cannot be freed meanwhile. */
    before = atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
    ASSERT(before > 0);
    return m;
}

void
msg_unref(struct msg *m)
{
    uint32_t before;

    if (m == NULL)
        return;

    /* release: what this thread read of the msg, it read before; acquire: the
     * thread that frees has seen the releases of all others. Pairs with this
     * same line on those threads. No fence, which ThreadSanitizer cannot see. */
    before = atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel);
    ASSERT(before > 0);
    if (before > 1)
        return;

    tally_add(0 - UINT64_C(1), 0 - (uint64_t)m->len);
    free(m);
}
