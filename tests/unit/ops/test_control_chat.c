/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What an operator does among clients, with the real hub behind it: its worker
 * is turned by hand, and a second sink stands for a worker with clients.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "chat/hub.h"
#include "chat/hub_thread.h"
#include "ops/config.h"
#include "support/unit.h"
#include "unit/ops/control_rig.h"

#define ALICE 0x10u /* her conn */

static const struct control_command commands[] = {
    {"say",       control_on_say,       2, 2, true,  "ROOM TEXT",  ""},
    {"broadcast", control_on_broadcast, 1, 1, false, "TEXT",       ""},
    {"kick",      control_on_kick,      1, 2, false, "NICK [WHY]", ""},
};

static struct worker *hub_worker;
static struct worker *client_worker;
static struct hub *hub;
static struct config config;
static session_id alice;
static char heard[4096]; /* "said klatchctl hello;" … by who is on the worker */

static void
on_client_batch(void *arg, const struct delivery *d, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct event *const e = d[i].event;
        const size_t len = strlen(heard);

        if (e->kind == EVENT_ATTACHED)
            alice = e->who.session;
        if (e->kind != EVENT_DONE)
            snprintf(heard + len, sizeof(heard) - len, "%s %.*s %.*s;",
                     event_name((enum event_kind)e->kind),
                     SLICE_ARG(e->who.nick), SLICE_ARG(e->text));
    }
}

/* The control is made after the hub, as in the server. */
static void
on_operator_batch(void *arg, const struct delivery *d, size_t n)
{
    control_on_batch(rig.control, d, n);
}

static struct worker *
make_worker(void)
{
    const struct worker_conf conf = {.name = "test", .cpu = -1};
    struct worker *w;

    ck_assert_int_eq(worker_create(&conf, &w), 0);
    return w;
}

static void
make_hub(void)
{
    struct hub_conf conf = {.workers = 1};
    const struct hub_sink sinks[] = {
        {client_worker,         on_client_batch,   NULL},
        {rig.parts.main_worker, on_operator_batch, NULL},
    };
    struct hub_thread_env env = {
        .worker = hub_worker, .sinks = sinks, .sink_count = 2};

    chat_conf_init(&conf.chat);
    ck_assert_int_eq(hub_create(&conf, &hub), 0);
    env.hub = hub;
    ck_assert_int_eq(hub_thread_create(&env, &rig.parts.hub), 0);
}

static void
send_command(struct command *c)
{
    c->from.conn = ALICE;
    ck_assert_int_eq(hub_thread_send(rig.parts.hub, c), 0);
    worker_turn(hub_worker);
    worker_turn(client_worker);
}

static void
start(void)
{
    struct command attach = {.kind = COMMAND_ATTACH, .name = slice_of("alice")};

    rig_init();
    hub_worker = make_worker();
    client_worker = make_worker();
    rig.parts.worker_count = 1;
    rig.parts.hub_worker = hub_worker;
    config.proto.limits_line_length = 64;
    rig.parts.config = &config;
    make_hub();
    rig_open(commands, ARRAY_LEN(commands));
    send_command(&attach);
    heard[0] = '\0';
}

static void
stop(void)
{
    control_close(rig.control);
    rig.control = NULL;
    hub_thread_destroy(rig.parts.hub);
    hub_destroy(hub);
    worker_destroy(hub_worker);
    worker_destroy(client_worker);
    rig_stop();
}

/* Asks, has the hub and the worker have their turns, and gives the answer. */
static const char *
ask(int fd, const char *request)
{
    rig_send(fd, request);
    rig_send(fd, "\n");
    rig_settle();
    worker_turn(hub_worker);
    worker_turn(client_worker);
    return rig_answer(fd);
}

START_TEST(what_is_broadcast_reaches_everybody)
{
    int fd;

    start();
    fd = rig_connect();

    ck_assert_str_eq(
        ask(fd, "{\"command\":\"broadcast\",\"args\":[\"at six\"]}"),
        "{\"ok\":true}");

    ck_assert_str_eq(heard, "announced  at six;");
    close(fd);
    stop();
}
END_TEST

START_TEST(texts_are_cleaned_before_they_become_commands)
{
    int fd;

    start();
    fd = rig_connect();

    ask(fd, "{\"command\":\"broadcast\",\"args\":"
            "[\"one\\ntwo\\u001b[31m \\u202ethree\\u0007\"]}");

    ck_assert_str_eq(heard, "announced  one two[31m three;");
    close(fd);
    stop();
}
END_TEST

START_TEST(a_text_may_be_as_long_as_a_clients_line)
{
    char request[256];
    char text[80];
    int fd;

    start();
    fd = rig_connect();
    for (size_t len = 63; len <= 65; len++) {
        const char *answer;

        memset(text, 'x', len);
        text[len] = '\0';
        snprintf(request, sizeof(request),
                 "{\"command\":\"broadcast\",\"args\":[\"%s\"]}", text);
        heard[0] = '\0';
        rig_send(fd, request);
        rig_send(fd, "\n");
        rig_settle();
        if (len <= 64)
            worker_turn(hub_worker);
        answer = rig_answer(fd);

        if (len <= 64)
            ck_assert_str_eq(answer, "{\"ok\":true}");
        else
            ck_assert_ptr_nonnull(strstr(answer, "longer than 64 bytes"));
    }
    close(fd);
    stop();
}
END_TEST

