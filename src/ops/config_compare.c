/* SPDX-License-Identifier: BSD-2-Clause
 *
 * config_compare - what a reload changes.
 */
#include <stdio.h>
#include <string.h>

#include "ops/config_priv.h"

struct comparison {
    config_change_fn changed;
    void *arg;
};

static void
compare_row(const struct comparison *cmp, const char *section,
            const struct option *o, const void *was, const void *is)
{
    char before[OPTION_VALUE_SIZE], after[OPTION_VALUE_SIZE];

    option_format(o, was, before, sizeof(before));
    option_format(o, is, after, sizeof(after));
    if (strcmp(before, after) != 0)
        cmp->changed(cmp->arg, section, o->key, o->reload == OPTION_LIVE,
                     before, after);
}

/* -- listeners -------------------------------------------------------------- */

static const struct config_listener *
find_listener(const struct config *conf, const char *name)
{
    const size_t i = config_find_listener(conf, slice_of(name));

    return i < conf->listener_count ? &conf->listeners[i] : NULL;
}

/* Either may be NULL: it is not there. */
static void
compare_listener(const struct comparison *cmp,
                 const struct config_listener *was,
                 const struct config_listener *is)
{
    const bool live = listen_options[0].reload == OPTION_LIVE;
    char section[CONFIG_NAME_MAX + 16];

    (void)snprintf(section, sizeof(section), "listen \"%s\"",
                   was != NULL ? was->name : is->name);
    if (was == NULL || is == NULL) {
        cmp->changed(cmp->arg, section, NULL, live,
                     was != NULL ? was->address : NULL,
                     is != NULL ? is->address : NULL);
        return;
    }
    for (size_t i = 0; i < listen_option_count; i++)
        compare_row(cmp, section, &listen_options[i], was, is);
}

/* -- all -------------------------------------------------------------------- */

void
config_compare(const struct config *was, const struct config *is,
               config_change_fn changed, void *arg)
{
    const struct comparison cmp = {.changed = changed, .arg = arg};

    for (size_t i = 0; i < option_count; i++)
        compare_row(&cmp, options[i].section, &options[i], was, is);

    for (size_t i = 0; i < was->listener_count; i++)
        compare_listener(&cmp, &was->listeners[i],
                         find_listener(is, was->listeners[i].name));
    for (size_t i = 0; i < is->listener_count; i++)
        if (find_listener(was, is->listeners[i].name) == NULL)
            compare_listener(&cmp, NULL, &is->listeners[i]);
}
