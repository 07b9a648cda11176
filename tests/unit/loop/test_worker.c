/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The turn, with fake time; eventfd_write is wrapped to count the rings.
 */
#include "loop/worker.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/wheel.h"
#include "loop/reactor.h"
#include "loop/worker_priv.h"
#include "support/fake_time.h"
#include "support/unit.h"

#define START_MS 5000u

/* A post that writes its letter down when it is run or dropped. */
struct letter {
    struct post post;
    char letter;
};

static struct worker *worker;
static char diary[64]; /* what happened, a letter each */
static unsigned rings;

int __real_eventfd_write(int fd, eventfd_t value);

int
__wrap_eventfd_write(int fd, eventfd_t value)
{
    rings++;
    return __real_eventfd_write(fd, value);
}

static void
note(char letter)
{
    const size_t len = strlen(diary);

    ck_assert_uint_lt(len + 1, sizeof(diary));
    diary[len] = letter;
}

static char
letter_of(struct post *p)
{
    return CONTAINER_OF(p, struct letter, post)->letter;
}

static void
run_letter(struct worker *w, struct post *p)
{
    ck_assert_ptr_eq(w, worker);
    note(letter_of(p));
}

static void
drop_letter(struct post *p)
{
    note('-');
    note(letter_of(p));
}

static const struct post_kind letter_kind = {"letter", run_letter, drop_letter};

static void
setup_worker(size_t post_budget)
{
    const struct worker_conf conf = {
        .name = "test", .index = 7, .cpu = -1, .post_budget = post_budget};

    fake_time_start(START_MS);
    ck_assert_int_eq(worker_create(&conf, &worker), 0);
}

static void
post_letter(struct letter *l, char letter)
{
    *l = (struct letter){.post.kind = &letter_kind, .letter = letter};
    worker_post(worker, &l->post);
}

/* A turn that may find nothing at all to do, and whether it waited. */
static bool
turn_waits(void)
{
    worker_turn(worker);
    return fake_time.timeout_ms != 0;
}

/* -- order ---------------------------------------------------------------- */

static struct task soon_task, deferred_task;
static struct letter from_ready;

static void
on_ready(struct reactor_source *s, uint32_t events)
{
    note('r');
    post_letter(&from_ready, 'p');
}

static void
on_due(struct wheel_timer *t, uint64_t now_ms)
{
    note('t');
}

static void
on_soon(struct worker *w, struct task *t)
{
    note('s');
    worker_defer(w, &deferred_task);
}

static void
on_deferred(struct worker *w, struct task *t)
{
    note('d');
}

START_TEST(a_turn_has_its_order)
{
    struct reactor_source source;
    struct wheel_timer timer;
    const int fd = eventfd(1, EFD_NONBLOCK);

    setup_worker(0);
    reactor_source_init(&source, on_ready);
    ck_assert_int_eq(
        reactor_add(worker_reactor(worker), &source, fd, EPOLLIN | EPOLLET), 0);
    task_init(&soon_task, on_soon);
    task_init(&deferred_task, on_deferred);
    worker_soon(worker, &soon_task);
    wheel_timer_init(&timer, on_due);
    wheel_arm(worker_wheel(worker), &timer, START_MS - 1);

    worker_turn(worker);

    ck_assert_str_eq(diary, "rsptd");
    reactor_remove(worker_reactor(worker), &source, fd);
    worker_destroy(worker);
    close(fd);
}
END_TEST

START_TEST(posts_run_in_the_order_they_were_posted)
{
    struct letter l[4];

    setup_worker(0);
    for (int i = 0; i < 4; i++)
        post_letter(&l[i], (char)('a' + i));

    worker_turn(worker);

    ck_assert_str_eq(diary, "abcd");
    ck_assert_uint_eq(metric_read(&worker_counters(worker)->posts), 4);
    worker_destroy(worker);
}
END_TEST

/* -- budgets -------------------------------------------------------------- */

