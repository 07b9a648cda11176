/* SPDX-License-Identifier: BSD-2-Clause
 *
 * config_set - which setting is meant, and what is said when it is none.
 *
 * Shape    Files come with a section and a key, variables with a row found
 *          already; both end in config_set_option(), which notes where the
 *          value came from.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "ops/config_priv.h"

#define LABEL_SIZE (CONFIG_NAME_MAX + 64u) /* `[listen "NAME"] protocol` */

const struct config_later config_later[] = {
    {"server", "motd",       NULL  },
    {"server", "password",   NULL  },
    {"server", "state_dir",  NULL  },
    {"listen", "tls",        NULL  },
    {"listen", "proxy_from", NULL  },
    {"listen", "protocol",   "irc" },
    {"listen", "protocol",   "http"},
    {"oper",   NULL,         NULL  },
};
const size_t config_later_count = ARRAY_LEN(config_later);

bool
config_is_later(struct slice section, struct slice key, struct slice value)
{
    for (size_t i = 0; i < config_later_count; i++) {
        const struct config_later *const later = &config_later[i];

        if (!slice_equal(slice_of(later->section), section))
            continue;
        if (later->key == NULL)
            return true;
        if (slice_equal(slice_of(later->key), key) &&
            (later->value == NULL ||
             slice_equal(slice_of(later->value), value)))
            return true;
    }
    return false;
}

/* How a place, and what is set there, is called in a complaint. */
static char *
label(const struct config_loader *l, struct config_place place, const char *key,
      char out[LABEL_SIZE])
{
    if (place.kind == CONFIG_LISTEN)
        (void)snprintf(out, LABEL_SIZE, "[listen \"%s\"]%s%s",
                       l->conf->listeners[place.listener].name,
                       *key != '\0' ? " " : "", key);
    else
        (void)snprintf(out, LABEL_SIZE, "[%s]%s%s", place.section,
                       *key != '\0' ? " " : "", key);
    return out;
}

/* -- values ----------------------------------------------------------------- */

static struct config_origin *
origin_of(struct config_loader *l, struct config_place place,
          const struct option *o)
{
    if (place.kind == CONFIG_LISTEN)
        return &l->listener_set_at[place.listener][o - listen_options];
    return &l->set_at[o - options];
}

static void *
base_of(struct config_loader *l, struct config_place place)
{
    if (place.kind == CONFIG_LISTEN)
        return &l->conf->listeners[place.listener];
    return l->conf;
}

/* Twice in one file is a slip. In two files it is what including them, or a
 * variable, is for. */
static void
note_origin(struct config_loader *l, const struct config_origin *at,
            struct config_origin *noted, const char *name)
{
    if (noted->line > 0 && noted->name == at->name)
        config_warn(l, at, "%s is set on line %u already; this one counts",
                    name, noted->line);
    *noted = *at;
}

/* What only an address is asked: is it one? */
static void
parse_address(struct config_loader *l, const struct config_origin *at,
              struct config_listener *listener)
{
    const struct slice text = slice_of(listener->address);
    const int rc = listen_addr_parse(text, &listener->addr);

    if (rc == -ENAMETOOLONG)
        config_error(l, at,
                     "[listen \"%s\"] address: the path is too long for a "
                     "socket",
                     listener->name);
    else if (rc < 0)
        config_error(l, at,
                     "[listen \"%s\"] address: `%.*s%s` is not an address: "
                     "write 127.0.0.1:7000, [::1]:7000, *:7000 or unix:/path",
                     listener->name, QUOTED_ARG(text));
}

void
config_set_option(struct config_loader *l, const struct config_origin *at,
                  struct config_place place, const struct option *o,
                  struct slice value)
{
    char name[LABEL_SIZE];
    char why[512];

    label(l, place, o->key, name);
    note_origin(l, at, origin_of(l, place, o), name);
    if (config_is_later(slice_of(o->section), slice_of(o->key), value))
        config_error(l, at, "%s: %.*s%s is not in this version of klatchd",
                     name, QUOTED_ARG(value));
    else if (option_set(o, base_of(l, place), value, why, sizeof(why)) < 0)
        config_error(l, at, "%s: %s", name, why);
    else if (place.kind == CONFIG_LISTEN && strcmp(o->key, "address") == 0)
        parse_address(l, at, &l->conf->listeners[place.listener]);
}

/* -- keys ------------------------------------------------------------------- */

/* Where a key that is not in `place` would be right; NULL: nowhere. */
static const char *
section_with(struct slice key)
{
    for (size_t i = 0; i < option_count; i++)
        if (slice_equal(slice_of(options[i].key), key))
            return options[i].section;
    return option_find_listen(key) != NULL ? "listen \"NAME\"" : NULL;
}

static const char *
suggest_key(const char *section, struct slice key)
{
    const char *keys[OPTION_TOTAL + LISTEN_OPTION_TOTAL];
    size_t n = 0;

    for (size_t i = 0; i < option_count; i++)
        if (strcmp(options[i].section, section) == 0)
            keys[n++] = options[i].key;
    for (size_t i = 0; i < listen_option_count; i++)
        if (strcmp(listen_options[i].section, section) == 0)
            keys[n++] = listen_options[i].key;
    return suggest(key, keys, n);
}

static void
complain_of_key(struct config_loader *l, const struct config_origin *at,
                struct config_place place, struct slice key)
{
    const char *const elsewhere = section_with(key);
    const char *const meant = suggest_key(place.section, key);
    char name[LABEL_SIZE];

    label(l, place, "", name);
    if (key.len == 0 || memchr(key.data, ' ', key.len) != NULL)
        config_error(l, at, "a setting is written `key = value`");
    else if (elsewhere != NULL)
        config_error(l, at, "%s has no `%.*s%s`; it belongs in [%s]", name,
                     QUOTED_ARG(key), elsewhere);
    else if (meant != NULL)
        config_error(l, at, "%s has no `%.*s%s`; did you mean `%s`?", name,
                     QUOTED_ARG(key), meant);
    else
        config_error(l, at, "%s has no `%.*s%s`", name, QUOTED_ARG(key));
}

void
config_set_key(struct config_loader *l, const struct config_origin *at,
               struct config_place place, struct slice key, struct slice value)
{
    const struct option *o;

    if (place.kind == CONFIG_IGNORED)
        return;
    if (place.kind == CONFIG_NOWHERE) {
        config_error(l, at, "`%.*s%s` stands before the first [section]",
                     QUOTED_ARG(key));
        return;
    }

    o = place.kind == CONFIG_LISTEN ? option_find_listen(key)
                                    : option_find(slice_of(place.section), key);
    if (o != NULL)
        config_set_option(l, at, place, o, value);
    else if (config_is_later(slice_of(place.section), key, value))
        config_error(l, at, "[%s] %.*s%s: not in this version of klatchd",
                     place.section, QUOTED_ARG(key));
    else
        complain_of_key(l, at, place, key);
}
