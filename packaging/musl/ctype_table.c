/* SPDX-License-Identifier: BSD-2-Clause
 *
 * ctype_table - the one thing of glibc that Debian's libinih.a asks for and
 * musl has not: the table behind isspace(). See libinih in ../musl.sh.
 */
#include <ctype.h>

#define LOWEST   (-128)
#define COUNT    384
#define IS_SPACE 0x2000 /* glibc's bit, on a little-endian machine */

const unsigned short **__ctype_b_loc(void);

static unsigned short bits[COUNT];
static const unsigned short *table;

__attribute__((constructor)) static void
fill(void)
{
    for (int c = 0; c <= 127; c++)
        if (isspace(c))
            bits[c - LOWEST] = IS_SPACE;
    table = bits - LOWEST;
}

const unsigned short **
__ctype_b_loc(void)
{
    return &table;
}
