/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See main/server.h. What is wired to what:
 *
 *   acceptor -> conns[i] -> front[i] -> hub_thread -> sinks: front[0..n-1],
 *                                                     control (the operator)
 */
#include "main/server.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#include <sodium.h>

#include "base/clock.h"
#include "base/log.h"
#include "loop/watchdog.h"
#include "loop/worker.h"
#include "net/acceptor.h"
#include "net/conns.h"
#include "ops/control.h"
#include "proto/front.h"

/* Batches of the hub a turn at most: each may mean a write to every client. */
#define WORKER_POST_BUDGET 16

#define WORKERS_MAX 128 /* as the option server.workers has it */

/* File descriptors that are not clients: epolls, bells, listeners, log. */
#define FDS_OF_OUR_OWN 64

static int
complain(const char *what, int rc)
{
    LOG_ERROR(LOG_MAIN, what, LOG_F_ERRNO(-rc));
    return rc == -EADDRINUSE ? EX_UNAVAILABLE : EX_OSERR;
}

/* ---- open ----------------------------------------------------------------- */

/* The CPUs we may use; *nth, when not NULL, is in: which, out: its number. */
static size_t
count_cores(int *nth)
{
    cpu_set_t set;
    int seen = 0;

    if (sched_getaffinity(0, sizeof(set), &set) < 0)
        return 1;
    for (int cpu = 0; nth != NULL && cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET((size_t)cpu, &set) || seen++ != *nth)
            continue;
        *nth = cpu;
        break;
    }
    return (size_t)CPU_COUNT(&set);
}

/* The CPU of worker `i`; they share when there are more workers than CPUs. */
static int
pick_cpu(const struct server *s, size_t i)
{
    int cpu;

    if (s->config->server.pin == 0)
        return -1;
    cpu = (int)(i % count_cores(NULL));
    (void)count_cores(&cpu);
    return cpu;
}

static size_t
count_workers(const struct server *s)
{
    const size_t wanted = (size_t)s->config->server.workers;
    const size_t cores = count_cores(NULL);

    if (wanted != 0)
        return wanted;
    return cores < WORKERS_MAX ? cores : WORKERS_MAX;
}

/* As many descriptors as we may have, and a word when clients may want more. */
static void
raise_fd_limit(const struct config *conf)
{
    struct rlimit lim;

    if (getrlimit(RLIMIT_NOFILE, &lim) < 0)
        return;
    lim.rlim_cur = lim.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &lim);
    if (conf->net.limits_connections + FDS_OF_OUR_OWN > lim.rlim_cur)
        LOG_WARN(LOG_MAIN, "fewer file descriptors than limits.connections",
                 LOG_F_U64("descriptors", lim.rlim_cur),
                 LOG_F_U64("connections", conf->net.limits_connections));
}

static int
make_worker(const char *name, unsigned index, int cpu, struct worker **out)
{
    const struct worker_conf wc = {
        .name = name,
        .index = index,
        .cpu = cpu,
        .post_budget = WORKER_POST_BUDGET,
    };

    return worker_create(&wc, out);
}

