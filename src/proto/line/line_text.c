/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/line/line_text_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/msg.h"
#include "base/utf8.h"

#define NOTICE_MAX 1024 /* bytes of what printf makes of a notice */

void
line_out_init(struct line_out *o, bool crlf)
{
    buf_init(&o->text);
    o->crlf = crlf;
}

struct msg *
line_out_to_msg(struct line_out *o)
{
    struct msg *const m = buf_to_msg(&o->text);

    buf_fini(&o->text);
    return m;
}

void
line_add_str(struct line_out *o, const char *str)
{
    buf_append_str(&o->text, str);
}

void
line_add_name(struct line_out *o, struct slice name)
{
    buf_append(&o->text, name.data, name.len);
}

void
line_add_text(struct line_out *o, struct slice text)
{
    utf8_clean(text, UTF8_KEEP_FORMATTING | UTF8_KEEP_TABS, &o->text);
}

void
line_add_end(struct line_out *o)
{
    line_add_str(o, o->crlf ? "\r\n" : "\n");
}

void
line_add_why(struct line_out *o, struct slice why)
{
    if (why.len == 0)
        return;

    line_add_str(o, " (");
    line_add_text(o, why);
    line_add_str(o, ")");
}

void
line_add_count(struct line_out *o, uint64_t n, const char *one,
               const char *many)
{
    buf_printf(&o->text, "%" PRIu64 " %s", n, n == 1 ? one : many);
}

/* Of the year 9999 at most, so that a wild clock fits the fields. */
static struct tm
utc_of(uint64_t wall_ms)
{
    const uint64_t last = UINT64_C(253402300799);
    const uint64_t s = wall_ms / 1000;
    const time_t t = (time_t)(s < last ? s : last);
    struct tm utc = {.tm_year = 70};

    (void)gmtime_r(&t, &utc); /* fails only for years beyond int */
    return utc;
}

void
line_add_clock(struct line_out *o, uint64_t wall_ms)
{
    const struct tm utc = utc_of(wall_ms);

    buf_printf(&o->text, "%02d:%02d", utc.tm_hour, utc.tm_min);
}

void
line_add_date(struct line_out *o, uint64_t wall_ms)
{
    const struct tm utc = utc_of(wall_ms);

    buf_printf(&o->text, "%04d-%02d-%02d %02d:%02d UTC", utc.tm_year + 1900,
               utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min);
}

void
line_vnotice(struct line_out *o, const char *fmt, va_list args)
{
    char text[NOTICE_MAX];

    (void)vsnprintf(text, sizeof(text), fmt, args);
    line_add_str(o, "* ");
    line_add_str(o, text);
    line_add_end(o);
}

void
line_notice(struct line_out *o, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    line_vnotice(o, fmt, args);
    va_end(args);
}
