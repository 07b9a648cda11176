/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any line as an operator's request: what is taken for one is whole and UTF-8,
 * and what is not is answered by a sentence that is one line of JSON.
 */
#include <string.h>

#include "base/assert.h"
#include "base/utf8.h"
#include "ops/control_priv.h"
#include "support/fuzz.h"

static void
check_request(const struct control_request *r)
{
    ASSERT(r->command.len > 0 && utf8_is_valid(r->command));
    ASSERT(utf8_is_valid(r->as));
    ASSERT(r->argc <= CONTROL_ARGS_MAX);
    for (size_t i = 0; i < r->argc; i++)
        ASSERT(utf8_is_valid(r->args[i]));
}

static void
check_sentence(const char *why)
{
    struct buf line;

    ASSERT(*why != '\0');
    buf_init(&line);
    control_json_append(
        json_pack("{s:o}", "error", control_json_text(slice_of(why), true)),
        &line);
    ASSERT(!line.failed && memchr(line.data, '\n', line.len) == NULL);
    ASSERT(utf8_is_valid(slice_make(line.data, line.len)));
    buf_fini(&line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct control_request r;
    char why[256] = "";

    if (size == 0)
        return 0; /* an empty line asks nothing */
    if (control_request_parse(slice_make(data, size), &r, why, sizeof(why)) <
        0) {
        check_sentence(why);
        return 0;
    }
    check_request(&r);
    control_request_fini(&r);
    return 0;
}
