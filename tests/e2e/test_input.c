/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a client may send at all: line endings, lengths, bytes that are no text,
 * telnet; and what of it reaches others.
 */
#include <stdio.h>
#include <string.h>

#include "support/daemon.h"
#include "support/peer.h"
#include "support/unit.h"

#define LIMIT 4096 /* the default of limits.line_length */

static struct daemon d;
static struct peer a, b;

static void
two_join(void)
{
    daemon_start(&d, NULL);
    peer_join(&a, d.port, "a");
    peer_join(&b, d.port, "b");
    peer_expect(&a, "* b joined #lobby.");
}

static void
two_leave(void)
{
    peer_expect_silence(&a);
    peer_expect_silence(&b);
    peer_close(&a);
    peer_close(&b);
    daemon_stop(&d);
}

START_TEST(two_slashes_say_one)
{
    two_join();

    peer_send(&a, "//join the club\n///\n");

    peer_expect(&b, "<a> /join the club");
    peer_expect(&b, "<a> //");
    two_leave();
}
END_TEST

START_TEST(a_wrong_command_gets_a_sentence_that_helps)
{
    two_join();

    peer_send(&a, "/dance\n");
    peer_expect(&a,
                "* There is no command /dance; /help lists those there are.");
    peer_send(&a, "/\n");
    peer_expect_start(&a, "* There is no command /");
    peer_send(&a, "/msg b\n");
    peer_expect(&a, "* Please write it as /msg NICK text");
    peer_send(&a, "/join\n");
    peer_expect(&a, "* Please write it as /join #room");
    peer_send(&a, "/history many\n");
    peer_expect_start(&a, "* Please say how many lines as a number");
    peer_send(&a, "/Me nods\n");
    peer_expect(&b, "* a nods");
    two_leave();
}
END_TEST

START_TEST(help_lists_every_command_and_explains_one)
{
    two_join();

    peer_send(&a, "/help\n");
    peer_expect_start(&a, "* What you type is said in your current room");
    peer_await(&a, "/switch");
    peer_await(&a, "/quit");
    peer_await(&a, "//text says /text.");
    peer_send(&a, "/help me\n");
    peer_expect_start(&a, "* /me text ");
    two_leave();
}
END_TEST

START_TEST(lines_without_text_are_ignored)
{
    two_join();

    peer_send(&a, "\n\n\r\n \n\t\n\x01\x07\n\u202d\u202e\n/me\nend\n");

    peer_expect(&a, "* Please write it as /me text");
    peer_expect(&b, "<a> end");
    two_leave();
}
END_TEST

/* A line of `len` bytes, all x. */
static const char *
line_of(size_t len)
{
    static char line[LIMIT + 2];

    memset(line, 'x', len);
    line[len] = '\0';
    return line;
}

START_TEST(a_line_is_as_long_as_the_limit_and_no_longer)
{
    two_join();

    for (size_t len = LIMIT - 1; len <= LIMIT + 1; len++) {
        e2e_scene("%zu bytes", len);
        peer_send(&a, "%s\nnext\n", line_of(len));
        if (len <= LIMIT)
            peer_expect(&b, "<a> %s", line_of(len));
        else
            peer_expect(&a,
                        "* That line is longer than %d bytes and was not "
                        "taken; please send it in parts.",
                        LIMIT);
        peer_expect(&b, "<a> next");
    }
    two_leave();
}
END_TEST

START_TEST(a_line_far_too_long_is_skipped_to_its_end)
{
    two_join();

    for (int i = 0; i < 100; i++)
        peer_send(&a, "%s", line_of(LIMIT));
    peer_send(&a, "\nnext\n");

    peer_expect_start(&a, "* That line is longer than 4096 bytes");
    peer_expect(&b, "<a> next");
    two_leave();
}
END_TEST

struct relayed {
    const char *said;
    const char *heard;
};

/* clang-format off */
static const struct relayed relayed[] = {
    {"caf\xe9",                "caf\ufffd"},      /* Latin-1 */
    {"\xc0\xaf",               "\ufffd"},   /* an overlong slash */
    {"\xed\xa0\x80",           "\ufffd"}, /* a surrogate */
    {"\xf4\x90\x80\x80",       "\ufffd"}, /* no Unicode */
    {"end \xe5\xb0",           "end \ufffd"}, /* cut in two */
    {"\x1b[31mred\x1b[0m",     "[31mred[0m"},    /* a terminal's escapes */
    {"\x07" "bell\x08\x7f",    "bell"},          /* and signals */
    {"\xc2\x9b" "31m C1",      "31m C1"},        /* ESC [ in one character */
    {"\u202Eevil\u202C",       "evil"},          /* it would run backwards */
    {"\u2066iso\u2069late",    "isolate"},
    {"two\u2028lines\xc2\x85", "twolines"},      /* Unicode's line ends */
    {"a\rb",                   "ab"},            /* a return in the middle */
    {"a\tb \x02" "bold\x02",   "a\tb \x02" "bold\x02"}, /* may stay */
    {"👩‍👩‍👧 e\u0301",          "👩‍👩‍👧 e\u0301"},
};
/* clang-format on */

/* How many U+FFFD stand for a broken sequence is nobody's affair. */
static const char *
take_squeezed(struct peer *p)
{
    static const char mark[] = "\ufffd\ufffd";
    static char line[LIMIT];
    char *at;

    snprintf(line, sizeof(line), "%s", peer_take(p));
    while ((at = strstr(line, mark)) != NULL)
        memmove(at, at + strlen("\ufffd"), strlen(at + strlen("\ufffd")) + 1);
    return line;
}

