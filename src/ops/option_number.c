/* SPDX-License-Identifier: BSD-2-Clause
 *
 * option_number - counts, sizes and times as people write them.
 *
 * Digits and at most one unit; no fractions, signs or sums. A number too large
 * for its type reads as the largest there is, which no range lets through, so
 * that whoever writes 99999999999G hears of the range and not of syntax.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ops/options_priv.h"

struct unit {
    const char *name;
    uint64_t worth;
};

/* Largest first, so that the first that divides a number is the shortest way
 * to write it. */
static const struct unit byte_units[] = {
    {"G",  UINT64_C(1) << 30},
    {"M",  UINT64_C(1) << 20},
    {"k",  UINT64_C(1) << 10},
    {"",   1                },
    {NULL, 0                },
};

static const struct unit duration_units[] = {
    {"d",  86400000},
    {"h",  3600000 },
    {"m",  60000   },
    {"s",  1000    },
    {"ms", 1       },
    {NULL, 0       },
};

static const struct unit count_units[] = {
    {"",   1},
    {NULL, 0},
};

static const struct unit *
units_of(enum option_kind kind)
{
    switch (kind) {
    case OPTION_BYTES:
        return byte_units;
    case OPTION_DURATION:
        return duration_units;
    case OPTION_COUNT:
    case OPTION_FLAG:
    case OPTION_CHOICE:
    case OPTION_TEXT:
    case OPTION_PATH:
        break;
    }
    return count_units;
}

static const struct unit *
find_unit(const struct unit *units, struct slice name)
{
    for (; units->name != NULL; units++)
        if (strlen(units->name) == name.len &&
            strncasecmp(units->name, name.data, name.len) == 0)
            return units;
    return NULL;
}

/* The digits at the start of *text, which is left with what follows them.
 * False when there are none. A number too large for its type comes out as
 * UINT64_MAX, which no range lets through. */
static bool
take_digits(struct slice *text, uint64_t *number)
{
    const size_t len = text->len;

    *number = 0;
    for (; text->len > 0 && *text->data >= '0' && *text->data <= '9';
         text->data++, text->len--) {
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, (uint64_t)(*text->data - '0'),
                                   number))
            *number = UINT64_MAX;
    }
    return text->len < len;
}

bool
option_parse_number(enum option_kind kind, struct slice text, uint64_t *out)
{
    const struct unit *unit;
    uint64_t number;

    if (!take_digits(&text, &number))
        return false;

    unit = find_unit(units_of(kind), text);
    if (unit == NULL && text.len == 0 && number == 0)
        unit = count_units; /* no time at all needs no unit */
    if (unit == NULL)
        return false;
    if (__builtin_mul_overflow(number, unit->worth, out))
        *out = UINT64_MAX;
    return true;
}

char *
option_format_number(enum option_kind kind, uint64_t number, char *out,
                     size_t size)
{
    const struct unit *unit = units_of(kind);

    if (number == 0)
        unit = count_units;
    while (number % unit->worth != 0)
        unit++;
    (void)snprintf(out, size, "%" PRIu64 "%s", number / unit->worth,
                   unit->name);
    return out;
}
