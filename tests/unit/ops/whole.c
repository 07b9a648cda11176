/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit/ops/whole.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chat/hub.h"
#include "chat/hub_thread.h"
#include "loop/watchdog.h"
#include "net/acceptor.h"
#include "net/conns.h"
#include "ops/config.h"
#include "proto/front.h"
#include "support/fake_time.h"

static struct config *config;
static struct worker *workers[WHOLE_WORKERS];
static struct conns *conns[WHOLE_WORKERS];
static struct front *fronts[WHOLE_WORKERS];
static struct hub *hub;
static struct hub_sink sinks[WHOLE_WORKERS + 1];

/* ---- a whole server ------------------------------------------------------- */

static struct worker *
make_worker(const char *name, unsigned index)
{
    const struct worker_conf conf = {.name = name, .index = index, .cpu = -1};
    struct worker *w;

    ck_assert_int_eq(worker_create(&conf, &w), 0);
    return w;
}

static void
on_front_batch(void *slot, const struct delivery *d, size_t n)
{
    front_on_batch(*(struct front **)slot, d, n);
}

static void
on_operator_batch(void *arg, const struct delivery *d, size_t n)
{
    control_on_batch(rig.control, d, n);
}

static void
make_hub(void)
{
    const struct hub_conf conf = {.workers = WHOLE_WORKERS,
                                  .chat = config->chat};
    struct hub_thread_env env = {
        .sinks = sinks,
        .sink_count = WHOLE_WORKERS + 1,
    };

    rig.parts.hub_worker = make_worker("hub", 0);
    env.worker = rig.parts.hub_worker;
    ck_assert_int_eq(hub_create(&conf, &hub), 0);
    for (unsigned i = 0; i < WHOLE_WORKERS; i++)
        sinks[i] = (struct hub_sink){workers[i], on_front_batch, &fronts[i]};
    sinks[WHOLE_WORKERS] =
        (struct hub_sink){rig.parts.main_worker, on_operator_batch, NULL};
    env.hub = hub;
    ck_assert_int_eq(hub_thread_create(&env, &rig.parts.hub), 0);
}

static void
make_front(unsigned i)
{
    const struct front_listener line = {.index = 0, .protocol = FRONT_LINE};
    const struct front_env fe = {.hub = rig.parts.hub, .index = i};
    struct conns_env ce = {
        .worker = workers[i],
        .on_accepted = front_on_accepted,
    };

    ck_assert_int_eq(front_create(&fe, &config->proto, &fronts[i]), 0);
    ck_assert_int_eq(front_set_listener(fronts[i], &line), 0);
    ce.arg = fronts[i];
    ck_assert_int_eq(conns_create(&ce, &config->net, &conns[i]), 0);
    front_set_conns(fronts[i], conns[i]);
}

static void
make_acceptor(void)
{
    struct acceptor_env env = {.conns = conns, .conns_count = WHOLE_WORKERS};

    rig.parts.acceptor_worker = make_worker("acceptor", 0);
    env.worker = rig.parts.acceptor_worker;
    ck_assert_int_eq(acceptor_create(&env, &config->net, &rig.parts.acceptor),
                     0);
}

static void
make_watchdog(void)
{
    struct worker *const watched[] = {
        rig.parts.main_worker, rig.parts.hub_worker, rig.parts.acceptor_worker,
        workers[0], workers[1]};

    rig.parts.watchdog_worker = make_worker("watchdog", 0);
    ck_assert_int_eq(watchdog_create(rig.parts.watchdog_worker, watched, 5,
                                     &rig.parts.watchdog),
                     0);
}