static void
expect_squeezed(struct peer *p, const char *before, const char *heard)
{
    char line[LIMIT];

    snprintf(line, sizeof(line), "%s%s", before, heard);
    ck_assert_str_eq(take_squeezed(p), line);
}

START_TEST(what_could_harm_a_terminal_reaches_nobody)
{
    two_join();

    for (size_t i = 0; i < sizeof(relayed) / sizeof(relayed[0]); i++) {
        e2e_scene("case %zu", i);
        peer_send(&a, "%s\n/me %s\n/msg b %s\n", relayed[i].said,
                  relayed[i].said, relayed[i].said);
        expect_squeezed(&b, "<a> ", relayed[i].heard);
        expect_squeezed(&b, "* a ", relayed[i].heard);
        expect_squeezed(&b, "[private] <a> ", relayed[i].heard);
    }
    two_leave();
}
END_TEST

START_TEST(topics_and_last_words_are_cleaned_as_well)
{
    two_join();

    peer_send(&a, "/topic \x1b]0;owned\x07\u202E\n/away \x1b[2J\n/join "
                  "#\u202Eroom\n/quit \x1b[H\xfe\n");

    peer_expect(&b, "* a set the topic of #lobby: ]0;owned");
    peer_expect(&b, "* a is away ([2J).");
    peer_expect(&b, "* a quit ([H\ufffd).");
    peer_await(&a, "* Goodbye, a.");
    peer_expect_end(&a, false);
    peer_close(&a);
    peer_join(&a, d.port, "a");
    peer_expect(&b, "* a joined #lobby.");
    two_leave();
}
END_TEST

START_TEST(a_zero_byte_is_no_end)
{
    static const char line[] = "before\0after\n";

    two_join();

    peer_send_bytes(&a, line, sizeof(line) - 1);

    peer_expect(&b, "<a> beforeafter");
    two_leave();
}
END_TEST

START_TEST(who_ends_lines_with_crlf_gets_crlf)
{
    daemon_start(&d, NULL);

    peer_connect_unix(&a, d.socket);
    peer_expect_bytes(&a, "Nickname: ");
    peer_send(&a, "a\r\n");
    peer_expect_bytes(&a,
                      "* Welcome to klatch, a. Type /help for the commands.\r\n"
                      "* You are in #lobby. Nobody else is here.\r\n");
    peer_join(&b, d.port, "b");
    peer_expect_bytes(&a, "* b joined #lobby.\r\n");
    peer_send(&b, "hi\n");
    peer_expect_bytes(&a, "<b> hi\r\n");
    peer_send(&a, "hi\r\n");
    peer_expect_bytes(&b, "<a> hi\n");
    two_leave();
}
END_TEST

START_TEST(an_ending_may_come_in_pieces)
{
    two_join();

    peer_send(&a, "one\r");
    peer_expect_silence(&b);
    peer_send(&a, "\ntw");
    peer_expect(&b, "<a> one");
    peer_expect_silence(&b);
    peer_send(&a, "o\n");
    peer_expect(&b, "<a> two");
    two_leave();
}
END_TEST

START_TEST(telnet_is_refused_every_option_and_understood_else)
{
    /* What Debian's telnet sends at its start, then text with a command and an
     * IAC byte in its midst. */
    static const char start[] = "\xff\xfd\x03\xff\xfb\x18\xff\xfb\x1f"
                                "\xff\xfb\x20\xff\xfb\x21\xff\xfb\x22";
    static const char line[] = "te\xff\xf1"                     /* NOP */
                               "l\xff\xfa\x18\x00xterm\xff\xf0" /* SB … SE */
                               "net\xff\xfd\x03"                /* DO again */
                               "\r\n";

    daemon_start(&d, NULL);
    peer_join(&b, d.port, "b");

    peer_connect_unix(&a, d.socket);
    peer_expect_bytes(&a, "Nickname: ");
    peer_send_bytes(&a, start, sizeof(start) - 1);
    peer_expect_bytes(&a, "\xff\xfc\x03\xff\xfe\x18\xff\xfe\x1f"
                          "\xff\xfe\x20\xff\xfe\x21\xff\xfe\x22");
    peer_send(&a, "a\r\n");
    peer_expect_bytes(&a, "* Welcome to klatch, a. Type /help for the "
                          "commands.\r\n");
    peer_expect(&b, "* a joined #lobby.");
    peer_expect_start(&a, "* You are in #lobby");
    peer_send_bytes(&a, line, sizeof(line) - 1);
    peer_expect(&b, "<a> telnet");
    peer_expect_silence(&a);

    peer_send(&a, "\xff\xf4\xff\xfd\x06"); /* Ctrl-C */
    peer_await(&a, "* Goodbye, a.");
    peer_expect_end(&a, false);
    peer_expect(&b, "* a quit.");
    peer_close(&a);
    peer_join(&a, d.port, "a");
    peer_expect(&b, "* a joined #lobby.");
    two_leave();
}
END_TEST

UNIT_MAIN("e2e/input", two_slashes_say_one,
          a_wrong_command_gets_a_sentence_that_helps,
          help_lists_every_command_and_explains_one,
          lines_without_text_are_ignored,
          a_line_is_as_long_as_the_limit_and_no_longer,
          a_line_far_too_long_is_skipped_to_its_end,
          what_could_harm_a_terminal_reaches_nobody,
          topics_and_last_words_are_cleaned_as_well, a_zero_byte_is_no_end,
          who_ends_lines_with_crlf_gets_crlf, an_ending_may_come_in_pieces,
          telnet_is_refused_every_option_and_understood_else)
