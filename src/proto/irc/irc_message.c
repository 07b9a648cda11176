/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/irc/irc_message_priv.h"

#include <string.h>

/* ---- words --------------------------------------------------------------- */

static void
drop(struct slice *s, size_t n)
{
    if (n > 0)
        *s = slice_make(s->data + n, s->len - n);
}

static void
drop_spaces(struct slice *s)
{
    size_t n = 0;

    while (n < s->len && s->data[n] == ' ')
        n++;
    drop(s, n);
}

/* Takes what lies before `end`, or all there is; `end` goes as well. */
static struct slice
take_until(struct slice *s, char end)
{
    const char *const at = s->len == 0 ? NULL : memchr(s->data, end, s->len);
    const size_t len = at == NULL ? s->len : (size_t)(at - s->data);
    const struct slice taken = slice_make(s->data, len);

    drop(s, at == NULL ? len : len + 1);
    return taken;
}

static struct slice
take_word(struct slice *s)
{
    const struct slice word = take_until(s, ' ');

    drop_spaces(s);
    return word;
}

static bool
starts_with(struct slice s, char c)
{
    return s.len > 0 && s.data[0] == c;
}

/* ---- the message --------------------------------------------------------- */

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_all(struct slice s, bool (*is)(char c))
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is(s.data[i]))
            return false;
    }
    return true;
}

static bool
is_command(struct slice word)
{
    return is_all(word, is_letter) || (word.len == 3 && is_all(word, is_digit));
}

static void
take_params(struct slice *rest, struct irc_message *out)
{
    while (rest->len > 0) {
        const bool is_trailing = starts_with(*rest, ':');

        if (is_trailing)
            drop(rest, 1);
        if (is_trailing || out->count == IRC_PARAMS_MAX - 1) {
            out->params[out->count++] = *rest;
            return;
        }
        out->params[out->count++] = take_word(rest);
    }
}

enum irc_verdict
irc_message_parse(struct slice line, struct irc_message *out)
{
    *out = (struct irc_message){.count = 0};
    if (line.len > 0 && memchr(line.data, '\0', line.len) != NULL)
        return IRC_HAS_NUL;

    if (starts_with(line, '@')) {
        drop(&line, 1);
        out->tags = take_until(&line, ' ');
    }
    if (out->tags.len > IRC_TAGS_MAX || line.len > IRC_BODY_MAX)
        return IRC_TOO_LONG;

    drop_spaces(&line);
    if (starts_with(line, ':')) {
        drop(&line, 1);
        out->source = take_word(&line);
    }
    out->command = take_word(&line);
    if (out->command.len == 0)
        return IRC_NOTHING;
    if (!is_command(out->command))
        return IRC_BAD_COMMAND;
    take_params(&line, out);
    return IRC_OK;
}

bool
irc_message_is(const struct irc_message *m, const char *name)
{
    for (size_t i = 0; i < m->command.len; i++) {
        const char c = m->command.data[i];
        const char upper = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;

        if (name[i] != upper) /* its NUL, too */
            return false;
    }
    return name[m->command.len] == '\0';
}

/* ---- tags ---------------------------------------------------------------- */

bool
irc_tag_next(struct slice *tags, struct irc_tag *out)
{
    while (tags->len > 0) {
        struct slice tag = take_until(tags, ';');

        out->is_client_only = starts_with(tag, '+');
        if (out->is_client_only)
            drop(&tag, 1);
        out->key = take_until(&tag, '=');
        out->raw = tag;
        if (out->key.len > 0)
            return true;
    }
    return false;
}

bool
irc_tag_find(struct slice tags, const char *key, struct irc_tag *out)
{
    const bool is_client_only = key[0] == '+';
    const struct slice wanted = slice_of(is_client_only ? key + 1 : key);
    struct irc_tag tag;
    bool found = false;

    while (irc_tag_next(&tags, &tag)) {
        if (tag.is_client_only != is_client_only ||
            !slice_equal(tag.key, wanted))
            continue;
        *out = tag;
        found = true;
    }
    return found;
}

/* What a character stands for behind a backslash, and what stands for it. */
static const char escapes[][2] = {
    {':',  ';' },
    {'s',  ' ' },
    {'\\', '\\'},
    {'r',  '\r'},
    {'n',  '\n'},
};

static char
unescaped(char c)
{
    for (size_t i = 0; i < ARRAY_LEN(escapes); i++) {
        if (escapes[i][0] == c)
            return escapes[i][1];
    }
    return c;
}

size_t
irc_tag_unescape(struct slice raw, char *out)
{
    size_t len = 0;

    for (size_t i = 0; i < raw.len; i++) {
        if (raw.data[i] != '\\')
            out[len++] = raw.data[i];
        else if (++i < raw.len)
            out[len++] = unescaped(raw.data[i]);
    }
    return len;
}

size_t
irc_tag_escape(struct slice value, char *out)
{
    size_t len = 0;

    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];

        for (size_t e = 0; e < ARRAY_LEN(escapes); e++) {
            if (escapes[e][1] != c)
                continue;
            out[len++] = '\\';
            c = escapes[e][0];
            break;
        }
        out[len++] = c;
    }
    return len;
}