START_TEST(posts_over_the_budget_make_the_next_turn_not_wait)
{
    struct letter l[5], late;

    setup_worker(3);
    for (int i = 0; i < 5; i++)
        post_letter(&l[i], (char)('a' + i));

    worker_turn(worker);
    ck_assert_str_eq(diary, "abc");
    post_letter(&late, 'z');
    ck_assert(!turn_waits());
    ck_assert_str_eq(diary, "abcdez");
    ck_assert(turn_waits());
    worker_destroy(worker);
}
END_TEST

static void
run_again(struct worker *w, struct post *p)
{
    note('a');
    worker_post(w, p);
}

static const struct post_kind again_kind = {"again", run_again, drop_letter};

START_TEST(a_post_that_posts_itself_cannot_keep_a_turn_from_ending)
{
    struct letter endless = {.post.kind = &again_kind, .letter = 'a'};
    struct wheel_timer timer;

    setup_worker(4);
    wheel_timer_init(&timer, on_due);
    wheel_arm(worker_wheel(worker), &timer, START_MS);
    worker_post(worker, &endless.post);

    worker_turn(worker);

    ck_assert_str_eq(diary, "aaaat");
    ck_assert(!turn_waits());
    worker_destroy(worker); /* writes "-a" */
    ck_assert_str_eq(diary, "aaaataaaa-a");
}
END_TEST

static size_t fired;

static void
count_timer(struct wheel_timer *t, uint64_t now_ms)
{
    fired++;
}

START_TEST(timers_over_the_budget_make_the_next_turn_not_wait)
{
    static struct wheel_timer timers[TIMER_BUDGET + 1];

    setup_worker(0);
    for (size_t i = 0; i < ARRAY_LEN(timers); i++) {
        wheel_timer_init(&timers[i], count_timer);
        wheel_arm(worker_wheel(worker), &timers[i], START_MS);
    }

    worker_turn(worker);
    ck_assert_uint_eq(fired, TIMER_BUDGET);
    ck_assert(!turn_waits());
    ck_assert_uint_eq(fired, TIMER_BUDGET + 1);
    ck_assert(turn_waits());
    ck_assert_uint_eq(metric_read(&worker_counters(worker)->timers),
                      TIMER_BUDGET + 1);
    worker_destroy(worker);
}
END_TEST

/* -- time ----------------------------------------------------------------- */

static uint64_t fired_at_ms;

static void
note_time(struct wheel_timer *t, uint64_t now_ms)
{
    ck_assert_uint_eq(now_ms, worker_now_ms(worker));
    fired_at_ms = now_ms;
}

START_TEST(the_wait_ends_with_the_next_timer)
{
    struct wheel_timer timer;
    int turns = 0;

    setup_worker(0);
    wheel_timer_init(&timer, note_time);
    wheel_arm(worker_wheel(worker), &timer, START_MS + 12345);

    while (fired_at_ms == 0 && turns++ < 20)
        ck_assert(turn_waits());

    ck_assert_uint_eq(fired_at_ms, START_MS + 12345);
    ck_assert_uint_eq(fake_time.for_ever, 0);
    worker_destroy(worker);
}
END_TEST

START_TEST(with_nothing_to_do_the_wait_is_for_ever)
{
    setup_worker(0);

    worker_turn(worker);

    ck_assert_int_eq(fake_time.timeout_ms, -1);
    worker_destroy(worker);
}
END_TEST

static void
be_slow(struct worker *w, struct post *p)
{
    fake_time_pass_ms(70);
}

static const struct post_kind slow_kind = {"slow", be_slow, drop_letter};

