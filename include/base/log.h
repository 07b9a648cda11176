/* SPDX-License-Identifier: BSD-2-Clause
 *
 * log - lines for the operator: one event a line, key=value or JSON.
 *
 *   LOG_INFO(LOG_CONN, "closed", LOG_F_U64("conn", id),
 *            LOG_F_STR("reason", "idle"));
 *
 *   2026-11-21T10:00:00.123Z info conn closed conn=81 reason=idle
 *   {"time":"…","level":"info","area":"conn","event":"closed","conn":81,…}
 *
 * Threads  [any]. A line is formatted by the caller and handed to the log
 *          thread through an inbox; only that thread writes, so a full pipe or
 *          a slow disk blocks nobody. More than LOG_PENDING_MAX lines waiting:
 *          new ones are dropped and counted, and the count is logged. Before
 *          log_start() and after log_stop() lines are written by the caller.
 * Bytes    Values are escaped (a control, quote, backslash or ill-formed UTF-8
 *          becomes \xNN or \u00NN), and quoted where a space or '=' needs it,
 *          so nothing a peer sends can end a line or colour a terminal. A line
 *          longer than LOG_LINE_MAX is cut between characters and ends in "…";
 *          JSON stays JSON and ends in "cut":true.
 * Repeats  Each place in the code may log LOG_SITE_BURST lines of level warn or
 *          error in LOG_SITE_WINDOW_MS; the rest is counted and told with the
 *          first line after that (skipped=N).
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/slice.h"

#define LOG_PENDING_MAX    8192u
#define LOG_SITE_BURST     10u
#define LOG_SITE_WINDOW_MS 10000u
#define LOG_LINE_MAX       2048u /* with its newline */

enum log_level {
    LOG_LEVEL_ERROR,  /* an operator must act */
    LOG_LEVEL_WARN,   /* an operator may act */
    LOG_LEVEL_NOTICE, /* start, stop, reload */
    LOG_LEVEL_INFO,   /* one line per connection's end */
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_TRACE, /* per area, switched on at run time */
};

#define LOG_LEVEL_COUNT 6

/* clang-format off */
#define LOG_AREAS(X)                                                          \
    X(MAIN, "main") X(LOOP, "loop") X(NET, "net") X(CONN, "conn")             \
    X(HUB, "hub") X(PROTO, "proto") X(CONFIG, "config") X(CONTROL, "control")
/* clang-format on */

#define LOG_AREA_ENUM(id, name) LOG_##id,
enum log_area {
    LOG_AREAS(LOG_AREA_ENUM) LOG_AREA_COUNT,
};

enum log_format {
    LOG_FORMAT_TEXT,
    LOG_FORMAT_JSON,
};

enum log_kind {
    LOG_KIND_U64,
    LOG_KIND_I64,
    LOG_KIND_SLICE,
    LOG_KIND_BOOL,
    LOG_KIND_ERRNO, /* a positive errno: error="Connection refused" */
};

struct log_field {
    const char *key; /* a literal of [a-z0-9_] */
    enum log_kind kind;
    union {
        uint64_t u64;
        int64_t i64;
        struct slice slice;
        bool boolean;
    } value;
};

/* One a call, made by the macros: the budget of repeats of that place. */
struct log_site {
    _Atomic uint64_t window_ms;
    _Atomic uint32_t count;
};

/* [any] Is a line of this level and area wanted? */
bool log_is_on(enum log_level level, enum log_area area);

/* [any] Use the macros. `event` is a literal. */
void log_write(struct log_site *site, enum log_level level, enum log_area area,
               const char *event, const struct log_field *fields, size_t n);

/* [main] Where lines go (default 2, stderr), their form, the least level. The
 * fd stays the caller's. */
void log_set_fd(int fd);
void log_set_format(enum log_format format);
void log_set_level(enum log_level level);

/* [any] Lets this area's lines through down to `level`, whatever the least
 * level is. */
void log_set_area_level(enum log_area area, enum log_level level);

/* [main] 0 or a negative errno. */
MUST_CHECK int log_start(void);

/* [main] Writes what waits, then ends the log thread. */
void log_stop(void);

/* [any] Lines lost because LOG_PENDING_MAX waited, or the fd refused them. */
uint64_t log_dropped(void);

const char *log_level_name(enum log_level level);
const char *log_area_name(enum log_area area);

/* True and *level set when `name` names a level. */
MUST_CHECK bool log_level_parse(struct slice name, enum log_level *level);

/* Formats one line, newline included, into `out` (cut at `size`); returns its
 * length. What log_write() uses; pure, so that it can be tested and fuzzed. */
size_t log_format(char *out, size_t size, enum log_format format,
                  uint64_t wall_ms, enum log_level level, enum log_area area,
                  const char *event, const struct log_field *fields, size_t n);

#define LOG_F_U64(k, v) \
    ((struct log_field){.key = (k), .kind = LOG_KIND_U64, .value.u64 = (v)})
#define LOG_F_I64(k, v) \
    ((struct log_field){.key = (k), .kind = LOG_KIND_I64, .value.i64 = (v)})
#define LOG_F_SLICE(k, v) \
    ((struct log_field){.key = (k), .kind = LOG_KIND_SLICE, .value.slice = (v)})
#define LOG_F_STR(k, v) LOG_F_SLICE(k, slice_of(v))
#define LOG_F_BOOL(k, v) \
    ((struct log_field){ \
        .key = (k), .kind = LOG_KIND_BOOL, .value.boolean = (v)})
#define LOG_F_ERRNO(v)   \
    ((struct log_field){ \
        .key = "error", .kind = LOG_KIND_ERRNO, .value.i64 = (v)})

/* For an event that has nothing to add: C17 wants one argument at least. */
#define LOG_F_NONE ((struct log_field){.key = NULL})

#define LOG_AT(level, area, event, ...)                                  \
    do {                                                                 \
        static struct log_site log_site_;                                \
                                                                         \
        if (log_is_on((level), (area))) {                                \
            const struct log_field log_fields_[] = {__VA_ARGS__};        \
                                                                         \
            log_write(&log_site_, (level), (area), (event), log_fields_, \
                      ARRAY_LEN(log_fields_));                           \
        }                                                                \
    } while (0)

#define LOG_ERROR(area, ...)  LOG_AT(LOG_LEVEL_ERROR, area, __VA_ARGS__)
#define LOG_WARN(area, ...)   LOG_AT(LOG_LEVEL_WARN, area, __VA_ARGS__)
#define LOG_NOTICE(area, ...) LOG_AT(LOG_LEVEL_NOTICE, area, __VA_ARGS__)
#define LOG_INFO(area, ...)   LOG_AT(LOG_LEVEL_INFO, area, __VA_ARGS__)
#define LOG_DEBUG(area, ...)  LOG_AT(LOG_LEVEL_DEBUG, area, __VA_ARGS__)
#define LOG_TRACE(area, ...)  LOG_AT(LOG_LEVEL_TRACE, area, __VA_ARGS__)

#endif
