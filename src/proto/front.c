/* SPDX-License-Identifier: BSD-2-Clause
 *
 * front - its life, its settings, the operator's list, and the end.
 */
#include "proto/front.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "loop/worker.h"
#include "net/conns.h"
#include "proto/front_priv.h"

/* clang-format off */
#define ROW(name, kind, help) \
    METRIC_DESC(struct front_counters, name, kind, help),
/* clang-format on */

const struct metric_desc front_metrics[] = {FRONT_COUNTERS(ROW)};
const size_t front_metric_count = ARRAY_LEN(front_metrics);

static_assert(offsetof(struct front_counters, clients) == 0,
              "0 as a protocol's gauge means: none of its own");

int
front_create(const struct front_env *env, const struct proto_conf *conf,
             struct front **out)
{
    struct front *const f = aligned_alloc(_Alignof(struct front), sizeof(*f));

    if (f == NULL)
        return -ENOMEM;

    memset(f, 0, sizeof(*f));
    f->env = *env;
    f->conf = *conf;
    view_init(&f->view);
    list_init(&f->clients);
    list_init(&f->waiting);
    list_init(&f->leaving);
    list_init(&f->tracks);
    list_init(&f->revivals);
    list_init(&f->catching.waiting);
    wheel_timer_init(&f->leave_timer, client_on_leave_due);
    wheel_timer_init(&f->relief_timer, window_on_relief_due);
    wheel_timer_init(&f->track_timer, client_on_track_due);
    wheel_timer_init(&f->revive_timer, client_on_revive_due);
    *out = f;
    return 0;
}

void
front_set_conns(struct front *f, struct conns *cs)
{
    f->conns = cs;
}

void
front_destroy(struct front *f)
{
    if (f == NULL)
        return;
    ASSERT(list_is_empty(&f->clients));

    view_fini(&f->view);
    free(f->pins);
    free(f);
}

/* -- settings -------------------------------------------------------------- */

int
front_set_listener(struct front *f, const struct front_listener *l)
{
    const size_t count = (size_t)l->index + 1;

    if (count > f->pin_count) {
        enum front_protocol *const pins =
            realloc(f->pins, count * sizeof(*pins));

        if (pins == NULL)
            return -ENOMEM;
        for (size_t i = f->pin_count; i < count; i++)
            pins[i] = FRONT_AUTO;
        f->pins = pins;
        f->pin_count = count;
    }
    f->pins[l->index] = l->protocol;
    return 0;
}

void
front_reload(struct front *f, const struct proto_conf *conf)
{
    ASSERT_OWNER(conns_worker(f->conns));

    f->conf = *conf;
    window_wake(f);
}

/* -- what the other files ask ---------------------------------------------- */

uint64_t
front_now_ms(const struct front *f)
{
    return worker_now_ms(conns_worker(f->conns));
}

static void
set_gauge(_Atomic uint64_t *gauge, uint64_t value)
{
    metric_add(gauge, value - metric_read(gauge));
}

void
front_count_view(struct front *f)
{
    set_gauge(&f->counters.view_rooms, f->view.room_count);
    set_gauge(&f->counters.view_members, f->view.member_count);
}

struct client *
front_find_client(const struct front *f, conn_id id)
{
    struct conn *c;

    /* The hub knows a conn only from its client's commands, and an id is never
     * given twice: whoever is found by it has become a client. */
    c = conns_find(f->conns, id);
    return c != NULL ? conn_data(c) : NULL;
}

/* -- the operator's list --------------------------------------------------- */

static size_t
count_rooms(const struct client *cl)
{
    const struct list_link *link;
    size_t n = 0;

    list_for_each (link, &cl->rooms)
        n++;
    return n;
}

/* Who hears no more was not told either where it is in no more. */
static struct slice
current_room(const struct client *cl)
{
    const struct view_room *room = NULL;

    if (cl->protocol->current_room != NULL && client_hears(cl))
        room = cl->protocol->current_room(cl);
    return room != NULL ? slice_make(room->name, room->name_len)
                        : slice_make(NULL, 0);
}

void
front_each_client(struct front *f, client_visit_fn visit, void *arg)
{
    struct list_link *link;

    ASSERT_OWNER(conns_worker(f->conns));

    list_for_each (link, &f->clients) {
        const struct client *const cl =
            CONST_CONTAINER_OF(link, struct client, of_front);
        const struct client_info info = {
            .conn = conn_get_id(cl->conn),
            .protocol = cl->protocol->name,
            .state = conn_state_name(conn_get_state(cl->conn)),
            .nick = cl->nick != NULL ? slice_of(cl->nick) : slice_make(NULL, 0),
            .room = current_room(cl),
            .rooms = count_rooms(cl),
            .c = cl->conn,
        };

        visit(arg, &info);
    }
}

const struct front_counters *
front_counters(const struct front *f)
{
    return &f->counters;
}

/* -- the end --------------------------------------------------------------- */

void
front_stop(struct front *f)
{
    struct list_link *link;

    ASSERT_OWNER(conns_worker(f->conns));

    f->is_stopping = true;
    list_for_each (link, &f->clients) {
        struct client *const cl = CONTAINER_OF(link, struct client, of_front);

        if (conn_get_state(cl->conn) >= CONN_DRAINING)
            continue;
        cl->protocol->on_stop(cl);
        conn_drain(cl->conn, CONN_END_SHUTDOWN);
    }
    conns_each(f->conns, opening_stop, f);
}
