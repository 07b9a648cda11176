/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_thread - see hub_thread.h.
 *
 * Shape    In: a post with a command and its bytes behind it. Out: for each
 *          sink one open batch, itself a post, doubled as it fills. The first
 *          command of a turn reads the clock and asks for the end of the turn,
 *          where the open batches leave.
 * Memory   A batch holds a reference to each event until the sink has seen it.
 *          A delivery for which no memory can be had is lost and counted: the
 *          events it belongs to have happened and cannot be taken back.
 */
#include "chat/hub_thread.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/wheel.h"
#include "loop/worker.h"

#define BATCH_SIZE_MIN 8u

#define HUB_METRIC_ROW(name, kind, help) \
    METRIC_DESC(struct hub_counters, name, kind, help),

const struct metric_desc hub_metrics[] = {HUB_COUNTERS(HUB_METRIC_ROW)};
const size_t hub_metric_count = ARRAY_LEN(hub_metrics);

/* Deliveries on their way to one sink. */
struct batch {
    struct post post;
    _Atomic uint64_t *taken; /* of its lane */
    void (*on_batch)(void *arg, const struct delivery *d, size_t n);
    void *arg;
    size_t size;
    size_t count;
    struct delivery deliveries[];
};

/* Deliveries handed over so far, and those of them the sink is done with; one
 * line each, for each has another writer. */
struct backlog {
    _Alignas(CACHE_LINE) _Atomic uint64_t posted; /* [hub] writes */
    _Alignas(CACHE_LINE) _Atomic uint64_t taken;  /* [sink] writes */
};

struct lane {
    struct backlog backlog;
    struct hub_sink sink;
    struct batch *open; /* NULL: nothing waits */
};

struct hub_thread {
    /* set once */
    struct worker *worker;
    struct hub *hub;
    size_t lane_count;
    /* [owner] */
    struct task end_of_turn;
    struct wheel_timer tick; /* armed while some session waits */
    struct hub_now now;      /* of this turn */
    bool in_turn;            /* `now` is set and end_of_turn asked for */
    /* [any] */
    _Alignas(CACHE_LINE) struct hub_counters counters;
    /* [owner] */
    _Alignas(CACHE_LINE) struct lane lanes[];
};

/* ---- out ----------------------------------------------------------------- */

static void
batch_destroy(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        event_unref(b->deliveries[i].event);
    free(b);
}

static struct batch *
batch_of_post(struct post *p)
{
    return CONTAINER_OF(p, struct batch, post);
}

static void
batch_run(struct worker *w, struct post *p)
{
    struct batch *const b = batch_of_post(p);

    b->on_batch(b->arg, b->deliveries, b->count);
    metric_add(b->taken, b->count);
    batch_destroy(b);
}

static void
batch_drop(struct post *p)
{
    batch_destroy(batch_of_post(p));
}

static const struct post_kind batch_kind = {
    .name = "hub-batch",
    .run = batch_run,
    .drop = batch_drop,
};

static size_t
batch_bytes(size_t size)
{
    return sizeof(struct batch) + size * sizeof(struct delivery);
}

static void
lane_flush(struct hub_thread *t, struct lane *lane)
{
    struct batch *const b = lane->open;

    if (b == NULL)
        return;

    lane->open = NULL;
    metric_add(&t->counters.batches, 1);
    metric_add(&t->counters.deliveries, b->count);
    metric_add(&lane->backlog.posted, b->count);
    worker_post(lane->sink.worker, &b->post);
}

static struct batch *
batch_create(struct lane *lane)
{
    struct batch *const b = malloc(batch_bytes(BATCH_SIZE_MIN));

    if (b == NULL)
        return NULL;
    *b = (struct batch){
        .post.kind = &batch_kind,
        .taken = &lane->backlog.taken,
        .on_batch = lane->sink.on_batch,
        .arg = lane->sink.arg,
        .size = BATCH_SIZE_MIN,
    };
    return b;
}

/* An open batch with room for one more; NULL when memory is short. */
static struct batch *
lane_batch(struct hub_thread *t, struct lane *lane)
{
    struct batch *b = lane->open;

    if (b != NULL && b->count == b->size && b->size < HUB_BATCH) {
        b = realloc(b, batch_bytes(b->size * 2));
        if (b != NULL) {
            b->size *= 2;
            lane->open = b;
        }
    }
    b = lane->open;
    if (b != NULL && b->count == b->size) {
        lane_flush(t, lane);
        b = NULL;
    }
    if (b == NULL)
        lane->open = batch_create(lane);
    return lane->open;
}

