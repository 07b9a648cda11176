/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The hub on its thread between real ones: four who talk, on two workers.
 *
 * Shape    Each talker is a conn on one of the workers. It sends a numbered
 *          command, with at most WINDOW unanswered, as a front does; the sink
 *          of its worker reads the answers.
 * Order    Every command is answered by exactly one DONE, in the order sent.
 *          On each worker the room's seq has no gap from the first event seen,
 *          and the lines of one talker come in the order said.
 */
#include "chat/hub_thread.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>

#include "loop/worker.h"
#include "support/crew.h"
#include "support/unit.h"

enum {
    TALKERS = 4,
    WORKERS = 2,
    COMMANDS = 20000, /* of each, between JOIN and the end */
    WINDOW = 64,
};

struct talker {
    uint64_t conn;
    /* its thread's */
    uint32_t sent;
    /* [any] written by the sink */
    _Atomic uint64_t session;
    _Atomic uint32_t answered;
};

/* What a worker saw; its own until it is stopped. */
struct ear {
    uint64_t seq;
    uint32_t said[TALKERS]; /* the last number of each */
    uint64_t lines;
};

static _Atomic unsigned joined; /* [any] talkers who have */
static struct talker talkers[TALKERS];
static struct ear ears[WORKERS];
static struct hub_thread *thread;

static struct talker *
talker_on(uint64_t conn)
{
    const uint64_t number = conn & 0xFF;

    CREW_ASSERT(number < TALKERS && talkers[number].conn == conn);
    return &talkers[number];
}

static void
hear_answer(const struct delivery *d)
{
    struct talker *const t = talker_on(d->to);

    CREW_ASSERT(d->event->kind != EVENT_REFUSED);
    if (d->event->kind == EVENT_ATTACHED) {
        /* release: pairs with the acquire in wait_for_session(); the talker
         * reads nothing else, but TSan shall see it ordered. */
        atomic_store_explicit(&t->session, d->event->who.session,
                              memory_order_release);
    }
    if (d->event->kind == EVENT_DONE) {
        /* relaxed: the sink is the only writer; see send_next(). */
        const uint32_t before =
            atomic_load_explicit(&t->answered, memory_order_relaxed);

        CREW_ASSERT(d->request == before + 1);
        atomic_store_explicit(&t->answered, before + 1, memory_order_relaxed);
    }
}

static void
hear_said(struct ear *ear, const struct event *e)
{
    const struct talker *const t = talker_on(e->who.conn);
    uint32_t number = 0;

    for (size_t i = 0; i < e->text.len; i++)
        number = number * 10 + (uint32_t)(e->text.data[i] - '0');
    CREW_ASSERT(number > ear->said[t - talkers]);
    ear->said[t - talkers] = number;
    ear->lines++;
}

static uint64_t
seq_of(const struct event *e)
{
    return e->kind == EVENT_QUIT ? e->u.places[0].seq : e->seq;
}

static void
hear(struct ear *ear, const struct delivery *d)
{
    if (d->route == ROUTE_CONN) {
        hear_answer(d);
        return;
    }
    CREW_ASSERT(ear->seq == 0 || seq_of(d->event) == ear->seq + 1);
    ear->seq = seq_of(d->event);
    if (d->event->kind == EVENT_SAID)
        hear_said(ear, d->event);
}

static void
on_batch(void *arg, const struct delivery *d, size_t n)
{
    for (size_t i = 0; i < n; i++)
        hear(arg, &d[i]);
}

/* Waits until the window has room. */
static void
send_next(struct talker *t, struct command *c)
{
    /* relaxed: a number that only grows; what it allows is another post. */
    while (t->sent - atomic_load_explicit(&t->answered, memory_order_relaxed) >=
           WINDOW)
        sched_yield();
    c->from = (struct origin){.conn = t->conn, .request = ++t->sent};
    CREW_ASSERT(hub_thread_send(thread, c) == 0);
}

static session_id
wait_for_session(struct talker *t)
{
    session_id session;

    /* acquire: pairs with the release in hear_answer(). */
    while ((session =
                atomic_load_explicit(&t->session, memory_order_acquire)) == 0)
        sched_yield();
    return session;
}

static void
wait_for_answers(const struct talker *t)
{
    /* relaxed: see send_next(). */
    while (atomic_load_explicit(&t->answered, memory_order_relaxed) < t->sent)
        sched_yield();
}

