/* SPDX-License-Identifier: BSD-2-Clause
 *
 * config_priv - what is known while a configuration is being read.
 *
 * Shape    config_load.c drives: files (config_file.c, config_read.c), the
 *          environment (config_env.c), what settings mean to each other
 *          (config_check.c). All of them set values through config_set.c and
 *          complain through config_complain.c, and none stops at a complaint.
 * Threads  [main], and whoever else reads a config: no state but the loader's.
 * Memory   Names of files and variables live as long as the loader, so that an
 *          origin is a pointer and a number.
 */
#ifndef OPS_CONFIG_PRIV_H
#define OPS_CONFIG_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/slice.h"
#include "ops/config.h"
#include "ops/options.h"
#include "ops/options_priv.h"

#define CONFIG_LINE_MAX       199u /* bytes; libinih's line less its NUL */
#define CONFIG_SECTION_MAX    49u  /* bytes between [ and ] */
#define CONFIG_DEPTH_MAX      8u   /* files included by one another */
#define CONFIG_FILES_MAX      256u /* read in all */
#define CONFIG_FILE_MAX       (1u << 20) /* bytes */
#define CONFIG_COMPLAINTS_MAX 100u       /* of a kind told; the rest counted */

/* Where a value was set. */
struct config_origin {
    const char *name; /* of a file or a variable; NULL: not set, the default */
    unsigned line;    /* 0: none */
};

struct config_name; /* a name that is kept */

struct config_loader {
    struct config *conf;
    bool main_is_implied; /* listener 0 is "main" because nobody named one */
    bool no_memory;
    unsigned files_read;
    struct config_name *names;

    struct buf *errors; /* the caller's */
    unsigned error_count;
    unsigned warning_count;

    struct config_origin set_at[OPTION_TOTAL];
    struct config_origin listener_at[CONFIG_LISTENERS_MAX];
    struct config_origin listener_set_at[CONFIG_LISTENERS_MAX]
                                        [LISTEN_OPTION_TOTAL];
};

/* -- config_load.c ---------------------------------------------------------- */

/* As config_load(), but reads `text` as a file called `name`, in which
 * `include` is refused. For tests and fuzzing. */
MUST_CHECK int config_load_text(const char *name, struct slice text,
                                char *const *env, struct config **out,
                                struct buf *errors);

/* A copy that lives as long as the loader; NULL, and no_memory set. */
const char *config_keep_name(struct config_loader *l, struct slice name);

/* -- config_complain.c ------------------------------------------------------ */

/* A line "name:line: message" (a warning: "name:line: warning: message"),
 * without anything in it that a terminal would act on. */
void config_error(struct config_loader *l, const struct config_origin *at,
                  const char *fmt, ...) PRINTF_LIKE(3, 4);
void config_warn(struct config_loader *l, const struct config_origin *at,
                 const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Says how many complaints were not told. */
void config_complain_rest(struct config_loader *l);

/* -- config_file.c ---------------------------------------------------------- */

/* A file that is being read, and by which others it was included. */
struct config_file {
    const char *path; /* kept; as it is shown */
    const struct config_file *by;
    unsigned depth; /* 0: what the caller named */
    dev_t dev;
    ino_t ino;
};

void config_read_path(struct config_loader *l, const char *path);

/* What `include = pattern` in `by` asks for. */
void config_include(struct config_loader *l, const struct config_file *by,
                    const struct config_origin *at, struct slice pattern);

/* -- config_read.c ---------------------------------------------------------- */

/* `file` NULL: `include` is refused. */
void config_read_lines(struct config_loader *l, const struct config_file *file,
                       const char *name, struct slice text);

/* -- config_place.c --------------------------------------------------------- */

enum config_place_kind {
    CONFIG_NOWHERE, /* before the first section */
    CONFIG_IGNORED, /* in a section that was complained about */
    CONFIG_SECTION, /* [section] */
    CONFIG_LISTEN,  /* [listen "NAME"] */
};

/* Where the settings that follow belong. */
struct config_place {
    enum config_place_kind kind;
    const char *section; /* of the rows there; NULL when there are none */
    size_t listener;     /* CONFIG_LISTEN: which */
};

/* What `header`, the text between the brackets, opens; complains about an
 * unknown one. */
struct config_place config_open_section(struct config_loader *l,
                                        const struct config_origin *at,
                                        struct slice header);

/* Which listener has that name; listener_count: none. Case does not count in
 * names, nor does `-` differ from `_`: an environment variable must be able to
 * say them. */
size_t config_find_listener(const struct config *conf, struct slice name);

/* The same, but makes it if need be; false after a complaint. */
MUST_CHECK bool config_open_listener(struct config_loader *l,
                                     const struct config_origin *at,
                                     struct slice name,
                                     struct config_place *out);

/* -- config_set.c ----------------------------------------------------------- */

/* What comes in a later version and must not be taken in silence. */
struct config_later {
    const char *section;
    const char *key;   /* NULL: the whole section */
    const char *value; /* NULL: whatever its value */
};

extern const struct config_later config_later[];
extern const size_t config_later_count;

/* Is it in that table? An empty `key` asks for a section. */
bool config_is_later(struct slice section, struct slice key,
                     struct slice value);

/* Sets one by its name, or complains. */
void config_set_key(struct config_loader *l, const struct config_origin *at,
                    struct config_place place, struct slice key,
                    struct slice value);

/* Sets one whose row is known, or complains. */
void config_set_option(struct config_loader *l, const struct config_origin *at,
                       struct config_place place, const struct option *o,
                       struct slice value);

/* -- config_env.c, config_check.c ------------------------------------------- */

void config_read_env(struct config_loader *l, char *const *env);

/* What must hold between settings. */
void config_check(struct config_loader *l);

#endif
