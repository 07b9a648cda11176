/* SPDX-License-Identifier: BSD-2-Clause
 *
 * detect - see detect.h.
 *
 * Shape    Each protocol looks at the bytes by itself and says yes, no, or
 *          "perhaps, show me more". One yes decides; the plain line protocol
 *          takes over when nobody says perhaps. Two cannot say yes to the same
 *          bytes, so their order does not matter.
 */
#include "proto/detect.h"

#include <stdbool.h>
#include <stdint.h>

/* A TLS record: type, version, length; then the type of the handshake message
 * (RFC 8446 sections 4 and 5.1). */
#define TLS_HANDSHAKE      0x16
#define TLS_MAJOR          0x03
#define TLS_MINOR_MAX      0x04
#define TLS_CLIENT_HELLO   0x01
#define TLS_RECORD_MIN     4 /* the head of a handshake message */
#define TLS_RECORD_MAX     (1u << 14)
#define TLS_BYTES_TO_JUDGE 6

enum answer {
    NO,
    PERHAPS,
    YES,
};

struct word {
    const char *text; /* with the space that must follow */
    bool any_case;
};

static const struct word http_methods[] = {
    {"GET ",     false},
    {"HEAD ",    false},
    {"POST ",    false},
    {"PUT ",     false},
    {"DELETE ",  false},
    {"CONNECT ", false},
    {"OPTIONS ", false},
    {"TRACE ",   false},
};

static const struct word irc_verbs[] = {
    {"CAP ",          true},
    {"NICK ",         true},
    {"USER ",         true},
    {"PASS ",         true},
    {"WEBIRC ",       true},
    {"AUTHENTICATE ", true},
    {"PING ",         true},
};

static char
to_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static enum answer
ask_word(const struct word *word, struct slice bytes)
{
    for (size_t i = 0; word->text[i] != '\0'; i++) {
        if (i == bytes.len)
            return PERHAPS;
        if (word->text[i] !=
            (word->any_case ? to_upper(bytes.data[i]) : bytes.data[i]))
            return NO;
    }
    return YES;
}

static enum answer
ask_words(const struct word *words, size_t count, struct slice bytes)
{
    enum answer best = NO;

    for (size_t i = 0; i < count; i++) {
        const enum answer answer = ask_word(&words[i], bytes);

        if (answer > best)
            best = answer;
    }
    return best;
}

static enum answer
ask_http(struct slice bytes)
{
    return ask_words(http_methods, ARRAY_LEN(http_methods), bytes);
}

/* Drops a leading `@tags` or `:source` and the spaces behind it. */
static enum answer
skip_leading_part(struct slice *bytes)
{
    size_t i = 0;

    while (i < bytes->len && bytes->data[i] != ' ') {
        if (bytes->data[i] == '\n' || bytes->data[i] == '\r' ||
            bytes->data[i] == '\0')
            return NO;
        i++;
    }
    while (i < bytes->len && bytes->data[i] == ' ')
        i++;
    *bytes = slice_make(bytes->data + i, bytes->len - i);
    return bytes->len > 0 ? YES : PERHAPS;
}

static enum answer
ask_irc(struct slice bytes)
{
    static const char marks[] = {'@', ':'}; /* in this order, if at all */

    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        enum answer answer;

        if (bytes.data[0] != marks[i])
            continue;
        answer = skip_leading_part(&bytes);
        if (answer != YES)
            return answer;
    }
    return ask_words(irc_verbs, ARRAY_LEN(irc_verbs), bytes);
}

/* Is the byte at `i`, counted from 0, one that a ClientHello may have there? */
static bool
fits_tls(const uint8_t *data, size_t i)
{
    const unsigned length = i == 4 ? data[3] * 256u + data[4] : 0;

    switch (i) {
    case 0:
        return data[0] == TLS_HANDSHAKE;
    case 1:
        return data[1] == TLS_MAJOR;
    case 2:
        return data[2] <= TLS_MINOR_MAX;
    case 4:
        return length >= TLS_RECORD_MIN && length <= TLS_RECORD_MAX;
    case 5:
        return data[5] == TLS_CLIENT_HELLO;
    default:
        return true;
    }
}

static enum answer
ask_tls(struct slice bytes)
{
    for (size_t i = 0; i < TLS_BYTES_TO_JUDGE; i++) {
        if (i == bytes.len)
            return PERHAPS;
        if (!fits_tls((const uint8_t *)bytes.data, i))
            return NO;
    }
    return YES;
}

enum detect_verdict
detect_protocol(struct slice bytes)
{
    enum answer tls, http, irc;

    if (bytes.len == 0)
        return DETECT_MORE;
    if (bytes.len > DETECT_BYTES_MAX)
        bytes.len = DETECT_BYTES_MAX; /* what came later changes nothing */

    tls = ask_tls(bytes);
    http = ask_http(bytes);
    irc = ask_irc(bytes);
    if (tls == YES)
        return DETECT_TLS;
    if (http == YES)
        return DETECT_HTTP;
    if (irc == YES)
        return DETECT_IRC;

    if (bytes.len == DETECT_BYTES_MAX)
        return DETECT_LINE;
    return tls == NO && http == NO && irc == NO ? DETECT_LINE : DETECT_MORE;
}

const char *
detect_name(enum detect_verdict verdict)
{
    switch (verdict) {
    case DETECT_MORE:
        return "more";
    case DETECT_TLS:
        return "tls";
    case DETECT_HTTP:
        return "http";
    case DETECT_IRC:
        return "irc";
    case DETECT_LINE:
        return "line";
    }
    return "?";
}
