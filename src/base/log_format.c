/* SPDX-License-Identifier: BSD-2-Clause
 *
 * log_format - a record as one line of key=value text or of JSON.
 *
 * Shape    A line is built of units that are written whole or not at all: the
 *          head, a key with its sign, a number, a character with its escape.
 *          The first unit that does not fit cuts the line, and from there on
 *          only the tail is written, for which room is kept all the time. So a
 *          cut line splits no character and no escape, and cut JSON parses.
 * Bytes    Nothing but printable characters comes out. What is not printable,
 *          the quote and the backslash are escaped, so a value means one thing
 *          whether it is quoted or not:
 *
 *                                     text      JSON
 *            below 80, or ill-formed  \xNN      \u00NN
 *            other controls           \uNNNN    \uNNNN
 */
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/log_priv.h"
#include "base/utf8_priv.h"

#define ELLIPSIS  "\xE2\x80\xA6"
#define TEXT_TAIL ELLIPSIS "\n"
#define JSON_TAIL ELLIPSIS "\",\"cut\":true}\n"

#define LAST_MS UINT64_C(253402300799999) /* of the year 9999 */

static_assert(sizeof(JSON_TAIL) >= sizeof(TEXT_TAIL), "room for either tail");

struct line {
    char *out;
    size_t len;
    size_t room; /* for all but the tail */
    enum log_format format;
    bool is_cut;
    bool cut_in_string;
};

static_assert(LOG_LEVEL_TRACE + 1 == LOG_LEVEL_COUNT, "levels are counted");

const char *
log_level_name(enum log_level level)
{
    switch (level) {
    case LOG_LEVEL_ERROR:
        return "error";
    case LOG_LEVEL_WARN:
        return "warn";
    case LOG_LEVEL_NOTICE:
        return "notice";
    case LOG_LEVEL_INFO:
        return "info";
    case LOG_LEVEL_DEBUG:
        return "debug";
    case LOG_LEVEL_TRACE:
        return "trace";
    }
    return "?";
}

bool
log_level_parse(struct slice name, enum log_level *level)
{
    for (unsigned i = 0; i < LOG_LEVEL_COUNT; i++) {
        const enum log_level candidate = (enum log_level)i;

        if (slice_equal(name, slice_of(log_level_name(candidate)))) {
            *level = candidate;
            return true;
        }
    }
    return false;
}

#define LOG_AREA_NAME(id, name) [LOG_##id] = (name),

const char *
log_area_name(enum log_area area)
{
    static const char *const names[] = {LOG_AREAS(LOG_AREA_NAME)};

    static_assert(ARRAY_LEN(names) == LOG_AREA_COUNT, "a name for each area");
    return (size_t)area < ARRAY_LEN(names) ? names[area] : "?";
}

static void
add(struct line *l, const char *unit, size_t len)
{
    if (l->is_cut)
        return;
    if (len > l->room - l->len) {
        l->is_cut = true;
        return;
    }
    memcpy(l->out + l->len, unit, len);
    l->len += len;
}

static void
add_str(struct line *l, const char *unit)
{
    add(l, unit, strlen(unit));
}

/* One unit of at most 127 bytes. */
PRINTF_LIKE(2, 3)
static void
add_printf(struct line *l, const char *fmt, ...)
{
    char unit[128];
    va_list args;
    int len;

    va_start(args, fmt);
    len = vsnprintf(unit, sizeof(unit), fmt, args);
    va_end(args);
    ASSERT(len >= 0 && (size_t)len < sizeof(unit));
    add(l, unit, (size_t)len);
}

static void
add_escape(struct line *l, uint32_t c, bool is_byte)
{
    if (l->format == LOG_FORMAT_TEXT && (is_byte || c < 0x80))
        add_printf(l, "\\x%02" PRIx32, c);
    else
        add_printf(l, "\\u%04" PRIx32, c);
}

static void
add_escaped(struct line *l, struct slice value)
{
    size_t at = 0;

    while (at < value.len && !l->is_cut) {
        const char *const here = value.data + at;
        const struct utf8_step step = utf8_step(here, value.len - at);

        if (!step.is_valid) {
            add_escape(l, (unsigned char)*here, true);
            at++; /* each byte of a broken sequence is shown */
            continue;
        }
        if (utf8_is_control(step.c) || step.c == '"' || step.c == '\\')
            add_escape(l, step.c, false);
        else
            add(l, here, step.len);
        at += step.len;
    }
}

static bool
needs_quotes(struct slice value)
{
    return value.len == 0 || memchr(value.data, ' ', value.len) != NULL ||
           memchr(value.data, '=', value.len) != NULL;
}

