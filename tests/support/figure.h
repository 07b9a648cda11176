/* SPDX-License-Identifier: BSD-2-Clause
 *
 * figure - how much of something a test tries: a short form for each run, and
 * the full figures for those labelled `long` ($KLATCH_LONG is set there).
 */
#ifndef SUPPORT_FIGURE_H
#define SUPPORT_FIGURE_H

#include <stdbool.h>
#include <stdlib.h>

static inline bool
figure_is_long(void)
{
    return getenv("KLATCH_LONG") != NULL;
}

static inline unsigned
figure(unsigned in_short, unsigned in_long)
{
    return figure_is_long() ? in_long : in_short;
}

#endif
