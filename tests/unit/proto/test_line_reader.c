/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/line/line_reader_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/unit.h"

#define LIMIT 8

/* What a reader made of a stream, written down: each line between brackets,
 * a long one as [!]. */
struct record {
    char text[4096];
    size_t len;
};

static void
note(struct record *rec, const char *data, size_t len)
{
    ck_assert_uint_lt(rec->len + len, sizeof(rec->text));
    if (len > 0)
        memcpy(rec->text + rec->len, data, len);
    rec->len += len;
    rec->text[rec->len] = '\0';
}

static void
feed(struct line_reader *r, struct record *rec, const char *data, size_t len)
{
    struct line_piece piece;

    while (len > 0) {
        /* Bytes of their own, so that a read beyond them is seen. */
        char *const copy = malloc(len);
        size_t used;

        ck_assert_ptr_nonnull(copy);
        memcpy(copy, data, len);
        used = line_reader_take(r, slice_make(copy, len), LIMIT, &piece);
        ck_assert_uint_ge(used, 1);
        ck_assert_uint_le(used, len);
        if (piece.got == LINE_MORE)
            ck_assert_uint_eq(used, len);
        if (piece.got == LINE_READY) {
            note(rec, "[", 1);
            note(rec, piece.line.data, piece.line.len);
            note(rec, "]", 1);
            line_reader_forget(r);
        } else if (piece.got == LINE_TOO_LONG) {
            note(rec, "[!]", 3);
        }
        free(copy);
        data += used;
        len -= used;
    }
}

/* Cut at `a` and `b`. */
static void
read_cut(const char *data, size_t len, size_t a, size_t b, struct record *rec)
{
    struct line_reader r;

    rec->len = 0;
    rec->text[0] = '\0';
    line_reader_init(&r);
    feed(&r, rec, data, a);
    feed(&r, rec, data + a, b - a);
    feed(&r, rec, data + b, len - b);
    line_reader_forget(&r);
}

/* However the stream is cut, the lines are the same. */
static void
check_stream(const char *data, size_t len, const char *expected)
{
    for (size_t a = 0; a <= len; a++) {
        for (size_t b = a; b <= len; b++) {
            struct record rec;

            read_cut(data, len, a, b, &rec);
            ck_assert_msg(strcmp(rec.text, expected) == 0,
                          "cut at %zu and %zu: %s, not %s", a, b, rec.text,
                          expected);
        }
    }
}

#define CHECK_STREAM(data, expected) \
    check_stream((data), sizeof(data) - 1, (expected))

START_TEST(lines_end_with_lf_or_cr_lf)
{
    CHECK_STREAM("a\nb\r\n\n\r\nc\n", "[a][b][][][c]");
}
END_TEST

START_TEST(other_crs_are_dropped)
{
    CHECK_STREAM("\ra\rb\r\r\n\r\r\rc\n\rd\n", "[ab][c][d]");
}
END_TEST

START_TEST(a_line_without_its_end_is_not_handed_out)
{
    CHECK_STREAM("abc\nde", "[abc]");
    CHECK_STREAM("abc\nde\r", "[abc]");
}
END_TEST

START_TEST(nul_and_high_bytes_are_kept)
{
    struct record rec;

    read_cut("a\0\377\n", 4, 2, 2, &rec);

    ck_assert_uint_eq(rec.len, 5);
    ck_assert_mem_eq(rec.text, "[a\0\377]", 5);
}
END_TEST

START_TEST(the_limit_is_exact)
{
    CHECK_STREAM("1234567\nx\n", "[1234567][x]");
    CHECK_STREAM("12345678\nx\n", "[12345678][x]");
    CHECK_STREAM("12345678\r\nx\n", "[12345678][x]");
    CHECK_STREAM("123456789\nx\n", "[!][x]");
    CHECK_STREAM("123456789\r\nx\n", "[!][x]");
}
END_TEST

START_TEST(crs_do_not_count_for_the_limit)
{
    CHECK_STREAM("1234\r5678\r\n", "[12345678]");
    CHECK_STREAM("1234\r56789\r\n", "[!]");
}
END_TEST

START_TEST(a_long_line_is_told_once_however_long)
{
    CHECK_STREAM("12345678901234567890123456789\n"
                 "1234567890123\nx\n",
                 "[!][!][x]");
}
END_TEST

START_TEST(a_long_line_holds_no_memory)
{
    struct line_reader r;
    struct record rec = {.len = 0};
    char junk[64];

    memset(junk, 'x', sizeof(junk));
    line_reader_init(&r);
    for (int i = 0; i < 1000; i++)
        feed(&r, &rec, junk, sizeof(junk));
    ck_assert_ptr_null(r.partial);
    feed(&r, &rec, "\nok\n", 4);

    ck_assert_str_eq(rec.text, "[!][ok]");
}
END_TEST

START_TEST(an_idle_reader_holds_no_memory)
{
    struct line_reader r;
    struct record rec = {.len = 0};

    line_reader_init(&r);
    feed(&r, &rec, "ab", 2);
    ck_assert_ptr_nonnull(r.partial);
    feed(&r, &rec, "c\n", 2);

    ck_assert_ptr_null(r.partial);
}
END_TEST

static bool
saw_crlf_in(const char *data, size_t cut)
{
    struct line_reader r;
    struct record rec = {.len = 0};

    line_reader_init(&r);
    feed(&r, &rec, data, cut);
    feed(&r, &rec, data + cut, strlen(data) - cut);
    line_reader_forget(&r);
    return r.saw_crlf;
}

START_TEST(cr_lf_is_noticed_at_every_cut_and_not_forgotten)
{
    for (size_t cut = 0; cut <= 8; cut++) {
        ck_assert(saw_crlf_in("abc\r\nd\ne", cut));
        ck_assert(saw_crlf_in("\r\nabcde\n", cut));
        ck_assert(saw_crlf_in("123456789\r\n", cut));
        ck_assert(!saw_crlf_in("abc\n\rde\n", cut));
        ck_assert(!saw_crlf_in("a\rbcdefg\n", cut));
    }
}
END_TEST

UNIT_MAIN("proto/line_reader", lines_end_with_lf_or_cr_lf,
          other_crs_are_dropped, a_line_without_its_end_is_not_handed_out,
          nul_and_high_bytes_are_kept, the_limit_is_exact,
          crs_do_not_count_for_the_limit, a_long_line_is_told_once_however_long,
          a_long_line_holds_no_memory, an_idle_reader_holds_no_memory,
          cr_lf_is_noticed_at_every_cut_and_not_forgotten)