static void
on_emit(void *arg, unsigned worker, const struct delivery *d)
{
    struct hub_thread *const t = arg;
    struct batch *b;

    ASSERT(worker < t->lane_count);

    if (d->event->kind == EVENT_REFUSED)
        metric_add(&t->counters.refusals, 1);
    b = lane_batch(t, &t->lanes[worker]);
    if (b == NULL) {
        metric_add(&t->counters.lost, 1);
        return;
    }
    b->deliveries[b->count] = *d;
    event_ref(d->event);
    b->count++;
}

void
hub_thread_flush(struct hub_thread *t)
{
    ASSERT_OWNER(t->worker);

    for (size_t i = 0; i < t->lane_count; i++)
        lane_flush(t, &t->lanes[i]);
}

bool
hub_thread_is_congested(const struct hub_thread *t)
{
    for (size_t i = 0; i < t->lane_count; i++) {
        const struct backlog *const backlog = &t->lanes[i].backlog;
        /* Two looks at two counters: a little off either way, which only moves
         * the moment. Signed, for `taken` may be the younger look. */
        const int64_t waiting = (int64_t)(metric_read(&backlog->posted) -
                                          metric_read(&backlog->taken));

        if (waiting > HUB_BACKLOG)
            return true;
    }
    return false;
}

/* relaxed: a gauge publishes nothing but itself. */
static void
metric_set(_Atomic uint64_t *metric, uint64_t value)
{
    atomic_store_explicit(metric, value, memory_order_relaxed);
}

static void
set_gauges(struct hub_thread *t)
{
    struct hub_census census;

    hub_count(t->hub, &census);
    metric_set(&t->counters.users, census.users);
    metric_set(&t->counters.rooms, census.rooms);
    metric_set(&t->counters.members, census.members);
}

/* hub_tick() is due when the session that waits longest has waited enough. */
static void
arm_tick(struct hub_thread *t)
{
    struct wheel *const wheel = worker_wheel(t->worker);
    const uint64_t due_ms = hub_next_tick_ms(t->hub);

    if (due_ms == HUB_NEVER)
        wheel_disarm(wheel, &t->tick);
    else
        wheel_arm(wheel, &t->tick, due_ms);
}

static void
on_end_of_turn(struct worker *w, struct task *task)
{
    struct hub_thread *const t =
        CONTAINER_OF(task, struct hub_thread, end_of_turn);

    for (size_t i = 0; i < t->lane_count; i++)
        lane_flush(t, &t->lanes[i]);
    set_gauges(t);
    arm_tick(t);
    t->in_turn = false;
}

/* ---- in ------------------------------------------------------------------ */

static void
begin_turn(struct hub_thread *t)
{
    if (t->in_turn)
        return;
    t->in_turn = true;
    t->now.wall_ms = clock_wall_ms();
    t->now.mono_ms = worker_now_ms(t->worker);
    worker_defer(t->worker, &t->end_of_turn);
}

static void
on_tick(struct wheel_timer *timer, uint64_t now_ms)
{
    struct hub_thread *const t = CONTAINER_OF(timer, struct hub_thread, tick);
    const struct hub_out out = {.emit = on_emit, .arg = t};

    begin_turn(t);
    hub_tick(t->hub, &t->now, &out);
}

static void
apply(struct hub_thread *t, const struct command *c)
{
    const struct hub_out out = {.emit = on_emit, .arg = t};

    begin_turn(t);
    metric_add(&t->counters.commands, 1);
    hub_apply(t->hub, c, &t->now, &out);
}

/* A command on its way to the hub, its bytes behind it. */
struct errand {
    struct post post;
    struct hub_thread *to;
    struct command c;
    char bytes[];
};

static void
errand_run(struct worker *w, struct post *p)
{
    struct errand *const errand = CONTAINER_OF(p, struct errand, post);

    apply(errand->to, &errand->c);
    free(errand);
}

static void
errand_drop(struct post *p)
{
    free(CONTAINER_OF(p, struct errand, post));
}

static const struct post_kind errand_kind = {
    .name = "hub-command",
    .run = errand_run,
    .drop = errand_drop,
};

static struct slice
pack(char **end, struct slice s)
{
    const struct slice copy = slice_make(*end, s.len);

    if (s.len > 0)
        memcpy(*end, s.data, s.len);
    *end += s.len;
    return copy;
}

