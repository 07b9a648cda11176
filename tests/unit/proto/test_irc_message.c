/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Messages as clients send them, well-made and not. Each is parsed in a copy of
 * its very length, so that a sanitizer sees what is read beyond.
 */
#include "proto/irc/irc_message_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/unit.h"

static char *copy;
static struct irc_message m;

static enum irc_verdict
parse_bytes(const char *bytes, size_t len)
{
    free(copy);
    copy = malloc(len > 0 ? len : 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, bytes, len);
    return irc_message_parse(slice_make(copy, len), &m);
}

static enum irc_verdict
parse(const char *line)
{
    return parse_bytes(line, strlen(line));
}

/* What was taken apart, as "tags|source|command|param|param…". */
static const char *
parts(void)
{
    static char text[2 * IRC_LINE_MAX];
    int n = snprintf(text, sizeof(text), "%.*s|%.*s|%.*s", SLICE_ARG(m.tags),
                     SLICE_ARG(m.source), SLICE_ARG(m.command));

    for (size_t i = 0; i < m.count; i++)
        n += snprintf(text + n, sizeof(text) - (size_t)n, "|%.*s",
                      SLICE_ARG(m.params[i]));
    return text;
}

static void
expect(const char *line, const char *wanted)
{
    ck_assert_msg(parse(line) == IRC_OK, "%s", line);
    ck_assert_str_eq(parts(), wanted);
}

START_TEST(a_message_is_taken_apart)
{
    expect("QUIT", "||QUIT");
    expect("NICK alice", "||NICK|alice");
    expect("USER a 0 * :Alice B. See", "||USER|a|0|*|Alice B. See");
    expect(":alice PRIVMSG #tea :hello there",
           "|alice|PRIVMSG|#tea|hello there");
    expect("@label=1;+typing=active :a!b@c TAGMSG #tea",
           "label=1;+typing=active|a!b@c|TAGMSG|#tea");
    expect("001", "||001");
}
END_TEST

START_TEST(the_trailing_param_may_be_empty_and_hold_anything)
{
    expect("TOPIC #tea :", "||TOPIC|#tea|");
    expect("TOPIC #tea ::)", "||TOPIC|#tea|:)");
    expect("TOPIC #tea : two  spaces ", "||TOPIC|#tea| two  spaces ");
    expect("TOPIC #tea a:b", "||TOPIC|#tea|a:b");
    expect("PRIVMSG #tea :@not=tags", "||PRIVMSG|#tea|@not=tags");
}
END_TEST

START_TEST(spaces_too_many_are_none)
{
    expect("  JOIN   #tea  ", "||JOIN|#tea");
    expect("@a=b   :src   JOIN   #tea   :x", "a=b|src|JOIN|#tea|x");
    expect("JOIN #tea ", "||JOIN|#tea");
    expect("@ JOIN", "||JOIN"); /* no tags in it */
    expect(": JOIN", "||JOIN"); /* no source */
}
END_TEST

START_TEST(the_fifteenth_param_takes_the_rest)
{
    expect("X 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 :17",
           "||X|1|2|3|4|5|6|7|8|9|10|11|12|13|14|15 16 :17");
    expect("X 1 2 3 4 5 6 7 8 9 10 11 12 13 14 :15 16",
           "||X|1|2|3|4|5|6|7|8|9|10|11|12|13|14|15 16");
    expect("X 1 2 3 4 5 6 7 8 9 10 11 12 13 :14 15",
           "||X|1|2|3|4|5|6|7|8|9|10|11|12|13|14 15");
}
END_TEST

START_TEST(without_a_command_there_is_nothing)
{
    static const char *const lines[] = {
        "",     " ",     "   ",        "@a=b", "@a=b ",
        ":src", ":src ", "@a=b :src ", "@",    ":",
    };

    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        ck_assert_msg(parse(lines[i]) == IRC_NOTHING, "%s", lines[i]);
}
END_TEST

START_TEST(a_command_is_letters_or_three_digits)
{
    static const char *const lines[] = {
        "12", "1234", "12A", "PRIV-MSG #a", "NICK\tx", "\xC3\xA9", "<b>",
    };

    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        ck_assert_msg(parse(lines[i]) == IRC_BAD_COMMAND, "%s", lines[i]);
    ck_assert_int_eq(parse("@label=7 NI-CK x"), IRC_BAD_COMMAND);
    ck_assert_str_eq(parts(), "label=7||NI-CK"); /* to be answered by */
}
END_TEST

START_TEST(a_nul_is_told_wherever_it_is)
{
    static const char line[] = "@a=b :s PING :x";

    for (size_t i = 0; i < sizeof(line) - 1; i++) {
        char bytes[sizeof(line)];

        memcpy(bytes, line, sizeof(line));
        bytes[i] = '\0';
        ck_assert_int_eq(parse_bytes(bytes, sizeof(line) - 1), IRC_HAS_NUL);
    }
}
END_TEST

/* "[@tags ]PING xxx" with so many bytes of each. */
static enum irc_verdict
parse_long(size_t tags, size_t body)
{
    static char line[2 * IRC_LINE_MAX];
    size_t len = 0;

    if (tags > 0) {
        line[len++] = '@';
        memset(line + len, 't', tags);
        len += tags;
        line[len++] = ' ';
    }
    memcpy(line + len, "PING ", 5);
    memset(line + len + 5, 'x', body - 5);
    return parse_bytes(line, len + body);
}