/* ` key=` or `,"key":` and what follows it as one unit. */
static void
add_key(struct line *l, const char *key, const char *value)
{
    if (l->format == LOG_FORMAT_TEXT)
        add_printf(l, " %s=%s", key, value);
    else
        add_printf(l, "%s\"%s\":%s", l->len > strlen("{") ? "," : "", key,
                   value);
}

static void
add_string(struct line *l, const char *key, struct slice value)
{
    if (l->format == LOG_FORMAT_TEXT && !needs_quotes(value)) {
        add_key(l, key, "");
        add_escaped(l, value);
        return;
    }

    add_key(l, key, "\"");
    if (l->is_cut)
        return;
    add_escaped(l, value);
    add_str(l, "\"");
    l->cut_in_string = l->is_cut;
}

static void
add_number(struct line *l, const char *key, uint64_t magnitude, bool is_below_0)
{
    char digits[24];

    (void)snprintf(digits, sizeof(digits), "%s%" PRIu64, is_below_0 ? "-" : "",
                   magnitude);
    add_key(l, key, digits);
}

static void
add_field(struct line *l, const struct log_field *f)
{
    switch (f->kind) {
    case LOG_KIND_U64:
        add_number(l, f->key, f->value.u64, false);
        break;
    case LOG_KIND_I64:
        if (f->value.i64 < 0)
            add_number(l, f->key, 0 - (uint64_t)f->value.i64, true);
        else
            add_number(l, f->key, (uint64_t)f->value.i64, false);
        break;
    case LOG_KIND_SLICE:
        add_string(l, f->key, f->value.slice);
        break;
    case LOG_KIND_BOOL:
        add_key(l, f->key, f->value.boolean ? "true" : "false");
        break;
    case LOG_KIND_ERRNO:
        /* Needs no lock and no buffer of ours: since 2.32 glibc keeps what it
         * must make up a thread, and musl returns constants. */
        add_string(l, f->key, slice_of(strerror((int)f->value.i64)));
        break;
    }
}

/* 2026-11-21T10:00:00.123Z */
static void
format_time(char *out, size_t size, uint64_t wall_ms)
{
    const uint64_t ms = wall_ms <= LAST_MS ? wall_ms : LAST_MS;
    const time_t seconds = (time_t)(ms / 1000);
    size_t len;
    struct tm tm;

    ASSERT(gmtime_r(&seconds, &tm) != NULL);
    len = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(out + len, size - len, ".%03uZ", (unsigned)(ms % 1000));
}

static void
add_head(struct line *l, const struct log_record *r)
{
    char when[32];

    format_time(when, sizeof(when), r->wall_ms);
    if (l->format == LOG_FORMAT_TEXT) {
        add_printf(l, "%s %s %s ", when, log_level_name(r->level),
                   log_area_name(r->area));
        add_escaped(l, slice_of(r->event));
        return;
    }
    add_str(l, "{");
    add_string(l, "time", slice_of(when));
    add_string(l, "level", slice_of(log_level_name(r->level)));
    add_string(l, "area", slice_of(log_area_name(r->area)));
    add_string(l, "event", slice_of(r->event));
}

static const char *
tail_for(const struct line *l)
{
    if (l->format == LOG_FORMAT_TEXT)
        return l->is_cut ? TEXT_TAIL : "\n";
    if (!l->is_cut)
        return "}\n";
    if (l->cut_in_string)
        return JSON_TAIL;
    return l->len > strlen("{") ? ",\"cut\":true}\n" : "\"cut\":true}\n";
}

size_t
log_format_record(char *out, size_t size, enum log_format format,
                  const struct log_record *r)
{
    const size_t tail_max = strlen(JSON_TAIL);
    struct line l = {.out = out, .format = format};
    const char *tail;

    if (size <= tail_max) { /* says nothing, but remains one line */
        if (size > 0)
            out[0] = '\n';
        return size > 0 ? 1 : 0;
    }

    l.room = size - tail_max;
    add_head(&l, r);
    for (size_t i = 0; i < r->n; i++) {
        if (r->fields[i].key != NULL) /* LOG_F_NONE */
            add_field(&l, &r->fields[i]);
    }
    if (r->skipped > 0)
        add_number(&l, "skipped", r->skipped, false);

    tail = tail_for(&l);
    memcpy(out + l.len, tail, strlen(tail));
    return l.len + strlen(tail);
}

size_t
log_format(char *out, size_t size, enum log_format format, uint64_t wall_ms,
           enum log_level level, enum log_area area, const char *event,
           const struct log_field *fields, size_t n)
{
    const struct log_record r = {
        .wall_ms = wall_ms,
        .level = level,
        .area = area,
        .event = event,
        .fields = fields,
        .n = n,
    };

    return log_format_record(out, size, format, &r);
}
