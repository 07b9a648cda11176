/* SPDX-License-Identifier: BSD-2-Clause
 *
 * swarm - hundreds of clients of the line protocol at once, in one thread.
 *
 * Shape    Non-blocking sockets in one epoll set. Each line that one of them
 *          hears goes to on_line(), which looks at it and may swarm_send().
 *          Things happen only inside swarm_run_until().
 * Failing  A connection that ends without having been closed by us (unless it
 *          may_end), or a wait longer than patience_ms, fails the running Check
 *          case.
 */
#ifndef SUPPORT_SWARM_H
#define SUPPORT_SWARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SWARM_PATIENCE_MS 30000

/* `line` has no ending and ends with NUL; it lives for the call. */
typedef void (*swarm_line_fn)(void *arg, size_t i, const char *line);

struct swarm_client {
    int fd;          /* -1: not connected */
    bool may_end;    /* the server may close it */
    bool has_ended;  /* and did */
    bool is_blocked; /* waits for EPOLLOUT */
    bool is_deaf;    /* swarm_mute() */
    uint64_t heard;  /* bytes */
    char *in;        /* the beginning of a line */
    size_t in_len;
    char *out; /* what does not fit its socket yet */
    size_t out_len;
};

struct swarm {
    int epoll;
    size_t count;
    struct swarm_client *clients;
    swarm_line_fn on_line;
    void *arg;
    size_t ended;         /* clients that the server closed */
    int receive_buffer;   /* of who connects from now on; 0: as it comes */
    uint64_t patience_ms; /* SWARM_PATIENCE_MS, unless changed */
};

/* Where clients come from and go to. */
struct swarm_route {
    const char *to;
    uint16_t port;
    const char *from;    /* NULL: as the kernel likes */
    uint16_t first_port; /* of the first client, the next has one more; or 0 */
};

/* Room for `count` clients, none connected. */
void swarm_init(struct swarm *s, size_t count, swarm_line_fn on_line,
                void *arg);

/* Closes all. */
void swarm_fini(struct swarm *s);

/* Starts the connects of `n` clients from `first` on, without waiting. */
void swarm_connect(struct swarm *s, size_t first, size_t n, uint16_t port);

/* The same from elsewhere to elsewhere. */
void swarm_connect_along(struct swarm *s, size_t first, size_t n,
                         const struct swarm_route *route);

/* Waits until the kernel has completed all connects. */
void swarm_await_connected(struct swarm *s);

/* Goes out at once or as soon as it can. */
void swarm_send(struct swarm *s, size_t i, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

void swarm_close(struct swarm *s, size_t i);
void swarm_reset(struct swarm *s, size_t i); /* with a RST */

/* Without a packet: the server is not told, and finds out when it writes. That
 * takes CAP_NET_ADMIN (TCP_REPAIR); false, and nothing done, without it. */
bool swarm_vanish(struct swarm *s, size_t i);

/* shutdown(2): the server sees the end, and may answer and close. */
void swarm_end_writing(struct swarm *s, size_t i);

/* Reads no more from it; what it says still goes out. */
void swarm_mute(struct swarm *s, size_t i);

/* Serves all for so long. */
void swarm_run_for(struct swarm *s, uint64_t ms);

/* Serves all until is_done(arg); `what` is told when that never comes. */
void swarm_run_until(struct swarm *s, bool (*is_done)(void *arg), void *arg,
                     const char *what);

#endif
