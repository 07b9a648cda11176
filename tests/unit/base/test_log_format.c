/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "support/unit.h"

#define NOON_MS UINT64_C(1795255200123) /* 2026-11-21T10:00:00.123Z */
#define HEAD    "2026-11-21T10:00:00.123Z info conn closed"

/* A line as a string, made for one case at a time. */
static char made[LOG_LINE_MAX + 1];

static const char *
format_n(enum log_format format, const struct log_field *fields, size_t n)
{
    const size_t len =
        log_format(made, LOG_LINE_MAX, format, NOON_MS, LOG_LEVEL_INFO,
                   LOG_CONN, "closed", fields, n);

    ck_assert_uint_le(len, LOG_LINE_MAX);
    made[len] = '\0';
    return made;
}

static const char *
text_of(struct log_field field)
{
    return format_n(LOG_FORMAT_TEXT, &field, 1);
}

static const char *
text_of_value(const char *value)
{
    return text_of(LOG_F_STR("k", value));
}

/* The caller gives back. */
static json_t *
parse(const char *line)
{
    json_error_t error;
    json_t *const root =
        json_loads(line, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);

    if (root == NULL)
        ck_abort_msg("%s in: %s", error.text, line);
    return root;
}

static json_t *
json_of(struct log_field field)
{
    return parse(format_n(LOG_FORMAT_JSON, &field, 1));
}

static bool
json_string_is(struct slice value, const char *want, size_t want_len)
{
    json_t *const root = json_of(LOG_F_SLICE("k", value));
    const json_t *const got = json_object_get(root, "k");
    bool is_same;

    is_same = json_string_length(got) == want_len &&
              memcmp(json_string_value(got), want, want_len) == 0;
    json_decref(root);
    return is_same;
}

/* One newline, at the end, and no byte that a terminal would act upon. */
static bool
is_one_printable_line(const char *line, size_t len)
{
    if (len == 0 || line[len - 1] != '\n')
        return false;
    for (size_t i = 0; i < len - 1; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7F)
            return false;
    }
    return utf8_is_valid(slice_make(line, len));
}

START_TEST(a_line_of_text_reads_as_the_header_says)
{
    const struct log_field fields[] = {
        LOG_F_U64("conn", 81),
        LOG_F_STR("reason", "idle"),
    };

    ck_assert_str_eq(format_n(LOG_FORMAT_TEXT, fields, 2),
                     HEAD " conn=81 reason=idle\n");
}
END_TEST

START_TEST(a_line_of_json_reads_as_the_header_says)
{
    const struct log_field fields[] = {
        LOG_F_U64("conn", 81),
        LOG_F_STR("reason", "idle"),
    };

    ck_assert_str_eq(format_n(LOG_FORMAT_JSON, fields, 2),
                     "{\"time\":\"2026-11-21T10:00:00.123Z\","
                     "\"level\":\"info\",\"area\":\"conn\","
                     "\"event\":\"closed\",\"conn\":81,\"reason\":\"idle\"}\n");
}
END_TEST

START_TEST(an_event_without_fields_stands_alone)
{
    ck_assert_str_eq(text_of(LOG_F_NONE), HEAD "\n");
    ck_assert_str_eq(format_n(LOG_FORMAT_TEXT, NULL, 0), HEAD "\n");
    json_decref(json_of(LOG_F_NONE));
}
END_TEST

START_TEST(each_kind_of_value_has_its_form)
{
    ck_assert_str_eq(text_of(LOG_F_U64("k", UINT64_MAX)),
                     HEAD " k=18446744073709551615\n");
    ck_assert_str_eq(text_of(LOG_F_I64("k", INT64_MIN)),
                     HEAD " k=-9223372036854775808\n");
    ck_assert_str_eq(text_of(LOG_F_I64("k", 7)), HEAD " k=7\n");
    ck_assert_str_eq(text_of(LOG_F_BOOL("k", true)), HEAD " k=true\n");
    ck_assert_str_eq(text_of(LOG_F_BOOL("k", false)), HEAD " k=false\n");
    ck_assert_str_eq(text_of(LOG_F_ERRNO(ECONNREFUSED)),
                     HEAD " error=\"Connection refused\"\n");
}
END_TEST