static int
make_workers(struct server *s)
{
    struct parts *const p = &s->parts;
    const size_t n = count_workers(s);
    int rc;

    p->workers = calloc(n, sizeof(struct worker *));
    p->conns = calloc(n, sizeof(struct conns *));
    p->fronts = calloc(n, sizeof(struct front *));
    s->sinks = calloc(n + 1, sizeof(struct hub_sink));
    if (p->workers == NULL || p->conns == NULL || p->fronts == NULL ||
        s->sinks == NULL)
        return -ENOMEM;
    p->worker_count = n;

    if ((rc = make_worker("main", 0, -1, &p->main_worker)) < 0 ||
        (rc = make_worker("hub", 0, -1, &p->hub_worker)) < 0 ||
        (rc = make_worker("acceptor", 0, -1, &p->acceptor_worker)) < 0 ||
        (rc = make_worker("watchdog", 0, -1, &p->watchdog_worker)) < 0)
        return rc;
    for (size_t i = 0; i < n; i++) {
        rc = make_worker("worker", (unsigned)i, pick_cpu(s, i), &p->workers[i]);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* The sinks are made before the fronts, which need the hub: what a sink is
 * given is where its front, or the control, will stand. */
static void
deliver_to_front(void *slot, const struct delivery *d, size_t n)
{
    front_on_batch(*(struct front **)slot, d, n);
}

static void
deliver_to_control(void *slot, const struct delivery *d, size_t n)
{
    struct control *const control = *(struct control **)slot;

    if (control != NULL)
        control_on_batch(control, d, n);
}

static int
make_hub(struct server *s)
{
    struct parts *const p = &s->parts;
    const size_t n = p->worker_count;
    struct hub_conf hc = {
        .epoch = clock_wall_ms(),
        .workers = (unsigned)n,
        .chat = s->config->chat,
    };
    const struct hub_thread_env env = {
        .worker = p->hub_worker,
        .sinks = s->sinks,
        .sink_count = n + 1,
    };
    struct hub_thread_env with_hub = env;
    int rc;

    hash_key_random(&hc.key);
    rc = hub_create(&hc, &s->hub);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < n; i++)
        s->sinks[i] = (struct hub_sink){
            .worker = p->workers[i],
            .on_batch = deliver_to_front,
            .arg = &p->fronts[i],
        };
    s->sinks[n] = (struct hub_sink){
        .worker = p->main_worker,
        .on_batch = deliver_to_control,
        .arg = &s->control,
    };
    with_hub.hub = s->hub;
    return hub_thread_create(&with_hub, &p->hub);
}

/* The conns a worker still has end on its own thread, as its last act. */
static void
close_conn(void *arg, struct conn *c)
{
    conn_close(c, CONN_END_SHUTDOWN);
}

static void
close_all(struct worker *w, void *arg)
{
    struct parts *const p = arg;

    conns_each(p->conns[worker_index(w)], close_conn, NULL);
}

static int
make_fronts(struct server *s)
{
    struct parts *const p = &s->parts;
    const struct worker_hooks hooks = {.on_stop = close_all, .arg = p};

    for (size_t i = 0; i < p->worker_count; i++) {
        const struct front_env fe = {.hub = p->hub, .index = (unsigned)i};
        struct conns_env ce = {
            .worker = p->workers[i],
            .on_accepted = front_on_accepted,
        };
        int rc;

        rc = front_create(&fe, &s->config->proto, &p->fronts[i]);
        if (rc < 0)
            return rc;
        ce.arg = p->fronts[i];
        rc = conns_create(&ce, &s->config->net, &p->conns[i]);
        if (rc < 0)
            return rc;
        front_set_conns(p->fronts[i], p->conns[i]);
        worker_set_hooks(p->workers[i], &hooks);
    }
    return 0;
}

static int
make_acceptor(struct server *s)
{
    const struct acceptor_env env = {
        .worker = s->parts.acceptor_worker,
        .conns = s->parts.conns,
        .conns_count = s->parts.worker_count,
    };

    return acceptor_create(&env, &s->config->net, &s->parts.acceptor);
}

static int
make_watchdog(struct server *s)
{
    struct parts *const p = &s->parts;
    struct worker *watched[WORKERS_MAX + 3] = {p->main_worker, p->hub_worker,
                                               p->acceptor_worker};
    size_t n = 3;

    for (size_t i = 0; i < p->worker_count; i++)
        watched[n++] = p->workers[i];
    return watchdog_create(p->watchdog_worker, watched, n, &p->watchdog);
}

static int
reload_for_control(void *arg, char *why, size_t size)
{
    return server_reload(arg, why, size);
}

static void
stop_for_control(void *arg)
{
    server_stop(arg);
}

static int
open_control(struct server *s)
{
    const struct control_env env = {
        .parts = &s->parts,
        .reload = reload_for_control,
        .stop = stop_for_control,
        .arg = s,
    };
    char path[sizeof(s->config->admin_socket)];
    int rc;

    rc = config_control_path(s->config->admin_socket, path, sizeof(path));
    if (rc == 0)
        rc = control_open(&env, path, &s->control);
    if (rc < 0)
        LOG_ERROR(LOG_CONTROL, "cannot open the control socket",
                  LOG_F_STR("path", path), LOG_F_ERRNO(-rc));
    return rc;
}

static void
on_signal(struct reactor_source *source, uint32_t events)
{
    struct server *const s = CONTAINER_OF(source, struct server, signals);
    struct signalfd_siginfo info;
    char why[1024] = "";

    while (read(s->signal_fd, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo != SIGHUP)
            server_stop(s);
        else if (server_reload(s, why, sizeof(why)) < 0)
            why[0] = '\0'; /* it is in the log already */
    }
}

static int
open_signals(struct server *s)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    s->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (s->signal_fd < 0)
        return -errno;
    server_stop_init(s);
    reactor_source_init(&s->signals, on_signal);
    return reactor_add(worker_reactor(s->parts.main_worker), &s->signals,
                       s->signal_fd, EPOLLIN);
}

static int
wire(struct server *s)
{
    int rc;

    if ((rc = make_workers(s)) < 0 || (rc = make_hub(s)) < 0 ||
        (rc = make_fronts(s)) < 0 || (rc = make_acceptor(s)) < 0 ||
        (rc = make_watchdog(s)) < 0 || (rc = open_signals(s)) < 0)
        return complain("cannot start", rc);
    rc = open_control(s);
    if (rc < 0)
        return rc == -EADDRINUSE ? EX_UNAVAILABLE : EX_OSERR;
    return EX_OK;
}

