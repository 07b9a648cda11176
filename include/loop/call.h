/* SPDX-License-Identifier: BSD-2-Clause
 *
 * call - run a function on another worker's thread.
 *
 * For what happens now and then: start, stop, reload, an operator's question.
 * Made first and posted later, so that whoever must tell several workers finds
 * out that memory is short before the first of them has heard.
 */
#ifndef LOOP_CALL_H
#define LOOP_CALL_H

#include "base/compiler.h"

struct call;
struct worker;

/* [w] Runs once; `arg` is its own from then on. */
typedef void (*call_fn)(struct worker *w, void *arg);

/* `drop` (may be NULL) gets `arg` when the call never runs. NULL: no memory. */
MUST_CHECK struct call *call_create(call_fn run, void *arg,
                                    void (*drop)(void *arg));

/* For a call that was not posted; `arg` is dropped. NULL is fine. */
void call_destroy(struct call *call);

/* [any] Takes the call over. */
void call_post(struct worker *w, struct call *call);

#endif