/* Nobody leaves before all are there, so that no worker hears the room only
 * now and then. relaxed: a number that only grows. */
static void
wait_for_the_others(void)
{
    atomic_fetch_add_explicit(&joined, 1, memory_order_relaxed);
    while (atomic_load_explicit(&joined, memory_order_relaxed) < TALKERS)
        sched_yield();
}

static void
talk(struct talker *t, session_id session)
{
    struct command c = {.session = session, .name = slice_of("#tea")};
    char number[16];

    c.kind = COMMAND_JOIN;
    send_next(t, &c);
    wait_for_answers(t);
    wait_for_the_others();
    for (uint32_t i = 0; i < COMMANDS; i++) {
        c.kind = i % 5 == 4 ? COMMAND_WHO : COMMAND_SAY;
        snprintf(number, sizeof(number), "%" PRIu32, i + 1);
        c.text = slice_of(number);
        send_next(t, &c);
    }
}

static void
talker_main(struct crew *crew, unsigned member)
{
    struct talker *const t = &talkers[member];
    struct hub_ticket *const ticket = hub_ticket_create();
    const char nick[] = {(char)('a' + (int)member)};
    struct command attach = {.kind = COMMAND_ATTACH,
                             .name = slice_make(nick, sizeof(nick))};
    session_id session;

    CREW_ASSERT(ticket != NULL);
    send_next(t, &attach);
    session = wait_for_session(t);
    talk(t, session);
    t->sent++;
    hub_thread_detach(thread, ticket,
                      &(struct hub_farewell){
                          .from = {.conn = t->conn, .request = t->sent},
                          .how = DETACH_QUIT,
                          .why = "done",
    });
    wait_for_answers(t);
}

static struct worker *
start_worker(const char *name)
{
    const struct worker_conf conf = {.name = name, .cpu = -1};
    struct worker *w;

    ck_assert_int_eq(worker_create(&conf, &w), 0);
    return w;
}

static void
check_counters(void)
{
    const struct hub_counters *const counters = hub_thread_counters(thread);
    const uint64_t sent = TALKERS * (uint64_t)(COMMANDS + 3);

    ck_assert_uint_eq(metric_read(&counters->commands), sent);
    ck_assert_uint_eq(metric_read(&counters->refusals), 0);
    ck_assert_uint_eq(metric_read(&counters->lost), 0);
    ck_assert_uint_eq(metric_read(&counters->users), 0);
    ck_assert_uint_le(metric_read(&counters->batches),
                      metric_read(&counters->deliveries));
    for (unsigned i = 0; i < WORKERS; i++)
        ck_assert_uint_gt(ears[i].lines, 0);
}

START_TEST(every_command_is_done_once_and_in_order)
{
    struct crew *const crew = &(struct crew){.members = 0};
    struct hub_conf conf = {.workers = WORKERS};
    struct hub_sink sinks[WORKERS + 1];
    struct worker *hub_worker;
    struct hub *hub;

    chat_conf_init(&conf.chat);
    ck_assert_int_eq(hub_create(&conf, &hub), 0);
    hub_worker = start_worker("hub");
    for (unsigned i = 0; i < WORKERS; i++)
        sinks[i] = (struct hub_sink){start_worker("sink"), on_batch, &ears[i]};
    sinks[WORKERS] = sinks[0]; /* there is no operator */
    for (unsigned i = 0; i < TALKERS; i++)
        talkers[i].conn = (uint64_t)(i % WORKERS) << 56 | 0x100 | i;
    ck_assert_int_eq(
        hub_thread_create(
            &(struct hub_thread_env){hub_worker, hub, sinks, WORKERS + 1},
            &thread),
        0);

    ck_assert_int_eq(worker_start(hub_worker), 0);
    for (unsigned i = 0; i < WORKERS; i++)
        ck_assert_int_eq(worker_start(sinks[i].worker), 0);
    crew_start(crew, TALKERS, talker_main);
    crew_join(crew);
    for (unsigned i = 0; i < WORKERS; i++)
        worker_stop(sinks[i].worker);
    worker_stop(hub_worker);

    check_counters();
    for (unsigned i = 0; i < WORKERS; i++)
        worker_destroy(sinks[i].worker);
    hub_thread_destroy(thread);
    worker_destroy(hub_worker);
    hub_destroy(hub);
    ck_assert_uint_eq(event_live(), 0);
}
END_TEST

UNIT_MAIN("race/hub_thread", every_command_is_done_once_and_in_order)
