/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A log line with hostile values: whatever they hold, one line comes out, of
 * printable characters, that fits; and JSON that a parser takes.
 *
 * Input    form, room and time (8 bytes each), then fields: kind and value.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/utf8.h"
#include "support/fuzz.h"

#define FIELDS_MAX    8u
#define ROOM_FOR_JSON 32u /* less leaves no room for braces and "cut" */

struct input {
    const uint8_t *data;
    size_t left;
};

static unsigned
take_byte(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->data++;
}

static struct slice
take_slice(struct input *in)
{
    /* Lengths beyond a byte's, so that lines can overflow. */
    const size_t wanted = (size_t)take_byte(in) * 16;
    const size_t len = wanted < in->left ? wanted : in->left;
    const struct slice taken = slice_make(in->data, len);

    in->data += len;
    in->left -= len;
    return taken;
}

static uint64_t
take_u64(struct input *in)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < sizeof(value); i++)
        value = value << 8 | take_byte(in);
    return value;
}

static struct log_field
take_field(struct input *in, const char *key)
{
    switch (take_byte(in) % 6) {
    case 0:
        return LOG_F_U64(key, take_u64(in));
    case 1:
        return LOG_F_I64(key, (int64_t)take_u64(in));
    case 2:
        return LOG_F_BOOL(key, take_byte(in) % 2 == 0);
    case 3:
        return LOG_F_ERRNO((int)take_byte(in));
    case 4:
        return LOG_F_NONE;
    }
    return LOG_F_SLICE(key, take_slice(in));
}

static void
check_line(struct slice line)
{
    struct buf cleaned;

    ASSERT(line.len > 0 && line.data[line.len - 1] == '\n');
    line.len--;

    buf_init(&cleaned);
    utf8_clean(line, 0, &cleaned);
    ASSERT(slice_equal(line, slice_make(cleaned.data, cleaned.len)));
    buf_fini(&cleaned);
}

static void
check_json(struct slice line)
{
    /* As real: jansson's integers end at 63 bits, JSON's do not. */
    json_t *const root = json_loadb(
        line.data, line.len, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);

    ASSERT(json_is_object(root));
    json_decref(root);
}

static void
format_and_check(enum log_format format, size_t room, uint64_t wall_ms,
                 const struct log_field *fields, size_t n)
{
    char *const out = malloc(room > 0 ? room : 1); /* no longer: ASan watches */
    size_t len;

    ASSERT(out != NULL);
    len = log_format(out, room, format, wall_ms, LOG_LEVEL_INFO, LOG_CONN,
                     "closed", fields, n);
    ASSERT(len <= room);
    if (room > 0)
        check_line(slice_make(out, len));
    if (format == LOG_FORMAT_JSON && room >= ROOM_FOR_JSON)
        check_json(slice_make(out, len));
    free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const keys[FIELDS_MAX] = {"a", "b", "c", "d",
                                                 "e", "f", "g", "h"};
    struct input in = {.data = data, .left = size};
    struct log_field fields[FIELDS_MAX];
    enum log_format format;
    uint64_t wall_ms;
    size_t room;
    size_t n = 0;

    format = take_byte(&in) % 2 == 0 ? LOG_FORMAT_TEXT : LOG_FORMAT_JSON;
    room = take_u64(&in) % (LOG_LINE_MAX + 1);
    wall_ms = take_u64(&in);
    for (; n < FIELDS_MAX && in.left > 0; n++)
        fields[n] = take_field(&in, keys[n]);

    format_and_check(format, room, wall_ms, fields, n);
    return 0;
}
