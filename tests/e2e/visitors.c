/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See visitors.h.
 *
 * Addresses  Each visit comes from another of 65536 addresses, so that neither
 *            TIME_WAIT nor a vanished one's port is ever in the way.
 * Vanishing  A socket in TCP_REPAIR is closed without a word to the peer. What
 *            the peer sends is answered with RST, as there is no socket, and
 *            those the router drops.
 */
#include "visitors.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/e2e.h"

#define HEARD_MAX   32768u
#define SAID_MAX    8192u
#define EVENTS      512
#define PATIENCE_MS 60000u

enum ending {
    BY_FIN,
    BY_RST,
    BY_HALF_CLOSE, /* FIN, but reads on to the server's */
    BY_VANISHING,
};

static const char *const ending_names[] = {"FIN", "RST", "half close",
                                           "vanishing"};

struct visitor {
    int fd; /* -1: the place is free */
    unsigned number;
    const struct visitors_point *point;
    enum ending ending;
    unsigned step;
    bool has_said;  /* what its step says */
    bool has_ended; /* by half: only the server's end is awaited */
    uint64_t until_ms;
    size_t heard;
    char text[HEARD_MAX]; /* the last of what it heard */
};

static const struct visitors_plan *plan;
static struct visitor *visitors;
static int epoll_fd;
static unsigned begun, done;

static _Noreturn void
give_up(const struct visitor *v, const char *what)
{
    e2e_fail("visit %u, %s, by %s: %s; heard: %.*s", v->number, v->point->name,
             ending_names[v->ending], what,
             (int)(v->heard < 1000 ? v->heard : 1000), v->text);
}

/* -- ends ------------------------------------------------------------------ */

static void
leave(struct visitor *v)
{
    close(v->fd);
    v->fd = -1;
    done++;
}

