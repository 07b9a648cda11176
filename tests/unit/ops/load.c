/* SPDX-License-Identifier: BSD-2-Clause
 */
#include "unit/ops/load.h"

#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct loaded
told(int rc, struct config *conf, struct buf *errors)
{
    struct loaded l = {.rc = rc, .conf = rc == 0 ? conf : NULL};

    ck_assert(!errors->failed);
    l.errors = strndup(errors->len > 0 ? errors->data : "", errors->len);
    ck_assert_ptr_nonnull(l.errors);
    buf_fini(errors);
    return l;
}

/* The type that environ(7) has, and string literals have not. */
struct variables {
    char *list[16];
};

static struct variables
variables_of(const char *const *env)
{
    struct variables v = {.list = {NULL}};

    for (size_t i = 0; env != NULL && env[i] != NULL; i++) {
        ck_assert_uint_lt(i + 1, ARRAY_LEN(v.list));
        memcpy(&v.list[i], &env[i], sizeof(env[i]));
    }
    return v;
}

static struct loaded
load(struct slice text, const char *const *env)
{
    const struct variables v = variables_of(env);
    struct config *conf = NULL;
    struct buf errors;
    int rc;

    buf_init(&errors);
    rc = config_load_text("t.conf", text, v.list, &conf, &errors);
    return told(rc, conf, &errors);
}

struct loaded
load_text(const char *text, const char *const *env)
{
    return load(slice_of(text), env);
}

struct loaded
load_bytes(const char *text, size_t len)
{
    return load(slice_make(text, len), NULL);
}

struct loaded
load_path(const char *path, const char *const *env)
{
    const struct variables v = variables_of(env);
    struct config *conf = NULL;
    struct buf errors;
    int rc;

    buf_init(&errors);
    rc = config_load(path, v.list, &conf, &errors);
    return told(rc, conf, &errors);
}

void
loaded_fini(struct loaded *l)
{
    config_destroy(l->conf);
    free(l->errors);
}

static uint64_t
number_at(const struct option *o, const void *base)
{
    uint64_t number;

    memcpy(&number, (const char *)base + o->offset, sizeof(number));
    return number;
}

char *
other_value(const struct option *o, const void *base, char *out, size_t size)
{
    uint64_t number;

    switch (o->kind) {
    case OPTION_COUNT:
    case OPTION_BYTES:
    case OPTION_DURATION:
        number = number_at(o, base);
        number += number < o->max ? 1 : UINT64_MAX; /* or one less */
        return option_format_number(o->kind, number, out, size);
    case OPTION_FLAG:
        (void)snprintf(out, size, "%s", number_at(o, base) ? "off" : "on");
        break;
    case OPTION_CHOICE:
        (void)snprintf(out, size, "%s", o->words[number_at(o, base) == 0]);
        break;
    case OPTION_TEXT:
        (void)snprintf(out, size, "127.0.0.1:1234"); /* fits listeners too */
        break;
    case OPTION_PATH:
        (void)snprintf(out, size, "/other");
        break;
    }
    return out;
}

void
assert_same_config(const struct config *a, const struct config *b)
{
    struct buf dump_a, dump_b;

    buf_init(&dump_a);
    buf_init(&dump_b);
    config_dump(a, &dump_a);
    config_dump(b, &dump_b);
    buf_append_char(&dump_a, '\0');
    buf_append_char(&dump_b, '\0');
    ck_assert(!dump_a.failed && !dump_b.failed);
    ck_assert_str_eq(dump_a.data, dump_b.data);
    buf_fini(&dump_a);
    buf_fini(&dump_b);
}

void
assert_loads(const char *text, int rc, const char *complaint, const char *file,
             int line)
{
    struct loaded l = load_text(text, NULL);

    if (l.rc != rc || strcmp(l.errors, complaint) != 0)
        ck_abort_msg("%s:%d: %d instead of %d, said:\n%s instead of:\n%s", file,
                     line, l.rc, rc, l.errors, complaint);
    loaded_fini(&l);
}