START_TEST(json_keeps_the_type_of_a_value)
{
    const struct log_field fields[] = {
        LOG_F_U64("u", 5),
        LOG_F_I64("i", INT64_MIN),
        LOG_F_BOOL("b", false),
        LOG_F_ERRNO(EPIPE),
    };
    json_t *const root = parse(format_n(LOG_FORMAT_JSON, fields, 4));

    ck_assert_int_eq(json_integer_value(json_object_get(root, "u")), 5);
    ck_assert(json_integer_value(json_object_get(root, "i")) == INT64_MIN);
    ck_assert(json_is_false(json_object_get(root, "b")));
    ck_assert_str_eq(json_string_value(json_object_get(root, "error")),
                     "Broken pipe");
    json_decref(root);
}
END_TEST

START_TEST(a_value_is_quoted_where_it_would_fall_apart)
{
    ck_assert_str_eq(text_of_value("idle"), HEAD " k=idle\n");
    ck_assert_str_eq(text_of_value("two words"), HEAD " k=\"two words\"\n");
    ck_assert_str_eq(text_of_value("a=b"), HEAD " k=\"a=b\"\n");
    ck_assert_str_eq(text_of_value(""), HEAD " k=\"\"\n");
    ck_assert_str_eq(text_of(LOG_F_SLICE("k", slice_make(NULL, 0))),
                     HEAD " k=\"\"\n");
    ck_assert_str_eq(text_of_value("\xE5\xB0\x8F"), HEAD " k=\xE5\xB0\x8F\n");
}
END_TEST

START_TEST(every_byte_is_escaped_or_harmless_in_text)
{
    for (unsigned c = 0; c < 256; c++) {
        const char byte = (char)c;
        const char *const line =
            text_of(LOG_F_SLICE("k", slice_make(&byte, 1)));
        char want[64];

        if (c == ' ' || c == '=')
            snprintf(want, sizeof(want), HEAD " k=\"%c\"\n", byte);
        else if (c < 0x20 || c >= 0x7F || c == '"' || c == '\\')
            snprintf(want, sizeof(want), HEAD " k=\\x%02x\n", c);
        else
            snprintf(want, sizeof(want), HEAD " k=%c\n", byte);
        ck_assert_str_eq(line, want);
    }
}
END_TEST

START_TEST(every_byte_survives_a_json_parser)
{
    for (unsigned c = 0; c < 256; c++) {
        const char byte = (char)c;
        char want[2] = {byte};
        size_t len = 1;

        if (c >= 0x80) { /* ill-formed: shown as the character of that number */
            want[0] = (char)(0xC0 | c >> 6);
            want[1] = (char)(0x80 | (c & 0x3F));
            len = 2;
        }
        ck_assert(json_string_is(slice_make(&byte, 1), want, len));
        ck_assert(is_one_printable_line(made, strlen(made)));
    }
}
END_TEST

