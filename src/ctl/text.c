/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See ctl/text.h.
 */
#include "ctl/text.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"

void
text_append(struct buf *out, struct slice text)
{
    utf8_clean(text, 0, out);
}

void
text_append_lines(struct buf *out, struct slice text)
{
    while (text.len > 0) {
        const char *const end = memchr(text.data, '\n', text.len);
        const size_t len = end != NULL ? (size_t)(end - text.data) : text.len;

        text_append(out, slice_make(text.data, len));
        if (end == NULL)
            return;
        buf_append_char(out, '\n');
        text = slice_make(end + 1, text.len - len - 1);
    }
}

void
text_append_duration(struct buf *out, uint64_t ms)
{
    const uint64_t s = ms / 1000;
    const uint64_t m = s / 60;
    const uint64_t h = m / 60;

    if (m == 0)
        buf_printf(out, "%" PRIu64 "s", s);
    else if (h == 0)
        buf_printf(out, "%" PRIu64 "m%02" PRIu64 "s", m, s % 60);
    else if (h < 24)
        buf_printf(out, "%" PRIu64 "h%02" PRIu64 "m", h, m % 60);
    else
        buf_printf(out, "%" PRIu64 "d%02" PRIu64 "h", h / 24, h % 24);
}

void
text_append_bytes(struct buf *out, uint64_t bytes)
{
    static const char units[] = "kMGTPE";
    size_t unit = 0;
    uint64_t tenths;

    if (bytes < 1024) {
        buf_printf(out, "%" PRIu64, bytes);
        return;
    }
    /* The last division by 1024 comes after the tenths, which are cut, so that
     * nothing is rounded up to the next unit. */
    while (bytes >= UINT64_C(1024) * 1024) {
        bytes /= 1024;
        unit++;
    }
    tenths = bytes * 10 / 1024;
    if (tenths < 100)
        buf_printf(out, "%" PRIu64 ".%" PRIu64 "%c", tenths / 10, tenths % 10,
                   units[unit]);
    else
        buf_printf(out, "%" PRIu64 "%c", tenths / 10, units[unit]);
}

/* ---- JSON ----------------------------------------------------------------- */

static int
clean_string(json_t *string)
{
    struct buf clean;
    int rc = -1;

    buf_init(&clean);
    text_append_lines(&clean, slice_make(json_string_value(string),
                                         json_string_length(string)));
    if (!clean.failed)
        rc = json_string_setn(string, clean.data != NULL ? clean.data : "",
                              clean.len);
    buf_fini(&clean);
    return rc < 0 ? -ENOMEM : 0;
}

static int
clean_array(json_t *array)
{
    json_t *value;
    size_t i;

    json_array_foreach(array, i, value)
    {
        if (text_clean_json(value) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int
clean_object(json_t *object)
{
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        if (text_clean_json(value) < 0)
            return -ENOMEM;
    }
    return 0;
}

int
text_clean_json(json_t *json)
{
    if (json_is_string(json))
        return clean_string(json);
    if (json_is_array(json))
        return clean_array(json);
    if (json_is_object(json))
        return clean_object(json);
    return 0;
}

/* ---- tables --------------------------------------------------------------- */

void
text_table_init(struct text_table *t, const struct text_column *columns,
                size_t n)
{
    *t = (struct text_table){.columns = columns, .column_count = n};
    buf_init(&t->text);
    buf_init(&t->cells);
}

void
text_table_fini(struct text_table *t)
{
    buf_fini(&t->text);
    buf_fini(&t->cells);
}

void
text_table_end_cell(struct text_table *t)
{
    const size_t end = t->text.len;

    buf_append(&t->cells, &end, sizeof(end));
}

static size_t
cell_end(const struct text_table *t, size_t cell)
{
    size_t end;

    memcpy(&end, t->cells.data + cell * sizeof(end), sizeof(end));
    return end;
}

static struct slice
cell_text(const struct text_table *t, size_t cell)
{
    const size_t start = cell > 0 ? cell_end(t, cell - 1) : 0;
    const size_t end = cell_end(t, cell);

    return slice_make(end > start ? t->text.data + start : "", end - start);
}

static void
pad(struct buf *out, size_t n)
{
    while (n-- > 0)
        buf_append_char(out, ' ');
}

static void
append_cell(const struct text_table *t, size_t column, size_t width,
            struct slice text, struct buf *out)
{
    const size_t space = width - utf8_width(text);
    const bool last = column + 1 == t->column_count;

    if (column > 0)
        buf_append_str(out, "  ");
    if (t->columns[column].right)
        pad(out, space);
    buf_append(out, text.data, text.len);
    if (last)
        buf_append_char(out, '\n');
    else if (!t->columns[column].right)
        pad(out, space);
}

static void
measure(const struct text_table *t, size_t cells, size_t *widths)
{
    for (size_t i = 0; i < t->column_count; i++)
        widths[i] = strlen(t->columns[i].title);
    for (size_t i = 0; i < cells; i++) {
        const size_t width = utf8_width(cell_text(t, i));

        if (width > widths[i % t->column_count])
            widths[i % t->column_count] = width;
    }
}

void
text_table_append(const struct text_table *t, struct buf *out)
{
    const size_t cells = t->cells.len / sizeof(size_t);
    size_t widths[TEXT_COLUMNS_MAX];

    if (t->text.failed || t->cells.failed) {
        out->failed = true;
        return;
    }
    measure(t, cells, widths);
    for (size_t i = 0; i < t->column_count; i++)
        append_cell(t, i, widths[i], slice_of(t->columns[i].title), out);
    for (size_t i = 0; i < cells; i++) {
        const size_t column = i % t->column_count;

        append_cell(t, column, widths[column], cell_text(t, i), out);
    }
}
