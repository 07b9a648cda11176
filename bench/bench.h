/* SPDX-License-Identifier: BSD-2-Clause
 *
 * bench - what the modes of klatch-bench share.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench_options {
    uint16_t port;
    bool raw;          /* against `limit` */
    size_t clients;    /* receivers */
    size_t publishers; /* among the clients */
    size_t batch;      /* fanout: messages sent at once */
    size_t messages;   /* in all */
    size_t size;       /* bytes of a message's text */
    size_t rate;       /* latency: messages a second, all publishers together */
    size_t abreast;    /* connects under way at once */
    int pid;           /* idle: whose memory */
};

/* Each prints one line of key=value and returns the exit code. */
int bench_fanout(const struct bench_options *o);
int bench_latency(const struct bench_options *o);
int bench_idle(const struct bench_options *o);
int bench_connect(const struct bench_options *o);

#endif
