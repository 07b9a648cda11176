/* SPDX-License-Identifier: BSD-2-Clause
 *
 * config_place - sections, and the listeners that are named in them.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "ops/config_priv.h"
#include "proto/front.h"

static const struct config_place ignored = {.kind = CONFIG_IGNORED};

/* -- listeners -------------------------------------------------------------- */

static bool
is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static bool
is_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!is_name_char(name.data[i]))
            return false;
    return name.len > 0 && name.len <= CONFIG_NAME_MAX;
}

static char
fold(char c)
{
    return c == '-' ? '_' : (char)tolower((unsigned char)c);
}

static bool
is_same_name(struct slice a, const char *b)
{
    for (size_t i = 0; i < a.len; i++)
        if (fold(a.data[i]) != fold(b[i])) /* stops at the NUL of `b` */
            return false;
    return b[a.len] == '\0';
}

size_t
config_find_listener(const struct config *conf, struct slice name)
{
    size_t i = 0;

    while (i < conf->listener_count &&
           !is_same_name(name, conf->listeners[i].name))
        i++;
    return i;
}

static void
add_listener(struct config_loader *l, const struct config_origin *at,
             struct slice name)
{
    const size_t i = l->conf->listener_count++;
    struct config_listener *const new = &l->conf->listeners[i];

    *new = (struct config_listener){.protocol = FRONT_AUTO};
    memcpy(new->name, name.data, name.len);
    l->listener_at[i] = *at;
}

bool
config_open_listener(struct config_loader *l, const struct config_origin *at,
                     struct slice name, struct config_place *out)
{
    const size_t i = config_find_listener(l->conf, name);

    if (!is_name(name)) {
        config_error(l, at,
                     "`%.*s%s` is no name for a listener: 1 to %d letters, "
                     "digits, `-` and `_`",
                     QUOTED_ARG(name), CONFIG_NAME_MAX);
        return false;
    }
    if (i == CONFIG_LISTENERS_MAX) {
        config_error(l, at, "there may be %d listeners, not more",
                     CONFIG_LISTENERS_MAX);
        return false;
    }

    if (i == l->conf->listener_count)
        add_listener(l, at, name);
    *out = (struct config_place){
        .kind = CONFIG_LISTEN, .section = "listen", .listener = i};
    return true;
}

/* -- sections --------------------------------------------------------------- */

/* `word` or `word "name"`; false when it is neither. */
static bool
split_header(struct slice header, struct slice *word, struct slice *name)
{
    struct slice rest = strip_blanks(header);
    const char *const quote = memchr(rest.data, '"', rest.len);

    *name = slice_make(NULL, 0);
    *word = rest;
    if (quote == NULL)
        return rest.len > 0;

    *word = strip_blanks(slice_make(rest.data, (size_t)(quote - rest.data)));
    *name = slice_make(quote + 1, rest.len - (size_t)(quote + 1 - rest.data));
    if (name->len == 0 || name->data[name->len - 1] != '"')
        return false;
    name->len--;
    return word->len > 0;
}

static void
complain_of_section(struct config_loader *l, const struct config_origin *at,
                    struct slice word)
{
    const char *names[16];
    const char *meant;
    size_t n = 0;

    while (n < option_section_count && n < ARRAY_LEN(names)) {
        names[n] = option_sections[n].name;
        n++;
    }
    meant = suggest(word, names, n);
    config_error(l, at, "there is no section [%.*s%s]%s%s%s", QUOTED_ARG(word),
                 meant != NULL ? "; did you mean [" : "",
                 meant != NULL ? meant : "", meant != NULL ? "]?" : "");
}

static struct config_place
open_listen(struct config_loader *l, const struct config_origin *at,
            struct slice name)
{
    struct config_place place;

    if (l->main_is_implied) { /* a file that names one names them all */
        l->main_is_implied = false;
        l->conf->listener_count = 0;
    }
    if (name.data == NULL) {
        config_error(l, at, "a listener needs a name: [listen \"main\"]");
        return ignored;
    }
    return config_open_listener(l, at, name, &place) ? place : ignored;
}

struct config_place
config_open_section(struct config_loader *l, const struct config_origin *at,
                    struct slice header)
{
    struct slice word, name;

    if (!split_header(header, &word, &name)) {
        config_error(l, at, "a section is written [name] or [listen \"NAME\"]");
        return ignored;
    }
    if (slice_equal(word, slice_of("listen")))
        return open_listen(l, at, name);
    if (config_is_later(word, slice_of(""), slice_of(""))) {
        config_error(l, at, "[%.*s] is not in this version of klatchd",
                     SLICE_ARG(word));
        return ignored;
    }

    for (size_t i = 0; i < option_section_count; i++)
        if (slice_equal(word, slice_of(option_sections[i].name))) {
            if (name.data != NULL)
                config_error(l, at, "[%s] takes no name",
                             option_sections[i].name);
            return (struct config_place){.kind = CONFIG_SECTION,
                                         .section = option_sections[i].name};
        }
    complain_of_section(l, at, word);
    return ignored;
}
