/* SPDX-License-Identifier: BSD-2-Clause
 *
 * net_world - a small internet of its own for a test: a server's namespace and
 * a clients' namespace, joined by a router's in which packets can be dropped.
 *
 *   clients                    router                     server
 *   10.77.2.2 ---------------- 10.77.2.1   10.77.1.1 ---- 10.77.1.2
 *   10.78.0.0/16, 10.79.0.0/16 are the clients' as well
 *
 * Memory   Nothing has a name: the namespaces and what is in them live as long
 *          as a process is in them or holds a descriptor, so they vanish with
 *          the test, also when it is killed.
 * Needs    CAP_SYS_ADMIN and CAP_NET_ADMIN, ip ($IP) and nft ($NFT). Where
 *          they are missing, net_world_is_possible() says so and the test is
 *          to be skipped (UNIT_MAIN_IF).
 * Threads  A namespace is a thread's own; a test that uses this has one.
 */
#ifndef SUPPORT_NET_WORLD_H
#define SUPPORT_NET_WORLD_H

#include <stdbool.h>

#include "support/daemon.h"

#define NET_WORLD_SERVER "10.77.1.2"
#define NET_WORLD_CLIENT "10.77.2.2"

enum net_place {
    NET_AT_SERVER,
    NET_AT_ROUTER,
    NET_AT_CLIENTS,
    NET_PLACES,
};

struct net_world {
    int home; /* where the test came from */
    int places[NET_PLACES];
};

/* Says on stderr why not. */
bool net_world_is_possible(void);

/* Makes it; the caller is at the clients' afterwards. */
void net_world_open(struct net_world *w);

/* Back to where the test came from. */
void net_world_close(struct net_world *w);

/* What is forked from now on, and each new socket, is in that namespace. */
void net_world_enter(const struct net_world *w, enum net_place place);

/* daemon_start() at the server's place; it listens on every address there. */
void net_world_start(const struct net_world *w, struct daemon *d,
                     const char *config);

/* The same, and sessions outlive their conns. */
void net_world_start_lingering(const struct net_world *w, struct daemon *d,
                               const char *config);

/* Runs lines of nft at the router, all or none of them. There is a table
 * `inet cut` with a chain `forward` for rules. */
void net_world_rules(const struct net_world *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Packets pass again. */
void net_world_heal(const struct net_world *w);

#endif
