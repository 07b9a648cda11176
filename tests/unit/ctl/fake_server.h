/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fake_server - something that answers at a control socket, as it is told.
 *
 * Threads  One of its own, from fake_server_start() to fake_server_stop(); what
 *          it has seen may be looked at after that.
 */
#ifndef UNIT_CTL_FAKE_SERVER_H
#define UNIT_CTL_FAKE_SERVER_H

#include <pthread.h>
#include <stddef.h>

#define FAKE_ANSWERS_MAX 16

/* Instead of an answer: hangs up. */
#define FAKE_HANGS_UP ""

struct fake_server {
    /* set once */
    char dir[40];
    char path[64];
    const char *answers[FAKE_ANSWERS_MAX]; /* one a request, then fine ones */
    int fd;
    pthread_t thread;
    /* [its thread] */
    size_t accepted;
    size_t answered;
    char requests[8192]; /* lines */
};

/* `answers`: ends with NULL; or NULL. */
void fake_server_start(struct fake_server *s, const char *const *answers);
void fake_server_stop(struct fake_server *s);

#endif
