/* SPDX-License-Identifier: BSD-2-Clause
 *
 * config_dump - a configuration as a file, from the table.
 *
 * Shape    One writer for --dump-config and for conf/klatch.conf: the sample
 *          is the dump of the defaults with a `#` before each line that sets
 *          something. What is written, config_load() reads back as the same.
 */
#include <stdio.h>
#include <string.h>

#include "ops/config_priv.h"

#define COLUMNS 76u

struct writer {
    struct buf *out;
    bool is_sample;
};

/* clang-format off */
static const char sample_head[] =
    "# klatch.conf - every setting of klatchd, at its default\n"
    "#\n"
    "# klatchd needs no file: without one it does what is written here. To\n"
    "# change a setting, take the `#` from the start of its line (of a\n"
    "# listener's, also from [listen \"NAME\"]). Then\n"
    "#\n"
    "#     klatchd -c FILE -t    lists all mistakes, each with its line\n"
    "#     kill -HUP PID         makes klatchd read its file again: all of\n"
    "#                           it or, when there is a mistake, none of it\n"
    "#\n"
    "# Sizes      512, 64k, 8M, 1G\n"
    "# Times      250ms, 60s, 2m, 1h, 7d\n"
    "# Comments   what follows `#` or `;` at the start of a line, and what\n"
    "#            follows a blank and `;`. Any other `#` is no comment.\n"
    "# Files      include = conf.d/*.conf    (from where this file stands)\n"
    "# Variables  KLATCH_LIMITS_SENDQ=1M, KLATCH_LISTEN_MAIN_ADDRESS=*:7000;\n"
    "#            they win over files.\n";
/* clang-format on */

/* -- text ------------------------------------------------------------------- */

/* Words of `text` in comment lines no wider than COLUMNS. */
static void
put_comment(struct buf *out, const char *text)
{
    size_t column = 0;

    while (*text != '\0') {
        const size_t len = strcspn(text, " ");

        if (column > 0 && column + 1 + len > COLUMNS) {
            buf_append_char(out, '\n');
            column = 0;
        }
        if (column == 0)
            buf_append_char(out, '#');
        buf_append_char(out, ' ');
        buf_append(out, text, len);
        column += 1 + len;
        text += len;
        text += strspn(text, " ");
    }
    buf_append_char(out, '\n');
}

static void
put_help(const struct writer *w, const struct option *o)
{
    char range[128];
    char line[256];

    buf_append_char(w->out, '\n');
    put_comment(w->out, o->help);
    (void)snprintf(line, sizeof(line), "(%s; %s)",
                   option_describe(o, range, sizeof(range)),
                   o->reload == OPTION_LIVE ? "on reload"
                                            : "at the next start");
    put_comment(w->out, line);
}

static void
put_value(const struct writer *w, const struct option *o, const void *base)
{
    char value[OPTION_VALUE_SIZE];

    option_format(o, base, value, sizeof(value));
    buf_printf(w->out, "%s%s =%s%s\n", w->is_sample ? "#" : "", o->key,
               value[0] != '\0' ? " " : "", value);
}

/* -- sections --------------------------------------------------------------- */

static void
put_section(const struct writer *w, const struct config *conf,
            const struct option_section *section)
{
    buf_append_char(w->out, '\n');
    put_comment(w->out, section->help);
    buf_printf(w->out, "[%s]\n", section->name);
    for (size_t i = 0; i < option_count; i++)
        if (strcmp(options[i].section, section->name) == 0) {
            put_help(w, &options[i]);
            put_value(w, &options[i], conf);
        }
}

/* Once is enough help for what every listener has. */
static void
put_listener(const struct writer *w, const struct config_listener *listener,
             bool with_help)
{
    buf_printf(w->out, "%s[listen \"%s\"]\n", w->is_sample ? "#" : "",
               listener->name);
    for (size_t i = 0; i < listen_option_count; i++) {
        if (with_help)
            put_help(w, &listen_options[i]);
        put_value(w, &listen_options[i], listener);
    }
}

static void
put_listeners(const struct writer *w, const struct config *conf,
              const struct option_section *section)
{
    buf_append_char(w->out, '\n');
    put_comment(w->out, section->help);
    for (size_t i = 0; i < conf->listener_count; i++) {
        if (i > 0)
            buf_append_char(w->out, '\n');
        put_listener(w, &conf->listeners[i], i == 0);
    }
}

static void
put_sections(const struct writer *w, const struct config *conf)
{
    for (size_t i = 0; i < option_section_count; i++)
        if (strcmp(option_sections[i].name, "listen") == 0)
            put_listeners(w, conf, &option_sections[i]);
        else
            put_section(w, conf, &option_sections[i]);
}

void
config_dump(const struct config *conf, struct buf *out)
{
    const struct writer w = {.out = out, .is_sample = false};

    buf_append_str(out, "# klatchd's settings as it reads them\n");
    put_sections(&w, conf);
}

void
config_sample(struct buf *out)
{
    const struct writer w = {.out = out, .is_sample = true};
    struct config *conf;

    if (config_create(&conf) < 0) {
        out->failed = true;
        return;
    }
    buf_append_str(out, sample_head);
    put_sections(&w, conf);
    config_destroy(conf);
}