int
server_open(struct server *s, struct config *config, const char *config_path)
{
    char why[512];
    int rc;

    *s = (struct server){
        .config = config,
        .signal_fd = -1,
        .parts =
            {
                    .config = config,
                    .config_path = config_path,
                    .started_wall_ms = clock_wall_ms(),
                    .started_mono_ms = clock_mono_ms(),
                    },
    };
    log_set_level((enum log_level)config->log_level);
    log_set_format((enum log_format)config->log_format);
    raise_fd_limit(config);

    rc = listen_plan_make(&s->plan, &s->parts, 0, config, why, sizeof(why));
    if (rc < 0) {
        LOG_ERROR(LOG_NET, "cannot listen", LOG_F_STR("why", why));
        return rc == -EADDRINUSE ? EX_UNAVAILABLE : EX_OSERR;
    }
    rc = log_start();
    if (rc < 0)
        return complain("cannot start the log", rc);
    return wire(s);
}

/* ---- run ------------------------------------------------------------------ */

/* How to join, for whoever started us by hand. */
static void
say_how_to_join(const struct parts *p)
{
    printf("klatchd %s is running.\n", KLATCH_VERSION);
    for (size_t i = 0; i < p->listener_count; i++) {
        const char *const bound = p->listeners[i].bound;
        const char *const colon = strrchr(bound, ':');
        const char *host = bound;
        int len = colon != NULL ? (int)(colon - bound) : 0;

        if (strncmp(bound, "unix:", 5) == 0) {
            printf("Join with:  nc -U %s\n", bound + 5);
            continue;
        }
        if (*host == '[') { /* nc wants an IPv6 address bare */
            host++;
            len -= 2;
        }
        if ((len == 1 && *host == '*') ||
            (len == 7 && strncmp(host, "0.0.0.0", 7) == 0) ||
            (len == 2 && strncmp(host, "::", 2) == 0)) {
            host = "127.0.0.1";
            len = 9;
        }
        printf("Join with:  nc %.*s %s\n", len, host, colon + 1);
    }
    fflush(stdout);
}

static int
start_threads(struct server *s)
{
    struct parts *const p = &s->parts;
    struct update *update;
    int rc;

    update = update_create(s, s->config, &s->plan);
    if (update == NULL)
        return -ENOMEM;
    update_send(update);

    rc = worker_start(p->hub_worker);
    for (size_t i = 0; rc == 0 && i < p->worker_count; i++)
        rc = worker_start(p->workers[i]);
    if (rc == 0)
        rc = listen_plan_apply(&s->plan, s);
    if (rc == 0)
        rc = worker_start(p->acceptor_worker);
    if (rc == 0)
        rc = worker_start(p->watchdog_worker);
    return rc;
}

int
server_run(struct server *s)
{
    int rc;

    rc = start_threads(s);
    if (rc < 0)
        return complain("cannot start", rc);

    say_how_to_join(&s->parts);
    LOG_NOTICE(LOG_MAIN, "ready", LOG_F_STR("version", KLATCH_VERSION),
               LOG_F_U64("workers", s->parts.worker_count));
    worker_run(s->parts.main_worker);
    return EX_OK;
}

/* ---- close ---------------------------------------------------------------- */

/* Who hands over stops before who receives, and who watches last. */
static void
stop_threads(struct server *s)
{
    struct parts *const p = &s->parts;

    if (p->acceptor_worker != NULL)
        worker_stop(p->acceptor_worker);
    for (size_t i = 0; i < p->worker_count; i++)
        if (p->workers[i] != NULL)
            worker_stop(p->workers[i]);
    if (p->hub_worker != NULL)
        worker_stop(p->hub_worker);
    if (p->watchdog_worker != NULL)
        worker_stop(p->watchdog_worker);
}

static void
close_signals(struct server *s)
{
    if (s->signal_fd < 0)
        return;
    wheel_disarm(worker_wheel(s->parts.main_worker), &s->stop_tick);
    reactor_remove(worker_reactor(s->parts.main_worker), &s->signals,
                   s->signal_fd);
    close(s->signal_fd);
}

/* Parts before the workers that they live on. What is still between threads is
 * dropped with the worker that it was for; the acceptor's goes last, because
 * tickets come home to it. */
static void
destroy_parts(struct server *s)
{
    struct parts *const p = &s->parts;

    for (size_t i = 0; i < p->worker_count; i++) {
        conns_destroy(p->conns[i]);
        front_destroy(p->fronts[i]);
    }
    acceptor_destroy(p->acceptor);
    watchdog_destroy(p->watchdog);
    worker_destroy(p->watchdog_worker);
    for (size_t i = 0; i < p->worker_count; i++)
        worker_destroy(p->workers[i]);
    hub_thread_destroy(p->hub);
    worker_destroy(p->hub_worker);
    worker_destroy(p->main_worker);
    worker_destroy(p->acceptor_worker);
    hub_destroy(s->hub);
    free(p->workers);
    free(p->conns);
    free(p->fronts);
    free(s->sinks);
}

void
server_close(struct server *s)
{
    stop_threads(s);
    control_close(s->control);
    close_signals(s);
    listen_plan_abandon(&s->plan);
    destroy_parts(s);
    LOG_NOTICE(LOG_MAIN, "stopped", LOG_F_NONE);
    log_stop();
    config_destroy(s->config);
}
