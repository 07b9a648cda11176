/* SPDX-License-Identifier: BSD-2-Clause
 *
 * wqueue - see wqueue_priv.h.
 */
#include "net/wqueue_priv.h"

#include <assert.h>
#include <errno.h>
#include <sys/uio.h>

#include "base/assert.h"
#include "base/msg.h"
#include "base/slab.h"

#define CHUNK_MSGS 30u

/* msgs[from .. to - 1] wait. */
struct wqueue_chunk {
    struct wqueue_chunk *next;
    uint32_t from;
    uint32_t to;
    struct msg *msgs[CHUNK_MSGS];
};

static_assert(sizeof(struct wqueue_chunk) == 256, "fills its place in a slab");

size_t
wqueue_chunk_size(void)
{
    return sizeof(struct wqueue_chunk);
}

void
wqueue_init(struct wqueue *q)
{
    *q = (struct wqueue){.first = NULL};
}

/* A chunk at the end with room for one more; NULL when memory is short. */
static struct wqueue_chunk *
chunk_with_room(struct wqueue *q, struct slab *chunks)
{
    struct wqueue_chunk *chunk = q->tail;

    if (chunk != NULL && chunk->to < CHUNK_MSGS)
        return chunk;

    chunk = slab_get(chunks);
    if (chunk == NULL)
        return NULL;
    if (q->tail == NULL)
        q->head = chunk;
    else
        q->tail->next = chunk;
    q->tail = chunk;
    return chunk;
}

int
wqueue_push(struct wqueue *q, struct slab *chunks, struct msg *m)
{
    ASSERT(m->len > 0);

    if (m->len > UINT32_MAX - q->bytes)
        return -EOVERFLOW;

    if (q->first == NULL) {
        q->first = m;
    } else {
        struct wqueue_chunk *const chunk = chunk_with_room(q, chunks);

        if (chunk == NULL)
            return -ENOMEM;
        chunk->msgs[chunk->to++] = m;
    }
    q->bytes += m->len;
    return 0;
}

size_t
wqueue_gather(const struct wqueue *q, struct iovec *iov, size_t max)
{
    size_t n = 0;

    if (q->first == NULL || max == 0)
        return 0;

    iov[n].iov_base = q->first->data + q->offset;
    iov[n++].iov_len = q->first->len - q->offset;

    for (const struct wqueue_chunk *chunk = q->head; chunk != NULL;
         chunk = chunk->next) {
        for (uint32_t i = chunk->from; i < chunk->to; i++) {
            if (n == max)
                return n;
            iov[n].iov_base = chunk->msgs[i]->data;
            iov[n++].iov_len = chunk->msgs[i]->len;
        }
    }
    return n;
}

/* The msg that comes after `first`, taken out of its chunk; or NULL. */
static struct msg *
take_second(struct wqueue *q, struct slab *chunks)
{
    struct wqueue_chunk *const chunk = q->head;
    struct msg *m;

    if (chunk == NULL)
        return NULL;

    m = chunk->msgs[chunk->from++];
    if (chunk->from == chunk->to) {
        q->head = chunk->next;
        if (q->head == NULL)
            q->tail = NULL;
        slab_put(chunks, chunk);
    }
    return m;
}

/* Lets go of `first`, written or not. */
static void
shift(struct wqueue *q, struct slab *chunks)
{
    q->bytes -= q->first->len - q->offset;
    msg_unref(q->first);
    q->first = take_second(q, chunks);
    q->offset = 0;
}

size_t
wqueue_consume(struct wqueue *q, struct slab *chunks, size_t bytes)
{
    size_t whole = 0;

    ASSERT(bytes <= q->bytes);

    while (bytes > 0) {
        const size_t left = q->first->len - q->offset;

        if (bytes < left) {
            q->offset += (uint32_t)bytes;
            q->bytes -= (uint32_t)bytes;
            break;
        }
        bytes -= left;
        shift(q, chunks);
        whole++;
    }
    return whole;
}

size_t
wqueue_cut(struct wqueue *q, struct slab *chunks)
{
    size_t dropped = 0;
    struct msg *m;

    if (q->offset == 0)
        return wqueue_clear(q, chunks);
    while ((m = take_second(q, chunks)) != NULL) {
        q->bytes -= m->len;
        msg_unref(m);
        dropped++;
    }
    return dropped;
}

size_t
wqueue_clear(struct wqueue *q, struct slab *chunks)
{
    size_t dropped = 0;

    while (q->first != NULL) {
        shift(q, chunks);
        dropped++;
    }
    return dropped;
}
