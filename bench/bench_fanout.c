/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fanout - deliveries a second to everybody in one room.
 *
 * A publisher sends `batch` messages at once; when every receiver has the last
 * byte of them, the next publisher's turn comes. batch=1 shows what one message
 * costs; larger ones what happens when several wait.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/swarm.h"

static char *
make_batch(const struct bench_options *o, size_t *len)
{
    const size_t one = o->size + 1;
    char *const text = malloc(one * o->batch);

    if (text == NULL)
        bench_die("out of memory");
    memset(text, 'x', one * o->batch);
    for (size_t i = 0; i < o->batch; i++)
        text[i * one + o->size] = '\n';
    *len = one * o->batch;
    return text;
}

/* Until all but the publisher have `goal` bytes; `limit` sends to all. */
static void
await_bytes(struct swarm *s, size_t publisher, const uint64_t *goal)
{
    const uint64_t deadline = bench_now_ns() + 60000000000ull;
    size_t done = 0;

    /* Receivers finish in any order: look only at the first that has not. */
    while (done < s->count) {
        const struct swarm_conn *const c = &s->conns[done];

        if ((done == publisher && !s->raw) || c->bytes >= *goal) {
            done++;
            continue;
        }
        swarm_read_bytes(s, 1000);
        if (bench_now_ns() > deadline)
            bench_die("client %zu has %llu of %llu bytes", done,
                      (unsigned long long)c->bytes, (unsigned long long)*goal);
    }
}

/* What one message is when it arrives: learnt from the first. */
static uint64_t
learn_size(struct swarm *s, const char *text, size_t len)
{
    uint64_t size;

    swarm_reset_counts(s);
    swarm_send(&s->conns[0], text, len);
    swarm_settle(s, 500);
    size = s->conns[s->count - 1].bytes;
    if (size == 0)
        bench_die("nothing arrived");
    return size;
}

int
bench_fanout(const struct bench_options *o)
{
    const size_t rounds = o->messages / o->batch;
    struct swarm s;
    size_t len;
    char *const text = make_batch(o, &len);
    uint64_t goal, started, ns;
    double deliveries;

    swarm_init(&s, o->port, o->raw, o->clients);
    swarm_grow(&s, o->clients, o->abreast);
    swarm_settle(&s, 500);
    goal = learn_size(&s, text, len);

    started = bench_now_ns();
    for (size_t i = 0; i < rounds; i++) {
        /* One publisher: all nicknames then have the same length. */
        swarm_reset_counts(&s);
        swarm_send(&s.conns[0], text, len);
        await_bytes(&s, 0, &goal);
    }
    ns = bench_now_ns() - started;

    deliveries = (double)rounds * (double)o->batch *
                 (double)(o->clients - (o->raw ? 0 : 1));
    printf("mode=fanout raw=%d clients=%zu batch=%zu messages=%zu bytes=%zu "
           "seconds=%.3f deliveries_per_second=%.0f\n",
           o->raw, o->clients, o->batch, rounds * o->batch, o->size,
           (double)ns / 1e9, deliveries * 1e9 / (double)ns);
    swarm_fini(&s);
    free(text);
    return 0;
}
