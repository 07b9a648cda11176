/* SPDX-License-Identifier: BSD-2-Clause
 *
 * metric - counters that one thread adds to and any thread reads.
 *
 * A module lists its counters once, as an X-macro table in its own header:
 *
 *   #define CONN_COUNTERS(X)                                                  \
 *       X(accepted, COUNTER, "connections accepted")                          \
 *       X(open,     GAUGE,   "connections open")
 *
 *   struct conn_counters { CONN_COUNTERS(METRIC_FIELD) };
 *   extern const struct metric_desc conn_metrics[];    (METRIC_DESC rows)
 *
 * Threads  Each thread has a struct of its own and is its only writer, so an
 *          addition is a load and a store, no locked instruction. Readers sum
 *          over the threads' structs; each value is exact, their sum as fresh
 *          as the reads.
 */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum metric_kind {
    METRIC_COUNTER, /* only grows */
    METRIC_GAUGE,   /* goes up and down */
};

struct metric_desc {
    const char *name;
    enum metric_kind kind;
    size_t offset; /* of the _Atomic uint64_t in the thread's struct */
    const char *help;
};

#define METRIC_FIELD(name, kind, help) _Atomic uint64_t name;
#define METRIC_DESC(type, name, kind, help)              \
    {                                                    \
#name, METRIC_##kind, offsetof(type, name), help \
    }

/* [owner] Relaxed: a counter publishes nothing but itself. */
static inline void
metric_add(_Atomic uint64_t *metric, uint64_t n)
{
    atomic_store_explicit(
        metric, atomic_load_explicit(metric, memory_order_relaxed) + n,
        memory_order_relaxed);
}

/* [owner] */
static inline void
metric_sub(_Atomic uint64_t *metric, uint64_t n)
{
    metric_add(metric, 0 - n);
}

/* [any] */
static inline uint64_t
metric_read(const _Atomic uint64_t *metric)
{
    return atomic_load_explicit(metric, memory_order_relaxed);
}

/* [any] The counter `desc` in the struct at `base`. */
static inline uint64_t
metric_read_at(const void *base, const struct metric_desc *desc)
{
    return metric_read(
        (const _Atomic uint64_t *)(const void *)((const char *)base +
                                                 desc->offset));
}

#endif
