/* SPDX-License-Identifier: BSD-2-Clause
 *
 * suggest - which of these words was meant.
 *
 * Shape    The Damerau-Levenshtein distance in its restricted form (optimal
 *          string alignment): letters put in, left out, wrong, and neighbours
 *          swapped count one each. Three rows of the usual matrix are kept,
 *          the third because a swap looks two rows back. Case does not count:
 *          who writes SendQ knows what they mean.
 */
#include "ops/options.h"

#include <ctype.h>
#include <string.h>

#define WORD_MAX 63u

static bool
is_same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static unsigned
least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Row i of the matrix is kept at rows[i % 3]: how far the first `i` letters of
 * `a` are from each beginning of `b`. */
struct matrix {
    struct slice a;
    struct slice b;
    unsigned rows[3][WORD_MAX + 1];
};

static void
fill_row(struct matrix *m, size_t i)
{
    const unsigned *const before = m->rows[(i + 2) % 3];
    const unsigned *const before_that = m->rows[(i + 1) % 3];
    const char *const a = m->a.data;
    const char *const b = m->b.data;
    unsigned *const row = m->rows[i % 3];

    row[0] = (unsigned)i;
    for (size_t j = 1; j <= m->b.len; j++) {
        const unsigned wrong = is_same(a[i - 1], b[j - 1]) ? 0 : 1;

        row[j] = least(before[j] + 1, row[j - 1] + 1);
        row[j] = least(row[j], before[j - 1] + wrong);
        if (i > 1 && j > 1 && is_same(a[i - 1], b[j - 2]) &&
            is_same(a[i - 2], b[j - 1]))
            row[j] = least(row[j], before_that[j - 2] + 1);
    }
}

static unsigned
distance(struct slice a, struct slice b)
{
    struct matrix m = {.a = a, .b = b};

    for (size_t j = 0; j <= b.len; j++)
        m.rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a.len; i++)
        fill_row(&m, i);
    return m.rows[a.len % 3][b.len];
}

/* How many slips a word of that length may hold: one in three letters, and
 * never as many as it has. */
static unsigned
slips_in(size_t len)
{
    if (len < 2)
        return 0;
    return len < 6 ? 1 : least((unsigned)len / 3, 3);
}

const char *
suggest(struct slice word, const char *const *words, size_t n)
{
    unsigned nearest = slips_in(word.len) + 1;
    const char *best = NULL;

    if (word.len > WORD_MAX)
        return NULL;

    for (size_t i = 0; i < n; i++) {
        const struct slice other = slice_of(words[i]);
        unsigned far;

        if (other.len > WORD_MAX)
            continue;
        far = distance(word, other);
        if (far < nearest) {
            nearest = far;
            best = words[i];
        }
    }
    return best;
}
