/* SPDX-License-Identifier: BSD-2-Clause
 *
 * inbox - messages from any thread to the one thread that owns the inbox.
 *
 * Shape    A stack of intrusive links. A poster pushes with one CAS; the owner
 *          takes the whole stack with one exchange and reverses it.
 * Threads  inbox_post(): any thread. Everything else: the owner.
 * Order    What one poster posted comes out in the order it was posted.
 * Memory   A link belongs to the poster until inbox_post() is entered and to
 *          the owner from then on; the poster never touches it again.
 * Bell     Whether the owner sleeps is part of the one word that posters
 *          change, so nothing lies between looking and posting:
 *
 *              NULL       empty, the owner is awake and will look again
 *              &asleep    empty, the owner waits for its bell
 *              a link     not empty
 *
 *            inbox_sleep() NULL -> &asleep    refused when not empty
 *            inbox_post()  anything -> link   rings only if it saw &asleep
 *            inbox_take()  anything -> NULL
 *
 *  1. Only the owner writes &asleep, and only over NULL. So the poster that
 *     replaces it is the one that rings: rings <= sleeps.
 *  2. A poster that does not ring saw NULL or a link. Then the owner's next
 *     inbox_sleep() fails, because the word is a link until inbox_take().
 *  3. A ring may arrive late, after the owner woke for another reason. That
 *     costs one empty turn, never a message. tests/model/bell.pml checks 1-3.
 */
#ifndef BASE_INBOX_H
#define BASE_INBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct inbox_link {
    struct inbox_link *next;
};

struct inbox {
    _Alignas(CACHE_LINE) _Atomic(struct inbox_link *) top;
    /* Never in the stack; its address is the mark. Fills the line. */
    struct inbox_link asleep;
};

void inbox_init(struct inbox *in);

/* [any] Hands `link` over. True: the caller must ring the owner's bell. */
MUST_CHECK bool inbox_post(struct inbox *in, struct inbox_link *link);

/* [owner] Takes all that was posted, oldest first; NULL when empty. The owner
 * counts as awake from here on. */
struct inbox_link *inbox_take(struct inbox *in);

/* [owner] Says that the owner is about to wait for its bell. False: there is
 * something to take; do not wait. */
MUST_CHECK bool inbox_sleep(struct inbox *in);

#endif
