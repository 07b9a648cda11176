/* SPDX-License-Identifier: BSD-2-Clause
 *
 * recorder - writes down what a hub emits, events and all.
 */
#ifndef UNIT_CHAT_RECORDER_H
#define UNIT_CHAT_RECORDER_H

#include <stdbool.h>
#include <stddef.h>

#include "chat/hub.h"

struct recorded {
    unsigned worker;
    struct delivery d; /* with a reference to its event */
};

struct recorder {
    struct hub_out out;
    struct recorded *items;
    size_t count;
    size_t size;
};

void recorder_init(struct recorder *rec);
void recorder_fini(struct recorder *rec);

/* Forgets what was recorded. */
void recorder_start(struct recorder *rec);

/* Forgets, and records what comes of `c`. When a session is only being counted
 * (SESSION_BUSY, and no conn is asked to give it up), `c` comes again, each time
 * a millisecond later. */
void recorder_apply(struct recorder *rec, struct hub *hub,
                    const struct command *c, const struct hub_now *now);

/* Exactly a refusal for want of memory, then DONE. */
bool recorder_is_no_memory(const struct recorder *rec);

#endif
