/* SPDX-License-Identifier: BSD-2-Clause
 *
 * acceptor_rig - an acceptor on a worker that the test turns by hand, in fake
 * time (support/fake_time.h), with real sockets on loopback.
 *
 * Use      unit(LAYER MODULE
 *               EXTRA ../../support/acceptor_rig.c ../../support/fake_time.c
 *               WRAP accept4 clock_mono_ms clock_mono_ns epoll_wait malloc)
 * Doubles  struct conns: what reaches a worker is noted and closed at once.
 */
#ifndef SUPPORT_ACCEPTOR_RIG_H
#define SUPPORT_ACCEPTOR_RIG_H

#include <stdbool.h>

#include "loop/worker.h"
#include "net/acceptor.h"
#include "net/conns.h"
#include "net/listener.h"
#include "support/dial.h"
#include "support/fake_time.h"

#define RIG_WORKERS 3u

/* What who is refused reads. */
#define RIG_FULL "* This server is full. Please try again later.\r\n"
#define RIG_ADDRESS                                                           \
    "* Your address has too many connections here. Please close one of them " \
    "first.\r\n"
#define RIG_RATE "* Your address connects too often. Please wait a moment.\r\n"
#define RIG_NO_ROOM \
    "* This server has no room just now. Please try again later.\r\n"

struct conns {
    uint32_t load;
    struct accepted last;
    struct conn_ticket *tickets[8];
    size_t tickets_count;
};

struct acceptor_rig {
    struct worker *worker;
    struct acceptor *acceptor;
    const struct acceptor_counters *counters;
    struct conns conns[RIG_WORKERS];
    struct listen_addr address; /* of the listener opened last */

    unsigned accepts;     /* calls of accept4 */
    unsigned failures;    /* so many of them from now on fail ... */
    int error;            /* ... with this */
    bool memory_is_short; /* malloc fails, also Check's: assert afterwards */
};

extern struct acceptor_rig rig;

/* Limits as named, else the defaults; listens on 127.0.0.1 as index 5. */
void rig_setup(uint64_t connections, uint64_t per_address, uint64_t rate);
void rig_teardown(void);

struct net_conf rig_conf(uint64_t connections, uint64_t per_address,
                         uint64_t rate);

/* One more listener on 127.0.0.1; it is open after the next turn. */
void rig_listen(unsigned index);

void rig_return_tickets(void);
void rig_fail_accepts(unsigned times, int error);

/* Turns until there is nothing left to do at this moment; how many turns. */
unsigned rig_turn_until_idle(void);

/* Turns until nothing is left to wait for but new connections. */
void rig_turn_until_quiet(void);

/* Conns of all workers together. */
uint32_t rig_load(void);

/* A client that connects from `from` (NULL: anywhere) and has been let in or
 * sent away. */
int rig_visit(const char *from);

/* The client reads that, then a proper end; closes. */
void rig_expect_text(int fd, const char *text);

/* Let in: the double closes without a word. */
void rig_expect_welcome(int fd);

#endif
