/* SPDX-License-Identifier: BSD-2-Clause
 *
 * utf8_priv - what base's own modules know about characters.
 */
#ifndef BASE_UTF8_PRIV_H
#define BASE_UTF8_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* One step through text that may be ill-formed. */
struct utf8_step {
    uint32_t c; /* meaningless when ill-formed */
    size_t len; /* bytes it takes, at least 1 */
    bool is_valid;
};

/* The character at the front of `data`, of which there is at least a byte. Bytes
 * that together have the shape of a character, and are none, are one step. */
struct utf8_step utf8_step(const char *data, size_t len);

/* May act on a terminal or a reader instead of being shown: controls, bidi
 * overrides and isolates, line and paragraph separators. */
bool utf8_is_control(uint32_t c);

/* How many bytes at the front are printable ASCII, space included. */
size_t utf8_plain_run(const char *data, size_t len);

#endif
