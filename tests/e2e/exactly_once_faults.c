/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See exactly_once.h: what happens to guests.
 */
#include <check.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "e2e/exactly_once.h"

/* ---- ends of a conn ------------------------------------------------------ */

static void
close_with_rst(int fd)
{
    const struct linger now = {.l_onoff = 1};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(fd);
}

static void
be_lost(struct party *p, struct guest *g)
{
    const unsigned away_ms = p->plan->away_ms;

    guest_lost(p, g, party_random(p, 3) == 0 ? 0 : party_random(p, away_ms));
}

/* What its kernel has is never read. */
static void
rst(struct party *p, struct guest *g)
{
    close_with_rst(g->fd);
    be_lost(p, g);
}

/* All that was acknowledged is read. */
static void
rst_after_reading(struct party *p, struct guest *g)
{
    if (!g->is_local)
        wire_cut(g->fd);
    (void)guest_read(p, g);
    rst(p, g);
}

static void
fin(struct party *p, struct guest *g)
{
    close(g->fd);
    be_lost(p, g);
}

/* The server says no more once it has read that; till then it may. */
static void
fin_and_reading(struct party *p, struct guest *g)
{
    shutdown(g->fd, SHUT_WR);
}

static void
half_a_line(struct party *p, struct guest *g)
{
    guest_send(g, "half a li");
    rst(p, g);
}

/* ---- another conn -------------------------------------------------------- */

/* The old one stands, and what it still gets is read with the new one. */
static void
take_over(struct party *p, struct guest *g)
{
    const int fd = g->fd;

    if (g->old_fd >= 0)
        return;
    ck_assert_int_eq(epoll_ctl(p->epoll, EPOLL_CTL_DEL, fd, NULL), 0);
    guest_lost(p, g, 0);
    g->old_fd = fd;
    guest_come_back(p, g);
    p->replaced++;
}

/* The old one goes in the moment in which the new one asks. */
static void
take_over_and_rst(struct party *p, struct guest *g)
{
    const int fd = g->fd;

    ck_assert_int_eq(epoll_ctl(p->epoll, EPOLL_CTL_DEL, fd, NULL), 0);
    guest_lost(p, g, 0);
    guest_come_back(p, g);
    close_with_rst(fd);
    p->replaced++;
}

/* ---- what lasts ---------------------------------------------------------- */

static void
stop_reading(struct party *p, struct guest *g)
{
    g->is_deaf = true;
    g->fault_ms = now_ms() + party_random(p, p->plan->deaf_ms);
    ck_assert_int_eq(epoll_ctl(p->epoll, EPOLL_CTL_DEL, g->fd, NULL), 0);
}

/* Nothing arrives; what it says does. */
static void
cut(struct party *p, struct guest *g)
{
    if (g->is_local) { /* it has no wire */
        stop_reading(p, g);
        return;
    }
    wire_cut(g->fd);
    g->is_cut = true;
    g->fault_ms = now_ms() + party_random(p, 1000);
}

static void
read_again(struct party *p, struct guest *g)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.u64 = g->index};

    g->is_deaf = false;
    ck_assert_int_eq(epoll_ctl(p->epoll, EPOLL_CTL_ADD, g->fd, &ev), 0);
}

void
fault_tick(struct party *p, struct guest *g, uint64_t now)
{
    if (g->fd < 0 || (!g->is_cut && !g->is_deaf) ||
        (now < g->fault_ms && !p->is_closing))
        return;
    if (g->is_deaf)
        read_again(p, g);
    if (!g->is_cut)
        return;
    g->is_cut = false;
    if (party_random(p, 2) == 0)
        rst_after_reading(p, g);
    else
        wire_mend(g->fd);
}

/* ---- at random ----------------------------------------------------------- */

static void (*const faults[])(struct party *p, struct guest *g) = {
    rst,          rst,       rst_after_reading, fin, fin_and_reading,
    half_a_line,  take_over, take_over_and_rst, cut, stop_reading,
    stop_reading,
};
#define FAULTS ((unsigned)(sizeof(faults) / sizeof(faults[0])))

static struct guest *
pick(struct party *p)
{
    struct guest *g = NULL;

    for (unsigned tries = 0; tries < 5; tries++) {
        g = &p->guests[party_random(p, p->plan->guests)];
        if (g->fd >= 0 && !g->is_cut && !g->is_deaf && !g->is_steady)
            return g;
    }
    return NULL;
}

/* Those that come back or catch up are hit too, but who enters is not: it has
 * no session yet. */
void
fault_happen(struct party *p)
{
    struct guest *const g = pick(p);

    if (g == NULL)
        return;
    if (g->state == GUEST_LIVE || g->state == GUEST_CATCHES_UP)
        faults[party_random(p, FAULTS)](p, g);
    else if (g->state == GUEST_ASKS)
        rst(p, g);
}
