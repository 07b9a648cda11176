/* SPDX-License-Identifier: BSD-2-Clause
 *
 * config_env - settings from the environment.
 *
 *   KLATCH_LIMITS_SENDQ=1M            [limits] sendq
 *   KLATCH_LISTEN_MAIN_ADDRESS=*:7000 [listen "main"] address
 *
 * Shape    No section has a `_` in its name, so the first one ends it; a
 *          listener's name may hold some, so there the known keys are looked
 *          for at the end.
 * Unknown  KLATCH_… that is no setting is warned about, not refused: others
 *          put names there too. Kubernetes gives every pod KLATCH_PORT and a
 *          dozen more as soon as a service is called klatch. KLATCH_SOCKET is
 *          klatchctl's, which an operator may well have exported.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "ops/config_priv.h"

#define PREFIX       "KLATCH_"
#define NAME_MAX_LEN 127u /* longer ones are none of ours */

struct variable {
    struct config_origin at; /* its name, as it is */
    char
        lower[NAME_MAX_LEN + 1]; /* its name behind the prefix, in lower case */
    struct slice value;
};

/* -- names ------------------------------------------------------------------ */

static void
put_upper(const char *lower, char *out, size_t size)
{
    size_t i = 0;

    for (; lower[i] != '\0' && i + 1 < size; i++)
        out[i] = (char)toupper((unsigned char)lower[i]);
    out[i] = '\0';
}

/* The names there are, in lower case and without the prefix; of listeners as
 * if there were only "main". */
struct names {
    char text[OPTION_TOTAL + LISTEN_OPTION_TOTAL][64];
    const char *list[OPTION_TOTAL + LISTEN_OPTION_TOTAL];
    size_t n;
};

static void
add_names(struct names *names, const struct option *rows, size_t n,
          const char *infix)
{
    for (size_t i = 0; i < n; i++) {
        char *const text = names->text[names->n];

        (void)snprintf(text, sizeof(names->text[0]), "%s_%s%s", rows[i].section,
                       infix, rows[i].key);
        names->list[names->n++] = text;
    }
}

static void
complain_of_unknown(struct config_loader *l, const struct variable *v)
{
    struct names names = {.n = 0};
    const char *meant;
    char upper[64];

    add_names(&names, options, option_count, "");
    add_names(&names, listen_options, listen_option_count, "main_");
    meant = suggest(slice_of(v->lower), names.list, names.n);
    if (meant == NULL) {
        config_warn(l, &v->at, "no such setting");
        return;
    }
    put_upper(meant, upper, sizeof(upper));
    config_warn(l, &v->at, "no such setting; did you mean " PREFIX "%s?",
                upper);
}

/* -- settings --------------------------------------------------------------- */

static void
refuse_later(struct config_loader *l, const struct variable *v)
{
    config_error(l, &v->at, "not in this version of klatchd");
}

/* Is `rest` NAME_key? Then *name is NAME. */
static bool
ends_with_key(struct slice rest, const char *key, struct slice *name)
{
    const struct slice end = slice_of(key);

    if (rest.len < end.len + 2 || rest.data[rest.len - end.len - 1] != '_' ||
        memcmp(rest.data + rest.len - end.len, end.data, end.len) != 0)
        return false;
    *name = slice_make(rest.data, rest.len - end.len - 1);
    return true;
}

static bool
set_listen(struct config_loader *l, const struct variable *v, struct slice rest)
{
    struct config_place place;
    struct slice name;

    for (size_t i = 0; i < listen_option_count; i++)
        if (ends_with_key(rest, listen_options[i].key, &name)) {
            if (config_open_listener(l, &v->at, name, &place))
                config_set_option(l, &v->at, place, &listen_options[i],
                                  v->value);
            return true;
        }
    for (size_t i = 0; i < config_later_count; i++)
        if (strcmp(config_later[i].section, "listen") == 0 &&
            ends_with_key(rest, config_later[i].key, &name)) {
            refuse_later(l, v);
            return true;
        }
    return false;
}

/* False when it is no setting, nor klatchctl's. */
static bool
set_variable(struct config_loader *l, const struct variable *v)
{
    struct config_place place = {.kind = CONFIG_SECTION};
    const char *const end = strchr(v->lower, '_');
    const struct option *o;
    struct slice section, rest;

    if (end == NULL)
        return strcmp(v->lower, "socket") == 0;
    section = slice_make(v->lower, (size_t)(end - v->lower));
    rest = slice_of(end + 1);
    if (slice_equal(section, slice_of("listen")))
        return set_listen(l, v, rest);

    o = option_find(section, rest);
    place.section = o != NULL ? o->section : NULL;
    if (o != NULL)
        config_set_option(l, &v->at, place, o, v->value);
    else if (config_is_later(section, rest, v->value))
        refuse_later(l, v);
    else
        return false;
    return true;
}

/* -- the environment -------------------------------------------------------- */

/* False: none of ours, or no memory for it. */
static bool
parse_variable(struct config_loader *l, const char *text, struct variable *v)
{
    const size_t prefix_len = strlen(PREFIX);
    const size_t len = strcspn(text, "=");

    if (strncmp(text, PREFIX, prefix_len) != 0 || text[len] != '=' ||
        len > NAME_MAX_LEN)
        return false;

    v->at = (struct config_origin){
        .name = config_keep_name(l, slice_make(text, len))};
    v->value = slice_of(text + len + 1);
    for (size_t i = prefix_len; i <= len; i++)
        v->lower[i - prefix_len] =
            i < len ? (char)tolower((unsigned char)text[i]) : '\0';
    return v->at.name != NULL;
}

void
config_read_env(struct config_loader *l, char *const *env)
{
    struct variable v;

    for (; *env != NULL; env++)
        if (parse_variable(l, *env, &v) && !set_variable(l, &v))
            complain_of_unknown(l, &v);
}
