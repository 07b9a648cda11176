/* SPDX-License-Identifier: BSD-2-Clause
 *
 * link - asks a running klatchd, over its control socket.
 *
 * Shape    One line of JSON there, one back; docs/control.md. The connection is
 *          kept for the next request while the server is sure to keep it too,
 *          and made anew after that, so a console may idle for hours and a
 *          restarted server is simply found again.
 */
#ifndef CTL_LINK_H
#define CTL_LINK_H

#include <jansson.h>

#include "base/compiler.h"

struct link;

/* Nothing is connected yet. NULL: no memory. */
MUST_CHECK struct link *link_create(const char *path);
void link_destroy(struct link *l);

/* 0 and *answer, an object; or a negative errno: connect(2)'s when no server
 * is there, -EKEYREJECTED when it is another user's, -ETIMEDOUT, -EPIPE when it
 * hung up, -EPROTO when the answer is not one of klatchd's. */
MUST_CHECK int link_ask(struct link *l, const json_t *request, json_t **answer);

#endif
