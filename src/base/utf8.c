/* SPDX-License-Identifier: BSD-2-Clause
 *
 * utf8 - cleaning text and making keys of it, on top of libunistring.
 *
 * Nearly all that passes here is plain ASCII. Each function handles that
 * itself and goes to libunistring only from the first other byte on, so a
 * line of chat costs a scan of eight bytes at a time and one append.
 */
#include "base/utf8.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>
#include <uniwidth.h>

#include "base/buf.h"
#include "base/utf8_priv.h"

#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

static const uint8_t *
bytes_of(const char *data)
{
    return (const uint8_t *)data;
}

static bool
is_plain(char c)
{
    return c >= 0x20 && c < 0x7F;
}

/* Whether each of eight bytes is plain. The high bit of a byte ends up set in
 * `bad` when the byte has it, is below 0x20, or is 0x7F. Borrows and carries
 * between bytes only ever begin in a byte that is bad already. */
static bool
are_plain(uint64_t eight)
{
    const uint64_t below = eight - EACH_BYTE(0x20);
    const uint64_t above = eight + EACH_BYTE(0x01);
    const uint64_t bad = eight | below | above;

    return (bad & EACH_BYTE(0x80)) == 0;
}

size_t
utf8_plain_run(const char *data, size_t len)
{
    size_t run = 0;

    while (len - run >= sizeof(uint64_t)) {
        uint64_t eight;

        memcpy(&eight, data + run, sizeof(eight));
        if (!are_plain(eight))
            break;
        run += sizeof(eight);
    }
    while (run < len && is_plain(data[run]))
        run++;
    return run;
}

struct utf8_step
utf8_step(const char *data, size_t len)
{
    struct utf8_step step = {.is_valid = true};
    ucs4_t c;
    int n;

    /* Negative for ill-formed bytes, unlike u8_mbtouc(), whose U+FFFD might
     * have been there in earnest. */
    n = u8_mbtoucr(&c, bytes_of(data), len);
    if (n < 0) {
        step.is_valid = false;
        n = u8_mbtouc(&c, bytes_of(data), len);
    }
    step.c = c;
    step.len = n > 0 ? (size_t)n : 1;
    return step;
}

bool
utf8_is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c <= 0x9F) ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

/* IRC's bold, colour, hex colour, reset, monospace, reverse, italics,
 * strikethrough and underline. */
static bool
is_formatting(uint32_t c)
{
    const uint32_t set = BIT(0x02) | BIT(0x03) | BIT(0x04) | BIT(0x0F) |
                         BIT(0x11) | BIT(0x16) | BIT(0x1D) | BIT(0x1E) |
                         BIT(0x1F);

    return c < 32 && (set & BIT(c)) != 0;
}

static bool
may_pass(uint32_t c, unsigned flags)
{
    if (!utf8_is_control(c))
        return true;
    if (c == '\t')
        return (flags & UTF8_KEEP_TABS) != 0;
    return is_formatting(c) && (flags & UTF8_KEEP_FORMATTING) != 0;
}

bool
utf8_is_valid(struct slice text)
{
    const size_t plain = utf8_plain_run(text.data, text.len);

    if (plain == text.len)
        return true;
    return u8_check(bytes_of(text.data + plain), text.len - plain) == NULL;
}

static bool
is_continuation(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

size_t
utf8_prefix(struct slice text, size_t max)
{
    size_t len = max;

    if (text.len <= max)
        return text.len;
    while (len > 0 && is_continuation(text.data[len]))
        len--;
    return len;
}

size_t
utf8_length(struct slice text)
{
    size_t length = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (!is_continuation(text.data[i]))
            length++;
    }
    return length;
}

void
utf8_clean(struct slice text, unsigned flags, struct buf *out)
{
    size_t kept = 0; /* everything before is in `out`, or dropped */
    size_t at = 0;

    if (text.len == 0)
        return; /* `data` may be NULL, to which nothing may be added */
    for (;;) {
        struct utf8_step step;

        at += utf8_plain_run(text.data + at, text.len - at);
        if (at == text.len)
            break;
        step = utf8_step(text.data + at, text.len - at);
        if (!step.is_valid || !may_pass(step.c, flags)) {
            buf_append(out, text.data + kept, at - kept);
            kept = at + step.len;
        }
        if (!step.is_valid)
            buf_append_str(out, UTF8_REPLACEMENT);
        at += step.len;
    }
    buf_append(out, text.data + kept, at - kept);
}

/* Appends what libunistring made and frees it; NULL stands for its failure,
 * which for well-formed text can only be a want of memory. */
static int
append_result(struct buf *out, uint8_t *result, size_t len)
{
    if (result == NULL)
        return -ENOMEM;
    buf_append(out, result, len);
    free(result);
    return out->failed ? -ENOMEM : 0;
}

int
utf8_normalise(struct slice text, struct buf *out)
{
    uint8_t *result;
    size_t len = 0;

    if (utf8_plain_run(text.data, text.len) == text.len) {
        buf_append(out, text.data, text.len);
        return out->failed ? -ENOMEM : 0;
    }
    if (!utf8_is_valid(text))
        return -EILSEQ;

    result =
        u8_normalize(UNINORM_NFC, bytes_of(text.data), text.len, NULL, &len);
    return append_result(out, result, len);
}

static int
fold_plain(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.data[i];

        buf_append_char(out, c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c);
    }
    return out->failed ? -ENOMEM : 0;
}

int
utf8_fold(struct slice text, struct buf *out)
{
    uint8_t *result;
    size_t len = 0;

    if (utf8_plain_run(text.data, text.len) == text.len)
        return fold_plain(text, out);
    if (!utf8_is_valid(text))
        return -EILSEQ;

    /* No language: the same key for everybody, whatever the locale. */
    result = u8_casefold(bytes_of(text.data), text.len, NULL, UNINORM_NFC, NULL,
                         &len);
    return append_result(out, result, len);
}

size_t
utf8_width(struct slice text)
{
    size_t width = 0;
    size_t at = 0;

    if (text.len == 0)
        return 0;
    /* Not u8_width(): it stops at U+0000. */
    for (;;) {
        const size_t plain = utf8_plain_run(text.data + at, text.len - at);
        struct utf8_step step;
        int columns;

        width += plain;
        at += plain;
        if (at == text.len)
            return width;
        step = utf8_step(text.data + at, text.len - at);
        columns = uc_width(step.c, "UTF-8");
        width += columns > 0 ? (size_t)columns : 0; /* controls have -1 */
        at += step.len;
    }
}
