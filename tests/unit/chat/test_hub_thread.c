/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The shell around the hub. The hub's worker and the two of the sinks all run
 * on the thread of the case, one after the other, each once. malloc and
 * realloc are wrapped, so that a case can make them fail.
 */
#include "chat/hub_thread.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "loop/worker.h"
#include "support/unit.h"

static bool memory_is_short;

void *__real_malloc(size_t size);
void *__real_realloc(void *old, size_t size);

void *
__wrap_malloc(size_t size)
{
    return memory_is_short ? NULL : __real_malloc(size);
}

void *
__wrap_realloc(void *old, size_t size)
{
    return memory_is_short ? NULL : __real_realloc(old, size);
}

#define CONN(w, n) ((uint64_t)(w) << 56 | (n))

/* What a sink got. */
struct tray {
    struct worker *worker;
    size_t batches;
    size_t deliveries;
    size_t largest;
    uint32_t dones[HUB_BACKLOG]; /* their requests */
    size_t done_count;
    uint64_t wall_ms; /* of what came last and has one */
    char last_text[64];
};

static struct worker *hub_worker;
static struct hub *hub;
static struct hub_thread *thread;
static struct tray trays[2]; /* one worker, and the operator */

static void
on_batch(void *arg, const struct delivery *d, size_t n)
{
    struct tray *const tray = arg;

    tray->batches++;
    tray->deliveries += n;
    if (n > tray->largest)
        tray->largest = n;
    for (size_t i = 0; i < n; i++) {
        const struct event *const e = d[i].event;

        if (e->kind == EVENT_DONE)
            tray->dones[tray->done_count++] = d[i].request;
        if (e->wall_ms != 0)
            tray->wall_ms = e->wall_ms;
        if (e->kind != EVENT_DONE)
            snprintf(tray->last_text, sizeof(tray->last_text), "%.*s",
                     SLICE_ARG(e->text));
    }
}

static struct worker *
make_worker(const char *name)
{
    const struct worker_conf conf = {.name = name, .cpu = -1};
    struct worker *w;

    ck_assert_int_eq(worker_create(&conf, &w), 0);
    return w;
}

static void
open_all(void)
{
    struct hub_conf conf = {.workers = 1};
    struct hub_sink sinks[2];

    chat_conf_init(&conf.chat);
    ck_assert_int_eq(hub_create(&conf, &hub), 0);
    hub_worker = make_worker("hub");
    for (size_t i = 0; i < 2; i++) {
        trays[i] = (struct tray){.worker = make_worker("sink")};
        sinks[i] = (struct hub_sink){trays[i].worker, on_batch, &trays[i]};
    }
    ck_assert_int_eq(
        hub_thread_create(&(struct hub_thread_env){hub_worker, hub, sinks, 2},
                          &thread),
        0);
}

static void
close_all(void)
{
    worker_destroy(trays[0].worker);
    worker_destroy(trays[1].worker);
    hub_thread_destroy(thread);
    worker_destroy(hub_worker);
    hub_destroy(hub);
    ck_assert_uint_eq(event_live(), 0);
}

/* What was posted before, and no more. */
static void
run_out(struct worker *w)
{
    worker_quit(w);
    worker_run(w);
}

static void
send_ping(uint64_t conn, uint32_t request)
{
    const struct command c = {
        .kind = COMMAND_PING, .from = {.conn = conn, .request = request}
    };

    ck_assert_int_eq(hub_thread_send(thread, &c), 0);
}

/* Of whatever session CONN(0, 1) has. */
static void
detach(struct hub_ticket *ticket, uint32_t request, enum detach_how how,
       const char *why)
{
    const struct hub_farewell farewell = {
        .from = {.conn = CONN(0, 1), .request = request},
        .how = how,
        .why = why,
    };

    hub_thread_detach(thread, ticket, &farewell);
}

static uint64_t
counted(const _Atomic uint64_t *counter)
{
    return metric_read(counter);
}

