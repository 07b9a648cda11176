/* SPDX-License-Identifier: BSD-2-Clause
 *
 * show - the server's answers for people. Pure: an answer in, text out.
 *
 * What an answer lacks (an older server) shows as 0 or empty.
 */
#ifndef CTL_SHOW_H
#define CTL_SHOW_H

#include <jansson.h>

struct buf;

typedef void (*show_fn)(const json_t *answer, struct buf *out);

void show_nothing(const json_t *answer, struct buf *out);
void show_version(const json_t *answer, struct buf *out);
void show_status(const json_t *answer, struct buf *out);
void show_clients(const json_t *answer, struct buf *out);
void show_sessions(const json_t *answer, struct buf *out);
void show_rooms(const json_t *answer, struct buf *out);
void show_census(const json_t *answer, struct buf *out);

#endif
