/* SPDX-License-Identifier: BSD-2-Clause
 *
 * limit - token buckets, and what one address may hold.
 *
 * Time is passed in. A rate of 0 means no limit. One thread holds a struct.
 */
#ifndef NET_LIMIT_H
#define NET_LIMIT_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/hash.h"
#include "net/addr.h"

/* Fills with `rate` tokens a second up to `burst`; both passed in, so that a
 * reload changes them for everyone at once. */
struct bucket {
    uint64_t last_ms;
    int64_t millitokens; /* below 0: in debt */
};

/* A full bucket. */
void bucket_init(struct bucket *b, uint64_t now_ms, uint32_t burst);

/* Takes `cost` tokens and returns 0, or, when there are not enough, takes
 * nothing and returns how many milliseconds to wait until there are. */
uint64_t bucket_take(struct bucket *b, uint64_t now_ms, uint32_t rate,
                     uint32_t burst, uint32_t cost);

struct addr_limits; /* addresses that hold a connection or connected lately */

struct addr_limits_conf {
    uint32_t connections_per_address; /* 0: no limit */
    uint32_t connect_rate;            /* a second and address; burst 4 x */
};

enum addr_verdict {
    ADDR_WELCOME, /* and not counted: nothing limits how many it holds */
    ADDR_COUNTED, /* welcome; give back with addr_limits_leave() */
    ADDR_TOO_MANY,
    ADDR_TOO_FAST,
    ADDR_NO_MEMORY,
};

/* The conf may change at any time; a limit on connections that is switched on
 * counts those that enter from then on. */
MUST_CHECK int addr_limits_create(const struct addr_limits_conf *conf,
                                  struct addr_limits **out);
void addr_limits_destroy(struct addr_limits *l);
void addr_limits_reload(struct addr_limits *l,
                        const struct addr_limits_conf *conf);

enum addr_verdict addr_limits_enter(struct addr_limits *l, const struct addr *a,
                                    uint64_t now_ms);

/* Once for each ADDR_COUNTED. */
void addr_limits_leave(struct addr_limits *l, const struct addr *a,
                       uint64_t now_ms);

/* Forgets addresses that hold nothing and whose bucket is full, some at a
 * time. Returns how many are left to look at; call again while there are. */
uint64_t addr_limits_sweep(struct addr_limits *l, uint64_t now_ms);

/* Addresses that hold a connection or connected lately. */
uint64_t addr_limits_known(const struct addr_limits *l);

#endif
