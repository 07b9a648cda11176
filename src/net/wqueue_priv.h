/* SPDX-License-Identifier: BSD-2-Clause
 *
 * wqueue - the msgs that wait to be written to one socket, in order.
 *
 * Shape    The oldest msg is in the struct itself, the others in a chain of
 *          chunks. So the usual case, one msg a turn to each of many conns,
 *          takes no memory at all, and an empty queue holds none.
 * Memory   Chunks come from the worker's slab, passed in. The queue has one
 *          reference to each msg in it.
 *
 *  1. `first` is NULL exactly when the queue is empty; then there is no chunk.
 *  2. No chunk in the chain is empty.
 *  3. offset < first->len, and `bytes` is what is left: lengths minus offset.
 */
#ifndef NET_WQUEUE_PRIV_H
#define NET_WQUEUE_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct iovec;
struct msg;
struct slab;
struct wqueue_chunk;

struct wqueue {
    struct msg *first;
    struct wqueue_chunk *head; /* what comes after `first` */
    struct wqueue_chunk *tail;
    uint32_t offset; /* bytes of `first` that are written */
    uint32_t bytes;
};

/* What the slab is to be made for. */
size_t wqueue_chunk_size(void);

void wqueue_init(struct wqueue *q);

static inline bool
wqueue_is_empty(const struct wqueue *q)
{
    return q->first == NULL;
}

/* Appends `m`, which is not empty, and takes the caller's reference over. 0,
 * or -ENOMEM or -EOVERFLOW with nothing changed. */
MUST_CHECK int wqueue_push(struct wqueue *q, struct slab *chunks,
                           struct msg *m);

/* Points up to `max` iovecs to what is to be written next; how many. */
size_t wqueue_gather(const struct wqueue *q, struct iovec *iov, size_t max);

/* `bytes` more are written: lets go of the msgs that are out whole, and returns
 * how many those are. */
size_t wqueue_consume(struct wqueue *q, struct slab *chunks, size_t bytes);

/* Drops what comes behind a half-written msg, or all; how many msgs. */
size_t wqueue_cut(struct wqueue *q, struct slab *chunks);

/* Drops all; how many msgs that were, a half-written one included. */
size_t wqueue_clear(struct wqueue *q, struct slab *chunks);

#endif
