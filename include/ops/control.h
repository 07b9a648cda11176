/* SPDX-License-Identifier: BSD-2-Clause
 *
 * control - the control socket: what klatchctl asks of a running klatchd.
 *
 * Shape    A Unix stream socket, mode 0600, in a directory of mode 0700; only
 *          root and the daemon's own uid are heard (SO_PEERCRED, unix(7)).
 *          A request is one line of JSON {"command":"say","args":["#ops","hi"]}
 *          and its answer one line {"ok":true,…} or
 *          {"ok":false,"error":"sentence"}; several requests on one connection
 *          are answered in order. docs/control.md has every field.
 * Threads  Main's worker. What other threads own is asked of them by posts
 *          (survey); nothing is read across threads.
 * Limits   16 connections, 64 KiB a request, 10 s to answer; every command is
 *          logged with the uid that gave it.
 */
#ifndef OPS_CONTROL_H
#define OPS_CONTROL_H

#include <stddef.h>

#include "base/compiler.h"
#include "chat/event.h"
#include "ops/parts.h"

struct control;

struct control_env {
    struct parts *parts;
    /* [main] What `reload` and `stop` do; each puts a sentence in `why` (a
     * failed reload: all complaints). */
    int (*reload)(void *arg, char *why, size_t size);
    void (*stop)(void *arg);
    void *arg;
};

/* 0 and *out, or a negative errno (-EADDRINUSE: a live daemon has it). */
MUST_CHECK int control_open(const struct control_env *env, const char *path,
                            struct control **out);

/* Ends its connections and unlinks the socket. NULL is fine. */
void control_close(struct control *c);

/* hub_sink.on_batch of the operator, with the control as `arg`. */
void control_on_batch(void *control, const struct delivery *d, size_t n);

#endif
