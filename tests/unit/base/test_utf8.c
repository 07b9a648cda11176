/* SPDX-License-Identifier: BSD-2-Clause
 *
 * realloc is wrapped, so that a case can make a buf run out of memory.
 */
#include "base/utf8.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8_priv.h"
#include "support/unit.h"

static bool memory_is_short;

void *__real_realloc(void *old, size_t size);

void *
__wrap_realloc(void *old, size_t size)
{
    return memory_is_short ? NULL : __real_realloc(old, size);
}

#define BOTH (UTF8_KEEP_FORMATTING | UTF8_KEEP_TABS)

/* A string constant with its length, so that it may hold a NUL. */
#define BYTES(s) slice_make((s), sizeof(s) - 1)
#define ROW(s)                            \
    {                                     \
        .data = (s), .len = sizeof(s) - 1 \
    }

/* Whether utf8_clean() makes `want` of `text`. */
static bool
cleans_to(struct slice text, unsigned flags, struct slice want)
{
    struct buf out;
    bool is_same;

    buf_init(&out);
    utf8_clean(text, flags, &out);
    is_same = slice_equal(slice_make(out.data, out.len), want);
    buf_fini(&out);
    return is_same;
}

typedef int (*transform_fn)(struct slice text, struct buf *out);

static bool
becomes(transform_fn transform, const char *text, const char *want)
{
    struct buf out;
    bool is_same;

    buf_init(&out);
    is_same = transform(slice_of(text), &out) == 0 &&
              slice_equal(slice_make(out.data, out.len), slice_of(want));
    buf_fini(&out);
    return is_same;
}

static bool
fold_alike(const char *a, const char *b)
{
    struct buf key;
    bool is_same;

    buf_init(&key);
    ck_assert_int_eq(utf8_fold(slice_of(b), &key), 0);
    buf_append_char(&key, '\0');
    is_same = becomes(utf8_fold, a, key.data);
    buf_fini(&key);
    return is_same;
}

static const struct slice well_formed[] = {
    ROW(""),
    ROW("plain"),
    ROW("a\0b"),
    ROW("\xC2\x80"),
    ROW("\xDF\xBF"),
    ROW("\xE0\xA0\x80"),
    ROW("\xED\x9F\xBF"),
    ROW("\xEE\x80\x80"),
    ROW("\xEF\xBF\xBF"),
    ROW("\xF0\x90\x80\x80"),
    ROW("\xF4\x8F\xBF\xBF"),
    ROW("a long line of plain text and then \xE5\xB0\x8F\xE6\x98\x8E"),
};

/* With the number of U+FFFD that they become: bytes that together have the
 * shape of a character count as one. */
static const struct {
    struct slice text;
    size_t broken;
} ill_formed[] = {
    {ROW("\x80"),                 1},
    {ROW("\xC0\xAF"),             2}, /* an overlong slash */
    {ROW("\xE0\x80\xAF"),         1},
    {ROW("\xF0\x80\x80\xAF"),     1},
    {ROW("\xED\xA0\x80"),         1}, /* a surrogate */
    {ROW("\xF4\x90\x80\x80"),     1}, /* beyond U+10FFFF */
    {ROW("\xF8\x88\x80\x80\x80"), 5},
    {ROW("\xFE"),                 1},
    {ROW("\xFF"),                 1},
    {ROW("\xE2\x82"),             1}, /* cut */
    {ROW("\xF0\x9F\x98"),         1},
    {ROW("\xC3"),                 1},
    {ROW("\xF0\x9F\xF0\x9F"),     2},
    {ROW("\x80\x80"),             2},
};

