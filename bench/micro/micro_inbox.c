/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The inbox: alone, with its owner awake; from one thread to another, bell and
 * all, through worker_post().
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/inbox.h"
#include "bench/micro/micro.h"
#include "loop/worker.h"

#define ALONE 10000000u
#define POSTS 1000000u

static void
post_and_take(void)
{
    struct inbox_link link;
    struct inbox in;
    const uint64_t started = clock_mono_ns();

    inbox_init(&in);
    for (unsigned i = 0; i < ALONE; i++) {
        (void)!inbox_post(&in, &link);
        (void)inbox_take(&in);
    }
    micro_report("inbox: post and take, one thread", ALONE, started);
}

static unsigned seen;

static void
run(struct worker *w, struct post *p)
{
    if (++seen == POSTS)
        worker_quit(w);
}

static void
drop(struct post *p)
{
}

static const struct post_kind kind = {
    .name = "micro",
    .run = run,
    .drop = drop,
};

static void *
post_all(void *arg)
{
    struct post *const posts = calloc(POSTS, sizeof(*posts));

    for (unsigned i = 0; posts != NULL && i < POSTS; i++) {
        posts[i].kind = &kind;
        worker_post(arg, &posts[i]);
    }
    return posts;
}

static void
post_across(void)
{
    const struct worker_conf conf = {.name = "micro", .cpu = -1};
    struct worker *w;
    pthread_t poster;
    uint64_t started;
    void *posts;

    if (worker_create(&conf, &w) < 0)
        exit(1);
    started = clock_mono_ns();
    if (pthread_create(&poster, NULL, post_all, w) != 0)
        exit(1);
    worker_run(w);
    micro_report("worker_post: one thread to another", POSTS, started);
    pthread_join(poster, &posts);
    free(posts);
    worker_destroy(w);
}

int
main(void)
{
    post_and_take();
    post_across();
    return 0;
}