START_TEST(a_long_turn_shortens_the_wait_and_is_measured)
{
    struct letter slow = {.post.kind = &slow_kind};
    const struct worker_counters *counters;
    struct wheel_timer timer;

    setup_worker(0);
    counters = worker_counters(worker);
    wheel_timer_init(&timer, note_time);
    wheel_arm(worker_wheel(worker), &timer, START_MS + 100);
    worker_post(worker, &slow.post);

    worker_turn(worker);
    ck_assert_uint_eq(worker_now_ms(worker), START_MS);
    ck_assert_uint_eq(metric_read(&counters->busy_us), 70000);
    while (!turn_waits()) /* the wheel may ask to be called in between */
        ck_assert_uint_lt(fake_time.waits, 10);

    ck_assert_int_le(fake_time.timeout_ms, 30);
    ck_assert_uint_eq(metric_read(&counters->busy_us), 70000);
    ck_assert_uint_eq(metric_read(&counters->longest_us), 70000);
    ck_assert_uint_eq(metric_read(&counters->turns), fake_time.waits);
    wheel_disarm(worker_wheel(worker), &timer);
    worker_destroy(worker);
}
END_TEST

/* -- the bell ------------------------------------------------------------- */

static struct letter late[2];

static void
post_two(void)
{
    fake_time.on_wait = NULL;
    post_letter(&late[0], 'x');
    post_letter(&late[1], 'y');
}

START_TEST(only_the_first_post_to_a_worker_that_sleeps_rings)
{
    setup_worker(0);
    fake_time.on_wait = post_two;

    ck_assert(turn_waits());

    ck_assert_str_eq(diary, "xy");
    ck_assert_uint_eq(rings, 1);
    ck_assert_uint_eq(metric_read(&worker_counters(worker)->wakeups), 1);
    worker_destroy(worker);
}
END_TEST

START_TEST(nobody_rings_a_worker_that_is_awake)
{
    struct letter a, b;

    setup_worker(0);
    post_letter(&a, 'a'); /* never slept yet */
    ck_assert(!turn_waits());
    post_letter(&b, 'b'); /* did not sleep since */
    ck_assert(!turn_waits());

    ck_assert_str_eq(diary, "ab");
    ck_assert_uint_eq(rings, 0);
    worker_destroy(worker);
}
END_TEST

START_TEST(a_worker_that_woke_without_the_bell_is_awake_for_posters)
{
    struct wheel_timer timer;
    struct letter a;

    setup_worker(0);
    wheel_timer_init(&timer, on_due);
    wheel_arm(worker_wheel(worker), &timer, START_MS + 1);
    ck_assert(turn_waits());
    ck_assert_str_eq(diary, "t");

    post_letter(&a, 'a');
    ck_assert(!turn_waits());

    ck_assert_str_eq(diary, "ta");
    ck_assert_uint_eq(rings, 0);
    worker_destroy(worker);
}
END_TEST

START_TEST(a_worker_that_a_socket_woke_does_not_ring_for_itself)
{
    struct reactor_source source;
    const int fd = eventfd(1, EFD_NONBLOCK);

    setup_worker(0);
    reactor_source_init(&source, on_ready);
    ck_assert_int_eq(
        reactor_add(worker_reactor(worker), &source, fd, EPOLLIN | EPOLLET), 0);

    ck_assert(turn_waits());

    ck_assert_str_eq(diary, "rp");
    ck_assert_uint_eq(rings, 0);
    reactor_remove(worker_reactor(worker), &source, fd);
    worker_destroy(worker);
    close(fd);
}
END_TEST

START_TEST(each_sleep_can_be_ended_by_the_bell)
{
    setup_worker(0);

    for (unsigned i = 1; i <= 3; i++) {
        fake_time.on_wait = post_two;
        ck_assert(turn_waits());
        ck_assert_uint_eq(rings, i);
        ck_assert_uint_eq(metric_read(&worker_counters(worker)->wakeups), i);
    }
    ck_assert_str_eq(diary, "xyxyxy");
    ck_assert(turn_waits());
    ck_assert_uint_eq(fake_time.for_ever, 1); /* and no echo of it */
    worker_destroy(worker);
}
END_TEST

/* -- the end -------------------------------------------------------------- */

static void
stop_hook(struct worker *w, void *arg)
{
    note('E');
    worker_defer(w, arg);
}