START_TEST(a_refusal_of_the_hub_becomes_a_sentence)
{
    int fd;

    start();
    fd = rig_connect();

    ck_assert_str_eq(ask(fd, "{\"command\":\"kick\",\"args\":[\"bob\"]}"),
                     "{\"ok\":false,\"error\":\"nobody has that nickname\"}");
    ck_assert_str_eq(ask(fd, "{\"command\":\"say\",\"args\":[\"#no\",\"hi\"]}"),
                     "{\"ok\":false,\"error\":\"there is no such room\"}");
    ck_assert_str_eq(
        ask(fd, "{\"command\":\"say\",\"args\":[\"#lobby\",\"\\u0007\"]}"),
        "{\"ok\":false,\"error\":\"there is no text\"}");
    ck_assert_str_eq(ask(fd,
                         "{\"command\":\"say\",\"args\":[\"#lobby\",\"hi\"],"
                         "\"as\":\"alice\"}"),
                     "{\"ok\":false,\"error\":\"somebody has that nickname\"}");
    ck_assert_str_eq(heard, "");
    close(fd);
    stop();
}
END_TEST

START_TEST(who_is_in_the_room_hears_what_is_said_in_it)
{
    struct command join = {.kind = COMMAND_JOIN, .name = slice_of("#ops")};
    int fd;

    start();
    fd = rig_connect();
    ck_assert_ptr_nonnull(
        strstr(ask(fd, "{\"command\":\"say\",\"args\":[\"#ops\",\"hi\"]}"),
               "there is no such room"));
    join.session = alice;
    send_command(&join);
    heard[0] = '\0';

    ck_assert_str_eq(
        ask(fd, "{\"command\":\"say\",\"args\":[\"#OPS\",\"deployed\"]}"),
        "{\"ok\":true}");
    ck_assert_str_eq(ask(fd,
                         "{\"command\":\"say\",\"args\":[\"#ops\",\"green\"],"
                         "\"as\":\"ci\"}"),
                     "{\"ok\":true}");

    ck_assert_str_eq(heard, "said klatchctl deployed;said ci green;");
    close(fd);
    stop();
}
END_TEST

START_TEST(who_is_kicked_is_told_why)
{
    int fd;

    start();
    fd = rig_connect();

    ck_assert_str_eq(
        ask(fd, "{\"command\":\"kick\",\"args\":[\"ALICE\",\"spam\"]}"),
        "{\"ok\":true}");
    ck_assert_str_eq(heard, "ended  spam;");
    ck_assert_ptr_nonnull(
        strstr(ask(fd, "{\"command\":\"kick\",\"args\":[\"alice\"]}"),
               "nobody has that nickname"));
    close(fd);
    stop();
}
END_TEST

START_TEST(an_answer_for_a_request_that_was_given_up_is_not_heard)
{
    int fd;

    start();
    fd = rig_connect();
    rig_send(fd, "{\"command\":\"kick\",\"args\":[\"bob\"]}\n");
    rig_settle();
    rig_pass_ms(CONTROL_DEADLINE_MS);
    ck_assert_ptr_nonnull(strstr(rig_answer(fd), "in time"));
    rig_send(fd, "{\"command\":\"broadcast\",\"args\":[\"x\"]}\n");
    rig_settle();

    /* Now the hub wakes up and does both: refused, then done. */
    worker_turn(hub_worker);

    ck_assert_str_eq(rig_answer(fd), "{\"ok\":true}");
    ck_assert(rig_is_silent(fd));
    close(fd);
    stop();
}
END_TEST

START_TEST(an_answer_for_somebody_who_left_is_nobody_elses)
{
    int fd, next;

    start();
    fd = rig_connect();
    rig_send(fd, "{\"command\":\"kick\",\"args\":[\"bob\"]}\n");
    rig_settle();
    rig_pass_ms(CONTROL_DEADLINE_MS);
    close(fd);
    rig_settle();
    next = rig_connect(); /* has the same place */
    ck_assert_uint_eq(rig_places(), 1);
    rig_send(next, "{\"command\":\"broadcast\",\"args\":[\"x\"]}\n");
    rig_settle();

    worker_turn(hub_worker);

    ck_assert_str_eq(rig_answer(next), "{\"ok\":true}");
    ck_assert(rig_is_silent(next));
    close(next);
    stop();
}
END_TEST

START_TEST(deliveries_that_are_nobodys_are_passed_over)
{
    const struct event from = {.kind = EVENT_DONE};
    struct event *const e = event_create(&from);
    const uint64_t places[] = {0, 15, 16, UINT64_MAX};
    int fd;

    start();
    fd = rig_connect();
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        const struct delivery d = {
            .event = e, .route = ROUTE_CONN, .to = places[i]};

        control_on_batch(rig.control, &d, 1);
    }

    ck_assert(rig_is_silent(fd));
    event_unref(e);
    close(fd);
    stop();
}
END_TEST

START_TEST(every_refusal_has_a_sentence_of_its_own)
{
    for (unsigned i = 0; i < REFUSAL_COUNT; i++) {
        const char *const one = control_refusal_sentence((enum refusal)i);

        ck_assert_str_ne(one, "?");
        for (unsigned k = 0; k < i; k++)
            ck_assert_str_ne(one, control_refusal_sentence((enum refusal)k));
    }
}
END_TEST

UNIT_MAIN("ops/control_chat", what_is_broadcast_reaches_everybody,
          texts_are_cleaned_before_they_become_commands,
          a_text_may_be_as_long_as_a_clients_line,
          a_refusal_of_the_hub_becomes_a_sentence,
          who_is_in_the_room_hears_what_is_said_in_it,
          who_is_kicked_is_told_why,
          an_answer_for_a_request_that_was_given_up_is_not_heard,
          an_answer_for_somebody_who_left_is_nobody_elses,
          deliveries_that_are_nobodys_are_passed_over,
          every_refusal_has_a_sentence_of_its_own)
