/* SPDX-License-Identifier: BSD-2-Clause
 *
 * irc_message - one message of IRC, taken apart.
 *
 *   ['@' tags SP] [':' source SP] command {SP middle} [SP ':' trailing]
 *
 * Shape    Pure. The slices point into the line, which stays the caller's.
 * Lengths  Without CR LF. What is longer is refused whole, never cut: the
 *          client is told with ERR_INPUTTOOLONG (417).
 * Lenient  As today's clients need it (modern.ircdocs.horse, "Message Format"):
 *          several spaces count as one, in front of the command, too, and at
 *          the end of the line there may be some. A source is
 *          accepted and means nothing: a client can be nobody but itself.
 * Source   RFC 1459 section 2.3.1, RFC 2812 section 2.3.1; IRCv3 message-tags.
 */
#ifndef PROTO_IRC_MESSAGE_PRIV_H
#define PROTO_IRC_MESSAGE_PRIV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/slice.h"

#define IRC_BODY_MAX   510  /* source, command and params */
#define IRC_TAGS_MAX   4094 /* a client's, between '@' and SP */
#define IRC_LINE_MAX   (1 + IRC_TAGS_MAX + 1 + IRC_BODY_MAX)
#define IRC_PARAMS_MAX 15 /* the last of them takes what is left */

struct irc_message {
    struct slice tags;   /* what lies between '@' and SP; for irc_tag_next() */
    struct slice source; /* without its ':' */
    struct slice command;
    struct slice params[IRC_PARAMS_MAX];
    size_t count;
};

enum irc_verdict {
    IRC_OK,
    IRC_NOTHING,  /* no command: to be passed over */
    IRC_TOO_LONG, /* tags or body */
    IRC_HAS_NUL,
    IRC_BAD_COMMAND, /* neither letters nor three digits: 421 */
};

/* `line` is one line without its end. *out is set for IRC_OK; for
 * IRC_BAD_COMMAND it has the tags and the command. */
MUST_CHECK enum irc_verdict irc_message_parse(struct slice line,
                                              struct irc_message *out);

/* Is it that command, in whatever case? `name` is in capitals. */
bool irc_message_is(const struct irc_message *m, const char *name);

/* ---- tags ---------------------------------------------------------------- */

struct irc_tag {
    struct slice key; /* with vendor, without the '+' */
    struct slice raw; /* the value, escaped; empty: none, which is the same */
    bool is_client_only; /* it had a '+' */
};

/* Takes the next tag off *tags; false: there is none. Keys are opaque: whatever
 * they look like, they are no reason to refuse a message. Of those with the same
 * key the last one counts. */
MUST_CHECK bool irc_tag_next(struct slice *tags, struct irc_tag *out);

/* The last tag of that key, '+' included where there is one; false: none. */
MUST_CHECK bool irc_tag_find(struct slice tags, const char *key,
                             struct irc_tag *out);

/* The value itself, into `out`, which has room for raw.len bytes. Returns its
 * length. A lone backslash at the end is dropped, one before any other character
 * is that character. */
size_t irc_tag_unescape(struct slice raw, char *out);

/* The other way round, into `out`, which has room for twice value.len. */
size_t irc_tag_escape(struct slice value, char *out);

#endif
