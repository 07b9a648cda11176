/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fake_time - a worker whose time goes only where the test sends it.
 *
 * Use      unit(LAYER MODULE EXTRA ../../support/fake_time.c
 *               WRAP clock_mono_ms clock_mono_ns epoll_wait)
 * Shape    epoll_wait never really waits: where it would, the clock jumps to
 *          the end of the timeout instead, as if nothing had come meanwhile;
 *          or stays where it is, if the test says so.
 * Threads  Starts with the real clock; fake_time_start() is for cases that
 *          drive a worker on their own thread.
 */
#ifndef SUPPORT_FAKE_TIME_H
#define SUPPORT_FAKE_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fake_time {
    uint64_t now_ns;
    size_t waits;    /* calls of epoll_wait */
    int timeout_ms;  /* that the last of them asked for */
    size_t idle;     /* those that would have waited ... */
    size_t for_ever; /* ... and never ended */
    bool stays;      /* the clock does not jump */

    /* Called where the thread would begin to wait; NULL: nothing. */
    void (*on_wait)(void);
};

extern struct fake_time fake_time;

/* Stops the clock, at `now_ms`. */
void fake_time_start(uint64_t now_ms);

void fake_time_pass_ms(uint64_t ms);

#endif
