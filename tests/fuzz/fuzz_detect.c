/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The first bytes of a peer. Detection must be a pure function of the first
 * DETECT_BYTES_MAX of them that says MORE for a while and then always the same,
 * wherever TCP cuts; and a verdict must be one that the bytes themselves bear
 * out.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "proto/detect.h"
#include "support/fuzz.h"

/* Looks where the detector does not: from the space backwards. */
static void
check_http(struct slice bytes)
{
    const char *const space = memchr(bytes.data, ' ', bytes.len);

    ASSERT(space != NULL && space - bytes.data >= 3);
    for (const char *at = bytes.data; at < space; at++)
        ASSERT(*at >= 'A' && *at <= 'Z');
}

static bool
has_irc_verb(struct slice bytes)
{
    static const char *const verbs[] = {
        "CAP ", "NICK ", "USER ", "PASS ", "WEBIRC ", "AUTHENTICATE ", "PING ",
    };

    for (size_t i = 0; i < bytes.len; i++) {
        for (size_t v = 0; v < ARRAY_LEN(verbs); v++) {
            const size_t len = strlen(verbs[v]);

            if (len <= bytes.len - i &&
                strncasecmp(bytes.data + i, verbs[v], len) == 0)
                return true;
        }
    }
    return false;
}

static void
check_tls(struct slice bytes)
{
    ASSERT(bytes.len >= 6 && bytes.data[0] == 0x16 && bytes.data[1] == 0x03 &&
           bytes.data[5] == 0x01);
}

static void
check_verdict(enum detect_verdict verdict, struct slice bytes)
{
    switch (verdict) {
    case DETECT_MORE:
        ASSERT(bytes.len < DETECT_BYTES_MAX);
        ASSERT(bytes.len == 0 || memchr(bytes.data, '\n', bytes.len) == NULL ||
               bytes.data[0] == 0x16);
        break;
    case DETECT_TLS:
        check_tls(bytes);
        break;
    case DETECT_HTTP:
        check_http(bytes);
        break;
    case DETECT_IRC:
        ASSERT(has_irc_verb(bytes));
        break;
    case DETECT_LINE:
        ASSERT(bytes.len > 0);
        break;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum detect_verdict known = DETECT_MORE;

    for (size_t len = 0; len <= size && len <= DETECT_BYTES_MAX + 4; len++) {
        /* A copy of its own, so that a look too far is seen. */
        char *const copy = len > 0 ? memcpy(malloc(len), data, len) : NULL;
        const enum detect_verdict verdict =
            detect_protocol(slice_make(copy, len));

        check_verdict(verdict, slice_make(copy, len));
        ASSERT(known == DETECT_MORE || verdict == known);
        known = verdict;
        free(copy);
    }
    return 0;
}
