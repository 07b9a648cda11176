/* SPDX-License-Identifier: BSD-2-Clause
 *
 * peer - a client of the line protocol for tests, like nc but impatient.
 *
 * Every wait has a deadline (PEER_PATIENCE_MS); what does not come in time, or
 * comes otherwise, fails the running Check case with what did come.
 */
#ifndef SUPPORT_PEER_H
#define SUPPORT_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/e2e.h"

#define PEER_PATIENCE_MS 20000

struct peer {
    int fd;
    char *data;  /* received */
    size_t head; /* where what was not yet looked at begins … */
    size_t len;  /* … and how long it is */
    size_t cap;
    const char *line; /* the last line taken, in `data` */
};

/* Connects to 127.0.0.1; nothing is sent. */
void peer_connect(struct peer *p, uint16_t port);
void peer_connect_unix(struct peer *p, const char *path);

/* False when nobody listens there. */
bool peer_try_connect(struct peer *p, uint16_t port);

/* As peer_connect(), with a receive buffer of so many bytes: little is on its
 * way when such a peer stops reading. */
void peer_connect_small(struct peer *p, uint16_t port, int receive_buffer);

/* As peer_connect(), from another address of this machine (127.0.0.0/8). */
void peer_connect_from(struct peer *p, uint16_t port, const char *address);

/* Gives `nick`, and reads up to the notice that #lobby is joined and everything
 * that came with it. */
void peer_enter(struct peer *p, const char *nick);

/* peer_connect(), peer_enter(). */
void peer_join(struct peer *p, uint16_t port, const char *nick);

/* The peers share #lobby: each reads that `nick` joined it. */
void peers_expect_joined(struct peer *const *peers, size_t n, const char *nick);

void peer_close(struct peer *p);

/* close(2) with SO_LINGER 0: the other side sees a RST. */
void peer_reset(struct peer *p);

/* Without a packet: the server finds out when it writes. That takes
 * CAP_NET_ADMIN (TCP_REPAIR); without it false, and a reset. */
bool peer_vanish(struct peer *p);

/* shutdown(2): the other side sees EOF and may still answer. */
void peer_end_writing(struct peer *p);

void peer_send(struct peer *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void peer_send_bytes(struct peer *p, const void *data, size_t len);

/* As much of it as goes without waiting; returns how much. */
size_t peer_send_some(struct peer *p, const void *data, size_t len);

/* The next line, without its ending; it lives until the next call. */
const char *peer_take(struct peer *p);

/* The next line must be exactly that. */
void peer_expect(struct peer *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The next line must begin like that; returns it. */
const char *peer_expect_start(struct peer *p, const char *start);

/* Skips lines until one contains `part`; returns it. */
const char *peer_await(struct peer *p, const char *part);

/* The next bytes must be exactly these (a prompt has no line ending). */
void peer_expect_bytes(struct peer *p, const char *bytes);

/* The stream must end now; unread lines fail. A RST counts as an end only when
 * `reset_is_fine`. */
void peer_expect_end(struct peer *p, bool reset_is_fine);

/* Nothing may be there that the server sent before it answered a question of
 * ours: asks one (/topic) and expects only its answer. */
void peer_expect_silence(struct peer *p);

/* What has come, without waiting for more. */
void peer_receive_all(struct peer *p);

/* Is there a whole line, without waiting for it? */
bool peer_has_more(struct peer *p);

/* At most `max` bytes, read at once, behind what was received before; 0 at the
 * end of the stream. For peers that read slowly. */
size_t peer_receive_some(struct peer *p, size_t max);

#endif
