/* SPDX-License-Identifier: BSD-2-Clause
 *
 * whole - all parts of a server behind the control rig's socket: two workers,
 * hub and acceptor, each turned by hand, and people who chat.
 *
 * Use   EXTRA whole.c and what control_rig.h says
 */
#ifndef UNIT_OPS_WHOLE_H
#define UNIT_OPS_WHOLE_H

#include <jansson.h>
#include <stdint.h>

#include "unit/ops/control_rig.h"

#define WHOLE_WORKERS 2

/* The clock stands; the server began at 1700000000000 ms after 1970. */
void whole_start(void);
void whole_stop(void);

/* Turns everybody until all is done that can be. */
void whole_settle(void);

/* Somebody from 203.0.113.`host` on that worker, who gives that nickname. */
int whole_join(unsigned worker, uint8_t host, const char *nick);

/* Sends a request and gives the answer, the caller's to free. */
json_t *whole_ask(int fd, const char *request);
json_t *whole_parse(const char *line);

/* Of answer[group][key], or answer[key]; fails if it is not there. */
json_int_t whole_number(const json_t *answer, const char *group,
                        const char *key);
const char *whole_text(const json_t *object, const char *key);

void whole_expect_ok(int fd, const char *request);
void whole_expect_refusal(int fd, const char *request, const char *words);

#endif
