/* SPDX-License-Identifier: BSD-2-Clause
 *
 * msg - immutable, reference-counted bytes; the only bulk that threads share.
 *
 * Threads  The bytes are written between msg_create() and the first hand-over
 *          and never again. msg_ref() and msg_unref(): [any].
 * Memory   One allocation. The last msg_unref() frees, on whatever thread.
 *          msg_live() counts those not yet freed, for the census.
 */
#ifndef BASE_MSG_H
#define BASE_MSG_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct msg {
    /* [any] */
    _Atomic uint32_t refs;
    /* set once */
    uint32_t len;
    unsigned char data[];
};

#define MSG_MAX (1u << 24) /* bytes; longer ones are refused as -EMSGSIZE */

/* A msg of `len` bytes with one reference, the caller's, to be filled in.
 * NULL when memory is short or len > MSG_MAX. */
MUST_CHECK struct msg *msg_create(size_t len);

/* As msg_create(), filled with a copy of `data`. */
MUST_CHECK struct msg *msg_copy(const void *data, size_t len);

/* As msg_create(), filled with printf's output without its NUL. */
MUST_CHECK struct msg *msg_printf(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* [any] One more reference; returns `m`. */
struct msg *msg_ref(struct msg *m);

/* [any] Gives one reference back; NULL is fine. */
void msg_unref(struct msg *m);

/* [any] How many msgs exist, and how many bytes they hold (data only). Exact
 * when no thread is inside a call of this module. */
uint64_t msg_live(void);
uint64_t msg_live_bytes(void);

#endif