START_TEST(well_formed_text_is_valid_and_stays_as_it_is)
{
    for (size_t i = 0; i < ARRAY_LEN(well_formed); i++)
        ck_assert(utf8_is_valid(well_formed[i]));

    /* but for controls: 2 holds a NUL, 3 is U+0080 */
    ck_assert(cleans_to(well_formed[2], BOTH, BYTES("ab")));
    ck_assert(cleans_to(well_formed[3], BOTH, BYTES("")));
    for (size_t i = 4; i < ARRAY_LEN(well_formed); i++)
        ck_assert(cleans_to(well_formed[i], 0, well_formed[i]));
}
END_TEST

START_TEST(each_ill_formed_sequence_becomes_one_replacement)
{
    for (size_t i = 0; i < ARRAY_LEN(ill_formed); i++) {
        struct buf text, want;

        ck_assert(!utf8_is_valid(ill_formed[i].text));

        buf_init(&text);
        buf_init(&want);
        buf_append_str(&text, "before ");
        buf_append(&text, ill_formed[i].text.data, ill_formed[i].text.len);
        buf_append_str(&text, "after");
        buf_append_str(&want, "before ");
        for (size_t n = 0; n < ill_formed[i].broken; n++)
            buf_append_str(&want, UTF8_REPLACEMENT);
        buf_append_str(&want, "after");

        ck_assert_msg(cleans_to(slice_make(text.data, text.len), 0,
                                slice_make(want.data, want.len)),
                      "row %zu", i);
        buf_fini(&text);
        buf_fini(&want);
    }
}
END_TEST

START_TEST(a_broken_sequence_hides_no_escape_behind_it)
{
    ck_assert(cleans_to(BYTES("\xE2\x82\x1B[31m"), 0,
                        BYTES(UTF8_REPLACEMENT "[31m")));
    ck_assert(cleans_to(BYTES("\xF0\x9F\n"), 0, BYTES(UTF8_REPLACEMENT)));
}
END_TEST

START_TEST(no_ascii_control_passes_unless_asked_for)
{
    for (int c = 0; c < 128; c++) {
        const char text[] = {'a', (char)c, 'b'};
        const bool is_control = c < 0x20 || c == 0x7F;
        const bool is_formatting =
            c != 0 && strchr("\x02\x03\x04\x0F\x11\x16\x1D\x1E\x1F", c) != NULL;
        const struct slice as_is = slice_make(text, 3);
        const struct slice without = BYTES("ab");

        ck_assert(cleans_to(as_is, 0, is_control ? without : as_is));
        ck_assert(cleans_to(as_is, UTF8_KEEP_FORMATTING,
                            is_control && !is_formatting ? without : as_is));
        ck_assert(cleans_to(as_is, UTF8_KEEP_TABS,
                            is_control && c != '\t' ? without : as_is));
    }
}
END_TEST

START_TEST(what_turns_a_terminal_round_is_dropped)
{
    static const char *const dangerous[] = {
        "\xC2\x80",     "\xC2\x9B",     "\xC2\x9F",
        "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAA",
        "\xE2\x80\xAE", "\xE2\x81\xA6", "\xE2\x81\xA9",
    };
    static const char *const harmless[] = {
        "\xC2\xA0",     "\xE2\x80\xA7", "\xE2\x80\xAF", "\xE2\x81\xA5",
        "\xE2\x81\xAA", "\xE2\x80\x8D", "\xEF\xBB\xBF",
    };

    for (size_t i = 0; i < ARRAY_LEN(dangerous); i++)
        ck_assert(cleans_to(slice_of(dangerous[i]), BOTH, BYTES("")));
    for (size_t i = 0; i < ARRAY_LEN(harmless); i++)
        ck_assert(cleans_to(slice_of(harmless[i]), 0, slice_of(harmless[i])));
}
END_TEST

