/* SPDX-License-Identifier: BSD-2-Clause
 *
 * survey - see survey.h.
 *
 *  1. A post belongs to the thread asked from worker_post() until it is posted
 *     back; that thread touches its own `struct asked` and no other, and of
 *     the survey only what is set once.
 *  2. `away` counts the posts not yet back; only main touches it. Posts are
 *     dropped by worker_destroy(), which main calls when the threads are gone.
 */
#include "ops/survey.h"

#include <errno.h>
#include <stdlib.h>

#include "base/assert.h"
#include "loop/worker.h"

struct asked {
    struct post post; /* its kind says whether it is on its way out or back */
    struct survey *survey;
    enum survey_whom whom;
    unsigned index;
    void *answer;
};

struct survey {
    /* set once */
    const struct parts *parts;
    const struct survey_kind *kind;
    size_t count;
    /* [main] */
    survey_done_fn done; /* NULL: cancelled */
    void *arg;
    size_t away;
    /* [asked] each its own */
    struct asked asked[];
};

static void
destroy(struct survey *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->kind->fini != NULL && s->asked[i].answer != NULL)
            s->kind->fini(s->asked[i].answer);
        free(s->asked[i].answer);
    }
    free(s);
}

static struct asked *
asked_of(struct post *p)
{
    return CONTAINER_OF(p, struct asked, post);
}

/* ---- there and back ------------------------------------------------------- */

static void
come_home(struct worker *w, struct post *p)
{
    struct survey *const s = asked_of(p)->survey;

    s->away--;
    if (s->away > 0)
        return;
    if (s->done != NULL)
        s->done(s->arg, s);
    destroy(s);
}

static void
drop(struct post *p)
{
    struct survey *const s = asked_of(p)->survey;

    s->done = NULL;
    s->away--;
    if (s->away == 0)
        destroy(s);
}

static const struct post_kind home_kind = {
    .name = "survey-answer",
    .run = come_home,
    .drop = drop,
};

static void
ask(struct worker *w, struct post *p)
{
    struct asked *const a = asked_of(p);
    const struct survey *const s = a->survey;

    s->kind->ask(s->parts, a->whom, a->index, a->answer);
    p->kind = &home_kind;
    worker_post(s->parts->main_worker, p);
}

static const struct post_kind ask_kind = {
    .name = "survey",
    .run = ask,
    .drop = drop,
};

/* ---- starting ------------------------------------------------------------- */

static struct worker *
worker_of(const struct parts *parts, enum survey_whom whom, unsigned index)
{
    switch (whom) {
    case SURVEY_MAIN:
        return parts->main_worker;
    case SURVEY_HUB:
        return parts->hub_worker;
    case SURVEY_ACCEPTOR:
        return parts->acceptor_worker;
    case SURVEY_WORKER:
        return parts->workers[index];
    }
    return NULL;
}

/* Threads of that sort that there are and that are asked. */
static size_t
count_asked(const struct parts *parts, const struct survey_kind *kind,
            enum survey_whom whom)
{
    if ((kind->whom & BIT(whom)) == 0)
        return 0;
    return whom == SURVEY_WORKER ? parts->worker_count : 1;
}

static int
add(struct survey *s, enum survey_whom whom, unsigned index)
{
    struct asked *const a = &s->asked[s->count];

    a->answer = calloc(1, s->kind->answer_size);
    if (a->answer == NULL)
        return -ENOMEM;
    a->post.kind = &ask_kind;
    a->survey = s;
    a->whom = whom;
    a->index = index;
    s->count++;
    return 0;
}

static int
add_all(struct survey *s)
{
    for (enum survey_whom whom = SURVEY_MAIN; whom <= SURVEY_WORKER; whom++) {
        const size_t n = count_asked(s->parts, s->kind, whom);

        for (unsigned i = 0; i < n; i++)
            if (add(s, whom, i) < 0)
                return -ENOMEM;
    }
    return 0;
}

int
survey_start(const struct parts *parts, const struct survey_kind *kind,
             survey_done_fn done, void *arg, struct survey **out)
{
    size_t count = 0;
    struct survey *s;

    for (enum survey_whom whom = SURVEY_MAIN; whom <= SURVEY_WORKER; whom++)
        count += count_asked(parts, kind, whom);
    ASSERT(count > 0);

    s = calloc(1, sizeof(*s) + count * sizeof(struct asked));
    if (s == NULL)
        return -ENOMEM;
    s->parts = parts;
    s->kind = kind;
    s->done = done;
    s->arg = arg;
    if (add_all(s) < 0) {
        destroy(s);
        return -ENOMEM;
    }

    s->away = count;
    for (size_t i = 0; i < count; i++)
        worker_post(worker_of(parts, s->asked[i].whom, s->asked[i].index),
                    &s->asked[i].post);
    *out = s;
    return 0;
}

static void
ask_nothing(const struct parts *parts, enum survey_whom whom, unsigned index,
            void *answer)
{
    /* That the post ran is the answer. */
}

static const struct survey_kind settle_kind = {
    .name = "settle",
    .whom = BIT(SURVEY_HUB) | BIT(SURVEY_ACCEPTOR) | BIT(SURVEY_WORKER),
    .answer_size = 1,
    .ask = ask_nothing,
};

int
survey_settle(const struct parts *parts, survey_done_fn done, void *arg,
              struct survey **out)
{
    return survey_start(parts, &settle_kind, done, arg, out);
}

void
survey_cancel(struct survey *s)
{
    if (s != NULL)
        s->done = NULL;
}

size_t
survey_count(const struct survey *s)
{
    return s->count;
}

const void *
survey_answer(const struct survey *s, size_t i)
{
    return s->asked[i].answer;
}
