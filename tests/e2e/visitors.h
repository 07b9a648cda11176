/* SPDX-License-Identifier: BSD-2-Clause
 *
 * visitors - clients that come, get to a certain point of the line protocol,
 * and end there abruptly; again and again, many at a time.
 *
 * Threads  A process of its own, so that visiting does not wait for those who
 *          look at the server meanwhile.
 */
#ifndef E2E_VISITORS_H
#define E2E_VISITORS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Members of this room make the answer to /who long. */
#define VISITORS_CROWD "#crowd"

/* A point of the protocol is reached by saying something and waiting for
 * something, a few times. */
#define VISITORS_STEPS 3

struct visitors_step {
    const char *say; /* %N is a fresh nickname; NULL: nothing */
    unsigned times;  /* that it is said, in one go; 0: once */
    const char *until;
};

struct visitors_point {
    const char *name;
    struct visitors_step steps[VISITORS_STEPS];
};

extern const struct visitors_point visitors_points[];
extern const unsigned visitors_points_count;

struct visitors_plan {
    const char *server;
    uint16_t port;
    bool have_world; /* then they may vanish, from VISITORS_VANISH */
    unsigned visits; /* in all */
    unsigned at_once;
    unsigned vanish_each; /* one of so many vanishes */
};

/* From here come those who vanish; nobody may answer for them. */
#define VISITORS_VANISH "10.79"

/* Begins; the process. It ends with 0 when all have visited and the server did
 * not close on any of them. */
pid_t visitors_start(const struct visitors_plan *plan);

#endif
