/* SPDX-License-Identifier: BSD-2-Clause
 *
 * name - which nicknames and room names there may be, and when two are one.
 *
 * Nickname  1-32 characters: letters, marks and digits of any script and the
 *           signs - _ [ ] { } \ ^ | `. Not first: a digit, a mark, `-`. (What
 *           IRC messages need to be told apart by: RFC 2812 section 2.3.1.)
 * Room      `#`, then 1-63 characters of anything visible but space, comma,
 *           colon and what utf8_clean() removes.
 * Sameness  NFC-normalised and case-folded, any script: Straße, STRASSE.
 *           What is shown is the NFC form of what was typed.
 */
#ifndef CHAT_NAME_H
#define CHAT_NAME_H

#include "base/compiler.h"
#include "base/slice.h"

#define NICK_CHARS_MAX 32
#define NICK_BYTES_MAX (NICK_CHARS_MAX * 4)
#define ROOM_CHARS_MAX 64
#define ROOM_BYTES_MAX (ROOM_CHARS_MAX * 4)

/* A folded name can be longer than the name: Unicode's full case folding makes
 * at most three characters of one. */
#define NAME_KEY_MAX (ROOM_BYTES_MAX * 3)

enum name_verdict {
    NAME_OK,
    NAME_EMPTY,
    NAME_TOO_LONG,
    NAME_BAD_CHAR,  /* a character that may not be in it */
    NAME_BAD_FIRST, /* a character that may not begin it */
    NAME_NOT_UTF8,
    NAME_NO_MEMORY,
};

/* A checked name: what is shown, and what it is compared by. */
struct name {
    size_t len;
    size_t key_len;
    char text[ROOM_BYTES_MAX];
    char key[NAME_KEY_MAX];
};

/* Fills *out only when NAME_OK. */
enum name_verdict name_check_nick(struct slice text, struct name *out);
enum name_verdict name_check_room(struct slice text, struct name *out);

#endif
