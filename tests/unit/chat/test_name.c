/* SPDX-License-Identifier: BSD-2-Clause */
#include "chat/name.h"

#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "support/unit.h"

#define E_ACUTE_NFC "\xC3\xA9"
#define E_ACUTE_NFD "e\xCC\x81"

static enum name_verdict
nick(const char *text)
{
    struct name name;

    return name_check_nick(slice_of(text), &name);
}

static enum name_verdict
room(const char *text)
{
    struct name name;

    return name_check_room(slice_of(text), &name);
}

static struct name
good_nick(const char *text)
{
    struct name name;

    ck_assert_msg(name_check_nick(slice_of(text), &name) == NAME_OK, "%s",
                  text);
    return name;
}

static bool
shows(const struct name *name, const char *text)
{
    return slice_equal(slice_make(name->text, name->len), slice_of(text));
}

static bool
are_one(const char *a, const char *b)
{
    const struct name x = good_nick(a);
    const struct name y = good_nick(b);

    return slice_equal(slice_make(x.key, x.key_len),
                       slice_make(y.key, y.key_len));
}

START_TEST(any_script_may_name_a_person)
{
    static const char *const names[] = {
        "anna",  "x",        "小明",   "Иван",   "Ζωή",
        "דוד",   "محمد",     "राहुल",   "ひろし", "Straße",
        "[bot]", "_|`^{}\\", "anna-2", "a٣", /* an Arabic digit */
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        (void)good_nick(names[i]);
}
END_TEST

START_TEST(a_nickname_has_1_to_32_characters)
{
    char text[NICK_BYTES_MAX + 8] = "";

    ck_assert_int_eq(nick(""), NAME_EMPTY);
    for (int i = 0; i < NICK_CHARS_MAX; i++)
        strcat(text, "明");
    ck_assert_int_eq(nick(text), NAME_OK);
    strcat(text, "x");
    ck_assert_int_eq(nick(text), NAME_TOO_LONG);
}
END_TEST

START_TEST(a_length_is_that_of_what_is_shown)
{
    char text[256] = "";

    for (int i = 0; i < NICK_CHARS_MAX; i++)
        strcat(text, E_ACUTE_NFD); /* 64 typed, 32 shown */
    ck_assert_int_eq(nick(text), NAME_OK);
}
END_TEST

START_TEST(a_megabyte_is_too_long_without_a_look)
{
    static char text[1 << 20];
    struct name name;

    memset(text, '\xFF', sizeof(text));
    ck_assert_int_eq(name_check_nick(slice_make(text, sizeof(text)), &name),
                     NAME_TOO_LONG);
    ck_assert_int_eq(name_check_room(slice_make(text, sizeof(text)), &name),
                     NAME_TOO_LONG);
}
END_TEST

START_TEST(no_digit_mark_or_dash_begins_a_nickname)
{
    ck_assert_int_eq(nick("1anna"), NAME_BAD_FIRST);
    ck_assert_int_eq(nick("٣anna"), NAME_BAD_FIRST);
    ck_assert_int_eq(nick("-anna"), NAME_BAD_FIRST);
    ck_assert_int_eq(nick("\xCC\x81"
                          "anna"),
                     NAME_BAD_FIRST);
}
END_TEST

START_TEST(signs_that_protocols_need_are_in_no_nickname)
{
    static const char *const names[] =
        {
            "a b", "a,b",  "a:b", "a!b",   "a@b",       "#a",  "&a",
            "a.b", "a*b",  "a?b", "~a",    "+a",        "%a",  "$a",
            "a\"", "a'b",  "a/b", "a<b",   "a>b",       "a=b", "a;b",
            "a(b", "a\tb", "a\n", "a\x7F", "a\xC2\x85", /* a C1 control */
        };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        ck_assert_msg(nick(names[i]) == NAME_BAD_CHAR, "%s", names[i]);
}
END_TEST

START_TEST(a_nul_is_a_bad_character_and_no_end)
{
    struct name name;

    ck_assert_int_eq(name_check_nick(slice_make("an\0na", 5), &name),
                     NAME_BAD_CHAR);
    ck_assert_int_eq(name_check_room(slice_make("#an\0na", 6), &name),
                     NAME_BAD_CHAR);
}
END_TEST

START_TEST(what_has_no_ink_is_in_no_name)
{
    static const char *const unseen[] = {
        "\xE3\x85\xA4", /* U+3164 Hangul filler, a letter */
        "\xE1\x85\x9F", /* U+115F Hangul choseong filler, a letter */
        "\xCD\x8F",     /* U+034F combining grapheme joiner, a mark */
        "\xEF\xB8\x8F", /* U+FE0F variation selector, a mark */
        "\xE2\x80\x8B", /* U+200B zero width space */
        "\xE2\x80\x8D", /* U+200D zero width joiner */
        "\xE2\x80\xAE", /* U+202E right-to-left override */
        "\xC2\xA0",     /* U+00A0 no-break space */
        "\xEE\x80\x80", /* U+E000 private use */
    };
    char text[32];

    for (size_t i = 0; i < ARRAY_LEN(unseen); i++) {
        snprintf(text, sizeof(text), "#an%sna", unseen[i]);
        ck_assert_msg(room(text) == NAME_BAD_CHAR, "%zu", i);
        ck_assert_msg(nick(text + 1) == NAME_BAD_CHAR, "%zu", i);
    }
}
END_TEST

START_TEST(bytes_that_are_no_utf8_are_no_name)
{
    ck_assert_int_eq(nick("an\xFFna"), NAME_NOT_UTF8);
    ck_assert_int_eq(nick("an\xC3"), NAME_NOT_UTF8);
    ck_assert_int_eq(room("#an\xED\xA0\x80"), NAME_NOT_UTF8);
}
END_TEST

START_TEST(names_are_one_whatever_their_case)
{
    ck_assert(are_one("Anna", "aNNA"));
    ck_assert(are_one("ИВАН", "иван"));
    ck_assert(are_one("Straße", "STRASSE"));
    ck_assert(are_one("Σίσυφος", "ΣΊΣΥΦΟΣ")); /* a final sigma */
    ck_assert(!are_one("anna", "anne"));
    ck_assert(!are_one("{a}", "[a]")); /* this is not RFC 1459 */
}
END_TEST

START_TEST(names_are_one_however_they_were_typed)
{
    const struct name name = good_nick("Ren" E_ACUTE_NFD);

    ck_assert(are_one("Ren" E_ACUTE_NFC, "REN" E_ACUTE_NFD));
    ck_assert(shows(&name, "Ren" E_ACUTE_NFC));
}
END_TEST

START_TEST(a_room_begins_with_a_hash_sign)
{
    struct name name;

    ck_assert_int_eq(room("tea"), NAME_BAD_FIRST);
    ck_assert_int_eq(room("&tea"), NAME_BAD_FIRST);
    ck_assert_int_eq(room(""), NAME_EMPTY);
    ck_assert_int_eq(room("#"), NAME_EMPTY);

    ck_assert_int_eq(name_check_room(slice_of("#Tea"), &name), NAME_OK);
    ck_assert(shows(&name, "#Tea"));
    ck_assert_uint_eq(name.key_len, 4);
    ck_assert_int_eq(memcmp(name.key, "#tea", 4), 0);
}
END_TEST

START_TEST(a_room_may_be_called_anything_visible)
{
    ck_assert_int_eq(room("##c"), NAME_OK);
    ck_assert_int_eq(room("#1"), NAME_OK);
    ck_assert_int_eq(room("#c++/c-*?!@"), NAME_OK);
    ck_assert_int_eq(room("#茶"), NAME_OK);
    ck_assert_int_eq(room("#🍵"), NAME_OK);
}
END_TEST

START_TEST(space_comma_and_colon_are_in_no_room)
{
    ck_assert_int_eq(room("#a b"), NAME_BAD_CHAR);
    ck_assert_int_eq(room("#a,b"), NAME_BAD_CHAR);
    ck_assert_int_eq(room("#a:b"), NAME_BAD_CHAR);
    ck_assert_int_eq(room("#a\x07"), NAME_BAD_CHAR);
}
END_TEST

START_TEST(a_room_has_at_most_64_characters)
{
    char text[ROOM_BYTES_MAX + 8] = "#";

    for (int i = 1; i < ROOM_CHARS_MAX; i++)
        strcat(text, "🍵");
    ck_assert_int_eq(room(text), NAME_OK);
    strcat(text, "x");
    ck_assert_int_eq(room(text), NAME_TOO_LONG);
}
END_TEST

START_TEST(the_longest_key_there_is_fits)
{
    char text[ROOM_BYTES_MAX + 8] = "#";
    struct name name;

    /* U+0390 folds to three characters, the most there are. */
    for (int i = 1; i < ROOM_CHARS_MAX; i++)
        strcat(text, "\xCE\x90");
    ck_assert_int_eq(name_check_room(slice_of(text), &name), NAME_OK);
    ck_assert_uint_gt(name.key_len, 0);
    ck_assert_uint_le(name.key_len, NAME_KEY_MAX);
}
END_TEST

START_TEST(a_refused_name_leaves_the_result_alone)
{
    struct name name = {.len = 77};

    ck_assert_int_eq(name_check_nick(slice_of("a b"), &name), NAME_BAD_CHAR);
    ck_assert_int_eq(name_check_room(slice_of("ab"), &name), NAME_BAD_FIRST);
    ck_assert_uint_eq(name.len, 77);
}
END_TEST

UNIT_MAIN("chat/name", any_script_may_name_a_person,
          a_nickname_has_1_to_32_characters, a_length_is_that_of_what_is_shown,
          a_megabyte_is_too_long_without_a_look,
          no_digit_mark_or_dash_begins_a_nickname,
          signs_that_protocols_need_are_in_no_nickname,
          a_nul_is_a_bad_character_and_no_end, what_has_no_ink_is_in_no_name,
          bytes_that_are_no_utf8_are_no_name, names_are_one_whatever_their_case,
          names_are_one_however_they_were_typed, a_room_begins_with_a_hash_sign,
          a_room_may_be_called_anything_visible,
          space_comma_and_colon_are_in_no_room,
          a_room_has_at_most_64_characters, the_longest_key_there_is_fits,
          a_refused_name_leaves_the_result_alone)
