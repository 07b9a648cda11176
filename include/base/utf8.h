/* SPDX-License-Identifier: BSD-2-Clause
 *
 * utf8 - text that is safe to put on somebody else's terminal.
 *
 * All of Unicode comes from libunistring; what is here is which characters we
 * let through. Text is UTF-8 of a known length, never NUL-terminated.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/slice.h"

struct buf;

/* Well-formed UTF-8 (Unicode 15, table 3-7), and nothing cut at the end. */
bool utf8_is_valid(struct slice text);

/* The longest prefix of at most `max` bytes that splits no character. `text`
 * must be valid. */
size_t utf8_prefix(struct slice text, size_t max);

/* Characters (code points) in valid text. */
size_t utf8_length(struct slice text);

enum utf8_clean_flags {
    UTF8_KEEP_FORMATTING = BIT(0), /* IRC's bold, colour … : 02 03 04 0F 11 16
                                      1D 1E 1F */
    UTF8_KEEP_TABS = BIT(1),
};

/* Appends `text` to `out` without what must not reach a terminal: C0 and C1
 * controls, DEL, bidirectional overrides and isolates (U+202A-202E, U+2066-
 * 2069), line and paragraph separators; each ill-formed sequence becomes one
 * U+FFFD. The result is valid UTF-8. */
void utf8_clean(struct slice text, unsigned flags, struct buf *out);

/* 0 and the NFC form appended to `out`, or -EILSEQ, -ENOMEM. */
MUST_CHECK int utf8_normalise(struct slice text, struct buf *out);

/* 0 and a key appended to `out` that two texts share exactly when they look
 * the same but for case (NFC, full case folding, NFC again), or -EILSEQ,
 * -ENOMEM. */
MUST_CHECK int utf8_fold(struct slice text, struct buf *out);

/* Columns on a terminal (East Asian width counted). `text` must be valid. */
size_t utf8_width(struct slice text);

#endif
