/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/line/telnet_priv.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/unit.h"

#define IAC  "\377"
#define DONT "\376"
#define DO   "\375"
#define WONT "\374"
#define WILL "\373"
#define SB   "\372"
#define IP   "\364"
#define SE   "\360"
#define EOT  "\354"

struct record {
    char text[4096];
    size_t text_len;
    unsigned char answers[4096];
    size_t answers_len;
    unsigned leaves;
};

static void
feed(struct telnet *t, struct record *rec, const char *data, size_t len)
{
    while (len > 0) {
        char *const copy = malloc(len);
        struct telnet_piece piece;
        size_t used;

        ck_assert_ptr_nonnull(copy);
        memcpy(copy, data, len);
        used = telnet_take(t, slice_make(copy, len), &piece);
        ck_assert_uint_ge(used, 1);
        ck_assert_uint_le(used, len);
        switch (piece.got) {
        case TELNET_NOTHING:
            break;
        case TELNET_TEXT:
            ck_assert_uint_eq(used, piece.text.len);
            memcpy(rec->text + rec->text_len, piece.text.data, piece.text.len);
            rec->text_len += piece.text.len;
            break;
        case TELNET_ANSWER:
            memcpy(rec->answers + rec->answers_len, piece.answer,
                   TELNET_ANSWER_LEN);
            rec->answers_len += TELNET_ANSWER_LEN;
            break;
        case TELNET_LEAVE:
            rec->leaves++;
            break;
        }
        free(copy);
        data += used;
        len -= used;
    }
}

struct expected {
    struct slice text;
    struct slice answers;
    unsigned leaves;
};

static void
check_stream(const char *data, size_t len, const struct expected *want)
{
    for (size_t cut = 0; cut <= len; cut++) {
        struct record rec = {.leaves = 0};
        struct telnet t;

        telnet_init(&t);
        feed(&t, &rec, data, cut);
        feed(&t, &rec, data + cut, len - cut);

        ck_assert_uint_eq(rec.text_len, want->text.len);
        ck_assert_mem_eq(rec.text, want->text.data, want->text.len);
        ck_assert_uint_eq(rec.answers_len, want->answers.len);
        ck_assert_mem_eq(rec.answers, want->answers.data, want->answers.len);
        ck_assert_uint_eq(rec.leaves, want->leaves);
    }
}

#define CHECK_STREAM(data, text_, answers_, leaves_)                          \
    check_stream((data), sizeof(data) - 1,                                    \
                 &(struct expected){                                          \
                     .text = slice_make((text_), sizeof(text_) - 1),          \
                     .answers = slice_make((answers_), sizeof(answers_) - 1), \
                     .leaves = (leaves_)})

START_TEST(text_goes_through)
{
    CHECK_STREAM("hello\r\n\0there\n", "hello\r\n\0there\n", "", 0);
}
END_TEST

START_TEST(iac_iac_is_a_byte_of_text)
{
    CHECK_STREAM("a" IAC IAC "b" IAC IAC, "a" IAC "b" IAC, "", 0);
}
END_TEST

START_TEST(what_is_offered_is_declined)
{
    CHECK_STREAM("a" IAC WILL "\037"
                 "b",
                 "ab", IAC DONT "\037", 0);
}
END_TEST

START_TEST(what_is_asked_for_is_refused)
{
    CHECK_STREAM("a" IAC DO "\003"
                 "b",
                 "ab", IAC WONT "\003", 0);
}
END_TEST

START_TEST(wont_and_dont_want_no_answer)
{
    CHECK_STREAM(IAC WONT "\001" IAC DONT "\001", "", "", 0);
}
END_TEST

START_TEST(an_option_may_look_like_a_line_end_or_iac)
{
    CHECK_STREAM(IAC DO "\n" IAC WILL IAC "x", "x", IAC WONT "\n" IAC DONT IAC,
                 0);
}
END_TEST

START_TEST(each_option_is_answered_once)
{
    CHECK_STREAM(IAC DO "\001" IAC DO "\001" IAC WILL "\001" IAC WILL
                        "\001" IAC DO "\002",
                 "", IAC WONT "\001" IAC DONT "\001" IAC WONT "\002", 0);
}
END_TEST

START_TEST(a_flood_of_options_gets_as_many_answers_as_there_are_options)
{
    struct record rec = {.leaves = 0};
    struct telnet t;

    telnet_init(&t);
    for (int round = 0; round < 100; round++) {
        for (int option = 0; option < 256; option++) {
            const char bytes[6] = {'\377', '\375', (char)option,
                                   '\377', '\373', (char)option};

            feed(&t, &rec, bytes, sizeof(bytes));
        }
    }

    ck_assert_uint_eq(rec.answers_len, (size_t)2 * 256 * TELNET_ANSWER_LEN);
    ck_assert_uint_eq(rec.text_len, 0);
}
END_TEST

START_TEST(subnegotiations_are_skipped)
{
    CHECK_STREAM("a" IAC SB "\030\000xterm\n" IAC IAC IAC SE "b", "ab", "", 0);
}
END_TEST

START_TEST(a_subnegotiation_ends_at_iac_se_only)
{
    CHECK_STREAM("a" IAC SB SE "x" IAC "y" IAC WILL "\001" IAC SE "b", "ab", "",
                 0);
}
END_TEST

START_TEST(an_endless_subnegotiation_does_not_mute_for_ever)
{
    struct record rec = {.leaves = 0};
    struct telnet t;

    telnet_init(&t);
    feed(&t, &rec, IAC SB, 2);
    for (int i = 0; i < TELNET_SUB_MAX; i++)
        feed(&t, &rec, i % 3 == 0 ? IAC : "x", 1);
    ck_assert_uint_eq(rec.text_len, 0);

    feed(&t, &rec, "x", 1);
    feed(&t, &rec, "hello", 5);
    ck_assert_uint_eq(rec.text_len, 5);
    ck_assert_mem_eq(rec.text, "hello", 5);
}
END_TEST

START_TEST(interrupt_and_end_of_file_are_a_wish_to_leave)
{
    CHECK_STREAM("abc" IAC IP "d", "abcd", "", 1);
    CHECK_STREAM("abc" IAC EOT "d", "abcd", "", 1);
}
END_TEST

START_TEST(other_commands_mean_nothing)
{
    /* NOP, data mark, break, abort output, are you there, erase, go ahead, a
     * lone SE, and bytes that are no commands at all. */
    CHECK_STREAM("a" IAC "\361" IAC "\362" IAC "\363" IAC "\365" IAC "\366" IAC
                 "\367" IAC "\370" IAC "\371" IAC "\360" IAC "\n" IAC "\000z",
                 "az", "", 0);
}
END_TEST

UNIT_MAIN("proto/telnet", text_goes_through, iac_iac_is_a_byte_of_text,
          what_is_offered_is_declined, what_is_asked_for_is_refused,
          wont_and_dont_want_no_answer,
          an_option_may_look_like_a_line_end_or_iac,
          each_option_is_answered_once,
          a_flood_of_options_gets_as_many_answers_as_there_are_options,
          subnegotiations_are_skipped, a_subnegotiation_ends_at_iac_se_only,
          an_endless_subnegotiation_does_not_mute_for_ever,
          interrupt_and_end_of_file_are_a_wish_to_leave,
          other_commands_mean_nothing)
