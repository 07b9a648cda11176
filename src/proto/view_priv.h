/* SPDX-License-Identifier: BSD-2-Clause
 *
 * view - one worker's picture of the rooms its clients are in.
 *
 * Shape    Rooms by id (hash); a room lists its local members, a client lists
 *          its rooms. A room is there while it has a local member.
 * Order    Changed only by the hub's events, at their place in the order, and
 *          by the end of a client; so whoever is in the view when an event
 *          comes is who gets it.
 */
#ifndef PROTO_VIEW_PRIV_H
#define PROTO_VIEW_PRIV_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/slab.h"
#include "base/slice.h"
#include "chat/command.h"
#include "proto/client_priv.h"

struct view_room {
    struct hash_link by_id;
    room_id id;
    struct list members; /* view_member.of_room */
    size_t member_count;
    uint16_t name_len;
    uint16_t key_len;
    char name[]; /* as shown, `#` included; behind it what it is compared by */
};

struct view {
    struct hash rooms;
    struct slab members;
    size_t room_count;
    size_t member_count;
};

void view_init(struct view *v);
void view_fini(struct view *v);

/* NULL when no local client is in it. */
struct view_room *view_find(const struct view *v, room_id id);

/* By name, compared as the hub does (chat/name.h), among a client's rooms. */
struct view_member *view_find_by_name(const struct client *cl,
                                      struct slice name);

/* 0 and *out, or -ENOMEM. Being in already is fine. `name` is as the hub says
 * it; -EINVAL when that is no room's name. */
MUST_CHECK int view_join(struct view *v, struct client *cl, room_id id,
                         struct slice name, struct view_member **out);

/* The room goes with its last member. */
void view_leave(struct view *v, struct view_member *member);

#endif
