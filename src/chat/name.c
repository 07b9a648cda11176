/* SPDX-License-Identifier: BSD-2-Clause
 *
 * name - judged in the form in which it will be shown (NFC), so that what a
 * keyboard happens to send changes neither the verdict nor the length.
 *
 * Unseen   Unicode calls some letters and marks "default ignorable" (fillers,
 *          joiners, variation selectors): they have no ink. Two names that
 *          look the same must not differ by them, so they may not be in one.
 * Cost     Each command that names a room comes through here. Nearly all names
 *          are ASCII, which is its own NFC and folds byte by byte; those need
 *          no memory and no table of Unicode.
 */
#include "chat/name.h"

#include <errno.h>
#include <string.h>
#include <unictype.h>
#include <unistr.h>

#include "base/buf.h"
#include "base/utf8.h"

/* NFC makes one character of at most four, so nothing longer can become a name
 * of the permitted length; and nobody makes us normalise a megabyte. */
#define TYPED_BYTES_MAX ((size_t)ROOM_BYTES_MAX * 4)

/* What tells a nickname from a room's name. */
struct rules {
    size_t chars_max;
    char prefix; /* 0: none */
    bool (*may_contain)(ucs4_t c);
    bool (*may_begin)(ucs4_t c); /* asked of the first one behind the prefix */
};

static bool
is_letter(ucs4_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(ucs4_t c)
{
    return c >= '0' && c <= '9';
}

static bool
is_nick_sign(ucs4_t c)
{
    return c != 0 && strchr("-_[]{}\\^|`", (int)c) != NULL;
}

static bool
nick_may_contain(ucs4_t c)
{
    if (c < 0x80)
        return is_letter(c) || is_digit(c) || is_nick_sign(c);
    if (uc_is_property_default_ignorable_code_point(c))
        return false;
    return uc_is_general_category_withtable(
        c, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M | UC_CATEGORY_MASK_Nd);
}

static bool
nick_may_begin(ucs4_t c)
{
    if (c < 0x80)
        return c != '-' && !is_digit(c);
    return !uc_is_general_category_withtable(c, UC_CATEGORY_MASK_M |
                                                    UC_CATEGORY_MASK_Nd);
}

static bool
room_may_contain(ucs4_t c)
{
    if (c < 0x80)
        return c > ' ' && c < 0x7F && c != ',' && c != ':';
    if (uc_is_property_default_ignorable_code_point(c))
        return false;
    return !uc_is_general_category_withtable(c, UC_CATEGORY_MASK_C |
                                                    UC_CATEGORY_MASK_Z);
}

static bool
room_may_begin(ucs4_t c)
{
    return true;
}

static const struct rules nick_rules = {
    .chars_max = NICK_CHARS_MAX,
    .may_contain = nick_may_contain,
    .may_begin = nick_may_begin,
};

static const struct rules room_rules = {
    .chars_max = ROOM_CHARS_MAX,
    .prefix = '#',
    .may_contain = room_may_contain,
    .may_begin = room_may_begin,
};

static enum name_verdict
judge_chars(const struct rules *rules, struct slice text)
{
    const uint8_t *at = (const uint8_t *)text.data;
    size_t left = text.len;
    bool first = true;

    while (left > 0) {
        ucs4_t c;
        const int n = u8_mbtouc(&c, at, left);

        if (!rules->may_contain(c))
            return NAME_BAD_CHAR;
        if (first && !rules->may_begin(c))
            return NAME_BAD_FIRST;
        first = false;
        at += n;
        left -= (size_t)n;
    }
    return NAME_OK;
}

/* `shown` is in NFC. */
static enum name_verdict
judge(const struct rules *rules, struct slice shown)
{
    const size_t skip = rules->prefix != 0 ? 1 : 0;

    if (skip > 0 && shown.data[0] != rules->prefix)
        return NAME_BAD_FIRST;
    if (shown.len == skip)
        return NAME_EMPTY;
    if (utf8_length(shown) > rules->chars_max)
        return NAME_TOO_LONG;
    return judge_chars(rules, slice_make(shown.data + skip, shown.len - skip));
}

static enum name_verdict
verdict_of(int rc)
{
    if (rc == 0)
        return NAME_OK;
    return rc == -EILSEQ ? NAME_NOT_UTF8 : NAME_NO_MEMORY;
}

static enum name_verdict
check_with(const struct rules *rules, struct slice text, struct buf *shown,
           struct buf *key)
{
    enum name_verdict verdict;

    verdict = verdict_of(utf8_normalise(text, shown));
    if (verdict != NAME_OK)
        return verdict;
    verdict = judge(rules, slice_make(shown->data, shown->len));
    if (verdict != NAME_OK)
        return verdict;
    verdict = verdict_of(utf8_fold(slice_make(shown->data, shown->len), key));
    if (verdict != NAME_OK)
        return verdict;
    return key->len <= NAME_KEY_MAX ? NAME_OK : NAME_TOO_LONG;
}

static bool
is_ascii(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] >= 0x80)
            return false;
    }
    return true;
}

static enum name_verdict
check_ascii(const struct rules *rules, struct slice text, struct name *out)
{
    const enum name_verdict verdict = judge(rules, text);

    if (verdict != NAME_OK)
        return verdict;
    out->len = out->key_len = text.len;
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.data[i];

        out->text[i] = c;
        out->key[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    return NAME_OK;
}

static enum name_verdict
check_any(const struct rules *rules, struct slice text, struct name *out)
{
    enum name_verdict verdict;
    struct buf shown, key;

    buf_init(&shown);
    buf_init(&key);
    verdict = check_with(rules, text, &shown, &key);
    if (verdict == NAME_OK) {
        out->len = shown.len;
        memcpy(out->text, shown.data, shown.len);
        out->key_len = key.len;
        memcpy(out->key, key.data, key.len);
    }
    buf_fini(&key);
    buf_fini(&shown);
    return verdict;
}

static enum name_verdict
check(const struct rules *rules, struct slice text, struct name *out)
{
    if (text.len == 0)
        return NAME_EMPTY;
    if (text.len > TYPED_BYTES_MAX)
        return NAME_TOO_LONG;
    return is_ascii(text) ? check_ascii(rules, text, out)
                          : check_any(rules, text, out);
}

enum name_verdict
name_check_nick(struct slice text, struct name *out)
{
    return check(&nick_rules, text, out);
}

enum name_verdict
name_check_room(struct slice text, struct name *out)
{
    return check(&room_rules, text, out);
}
