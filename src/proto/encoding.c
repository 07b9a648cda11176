/* SPDX-License-Identifier: BSD-2-Clause
 *
 * encoding - one delivery, encoded at most once a form, shared by reference.
 *
 * Memory   The encoding holds one reference to each msg until it is over; each
 *          write queue holds its own. A form that could not be encoded is
 *          tried again for the next client: by then the first has been closed,
 *          and its memory may be enough.
 */
#include "base/metric.h"
#include "base/msg.h"
#include "proto/client_priv.h"
#include "proto/front_priv.h"

void
encoding_init(struct encoding *enc, struct front *f, const struct delivery *d,
              const struct view_room *room)
{
    enc->front = f;
    enc->delivery = d;
    enc->room = room;
    enc->used = 0; /* forms[] is not read beyond */
}

void
encoding_fini(struct encoding *enc)
{
    for (unsigned i = 0; i < enc->used; i++)
        msg_unref(enc->forms[i].msg);
    enc->used = 0;
}

static struct msg *
find_form(const struct encoding *enc, const struct protocol *protocol,
          uint32_t key)
{
    for (unsigned i = 0; i < enc->used; i++) {
        const struct encoding_form *const form = &enc->forms[i];

        if (form->protocol == protocol && form->key == key)
            return form->msg;
    }
    return NULL;
}

/* A reference of the caller's; NULL when memory is short. */
static struct msg *
encode(struct encoding *enc, const struct protocol *protocol, uint32_t key)
{
    struct msg *const m =
        protocol->encode(enc->front, enc->delivery, enc->room, key);

    if (m == NULL)
        return NULL;
    metric_add(&enc->front->counters.encoded, 1);
    if (enc->used < ENCODING_FORMS) {
        enc->forms[enc->used++] = (struct encoding_form){
            .protocol = protocol,
            .msg = msg_ref(m),
            .key = key,
        };
    }
    return m;
}

void
encoding_queue(struct encoding *enc, struct client *cl, uint32_t key)
{
    struct msg *const known = find_form(enc, cl->protocol, key);

    client_queue_take(cl, known != NULL ? msg_ref(known)
                                        : encode(enc, cl->protocol, key));
}
