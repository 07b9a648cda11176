/* SPDX-License-Identifier: BSD-2-Clause
 *
 * connect - clients a second from connect(2) to the first answer: against
 * klatchd until #lobby is joined, against `limit` until a line comes back.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/swarm.h"

static void
await_echo(struct swarm *s)
{
    swarm_reset_counts(s);
    for (size_t i = 0; i < s->count; i++)
        swarm_send(&s->conns[i], "x\n", 2);
    for (size_t i = 0; i < s->count;) {
        if (s->conns[i].bytes >= 2)
            i++;
        else if (swarm_read_bytes(s, 10000) == 0)
            bench_die("no answer");
    }
}

int
bench_connect(const struct bench_options *o)
{
    const uint64_t started = bench_now_ns();
    size_t done = 0;
    uint64_t ns;

    while (done < o->clients) {
        struct swarm s;

        swarm_init(&s, o->port, o->raw, o->abreast);
        swarm_grow(&s, o->abreast, o->abreast);
        if (o->raw)
            await_echo(&s);
        done += s.count;
        for (size_t i = 0; i < s.count; i++) {
            /* Or the client's ports run out in TIME_WAIT. */
            const struct linger now = {.l_onoff = 1};

            setsockopt(s.conns[i].fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
        }
        swarm_fini(&s);
    }
    ns = bench_now_ns() - started;
    printf("mode=connect raw=%d clients=%zu abreast=%zu seconds=%.3f "
           "connects_per_second=%.0f\n",
           o->raw, done, o->abreast, (double)ns / 1e9,
           (double)done * 1e9 / (double)ns);
    return 0;
}
