/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See net_world.h.
 */
#include "support/net_world.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/e2e.h"
#include "support/program.h"

#define OWN_NAMESPACE "/proc/self/ns/net"
#define RULES_MAX     2048

/* -- tools ----------------------------------------------------------------- */

/* The tool's path from the environment, or NULL. */
static const char *
tool(const char *name)
{
    const char *const path = getenv(name);

    return path != NULL && access(path, X_OK) == 0 ? path : NULL;
}

static void
run(const char *const argv[], const char *input)
{
    struct program p;

    program_run(&p, argv, input);
    if (p.code != 0)
        e2e_fail("%s %s: %s%s", argv[0], input, p.err, p.out);
    program_fini(&p);
}

/* Lines of ip(8), without its name. */
static void
run_ip(const char *lines)
{
    const char *const argv[] = {tool("IP"), "-batch", "-", NULL};

    run(argv, lines);
}

static void
run_nft(const char *lines)
{
    const char *const argv[] = {tool("NFT"), "-f", "-", NULL};

    run(argv, lines);
}

static void
write_setting(const char *path, const char *value)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 || write(fd, value, strlen(value)) < 0)
        e2e_fail("%s: %s", path, strerror(errno));
    close(fd);
}

/* -- places ---------------------------------------------------------------- */

static int
own_namespace(void)
{
    const int fd = open(OWN_NAMESPACE, O_RDONLY | O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    return fd;
}

static void
enter(int namespace)
{
    ck_assert_int_eq(setns(namespace, CLONE_NEWNET), 0);
}

void
net_world_enter(const struct net_world *w, enum net_place place)
{
    enter(w->places[place]);
}

/* A new namespace, of which the caller holds a descriptor. */
static int
make_place(void)
{
    ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
    run_ip("link set lo up\n");
    return own_namespace();
}

static void
join_router_and(const struct net_world *w, enum net_place place, unsigned net)
{
    char lines[512];

    net_world_enter(w, NET_AT_ROUTER);
    snprintf(lines, sizeof(lines),
             "link add net%u type veth peer name eth0 netns /proc/%d/fd/%d\n"
             "addr add 10.77.%u.1/24 dev net%u\n"
             "link set net%u up\n",
             net, (int)getpid(), w->places[place], net, net, net);
    run_ip(lines);
    net_world_enter(w, place);
    snprintf(lines, sizeof(lines),
             "addr add 10.77.%u.2/24 dev eth0\n"
             "link set eth0 up\n"
             "route add default via 10.77.%u.1\n",
             net, net);
    run_ip(lines);
}

void
net_world_open(struct net_world *w)
{
    w->home = own_namespace();
    for (int i = 0; i < NET_PLACES; i++)
        w->places[i] = make_place();
    join_router_and(w, NET_AT_SERVER, 1);
    join_router_and(w, NET_AT_CLIENTS, 2);
    run_ip("route add local 10.78.0.0/16 dev lo\n"
           "route add local 10.79.0.0/16 dev lo\n");

    net_world_enter(w, NET_AT_ROUTER);
    write_setting("/proc/sys/net/ipv4/ip_forward", "1");
    run_ip("route add 10.78.0.0/15 via " NET_WORLD_CLIENT "\n");
    net_world_heal(w);
    net_world_enter(w, NET_AT_CLIENTS);
}

static void
start(const struct net_world *w, struct daemon *d, const char *config,
      bool lingers)
{
    net_world_enter(w, NET_AT_SERVER);
    daemon_prepare(d);
    d->lingers = lingers;
    snprintf(d->address, sizeof(d->address), "0.0.0.0:0");
    daemon_configure(d, config);
    daemon_launch(d);
    daemon_await_ready(d);
    d->at_rest = daemon_census_now(d);
    net_world_enter(w, NET_AT_CLIENTS);
}

void
net_world_start(const struct net_world *w, struct daemon *d, const char *config)
{
    start(w, d, config, false);
}

void
net_world_start_lingering(const struct net_world *w, struct daemon *d,
                          const char *config)
{
    start(w, d, config, true);
}

void
net_world_close(struct net_world *w)
{
    enter(w->home);
    for (int i = 0; i < NET_PLACES; i++)
        close(w->places[i]);
    close(w->home);
}

/* For the time before there is a case that could fail. */
static bool
does_run(const char *const argv[])
{
    const pid_t pid = fork();
    char *copy[8] = {NULL};
    int status = -1;

    if (pid == 0) {
        for (size_t i = 0; argv[i] != NULL; i++)
            copy[i] = strdup(argv[i]);
        execv(copy[0], copy);
        _exit(127);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* Why it cannot be done in a namespace of this process; NULL: it can. */
static const char *
try_everything(void)
{
    const char *const link[] = {tool("IP"), "link", "add", "probe",
                                "type",     "veth", NULL};
    const char *const table[] = {tool("NFT"), "add",   "table",
                                 "inet",      "probe", NULL};

    if (tool("IP") == NULL || tool("NFT") == NULL)
        return "ip ($IP) or nft ($NFT) is missing";
    if (unshare(CLONE_NEWNET) < 0)
        return "no network namespace for us";
    if (!does_run(link) || !does_run(table))
        return "this kernel lacks veth or nftables";
    return NULL;
}

/* In a child, which leaves nothing behind. */
bool
net_world_is_possible(void)
{
    const pid_t pid = fork();
    const char *why;
    int status = -1;

    if (pid == 0) {
        why = try_everything();
        if (why != NULL)
            fprintf(stderr, "SKIPPED: %s\n", why);
        _exit(why != NULL);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* -- the router ------------------------------------------------------------ */

/* Back at the clients' afterwards. */
static void
run_at_router(const struct net_world *w, const char *lines)
{
    const int here = own_namespace();

    net_world_enter(w, NET_AT_ROUTER);
    run_nft(lines);
    enter(here);
    close(here);
}

void
net_world_rules(const struct net_world *w, const char *fmt, ...)
{
    char lines[RULES_MAX];
    va_list args;

    va_start(args, fmt);
    ck_assert_int_lt(vsnprintf(lines, sizeof(lines), fmt, args), RULES_MAX);
    va_end(args);
    run_at_router(w, lines);
}

void
net_world_heal(const struct net_world *w)
{
    run_at_router(w, "add table inet cut\n"
                     "delete table inet cut\n"
                     "add table inet cut\n"
                     "add chain inet cut forward "
                     "{ type filter hook forward priority 0; }\n");
}
