/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The hub's thread and time: its tick, and what a ticket brings. All workers run
 * on the thread of the case, with a clock that goes where it is sent.
 */
#include <string.h>

#include "base/wheel.h"
#include "chat/hub_thread.h"
#include "loop/worker.h"
#include "support/fake_time.h"
#include "support/unit.h"

#define CONN(w, n) ((uint64_t)(w) << 56 | (n))

enum {
    LINGER_MS = 60000,
    START_MS = 5000,
    EVENTS_MAX = 64,
};

/* What the sink got last; it keeps no reference. */
struct heard {
    enum event_kind kind;
    uint32_t request;
    uint64_t number;
    uint64_t seq;
    uint64_t id;
    session_id session;
    struct token token;
    uint64_t at_ms; /* when it was heard */
    char text[64];
};

static struct worker *hub_worker, *sink;
static struct hub *hub;
static struct hub_thread *thread;
static struct chat_conf conf;
static struct heard heard[EVENTS_MAX];
static size_t heard_count;
static uint32_t requests;

static void
on_batch(void *arg, const struct delivery *d, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct event *const e = d[i].event;
        struct heard *const h = &heard[heard_count++];

        ck_assert_uint_lt(heard_count, EVENTS_MAX);
        *h = (struct heard){
            .kind = (enum event_kind)e->kind,
            .request = d[i].request,
            .number = e->number,
            .seq = e->seq,
            .id = e->id,
            .session = e->who.session,
            .at_ms = fake_time.now_ns / 1000000,
        };
        if (e->kind == EVENT_ATTACHED || e->kind == EVENT_RESUMED)
            ck_assert(token_parse(e->text, &h->token));
        if (e->text.len < sizeof(h->text))
            memcpy(h->text, e->text.data, e->text.len);
    }
}

static struct worker *
make_worker(const char *name)
{
    const struct worker_conf worker = {.name = name, .cpu = -1};
    struct worker *w;

    ck_assert_int_eq(worker_create(&worker, &w), 0);
    return w;
}

static void
open_all(void)
{
    struct hub_conf hub_conf = {.workers = 1};
    struct hub_sink sinks[2];

    fake_time_start(START_MS);
    chat_conf_init(&conf);
    conf.session_linger = LINGER_MS;
    hub_conf.chat = conf;
    ck_assert_int_eq(hub_create(&hub_conf, &hub), 0);
    hub_worker = make_worker("hub");
    sink = make_worker("sink");
    sinks[0] = sinks[1] = (struct hub_sink){sink, on_batch, NULL};
    ck_assert_int_eq(
        hub_thread_create(&(struct hub_thread_env){hub_worker, hub, sinks, 2},
                          &thread),
        0);
}

static void
close_all(void)
{
    worker_destroy(sink);
    hub_thread_destroy(thread);
    worker_destroy(hub_worker);
    hub_destroy(hub);
    ck_assert_uint_eq(event_live(), 0);
}

static void
wake(struct worker *w, struct task *task)
{
}

/* One turn, which does not wait. */
static void
run_out(struct worker *w)
{
    struct task wakes;

    task_init(&wakes, wake);
    worker_soon(w, &wakes);
    worker_turn(w);
}

static void
turn(void)
{
    heard_count = 0;
    run_out(hub_worker);
    run_out(sink);
}

static void
send(struct command c, uint64_t conn)
{
    c.from = (struct origin){.conn = conn, .request = ++requests};
    ck_assert_int_eq(hub_thread_send(thread, &c), 0);
}

static struct heard
attach(uint64_t conn, const char *nick)
{
    struct command c = {
        .kind = COMMAND_ATTACH,
        .name = slice_of(nick),
        .resumable = true,
    };

    c.secret.bytes[0] = (unsigned char)nick[0];
    send(c, conn);
    turn();
    ck_assert_int_eq(heard[0].kind, EVENT_ATTACHED);
    return heard[0];
}

