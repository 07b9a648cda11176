/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_model - the hub as hub.h, command.h and event.h describe it, in the
 * plainest way there is: arrays, searched from the front, and nothing counted
 * that can be looked up. For each user it has the list of what that user was to
 * see, and what a session that comes back is told is read from there. It shares names (name.h) and events (event.h)
 * with the hub, and no line of the hub itself.
 *
 *   recorder_apply(&rec, hub, &c, &now);
 *   model_follow(model, &c, &now, &rec);
 *
 * Files  hub_model_state.c what there is · _due.c what each was to see ·
 *        _users.c, _rooms.c, _sessions.c what each command does to it ·
 *        _expect.c what must be emitted · hub_model.c compares.
 * Ids    The model does not know how the hub makes ids and tokens. It takes each
 *        from the first event that shows it, asserts that it is new, and from
 *        then on insists on it. An event that nobody got has an id all the same;
 *        so cursors must be ids that the model has seen, or beyond all.
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

/* As for hub_tick(). */
void model_follow_tick(struct model *m, const struct hub_now *now,
                       const struct recorder *rec);
uint64_t model_next_tick_ms(const struct model *m);

/* The token of the `n`-th user, modulo how many they are, of those who wait or
 * of those who do not. False: there is none. */
bool model_token(const struct model *m, bool waits, size_t n,
                 struct token *out);

/* The nickname of who waits, as model_room_of(). */
struct slice model_waiting_nick(const struct model *m, size_t n);

/* The id of something that who is on `conn` was to see, the `n`-th from the
 * last; or the last of all ids seen. */
uint64_t model_cursor(const struct model *m, uint64_t conn, size_t n);

/* The session of `conn`; 0: none. */
session_id model_session(const struct model *m, uint64_t conn);

/* The name of the `n`-th room, modulo how many they are, of who is on `conn`;
 * empty: none. Lives until the model changes. */
struct slice model_room_of(const struct model *m, uint64_t conn, size_t n);

/* Insists that `census` is what the model has. */
void model_check_census(const struct model *m, const struct hub_census *census);

#endif
