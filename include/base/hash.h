/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hash - intrusive hash table, chained.
 *
 * Shape    A power of two of buckets; links live inside the things kept and
 *          remember their hash. Grows at one link a bucket, shrinks at an
 *          eighth; growing that fails for want of memory is only slower.
 * Keys     The table never sees a key: the caller brings the hash and the
 *          comparison. Keys that peers choose are hashed with hash_bytes()
 *          (SipHash under a secret key), so nobody can choose a bucket.
 * Order    Iteration order depends on the key; nothing that others see may
 *          depend on it.
 * Threads  One thread holds a table.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define HASH_KEY_BYTES 16

/* A secret for hash_bytes(); made by hash_key_random() or given by a test. */
struct hash_key {
    unsigned char bytes[HASH_KEY_BYTES];
};

struct hash_link {
    struct hash_link *next;
    uint64_t hash;
};

struct hash {
    struct hash_link **buckets;
    size_t size; /* of `buckets`: 0 or a power of two */
    size_t used;
};

/* True when the thing behind `link` has the key at `key`. */
typedef bool (*hash_match_fn)(const struct hash_link *link, const void *key);

void hash_key_random(struct hash_key *key);
uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t len);

/* For ids of our own making, which no peer chooses. */
uint64_t hash_u64(uint64_t value);

void hash_init(struct hash *table);

/* Frees the buckets; the table must be empty. */
void hash_fini(struct hash *table);

struct hash_link *hash_find(const struct hash *table, uint64_t hash,
                            hash_match_fn match, const void *key);

/* 0, or -ENOMEM only when the table has no bucket yet. The key must not be in
 * the table already. */
MUST_CHECK int hash_insert(struct hash *table, struct hash_link *link,
                           uint64_t hash);

/* `link` must be in the table. */
void hash_remove(struct hash *table, struct hash_link *link);

/* For hash_for_each: the first link at or after bucket *at, or NULL. */
struct hash_link *hash_next(const struct hash *table, size_t *at,
                            const struct hash_link *after);

/* Visits every link once. The body must neither insert nor remove. */
#define hash_for_each(link, at, table)                                       \
    for ((at) = 0, (link) = hash_next((table), &(at), NULL); (link) != NULL; \
         (link) = hash_next((table), &(at), (link)))

#endif
