/* SPDX-License-Identifier: BSD-2-Clause
 *
 * window - how much may be asked before the hub has answered.
 *
 * Shape    A client that has limits.client_window commands unanswered is not
 *          read until half of them are answered. When all clients of the front
 *          together have limits.worker_window, each that sends one more queues
 *          up in front.waiting and goes on when it is its turn, so that a few
 *          who talk a lot do not shut out those who talk little.
 *          They wait likewise while the hub is congested, that is, while some
 *          worker has more to deliver than it gets done; a timer looks again,
 *          because nobody tells when that is over.
 * Bound    Both limits are looked at behind a command, so a front has at most
 *          worker_window and one a client unanswered, with what it sends of
 *          itself (ATTACH, DETACH).
 * Tags     0 is skipped when tags wrap. The number unanswered then reads one
 *          too high until the wrap itself is answered, which harms nobody.
 */
#include "base/assert.h"
#include "loop/worker.h"
#include "net/conns.h"
#include "proto/front_priv.h"

#define RELIEF_MS 2 /* between looks at a congested hub */

static struct client *
client_of_waiting(struct list_link *link)
{
    return CONTAINER_OF(link, struct client, waiting);
}

static uint32_t
tag_after(uint32_t tag)
{
    return tag + 1 != 0 ? tag + 1 : 1;
}

uint32_t
window_next_tag(const struct front *f)
{
    return tag_after(f->last_sent);
}

static uint32_t
unanswered(const struct front *f)
{
    return f->last_sent - f->last_done;
}

static void
count_unanswered(struct front *f)
{
    metric_add(&f->counters.unanswered,
               unanswered(f) - metric_read(&f->counters.unanswered));
}

void
window_count_sent(struct client *cl, uint32_t tag)
{
    struct front *const f = cl->front;

    f->last_sent = tag;
    cl->last_request = tag;
    cl->unanswered++;
    metric_add(&f->counters.commands, 1);
    count_unanswered(f);
}

/* -- waiting --------------------------------------------------------------- */

void
window_hold(struct client *cl)
{
    if (cl->is_held)
        return;

    cl->is_held = true;
    conn_pause(cl->conn, CONN_PAUSE_WINDOW);
}

static bool
must_wait(const struct client *cl)
{
    if (cl->state == CLIENT_ASKED || cl->state == CLIENT_GONE)
        return true;
    return list_is_linked(&cl->waiting) ||
           cl->unanswered > cl->front->conf.limits_client_window / 2;
}

void
window_release(struct client *cl)
{
    if (!cl->is_held || must_wait(cl))
        return;

    cl->is_held = false;
    conn_resume(cl->conn, CONN_PAUSE_WINDOW);
}

/* How many more commands this front may send. */
static uint64_t
room_for(const struct front *f)
{
    const uint64_t limit = f->conf.limits_worker_window;

    if (unanswered(f) >= limit || hub_thread_is_congested(f->env.hub))
        return 0;
    return limit - unanswered(f);
}

/* Answers wake those who wait; but congestion may outlast the last answer, and
 * may end between two looks at it. So while anybody waits, a timer runs. */
static void
keep_looking(struct front *f)
{
    struct wheel *const wheel = worker_wheel(conns_worker(f->conns));

    if (list_is_empty(&f->waiting))
        wheel_disarm(wheel, &f->relief_timer);
    else if (!wheel_is_armed(&f->relief_timer))
        wheel_arm(wheel, &f->relief_timer, front_now_ms(f) + RELIEF_MS);
}

void
window_forget(struct client *cl)
{
    list_remove(&cl->waiting);
    keep_looking(cl->front);
}

void
window_on_relief_due(struct wheel_timer *t, uint64_t now_ms)
{
    struct front *const f = CONTAINER_OF(t, struct front, relief_timer);

    window_wake(f);
}

void
window_limit(struct client *cl)
{
    struct front *const f = cl->front;
    const bool is_full = room_for(f) == 0;

    if (!is_full && cl->unanswered < f->conf.limits_client_window)
        return;

    if (is_full && !list_is_linked(&cl->waiting)) {
        list_push_back(&f->waiting, &cl->waiting);
        keep_looking(f);
    }
    if (!cl->is_held)
        metric_add(&f->counters.window_waits, 1);
    window_hold(cl);
}

void
window_wake(struct front *f)
{
    uint64_t room = room_for(f);

    while (room > 0 && !list_is_empty(&f->waiting)) {
        window_release(client_of_waiting(list_pop_front(&f->waiting)));
        room--;
    }
    keep_looking(f);
}

/* -- answers --------------------------------------------------------------- */

/* A DONE was lost for want of memory, and perhaps that of this client: nobody
 * else would ever let it go on. */
static void
settle(struct client *cl, uint32_t tag)
{
    if (window_is_after(cl->last_request, tag))
        return;

    cl->unanswered = 0;
    client_on_done(cl, tag);
}

static void
settle_all_but(struct front *f, const struct client *spared, uint32_t tag)
{
    struct list_link *link;

    list_for_each (link, &f->clients) {
        struct client *const cl = CONTAINER_OF(link, struct client, of_front);

        if (cl != spared && cl->last_request != 0)
            settle(cl, tag);
    }
}

void
window_count_done(struct front *f, struct client *cl, uint32_t tag)
{
    const bool skips = tag != tag_after(f->last_done);

    if (!window_is_after(tag, f->last_done))
        return;

    f->last_done = tag;
    count_unanswered(f);
    if (skips)
        settle_all_but(f, cl, tag);
    if (cl == NULL)
        return;

    if (tag == cl->last_request)
        cl->unanswered = 0;
    else if (cl->unanswered > 0)
        cl->unanswered--;
}