void
whole_start(void)
{
    rig_init();
    fake_time.stays = true; /* many workers, one clock: no turn may move it */
    ck_assert_int_eq(config_create(&config), 0);
    config->chat.session_linger = 0;
    config->proto.session_linger = 0;
    for (unsigned i = 0; i < WHOLE_WORKERS; i++)
        workers[i] = make_worker("worker", i);
    make_hub();
    for (unsigned i = 0; i < WHOLE_WORKERS; i++)
        make_front(i);
    make_acceptor();
    make_watchdog();
    rig.parts.workers = workers;
    rig.parts.conns = conns;
    rig.parts.fronts = fronts;
    rig.parts.worker_count = WHOLE_WORKERS;
    rig.parts.config = config;
    rig.parts.started_mono_ms = worker_now_ms(rig.parts.main_worker);
    rig.parts.started_wall_ms = 1700000000000;
    rig.parts.listener_count = 1;
    rig.parts.listeners[0] = (struct parts_listener){
        .name = "main", .bound = "127.0.0.1:7000", .protocol = FRONT_AUTO};
    rig_open(control_commands, control_command_count);
}

/* Everybody but main, who has rig_turn(). */
static void
turn_others(void)
{
    worker_turn(rig.parts.acceptor_worker);
    for (unsigned i = 0; i < WHOLE_WORKERS; i++)
        worker_turn(workers[i]);
    worker_turn(rig.parts.hub_worker);
}

void
whole_settle(void)
{
    for (int i = 0; i < 20; i++) {
        rig_turn();
        turn_others();
    }
}

static void
close_one(void *arg, struct conn *c)
{
    conn_close(c, CONN_END_SHUTDOWN);
}

void
whole_stop(void)
{
    for (unsigned i = 0; i < WHOLE_WORKERS; i++)
        conns_each(conns[i], close_one, NULL);
    whole_settle();
    control_close(rig.control);
    rig.control = NULL;
    for (unsigned i = 0; i < WHOLE_WORKERS; i++) {
        conns_destroy(conns[i]);
        front_destroy(fronts[i]);
        worker_destroy(workers[i]);
    }
    acceptor_destroy(rig.parts.acceptor);
    watchdog_destroy(rig.parts.watchdog);
    worker_destroy(rig.parts.watchdog_worker);
    hub_thread_destroy(rig.parts.hub);
    hub_destroy(hub);
    worker_destroy(rig.parts.hub_worker);
    worker_destroy(rig.parts.acceptor_worker);
    rig_stop();
    config_destroy(config);
}

int
whole_join(unsigned worker, uint8_t host, const char *nick)
{
    struct accepted accepted = {
        .peer = {.family = AF_INET, .port = 5000, .ip = {203, 0, 113, host}},
    };
    char line[64];
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends),
                     0);
    accepted.fd = ends[0];
    conns_post_socket(conns[worker], &accepted);
    snprintf(line, sizeof(line), "%s\n", nick);
    ck_assert_int_gt(write(ends[1], line, strlen(line)), 0);
    whole_settle();
    return ends[1];
}

/* ---- asking --------------------------------------------------------------- */

json_t *
whole_parse(const char *line)
{
    json_t *const json = json_loads(line, 0, NULL);

    if (json == NULL)
        ck_abort_msg("not JSON: %s", line);
    return json;
}

json_t *
whole_ask(int fd, const char *request)
{
    rig_send(fd, request);
    rig_send(fd, "\n");
    whole_settle();
    return whole_parse(rig_answer(fd));
}

json_int_t
whole_number(const json_t *answer, const char *group, const char *key)
{
    const json_t *const object =
        group != NULL ? json_object_get(answer, group) : answer;
    const json_t *const value = json_object_get(object, key);

    if (!json_is_integer(value))
        ck_abort_msg("there is no number %s", key);
    return json_integer_value(value);
}

const char *
whole_text(const json_t *object, const char *key)
{
    const json_t *const value = json_object_get(object, key);

    if (!json_is_string(value))
        ck_abort_msg("there is no text %s", key);
    return json_string_value(value);
}

void
whole_expect_ok(int fd, const char *request)
{
    json_t *const answer = whole_ask(fd, request);

    ck_assert(json_is_true(json_object_get(answer, "ok")));
    json_decref(answer);
}

void
whole_expect_refusal(int fd, const char *request, const char *words)
{
    json_t *const answer = whole_ask(fd, request);

    ck_assert(json_is_false(json_object_get(answer, "ok")));
    if (strstr(whole_text(answer, "error"), words) == NULL)
        ck_abort_msg("%s does not say %s", whole_text(answer, "error"), words);
    json_decref(answer);
}
