/* SPDX-License-Identifier: BSD-2-Clause
 *
 * case_judge - what may be on somebody's terminal, and in a log.
 *
 * Written anew from RFC 3629 and the protocol's page, and not with the
 * server's own functions, whose faults it is to find.
 */
#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "hostile/hostile.h"

/* -- UTF-8 ---------------------------------------------------------------- */

/* The character at the front and its length; 0 when it is ill-formed. */
static size_t
decode(const unsigned char *s, size_t len, uint32_t *out)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const size_t n = s[0] < 0x80             ? 1
                     : (s[0] & 0xe0) == 0xc0 ? 2
                     : (s[0] & 0xf0) == 0xe0 ? 3
                     : (s[0] & 0xf8) == 0xf0 ? 4
                                             : 0;
    uint32_t c = n == 1 ? s[0] : s[0] & (0x7fu >> n);

    if (n == 0 || n > len)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *out = c;
    return n;
}

/* Bold, colours, reset, monospace, reverse, italics, strikethrough, underline:
 * what IRC calls formatting and the protocol lets through. And tabs. */
static bool
is_let_through(uint32_t c)
{
    return c != 0 && c < 0x20 &&
           strchr("\x02\x03\x04\t\x0f\x11\x16\x1d\x1e\x1f", (int)c) != NULL;
}

static const char *
fault_of_character(uint32_t c)
{
    if (c < 0x20)
        return is_let_through(c) ? NULL : "a C0 control";
    if (c == 0x7f)
        return "DEL";
    if (c >= 0x80 && c <= 0x9f)
        return "a C1 control";
    if (c == 0x2028 || c == 0x2029)
        return "a line separator";
    if ((c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
        return "a bidirectional control";
    return NULL;
}

const char *
fault_of_text(const char *data, size_t len)
{
    const unsigned char *const s = (const unsigned char *)data;
    size_t at = 0;

    while (at < len) {
        const char *fault;
        uint32_t c;
        const size_t n = decode(s + at, len - at, &c);

        if (n == 0)
            return "bytes that are not UTF-8";
        fault = fault_of_character(c);
        if (fault != NULL)
            return fault;
        at += n;
    }
    return NULL;
}

const char *
printable(const char *data, size_t len)
{
    const size_t shown = len < 400 ? len : 400;
    char *const out = keep(shown * 4 + 8);
    size_t n = 0;

    for (size_t i = 0; i < shown; i++) {
        const unsigned char c = (unsigned char)data[i];

        if (c >= 0x20 && c < 0x7f)
            out[n++] = (char)c;
        else
            n += (size_t)sprintf(out + n, "\\x%02x", c);
    }
    if (shown < len)
        strcpy(out + n, "…");
    return out;
}

/* -- the log -------------------------------------------------------------- */

/* `d` is a digit, everything else itself. */
static bool
fits(const char *text, size_t len, const char *pattern)
{
    const size_t n = strlen(pattern);

    if (len < n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (pattern[i] == 'd' ? !isdigit((unsigned char)text[i])
                              : text[i] != pattern[i])
            return false;
    return true;
}

static bool
begins_with_word_of(const char *text, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strncmp(text, *words, strlen(*words)) == 0)
            return true;
    return false;
}

static void
judge_line(const char *line, size_t len)
{
    static const char when[] = "dddd-dd-ddTdd:dd:dd.dddZ ";
    static const char *const levels[] = {"warn ",  "notice ", "info ",
                                         "debug ", "trace ",  NULL};
    const char *const fault = fault_of_text(line, len);

    if (fault != NULL)
        e2e_fail("the log has %s: %s", fault, printable(line, len));
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)line[i] < 0x20)
            e2e_fail("the log has a control: %s", printable(line, len));
    if (!fits(line, len, when))
        e2e_fail("this is no line of a log: %s", printable(line, len));
    if (!begins_with_word_of(line + strlen(when), levels))
        e2e_fail("the log has an error: %s", printable(line, len));
}

size_t
judge_log(struct daemon *d, size_t from)
{
    struct stat st;
    const char *at, *end;
    char *text;
    size_t len;

    ck_assert_int_eq(stat(d->log, &st), 0);
    text = daemon_log_text(d);
    if (strlen(text) < (size_t)st.st_size)
        e2e_fail("the log has a NUL in it");
    at = text + from;
    while ((end = strchr(at, '\n')) != NULL) {
        judge_line(at, (size_t)(end - at));
        at = end + 1;
    }
    len = (size_t)(at - text);
    free(text);
    return len;
}