static void
join(uint64_t conn, session_id session)
{
    send((struct command){.kind = COMMAND_JOIN,
                          .session = session,
                          .name = slice_of("#tea")},
         conn);
    turn();
}

static void
detach(uint64_t conn, enum detach_how how)
{
    struct hub_ticket *const ticket = hub_ticket_create();

    ck_assert_ptr_nonnull(ticket);
    hub_thread_detach(thread, ticket,
                      &(struct hub_farewell){
                          .from = {.conn = conn, .request = ++requests},
                          .how = how,
                          .why = "reset",
    });
    turn();
}

static uint64_t
waiting(void)
{
    struct hub_census census;

    hub_count(hub, &census);
    return census.waiting;
}

/* Both in #tea. */
static struct heard anna, berta;

static void
open_two(void)
{
    open_all();
    anna = attach(CONN(0, 1), "anna");
    berta = attach(CONN(0, 2), "berta");
    join(CONN(0, 1), anna.session);
    join(CONN(0, 2), berta.session);
}

/* ---- the tick ------------------------------------------------------------ */

/* The clock jumps to where the hub's worker wakes up, until nobody waits. */
static void
wait_for_the_end(void)
{
    for (unsigned turns = 0; waiting() > 0; turns++) {
        ck_assert_uint_lt(turns, 1000);
        worker_turn(hub_worker);
    }
}

START_TEST(the_hub_wakes_up_when_linger_is_over)
{
    open_two();
    detach(CONN(0, 1), DETACH_LOST);
    ck_assert_uint_eq(waiting(), 1);

    wait_for_the_end();
    ck_assert_uint_ge(fake_time.now_ns / 1000000, START_MS + LINGER_MS);
    ck_assert_uint_le(fake_time.now_ns / 1000000, START_MS + LINGER_MS + 2);

    heard_count = 0;
    run_out(sink);
    ck_assert_uint_eq(heard_count, 1);
    ck_assert_int_eq(heard[0].kind, EVENT_QUIT);
    ck_assert_str_eq(heard[0].text, "reset");
    close_all();
}
END_TEST

START_TEST(it_does_not_end_anybody_before)
{
    open_two();
    detach(CONN(0, 1), DETACH_LOST);
    fake_time_pass_ms(LINGER_MS - 1);
    turn();
    ck_assert_uint_eq(waiting(), 1);
    ck_assert_uint_eq(heard_count, 0);
    fake_time_pass_ms(1);
    turn();
    ck_assert_uint_eq(waiting(), 0);
    close_all();
}
END_TEST

START_TEST(while_nobody_waits_nothing_ticks)
{
    open_two();
    detach(CONN(0, 1), DETACH_LOST);
    ck_assert_uint_ne(wheel_next_ms(worker_wheel(hub_worker)), WHEEL_NEVER);
    send((struct command){.kind = COMMAND_RESUME, .token = anna.token},
         CONN(0, 3));
    turn();
    ck_assert_uint_eq(waiting(), 0);
    ck_assert_uint_eq(wheel_next_ms(worker_wheel(hub_worker)), WHEEL_NEVER);
    close_all();
}
END_TEST

/* As a call from main does, between two turns. */
static void
reload_in_turn(struct worker *w, struct task *task)
{
    hub_thread_reload(thread, &conf);
}

static void
reload(void)
{
    static struct task task;

    task_init(&task, reload_in_turn);
    worker_defer(hub_worker, &task);
    turn();
}

START_TEST(a_new_linger_moves_the_tick_at_once)
{
    open_two();
    detach(CONN(0, 1), DETACH_LOST);
    conf.session_linger = 1000;
    reload();
    fake_time_pass_ms(1000);
    turn();
    ck_assert_uint_eq(waiting(), 0);
    close_all();
}
END_TEST

