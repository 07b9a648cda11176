/* SPDX-License-Identifier: BSD-2-Clause
 *
 * token - the secret with which a client takes its session back.
 *
 * Shape    32 bits that say which slot it is of, so that it is found without a
 *          table, and 88 random bits that nobody can guess. The first are
 *          hidden under a hash of the second, so that all of it looks random.
 *          As text: 24 digits of Crockford's base 32 in groups of four,
 *          7h2k-m3qd-9xw4-t0ae-5vbn-2c8r; read in any case, with or without
 *          the hyphens, and with O for 0, I and L for 1.
 * Secrets  Compared in constant time. Nothing logs one.
 * Threads  Values; [any] for token_secret_random().
 */
#ifndef BASE_TOKEN_H
#define BASE_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/hash.h"
#include "base/slice.h"

#define TOKEN_SECRET_BYTES 11
#define TOKEN_BYTES        (4 + TOKEN_SECRET_BYTES)
#define TOKEN_TEXT_MAX     30 /* with its NUL */

struct token_secret {
    unsigned char bytes[TOKEN_SECRET_BYTES];
};

struct token {
    unsigned char bytes[TOKEN_BYTES];
};

/* From the system's source of randomness. */
void token_secret_random(struct token_secret *out);

/* The token of `slot` with that secret. `key` is the maker's own. */
void token_make(const struct hash_key *key, uint32_t slot,
                const struct token_secret *secret, struct token *out);

/* What token_make() was given. Any token has a slot; whether it is one of ours
 * shows only when the secrets are compared. */
uint32_t token_slot(const struct hash_key *key, const struct token *token,
                    struct token_secret *secret);

/* In a time that does not tell where they differ. */
bool token_secret_equal(const struct token_secret *a,
                        const struct token_secret *b);

/* Returns `out`. */
char *token_format(const struct token *token, char out[TOKEN_TEXT_MAX]);

/* False: that cannot be a token. */
MUST_CHECK bool token_parse(struct slice text, struct token *out);

#endif
