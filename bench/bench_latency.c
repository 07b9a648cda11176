/* SPDX-License-Identifier: BSD-2-Clause
 *
 * latency - from the moment a message was due to be sent to each arrival.
 *
 * Open loop: messages are due at fixed times whatever the server does, and the
 * latency counts from then, so a server that stalls cannot hide it by slowing
 * the sender ("coordinated omission").
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/histogram.h"
#include "bench/swarm.h"

struct latency {
    struct histogram h;
    uint64_t arrived;
};

static void
take_stamp(void *arg, struct swarm_conn *c, const char *line, size_t len)
{
    struct latency *const l = arg;
    const char *const at = memmem(line, len, "stamp=", 6);
    uint64_t due;

    if (at == NULL)
        return;
    due = strtoull(at + 6, NULL, 10); /* the line's end stops it */
    histogram_add(&l->h, bench_now_ns() - due);
    l->arrived++;
}

static void
publish(struct swarm_conn *c, uint64_t due, size_t size)
{
    char text[1024];
    int len = snprintf(text, sizeof(text), "stamp=%" PRIu64 " ", due);

    while ((size_t)len < size && (size_t)len < sizeof(text) - 1)
        text[len++] = 'x';
    text[len++] = '\n';
    swarm_send(c, text, (size_t)len);
}

int
bench_latency(const struct bench_options *o)
{
    static struct latency l;
    const uint64_t gap = 1000000000u / o->rate;
    const uint64_t expected =
        (uint64_t)o->messages * (o->clients - (o->raw ? 0 : 1));
    uint64_t due, deadline;
    struct swarm s;

    swarm_init(&s, o->port, o->raw, o->clients);
    swarm_grow(&s, o->clients, o->abreast);
    swarm_settle(&s, 500);

    due = bench_now_ns() + gap;
    for (size_t sent = 0; sent < o->messages;) {
        const uint64_t now = bench_now_ns();

        if (now >= due) {
            publish(&s.conns[sent % o->publishers], due, o->size);
            due += gap;
            sent++;
            continue;
        }
        swarm_read_lines(&s, due - now > 1000000 ? 1 : 0, take_stamp, &l);
    }
    deadline = bench_now_ns() + 30000000000ull;
    while (l.arrived < expected && bench_now_ns() < deadline)
        swarm_read_lines(&s, 100, take_stamp, &l);

    printf("mode=latency raw=%d clients=%zu publishers=%zu rate=%zu "
           "messages=%zu expected=%" PRIu64 " arrived=%" PRIu64
           " p50_us=%.0f p90_us=%.0f p99_us=%.0f p999_us=%.0f max_us=%.0f\n",
           o->raw, o->clients, o->publishers, o->rate, o->messages, expected,
           l.arrived, (double)histogram_percentile(&l.h, 50) / 1e3,
           (double)histogram_percentile(&l.h, 90) / 1e3,
           (double)histogram_percentile(&l.h, 99) / 1e3,
           (double)histogram_percentile(&l.h, 99.9) / 1e3,
           (double)l.h.max / 1e3);
    swarm_fini(&s);
    return l.arrived == expected ? 0 : 1;
}