static void
start_hook(struct worker *w, void *arg)
{
    note('S');
    ck_assert_uint_eq(worker_now_ms(w), START_MS + 9);
}

START_TEST(quit_ends_after_what_was_posted_before_and_drops_the_rest)
{
    const struct worker_hooks hooks = {
        .on_start = start_hook, .on_stop = stop_hook, .arg = &deferred_task};
    struct letter before, after, later;

    setup_worker(0);
    fake_time_pass_ms(9);
    task_init(&deferred_task, on_deferred);
    worker_set_hooks(worker, &hooks);
    post_letter(&before, 'b');
    worker_quit(worker);
    post_letter(&after, 'a');
    worker_quit(worker); /* once is enough */

    worker_run(worker);
    ck_assert_str_eq(diary, "SbEd");
    post_letter(&later, 'l');
    worker_destroy(worker);
    ck_assert_str_eq(diary, "SbEd-a-l");
}
END_TEST

START_TEST(a_worker_that_never_ran_drops_its_posts)
{
    struct letter a;

    worker_destroy(NULL);
    setup_worker(0);
    post_letter(&a, 'a');

    worker_stop(worker);
    worker_destroy(worker);

    ck_assert_str_eq(diary, "-a");
}
END_TEST

/* -- what others ask ------------------------------------------------------ */

static const char *where;
static uint64_t since_ms;

static void
look_around(void)
{
    where = worker_where(worker, &since_ms);
}

static void
run_and_look(struct worker *w, struct post *p)
{
    look_around();
}

static const struct post_kind look_kind = {"look", run_and_look, drop_letter};

START_TEST(where_names_the_post_that_runs_and_since_when)
{
    struct letter look = {.post.kind = &look_kind};

    setup_worker(0);
    worker_post(worker, &look.post);
    fake_time_pass_ms(3);

    worker_turn(worker);

    ck_assert_str_eq(where, "look");
    ck_assert_uint_eq(since_ms, START_MS + 3);
    worker_destroy(worker);
}
END_TEST

START_TEST(where_tells_a_wait_from_a_turn)
{
    setup_worker(0);
    fake_time.on_wait = look_around;

    worker_turn(worker);

    ck_assert_str_eq(where, "wait");
    ck_assert_uint_eq(since_ms, 0);
    worker_destroy(worker);
}
END_TEST

START_TEST(a_worker_has_name_index_and_a_row_for_each_counter)
{
    setup_worker(0);

    ck_assert_str_eq(worker_name(worker), "test");
    ck_assert_uint_eq(worker_index(worker), 7);
    ck_assert_uint_eq(worker_metric_count * sizeof(_Atomic uint64_t),
                      sizeof(struct worker_counters));
    ck_assert_str_eq(worker_metrics[0].name, "turns");
    worker_destroy(worker);
}
END_TEST

UNIT_MAIN("loop/worker", a_turn_has_its_order,
          posts_run_in_the_order_they_were_posted,
          posts_over_the_budget_make_the_next_turn_not_wait,
          a_post_that_posts_itself_cannot_keep_a_turn_from_ending,
          timers_over_the_budget_make_the_next_turn_not_wait,
          the_wait_ends_with_the_next_timer,
          with_nothing_to_do_the_wait_is_for_ever,
          a_long_turn_shortens_the_wait_and_is_measured,
          only_the_first_post_to_a_worker_that_sleeps_rings,
          nobody_rings_a_worker_that_is_awake,
          a_worker_that_woke_without_the_bell_is_awake_for_posters,
          a_worker_that_a_socket_woke_does_not_ring_for_itself,
          each_sleep_can_be_ended_by_the_bell,
          quit_ends_after_what_was_posted_before_and_drops_the_rest,
          a_worker_that_never_ran_drops_its_posts,
          where_names_the_post_that_runs_and_since_when,
          where_tells_a_wait_from_a_turn,
          a_worker_has_name_index_and_a_row_for_each_counter)
