/* SPDX-License-Identifier: BSD-2-Clause
 *
 * config_read - the lines of a file, through libinih.
 *
 * Shape    libinih asks next_line() for lines and hands each `key = value`
 *          back to on_setting() before it asks for the next. It gives no line
 *          numbers and mends much in silence; so we count here, and show it
 *          only lines that it cannot misunderstand:
 *
 *            libinih alone would               but here
 *            take the rest of a line behind    a setting longer than
 *            byte 199 for another line         CONFIG_LINE_MAX is refused
 *            take an indented line for more    blanks at both ends are gone
 *            of the value above it             before it looks
 *            stop a line at a NUL              such a line is refused
 *            cut a section's name at byte 49,  on_section() opens sections and
 *            drop what stands behind its `]`,  libinih sees none
 *            not tell of empty ones
 *            tell only the first bad line      a line for which no setting came
 *                                              back is a bad line
 *
 * Memory   Lines are slices of the caller's text until libinih copies them.
 */
#include <ini.h>
#include <string.h>

#include "base/assert.h"
#include "base/utf8.h"
#include "ops/config_priv.h"

struct lines {
    struct config_loader *loader;
    const struct config_file *file; /* NULL: may not include */
    struct slice rest;
    struct config_origin at;
    struct config_place place;
    bool awaits_setting; /* from the line libinih was given last */
};

static bool
is_comment(struct slice line)
{
    return line.data[0] == ';' || line.data[0] == '#';
}

/* The next line without its ending, LF or CR LF. */
static struct slice
cut_line(struct slice *rest)
{
    const char *const lf = memchr(rest->data, '\n', rest->len);
    const size_t len = lf == NULL ? rest->len : (size_t)(lf - rest->data);
    struct slice line = {.data = rest->data, .len = len};

    rest->data += lf == NULL ? len : len + 1;
    rest->len -= lf == NULL ? len : len + 1;
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* Would cleaning it for a terminal change it? Such a line reads differently
 * from what it says. */
static bool
has_controls(struct config_loader *l, struct slice line)
{
    struct buf clean;
    bool has;

    buf_init(&clean);
    utf8_clean(line, UTF8_KEEP_TABS, &clean);
    l->no_memory |= clean.failed;
    has = clean.len != line.len;
    buf_fini(&clean);
    return has;
}

/* Complains about a line that is not text. */
static bool
is_text(struct lines *in, struct slice line)
{
    const char *fault = NULL;

    if (line.len == 0)
        return true;
    if (memchr(line.data, '\0', line.len) != NULL)
        fault = "a NUL byte; the file must be UTF-8";
    else if (!utf8_is_valid(line))
        fault = "not UTF-8";
    else if (has_controls(in->loader, line))
        fault = "a control character";

    if (fault != NULL)
        config_error(in->loader, &in->at, "%s", fault);
    return fault == NULL;
}

/* -- sections --------------------------------------------------------------- */

/* What is between the brackets; false when `line` is not a whole header. */
static bool
parse_header(struct slice line, struct slice *name)
{
    const char *const end = memchr(line.data, ']', line.len);
    struct slice behind;

    if (end == NULL)
        return false;
    *name = slice_make(line.data + 1, (size_t)(end - line.data) - 1);
    behind = strip_blanks(slice_make(end + 1, line.len - name->len - 2));
    return behind.len == 0 || is_comment(behind);
}

static void
on_section(struct lines *in, struct slice line)
{
    struct slice name;

    in->place = (struct config_place){.kind = CONFIG_IGNORED};
    if (!parse_header(line, &name))
        config_error(in->loader, &in->at,
                     "a section is written [name], alone on its line");
    else if (name.len > CONFIG_SECTION_MAX)
        config_error(in->loader, &in->at,
                     "the section's name is longer than %u bytes",
                     CONFIG_SECTION_MAX);
    else
        in->place = config_open_section(in->loader, &in->at, name);
}

/* -- settings --------------------------------------------------------------- */

/* libinih's handler; 1: go on. `section` is empty, because it sees none. */
static int
on_setting(void *arg, const char *section, const char *key, const char *value)
{
    struct lines *const in = arg;

    (void)section;
    if (value == NULL) /* built to let `key` stand alone: an error to us */
        return 1;

    in->awaits_setting = false;
    if (strcmp(key, "include") != 0)
        config_set_key(in->loader, &in->at, in->place, slice_of(key),
                       slice_of(value));
    else if (in->file == NULL)
        config_error(in->loader, &in->at, "include: there is no file here");
    else
        config_include(in->loader, in->file, &in->at, slice_of(value));
    return 1;
}

/* Whether libinih should see it. */
static bool
is_setting(struct lines *in, struct slice line)
{
    if (line.len == 0 || is_comment(line))
        return false;
    if (line.data[0] == '[') {
        on_section(in, line);
        return false;
    }
    if (line.len > CONFIG_LINE_MAX) {
        config_error(in->loader, &in->at, "the line is longer than %u bytes",
                     CONFIG_LINE_MAX);
        return false;
    }
    return true;
}

static void
complain_if_unread(struct lines *in)
{
    if (in->awaits_setting)
        config_error(in->loader, &in->at,
                     "not `key = value`, [section] or a comment");
    in->awaits_setting = false;
}

/* libinih's reader, fgets(3) by its shape. NULL ends the file. */
static char *
next_line(char *out, int size, void *arg)
{
    struct lines *const in = arg;

    ASSERT((size_t)size > CONFIG_LINE_MAX); /* as libinih is built anywhere */

    complain_if_unread(in);
    while (in->rest.len > 0) {
        const struct slice whole = cut_line(&in->rest);
        const struct slice line = strip_blanks(whole);

        in->at.line++;
        if (!is_text(in, whole) || !is_setting(in, line))
            continue;

        in->awaits_setting = true;
        memcpy(out, line.data, line.len);
        out[line.len] = '\0';
        return out;
    }
    return NULL;
}

/* -- all of it -------------------------------------------------------------- */

/* Editors of other systems begin a UTF-8 file with one. */
static struct slice
skip_byte_order_mark(struct slice text)
{
    static const char mark[] = {'\xEF', '\xBB', '\xBF'};

    if (text.len >= sizeof(mark) && memcmp(text.data, mark, sizeof(mark)) == 0)
        return slice_make(text.data + sizeof(mark), text.len - sizeof(mark));
    return text;
}

void
config_read_lines(struct config_loader *l, const struct config_file *file,
                  const char *name, struct slice text)
{
    struct lines in = {
        .loader = l,
        .file = file,
        .rest = skip_byte_order_mark(text),
        .at = {.name = name},
        .place = {.kind = CONFIG_NOWHERE},
    };

    /* Its verdict is the number of the first bad line, which we have told; -2
     * where it was built to take its line from the heap and there is none. */
    if (ini_parse_stream(next_line, &in, on_setting, &in) == -2)
        l->no_memory = true;
}
