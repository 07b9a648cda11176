/* SPDX-License-Identifier: BSD-2-Clause
 *
 * stamp - what a message of a test says of itself, so that one lost, doubled,
 * torn, misled or out of order is seen by whoever hears it.
 *
 *   ROOM SENDER NUMBER padding CHECKSUM
 */
#ifndef SUPPORT_STAMP_H
#define SUPPORT_STAMP_H

#include <stdbool.h>

#define STAMP_PADDING_MAX 2048
#define STAMP_MAX         (STAMP_PADDING_MAX + 80) /* with its NUL */

struct stamp {
    char room[16];
    unsigned sender;
    unsigned number; /* of this sender, from 1 on */
};

/* `out` has STAMP_MAX bytes; `padding` bytes of it mean nothing. */
void stamp_write(char *out, const struct stamp *s, unsigned padding);

/* Looks for it at `text`; false when it is not whole. */
bool stamp_read(const char *text, struct stamp *out);

#endif