/* The eight bytes that are looked at together must not shield one another. */
START_TEST(a_control_is_found_wherever_it_stands)
{
    for (size_t len = 1; len <= 40; len++) {
        for (size_t at = 0; at < len; at++) {
            char text[40], want[40];

            memset(text, '~', len);
            memset(want, '~', len);
            for (int c = 0; c < 256; c++) {
                text[at] = (char)c;
                ck_assert_uint_eq(utf8_plain_run(text, len),
                                  c >= 0x20 && c < 0x7F ? len : at);
            }
            text[at] = '\a';
            if (!cleans_to(slice_make(text, len), 0, slice_make(want, len - 1)))
                ck_abort_msg("at %zu of %zu", at, len);
        }
    }
}
END_TEST

START_TEST(nothing_at_all_is_valid_and_stays_nothing)
{
    const struct slice nothing = {.data = NULL, .len = 0};
    struct buf out;

    buf_init(&out);
    ck_assert(utf8_is_valid(nothing));
    ck_assert_uint_eq(utf8_prefix(nothing, 10), 0);
    ck_assert_uint_eq(utf8_length(nothing), 0);
    ck_assert_uint_eq(utf8_width(nothing), 0);
    utf8_clean(nothing, 0, &out);
    ck_assert_int_eq(utf8_normalise(nothing, &out), 0);
    ck_assert_int_eq(utf8_fold(nothing, &out), 0);

    ck_assert_uint_eq(out.len, 0);
    ck_assert(!out.failed);
    buf_fini(&out);
}
END_TEST

START_TEST(a_prefix_splits_no_character)
{
    /* 1, 2, 3 and 4 bytes */
    const struct slice text = BYTES("a\xC3\xA9\xE5\xB0\x8F\xF0\x9F\x98\x80");
    static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};

    for (size_t max = 0; max < ARRAY_LEN(want); max++)
        ck_assert_uint_eq(utf8_prefix(text, max), want[max]);
    ck_assert_uint_eq(utf8_length(text), 4);
}
END_TEST

START_TEST(width_counts_columns_not_bytes)
{
    ck_assert_uint_eq(utf8_width(BYTES("plain")), 5);
    ck_assert_uint_eq(utf8_width(BYTES("\xE5\xB0\x8F\xE6\x98\x8E")), 4);
    ck_assert_uint_eq(utf8_width(BYTES("e\xCC\x81!")), 2); /* combining */
    ck_assert_uint_eq(utf8_width(BYTES("a\0b\tc")), 3);
}
END_TEST

START_TEST(normal_form_composes)
{
    ck_assert(becomes(utf8_normalise, "plain", "plain"));
    ck_assert(becomes(utf8_normalise, "cafe\xCC\x81", "caf\xC3\xA9"));
    ck_assert(
        becomes(utf8_normalise, "\xE2\x84\xAB", "\xC3\x85")); /* angstrom */
    ck_assert(becomes(utf8_normalise, "\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB",
                      "\xED\x95\x9C")); /* han */
}
END_TEST

START_TEST(names_that_look_alike_but_for_case_share_a_key)
{
    ck_assert(fold_alike("Alice", "aLICE"));
    ck_assert(fold_alike("STRASSE", "stra\xC3\x9F"
                                    "e"));
    ck_assert(
        fold_alike("\xCE\xA3\xCE\x9F\xCE\xA6\xCE\x9F\xCE\xA3",
                   "\xCF\x83\xCE\xBF\xCF\x86\xCE\xBF\xCF\x82")); /* sofos */
    ck_assert(fold_alike("caf\xC3\x89", "CAFE\xCC\x81"));
    ck_assert(
        fold_alike("\xD0\x9C\xD0\x98\xD0\xA0", "\xD0\xBC\xD0\xB8\xD1\x80"));
    ck_assert(becomes(utf8_fold, "\xE5\xB0\x8F\xE6\x98\x8E",
                      "\xE5\xB0\x8F\xE6\x98\x8E"));
    ck_assert(!fold_alike("cafe", "caf\xC3\xA9"));
    ck_assert(!fold_alike("I", "\xC4\xB1")); /* dotless */
    ck_assert(becomes(utf8_fold, "[\\]^{|}~@`AZ", "[\\]^{|}~@`az"));
}
END_TEST

