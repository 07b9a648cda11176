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

struct acceptor;
struct config;
struct conns;
struct front;
struct hub_thread;
struct worker;

struct parts {
    struct worker *main_worker; /* runs main(): signals, control socket */
    struct worker *hub_worker;
    struct worker *acceptor_worker;
    struct worker **workers;
    struct conns **conns;
    struct front **fronts;
    size_t worker_count;
    struct hub_thread *hub;
    struct acceptor *acceptor;
    const struct config *config; /* [main] replaced by a reload */
    uint64_t started_wall_ms;
    uint64_t started_mono_ms;
    const char *config_path; /* NULL: none */
};

#endif
