/* SPDX-License-Identifier: BSD-2-Clause
 *
 * burst - many connections to a daemon's doors at once, until each was greeted.
 *
 * Shape    Doors are the daemon's listeners, TCP over IPv4 and IPv6, and Unix.
 *          A burst goes to one of them, or in turn to all.
 * Failing  Who is forgotten, or closed without a word, fails the Check case.
 */
#ifndef E2E_BURST_H
#define E2E_BURST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "support/daemon.h"

#define DOORS_MAX 4

struct door {
    const char *name; /* the listener's */
    struct sockaddr_storage addr;
    socklen_t addr_len;
    uint16_t port; /* 0: Unix */
};

struct doors {
    struct door of[DOORS_MAX];
    size_t count;
};

/* Listeners beside the daemon's own, for its config. */
const char *doors_config(void);

/* Finds them in what the daemon says. The last is the Unix socket. */
void doors_find(struct doors *doors, struct daemon *d);

/* Connections that wait to be accepted at the TCP ones. */
unsigned doors_queue(const struct doors *doors);

struct burst {
    int epoll;
    size_t count;
    int *fds;     /* -1: reset by us */
    bool *spoken; /* it was greeted, or told why not */
    size_t waiting;
};

/* Connects `n` clients, without waiting: to the door, or, where that is
 * doors->count, to one after the other. */
void burst_connect(struct burst *b, size_t n, const struct doors *doors,
                   size_t door);

/* Every second one. */
void burst_reset_half(struct burst *b);

/* Waits until all that are left were spoken to. */
void burst_await(struct burst *b, uint64_t limit_ms);

void burst_close(struct burst *b);

#endif
