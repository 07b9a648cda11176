/* SPDX-License-Identifier: BSD-2-Clause
 *
 * limit - see limit.h.
 *
 * Shape    A table of places by address, hashed under a secret key since peers
 *          choose what is in it. A place is in one of two lists: `held` while
 *          it counts a connection, else `idle`, where it waits for its bucket
 *          to be full again and is then forgotten: nothing would be lost.
 * Bounds   PLACES_MAX places. Each enter sweeps SWEEP_ENTER idle ones, so that
 *          a flood of addresses pays for its own cleaning and the table holds
 *          about as many as came in the last BURST_SECONDS.
 *
 *  1. A place is in `held` exactly while its count is above 0.
 *  2. A place whose count is 0 and whose bucket is full is as good as none.
 */
#include "net/limit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/list.h"
#include "base/slab.h"

#define KEY_SIZE      17u
#define BURST_SECONDS 4u
#define PLACES_MAX    (1u << 20)
#define SWEEP_ENTER   2u
#define SWEEP_CALL    4096u

/* -- the bucket ----------------------------------------------------------- */

static int64_t
to_milli(uint32_t tokens)
{
    return (int64_t)tokens * 1000;
}

void
bucket_init(struct bucket *b, uint64_t now_ms, uint32_t burst)
{
    *b = (struct bucket){.last_ms = now_ms, .millitokens = to_milli(burst)};
}

/* `rate` tokens a second are as many millitokens a millisecond. */
static void
bucket_fill(struct bucket *b, uint64_t now_ms, uint32_t rate, uint32_t burst)
{
    const int64_t missing = to_milli(burst) - b->millitokens;
    const uint64_t passed = now_ms > b->last_ms ? now_ms - b->last_ms : 0;

    b->last_ms = now_ms;
    /* Divided, not multiplied: a long pause would overflow. */
    if (missing <= 0 || passed > (uint64_t)missing / rate)
        b->millitokens = to_milli(burst);
    else
        b->millitokens += (int64_t)(passed * rate);
}

uint64_t
bucket_take(struct bucket *b, uint64_t now_ms, uint32_t rate, uint32_t burst,
            uint32_t cost)
{
    /* What costs more than the bucket can hold needs it full, and leaves a
     * debt: it is slowed down, not refused for ever. */
    const int64_t needed = to_milli(cost < burst ? cost : burst);

    if (rate == 0)
        return 0;

    bucket_fill(b, now_ms, rate, burst);
    if (b->millitokens < needed)
        return ((uint64_t)(needed - b->millitokens) + rate - 1) / rate;

    b->millitokens -= to_milli(cost);
    return 0;
}

/* -- the places ----------------------------------------------------------- */

struct place {
    struct hash_link link;
    struct list_link listed; /* in held or idle */
    struct bucket bucket;
    uint32_t count; /* connections now */
    uint8_t key[KEY_SIZE];
};

struct addr_limits {
    struct addr_limits_conf conf;
    struct hash_key secret;
    struct hash table;
    struct slab places;
    struct list held;
    struct list idle; /* the longest untouched first */
    size_t idle_count;
};

int
addr_limits_create(const struct addr_limits_conf *conf,
                   struct addr_limits **out)
{
    struct addr_limits *const l = malloc(sizeof(*l));

    if (l == NULL)
        return -ENOMEM;

    *l = (struct addr_limits){.conf = *conf};
    hash_key_random(&l->secret);
    hash_init(&l->table);
    slab_init(&l->places, sizeof(struct place));
    list_init(&l->held);
    list_init(&l->idle);
    *out = l;
    return 0;
}

static struct place *
place_of(struct list_link *link)
{
    return CONTAINER_OF(link, struct place, listed);
}

static void
place_make_idle(struct addr_limits *l, struct place *p)
{
    list_remove(&p->listed);
    list_push_back(&l->idle, &p->listed);
    l->idle_count++;
}

static void
place_make_held(struct addr_limits *l, struct place *p)
{
    list_remove(&p->listed);
    list_push_back(&l->held, &p->listed);
    l->idle_count--;
}

/* An address that keeps coming back must not stand before those that went. */
static void
place_touch(struct addr_limits *l, struct place *p)
{
    if (p->count > 0)
        return;
    list_remove(&p->listed);
    list_push_back(&l->idle, &p->listed);
}

/* Only idle ones. */
static void
place_forget(struct addr_limits *l, struct place *p)
{
    ASSERT(p->count == 0);

    list_remove(&p->listed);
    l->idle_count--;
    hash_remove(&l->table, &p->link);
    slab_put(&l->places, p);
}

