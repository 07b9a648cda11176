/* SPDX-License-Identifier: BSD-2-Clause
 *
 * client_revive - a client that takes its session back.
 *
 * Shape    RESUME is sent with the token. While the session's old conn stands,
 *          the hub has that asked to go and says BUSY; then RESUME is sent
 *          again after RETRY_MS, from one timer a front. It ends with RESUMED,
 *          with another refusal, or with the deadline of OPENING.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/assert.h"
#include "loop/worker.h"
#include "net/conns.h"
#include "proto/front_priv.h"

#define RETRY_MS 5

struct client_revival {
    struct list_link of_front; /* front.revivals: to be tried again */
    struct client *client;
    struct token token;
};

static int
send_resume(struct client *cl)
{
    struct command c = {
        .kind = COMMAND_RESUME,
        .resumable = true,
        .token = cl->revival->token,
    };

    token_secret_random(&c.secret);
    return client_send_command(cl, &c);
}

int
client_resume(struct client *cl, const struct token *token)
{
    struct client_revival *const r = malloc(sizeof(*r));

    ASSERT(cl->state == CLIENT_STRANGER && cl->revival == NULL);

    if (r == NULL)
        return -ENOMEM;
    *r = (struct client_revival){.client = cl, .token = *token};
    list_link_init(&r->of_front);
    cl->revival = r;
    if (send_resume(cl) < 0) {
        client_forget_revival(cl);
        return -ENOMEM;
    }
    cl->state = CLIENT_ASKED;
    cl->owes = true;
    window_hold(cl);
    return 0;
}

void
client_forget_revival(struct client *cl)
{
    if (cl->is_attached || cl->revival == NULL)
        return; /* it is a track, or none */
    list_remove(&cl->revival->of_front);
    free(cl->revival);
    cl->revival = NULL;
}

/* ---- again --------------------------------------------------------------- */

static struct wheel *
wheel_of(const struct front *f)
{
    return worker_wheel(conns_worker(f->conns));
}

bool
client_tries_again(const struct client *cl)
{
    return !cl->is_attached && cl->revival != NULL &&
           list_is_linked(&cl->revival->of_front);
}

bool
client_try_again(struct client *cl)
{
    struct front *const f = cl->front;

    if (cl->is_attached || cl->revival == NULL)
        return false;
    if (list_is_empty(&f->revivals))
        wheel_arm(wheel_of(f), &f->revive_timer, front_now_ms(f) + RETRY_MS);
    list_push_back(&f->revivals, &cl->revival->of_front);
    return true;
}

void
client_on_revive_due(struct wheel_timer *t, uint64_t now_ms)
{
    struct front *const f = CONTAINER_OF(t, struct front, revive_timer);
    struct list_link *link;

    while ((link = list_pop_front(&f->revivals)) != NULL) {
        struct client *const cl =
            CONTAINER_OF(link, struct client_revival, of_front)->client;

        if (cl->state == CLIENT_ASKED && client_hears(cl) &&
            send_resume(cl) < 0)
            conn_close(cl->conn, CONN_END_NOMEM);
    }
}

/* ---- and there it is ----------------------------------------------------- */

/* The session is this conn's now, also if the conn is not to have it: then the
 * farewell (UNHEARD) gives it back as it came. */
bool
client_on_resumed(struct client *cl, const struct event *e)
{
    struct client_revival *const r = cl->revival;

    if (cl->state != CLIENT_ASKED || !client_hears(cl))
        return false;
    if (client_start_behind(cl, e) < 0) {
        conn_close(cl->conn, CONN_END_NOMEM);
        return false;
    }
    list_remove(&r->of_front);
    free(r);
    cl->is_attached = true;
    cl->acks = e->style != 0;
    client_enter(cl, e);
    metric_add(&cl->front->counters.resumed, 1);
    return true;
}