START_TEST(hostile_characters_are_shown_not_obeyed)
{
    /* next line, CSI, right-to-left override, isolate, line separator */
    ck_assert_str_eq(text_of_value("\xC2\x85"), HEAD " k=\\u0085\n");
    ck_assert_str_eq(text_of_value("\xC2\x9B"
                                   "31m"),
                     HEAD " k=\\u009b31m\n");
    ck_assert_str_eq(text_of_value("\xE2\x80\xAEtxt.exe"),
                     HEAD " k=\\u202etxt.exe\n");
    ck_assert_str_eq(text_of_value("\xE2\x81\xA6"), HEAD " k=\\u2066\n");
    ck_assert_str_eq(text_of_value("\xE2\x80\xA8"), HEAD " k=\\u2028\n");
    ck_assert_str_eq(text_of_value("\x1B[2J\r\n"),
                     HEAD " k=\\x1b[2J\\x0d\\x0a\n");
    ck_assert_str_eq(text_of_value("\xE2\x80"), HEAD " k=\\xe2\\x80\n");
    ck_assert_str_eq(text_of_value("\xED\xA0\x80"),
                     HEAD " k=\\xed\\xa0\\x80\n");
    ck_assert_str_eq(text_of_value("x\" admin=true"),
                     HEAD " k=\"x\\x22 admin=true\"\n");
    ck_assert(json_string_is(slice_of("\xE2\x80\xAE\xC2\x9B\x1B"),
                             "\xE2\x80\xAE\xC2\x9B\x1B", 6));
    ck_assert_ptr_nonnull(strstr(made, "\\u202e\\u009b\\u001b"));
}
END_TEST

START_TEST(a_long_line_of_text_is_cut_between_characters)
{
    /* One more `x` each round moves the cut through a character's bytes. */
    for (size_t shift = 0; shift < 8; shift++) {
        char value[3 * LOG_LINE_MAX];
        size_t len;

        memset(value, 'x', shift);
        for (len = shift; len + 4 <= sizeof(value); len += 4)
            memcpy(value + len, "\xF0\x9F\x98\x80", 4);
        (void)text_of(LOG_F_SLICE("k", slice_make(value, len)));

        len = strlen(made);
        ck_assert_uint_le(len, LOG_LINE_MAX);
        ck_assert_uint_gt(len, LOG_LINE_MAX - 32);
        ck_assert(is_one_printable_line(made, len));
        ck_assert_str_eq(made + len - 4, "\xE2\x80\xA6\n");
    }
}
END_TEST

START_TEST(a_cut_splits_no_escape)
{
    for (size_t shift = 0; shift < 8; shift++) {
        char value[LOG_LINE_MAX];

        memset(value, 'x', shift);
        memset(value + shift, '\a', sizeof(value) - shift);
        (void)text_of(LOG_F_SLICE("k", slice_make(value, sizeof(value))));

        ck_assert_str_eq(made + strlen(made) - 8, "\\x07\xE2\x80\xA6\n");
    }
}
END_TEST

START_TEST(a_line_that_just_fits_is_not_cut)
{
    size_t longest = 0;

    for (size_t len = LOG_LINE_MAX - 100; len < LOG_LINE_MAX; len++) {
        char value[LOG_LINE_MAX];

        memset(value, 'x', len);
        (void)text_of(LOG_F_SLICE("k", slice_make(value, len)));
        if (strstr(made, "\xE2\x80\xA6") == NULL)
            longest = len;
    }

    ck_assert_uint_gt(longest, LOG_LINE_MAX - 100);
    ck_assert_uint_lt(longest, LOG_LINE_MAX - 20);
}
END_TEST

START_TEST(nothing_follows_a_cut)
{
    static char value[2 * LOG_LINE_MAX];
    struct log_field fields[] = {
        LOG_F_SLICE("a", slice_make(value, sizeof(value))),
        LOG_F_U64("b", 1),
        LOG_F_STR("c", "d"),
    };

    memset(value, 'x', sizeof(value));

    ck_assert_ptr_null(strstr(format_n(LOG_FORMAT_TEXT, fields, 3), "b=1"));
    ck_assert_ptr_null(strstr(format_n(LOG_FORMAT_JSON, fields, 3), "\"b\""));
}
END_TEST

START_TEST(cut_json_still_parses_and_says_so)
{
    static char value[LOG_LINE_MAX];
    const struct log_field fields[] = {
        LOG_F_SLICE("text", slice_make(value, sizeof(value))),
        LOG_F_BOOL("flag", true),
    };
    json_t *root;

    memset(value, 'x', sizeof(value));
    root = parse(format_n(LOG_FORMAT_JSON, fields, 2));

    ck_assert(json_is_true(json_object_get(root, "cut")));
    ck_assert_ptr_null(json_object_get(root, "flag"));
    ck_assert_ptr_nonnull(strstr(made, "xxx\xE2\x80\xA6\",\"cut\":true}\n"));
    json_decref(root);
}
END_TEST

