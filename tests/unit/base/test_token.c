/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/token.h"

#include <sodium.h>
#include <string.h>

#include "support/unit.h"

static const struct hash_key key = {
    .bytes = {1, 2, 3}
};

static struct token
token_of(uint32_t slot, const struct token_secret *secret)
{
    struct token token;

    token_make(&key, slot, secret, &token);
    return token;
}

START_TEST(what_was_put_in_comes_out)
{
    static const uint32_t slots[] = {0, 1, 77, UINT32_MAX};
    struct token_secret secret, back;

    for (size_t i = 0; i < 4; i++) {
        struct token token;

        token_secret_random(&secret);
        token = token_of(slots[i], &secret);

        ck_assert_uint_eq(token_slot(&key, &token, &back), slots[i]);
        ck_assert(token_secret_equal(&secret, &back));
    }
}
END_TEST

START_TEST(a_bit_more_or_less_is_another_secret)
{
    struct token_secret a, b;

    token_secret_random(&a);
    for (unsigned bit = 0; bit < TOKEN_SECRET_BYTES * 8; bit++) {
        b = a;
        b.bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);

        ck_assert(!token_secret_equal(&a, &b));
    }
}
END_TEST

/* Else the number of sessions could be read off the tokens of two of them. */
START_TEST(the_slot_is_not_to_be_seen)
{
    struct token_secret secret;
    struct token a, b;

    token_secret_random(&secret);
    a = token_of(1, &secret);
    secret.bytes[10] ^= 1;
    b = token_of(1, &secret);

    ck_assert_int_ne(memcmp(a.bytes, b.bytes, 4), 0);
}
END_TEST

START_TEST(as_text_it_is_six_groups_of_four)
{
    struct token token = {
        .bytes = {0x00, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6, 0x35, 0xcf,
                  0x84, 0x65, 0x3a, 0x56, 0xff}
    };
    char text[TOKEN_TEXT_MAX];

    ck_assert_str_eq(token_format(&token, text),
                     "0123-4567-89ab-cdef-ghjk-mnqz");
}
END_TEST

START_TEST(text_comes_back_as_it_was)
{
    struct token_secret secret;
    struct token token, back;
    char text[TOKEN_TEXT_MAX];

    for (unsigned i = 0; i < 200; i++) {
        token_secret_random(&secret);
        token = token_of(i * 1000003u, &secret);

        ck_assert(token_parse(slice_of(token_format(&token, text)), &back));
        ck_assert_mem_eq(&token, &back, sizeof(token));
    }
}
END_TEST

START_TEST(it_is_read_as_people_write_it)
{
    struct token a, b;

    ck_assert(token_parse(slice_of("0123-4567-89ab-cdef-ghjk-mnqz"), &a));
    ck_assert(token_parse(slice_of("OL23456789ABCDEFGHJKMNQZ"), &b));
    ck_assert_mem_eq(&a, &b, sizeof(a));
    ck_assert(token_parse(slice_of("--oi23-4567-89ab-cdefghjk-mnqz-"), &b));
    ck_assert_mem_eq(&a, &b, sizeof(a));
}
END_TEST

START_TEST(what_is_none_is_refused)
{
    static const char *const texts[] = {
        "",
        "-",
        "0123-4567-89ab-cdef-ghjk-mnq",
        "0123-4567-89ab-cdef-ghjk-mnqz0",
        "0123-4567-89ab-cdef-ghjk-mnqu",
        "0123 4567-89ab-cdef-ghjk-mnqz",
        "0123-4567-89ab-cdef-ghjk-mn\xc3\xa9z",
    };
    struct token token, before;

    memset(&token, 7, sizeof(token));
    before = token;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        ck_assert_msg(!token_parse(slice_of(texts[i]), &token), "%s", texts[i]);
    ck_assert(
        !token_parse(slice_make("0123-4567-89ab-cdef-ghjk-mn\0z", 29), &token));
    ck_assert_mem_eq(&token, &before, sizeof(token));
}
END_TEST

UNIT_MAIN("base/token", what_was_put_in_comes_out,
          a_bit_more_or_less_is_another_secret, the_slot_is_not_to_be_seen,
          as_text_it_is_six_groups_of_four, text_comes_back_as_it_was,
          it_is_read_as_people_write_it, what_is_none_is_refused)
