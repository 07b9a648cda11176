/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_model - the hub as hub.h, command.h and event.h describe it, in the
 * plainest way there is: three arrays, searched from the front, and nothing
 * counted that can be looked up. It shares names (name.h) and events (event.h)
 * with the hub, and no line of the hub itself.
 *
 *   recorder_start(&rec);
 *   hub_apply(hub, &c, &now, &rec.out);
 *   model_follow(model, &c, &now, &rec);
 *
 * Files  hub_model_state.c what there is · _users.c, _rooms.c what each command
 *        does to it · _expect.c what must be emitted · hub_model.c compares.
 * Ids    The model does not know how the hub makes ids. It takes each from the
 *        first event that shows it, asserts that it is new, and from then on
 *        insists on it.
 * Faults The first difference is printed, with the command, and aborts.
 */
#ifndef UNIT_CHAT_HUB_MODEL_H
#define UNIT_CHAT_HUB_MODEL_H

#include <stddef.h>

#include "chat/hub.h"
#include "recorder.h"

struct model;

/* For a hub just created with `conf`. */
struct model *model_create(const struct hub_conf *conf);
void model_destroy(struct model *m);
void model_reload(struct model *m, const struct chat_conf *conf);

/* Applies `c` to the model and insists that `rec` is what must have been
 * emitted. */
void model_follow(struct model *m, const struct command *c,
                  const struct hub_now *now, const struct recorder *rec);

/* The session of `conn`; 0: none. */
session_id model_session(const struct model *m, uint64_t conn);

/* The name of the `n`-th room, modulo how many they are, of who is on `conn`;
 * empty: none. Lives until the model changes. */
struct slice model_room_of(const struct model *m, uint64_t conn, size_t n);

/* Insists that `census` is what the model has. */
void model_check_census(const struct model *m, const struct hub_census *census);

#endif
