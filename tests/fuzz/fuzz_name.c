/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Names: whatever is typed, a name that passes keeps to its limits, is clean,
 * passes again unchanged, and its key is a key of itself.
 */
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "chat/name.h"
#include "support/fuzz.h"

typedef enum name_verdict (*check_fn)(struct slice text, struct name *out);

static struct slice
shown(const struct name *name)
{
    return slice_make(name->text, name->len);
}

static struct slice
key(const struct name *name)
{
    return slice_make(name->key, name->key_len);
}

static void
check_is_clean(const struct name *name)
{
    struct buf clean;

    buf_init(&clean);
    utf8_clean(shown(name), 0, &clean);
    ASSERT(slice_equal(slice_make(clean.data, clean.len), shown(name)));
    buf_fini(&clean);
}

static void
check_is_its_own_key(const struct name *name)
{
    struct buf folded;

    buf_init(&folded);
    ASSERT(utf8_fold(key(name), &folded) == 0);
    ASSERT(slice_equal(slice_make(folded.data, folded.len), key(name)));
    buf_fini(&folded);
}

static void
check_name(check_fn check, size_t chars_max, struct slice typed)
{
    struct name name, again;

    if (check(typed, &name) != NAME_OK)
        return;

    ASSERT(name.len > 0 && name.len <= chars_max * 4);
    ASSERT(name.key_len > 0 && name.key_len <= NAME_KEY_MAX);
    ASSERT(utf8_is_valid(shown(&name)) && utf8_is_valid(key(&name)));
    ASSERT(utf8_length(shown(&name)) <= chars_max);
    ASSERT(memchr(name.text, ' ', name.len) == NULL);
    ASSERT(memchr(name.text, ',', name.len) == NULL);
    ASSERT(memchr(name.text, ':', name.len) == NULL);
    check_is_clean(&name);
    check_is_its_own_key(&name);

    ASSERT(check(shown(&name), &again) == NAME_OK);
    ASSERT(slice_equal(shown(&name), shown(&again)));
    ASSERT(slice_equal(key(&name), key(&again)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice typed = slice_make(data, size);

    check_name(name_check_nick, NICK_CHARS_MAX, typed);
    check_name(name_check_room, ROOM_CHARS_MAX, typed);
    return 0;
}
