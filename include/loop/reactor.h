/* SPDX-License-Identifier: BSD-2-Clause
 *
 * reactor - one thread's epoll set.
 *
 * Shape    A table of sources behind ids {generation, slot}; the id, not a
 *          pointer, is what epoll carries. An event of the same batch for a
 *          source that was removed meanwhile finds nothing, even when its fd
 *          number or its slot already serves another.
 * Threads  Everything here: the thread that runs the reactor.
 * Memory   A source is part of its owner's struct; the reactor owns the epoll
 *          fd only. reactor_remove() before the fd is closed.
 */
#ifndef LOOP_REACTOR_H
#define LOOP_REACTOR_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct reactor;
struct reactor_source;

/* `events`: EPOLLIN … as epoll_wait(2) gave them. The source may be removed
 * and its owner freed inside. */
typedef void (*reactor_ready_fn)(struct reactor_source *s, uint32_t events);

struct reactor_source {
    uint64_t id; /* ID_NONE: not watched */
    reactor_ready_fn on_ready;
};

/* 0 and *out, or -ENOMEM, or epoll_create1(2)'s error. */
MUST_CHECK int reactor_create(struct reactor **out);

/* Every source must have been removed. NULL is fine. */
void reactor_destroy(struct reactor *r);

void reactor_source_init(struct reactor_source *s, reactor_ready_fn on_ready);

/* Watches `fd` for `events` (EPOLLET as the caller likes). 0, -ENOMEM, -ENOSPC
 * or epoll_ctl(2)'s error. */
MUST_CHECK int reactor_add(struct reactor *r, struct reactor_source *s, int fd,
                           uint32_t events);

/* Changes what a watched source waits for. 0 or epoll_ctl(2)'s error. */
MUST_CHECK int reactor_modify(struct reactor *r, struct reactor_source *s,
                              int fd, uint32_t events);

/* Harmless when not watched. */
void reactor_remove(struct reactor *r, struct reactor_source *s, int fd);

/* Sources watched now, for the census. */
size_t reactor_sources(const struct reactor *r);

/* Waits up to `timeout_ms` (0: not at all, -1: for ever). The number of events
 * that came, one batch; EINTR counts as 0. */
size_t reactor_wait(struct reactor *r, int timeout_ms);

/* Calls on_ready of what that batch holds and is still watched. Apart from
 * reactor_wait(), so that the clock can be read in between. */
void reactor_dispatch(struct reactor *r);

#endif
