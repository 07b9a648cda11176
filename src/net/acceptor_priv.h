/* SPDX-License-Identifier: BSD-2-Clause
 *
 * acceptor_priv - the body of struct acceptor, for acceptor*.c.
 */
#ifndef NET_ACCEPTOR_PRIV_H
#define NET_ACCEPTOR_PRIV_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/wheel.h"
#include "loop/reactor.h"
#include "net/acceptor.h"
#include "net/addr.h"
#include "net/conns.h"
#include "net/limit.h"

struct acceptor {
    /* set once */
    struct acceptor_env env;

    /* [owner] */
    struct net_conf conf;
    struct addr_limits *limits;
    struct list doors; /* listeners with their source, acceptor.c */
    struct wheel_timer backoff;
    struct wheel_timer sweep;
    int reserve_fd; /* given up to accept when no fd is left; -1: gone */
    struct acceptor_counters counters; /* [any] may read */
};

/* Why a client is sent away, acceptor_admit.c. */
enum refusal {
    REFUSAL_NONE,
    REFUSAL_FULL,
    REFUSAL_ADDRESS,
    REFUSAL_RATE,
    REFUSAL_FDS,
    REFUSAL_MEMORY,
};

/* Hands a socket just accepted to a worker, or refuses it. */
void acceptor_admit(struct acceptor *a, int fd, const struct addr *peer,
                    unsigned listener);

/* Counts it, tells the client why in one line, and closes. */
void acceptor_refuse(struct acceptor *a, int fd, const struct addr *peer,
                     enum refusal why);

/* The sweep timer's. */
void acceptor_on_sweep(struct wheel_timer *t, uint64_t now_ms);

#endif
