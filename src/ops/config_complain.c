/* SPDX-License-Identifier: BSD-2-Clause
 *
 * config_complain - what is wrong with a configuration, a line each.
 *
 * Bytes    What is quoted comes from files and variables, and the lines go to
 *          terminals and logs: each is cleaned as chat is.
 * Memory   At most CONFIG_COMPLAINTS_MAX errors and as many warnings: a file of
 *          a megabyte can have half a million mistakes.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "ops/config_priv.h"

#define COMPLAINT_MAX 2048u

/* "klatch.conf:3: warning: "; returns its length. */
static size_t
put_head(char *out, size_t size, const struct config_origin *at,
         const char *kind)
{
    char line[24] = "";
    int len;

    if (at->line > 0)
        (void)snprintf(line, sizeof(line), ":%u", at->line);
    len = snprintf(out, size, "%s%s: %s", at->name, line, kind);
    return len < 0 || (size_t)len >= size ? size - 1 : (size_t)len;
}

PRINTF_LIKE(4, 0)
static void
complain(struct config_loader *l, const struct config_origin *at,
         const char *kind, const char *fmt, va_list args)
{
    char text[COMPLAINT_MAX];
    size_t len;

    len = put_head(text, sizeof(text), at, kind);
    (void)vsnprintf(text + len, sizeof(text) - len, fmt, args);
    utf8_clean(slice_of(text), 0, l->errors);
    buf_append_char(l->errors, '\n');
}

void
config_error(struct config_loader *l, const struct config_origin *at,
             const char *fmt, ...)
{
    va_list args;

    if (++l->error_count > CONFIG_COMPLAINTS_MAX)
        return;
    va_start(args, fmt);
    complain(l, at, "", fmt, args);
    va_end(args);
}

void
config_warn(struct config_loader *l, const struct config_origin *at,
            const char *fmt, ...)
{
    va_list args;

    if (++l->warning_count > CONFIG_COMPLAINTS_MAX)
        return;
    va_start(args, fmt);
    complain(l, at, "warning: ", fmt, args);
    va_end(args);
}

static void
tell_rest(struct config_loader *l, unsigned count, const char *what)
{
    if (count > CONFIG_COMPLAINTS_MAX)
        buf_printf(l->errors, "%u more %s are not shown\n",
                   count - CONFIG_COMPLAINTS_MAX, what);
}

void
config_complain_rest(struct config_loader *l)
{
    tell_rest(l, l->error_count, "errors");
    tell_rest(l, l->warning_count, "warnings");
}
