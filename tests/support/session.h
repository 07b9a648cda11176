/* SPDX-License-Identifier: BSD-2-Clause
 *
 * session - peers that lose their connection and come back.
 *
 * Tokens   Each that a peer is told is remembered; session_stop() looks for all
 *          of them in the daemon's log, where none may be.
 * Wires    A peer whose wire is cut sends what it likes and hears nothing, not
 *          even an acknowledgement reaches its TCP, so that it acknowledges
 *          nothing itself: a socket filter drops all that comes. So the last
 *          byte that its TCP acknowledged is the last one there is to be read.
 */
#ifndef SUPPORT_SESSION_H
#define SUPPORT_SESSION_H

#include <stdint.h>

#include "support/daemon.h"
#include "support/peer.h"

#define SESSION_TOKEN_SIZE 32

struct session_token {
    char text[SESSION_TOKEN_SIZE];
};

/* If `line` tells a token: remembers it and gives it to `out`. */
bool session_find_token(const char *line, struct session_token *out);

/* As peer_enter(), peer_join(); `out` is the token that was told. */
void session_enter(struct peer *p, const char *nick, struct session_token *out);
void session_join(struct peer *p, uint16_t port, const char *nick,
                  struct session_token *out);

/* Connects and asks for the session of `t`. */
void session_ask_back(struct peer *p, uint16_t port,
                      const struct session_token *t);

/* The welcome of who comes back: `count` messages came, `missed` of them (which
 * are not in `count`) cannot be shown. `fresh` is the new token. */
void session_expect_welcome(struct peer *p, const char *nick, unsigned count,
                            unsigned missed, struct session_token *fresh);

/* session_ask_back(), session_expect_welcome(); `t` is used and then is the
 * fresh one. Reads over what is told of its rooms, which must be `rooms`. */
void session_come_back(struct peer *p, uint16_t port, const char *nick,
                       struct session_token *t, unsigned count, unsigned rooms);

/* The next line, behind the time at which it was said. */
void session_expect_missed(struct peer *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* All that was missed has come; it talks in `room`. */
void session_expect_that_is_all(struct peer *p, const char *room);

/* Connects, and is told that no session waits for that token. */
void session_expect_dead(uint16_t port, const struct session_token *t);

/* Says /quit and reads to the end, where nothing but the goodbye may come. */
void session_quit(struct peer *p, const char *nick);

/* Everything `p` was sent is acknowledged, and the server knows. */
void session_await_settled(struct daemon *d);

/* Nothing that is sent to this peer arrives, until the wire is mended. What had
 * arrived is read, as peer_receive_all() does, and acknowledged. */
void session_cut(struct peer *p);
void session_mend(struct peer *p);

/* The same for a socket. What it had and did not acknowledge stays so as long
 * as something is unread, or until its TCP is in the mood. */
void wire_cut(int fd);
void wire_mend(int fd);
void wire_acknowledge(int fd);

/* daemon_stop(), for one started with daemon_start_lingering(). */
void session_stop(struct daemon *d);
void session_stop_within(struct daemon *d, uint64_t limit_ms);

#endif
