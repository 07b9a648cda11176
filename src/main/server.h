/* SPDX-License-Identifier: BSD-2-Clause
 *
 * server - all parts of klatchd, wired together.
 *
 * Threads  main's worker holds it.
 * Order    Start: listeners are bound before any thread runs, so that a wrong
 *          address is an exit code and not a log line; the acceptor starts
 *          last. Stop: see stop.c.
 *
 *           server_open()       server_run()      TERM, INT, `stop`
 *   (nothing) --------> OPENED ------------> RUNNING ------------> DRAINING
 *                          |                                           |
 *                          |  server_close()    all conns gone, or     |
 *                          +-------------- ENDED <---------------------+
 *                                             deadline, or 2nd TERM
 */
#ifndef MAIN_SERVER_H
#define MAIN_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/wheel.h"
#include "chat/hub_thread.h"
#include "loop/reactor.h"
#include "net/listener.h"
#include "ops/config.h"
#include "ops/parts.h"

struct control;
struct server;

/* Listening sockets as they shall be; see listen.c. */
struct listen_plan {
    size_t count;
    struct parts_listener listeners[CONFIG_LISTENERS_MAX];
    struct listener *pending[CONFIG_LISTENERS_MAX];
    unsigned next_index;
};

struct server {
    struct parts parts;
    struct config *config;
    struct hub *hub;
    struct hub_sink *sinks;
    struct control *control;
    struct listen_plan plan; /* between open and run */
    unsigned next_listener;
    int signal_fd;
    struct reactor_source signals;
    struct wheel_timer stop_tick;
    uint64_t stop_deadline_ms; /* 0: not stopping */
    /* [hub's worker] */
    size_t
        quiet_workers; /* that read no more, and whose commands are applied */
};

/* Builds everything and binds the listeners; takes `config` over, also on
 * failure. 0, or a sysexits(3) code after saying why on the log. */
MUST_CHECK int server_open(struct server *s, struct config *config,
                           const char *config_path);

/* Runs until stopped. The exit code. */
MUST_CHECK int server_run(struct server *s);

void server_close(struct server *s);

/* reload.c. 0, or -EINVAL/-ENOMEM/… with every complaint in `why`; then nothing
 * has changed. */
MUST_CHECK int server_reload(struct server *s, char *why, size_t size);

/* listen.c. Makes `out` the listeners that `conf` asks for: those of `was` that
 * have the address are taken over, the others are bound and put into `pending`
 * at the same place. 0, or a negative errno with a sentence in `why` and
 * nothing bound. */
MUST_CHECK int listen_plan_make(struct listen_plan *plan,
                                const struct parts *was, unsigned next_index,
                                const struct config *conf, char *why,
                                size_t size);

/* Closes what is pending. */
void listen_plan_abandon(struct listen_plan *plan);

/* Gives the new sockets to the acceptor and has it close the vanished ones; the
 * workers must have been updated before. 0, or -ENOMEM with part of it done. */
MUST_CHECK int listen_plan_apply(struct listen_plan *plan, struct server *s);

/* update.c. What every thread must know of `conf` and of `plan`, made first
 * (NULL: no memory) and then sent, which cannot fail. At start and at reload. */
struct update;
MUST_CHECK struct update *update_create(const struct server *s,
                                        const struct config *conf,
                                        const struct listen_plan *plan);
void update_destroy(struct update *u);
void update_send(struct update *u);

/* stop.c. */
void server_stop_init(struct server *s);

/* Asked again, it ends at once. */
void server_stop(struct server *s);

#endif