void
addr_limits_destroy(struct addr_limits *l)
{
    struct list_link *link;

    if (l == NULL)
        return;

    while ((link = list_first(&l->held)) != NULL) {
        place_of(link)->count = 0;
        place_make_idle(l, place_of(link));
    }
    while ((link = list_first(&l->idle)) != NULL)
        place_forget(l, place_of(link));
    hash_fini(&l->table);
    slab_fini(&l->places);
    free(l);
}

void
addr_limits_reload(struct addr_limits *l, const struct addr_limits_conf *conf)
{
    l->conf = *conf;
}

static bool
place_matches(const struct hash_link *link, const void *key)
{
    const struct place *const p = CONST_CONTAINER_OF(link, struct place, link);

    return memcmp(p->key, key, KEY_SIZE) == 0;
}

static struct place *
place_find(struct addr_limits *l, const uint8_t *key, uint64_t hash)
{
    struct hash_link *const link =
        hash_find(&l->table, hash, place_matches, key);

    return link == NULL ? NULL : CONTAINER_OF(link, struct place, link);
}

/* A new place, idle; NULL when memory is short or too many are known. */
static struct place *
place_add(struct addr_limits *l, const uint8_t *key, uint64_t hash,
          uint64_t now_ms)
{
    struct place *p;

    if (l->table.used >= PLACES_MAX)
        return NULL;
    p = slab_get(&l->places);
    if (p == NULL)
        return NULL;
    if (hash_insert(&l->table, &p->link, hash) < 0) {
        slab_put(&l->places, p);
        return NULL;
    }

    memcpy(p->key, key, KEY_SIZE);
    bucket_init(&p->bucket, now_ms, l->conf.connect_rate * BURST_SECONDS);
    list_link_init(&p->listed);
    place_make_idle(l, p);
    return p;
}

static bool
place_is_spent(const struct addr_limits *l, struct place *p, uint64_t now_ms)
{
    const uint32_t rate = l->conf.connect_rate;

    if (rate == 0)
        return false;
    bucket_fill(&p->bucket, now_ms, rate, rate * BURST_SECONDS);
    return p->bucket.millitokens < to_milli(rate * BURST_SECONDS);
}

static void
sweep(struct addr_limits *l, uint64_t now_ms, size_t budget)
{
    struct list_link *link;

    while (budget-- > 0 && (link = list_first(&l->idle)) != NULL) {
        if (place_is_spent(l, place_of(link), now_ms))
            return; /* those behind it are about as young */
        place_forget(l, place_of(link));
    }
}

uint64_t
addr_limits_sweep(struct addr_limits *l, uint64_t now_ms)
{
    sweep(l, now_ms, SWEEP_CALL);
    return l->idle_count;
}

uint64_t
addr_limits_known(const struct addr_limits *l)
{
    return l->table.used;
}

/* -- coming and going ----------------------------------------------------- */

static enum addr_verdict
place_enter(struct addr_limits *l, struct place *p, uint64_t now_ms)
{
    const struct addr_limits_conf *const conf = &l->conf;

    if (conf->connections_per_address > 0 &&
        p->count >= conf->connections_per_address)
        return ADDR_TOO_MANY;
    if (bucket_take(&p->bucket, now_ms, conf->connect_rate,
                    conf->connect_rate * BURST_SECONDS, 1) > 0)
        return ADDR_TOO_FAST;
    if (conf->connections_per_address == 0)
        return ADDR_WELCOME;

    if (p->count++ == 0)
        place_make_held(l, p);
    return ADDR_COUNTED;
}

enum addr_verdict
addr_limits_enter(struct addr_limits *l, const struct addr *a, uint64_t now_ms)
{
    uint8_t key[KEY_SIZE];
    struct place *p;
    uint64_t hash;

    if (l->conf.connections_per_address == 0 && l->conf.connect_rate == 0)
        return ADDR_WELCOME;
    if (!addr_limit_key(a, key))
        return ADDR_WELCOME;

    sweep(l, now_ms, SWEEP_ENTER);
    hash = hash_bytes(&l->secret, key, KEY_SIZE);
    p = place_find(l, key, hash);
    if (p == NULL)
        p = place_add(l, key, hash, now_ms);
    if (p == NULL)
        return ADDR_NO_MEMORY;

    place_touch(l, p);
    return place_enter(l, p, now_ms);
}

void
addr_limits_leave(struct addr_limits *l, const struct addr *a, uint64_t now_ms)
{
    uint8_t key[KEY_SIZE];
    struct place *p;
    bool is_known;

    is_known = addr_limit_key(a, key);
    ASSERT(is_known);
    p = place_find(l, key, hash_bytes(&l->secret, key, KEY_SIZE));
    ASSERT(p != NULL && p->count > 0);

    p->count--;
    if (p->count > 0)
        return;
    place_make_idle(l, p);
    if (!place_is_spent(l, p, now_ms))
        place_forget(l, p);
}