static size_t
encode(unsigned c, char *out)
{
    size_t len = 0;

    if (c < 0x80) {
        out[len++] = (char)c;
        return len;
    }
    if (c >= 0x10000) {
        out[len++] = (char)(0xF0 | c >> 18);
        out[len++] = (char)(0x80 | (c >> 12 & 0x3F));
    } else if (c >= 0x800) {
        out[len++] = (char)(0xE0 | c >> 12);
    }
    out[len++] = (char)(c >= 0x800 ? 0x80 | (c >> 6 & 0x3F) : 0xC0 | c >> 6);
    out[len++] = (char)(0x80 | (c & 0x3F));
    return len;
}

static struct slice
key_of(struct slice text, struct buf *key)
{
    buf_reset(key);
    if (utf8_fold(text, key) < 0)
        ck_abort_msg("no key");
    return slice_make(key->data, key->len);
}

static struct slice
normal_form_of(struct slice text, struct buf *form)
{
    buf_reset(form);
    if (utf8_normalise(text, form) < 0)
        ck_abort_msg("no form");
    return slice_make(form->data, form->len);
}

/* For every character of the first two planes. */
START_TEST(a_key_is_its_own_key_and_that_of_the_normal_form)
{
    struct buf bufs[3];
    char text[4];

    for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
        buf_init(&bufs[i]);
    for (unsigned c = 0; c < 0x20000; c++) {
        const struct slice one = slice_make(text, encode(c, text));
        struct slice key, form;

        if (c >= 0xD800 && c <= 0xDFFF)
            continue;
        key = key_of(one, &bufs[0]);
        form = normal_form_of(one, &bufs[1]);
        if (!slice_equal(key_of(key, &bufs[2]), key) ||
            !slice_equal(key_of(form, &bufs[2]), key))
            ck_abort_msg("U+%04X", c);
    }
    for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
        buf_fini(&bufs[i]);
}
END_TEST

START_TEST(ill_formed_text_has_no_form_and_no_key)
{
    struct buf out;

    buf_init(&out);
    for (size_t i = 0; i < ARRAY_LEN(ill_formed); i++) {
        ck_assert_int_eq(utf8_normalise(ill_formed[i].text, &out), -EILSEQ);
        ck_assert_int_eq(utf8_fold(ill_formed[i].text, &out), -EILSEQ);
    }

    ck_assert_uint_eq(out.len, 0);
    buf_fini(&out);
}
END_TEST

START_TEST(want_of_memory_is_told)
{
    struct buf out;

    buf_init(&out);
    memory_is_short = true;
    ck_assert_int_eq(utf8_fold(BYTES("Alice"), &out), -ENOMEM);
    buf_reset(&out);
    ck_assert_int_eq(utf8_normalise(BYTES("Alice"), &out), -ENOMEM);
    buf_reset(&out);
    ck_assert_int_eq(utf8_normalise(BYTES("\xC3\xA9"), &out), -ENOMEM);
    memory_is_short = false;

    ck_assert_uint_eq(out.len, 0);
    buf_fini(&out);
}
END_TEST

UNIT_MAIN("base/utf8", well_formed_text_is_valid_and_stays_as_it_is,
          each_ill_formed_sequence_becomes_one_replacement,
          a_broken_sequence_hides_no_escape_behind_it,
          no_ascii_control_passes_unless_asked_for,
          what_turns_a_terminal_round_is_dropped,
          a_control_is_found_wherever_it_stands,
          nothing_at_all_is_valid_and_stays_nothing,
          a_prefix_splits_no_character, width_counts_columns_not_bytes,
          normal_form_composes, names_that_look_alike_but_for_case_share_a_key,
          a_key_is_its_own_key_and_that_of_the_normal_form,
          ill_formed_text_has_no_form_and_no_key, want_of_memory_is_told)
