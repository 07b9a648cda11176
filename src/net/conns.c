/* SPDX-License-Identifier: BSD-2-Clause
 *
 * conns - see conns.h; the lists are explained in conn_priv.h.
 *
 * Budget   Of each list so many conns a turn; the others keep their places, and
 *          the next turn does not wait.
 */
#include "net/conns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/log.h"
#include "net/conn_priv.h"

/* A socket on its way. */
struct socket_post {
    struct post post;
    struct conns *conns;
    struct accepted socket;
};

/* clang-format off */
#define ROW(name, kind, help) \
    METRIC_DESC(struct conns_counters, name, kind, help),
/* clang-format on */

const struct metric_desc conns_metrics[] = {CONNS_COUNTERS(ROW)};
const size_t conns_metric_count = ARRAY_LEN(conns_metrics);

/* -- the lists ------------------------------------------------------------- */

void
conns_mark_dirty(struct conns *cs, struct conn *c)
{
    if (list_is_linked(&c->dirty))
        return;
    list_push_back(&cs->dirty, &c->dirty);
    worker_defer(cs->worker, &cs->turn_task);
}

void
conns_mark_ready(struct conns *cs, struct conn *c)
{
    if (c->state == CONN_CLOSED || list_is_linked(&c->ready))
        return;
    list_push_back(&cs->ready, &c->ready);
    worker_soon(cs->worker, &cs->ready_task);
}

void
conns_mark_closed(struct conns *cs, struct conn *c)
{
    list_remove(&c->dirty);
    list_remove(&c->ready);
    list_push_back(&cs->closed, &c->ready);
    worker_defer(cs->worker, &cs->turn_task);

    metric_add(&cs->counters.ended[c->end], 1);
    metric_sub(&cs->counters.open, 1);
    /* relaxed: a hint for the acceptor, which publishes nothing. */
    atomic_fetch_sub_explicit(&cs->load, 1, memory_order_relaxed);
    conn_ticket_return(c->ticket);
    c->ticket = NULL;
}

static void
flush_one(struct list_link *link)
{
    conn_take_turn(CONTAINER_OF(link, struct conn, dirty));
}

static void
read_one(struct list_link *link)
{
    conn_read(CONTAINER_OF(link, struct conn, ready));
}

static void
bury_one(struct list_link *link)
{
    conn_bury(CONTAINER_OF(link, struct conn, ready));
}

/* Calls `step` with each conn that is on the list now, up to `budget`. One that
 * puts itself back, or another on, has its turn after all of those. */
static void
run_list(struct list *list, size_t budget, void (*step)(struct list_link *link))
{
    struct list now;

    list_init(&now);
    list_append_all(&now, list);
    for (size_t n = 0; n < budget && !list_is_empty(&now); n++)
        step(list_pop_front(&now));
    list_append_all(&now, list);
    list_append_all(list, &now);
}

static void
run_ready(struct worker *w, struct task *t)
{
    struct conns *const cs = CONTAINER_OF(t, struct conns, ready_task);

    run_list(&cs->ready, CONNS_READ_BUDGET, read_one);
    if (!list_is_empty(&cs->ready))
        worker_soon(w, t);
}

static void
end_turn(struct worker *w, struct task *t)
{
    struct conns *const cs = CONTAINER_OF(t, struct conns, turn_task);

    run_list(&cs->dirty, CONNS_TURN_BUDGET, flush_one);
    run_list(&cs->closed, CONNS_TURN_BUDGET, bury_one);
    if (!list_is_empty(&cs->dirty) || !list_is_empty(&cs->closed))
        worker_defer(w, t);
}

/* -- adoption -------------------------------------------------------------- */

static void
count_accepted(struct conns *cs)
{
    metric_add(&cs->counters.accepted, 1);
    metric_add(&cs->counters.open, 1);
}

/* Memory, or the kernel, has no place for it. */
static void
turn_away(struct conns *cs, const struct accepted *s, int error)
{
    const enum conn_end end = conn_end_of(error);

    LOG_WARN(LOG_CONN, "turned away", LOG_F_ERRNO(-error));
    close(s->fd);
    conn_ticket_return(s->ticket);
    metric_add(&cs->counters.accepted, 1);
    metric_add(&cs->counters.ended[end], 1);
    /* relaxed: as in conns_mark_closed(). */
    atomic_fetch_sub_explicit(&cs->load, 1, memory_order_relaxed);
}

static void
adopt(struct conns *cs, const struct accepted *s)
{
    struct conn *c;
    int rc;

    rc = conn_create(cs, s, &c);
    if (rc < 0) {
        turn_away(cs, s, rc);
        return;
    }

    count_accepted(cs);
    cs->env.on_accepted(c, cs->env.arg);
    ASSERT(c->ops != NULL || c->state == CONN_CLOSED);
}

void
conns_adopt(struct conns *cs, const struct accepted *s)
{
    ASSERT_OWNER(cs->worker);

    /* relaxed: as in conns_mark_closed(). */
    atomic_fetch_add_explicit(&cs->load, 1, memory_order_relaxed);
    adopt(cs, s);
}

static void
run_socket(struct worker *w, struct post *p)
{
    struct socket_post *const sp = CONTAINER_OF(p, struct socket_post, post);

    adopt(sp->conns, &sp->socket);
    free(sp);
}

/* The worker ended before the socket came; sp->conns may be gone. */
static void
drop_socket(struct post *p)
{
    struct socket_post *const sp = CONTAINER_OF(p, struct socket_post, post);

    close(sp->socket.fd);
    conn_ticket_return(sp->socket.ticket);
    free(sp);
}

static const struct post_kind socket_kind = {"socket", run_socket, drop_socket};

