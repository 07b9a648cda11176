/* SPDX-License-Identifier: BSD-2-Clause
 *
 * refuse - protocols that we recognise but do not serve: each is told so in
 * words that its own programs show, then the conn is drained, whereby the rest
 * of what the client sent is read and no RST overtakes the answer.
 */
#include "base/msg.h"
#include "proto/front_priv.h"

#define HTTP_BODY                                               \
    "This is a chat server that does not serve web pages yet. " \
    "Join with a terminal: nc HOST PORT\n"

#define HTTP_HEAD                                 \
    "HTTP/1.1 501 Not Implemented\r\n"            \
    "Content-Type: text/plain; charset=utf-8\r\n" \
    "Content-Length: %zu\r\n"                     \
    "Connection: close\r\n"                       \
    "\r\n"

#define IRC_ERROR                                             \
    "ERROR :This server does not speak IRC yet. Join with a " \
    "terminal: nc HOST PORT\r\n"

/* An alert record: fatal, handshake_failure (RFC 8446 section 6). */
static const unsigned char tls_alert[] = {0x15, 0x03, 0x03, 0x00,
                                          0x02, 0x02, 0x28};

static size_t
on_bytes(struct conn *c, const char *data, size_t len)
{
    return len;
}

static void
on_eof(struct conn *c, size_t rest)
{
    conn_drain(c, CONN_END_PROTOCOL);
}

static void
on_deadline(struct conn *c)
{
    /* Draining has a deadline of its own. */
}

static void
on_closed(struct conn *c, enum conn_end end)
{
    /* Nothing is held for it. */
}

static const struct conn_ops refuse_ops = {
    .name = "refused",
    .on_bytes = on_bytes,
    .on_eof = on_eof,
    .on_deadline = on_deadline,
    .on_closed = on_closed,
};

static void
refuse(struct conn *c, struct msg *answer)
{
    conn_set_ops(c, &refuse_ops, NULL);
    if (conn_queue_take(c, answer) == 0)
        conn_drain(c, CONN_END_PROTOCOL);
}

void
refuse_http(struct conn *c, struct front *f)
{
    refuse(c, msg_printf(HTTP_HEAD HTTP_BODY, sizeof(HTTP_BODY) - 1));
}

void
refuse_irc(struct conn *c, struct front *f)
{
    refuse(c, msg_copy(IRC_ERROR, sizeof(IRC_ERROR) - 1));
}

void
refuse_tls(struct conn *c, struct front *f)
{
    refuse(c, msg_copy(tls_alert, sizeof(tls_alert)));
}
