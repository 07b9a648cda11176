/* SPDX-License-Identifier: BSD-2-Clause
 *
 * control_rig - a control socket on a worker that the test turns by hand, with
 * time that only the test moves, and the operators who talk to it.
 *
 * Use   EXTRA control_rig.c ../../support/fake_time.c
 *       WRAP clock_mono_ms clock_mono_ns epoll_wait getsockopt
 */
#ifndef UNIT_OPS_CONTROL_RIG_H
#define UNIT_OPS_CONTROL_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ops/control_priv.h"
#include "ops/parts.h"

struct rig {
    struct parts parts;
    struct control_env env;
    struct control *control;
    char dir[40];
    char path[64];  /* of the socket */
    uid_t peer_uid; /* what SO_PEERCRED says, if `forge_uid` */
    bool forge_uid;
    unsigned stops;
    unsigned reloads;
    const char *complaint; /* what a reload says; NULL: it is fine */
};

extern struct rig rig;

/* A directory and main's worker; no socket yet. */
void rig_init(void);

/* Opens the socket with these commands. */
void rig_open(const struct control_command *commands, size_t n);

/* Both: the usual beginning of a case. */
void rig_start(const struct control_command *commands, size_t n);

/* Closes all that rig_start() made; the directory must be empty then. */
void rig_stop(void);

/* One turn that does not wait; and so many that all is done that can be. */
void rig_turn(void);
void rig_settle(void);

void rig_pass_ms(uint64_t ms);

/* An operator: a connected socket that does not block. */
int rig_connect(void);

void rig_send(int fd, const char *text);
void rig_send_bytes(int fd, const void *data, size_t len);

/* The next line that comes, without its newline; fails if none comes. Valid
 * until the next call. */
const char *rig_answer(int fd);

/* Nothing more has come. */
bool rig_is_silent(int fd);

/* The server closed it, and nothing is left to be read. */
bool rig_is_closed(int fd);

/* Connections that have a place. */
size_t rig_places(void);

#endif