int
hub_thread_send(struct hub_thread *t, const struct command *c)
{
    struct errand *const errand =
        malloc(sizeof(*errand) + c->name.len + c->nick.len + c->text.len);
    char *end;

    if (errand == NULL)
        return -ENOMEM;

    errand->post.kind = &errand_kind;
    errand->to = t;
    errand->c = *c;
    end = errand->bytes;
    errand->c.name = pack(&end, c->name);
    errand->c.nick = pack(&end, c->nick);
    errand->c.text = pack(&end, c->text);
    worker_post(t->worker, &errand->post);
    return 0;
}

/* All that a DETACH needs, small enough for every conn to hold one. */
struct hub_ticket {
    struct post post;
    struct hub_thread *to;
    const char *why;
    uint64_t conn;
    uint64_t cursor;
    uint32_t beyond; /* upto - cursor */
    uint32_t unacked;
    uint32_t request;
    uint8_t how; /* enum detach_how */
};

static_assert(sizeof(struct hub_ticket) <= 64, "every idle client holds one");

static void
ticket_run(struct worker *w, struct post *p)
{
    struct hub_ticket *const ticket = CONTAINER_OF(p, struct hub_ticket, post);
    const struct command c = {
        .kind = COMMAND_DETACH,
        .how = (enum detach_how)ticket->how,
        .from = {.conn = ticket->conn, .request = ticket->request},
        .text = slice_of(ticket->why),
        .cursor = ticket->cursor,
        .upto = ticket->cursor + ticket->beyond,
        .count = ticket->unacked,
    };

    apply(ticket->to, &c);
    free(ticket);
}

static void
ticket_drop(struct post *p)
{
    free(CONTAINER_OF(p, struct hub_ticket, post));
}

static const struct post_kind ticket_kind = {
    .name = "hub-detach",
    .run = ticket_run,
    .drop = ticket_drop,
};

struct hub_ticket *
hub_ticket_create(void)
{
    struct hub_ticket *const ticket = malloc(sizeof(*ticket));

    if (ticket != NULL)
        ticket->post.kind = &ticket_kind;
    return ticket;
}

void
hub_ticket_destroy(struct hub_ticket *ticket)
{
    free(ticket);
}

void
hub_thread_detach(struct hub_thread *t, struct hub_ticket *ticket,
                  const struct hub_farewell *f)
{
    const uint64_t beyond = f->upto > f->cursor ? f->upto - f->cursor : 0;

    ticket->to = t;
    ticket->conn = f->from.conn;
    ticket->request = f->from.request;
    ticket->how = (uint8_t)f->how;
    ticket->why = f->why;
    ticket->cursor = f->cursor;
    ticket->beyond = beyond < UINT32_MAX ? (uint32_t)beyond : UINT32_MAX;
    ticket->unacked = f->unacked;
    worker_post(t->worker, &ticket->post);
}

/* ---- life ---------------------------------------------------------------- */

int
hub_thread_create(const struct hub_thread_env *env, struct hub_thread **out)
{
    const size_t bytes =
        sizeof(struct hub_thread) + env->sink_count * sizeof(struct lane);
    /* aligned_alloc() wants a multiple of the alignment. */
    struct hub_thread *const t = aligned_alloc(
        CACHE_LINE, (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);

    if (t == NULL)
        return -ENOMEM;

    memset(t, 0, bytes);
    t->worker = env->worker;
    t->hub = env->hub;
    t->lane_count = env->sink_count;
    task_init(&t->end_of_turn, on_end_of_turn);
    wheel_timer_init(&t->tick, on_tick);
    for (size_t i = 0; i < env->sink_count; i++)
        t->lanes[i].sink = env->sinks[i];
    set_gauges(t); /* the lobby is there before the first command */
    *out = t;
    return 0;
}

void
hub_thread_destroy(struct hub_thread *t)
{
    if (t == NULL)
        return;

    ASSERT(!t->in_turn); /* its last turn ended, so nothing waits */
    wheel_disarm(worker_wheel(t->worker), &t->tick);
    free(t);
}

void
hub_thread_reload(struct hub_thread *t, const struct chat_conf *conf)
{
    ASSERT_OWNER(t->worker);

    hub_reload(t->hub, conf);
    arm_tick(t); /* session.linger may be another */
}

struct hub *
hub_thread_hub(struct hub_thread *t)
{
    ASSERT_OWNER(t->worker);

    return t->hub;
}

const struct hub_counters *
hub_thread_counters(const struct hub_thread *t)
{
    return &t->counters;
}