static void
reset(struct visitor *v)
{
    const struct linger now = {.l_onoff = 1};

    setsockopt(v->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    leave(v);
}

static void
vanish(struct visitor *v)
{
    const int on = 1;

    if (setsockopt(v->fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) < 0)
        give_up(v, strerror(errno));
    leave(v);
}

static void
end(struct visitor *v)
{
    switch (v->ending) {
    case BY_FIN:
        leave(v);
        break;
    case BY_RST:
        reset(v);
        break;
    case BY_HALF_CLOSE:
        (void)shutdown(v->fd, SHUT_WR); /* fails when the server reset */
        v->has_ended = true;
        break;
    case BY_VANISHING:
        vanish(v);
        break;
    }
}

/* -- steps ----------------------------------------------------------------- */

static void
say(struct visitor *v, const struct visitors_step *step)
{
    const unsigned times = step->times > 0 ? step->times : 1;
    char said[SAID_MAX];
    size_t len = 0;

    for (unsigned n = 0; n < times; n++)
        for (const char *at = step->say; *at != '\0'; at++)
            if (at[0] == '%' && at[1] == 'N') {
                len += (size_t)snprintf(said + len, sizeof(said) - len, "v%u",
                                        v->number);
                at++;
            } else {
                ck_assert_uint_lt(len, sizeof(said) - 16);
                said[len++] = *at;
            }
    if (send(v->fd, said, len, MSG_NOSIGNAL) != (ssize_t)len)
        give_up(v, "it cannot speak");
}

static bool
is_last(const struct visitor *v)
{
    return v->step == VISITORS_STEPS ||
           (v->step > 0 && v->point->steps[v->step].say == NULL &&
            v->point->steps[v->step].until == NULL);
}

static bool
has_heard(const struct visitor *v, const char *text)
{
    return memmem(v->text, v->heard, text, strlen(text)) != NULL;
}

/* As far as it gets with what it heard. */
static void
go_on(struct visitor *v)
{
    while (!is_last(v)) {
        const struct visitors_step *const step = &v->point->steps[v->step];

        if (!v->has_said && step->say != NULL)
            say(v, step);
        v->has_said = true;
        if (step->until != NULL && !has_heard(v, step->until))
            return;
        v->has_said = false;
        v->step++;
    }
    end(v);
}

static void
hear(struct visitor *v)
{
    ssize_t n;

    if (HEARD_MAX - v->heard < HEARD_MAX / 2) {
        memmove(v->text, v->text + HEARD_MAX / 4, v->heard - HEARD_MAX / 4);
        v->heard -= HEARD_MAX / 4;
    }
    n = recv(v->fd, v->text + v->heard, HEARD_MAX - v->heard, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 && v->has_ended) {
        if (n < 0)
            give_up(v, strerror(errno));
        leave(v);
        return;
    }
    if (n <= 0)
        give_up(v, n < 0 ? strerror(errno) : "the server closed");
    v->heard += (size_t)n;
    if (!v->has_ended)
        go_on(v);
}

/* -- begins ---------------------------------------------------------------- */

static void
bind_visitor(const struct visitor *v)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    const char *const net = !plan->have_world           ? "127.1"
                            : v->ending == BY_VANISHING ? VISITORS_VANISH
                                                        : "10.78";
    const int on = 1;
    char text[32];

    snprintf(text, sizeof(text), "%s.%u.%u", net, v->number / 250 % 250,
             1 + v->number % 250);
    ck_assert_int_eq(inet_pton(AF_INET, text, &from.sin_addr), 1);
    setsockopt(v->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    if (bind(v->fd, (const struct sockaddr *)&from, sizeof(from)) < 0)
        give_up(v, strerror(errno));
}

static enum ending
choose_ending(unsigned number)
{
    if (plan->have_world && number % plan->vanish_each == 0)
        return BY_VANISHING;
    return (enum ending)(number / visitors_points_count % BY_VANISHING);
}

static void
begin(struct visitor *v)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons(plan->port),
    };
    struct epoll_event ev = {.events = EPOLLOUT, .data.ptr = v};
    const unsigned number = begun++;

    v->number = number;
    v->point = &visitors_points[number % visitors_points_count];
    v->ending = choose_ending(number);
    v->step = 0;
    v->has_said = v->has_ended = false;
    v->heard = 0;
    v->until_ms = now_ms() + e2e_patience_ms(PATIENCE_MS);
    v->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_ge(v->fd, 0);
    bind_visitor(v);
    ck_assert_int_eq(inet_pton(AF_INET, plan->server, &to.sin_addr), 1);
    if (connect(v->fd, (const struct sockaddr *)&to, sizeof(to)) < 0 &&
        errno != EINPROGRESS)
        give_up(v, strerror(errno));
    ck_assert_int_eq(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, v->fd, &ev), 0);
}

static void
on_connected(struct visitor *v)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = v};
    socklen_t len = sizeof(int);
    int error = 0;

    (void)getsockopt(v->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error != 0)
        give_up(v, strerror(error));
    ck_assert_int_eq(epoll_ctl(epoll_fd, EPOLL_CTL_MOD, v->fd, &ev), 0);
    go_on(v);
}

/* -- the loop -------------------------------------------------------------- */

static void
fill_places(void)
{
    const uint64_t at_ms = now_ms();

    for (unsigned i = 0; i < plan->at_once; i++) {
        if (visitors[i].fd < 0 && begun < plan->visits)
            begin(&visitors[i]);
        if (visitors[i].fd >= 0 && at_ms > visitors[i].until_ms)
            give_up(&visitors[i], "it waits in vain");
    }
}

static void
visit(void)
{
    struct epoll_event events[EVENTS];
    int n;

    fill_places();
    n = epoll_wait(epoll_fd, events, EVENTS, 100);
    for (int k = 0; k < n; k++) {
        struct visitor *const v = events[k].data.ptr;

        if (v->fd < 0)
            continue;
        if ((events[k].events & EPOLLOUT) != 0)
            on_connected(v);
        else
            hear(v);
    }
}

pid_t
visitors_start(const struct visitors_plan *wanted)
{
    const pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid > 0)
        return pid;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    plan = wanted;
    visitors = calloc(plan->at_once, sizeof(*visitors));
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    ck_assert(visitors != NULL && epoll_fd >= 0);
    for (unsigned i = 0; i < plan->at_once; i++)
        visitors[i].fd = -1;
    while (done < plan->visits)
        visit();
    _exit(0);
}
