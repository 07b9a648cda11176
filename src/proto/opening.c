/* SPDX-License-Identifier: BSD-2-Clause
 *
 * opening - from a new conn to a protocol.
 *
 * Shape    A listener pinned to a protocol decides at once. Otherwise the conn
 *          is in DETECT and the first bytes decide, which stay where they are
 *          for the protocol to read; or silence does, for people wait to be
 *          asked and programs speak first. One table says who takes the conn.
 */
#include "net/conns.h"
#include "proto/front_priv.h"
#include "proto/line/line_priv.h"

typedef void (*open_fn)(struct conn *c, struct front *f);

/* clang-format off */
static const open_fn openers[] = {
    [DETECT_MORE] = NULL, /* not a protocol */
    [DETECT_TLS]  = refuse_tls,
    [DETECT_HTTP] = refuse_http,
    [DETECT_IRC]  = refuse_irc,
    [DETECT_LINE] = line_open,
};

static const enum detect_verdict pinned[] = {
    [FRONT_AUTO] = DETECT_MORE,
    [FRONT_LINE] = DETECT_LINE,
    [FRONT_IRC]  = DETECT_IRC,
    [FRONT_HTTP] = DETECT_HTTP,
};
/* clang-format on */

static size_t
on_bytes(struct conn *c, const char *data, size_t len)
{
    const enum detect_verdict verdict = detect_protocol(slice_make(data, len));

    if (verdict != DETECT_MORE)
        openers[verdict](c, conn_data(c));
    return 0; /* the new protocol is offered them next */
}

/* What came was not enough to tell, so it held no whole request either. */
static void
on_eof(struct conn *c, size_t rest)
{
    conn_close(c, CONN_END_EOF);
}

static void
on_silence(struct conn *c)
{
    openers[DETECT_LINE](c, conn_data(c));
}

static void
on_closed(struct conn *c, enum conn_end end)
{
    /* Nothing is held for it. */
}

static const struct conn_ops detect_ops = {
    .name = "detect",
    .on_bytes = on_bytes,
    .on_eof = on_eof,
    .on_deadline = on_silence,
    .on_closed = on_closed,
};

static enum front_protocol
protocol_of(const struct front *f, const struct conn *c)
{
    const unsigned index = conn_listener(c);

    return index < f->pin_count ? f->pins[index] : FRONT_AUTO;
}

void
front_on_accepted(struct conn *c, void *front)
{
    struct front *const f = front;
    const enum detect_verdict verdict = pinned[protocol_of(f, c)];

    conn_set_ops(c, &detect_ops, f);
    if (f->is_stopping)
        conn_close(c, CONN_END_SHUTDOWN);
    else if (verdict != DETECT_MORE)
        openers[verdict](c, f);
    else
        conn_enter(c, CONN_DETECT);
}

void
opening_stop(void *front, struct conn *c)
{
    if (conn_get_ops(c) == &detect_ops)
        conn_close(c, CONN_END_SHUTDOWN);
}
