/* SPDX-License-Identifier: BSD-2-Clause
 *
 * inbox - see inbox.h for the protocol of the bell, tests/model/bell.pml for
 * its proof and tests/race/race_inbox.c for the code under ThreadSanitizer.
 *
 * Order    The only bytes that must become visible across threads are those
 *          behind a link: a poster's release meets the owner's acquire. The
 *          mark carries nothing, so writing and seeing it may be relaxed; that
 *          it is neither lost nor seen twice follows from the one word, whose
 *          changes all are read-modify-writes and have one order for everyone.
 *          The bell itself is a system call and orders what it needs.
 *
 * There is no ABA: a poster never looks behind the link that it saw, and if
 * the same link is on top again, then it is what must come next again.
 */
#include "base/inbox.h"

void
inbox_init(struct inbox *in)
{
    in->asleep.next = NULL;
    atomic_init(&in->top, NULL);
}

bool
inbox_post(struct inbox *in, struct inbox_link *link)
{
    struct inbox_link *seen;

    /* relaxed: a guess, which the exchange below confirms or replaces. */
    seen = atomic_load_explicit(&in->top, memory_order_relaxed);
    do {
        link->next = seen == &in->asleep ? NULL : seen;
        /* release: pairs with the acquire in inbox_take(), which thereby sees
         * link->next and the message around it. Another poster that lands on
         * top does not hide this one: its exchange is a read-modify-write and
         * continues our release sequence.
         * relaxed, on failure: `seen` is only compared and stored. */
    } while (!atomic_compare_exchange_weak_explicit(
        &in->top, &seen, link, memory_order_release, memory_order_relaxed));

    return seen == &in->asleep;
}

static struct inbox_link *
reverse(struct inbox_link *newest)
{
    struct inbox_link *oldest = NULL;

    while (newest != NULL) {
        struct inbox_link *const next = newest->next;

        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

struct inbox_link *
inbox_take(struct inbox *in)
{
    struct inbox_link *newest;

    /* relaxed: an idle look costs no locked instruction. Only the owner makes
     * the word NULL, so NULL means that there is nothing to change either. */
    if (atomic_load_explicit(&in->top, memory_order_relaxed) == NULL)
        return NULL;

    /* acquire: pairs with the release of every inbox_post() in the stack. */
    newest = atomic_exchange_explicit(&in->top, NULL, memory_order_acquire);
    if (newest == &in->asleep) /* woken by something else than the bell */
        return NULL;

    return reverse(newest);
}

bool
inbox_sleep(struct inbox *in)
{
    struct inbox_link *awake = NULL;

    /* relaxed: the mark publishes nothing, and when it is refused the owner
     * goes to inbox_take() for its acquire. */
    return atomic_compare_exchange_strong_explicit(
        &in->top, &awake, &in->asleep, memory_order_relaxed,
        memory_order_relaxed);
}
