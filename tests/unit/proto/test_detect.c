/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/detect.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>

#include "support/unit.h"

struct sample {
    const char *bytes;
    size_t len; /* 0: up to the NUL */
    enum detect_verdict verdict;
};

#define HELLO "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"

/* clang-format off */
static const struct sample samples[] = {
    {HELLO,                                11, DETECT_TLS},
    {"\x16\x03\x03\x00\x04\x01",           6,  DETECT_TLS},
    {"\x16\x03\x00\x40\x00\x01",           6,  DETECT_TLS},
    {"GET / HTTP/1.1\r\n",                 0,  DETECT_HTTP},
    {"HEAD / HTTP/1.0\r\n",                0,  DETECT_HTTP},
    {"POST /say HTTP/1.1\r\n",             0,  DETECT_HTTP},
    {"PUT /x HTTP/1.1\r\n",                0,  DETECT_HTTP},
    {"DELETE /x HTTP/1.1\r\n",             0,  DETECT_HTTP},
    {"CONNECT h:1 HTTP/1.1\r\n",           0,  DETECT_HTTP},
    {"OPTIONS * HTTP/1.1\r\n",             0,  DETECT_HTTP},
    {"TRACE / HTTP/1.1\r\n",               0,  DETECT_HTTP},
    {"CAP LS 302\r\n",                     0,  DETECT_IRC},
    {"NICK alice\r\n",                     0,  DETECT_IRC},
    {"USER alice 0 * :Alice\r\n",          0,  DETECT_IRC},
    {"PASS secret\r\n",                    0,  DETECT_IRC},
    {"WEBIRC p g h 10.0.0.1\r\n",          0,  DETECT_IRC},
    {"AUTHENTICATE PLAIN\r\n",             0,  DETECT_IRC},
    {"PING :1\r\n",                        0,  DETECT_IRC},
    {"nick alice\n",                       0,  DETECT_IRC},
    {"cAp ls\n",                           0,  DETECT_IRC},
    {"@label=1 CAP LS\r\n",                0,  DETECT_IRC},
    {"@a :b CAP LS\r\n",                   0,  DETECT_IRC},
    {":alice NICK bob\r\n",                0,  DETECT_IRC},
    {":a   NICK b\r\n",                    0,  DETECT_IRC},
    {"alice\n",                            0,  DETECT_LINE},
    {"\n",                                 0,  DETECT_LINE},
    {"\r\n",                               0,  DETECT_LINE},
    {"/nick alice\n",                      0,  DETECT_LINE},
    {"get / HTTP/1.1\r\n",                 0,  DETECT_LINE},
    {"GETTING\n",                          0,  DETECT_LINE},
    {"GET\n",                              0,  DETECT_LINE},
    {"NICK\n",                             0,  DETECT_LINE},
    {"nickname\n",                         0,  DETECT_LINE},
    {"capybara\n",                         0,  DETECT_LINE},
    {"hello, world\n",                     0,  DETECT_LINE},
    {"@nobody: hi\n",                      0,  DETECT_LINE},
    {"@averylongtagsection",               0,  DETECT_LINE},
    {":-)\n",                              0,  DETECT_LINE},
    {"@\n",                                0,  DETECT_LINE},
    {": :x CAP LS\n",                      0,  DETECT_LINE},
    {"\xe5\xb0\x8f\xe6\x98\x8e\n",         0,  DETECT_LINE},
    {"\xff\xfd\x03",                       3,  DETECT_LINE}, /* telnet */
    {"\x16\x03\x05\x00\x04\x01",           6,  DETECT_LINE},
    {"\x16\x02\x01\x00\x04\x01",           6,  DETECT_LINE},
    {"\x16\x03\x01\x00\x03\x01",           6,  DETECT_LINE},
    {"\x16\x03\x01\x40\x01\x01",           6,  DETECT_LINE},
    {"\x16\x03\x01\x02\x00\x02",           6,  DETECT_LINE},
    {"\0\0\0",                             3,  DETECT_LINE},
};
/* clang-format on */

static struct slice
bytes_of(const struct sample *s)
{
    return s->len > 0 ? slice_make(s->bytes, s->len) : slice_of(s->bytes);
}

