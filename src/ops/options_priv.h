/* SPDX-License-Identifier: BSD-2-Clause
 *
 * options_priv - what the files of ops/ share about the table of settings.
 */
#ifndef OPS_OPTIONS_PRIV_H
#define OPS_OPTIONS_PRIV_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/slice.h"
#include "ops/config.h"
#include "ops/options.h"

/* How many rows there are, for arrays that go along with the table. */
#define OPTIONS_PLUS_ONE(...) +1
enum {
    OPTION_TOTAL =
        0 SERVER_OPTIONS(OPTIONS_PLUS_ONE) NET_OPTIONS(OPTIONS_PLUS_ONE)
            PROTO_OPTIONS(OPTIONS_PLUS_ONE) CHAT_OPTIONS(OPTIONS_PLUS_ONE),
    LISTEN_OPTION_TOTAL = 0 LISTEN_OPTIONS(OPTIONS_PLUS_ONE),
};

/* A text in the file may be as long as the longest, and has a NUL. */
#define OPTION_VALUE_SIZE (CONFIG_TEXT_MAX + 1)

struct option_section {
    const char *name;
    const char *help; /* one line */
};

/* In the order in which the sample shows them. [listen "NAME"] is among them,
 * as "listen". */
extern const struct option_section option_sections[];
extern const size_t option_section_count;

/* The row of [listen "NAME"] with that key; NULL. */
const struct option *option_find_listen(struct slice key);

/* 512, 64k, 250ms. False when `text` is no number of that kind; its range is
 * the caller's business. */
MUST_CHECK bool option_parse_number(enum option_kind kind, struct slice text,
                                    uint64_t *out);

/* The shortest way to write it. Returns `out`. */
char *option_format_number(enum option_kind kind, uint64_t number, char *out,
                           size_t size);

/* What may be written, in words: "a number from 0 to 128". Returns `out`. */
char *option_describe(const struct option *o, char *out, size_t size);

/* For sentences that quote what somebody wrote: printf's "%.*s%s". */
#define QUOTED_ARG(s) (int)quoted_len(s), (s).data, quoted_tail(s)
size_t quoted_len(struct slice text);
const char *quoted_tail(struct slice text);

/* Without the blanks and tabs at both ends. */
struct slice strip_blanks(struct slice text);

#endif
