/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See loop/call.h.
 */
#include "loop/call.h"

#include <stdlib.h>

#include "loop/worker.h"

struct call {
    struct post post;
    call_fn run;
    void (*drop)(void *arg);
    void *arg;
};

static void
run_post(struct worker *w, struct post *p)
{
    struct call *const call = CONTAINER_OF(p, struct call, post);
    const call_fn run = call->run;
    void *const arg = call->arg;

    free(call);
    run(w, arg);
}

static void
drop_post(struct post *p)
{
    call_destroy(CONTAINER_OF(p, struct call, post));
}

static const struct post_kind call_kind = {
    .name = "call",
    .run = run_post,
    .drop = drop_post,
};

struct call *
call_create(call_fn run, void *arg, void (*drop)(void *arg))
{
    struct call *const call = malloc(sizeof(*call));

    if (call != NULL)
        *call = (struct call){
            .post = {.kind = &call_kind},
            .run = run,
            .drop = drop,
            .arg = arg,
        };
    return call;
}

void
call_destroy(struct call *call)
{
    if (call == NULL)
        return;
    if (call->drop != NULL)
        call->drop(call->arg);
    free(call);
}

void
call_post(struct worker *w, struct call *call)
{
    worker_post(w, &call->post);
}
