/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as the value of any setting: the first byte chooses the row of the
 * table, the rest is the value. It is refused with a sentence, and nothing is
 * changed; or it is within its bounds, and what it is written as reads back as
 * the same. Also: a word that was meant is one of those there are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/utf8.h"
#include "ops/options_priv.h"
#include "support/fuzz.h"

#define KEEPS 0xA5 /* what a field is filled with before */

struct subject {
    const struct option *o;
    size_t size; /* of what the offsets are in */
};

static struct subject
choose(unsigned byte)
{
    const size_t row = byte % (option_count + listen_option_count);

    if (row < option_count)
        return (struct subject){&options[row], sizeof(struct config)};
    return (struct subject){&listen_options[row - option_count],
                            sizeof(struct config_listener)};
}

static bool
is_text(const struct option *o)
{
    return o->kind == OPTION_TEXT || o->kind == OPTION_PATH;
}

static size_t
field_size(const struct option *o)
{
    return is_text(o) ? (size_t)o->max + 1 : sizeof(uint64_t);
}

/* What it was, everywhere but in [from, from + len). */
static void
check_untouched(const unsigned char *base, size_t size, size_t from, size_t len)
{
    static unsigned char as_before[sizeof(struct config)];

    memset(as_before, KEEPS, sizeof(as_before));
    ASSERT(memcmp(base, as_before, from) == 0);
    ASSERT(memcmp(base + from + len, as_before, size - from - len) == 0);
}

static void
check_sentence(const char *why)
{
    ASSERT(*why != '\0' && strlen(why) < 1023);
}

static void
check_bounds(const struct option *o, const unsigned char *base)
{
    const char *const text = (const char *)base + o->offset;
    uint64_t number;

    if (is_text(o)) {
        ASSERT(strlen(text) >= o->min && strlen(text) <= o->max);
        ASSERT(utf8_is_valid(slice_of(text)));
        return;
    }
    memcpy(&number, text, sizeof(number));
    if (o->kind != OPTION_CHOICE)
        ASSERT(number >= o->min && number <= o->max);
}

static void
check_round_trip(const struct subject *s, const unsigned char *base)
{
    unsigned char *const again = malloc(s->size);
    char written[OPTION_VALUE_SIZE], why[1024];

    ASSERT(again != NULL);
    memset(again, KEEPS, s->size);
    option_format(s->o, base, written, sizeof(written));
    ASSERT(option_set(s->o, again, slice_of(written), why, sizeof(why)) == 0);
    if (is_text(s->o))
        ASSERT(strcmp((const char *)base + s->o->offset,
                      (const char *)again + s->o->offset) == 0);
    else
        ASSERT(memcmp(base + s->o->offset, again + s->o->offset,
                      sizeof(uint64_t)) == 0);
    free(again);
}

static void
check_value(const struct subject *s, struct slice value)
{
    unsigned char *const base = malloc(s->size);
    char why[1024] = "";
    int rc;

    ASSERT(base != NULL);
    memset(base, KEEPS, s->size);
    rc = option_set(s->o, base, value, why, sizeof(why));

    ASSERT(rc == 0 || rc == -EINVAL);
    check_untouched(base, s->size, s->o->offset,
                    rc == 0 ? field_size(s->o) : 0);
    if (rc == 0) {
        check_bounds(s->o, base);
        check_round_trip(s, base);
    } else {
        check_sentence(why);
    }
    free(base);
}

static void
check_suggestion(struct slice word)
{
    const char *keys[OPTION_TOTAL];
    const char *meant;

    for (size_t i = 0; i < option_count; i++)
        keys[i] = options[i].key;
    meant = suggest(word, keys, option_count);
    if (meant == NULL)
        return;
    for (size_t i = 0; i < option_count; i++)
        if (keys[i] == meant)
            return;
    ASSERT(false);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct subject s;
    struct slice value;

    if (size == 0)
        return 0;
    s = choose(data[0]);
    value = slice_make(data + 1, size - 1);
    check_value(&s, value);
    check_suggestion(value);
    return 0;
}