START_TEST(many_who_are_due_at_once_end_in_several_ticks)
{
    char nick[] = "x00";

    open_all();
    for (unsigned i = 0; i < 150; i++) {
        nick[1] = (char)('a' + (int)(i / 26));
        nick[2] = (char)('a' + (int)(i % 26));
        (void)attach(CONN(0, i + 1), nick);
        detach(CONN(0, i + 1), DETACH_LOST);
    }
    ck_assert_uint_eq(waiting(), 150);
    wait_for_the_end();
    ck_assert_uint_le(fake_time.now_ns / 1000000, START_MS + LINGER_MS + 20);
    close_all();
}
END_TEST

/* ---- tickets ------------------------------------------------------------- */

/* Sent after the cursor: so many, of which so many are not kept. */
static struct heard
resumed_after(struct hub_farewell f)
{
    struct hub_ticket *const ticket = hub_ticket_create();

    ck_assert_ptr_nonnull(ticket);
    f.from = (struct origin){.conn = CONN(0, 1), .request = ++requests};
    f.how = DETACH_LOST;
    f.why = "reset";
    hub_thread_detach(thread, ticket, &f);
    turn();
    ck_assert_uint_eq(heard[heard_count - 1].request, requests);
    ck_assert_int_eq(heard[0].kind, EVENT_LOST);
    send((struct command){.kind = COMMAND_RESUME, .token = anna.token},
         CONN(0, 3));
    turn();
    ck_assert_int_eq(heard[0].kind, EVENT_RESUMED);
    return heard[0];
}

START_TEST(a_ticket_brings_cursor_upto_and_count)
{
    struct heard resumed;

    open_two(); /* ids 1 and 2: the two JOINED, of which anna is shown one */
    resumed = resumed_after(
        (struct hub_farewell){.cursor = 1, .upto = 2, .unacked = 5});
    ck_assert_uint_eq(resumed.id, 1);
    ck_assert_uint_eq(resumed.number, 1);
    ck_assert_uint_eq(resumed.seq, 4);
    close_all();
}
END_TEST

START_TEST(a_ticket_of_who_was_sent_nothing_may_leave_upto_out)
{
    struct heard resumed;

    open_two();
    resumed = resumed_after((struct hub_farewell){.cursor = 2});
    ck_assert_uint_eq(resumed.id, 2);
    ck_assert_uint_eq(resumed.number, 0);
    ck_assert_uint_eq(resumed.seq, 0);
    close_all();
}
END_TEST

START_TEST(a_cursor_may_be_a_long_way_back)
{
    struct heard resumed;

    open_two();
    resumed = resumed_after((struct hub_farewell){
        .cursor = 0, .upto = UINT64_C(1) << 40, .unacked = 1});
    ck_assert_uint_eq(resumed.id, 0);
    ck_assert_uint_eq(resumed.number, 1);
    ck_assert_uint_eq(resumed.seq, 0);
    close_all();
}
END_TEST

START_TEST(a_goodbye_by_ticket_ends_at_once)
{
    open_two();
    detach(CONN(0, 1), DETACH_QUIT);
    ck_assert_int_eq(heard[0].kind, EVENT_QUIT);
    ck_assert_uint_eq(waiting(), 0);
    close_all();
}
END_TEST

START_TEST(who_is_replaced_waits_without_a_word)
{
    open_two();
    detach(CONN(0, 1), DETACH_REPLACED);
    ck_assert_uint_eq(heard_count, 1);
    ck_assert_int_eq(heard[0].kind, EVENT_DONE);
    ck_assert_uint_eq(waiting(), 1);
    close_all();
}
END_TEST

UNIT_MAIN("chat/hub_tick", the_hub_wakes_up_when_linger_is_over,
          it_does_not_end_anybody_before, while_nobody_waits_nothing_ticks,
          a_new_linger_moves_the_tick_at_once,
          many_who_are_due_at_once_end_in_several_ticks,
          a_ticket_brings_cursor_upto_and_count,
          a_ticket_of_who_was_sent_nothing_may_leave_upto_out,
          a_cursor_may_be_a_long_way_back, a_goodbye_by_ticket_ends_at_once,
          who_is_replaced_waits_without_a_word)