START_TEST(a_command_is_answered_at_the_askers_sink)
{
    open_all();
    send_ping(CONN(1, 5), 42); /* without a session: refused */
    run_out(hub_worker);
    run_out(trays[0].worker);
    run_out(trays[1].worker);

    ck_assert_uint_eq(trays[0].deliveries, 0);
    ck_assert_uint_eq(trays[1].deliveries, 2);
    ck_assert_uint_eq(trays[1].done_count, 1);
    ck_assert_uint_eq(trays[1].dones[0], 42);
    ck_assert_uint_eq(counted(&hub_thread_counters(thread)->commands), 1);
    ck_assert_uint_eq(counted(&hub_thread_counters(thread)->refusals), 1);
    close_all();
}
END_TEST

START_TEST(a_command_travels_with_its_own_copy_of_the_bytes)
{
    char name[] = "#lobby", nick[] = "klatch", text[] = "hello";
    const struct command say = {
        .kind = COMMAND_OPER_SAY,
        .name = slice_of(name),
        .nick = slice_of(nick),
        .text = slice_of(text),
        .from = {.conn = CONN(1, 1)},
    };
    const struct command back = {.kind = COMMAND_ATTACH,
                                 .name = slice_of("anna"),
                                 .from = {.conn = CONN(0, 1)}};

    open_all();
    ck_assert_int_eq(hub_thread_send(thread, &say), 0);
    memset(name, 'x', strlen(name));
    memset(nick, 'x', strlen(nick));
    memset(text, 'x', strlen(text));
    ck_assert_int_eq(hub_thread_send(thread, &back), 0);
    run_out(hub_worker);
    run_out(trays[1].worker);

    ck_assert_uint_eq(trays[1].deliveries, 1); /* DONE, not refused */
    ck_assert_uint_eq(counted(&hub_thread_counters(thread)->refusals), 0);
    ck_assert_uint_eq(counted(&hub_thread_counters(thread)->users), 1);
    ck_assert_uint_eq(counted(&hub_thread_counters(thread)->rooms), 1);
    close_all();
}
END_TEST

START_TEST(a_turn_of_commands_leaves_in_full_batches_in_order)
{
    open_all();
    for (uint32_t request = 1; request <= 600; request++)
        send_ping(CONN(0, 5), request);
    run_out(hub_worker);
    run_out(trays[0].worker);

    ck_assert_uint_eq(trays[0].deliveries, 1200);
    ck_assert_uint_eq(trays[0].batches, 5); /* 4 x 256, then 176 */
    ck_assert_uint_eq(trays[0].largest, HUB_BATCH);
    ck_assert_uint_eq(trays[0].done_count, 600);
    for (uint32_t i = 0; i < 600; i++)
        ck_assert_uint_eq(trays[0].dones[i], i + 1);
    ck_assert_uint_eq(counted(&hub_thread_counters(thread)->batches), 5);
    ck_assert_uint_eq(counted(&hub_thread_counters(thread)->deliveries), 1200);
    close_all();
}
END_TEST

START_TEST(events_carry_the_time_of_day)
{
    const struct command c = {.kind = COMMAND_ATTACH,
                              .name = slice_of("anna"),
                              .from = {.conn = CONN(0, 1)}};

    open_all();
    ck_assert_int_eq(hub_thread_send(thread, &c), 0);
    run_out(hub_worker);
    run_out(trays[0].worker);
    ck_assert_uint_gt(trays[0].wall_ms, UINT64_C(1600000000000)); /* 2020 */
    close_all();
}
END_TEST

START_TEST(a_ticket_detaches_without_memory)
{
    const struct command attach = {.kind = COMMAND_ATTACH,
                                   .name = slice_of("anna"),
                                   .from = {.conn = CONN(0, 1)}};
    struct hub_ticket *ticket;
    struct hub_census census;

    open_all();
    ticket = hub_ticket_create();
    ck_assert_ptr_nonnull(ticket);
    ck_assert_int_eq(hub_thread_send(thread, &attach), 0);
    memory_is_short = true;
    detach(ticket, 7, DETACH_LOST, "nomem");
    memory_is_short = false;
    run_out(hub_worker);
    run_out(trays[0].worker);

    hub_count(hub, &census);
    ck_assert_uint_eq(census.users, 0);
    ck_assert_uint_eq(trays[0].done_count, 2);
    ck_assert_uint_eq(trays[0].dones[1], 7);
    close_all();
}
END_TEST

