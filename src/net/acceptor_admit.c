/* SPDX-License-Identifier: BSD-2-Clause
 *
 * acceptor_admit - who gets in, to which worker, and what the others hear.
 *
 * Threads  The acceptor's own.
 * Memory   A conn that counts against its address carries a ticket, which this
 *          file made; it comes home as a post, gives the place back and is
 *          freed. After the acceptor is gone only the latter: ticket_drop().
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "loop/worker.h"
#include "net/acceptor_priv.h"

/* -- tickets -------------------------------------------------------------- */

struct ticket {
    struct conn_ticket head;
    struct acceptor *acceptor;
    struct addr peer;
};

static struct ticket *
ticket_of(struct post *p)
{
    return CONTAINER_OF(p, struct ticket, head.post);
}

static void
show_addresses(struct acceptor *a)
{
    _Atomic uint64_t *const shown = &a->counters.addresses;

    metric_add(shown, addr_limits_known(a->limits) - metric_read(shown));
}

static void
ticket_run(struct worker *w, struct post *p)
{
    struct ticket *const t = ticket_of(p);
    struct acceptor *const a = t->acceptor;

    addr_limits_leave(a->limits, &t->peer, worker_now_ms(w));
    show_addresses(a);
    free(t);
}

static void
ticket_drop(struct post *p)
{
    free(ticket_of(p));
}

static const struct post_kind ticket_kind = {"accept ticket", ticket_run,
                                             ticket_drop};

/* NULL when memory is short. */
static struct conn_ticket *
ticket_create(struct acceptor *a, const struct addr *peer)
{
    struct ticket *const t = malloc(sizeof(*t));

    if (t == NULL)
        return NULL;
    *t = (struct ticket){
        .head = {.post.kind = &ticket_kind, .home = a->env.worker},
        .acceptor = a,
        .peer = *peer,
    };
    return &t->head;
}

/* -- limits --------------------------------------------------------------- */

void
acceptor_on_sweep(struct wheel_timer *t, uint64_t now_ms)
{
    struct acceptor *const a = CONTAINER_OF(t, struct acceptor, sweep);

    if (addr_limits_sweep(a->limits, now_ms) > 0)
        wheel_arm(worker_wheel(a->env.worker), t, now_ms + ACCEPT_SWEEP_MS);
    show_addresses(a);
}

static void
sweep_later(struct acceptor *a, uint64_t now_ms)
{
    if (!wheel_is_armed(&a->sweep))
        wheel_arm(worker_wheel(a->env.worker), &a->sweep,
                  now_ms + ACCEPT_SWEEP_MS);
}

static enum refusal
take_ticket(struct acceptor *a, struct accepted *s, uint64_t now_ms)
{
    s->ticket = ticket_create(a, &s->peer);
    if (s->ticket != NULL)
        return REFUSAL_NONE;

    addr_limits_leave(a->limits, &s->peer, now_ms);
    return REFUSAL_MEMORY;
}

static enum refusal
check_address(struct acceptor *a, struct accepted *s)
{
    const uint64_t now_ms = worker_now_ms(a->env.worker);
    const enum addr_verdict verdict =
        addr_limits_enter(a->limits, &s->peer, now_ms);

    if (addr_limits_known(a->limits) > 0)
        sweep_later(a, now_ms);
    show_addresses(a);

    switch (verdict) {
    case ADDR_WELCOME:
        return REFUSAL_NONE;
    case ADDR_COUNTED:
        return take_ticket(a, s, now_ms);
    case ADDR_TOO_MANY:
        return REFUSAL_ADDRESS;
    case ADDR_TOO_FAST:
        return REFUSAL_RATE;
    case ADDR_NO_MEMORY:
        break;
    }
    return REFUSAL_MEMORY;
}

/* The worker with the fewest conns, or NULL when all together have as many as
 * limits.connections allows. */
static struct conns *
choose_worker(const struct acceptor *a)
{
    struct conns *least = a->env.conns[0];
    uint32_t least_load = conns_load(least);
    uint64_t total = least_load;

    for (size_t i = 1; i < a->env.conns_count; i++) {
        const uint32_t load = conns_load(a->env.conns[i]);

        total += load;
        if (load < least_load) {
            least = a->env.conns[i];
            least_load = load;
        }
    }
    if (a->conf.limits_connections > 0 && total >= a->conf.limits_connections)
        return NULL;
    return least;
}

void
acceptor_admit(struct acceptor *a, int fd, const struct addr *peer,
               unsigned listener)
{
    struct accepted s = {.fd = fd, .listener = listener, .peer = *peer};
    struct conns *const chosen = choose_worker(a);
    enum refusal why;

    why = chosen == NULL ? REFUSAL_FULL : check_address(a, &s);
    if (why != REFUSAL_NONE) {
        acceptor_refuse(a, fd, peer, why);
        return;
    }

    metric_add(&a->counters.accepted, 1);
    metric_add(&a->counters.handed, 1);
    conns_post_socket(chosen, &s);
}

/* -- refusals ------------------------------------------------------------- */

struct refusal_row {
    const char *reason; /* in the log */
    const char *text;   /* to the client; which protocol it speaks is unknown */
    size_t counter;
};

#define COUNTER(name) offsetof(struct acceptor_counters, name)

static const struct refusal_row refusal_rows[] = {
    [REFUSAL_FULL] = {"full",
                      "* This server is full. Please try again later.\r\n", COUNTER(refused_full)   },
    [REFUSAL_ADDRESS] = {"address",
                      "* Your address has too many connections here. "
                         "Please close one of them first.\r\n",             COUNTER(refused_address)},
    [REFUSAL_RATE] = {"rate",
                      "* Your address connects too often. "
                      "Please wait a moment.\r\n",                          COUNTER(refused_rate)   },
    [REFUSAL_FDS] = {"fds",
                      "* This server has no room just now. "
                     "Please try again later.\r\n",                         COUNTER(refused_fds)    },
    [REFUSAL_MEMORY] = {"memory",
                      "* This server has no room just now. "
                        "Please try again later.\r\n",                      COUNTER(refused_memory) },
};

static void
count_refusal(struct acceptor *a, const struct refusal_row *row)
{
    metric_add(&a->counters.accepted, 1);
    metric_add(
        (_Atomic uint64_t *)(void *)((char *)&a->counters + row->counter), 1);
}

/* Bytes that nobody has read turn close(2) into a reset, which may overtake
 * the text. Whoever has more under way than this had its chance. */
static void
throw_away_input(int fd)
{
    char waste[1024];

    for (int i = 0; i < 4; i++) {
        if (recv(fd, waste, sizeof(waste), MSG_DONTWAIT) <= 0)
            return;
    }
}

void
acceptor_refuse(struct acceptor *a, int fd, const struct addr *peer,
                enum refusal why)
{
    const struct refusal_row *const row = &refusal_rows[why];
    char text[ADDR_TEXT_MAX];

    count_refusal(a, row);
    LOG_INFO(LOG_NET, "connection refused",
             LOG_F_STR("peer", addr_format(peer, text)),
             LOG_F_STR("reason", row->reason));

    /* One line always fits the empty buffer of a new socket; where it does
     * not, the peer is gone already. */
    (void)send(fd, row->text, strlen(row->text), MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)shutdown(fd, SHUT_WR);
    throw_away_input(fd);
    close(fd);
}
