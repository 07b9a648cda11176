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

#define PEER_PATIENCE_MS 20000

struct peer {
    int fd;
    char *data; /* received, not yet looked at */
    size_t len;
    size_t cap;
    char line[8192]; /* the last line taken */
};

/* Connects to 127.0.0.1; nothing is sent. */
void peer_connect(struct peer *p, uint16_t port);
void peer_connect_unix(struct peer *p, const char *path);

/* Connects, gives `nick`, and reads up to the notice that #lobby is joined and
 * everything that came with it. */
void peer_join(struct peer *p, uint16_t port, const char *nick);

void peer_close(struct peer *p);

/* close(2) with SO_LINGER 0: the other side sees a RST. */
void peer_reset(struct peer *p);

void peer_send(struct peer *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void peer_send_bytes(struct peer *p, const void *data, size_t len);

/* The next line, without its ending; it lives until the next call. */
const char *peer_take(struct peer *p);

/* The next line must be exactly that. */
void peer_expect(struct peer *p, const char *line);

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

/* Milliseconds, monotonic. */
uint64_t now_ms(void);

#endif
