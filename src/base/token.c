/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See base/token.h.
 */
#include "base/token.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define DIGITS (TOKEN_BYTES * 8 / 5)
#define GROUP  4

static_assert(TOKEN_BYTES * 8 % 5 == 0, "no digit is half used");
static_assert(DIGITS + DIGITS / GROUP == TOKEN_TEXT_MAX,
              "the digits, a hyphen between groups, the NUL");

/* Without I, L, O and U, which are misread or misspelt. */
static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";

static_assert(sizeof(digits) == 32 + 1, "base 32");

void
token_secret_random(struct token_secret *out)
{
    randombytes_buf(out->bytes, sizeof(out->bytes));
}

static uint32_t
mask_of(const struct hash_key *key, const struct token_secret *secret)
{
    return (uint32_t)hash_bytes(key, secret->bytes, sizeof(secret->bytes));
}

void
token_make(const struct hash_key *key, uint32_t slot,
           const struct token_secret *secret, struct token *out)
{
    const uint32_t hidden = slot ^ mask_of(key, secret);

    for (unsigned i = 0; i < 4; i++)
        out->bytes[i] = (unsigned char)(hidden >> (8 * i));
    memcpy(out->bytes + 4, secret->bytes, sizeof(secret->bytes));
}

uint32_t
token_slot(const struct hash_key *key, const struct token *token,
           struct token_secret *secret)
{
    uint32_t hidden = 0;

    for (unsigned i = 0; i < 4; i++)
        hidden |= (uint32_t)token->bytes[i] << (8 * i);
    memcpy(secret->bytes, token->bytes + 4, sizeof(secret->bytes));
    return hidden ^ mask_of(key, secret);
}

bool
token_secret_equal(const struct token_secret *a, const struct token_secret *b)
{
    return sodium_memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* Five bits of it, from the top. */
static unsigned
digit_at(const struct token *token, unsigned i)
{
    const unsigned bit = i * 5;
    const unsigned byte = bit / 8;
    const unsigned next = byte + 1 < TOKEN_BYTES ? token->bytes[byte + 1] : 0;
    const unsigned pair = (unsigned)token->bytes[byte] << 8 | next;

    return pair >> (16 - 5 - bit % 8) & 31;
}

char *
token_format(const struct token *token, char out[TOKEN_TEXT_MAX])
{
    char *to = out;

    for (unsigned i = 0; i < DIGITS; i++) {
        if (i > 0 && i % GROUP == 0)
            *to++ = '-';
        *to++ = digits[digit_at(token, i)];
    }
    *to = '\0';
    return out;
}

/* -1: it is no digit. */
static int
digit_value(char c)
{
    const char *at;

    if (c >= 'A' && c <= 'Z')
        c = (char)(c - 'A' + 'a');
    if (c == 'o')
        c = '0';
    if (c == 'i' || c == 'l')
        c = '1';
    at = c == '\0' ? NULL : strchr(digits, c);
    return at == NULL ? -1 : (int)(at - digits);
}

bool
token_parse(struct slice text, struct token *out)
{
    struct token token = {.bytes = {0}};
    unsigned n = 0;

    for (size_t i = 0; i < text.len; i++) {
        const int value = digit_value(text.data[i]);

        if (text.data[i] == '-')
            continue;
        if (value < 0 || n == DIGITS)
            return false;
        for (unsigned k = 0; k < 5; k++) {
            const unsigned bit = n * 5 + k;

            if (((unsigned)value >> (4 - k) & 1) != 0)
                token.bytes[bit / 8] |= (unsigned char)(0x80u >> bit % 8);
        }
        n++;
    }
    if (n != DIGITS)
        return false;
    *out = token;
    return true;
}
