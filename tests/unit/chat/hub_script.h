/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_script - an endless conversation made of numbers drawn from somewhere: a
 * generator in the unit test, the input of the fuzzer.
 *
 * Few conns, few names, so that things collide: the same nickname in other
 * cases and normal forms, rooms likewise, names of every bad kind, stale and
 * foreign sessions, a conn that is used again.
 */
#ifndef UNIT_CHAT_HUB_SCRIPT_H
#define UNIT_CHAT_HUB_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chat/hub.h"
#include "chat/name.h"
#include "hub_model.h"

#define SCRIPT_WORKERS 3
#define SCRIPT_CONNS   12
#define SCRIPT_STALE   16

struct script {
    /* A number below `n`; 1 <= n <= 65536. */
    uint32_t (*draw)(void *arg, uint32_t n);
    void *arg;
    const struct model *model; /* knows who has which session */
    session_id stale[SCRIPT_STALE];
    size_t stale_next;
    struct token tokens[SCRIPT_STALE]; /* that were used, or tried */
    size_t token_next;
    uint64_t secrets;
    uint64_t wall_ms;
    uint64_t mono_ms;
    uint32_t request;
    char name[ROOM_BYTES_MAX]; /* copied out of the model */
};

void script_init(struct script *s, uint32_t (*draw)(void *arg, uint32_t n),
                 void *arg, const struct model *model);

/* The slices of *c live until the next call. */
void script_next(struct script *s, struct command *c, struct hub_now *now);

/* Now and then true: it is time for hub_tick(), whether that is due or not. */
bool script_tick(struct script *s, struct hub_now *now);

/* Now and then true, with other limits in *conf. */
bool script_reload(struct script *s, struct chat_conf *conf);

/* Limits that are reached soon. */
void script_conf(struct hub_conf *conf);

#endif
