/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Text from a peer: the first byte chooses flags and a length, the rest is the
 * text. What utf8.h promises must hold for all of it.
 */
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "support/fuzz.h"

static struct slice
slice_of_buf(const struct buf *b)
{
    return slice_make(b->data, b->len);
}

/* Told from the bytes alone, which are valid UTF-8: not by the code at test. */
static bool
is_forbidden(const unsigned char *at, size_t left, unsigned flags)
{
    if (*at == '\t')
        return (flags & UTF8_KEEP_TABS) == 0;
    if (*at != 0 && strchr("\x02\x03\x04\x0F\x11\x16\x1D\x1E\x1F", *at) != NULL)
        return (flags & UTF8_KEEP_FORMATTING) == 0;
    if (*at < 0x20 || *at == 0x7F)
        return true;
    if (left >= 2 && at[0] == 0xC2)
        return at[1] <= 0x9F;
    if (left >= 3 && at[0] == 0xE2 && at[1] == 0x80)
        return at[2] >= 0xA8 && at[2] <= 0xAE;
    return left >= 3 && at[0] == 0xE2 && at[1] == 0x81 && at[2] >= 0xA6 &&
           at[2] <= 0xA9;
}

static bool
holds_forbidden(struct slice text, unsigned flags)
{
    const unsigned char *const bytes = (const unsigned char *)text.data;

    for (size_t i = 0; i < text.len; i++) {
        if (is_forbidden(bytes + i, text.len - i, flags))
            return true;
    }
    return false;
}

static void
check_prefix(struct slice text, size_t max)
{
    const size_t len = utf8_prefix(text, max);

    ASSERT(len <= max && len <= text.len);
    ASSERT(len == text.len || len + 3 >= max);
    if (text.len == 0)
        return;
    ASSERT(utf8_is_valid(slice_make(text.data, len)));
    ASSERT(utf8_is_valid(slice_make(text.data + len, text.len - len)));
}

static void
check_clean(struct slice text, unsigned flags)
{
    struct buf once, twice;

    buf_init(&once);
    buf_init(&twice);
    utf8_clean(text, flags, &once);
    utf8_clean(slice_of_buf(&once), flags, &twice);

    ASSERT(utf8_is_valid(slice_of_buf(&once)));
    ASSERT(!holds_forbidden(slice_of_buf(&once), flags));
    ASSERT(slice_equal(slice_of_buf(&once), slice_of_buf(&twice)));
    ASSERT(once.len <= 3 * text.len);
    if (utf8_is_valid(text) && !holds_forbidden(text, flags))
        ASSERT(slice_equal(text, slice_of_buf(&once)));

    buf_fini(&once);
    buf_fini(&twice);
}

static void
check_measures(struct slice text, size_t max)
{
    const size_t length = utf8_length(text);

    ASSERT(length <= text.len && text.len <= 4 * length);
    ASSERT(utf8_width(text) <= 2 * length);
    check_prefix(text, max);
}

typedef int (*transform_fn)(struct slice text, struct buf *out);

/* Doing it again changes nothing. */
static void
check_settled(transform_fn transform, const struct buf *result)
{
    struct buf again;

    buf_init(&again);
    ASSERT(utf8_is_valid(slice_of_buf(result)));
    ASSERT(transform(slice_of_buf(result), &again) == 0);
    ASSERT(slice_equal(slice_of_buf(result), slice_of_buf(&again)));
    buf_fini(&again);
}

static void
check_forms(struct slice text)
{
    const bool is_valid = utf8_is_valid(text);
    struct buf normal, key, key_of_normal;

    buf_init(&normal);
    buf_init(&key);
    buf_init(&key_of_normal);
    ASSERT((utf8_normalise(text, &normal) == 0) == is_valid);
    ASSERT((utf8_fold(text, &key) == 0) == is_valid);
    check_settled(utf8_normalise, &normal);
    check_settled(utf8_fold, &key);
    ASSERT(utf8_fold(slice_of_buf(&normal), &key_of_normal) == 0);
    ASSERT(slice_equal(slice_of_buf(&key), slice_of_buf(&key_of_normal)));

    buf_fini(&normal);
    buf_fini(&key);
    buf_fini(&key_of_normal);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text;

    if (size == 0)
        return 0;
    text = slice_make(data + 1, size - 1);

    check_clean(text, data[0] & 3u);
    check_forms(text);
    if (utf8_is_valid(text))
        check_measures(text, data[0] >> 2);
    return 0;
}
