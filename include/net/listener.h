/* SPDX-License-Identifier: BSD-2-Clause
 *
 * listener - a listening socket: TCP over IPv4 or IPv6, or a Unix socket.
 *
 * TCP      SO_REUSEADDR (a crash must not keep us from starting) and
 *          SO_REUSEPORT. The latter lets a second daemon of the same user bind
 *          without a word, so listener_open() first asks for the port without
 *          it and reports -EADDRINUSE. TCP_NODELAY is inherited by accepted
 *          sockets. `[::]` is dual-stack, and 0.0.0.0 where the kernel has no
 *          IPv6; other v6 addresses are v6 only.
 * Unix     A stale socket file (nobody answers) is replaced; a live one is
 *          -EADDRINUSE; anything else at that path is left alone: -EEXIST.
 *          listener_close() unlinks what listener_open() made, and nothing
 *          that took its place since.
 */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "base/compiler.h"
#include "net/addr.h"

struct listener;

struct listener_conf {
    const char *name; /* of the [listen "NAME"] section; copied */
    struct listen_addr addr;
    unsigned index; /* handed to conns_post_socket() */
    int backlog;    /* 0: as long as the kernel allows */
};

/* 0 and *out, or a negative errno with nothing held. */
MUST_CHECK int listener_open(const struct listener_conf *conf,
                             struct listener **out);

/* NULL is fine. */
void listener_close(struct listener *l);

int listener_fd(const struct listener *l);
const char *listener_name(const struct listener *l);
unsigned listener_index(const struct listener *l);

/* Where it really listens: with port 0 asked for, the port it got. */
const struct listen_addr *listener_addr(const struct listener *l);

#endif
