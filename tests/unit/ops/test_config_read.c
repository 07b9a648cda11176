/* SPDX-License-Identifier: BSD-2-Clause
 */
#include <errno.h>
#include <string.h>

#include "support/unit.h"
#include "unit/ops/load.h"

START_TEST(settings_comments_and_blank_lines_are_read)
{
    struct loaded l = load_text("# a comment\n"
                                "; another\n"
                                "\n"
                                "[limits]\n"
                                "sendq = 64k\n"
                                "recvq=8k\n"
                                "connections : 7 ; the devil's\n",
                                NULL);

    ck_assert_str_eq(l.errors, "");
    ck_assert_uint_eq(l.conf->net.limits_sendq, 65536);
    ck_assert_uint_eq(l.conf->net.limits_recvq, 8192);
    ck_assert_uint_eq(l.conf->net.limits_connections, 7);
    loaded_fini(&l);
}
END_TEST

START_TEST(a_number_sign_inside_a_value_is_kept)
{
    struct loaded l = load_text("[server]\n"
                                "name = a;b #room\n"
                                "description = #room is nice ; is it?\n",
                                NULL);

    ck_assert_str_eq(l.conf->server.name, "a;b #room");
    ck_assert_str_eq(l.conf->server.description, "#room is nice");
    loaded_fini(&l);
}
END_TEST

/* libinih takes an indented line for more of the value above it. */
START_TEST(an_indented_setting_is_a_setting)
{
    struct loaded l = load_text("[limits]\n"
                                "  sendq = 64k\n"
                                "\t recvq = 8k\n",
                                NULL);

    ck_assert_str_eq(l.errors, "");
    ck_assert_uint_eq(l.conf->net.limits_sendq, 65536);
    ck_assert_uint_eq(l.conf->net.limits_recvq, 8192);
    loaded_fini(&l);
}
END_TEST

START_TEST(a_byte_order_mark_crlf_and_a_missing_last_newline_are_fine)
{
    struct loaded l = load_text("\xEF\xBB\xBF[limits]\r\nsendq = 64k\r\n"
                                "[server]\r\nname = a",
                                NULL);

    ck_assert_str_eq(l.errors, "");
    ck_assert_uint_eq(l.conf->net.limits_sendq, 65536);
    ck_assert_str_eq(l.conf->server.name, "a");
    loaded_fini(&l);
}
END_TEST

START_TEST(an_empty_file_is_all_defaults)
{
    ASSERT_LOADS("");
    ASSERT_LOADS("\n\n");
    ASSERT_LOADS("\xEF\xBB\xBF");
    ASSERT_LOADS("[limits]");
}
END_TEST

START_TEST(a_line_that_is_nothing_is_refused_by_its_number)
{
    ASSERT_REFUSES("[limits]\n"
                   "sendq\n"
                   "recvq = 8k\n"
                   "\n"
                   "8k\n",
                   "t.conf:2: not `key = value`, [section] or a comment\n"
                   "t.conf:5: not `key = value`, [section] or a comment\n");
    ASSERT_REFUSES("[limits]\n= 3\n",
                   "t.conf:2: a setting is written `key = value`\n");
    ASSERT_REFUSES("[limits]\nnot one = 3\n",
                   "t.conf:2: a setting is written `key = value`\n");
}
END_TEST

START_TEST(a_section_that_is_not_closed_or_has_company_is_refused)
{
    ASSERT_REFUSES("[limits\nsendq = 64k\n",
                   "t.conf:1: a section is written [name], alone on its "
                   "line\n");
    ASSERT_REFUSES("[limits] sendq = 64k\n",
                   "t.conf:1: a section is written [name], alone on its "
                   "line\n");
    ASSERT_LOADS("[limits] ; a comment\n[server] # another\n[ log ]\n");
}
END_TEST

/* `fill` bytes of one line in all. */
static struct loaded
load_line_of(size_t fill)
{
    char text[512] = "[server]\ndescription =";
    size_t at = strlen(text);
    const size_t value = 100;

    fill -= strlen("description =");
    memset(text + at, ' ', fill - value);
    at += fill - value;
    memset(text + at, 'x', value);
    return load_bytes(text, at + value);
}

START_TEST(a_line_may_have_199_bytes)
{
    struct loaded l = load_line_of(199);

    ck_assert_str_eq(l.errors, "");
    ck_assert_uint_eq(strlen(l.conf->server.description), 100);
    loaded_fini(&l);
}
END_TEST

