/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hash - the bucket array, and the two ways to a hash.
 *
 * Shape    A bucket is the head of a singly linked chain. Removing walks the
 *          chain to find the predecessor: chains average at most one link, so
 *          a back pointer in every link would cost more than the walk.
 * Memory   Only the bucket array. It stays at SIZE_MIN once made, so a table
 *          that empties and fills again does not allocate each time.
 */
#include "base/hash.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#define SIZE_MIN 16u

/* Shrinking at an eighth to a half leaves a table at a quarter of its room:
 * as far from growing as from shrinking again. */
#define SHRINK_BELOW(size) ((size) / 8)

static_assert(HASH_KEY_BYTES == crypto_shorthash_KEYBYTES, "SipHash's key");
static_assert(crypto_shorthash_BYTES == sizeof(uint64_t), "SipHash's result");

void
hash_key_random(struct hash_key *key)
{
    /* Fails only where the system has no source of randomness; we are
     * starting, and tables that a peer can jam are no way to go on. */
    ASSERT(sodium_init() >= 0);
    randombytes_buf(key->bytes, sizeof(key->bytes));
}

uint64_t
hash_bytes(const struct hash_key *key, const void *data, size_t len)
{
    unsigned char out[crypto_shorthash_BYTES];
    uint64_t hash;

    crypto_shorthash(out, data, len, key->bytes);
    memcpy(&hash, out, sizeof(hash));
    return hash;
}

/* The finaliser of splitmix64: every bit of `value` reaches every bit of the
 * result, and no two values share one. */
uint64_t
hash_u64(uint64_t value)
{
    value ^= value >> 30;
    value *= UINT64_C(0xbf58476d1ce4e5b9);
    value ^= value >> 27;
    value *= UINT64_C(0x94d049bb133111eb);
    value ^= value >> 31;
    return value;
}

void
hash_init(struct hash *table)
{
    *table = (struct hash){.buckets = NULL};
}

void
hash_fini(struct hash *table)
{
    ASSERT(table->used == 0);

    free(table->buckets);
    hash_init(table);
}

static struct hash_link **
bucket_of(const struct hash *table, uint64_t hash)
{
    return &table->buckets[hash & (table->size - 1)];
}

static void
push(struct hash *table, struct hash_link *link)
{
    struct hash_link **const bucket = bucket_of(table, link->hash);

    link->next = *bucket;
    *bucket = link;
}

/* 0, or -ENOMEM with the table as it was. */
static int
resize(struct hash *table, size_t size)
{
    struct hash_link **const old = table->buckets;
    const size_t old_size = table->size;
    struct hash_link **const buckets = calloc(size, sizeof(struct hash_link *));

    if (buckets == NULL)
        return -ENOMEM;

    table->buckets = buckets;
    table->size = size;
    for (size_t i = 0; i < old_size; i++) {
        struct hash_link *next;

        for (struct hash_link *link = old[i]; link != NULL; link = next) {
            next = link->next;
            push(table, link);
        }
    }
    free(old);
    return 0;
}

struct hash_link *
hash_find(const struct hash *table, uint64_t hash, hash_match_fn match,
          const void *key)
{
    struct hash_link *link;

    if (table->size == 0)
        return NULL;

    for (link = *bucket_of(table, hash); link != NULL; link = link->next) {
        if (link->hash == hash && match(link, key))
            return link;
    }
    return NULL;
}

int
hash_insert(struct hash *table, struct hash_link *link, uint64_t hash)
{
    if (table->used >= table->size) {
        const size_t size = table->size == 0 ? SIZE_MIN : table->size * 2;

        if (resize(table, size) < 0 && table->size == 0)
            return -ENOMEM;
    }

    link->hash = hash;
    push(table, link);
    table->used++;
    return 0;
}

void
hash_remove(struct hash *table, struct hash_link *link)
{
    struct hash_link **at;

    ASSERT(table->used > 0);

    at = bucket_of(table, link->hash);
    while (*at != link) {
        ASSERT(*at != NULL);
        at = &(*at)->next;
    }
    *at = link->next;
    link->next = NULL;
    table->used--;

    if (table->size > SIZE_MIN && table->used < SHRINK_BELOW(table->size)) {
        /* Short of memory: the larger array serves as well. */
        (void)resize(table, table->size / 2);
    }
}

struct hash_link *
hash_next(const struct hash *table, size_t *at, const struct hash_link *after)
{
    if (after != NULL) {
        if (after->next != NULL)
            return after->next;
        ++*at;
    }
    for (; *at < table->size; ++*at) {
        if (table->buckets[*at] != NULL)
            return table->buckets[*at];
    }
    return NULL;
}
