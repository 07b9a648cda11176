/* SPDX-License-Identifier: BSD-2-Clause
 *
 * config_load - a configuration from its defaults, files and variables.
 *
 * Order    Defaults, files, environment: the later wins. Then what must hold
 *          between settings is checked, even after complaints, so that one run
 *          tells them all.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "ops/config_priv.h"

struct config_name {
    struct config_name *next;
    char text[];
};

/* -- defaults --------------------------------------------------------------- */

/* False only for want of memory: a unit test reads every default. */
static bool
set_defaults(void *base, const struct option *rows, size_t n)
{
    char why[256];

    for (size_t i = 0; i < n; i++)
        if (option_set(&rows[i], base, slice_of(rows[i].def), why,
                       sizeof(why)) < 0)
            return false;
    return true;
}

/* Where the settings of one layer are the business of another. */
static void
share(struct config *conf)
{
    static_assert(sizeof(conf->proto.server_name) == sizeof(conf->server.name),
                  "one fits into the other");
    static_assert(sizeof(conf->proto.server_description) ==
                      sizeof(conf->server.description),
                  "one fits into the other");

    memcpy(conf->proto.server_name, conf->server.name,
           sizeof(conf->server.name));
    memcpy(conf->proto.server_description, conf->server.description,
           sizeof(conf->server.description));
    conf->proto.history_room_events = conf->chat.history_room_events;
    conf->proto.session_linger = conf->chat.session_linger;
}

/* "main", where nobody named a listener. */
static bool
imply_main(struct config *conf)
{
    struct config_listener *const l = &conf->listeners[0];

    *l = (struct config_listener){.name = "main"};
    conf->listener_count = 1;
    return set_defaults(l, listen_options, listen_option_count) &&
           listen_addr_parse(slice_of(l->address), &l->addr) == 0;
}

int
config_create(struct config **out)
{
    struct config *const conf = calloc(1, sizeof(*conf));

    if (conf == NULL)
        return -ENOMEM;
    if (!set_defaults(conf, options, option_count) || !imply_main(conf)) {
        free(conf);
        return -ENOMEM;
    }
    share(conf);
    *out = conf;
    return 0;
}

void
config_destroy(struct config *conf)
{
    free(conf);
}

/* -- the loader ------------------------------------------------------------- */

const char *
config_keep_name(struct config_loader *l, struct slice name)
{
    struct config_name *const kept = malloc(sizeof(*kept) + name.len + 1);

    if (kept == NULL) {
        l->no_memory = true;
        return NULL;
    }
    if (name.len > 0)
        memcpy(kept->text, name.data, name.len);
    kept->text[name.len] = '\0';
    kept->next = l->names;
    l->names = kept;
    return kept->text;
}

static void
loader_destroy(struct config_loader *l)
{
    if (l == NULL)
        return;
    while (l->names != NULL) {
        struct config_name *const next = l->names->next;

        free(l->names);
        l->names = next;
    }
    config_destroy(l->conf);
    free(l);
}

static int
loader_create(struct buf *errors, struct config_loader **out)
{
    struct config_loader *const l = calloc(1, sizeof(*l));
    int rc;

    if (l == NULL)
        return -ENOMEM;
    rc = config_create(&l->conf);
    if (rc < 0) {
        free(l);
        return rc;
    }
    l->main_is_implied = true;
    l->errors = errors;
    *out = l;
    return 0;
}

/* "main" goes when a variable named another listener and none spoke of it. */
static void
drop_implied_main(struct config_loader *l)
{
    struct config *const conf = l->conf;
    size_t rest;

    if (!l->main_is_implied || conf->listener_count == 1)
        return;
    for (size_t i = 0; i < listen_option_count; i++)
        if (l->listener_set_at[0][i].name != NULL)
            return;

    rest = --conf->listener_count;
    memmove(&conf->listeners[0], &conf->listeners[1],
            rest * sizeof(conf->listeners[0]));
    memmove(&l->listener_at[0], &l->listener_at[1],
            rest * sizeof(l->listener_at[0]));
    memmove(&l->listener_set_at[0], &l->listener_set_at[1],
            rest * sizeof(l->listener_set_at[0]));
    l->main_is_implied = false;
}

/* After the files: the rest, and the verdict. */
static int
finish(struct config_loader *l, char *const *env, struct config **out)
{
    if (env != NULL)
        config_read_env(l, env);
    drop_implied_main(l);
    config_check(l);
    config_complain_rest(l);

    if (l->no_memory || l->errors->failed)
        return -ENOMEM;
    if (l->error_count > 0)
        return -EINVAL;

    share(l->conf);
    *out = l->conf;
    l->conf = NULL;
    return 0;
}

int
config_load(const char *path, char *const *env, struct config **out,
            struct buf *errors)
{
    struct config_loader *l;
    int rc;

    rc = loader_create(errors, &l);
    if (rc < 0)
        return rc;
    if (path != NULL)
        config_read_path(l, path);
    rc = finish(l, env, out);
    loader_destroy(l);
    return rc;
}

int
config_load_text(const char *name, struct slice text, char *const *env,
                 struct config **out, struct buf *errors)
{
    struct config_loader *l;
    int rc;

    rc = loader_create(errors, &l);
    if (rc < 0)
        return rc;
    config_read_lines(l, NULL, name, text);
    rc = finish(l, env, out);
    loader_destroy(l);
    return rc;
}
