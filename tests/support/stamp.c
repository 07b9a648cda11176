/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See stamp.h.
 */
#include "support/stamp.h"

#include <check.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a. */
static uint32_t
checksum(const char *text, size_t len)
{
    uint32_t sum = 2166136261u;

    for (size_t i = 0; i < len; i++)
        sum = (sum ^ (unsigned char)text[i]) * 16777619u;
    return sum;
}

void
stamp_write(char *out, const struct stamp *s, unsigned padding)
{
    int len =
        snprintf(out, STAMP_MAX, "%s %u %u ", s->room, s->sender, s->number);

    ck_assert_uint_le(padding, STAMP_PADDING_MAX);
    for (unsigned i = 0; i < padding; i++)
        out[len++] = (char)('a' + (s->number + i) % 26);
    snprintf(out + len, (size_t)(STAMP_MAX - len), " %08" PRIx32,
             checksum(out, (size_t)len));
}

bool
stamp_read(const char *text, struct stamp *out)
{
    const char *const sum = strrchr(text, ' ');

    return sscanf(text, "%15s %u %u", out->room, &out->sender, &out->number) ==
               3 &&
           sum != NULL && strlen(sum) == 9 &&
           strtoul(sum, NULL, 16) == checksum(text, (size_t)(sum - text));
}
