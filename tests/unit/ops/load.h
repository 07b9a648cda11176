/* SPDX-License-Identifier: BSD-2-Clause
 *
 * load - a config read from memory or a file, and what was said about it.
 */
#ifndef UNIT_OPS_LOAD_H
#define UNIT_OPS_LOAD_H

#include <stddef.h>

#include "ops/config_priv.h"

struct loaded {
    int rc;
    struct config *conf; /* NULL unless rc is 0 */
    char *errors;        /* what was complained, as a string */
};

/* Reads `text` as a file called t.conf, with the variables `env` (NULL:
 * none; at most 15). */
struct loaded load_text(const char *text, const char *const *env);

/* The same with the length given, for texts with a NUL. */
struct loaded load_bytes(const char *text, size_t len);

/* Reads the file `path` (NULL: none) with those variables. */
struct loaded load_path(const char *path, const char *const *env);

void loaded_fini(struct loaded *l);

/* A value other than the one at `base`, as it would stand in a file; so near
 * it that no rule between settings is broken. Returns `out`. */
char *other_value(const struct option *o, const void *base, char *out,
                  size_t size);

/* Both hold the same settings. */
void assert_same_config(const struct config *a, const struct config *b);

/* Loading `text` complains exactly that, and gives a config or not. */
#define ASSERT_REFUSES(text, complaint) \
    assert_loads((text), -EINVAL, (complaint), __FILE__, __LINE__)
#define ASSERT_WARNS(text, complaint) \
    assert_loads((text), 0, (complaint), __FILE__, __LINE__)
#define ASSERT_LOADS(text) assert_loads((text), 0, "", __FILE__, __LINE__)

void assert_loads(const char *text, int rc, const char *complaint,
                  const char *file, int line);

#endif
