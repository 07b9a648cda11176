/* SPDX-License-Identifier: BSD-2-Clause
 *
 * control_json - what the answers are made of.
 *
 * Bytes    Names and texts from clients are clean already; what comes from
 *          configuration files and from strerror(3) need not be UTF-8 at all,
 *          which jansson refuses. So texts are cleaned here, whoever wrote
 *          them.
 */
#include <string.h>

#include "base/utf8.h"
#include "ops/control_priv.h"

json_t *
control_ok(void)
{
    return json_pack("{s:b}", "ok", 1);
}

static void
clean_line(struct slice line, struct buf *out)
{
    utf8_clean(line, UTF8_KEEP_FORMATTING | UTF8_KEEP_TABS, out);
}

static void
clean_lines(struct slice text, struct buf *out)
{
    while (text.len > 0) {
        const char *const end = memchr(text.data, '\n', text.len);
        const size_t len = end != NULL ? (size_t)(end - text.data) : text.len;

        clean_line(slice_make(text.data, len), out);
        if (end == NULL)
            return;
        buf_append_char(out, '\n');
        text = slice_make(end + 1, text.len - len - 1);
    }
}

json_t *
control_json_text(struct slice text, bool keep_lines)
{
    json_t *json = NULL;
    struct buf clean;

    buf_init(&clean);
    if (keep_lines)
        clean_lines(text, &clean);
    else
        clean_line(text, &clean);
    if (!clean.failed)
        json = json_stringn(clean.data != NULL ? clean.data : "", clean.len);
    buf_fini(&clean);
    return json;
}

static int
append_chunk(const char *data, size_t len, void *out)
{
    buf_append(out, data, len);
    return 0;
}

void
control_json_append(json_t *value, struct buf *out)
{
    if (value == NULL ||
        json_dump_callback(value, append_chunk, out, JSON_COMPACT) < 0)
        out->failed = true;
    json_decref(value);
}
