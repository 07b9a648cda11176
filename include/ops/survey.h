/* SPDX-License-Identifier: BSD-2-Clause
 *
 * survey - asks something of several threads and gathers what they say on main.
 *
 * Shape    One post a thread asked, which carries the place for its answer and
 *          travels there and back. All memory is taken before the first leaves,
 *          so none can get lost on the way.
 * Threads  [main], but for survey_kind.ask, which runs on the thread asked and
 *          may look at what is set once in `parts` and at what that thread owns.
 * Order    A thread answers after all that was posted to it before.
 * Memory   Gone when the last answer is back and `done` has seen it. Who no
 *          longer waits cancels; the posts still come home. When the server
 *          stops first, they are dropped there and `done` is not called.
 */
#ifndef OPS_SURVEY_H
#define OPS_SURVEY_H

#include <stddef.h>

#include "base/compiler.h"
#include "ops/parts.h"

struct survey;

enum survey_whom {
    SURVEY_MAIN,
    SURVEY_HUB,
    SURVEY_ACCEPTOR,
    SURVEY_WORKER,
};

/* What is asked; static. */
struct survey_kind {
    const char *name;
    unsigned whom; /* BIT(SURVEY_…) of each thread asked */
    size_t answer_size;
    /* [whom] `answer` is zeroed; `index` counts among the workers. */
    void (*ask)(const struct parts *parts, enum survey_whom whom,
                unsigned index, void *answer);
    /* Frees what an answer holds, also one that is all zero; may be NULL. */
    void (*fini)(void *answer);
};

/* All have answered; the survey is gone afterwards. */
typedef void (*survey_done_fn)(void *arg, const struct survey *s);

/* 0 and *out, or -ENOMEM. `done` is never called before this returns. */
MUST_CHECK int survey_start(const struct parts *parts,
                            const struct survey_kind *kind, survey_done_fn done,
                            void *arg, struct survey **out);

/* Asks nothing: `done` comes when the hub, the acceptor and every worker have
 * run all that was posted to them before. So what a reload sent is in force
 * then. Otherwise as survey_start(). */
MUST_CHECK int survey_settle(const struct parts *parts, survey_done_fn done,
                             void *arg, struct survey **out);

/* `done` will not be called; NULL is fine. */
void survey_cancel(struct survey *s);

/* Of main, hub, acceptor and the workers, in this order, those asked. */
size_t survey_count(const struct survey *s);
const void *survey_answer(const struct survey *s, size_t i);

#endif