static void
remember_session(void *arg, unsigned worker, const struct delivery *d)
{
    if (d->event->kind == EVENT_ATTACHED)
        *(session_id *)arg = d->event->who.session;
}

START_TEST(a_ticket_says_why_to_the_room)
{
    struct hub_ticket *const ticket = hub_ticket_create();
    const struct hub_now now = {.wall_ms = 1};
    session_id session = 0;
    const struct hub_out out = {remember_session, &session};
    struct command c = {.kind = COMMAND_ATTACH,
                        .name = slice_of("anna"),
                        .from = {.conn = CONN(0, 1)}};

    open_all();
    hub_apply(hub, &c, &now, &out);
    c.kind = COMMAND_JOIN;
    c.name = slice_of("#tea");
    c.session = session;
    hub_apply(hub, &c, &now, &out);
    detach(ticket, 1, DETACH_LOST, "read too slowly");
    run_out(hub_worker);
    run_out(trays[0].worker);
    ck_assert_str_eq(trays[0].last_text, "read too slowly");
    close_all();
}
END_TEST

START_TEST(an_unused_ticket_is_given_back)
{
    hub_ticket_destroy(hub_ticket_create());
    hub_ticket_destroy(NULL);
}
END_TEST

START_TEST(short_memory_is_said_to_who_sends)
{
    const struct command c = {.kind = COMMAND_PING, .from = {.conn = 1}};
    struct hub_ticket *ticket;
    int rc;

    open_all();
    memory_is_short = true;
    rc = hub_thread_send(thread, &c);
    ticket = hub_ticket_create();
    memory_is_short = false;

    ck_assert_int_eq(rc, -ENOMEM);
    ck_assert_ptr_null(ticket);
    close_all();
}
END_TEST

START_TEST(a_delivery_without_memory_is_lost_and_counted)
{
    open_all();
    send_ping(CONN(0, 5), 1);
    memory_is_short = true;
    run_out(hub_worker);
    memory_is_short = false;
    run_out(trays[0].worker);

    ck_assert_uint_eq(trays[0].deliveries, 0);
    ck_assert_uint_eq(counted(&hub_thread_counters(thread)->lost), 2);
    close_all();
}
END_TEST

START_TEST(a_sink_that_does_not_keep_up_makes_the_hub_congested)
{
    open_all();
    ck_assert(!hub_thread_is_congested(thread));
    for (uint32_t i = 0; i <= HUB_BACKLOG / 2; i++) /* PONG and DONE each */
        send_ping(CONN(0, 5), i + 1);
    run_out(hub_worker);
    ck_assert(hub_thread_is_congested(thread));
    run_out(trays[0].worker);

    ck_assert(!hub_thread_is_congested(thread));
    close_all();
}
END_TEST

START_TEST(what_was_still_on_its_way_is_freed)
{
    struct hub_ticket *const ticket = hub_ticket_create();

    open_all();
    send_ping(CONN(0, 5), 1);
    run_out(hub_worker); /* a batch waits at the sink, which never runs */
    send_ping(CONN(0, 5), 2);
    detach(ticket, 3, DETACH_QUIT, "");
    close_all();
}
END_TEST

UNIT_MAIN("chat/hub_thread",
          a_sink_that_does_not_keep_up_makes_the_hub_congested,
          a_command_is_answered_at_the_askers_sink,
          a_command_travels_with_its_own_copy_of_the_bytes,
          a_turn_of_commands_leaves_in_full_batches_in_order,
          events_carry_the_time_of_day, a_ticket_detaches_without_memory,
          a_ticket_says_why_to_the_room, an_unused_ticket_is_given_back,
          short_memory_is_said_to_who_sends,
          a_delivery_without_memory_is_lost_and_counted,
          what_was_still_on_its_way_is_freed)
