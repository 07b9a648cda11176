/* SPDX-License-Identifier: BSD-2-Clause
 *
 * window - how much may be asked before the hub has answered.
 *
 * Shape    A client that has limits.client_window commands unanswered is not
 *          read until half of them are answered. When all clients of the front
 *          together have limits.worker_window, each that sends one more queues
 *          up in front.waiting and goes on when it is its turn, so that a few
 *          who talk a lot do not shut out those who talk little.
 * Bound    Both limits are looked at behind a command, so a front has at most
 *          worker_window and one a client unanswered, with what it sends of
 *          itself (ATTACH, DETACH).
 * Tags     0 is skipped when tags wrap. The number unanswered then reads one
 *          too high until the wrap itself is answered, which harms nobody.
 */
#include "base/assert.h"
#include "proto/front_priv.h"

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

void
window_limit(struct client *cl)
{
    struct front *const f = cl->front;
    const bool is_full = unanswered(f) >= f->conf.limits_worker_window;

    if (!is_full && cl->unanswered < f->conf.limits_client_window)
        return;

    if (is_full && !list_is_linked(&cl->waiting))
        list_push_back(&f->waiting, &cl->waiting);
    if (!cl->is_held)
        metric_add(&f->counters.window_waits, 1);
    window_hold(cl);
}

void
window_wake(struct front *f)
{
    const uint64_t limit = f->conf.limits_worker_window;
    uint64_t room = unanswered(f) < limit ? limit - unanswered(f) : 0;

    while (room > 0 && !list_is_empty(&f->waiting)) {
        window_release(client_of_waiting(list_pop_front(&f->waiting)));
        room--;
    }
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