START_TEST(each_part_may_be_as_long_as_it_may_and_no_longer)
{
    ck_assert_int_eq(parse_long(0, IRC_BODY_MAX - 1), IRC_OK);
    ck_assert_int_eq(parse_long(0, IRC_BODY_MAX), IRC_OK);
    ck_assert_uint_eq(m.params[0].len, IRC_BODY_MAX - 5);
    ck_assert_int_eq(parse_long(0, IRC_BODY_MAX + 1), IRC_TOO_LONG);
    ck_assert_int_eq(parse_long(IRC_TAGS_MAX - 1, 9), IRC_OK);
    ck_assert_int_eq(parse_long(IRC_TAGS_MAX, IRC_BODY_MAX), IRC_OK);
    ck_assert_uint_eq(m.tags.len, IRC_TAGS_MAX);
    ck_assert_int_eq(parse_long(IRC_TAGS_MAX + 1, 9), IRC_TOO_LONG);
    ck_assert_int_eq(parse_long(IRC_TAGS_MAX, IRC_BODY_MAX + 1), IRC_TOO_LONG);
}
END_TEST

START_TEST(commands_have_no_case)
{
    ck_assert_int_eq(parse("pRivMsg a b"), IRC_OK);
    ck_assert(irc_message_is(&m, "PRIVMSG"));
    ck_assert(!irc_message_is(&m, "PRIVMS"));
    ck_assert(!irc_message_is(&m, "PRIVMSGS"));
    ck_assert(!irc_message_is(&m, "NOTICE"));
}
END_TEST

/* ---- tags ---------------------------------------------------------------- */

START_TEST(tags_come_one_by_one)
{
    struct slice tags =
        slice_of("a=1;+draft/react=;example.com/b;;=x;+;c==2;+=y;d=\\:;");
    struct irc_tag tag;

    ck_assert(irc_tag_next(&tags, &tag));
    ck_assert(slice_equal(tag.key, slice_of("a")));
    ck_assert(slice_equal(tag.raw, slice_of("1")) && !tag.is_client_only);
    ck_assert(irc_tag_next(&tags, &tag));
    ck_assert(slice_equal(tag.key, slice_of("draft/react")));
    ck_assert(tag.raw.len == 0 && tag.is_client_only);
    ck_assert(irc_tag_next(&tags, &tag));
    ck_assert(slice_equal(tag.key, slice_of("example.com/b")));
    ck_assert(tag.raw.len == 0 && !tag.is_client_only);
    ck_assert(irc_tag_next(&tags, &tag)); /* those without a key are none */
    ck_assert(slice_equal(tag.key, slice_of("c")));
    ck_assert(slice_equal(tag.raw, slice_of("=2")));
    ck_assert(irc_tag_next(&tags, &tag));
    ck_assert(slice_equal(tag.raw, slice_of("\\:")));
    ck_assert(!irc_tag_next(&tags, &tag));
}
END_TEST

START_TEST(of_two_tags_with_one_key_the_last_counts)
{
    const struct slice tags = slice_of("label=1;+label=2;label=3;labels=4");
    struct irc_tag tag;

    ck_assert(irc_tag_find(tags, "label", &tag));
    ck_assert(slice_equal(tag.raw, slice_of("3")));
    ck_assert(irc_tag_find(tags, "+label", &tag));
    ck_assert(slice_equal(tag.raw, slice_of("2")));
    ck_assert(!irc_tag_find(tags, "lab", &tag));
    ck_assert(!irc_tag_find(tags, "+labels", &tag));
    ck_assert(!irc_tag_find(slice_of(""), "label", &tag));
}
END_TEST

START_TEST(values_are_unescaped)
{
    static const char *const pairs[][2] = {
        {"",           ""        },
        {"plain",      "plain"   },
        {"a\\:b\\sc",  "a;b c"   },
        {"\\\\\\r\\n", "\\\r\n"  },
        {"\\b\\x\\:",  "bx;"     }, /* the others are themselves */
        {"end\\",      "end"     },
        {"\\",         ""        },
        {"\\\\\\",     "\\"      },
        {"\\\xC3\xA9", "\xC3\xA9"},
    };

    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        char out[32];
        const size_t len = irc_tag_unescape(slice_of(pairs[i][0]), out);

        ck_assert_msg(slice_equal(slice_make(out, len), slice_of(pairs[i][1])),
                      "%s", pairs[i][0]);
    }
}
END_TEST

START_TEST(what_is_escaped_comes_back_and_breaks_no_tag)
{
    char value[256], raw[512], back[512];
    size_t raw_len, back_len;

    for (size_t i = 0; i < sizeof(value); i++)
        value[i] = (char)i;
    raw_len = irc_tag_escape(slice_make(value, sizeof(value)), raw);
    for (const char *bad = "; \r\n"; *bad != '\0'; bad++)
        ck_assert_ptr_null(memchr(raw, *bad, raw_len));
    back_len = irc_tag_unescape(slice_make(raw, raw_len), back);
    ck_assert(slice_equal(slice_make(back, back_len),
                          slice_make(value, sizeof(value))));
}
END_TEST

UNIT_MAIN("proto/irc_message", a_message_is_taken_apart,
          the_trailing_param_may_be_empty_and_hold_anything,
          spaces_too_many_are_none, the_fifteenth_param_takes_the_rest,
          without_a_command_there_is_nothing,
          a_command_is_letters_or_three_digits, a_nul_is_told_wherever_it_is,
          each_part_may_be_as_long_as_it_may_and_no_longer,
          commands_have_no_case, tags_come_one_by_one,
          of_two_tags_with_one_key_the_last_counts, values_are_unescaped,
          what_is_escaped_comes_back_and_breaks_no_tag)
