/* SPDX-License-Identifier: BSD-2-Clause
 *
 * options - the one table of settings.
 *
 * Each layer lists its own settings once (net/net_conf.h, chat/chat_conf.h,
 * proto/proto_conf.h); the server's are below. From the table come the reader,
 * `klatchd -t`, --dump-config, the sample in conf/ and the manual page.
 *
 * Kinds     COUNT     a whole number: 4096; 0 may mean "no limit", see help
 *           BYTES     512, 64k, 8M, 1G (powers of 1024)
 *           DURATION  250ms, 60s, 2m, 1h, 7d; kept as milliseconds
 *           FLAG      on, off (yes no true false)
 *           CHOICE    one of the words in `words`
 *           TEXT      a line of UTF-8, at most `max` bytes
 *           PATH      an absolute path; TEXT otherwise
 * Reload    LIVE      a HUP changes it for everybody at once
 *           START     at the next start; a HUP says so in the log
 */
#ifndef OPS_OPTIONS_H
#define OPS_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/slice.h"

enum option_kind {
    OPTION_COUNT,
    OPTION_BYTES,
    OPTION_DURATION,
    OPTION_FLAG,
    OPTION_CHOICE,
    OPTION_TEXT,
    OPTION_PATH,
};

enum option_reload {
    OPTION_LIVE,
    OPTION_START,
};

struct option {
    const char *section;
    const char *key;
    enum option_kind kind;
    enum option_reload reload;
    const char *def; /* as it would stand in the file */
    uint64_t min;
    uint64_t max;             /* TEXT, PATH: bytes */
    const char *const *words; /* CHOICE: ends with NULL */
    const char *help;
    size_t offset; /* of its field: uint64_t, or char[max + 1] for texts */
};

/* What stands once, in named sections of the file: offsets in struct config. */
extern const struct option options[];
extern const size_t option_count;

/* What stands in each [listen "NAME"]: offsets in struct config_listener. */
extern const struct option listen_options[];
extern const size_t listen_option_count;

/* Reads `text` as a value of `o` into the field at `base` + o->offset. 0, or
 * -EINVAL with a sentence in `why` (no field changed). */
MUST_CHECK int option_set(const struct option *o, void *base, struct slice text,
                          char *why, size_t why_size);

/* The value as it would stand in the file. Returns `out`. */
char *option_format(const struct option *o, const void *base, char *out,
                    size_t size);

/* The row of that section and key; NULL. */
const struct option *option_find(struct slice section, struct slice key);

/* The nearest of `words` to `word` when it is near enough to be a slip of the
 * hand (Damerau-Levenshtein), else NULL. */
const char *suggest(struct slice word, const char *const *words, size_t n);

#endif
