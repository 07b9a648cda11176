/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any JSON as a server's answer: whatever klatchctl makes of it for people is
 * UTF-8 without controls but newlines, and as JSON it is one such line.
 */
#include <string.h>

#include "base/assert.h"
#include "base/compiler.h"
#include "base/utf8.h"
#include "ctl/show.h"
#include "ctl/text.h"
#include "support/fuzz.h"

static const show_fn all[] = {show_version, show_status, show_clients,
                              show_rooms, show_census};

/* Cleaning it once more changes nothing. */
static void
check_clean(const struct buf *text)
{
    struct buf again;

    buf_init(&again);
    text_append_lines(&again, slice_make(text->data, text->len));
    ASSERT(slice_equal(slice_make(again.data, again.len),
                       slice_make(text->data, text->len)));
    buf_fini(&again);
}

static void
check_people(const json_t *answer)
{
    struct buf text;

    buf_init(&text);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        all[i](answer, &text);
        check_clean(&text);
        buf_reset(&text);
    }
    buf_fini(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *const answer =
        json_loadb((const char *)data, size, JSON_ALLOW_NUL, NULL);

    if (answer == NULL)
        return 0;
    check_people(answer);
    ASSERT(text_clean_json(answer) == 0);
    check_people(answer);
    json_decref(answer);
    return 0;
}
