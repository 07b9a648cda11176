/* SPDX-License-Identifier: BSD-2-Clause
 *
 * options - the rows: what each layer's own table says, and where it is kept.
 *
 * Shape    The X-macros of net_conf.h, proto_conf.h, chat_conf.h and config.h
 *          are unfolded here and nowhere else into struct option. Numbers of
 *          the layers are numbers there and texts here, so that a default is
 *          read the way a file is.
 */
#include "ops/options.h"

#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "ops/config.h"
#include "ops/options_priv.h"
#include "proto/front.h"

/* clang-format off */
static const char *const log_levels[] = {
    [LOG_LEVEL_ERROR]  = "error",
    [LOG_LEVEL_WARN]   = "warn",
    [LOG_LEVEL_NOTICE] = "notice",
    [LOG_LEVEL_INFO]   = "info",
    [LOG_LEVEL_DEBUG]  = "debug",
    [LOG_LEVEL_TRACE]  = "trace",
    NULL,
};
static_assert(ARRAY_LEN(log_levels) == LOG_LEVEL_COUNT + 1, "a name each");

static const char *const log_formats[] = {
    [LOG_FORMAT_TEXT] = "text",
    [LOG_FORMAT_JSON] = "json",
    NULL,
};

/* Those that are spoken; FRONT_IRC and FRONT_HTTP come with their versions. */
static const char *const listen_protocols[] = {
    [FRONT_AUTO] = "auto",
    [FRONT_LINE] = "line",
    NULL,
};

const struct option_section option_sections[] = {
    {"server",   "what this server is called, and how it runs"},
    {"listen",   "where clients connect; a section for each such place"},
    {"limits",   "how much clients may ask for"},
    {"timeouts", "how long things may take"},
    {"session",  "what a client that lost its connection comes back to"},
    {"history",  "what a room remembers"},
    {"log",      "what is written to standard error"},
    {"admin",    "how klatchctl reaches klatchd"},
};
const size_t option_section_count = ARRAY_LEN(option_sections);

/* Where a layer's row is kept. The layers write numbers; a text of a duration
 * needs its unit. */
#define DEF_COUNT(def)    #def
#define DEF_BYTES(def)    #def
#define DEF_DURATION(def) #def "ms"

#define LAYER_ROW(layer, s, k, kind_, def_, min_, max_, reload_, help_) \
    {.section = #s, .key = #k, .kind = OPTION_##kind_, \
     .reload = OPTION_##reload_, .def = DEF_##kind_(def_), \
     .min = (min_), .max = (max_), .help = (help_), \
     .offset = offsetof(struct config, layer.s##_##k)},
#define NET_ROW(...)   LAYER_ROW(net, __VA_ARGS__)
#define PROTO_ROW(...) LAYER_ROW(proto, __VA_ARGS__)
#define CHAT_ROW(...)  LAYER_ROW(chat, __VA_ARGS__)

/* Where a row of ours is kept. */
#define FIELD_server(k) server.k
#define FIELD_log(k)    log_##k
#define FIELD_admin(k)  admin_##k

#define TEXT_ROW(type, field, s, k, kind_, def_, min_, max_, reload_, words_, help_) \
    {.section = #s, .key = #k, .kind = OPTION_##kind_, \
     .reload = OPTION_##reload_, .def = (def_), \
     .min = (min_), .max = (max_), .words = (words_), .help = (help_), \
     .offset = offsetof(type, field)},
#define SERVER_ROW(s, k, ...) \
    TEXT_ROW(struct config, FIELD_##s(k), s, k, __VA_ARGS__)
#define LISTEN_ROW(s, k, ...) \
    TEXT_ROW(struct config_listener, k, s, k, __VA_ARGS__)

const struct option options[] = {
    SERVER_OPTIONS(SERVER_ROW)
    NET_OPTIONS(NET_ROW)
    PROTO_OPTIONS(PROTO_ROW)
    CHAT_OPTIONS(CHAT_ROW)
};
const size_t option_count = ARRAY_LEN(options);
static_assert(ARRAY_LEN(options) == OPTION_TOTAL, "counted as unfolded");

const struct option listen_options[] = {
    LISTEN_OPTIONS(LISTEN_ROW)
};
const size_t listen_option_count = ARRAY_LEN(listen_options);
static_assert(ARRAY_LEN(listen_options) == LISTEN_OPTION_TOTAL, "as above");

/* A field is as large as its kind says, or option_set() would write past it.
 * (The layers' fields are all uint64_t by the macros that declare them.) */
#define SIZE_COUNT(max)    sizeof(uint64_t)
#define SIZE_BYTES(max)    sizeof(uint64_t)
#define SIZE_DURATION(max) sizeof(uint64_t)
#define SIZE_FLAG(max)     sizeof(uint64_t)
#define SIZE_CHOICE(max)   sizeof(uint64_t)
#define SIZE_TEXT(max)     ((max) + 1)
#define SIZE_PATH(max)     ((max) + 1)
#define FITS(type, field, kind, max) \
    static_assert(sizeof(((type *)NULL)->field) == SIZE_##kind(max), #field);

#define SERVER_FITS(s, k, kind, def, min, max, ...) \
    FITS(struct config, FIELD_##s(k), kind, max)
#define LISTEN_FITS(s, k, kind, def, min, max, ...) \
    FITS(struct config_listener, k, kind, max)
SERVER_OPTIONS(SERVER_FITS)
LISTEN_OPTIONS(LISTEN_FITS)
/* clang-format on */

static const struct option *
find(const struct option *rows, size_t n, struct slice section,
     struct slice key)
{
    for (size_t i = 0; i < n; i++)
        if (slice_equal(slice_of(rows[i].section), section) &&
            slice_equal(slice_of(rows[i].key), key))
            return &rows[i];
    return NULL;
}

const struct option *
option_find(struct slice section, struct slice key)
{
    return find(options, option_count, section, key);
}

const struct option *
option_find_listen(struct slice key)
{
    return find(listen_options, listen_option_count, slice_of("listen"), key);
}