void
conns_post_socket(struct conns *cs, const struct accepted *s)
{
    struct socket_post *const sp = malloc(sizeof(*sp));

    if (sp == NULL) {
        LOG_WARN(LOG_CONN, "turned away", LOG_F_ERRNO(ENOMEM));
        close(s->fd);
        conn_ticket_return(s->ticket);
        return;
    }

    *sp = (struct socket_post){
        .post.kind = &socket_kind,
        .conns = cs,
        .socket = *s,
    };
    /* relaxed: as in conns_mark_closed(). */
    atomic_fetch_add_explicit(&cs->load, 1, memory_order_relaxed);
    worker_post(cs->worker, &sp->post);
}

uint32_t
conns_load(const struct conns *cs)
{
    /* relaxed: as in conns_mark_closed(). */
    return atomic_load_explicit(&cs->load, memory_order_relaxed);
}

/* -- the table ------------------------------------------------------------- */

struct conn *
conns_find(struct conns *cs, conn_id id)
{
    struct conn *c;

    ASSERT_OWNER(cs->worker);

    c = id_table_at(&cs->table, (uint32_t)id & (BIT(CONN_ID_SLOT_BITS) - 1));
    return c != NULL && conn_get_id(c) == id ? c : NULL;
}

struct visit {
    conn_visit_fn fn;
    void *arg;
};

static void
visit_one(void *arg, uint64_t id, void *thing)
{
    const struct visit *const v = arg;

    v->fn(v->arg, thing);
}

void
conns_each(struct conns *cs, conn_visit_fn visit, void *arg)
{
    struct visit v = {visit, arg};

    ASSERT_OWNER(cs->worker);
    id_table_each(&cs->table, visit_one, &v);
}

static void
hasten_one(void *arg, struct conn *c)
{
    conn_drain_hasten(c);
}

void
conns_hasten(struct conns *cs)
{
    cs->hastens = true;
    conns_each(cs, hasten_one, NULL);
}

/* -- settings -------------------------------------------------------------- */

/* A protocol that is paused may leave what was kept and a whole turn's input,
 * and reads on when it has taken that down to CONN_KEPT_MAX. */
static int
resize_buffer(struct conns *cs)
{
    const size_t size = CONN_KEPT_MAX + (size_t)cs->conf.limits_recvq;

    /* It never shrinks: what was left in it once is kept somewhere. */
    if (size > cs->buffer_size) {
        char *const buffer = realloc(cs->buffer, size);

        if (buffer == NULL)
            return -ENOMEM;
        cs->buffer = buffer;
        cs->buffer_size = size;
    }
    cs->recvq = (size_t)cs->conf.limits_recvq;
    return 0;
}

static void
retime_one(void *arg, struct conn *c)
{
    conn_socket_setup(c);
    conn_rearm(c);
}

static bool
has_other_times(const struct net_conf *a, const struct net_conf *b)
{
    return a->timeouts_idle_ping != b->timeouts_idle_ping ||
           a->timeouts_pong != b->timeouts_pong ||
           a->timeouts_user_timeout != b->timeouts_user_timeout;
}

void
conns_reload(struct conns *cs, const struct net_conf *conf)
{
    const bool retimes = has_other_times(&cs->conf, conf);

    ASSERT_OWNER(cs->worker);
    ASSERT(cs->reading == NULL);

    cs->conf = *conf;
    if (resize_buffer(cs) < 0)
        LOG_WARN(LOG_NET, "no memory for a larger recvq", LOG_F_ERRNO(ENOMEM));
    if (retimes)
        conns_each(cs, retime_one, NULL);
}

const struct net_conf *
conns_conf(const struct conns *cs)
{
    return &cs->conf;
}

struct worker *
conns_worker(const struct conns *cs)
{
    return cs->worker;
}

const struct conns_counters *
conns_counters(const struct conns *cs)
{
    return &cs->counters;
}

/* -- from birth to death --------------------------------------------------- */

int
conns_create(const struct conns_env *env, const struct net_conf *conf,
             struct conns **out)
{
    struct conns *cs;

    cs = aligned_alloc(_Alignof(struct conns), sizeof(*cs));
    if (cs == NULL)
        return -ENOMEM;

    memset(cs, 0, sizeof(*cs));
    cs->env = *env;
    cs->worker = env->worker;
    ASSERT(worker_index(cs->worker) <= CONN_WORKERS_MAX);
    cs->conf = *conf;
    if (resize_buffer(cs) < 0) {
        free(cs);
        return -ENOMEM;
    }

    id_table_init(&cs->table, CONNS_MAX);
    slab_init(&cs->slab, sizeof(struct conn));
    slab_init(&cs->chunks, wqueue_chunk_size());
    slab_init(&cs->resumptions, sizeof(struct conn_resumption));
    list_init(&cs->dirty);
    list_init(&cs->ready);
    list_init(&cs->closed);
    task_init(&cs->turn_task, end_turn);
    task_init(&cs->ready_task, run_ready);
    *out = cs;
    return 0;
}

void
conns_destroy(struct conns *cs)
{
    if (cs == NULL)
        return;
    ASSERT_OWNER(cs->worker);
    ASSERT(cs->table.used == 0);

    while (!list_is_empty(&cs->closed))
        run_list(&cs->closed, CONNS_TURN_BUDGET, bury_one);
    worker_cancel(&cs->turn_task);
    worker_cancel(&cs->ready_task);
    slab_fini(&cs->chunks);
    slab_fini(&cs->resumptions);
    slab_fini(&cs->slab);
    id_table_fini(&cs->table);
    free(cs->buffer);
    free(cs);
}