/* libinih would take the rest of it for the next line. */
START_TEST(a_line_of_200_bytes_is_refused)
{
    struct loaded l = load_line_of(200);

    ck_assert_int_eq(l.rc, -EINVAL);
    ck_assert_str_eq(l.errors, "t.conf:2: the line is longer than 199 bytes\n");
    loaded_fini(&l);
}
END_TEST

START_TEST(a_comment_may_be_as_long_as_it_likes)
{
    char text[4096] = "[limits]\n#";

    memset(text + 10, 'x', sizeof(text) - 10);
    memcpy(text + sizeof(text) - 15, "\nsendq = 64k\n\n", 15);

    ASSERT_LOADS(text);
}
END_TEST

/* libinih would cut it at 49 and find a section of that name. */
START_TEST(a_section_of_more_than_49_bytes_is_refused)
{
    ASSERT_LOADS("[listen \"0123456789012345678901234567890123456789\"]\n"
                 "address = 127.0.0.1:1\n");
    ASSERT_REFUSES("[listen \"01234567890123456789012345678901234567890\"]\n"
                   "address = 127.0.0.1:1\n",
                   "t.conf:1: the section's name is longer than 49 bytes\n");
}
END_TEST

START_TEST(a_nul_is_refused)
{
    static const char text[] = "[limits]\nsendq = 64k\0x\nrecvq = 8k\n";
    struct loaded l = load_bytes(text, sizeof(text) - 1);

    ck_assert_int_eq(l.rc, -EINVAL);
    ck_assert_str_eq(l.errors,
                     "t.conf:2: a NUL byte; the file must be UTF-8\n");
    loaded_fini(&l);
}
END_TEST

START_TEST(what_is_not_utf8_is_refused_even_in_a_comment)
{
    ASSERT_REFUSES("# caf\xE9\n[server]\nname = caf\xE9\n",
                   "t.conf:1: not UTF-8\n"
                   "t.conf:3: not UTF-8\n");
    ASSERT_REFUSES("\xFF\xFE[", "t.conf:1: not UTF-8\n");
}
END_TEST

START_TEST(what_would_show_otherwise_than_it_reads_is_refused)
{
    ASSERT_REFUSES("[log]\n# \u202Elevel = debug\nlevel = \033[31mdebug\n",
                   "t.conf:2: a control character\n"
                   "t.conf:3: a control character\n");
    ASSERT_REFUSES("[log]\rlevel = debug\n", "t.conf:1: a control character\n");
    ASSERT_LOADS("\t[log]\t#\ttabs\n\tlevel\t=\tdebug\t\n");
}
END_TEST

START_TEST(a_setting_before_any_section_is_refused)
{
    ASSERT_REFUSES("sendq = 64k\n[limits]\n",
                   "t.conf:1: `sendq` stands before the first [section]\n");
}
END_TEST

START_TEST(text_without_a_file_cannot_include)
{
    ASSERT_REFUSES("include = /etc/passwd\n",
                   "t.conf:1: include: there is no file here\n");
}
END_TEST

START_TEST(all_mistakes_are_told_in_one_run)
{
    ASSERT_REFUSES("[limits]\n"
                   "sendq = lots\n"
                   "[server]\n"
                   "workers = 129\n"
                   "bare\n"
                   "[log]\n"
                   "level = silent\n",
                   "t.conf:2: [limits] sendq: `lots` is not a size: write 512, "
                   "64k, 8M or 1G\n"
                   "t.conf:4: [server] workers: 129 is out of range: it may be "
                   "0 to 128\n"
                   "t.conf:5: not `key = value`, [section] or a comment\n"
                   "t.conf:7: [log] level: `silent` is not error, warn, "
                   "notice, info, debug or trace\n");
}
END_TEST

UNIT_MAIN("ops/config_read", settings_comments_and_blank_lines_are_read,
          a_number_sign_inside_a_value_is_kept,
          an_indented_setting_is_a_setting,
          a_byte_order_mark_crlf_and_a_missing_last_newline_are_fine,
          an_empty_file_is_all_defaults,
          a_line_that_is_nothing_is_refused_by_its_number,
          a_section_that_is_not_closed_or_has_company_is_refused,
          a_line_may_have_199_bytes, a_line_of_200_bytes_is_refused,
          a_comment_may_be_as_long_as_it_likes,
          a_section_of_more_than_49_bytes_is_refused, a_nul_is_refused,
          what_is_not_utf8_is_refused_even_in_a_comment,
          what_would_show_otherwise_than_it_reads_is_refused,
          a_setting_before_any_section_is_refused,
          text_without_a_file_cannot_include, all_mistakes_are_told_in_one_run)