START_TEST(any_room_gives_one_line_that_fits)
{
    const struct log_field fields[] = {
        LOG_F_U64("conn", 81),
        LOG_F_STR("text", "two w\xC3\xB6rds\n and \xFF"),
        LOG_F_BOOL("flag", true),
        LOG_F_STR("empty", ""),
        LOG_F_I64("below", -1),
    };

    for (size_t size = 0; size < 300; size++) {
        for (int format = LOG_FORMAT_TEXT; format <= LOG_FORMAT_JSON;
             format++) {
            char *const out = malloc(size + 1); /* ASan watches the end */
            size_t len;

            len = log_format(out, size, (enum log_format)format, NOON_MS,
                             LOG_LEVEL_WARN, LOG_HUB, "an \x1B event", fields,
                             ARRAY_LEN(fields));

            ck_assert_uint_le(len, size);
            ck_assert(size == 0 || is_one_printable_line(out, len));
            out[len] = '\0';
            if (format == LOG_FORMAT_JSON && size > 20)
                json_decref(parse(out));
            free(out);
        }
    }
}
END_TEST

START_TEST(time_is_utc_to_the_millisecond)
{
    static const struct {
        uint64_t wall_ms;
        const char *want;
    } times[] = {
        {0,                       "1970-01-01T00:00:00.000Z"},
        {UINT64_C(951825599999),  "2000-02-29T11:59:59.999Z"},
        {UINT64_C(4102444800007), "2100-01-01T00:00:00.007Z"},
        {UINT64_MAX,              "9999-12-31T23:59:59.999Z"},
    };

    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        (void)log_format(made, LOG_LINE_MAX, LOG_FORMAT_TEXT, times[i].wall_ms,
                         LOG_LEVEL_INFO, LOG_MAIN, "x", NULL, 0);
        made[24] = '\0';
        ck_assert_str_eq(made, times[i].want);
    }
}
END_TEST

START_TEST(a_level_is_found_by_its_name_and_nothing_else)
{
    for (int i = 0; i < LOG_LEVEL_COUNT; i++) {
        const char *const name = log_level_name((enum log_level)i);
        enum log_level level;

        ck_assert(log_level_parse(slice_of(name), &level));
        ck_assert_int_eq(level, i);
    }
    for (int i = 0; i < LOG_AREA_COUNT; i++)
        ck_assert_str_ne(log_area_name((enum log_area)i), "?");
}
END_TEST

START_TEST(a_name_that_is_no_level_changes_nothing)
{
    static const char *const others[] = {"", "inf", "infos", "INFO", "?"};
    enum log_level level = LOG_LEVEL_DEBUG;

    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        ck_assert(!log_level_parse(slice_of(others[i]), &level));

    ck_assert_int_eq(level, LOG_LEVEL_DEBUG);
}
END_TEST

UNIT_MAIN("base/log_format", a_line_of_text_reads_as_the_header_says,
          a_line_of_json_reads_as_the_header_says,
          an_event_without_fields_stands_alone, each_kind_of_value_has_its_form,
          json_keeps_the_type_of_a_value,
          a_value_is_quoted_where_it_would_fall_apart,
          every_byte_is_escaped_or_harmless_in_text,
          every_byte_survives_a_json_parser,
          hostile_characters_are_shown_not_obeyed,
          a_long_line_of_text_is_cut_between_characters, a_cut_splits_no_escape,
          a_line_that_just_fits_is_not_cut, nothing_follows_a_cut,
          cut_json_still_parses_and_says_so, any_room_gives_one_line_that_fits,
          time_is_utc_to_the_millisecond,
          a_level_is_found_by_its_name_and_nothing_else,
          a_name_that_is_no_level_changes_nothing)
