/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fuzz_config - any bytes as a config file, and as the environment.
 *
 * Input    The file; what follows a line `;;env` is variables, a line each.
 * Holds    It is refused with a reason or taken. What is said is text that a
 *          terminal can be shown. What is taken is written as a file that reads
 *          back as the same.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/utf8.h"
#include "ops/config_priv.h"
#include "support/fuzz.h"

#define VARIABLES_MAX 15u
#define MARK          "\n;;env\n"

struct input {
    struct slice file;
    char *variables; /* the rest, NULs for newlines */
    char *env[VARIABLES_MAX + 1];
};

static void
input_init(struct input *in, const uint8_t *data, size_t size)
{
    const char *const mark = memmem(data, size, MARK, strlen(MARK));
    char *rest;
    size_t n = 0;

    *in = (struct input){.file = slice_make(data, size)};
    if (mark == NULL)
        return;

    in->file.len = (size_t)(mark - in->file.data);
    in->variables =
        strndup(mark + strlen(MARK), size - in->file.len - strlen(MARK));
    ASSERT(in->variables != NULL);
    rest = in->variables;
    while (n < VARIABLES_MAX && rest != NULL)
        in->env[n++] = strsep(&rest, "\n");
}

static void
input_fini(struct input *in)
{
    free(in->variables);
}

/* Lines of clean text, and not too many of them. */
static void
check_errors(const struct buf *errors)
{
    struct slice rest = slice_make(errors->data, errors->len);
    size_t lines = 0;

    ASSERT(errors->len == 0 || errors->data[errors->len - 1] == '\n');
    while (rest.len > 0) {
        const char *const end = memchr(rest.data, '\n', rest.len);
        const struct slice line =
            slice_make(rest.data, (size_t)(end - rest.data));
        struct buf clean;

        buf_init(&clean);
        utf8_clean(line, 0, &clean);
        ASSERT(slice_equal(slice_make(clean.data, clean.len), line));
        buf_fini(&clean);
        rest = slice_make(end + 1, rest.len - line.len - 1);
        lines++;
    }
    ASSERT(lines <= 2 * CONFIG_COMPLAINTS_MAX + 2);
}

static void
on_change(void *arg, const char *section, const char *key, bool live,
          const char *was, const char *is)
{
    ASSERT(section == NULL); /* nothing may be reported */
}

/* What `conf` is written as reads back as `conf`, without a word. */
static void
check_round_trip(const struct config *conf)
{
    struct buf text, errors;
    struct config *again;
    int rc;

    buf_init(&text);
    buf_init(&errors);
    config_dump(conf, &text);
    rc = config_load_text("dump", slice_make(text.data, text.len), NULL, &again,
                          &errors);

    ASSERT(rc == 0 && errors.len == 0);
    config_compare(conf, again, on_change, NULL);
    config_compare(again, conf, on_change, NULL);

    config_destroy(again);
    buf_fini(&text);
    buf_fini(&errors);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *conf = NULL;
    struct buf errors;
    struct input in;
    int rc;

    input_init(&in, data, size);
    buf_init(&errors);
    rc = config_load_text("f", in.file, in.env, &conf, &errors);

    ASSERT(rc == 0 || rc == -EINVAL);
    ASSERT(rc == 0 || errors.len > 0);
    check_errors(&errors);
    if (rc == 0)
        check_round_trip(conf);

    config_destroy(conf);
    buf_fini(&errors);
    input_fini(&in);
    return 0;
}
