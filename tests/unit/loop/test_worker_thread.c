/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A worker on a thread of its own, in real time. What the thread finds out is
 * read after worker_stop() has joined it.
 */
#include "loop/worker.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

#include "support/dies.h"
#include "support/unit.h"

static struct worker *worker;

/* What a post saw on the worker's thread. */
static struct sight {
    char name[16];
    bool blocks_signals;
    bool is_self;
    int cpu;
    unsigned starts, stops;
} seen;

static void
look(struct worker *w, struct post *p)
{
    sigset_t blocked;

    pthread_getname_np(pthread_self(), seen.name, sizeof(seen.name));
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    seen.blocks_signals = sigismember(&blocked, SIGTERM) &&
                          sigismember(&blocked, SIGHUP) &&
                          sigismember(&blocked, SIGPIPE);
    seen.is_self = worker_is_self(w);
    seen.cpu = sched_getcpu();
}

static void
forget(struct post *p)
{
    /* Not allocated. */
}

static const struct post_kind look_kind = {"look", look, forget};
static struct post look_post = {.kind = &look_kind};

static void
on_start(struct worker *w, void *arg)
{
    seen.starts++;
    ck_assert_ptr_eq(arg, &seen);
}

static void
on_stop(struct worker *w, void *arg)
{
    seen.stops++;
}

static void
setup_worker(int cpu)
{
    const struct worker_conf conf = {.name = "a-test-worker", .cpu = cpu};

    ck_assert_int_eq(worker_create(&conf, &worker), 0);
}

START_TEST(a_thread_bears_its_name_and_takes_no_signals)
{
    sigset_t mine;

    setup_worker(-1);
    worker_post(worker, &look_post);
    ck_assert_int_eq(worker_start(worker), 0);
    worker_stop(worker);

    ck_assert_str_eq(seen.name, "a-test-worker");
    ck_assert(seen.blocks_signals);
    pthread_sigmask(SIG_SETMASK, NULL, &mine);
    ck_assert(!sigismember(&mine, SIGTERM));
    worker_destroy(worker);
}
END_TEST

START_TEST(a_worker_is_its_threads_while_it_runs_and_then_its_makers)
{
    setup_worker(-1);
    ck_assert(worker_is_self(worker));
    worker_post(worker, &look_post);
    ck_assert_int_eq(worker_start(worker), 0);
    ck_assert(!worker_is_self(worker));
    worker_stop(worker);

    ck_assert(seen.is_self);
    ck_assert(worker_is_self(worker));
    worker_destroy(worker);
}
END_TEST

START_TEST(hooks_are_called_once_each)
{
    const struct worker_hooks hooks = {
        .on_start = on_start, .on_stop = on_stop, .arg = &seen};

    setup_worker(-1);
    worker_set_hooks(worker, &hooks);
    ck_assert_int_eq(worker_start(worker), 0);
    worker_stop(worker);
    worker_stop(worker); /* harmless */

    ck_assert_uint_eq(seen.starts, 1);
    ck_assert_uint_eq(seen.stops, 1);
    worker_destroy(worker);
}
END_TEST

START_TEST(a_pinned_worker_runs_on_its_cpu)
{
    cpu_set_t mine;
    int cpu = CPU_SETSIZE - 1;

    ck_assert_int_eq(sched_getaffinity(0, sizeof(mine), &mine), 0);
    while (!CPU_ISSET((unsigned)cpu, &mine))
        cpu--;
    setup_worker(cpu);
    ck_assert_int_eq(worker_start(worker), 0);
    worker_post(worker, &look_post);
    worker_stop(worker);

    ck_assert_int_eq(seen.cpu, cpu);
    worker_destroy(worker);
}
END_TEST

START_TEST(a_cpu_that_does_not_exist_is_an_error_and_leaves_no_thread)
{
    setup_worker(CPU_SETSIZE - 1);
    ck_assert_int_eq(worker_start(worker), -EINVAL);
    ck_assert(worker_is_self(worker));
    worker_destroy(worker);

    setup_worker(CPU_SETSIZE);
    ck_assert_int_eq(worker_start(worker), -EINVAL);
    worker_destroy(worker);
}
END_TEST

static void *
defer_from_elsewhere(void *arg)
{
    worker_defer(worker, arg);
    return NULL;
}

static void
misuse(void *arg)
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, defer_from_elsewhere, arg),
                     0);
    pthread_join(thread, NULL);
}

START_TEST(a_call_from_another_thread_is_noticed)
{
    struct task task;

    setup_worker(-1);
    task_init(&task, NULL);

    ck_assert(dies(misuse, &task));

    worker_destroy(worker);
}
END_TEST

UNIT_MAIN("loop/worker_thread", a_thread_bears_its_name_and_takes_no_signals,
          a_worker_is_its_threads_while_it_runs_and_then_its_makers,
          hooks_are_called_once_each, a_pinned_worker_runs_on_its_cpu,
          a_cpu_that_does_not_exist_is_an_error_and_leaves_no_thread,
          a_call_from_another_thread_is_noticed)
