/* SPDX-License-Identifier: BSD-2-Clause
 *
 * parts - everything that runs in this process, for those who look after it.
 *
 * Filled once by main, before any thread starts; what may be called on a part
 * from where is said in the part's own header.
 */
#ifndef OPS_PARTS_H
#define OPS_PARTS_H

#include <stddef.h>
#include <stdint.h>

#include "ops/config.h"

struct acceptor;
struct conns;
struct front;
struct hub_thread;
struct watchdog;
struct worker;

/* A listening socket the acceptor has. */
struct parts_listener {
    unsigned index;    /* what conn_listener() says */
    uint64_t protocol; /* enum front_protocol */
    char name[CONFIG_NAME_MAX + 1];
    char asked[CONFIG_TEXT_MAX + 1]; /* the address as configured */
    char bound[CONFIG_TEXT_MAX + 1]; /* with the port it really has */
};

struct parts {
    struct worker *main_worker; /* runs main(): signals, control socket */
    struct worker *hub_worker;
    struct worker *acceptor_worker;
    struct worker *watchdog_worker;
    struct worker **workers;
    struct conns **conns;
    struct front **fronts;
    size_t worker_count;
    struct hub_thread *hub;
    struct acceptor *acceptor;
    struct watchdog *watchdog; /* of all the workers above but its own */
    /* [main], changed by a reload */
    const struct config *config;
    size_t listener_count;
    struct parts_listener listeners[CONFIG_LISTENERS_MAX];
    /* set once */
    uint64_t started_wall_ms;
    uint64_t started_mono_ms;
    const char *config_path; /* NULL: none */
};

#endif
