/* SPDX-License-Identifier: BSD-2-Clause
 *
 * swarm - many client sockets in one thread, for measuring.
 *
 * Shape    An array of sockets in one epoll set. Two ways to read: lines, for
 *          the greeting and for time stamps; or bytes only, thrown away in the
 *          kernel (MSG_TRUNC, tcp(7)), so that counting costs the machine
 *          little and the server is what is measured.
 * Errors   A bench that cannot go on says why and exits with 1.
 */
#ifndef BENCH_SWARM_H
#define BENCH_SWARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct swarm_conn {
    int fd;
    uint64_t bytes; /* received since swarm_reset_counts() */
    char *partial;  /* line mode: what has no ending yet */
    size_t partial_len;
    bool ready; /* greeted: in the room */
};

struct swarm {
    int epoll_fd;
    uint16_t port;
    bool raw; /* the other side is `limit`: no nicknames, no greeting */
    size_t count;
    size_t capacity;
    struct swarm_conn *conns;
};

typedef void (*swarm_line_fn)(void *arg, struct swarm_conn *c, const char *line,
                              size_t len);

_Noreturn void bench_die(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

uint64_t bench_now_ns(void);

void swarm_init(struct swarm *s, uint16_t port, bool raw, size_t capacity);
void swarm_fini(struct swarm *s);

/* Connects `n` more and waits until each is in #lobby; no more than `abreast`
 * on their way at once. Joins and partings of others are read and dropped. */
void swarm_grow(struct swarm *s, size_t n, size_t abreast);

/* Reads whatever there is, in lines, for up to `timeout_ms`; the number of
 * sockets that had something. */
size_t swarm_read_lines(struct swarm *s, int timeout_ms, swarm_line_fn on_line,
                        void *arg);

/* The same in bytes. */
size_t swarm_read_bytes(struct swarm *s, int timeout_ms);

/* Until nothing has come for `quiet_ms`. */
void swarm_settle(struct swarm *s, int quiet_ms);

void swarm_reset_counts(struct swarm *s);

/* All of it, waiting if need be. */
void swarm_send(struct swarm_conn *c, const char *data, size_t len);

#endif