static void
expect(struct slice bytes, enum detect_verdict verdict)
{
    const enum detect_verdict got = detect_protocol(bytes);
    char shown[64] = "";

    for (size_t i = 0; i < bytes.len && i < 15; i++)
        snprintf(shown + strlen(shown), 5, isprint(bytes.data[i]) ? "%c" : "?",
                 bytes.data[i]);
    ck_assert_msg(got == verdict, "\"%s\" is %s, not %s", shown,
                  detect_name(got), detect_name(verdict));
}

START_TEST(first_bytes_tell_the_protocol)
{
    for (size_t i = 0; i < ARRAY_LEN(samples); i++)
        expect(bytes_of(&samples[i]), samples[i].verdict);
}
END_TEST

START_TEST(no_bytes_tell_nothing)
{
    expect(slice_make(NULL, 0), DETECT_MORE);
}
END_TEST

/* However TCP cuts it: each prefix says "more" until one says what the whole
 * says, and all longer ones say the same. */
START_TEST(each_prefix_of_each_sample_says_more_or_the_same)
{
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        const struct slice whole = bytes_of(&samples[i]);
        bool decided = false;

        for (size_t len = 1; len <= whole.len; len++) {
            const enum detect_verdict got =
                detect_protocol(slice_make(whole.data, len));

            decided = decided || got != DETECT_MORE;
            if (decided)
                expect(slice_make(whole.data, len), samples[i].verdict);
        }
        ck_assert(decided);
    }
}
END_TEST

START_TEST(a_protocol_is_not_guessed_before_its_word_is_complete)
{
    expect(slice_of("GET"), DETECT_MORE);
    expect(slice_of("NICK"), DETECT_MORE);
    expect(slice_of("P"), DETECT_MORE); /* PASS, PING, POST, PUT */
    expect(slice_of("PO"), DETECT_MORE);
    expect(slice_of("AUTHENTICATE"), DETECT_MORE);
    expect(slice_of("@tag"), DETECT_MORE);
    expect(slice_of("@tag "), DETECT_MORE);
    expect(slice_make("\x16\x03\x01\x02\x00", 5), DETECT_MORE);
}
END_TEST

START_TEST(one_byte_off_any_protocol_is_a_plain_line)
{
    expect(slice_of("GEX"), DETECT_LINE);
    expect(slice_of("GET\t"), DETECT_LINE);
    expect(slice_of("NICK:"), DETECT_LINE);
    expect(slice_of("x"), DETECT_LINE);
    expect(slice_make("\x16\x04", 2), DETECT_LINE);
}
END_TEST

/* Every string over an alphabet in which all the words can begin. */
START_TEST(sixteen_bytes_always_get_a_verdict)
{
    static const char alphabet[] = "@: PNGETC\x16\x03";
    char bytes[DETECT_BYTES_MAX];
    uint64_t state = 88172645463325252u;

    for (int round = 0; round < 200000; round++) {
        for (size_t i = 0; i < sizeof(bytes); i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes[i] = alphabet[state % (sizeof(alphabet) - 1)];
        }
        ck_assert_int_ne(detect_protocol(slice_make(bytes, sizeof(bytes))),
                         DETECT_MORE);
    }
}
END_TEST

START_TEST(what_comes_behind_sixteen_bytes_changes_nothing)
{
    expect(slice_of("@0123456789abcd "), DETECT_LINE);
    expect(slice_of("@0123456789abcd CAP LS\r\n"), DETECT_LINE);
}
END_TEST

START_TEST(each_verdict_has_a_name)
{
    ck_assert_str_eq(detect_name(DETECT_MORE), "more");
    ck_assert_str_eq(detect_name(DETECT_TLS), "tls");
    ck_assert_str_eq(detect_name(DETECT_HTTP), "http");
    ck_assert_str_eq(detect_name(DETECT_IRC), "irc");
    ck_assert_str_eq(detect_name(DETECT_LINE), "line");
}
END_TEST

UNIT_MAIN("proto/detect", first_bytes_tell_the_protocol, no_bytes_tell_nothing,
          each_prefix_of_each_sample_says_more_or_the_same,
          a_protocol_is_not_guessed_before_its_word_is_complete,
          one_byte_off_any_protocol_is_a_plain_line,
          sixteen_bytes_always_get_a_verdict,
          what_comes_behind_sixteen_bytes_changes_nothing,
          each_verdict_has_a_name)
