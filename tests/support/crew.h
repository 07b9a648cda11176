/* SPDX-License-Identifier: BSD-2-Clause
 *
 * crew - a handful of threads that start together and are waited for.
 *
 * Threads  The start is a barrier, so that no one has finished before the last
 *          has begun. While a crew is at work, everyone uses CREW_ASSERT: a
 *          failed ck_assert would leave the case with its threads still going.
 */
#ifndef SUPPORT_CREW_H
#define SUPPORT_CREW_H

#include <check.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CREW_MOST 8u

/* [any] Ends the whole program, and with it the test, when `expr` is false. */
#define CREW_ASSERT(expr) \
    ((expr) ? (void)0 : crew_fail(#expr, __FILE__, __LINE__))

_Noreturn static inline void
crew_fail(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    _exit(EXIT_FAILURE);
}

struct crew;
typedef void (*crew_fn)(struct crew *crew, unsigned member);

struct crew_seat {
    struct crew *crew;
    unsigned member;
    pthread_t thread;
};

struct crew {
    crew_fn fn;
    unsigned members;
    pthread_barrier_t start;
    struct crew_seat seats[CREW_MOST];
};

static inline void *
crew_seat_main(void *arg)
{
    struct crew_seat *const seat = arg;

    pthread_barrier_wait(&seat->crew->start);
    seat->crew->fn(seat->crew, seat->member);
    return NULL;
}

/* Starts `members` threads, which call fn(crew, 0), fn(crew, 1) ... */
static inline void
crew_start(struct crew *crew, unsigned members, crew_fn fn)
{
    ck_assert_uint_le(members, CREW_MOST);
    crew->fn = fn;
    crew->members = members;
    ck_assert_int_eq(pthread_barrier_init(&crew->start, NULL, members), 0);
    for (unsigned i = 0; i < members; i++) {
        struct crew_seat *const seat = &crew->seats[i];

        seat->crew = crew;
        seat->member = i;
        ck_assert_int_eq(
            pthread_create(&seat->thread, NULL, crew_seat_main, seat), 0);
    }
}

static inline void
crew_join(struct crew *crew)
{
    for (unsigned i = 0; i < crew->members; i++)
        ck_assert_int_eq(pthread_join(crew->seats[i].thread, NULL), 0);
    pthread_barrier_destroy(&crew->start);
}

#endif
