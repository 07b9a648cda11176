/* SPDX-License-Identifier: BSD-2-Clause
 *
 * case_text - from what stands in quotes to bytes.
 *
 * Variables are filled in first, as they were written, so that a value may
 * hold escapes of its own; then escapes and repetitions become bytes.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile/hostile.h"

#define VARIABLES_MAX 16
#define BYTES_MAX     ((size_t)64 << 20)

/* -- memory --------------------------------------------------------------- */

struct kept {
    struct kept *next;
    max_align_t data[];
};

static struct kept *all_kept; /* so that no leak is seen where none is */

void *
keep(size_t size)
{
    struct kept *const k = calloc(1, sizeof(*k) + size);

    if (k == NULL) /* no case need be running, so nothing of Check's here */
        abort();
    k->next = all_kept;
    all_kept = k;
    return k->data;
}

char *
keep_text(const char *text, size_t len)
{
    char *const copy = keep(len + 1);

    memcpy(copy, text, len);
    return copy;
}

static void
put(struct bytes *b, const char *data, size_t len)
{
    /* Doubling, by when the length reaches a power of two. */
    size_t cap = 64;

    while (cap <= b->len)
        cap *= 2;
    if (b->data == NULL || b->len + len >= cap) {
        while (b->len + len >= cap)
            cap *= 2;
        if (cap > BYTES_MAX)
            e2e_fail("this text is larger than %zu bytes", BYTES_MAX);
        b->data = realloc(b->data, cap);
        ck_assert_ptr_nonnull(b->data);
    }
    memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

/* -- variables ------------------------------------------------------------ */

static struct {
    const char *name;
    const char *raw;
} variables[VARIABLES_MAX];

void
text_set(const char *name, const char *raw)
{
    size_t i = 0;

    while (i < VARIABLES_MAX && variables[i].name != NULL &&
           strcmp(variables[i].name, name) != 0)
        i++;
    if (i == VARIABLES_MAX)
        e2e_fail("more than %d variables", VARIABLES_MAX);
    variables[i].name = name;
    variables[i].raw = raw;
}

static const char *
value_of(const char *name, size_t len)
{
    for (size_t i = 0; i < VARIABLES_MAX && variables[i].name != NULL; i++)
        if (strlen(variables[i].name) == len &&
            memcmp(variables[i].name, name, len) == 0)
            return variables[i].raw;
    e2e_fail("no variable ${%.*s}", (int)len, name);
}

/* ${NAME}, or ${NAME:x} for two digits of its number in hexadecimal. */
static void
fill_in_one(const char *name, size_t len, struct bytes *out)
{
    const char *const colon = memchr(name, ':', len);
    char hex[24];

    if (colon == NULL) {
        const char *const raw = value_of(name, len);

        put(out, raw, strlen(raw));
        return;
    }
    if (len - (size_t)(colon - name) != 2 || colon[1] != 'x')
        e2e_fail("write ${NAME} or ${NAME:x}");
    snprintf(hex, sizeof(hex), "%02lx",
             strtoul(value_of(name, (size_t)(colon - name)), NULL, 10));
    put(out, hex, strlen(hex));
}

static const char *
fill_in(const char *raw)
{
    struct bytes out = {.data = NULL};
    const char *at;
    char *kept;

    if (strstr(raw, "${") == NULL)
        return raw;
    while ((at = strstr(raw, "${")) != NULL) {
        const char *const end = strchr(at, '}');

        if (end == NULL)
            e2e_fail("a ${ without its }");
        put(&out, raw, (size_t)(at - raw));
        fill_in_one(at + 2, (size_t)(end - at - 2), &out);
        raw = end + 1;
    }
    put(&out, raw, strlen(raw));
    kept = keep_text(out.data, out.len);
    free(out.data);
    return kept;
}

/* -- escapes -------------------------------------------------------------- */

static void
put_character(struct bytes *out, unsigned long c)
{
    const char four[] = {
        (char)(0xf0 | c >> 18),
        (char)(0x80 | (c >> 12 & 0x3f)),
        (char)(0x80 | (c >> 6 & 0x3f)),
        (char)(0x80 | (c & 0x3f)),
    };
    const char three = (char)(0xe0 | c >> 12);
    const char two = (char)(0xc0 | c >> 6);
    const char one = (char)c;

    if (c < 0x80) {
        put(out, &one, 1);
    } else if (c < 0x800) {
        put(out, &two, 1);
        put(out, four + 3, 1);
    } else if (c < 0x10000) {
        put(out, &three, 1);
        put(out, four + 2, 2);
    } else {
        put(out, four, sizeof(four));
    }
}

/* Hexadecimal digits, exactly or at most so many; returns what follows. */
static const char *
take_hex(const char *at, size_t least, size_t most, unsigned long *out)
{
    size_t n = 0;
    char digits[16] = "";

    while (n < most && at[n] != '\0' &&
           strchr("0123456789abcdefABCDEF", at[n]) != NULL) {
        digits[n] = at[n];
        n++;
    }
    if (n < least)
        e2e_fail("hexadecimal digits are missing at: %.20s", at);
    *out = strtoul(digits, NULL, 16);
    return at + n;
}

/* What follows a backslash, but for a group. */
static const char *
put_escape(struct bytes *out, const char *at)
{
    static const char plain[] = "nrt0\\\"$|";
    static const char means[] = "\n\r\t\0\\\"$|";
    const char *const found = *at != '\0' ? strchr(plain, *at) : NULL;
    unsigned long number;
    char byte;

    if (found != NULL) {
        put(out, means + (found - plain), 1);
        return at + 1;
    }
    if (at[0] == 'x') {
        at = take_hex(at + 1, 2, 2, &number);
        byte = (char)number;
        put(out, &byte, 1);
        return at;
    }
    if (at[0] == 'u' && at[1] == '{') {
        at = take_hex(at + 2, 1, 6, &number);
        if (*at != '}')
            e2e_fail("write \\u{HEX}");
        put_character(out, number);
        return at + 1;
    }
    e2e_fail("no such escape: \\%.10s", at);
}

/* {N} behind an escape or a group: what was put since `from`, N times. Any
 * other brace is one. */
static const char *
repeat(struct bytes *out, size_t from, const char *at)
{
    const size_t len = out->len - from;
    const size_t digits = *at == '{' ? strspn(at + 1, "0123456789") : 0;
    unsigned long times;
    char *copy;

    if (digits == 0 || at[1 + digits] != '}')
        return at;
    times = strtoul(at + 1, NULL, 10);
    if (len > 0 && times > BYTES_MAX / len)
        e2e_fail("this text is larger than %zu bytes", BYTES_MAX);
    copy = keep_text(out->data + from, len);
    out->len = from;
    for (unsigned long i = 0; i < times; i++)
        put(out, copy, len);
    return at + digits + 2;
}

/* Up to the end of the text, or of the group when `in_group`. */
static const char *
unescape(const char *at, bool in_group, struct bytes *out)
{
    while (*at != '\0') {
        const size_t from = out->len;

        if (*at != '\\') {
            put(out, at++, 1);
            continue;
        }
        at++;
        if (*at == ')' && in_group)
            return at + 1;
        if (*at == '(')
            at = unescape(at + 1, true, out);
        else
            at = put_escape(out, at);
        at = repeat(out, from, at);
    }
    if (in_group)
        e2e_fail("a \\( without its \\)");
    return at;
}

struct bytes
text_bytes(const char *raw)
{
    struct bytes out = {.data = NULL};
    struct bytes kept;

    put(&out, "", 0);
    unescape(fill_in(raw), false, &out);
    kept = (struct bytes){keep_text(out.data, out.len), out.len};
    free(out.data);
    return kept;
}

const char *
text_string(const char *raw)
{
    return text_bytes(raw).data;
}

uint64_t
text_number(const char *raw)
{
    const char *const text = fill_in(raw);
    char *end;
    const uint64_t number = strtoull(text, &end, 10);

    if (*text == '\0' || *end != '\0')
        e2e_fail("%s is no number", text);
    return number;
}
