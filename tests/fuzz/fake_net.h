/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fake_net - sockets, epoll and a clock without a kernel, for fuzzing.
 *
 * Use      fuzz(NAME LAYER EXTRA fake_net.c WRAP ${FAKE_NET_WRAPS})
 * Shape    A few stream sockets with two buffers each, named by numbers that no
 *          file descriptor has. What epoll is asked about them it answers as
 *          Linux does for EPOLLET: an event when something has happened since
 *          the last one. Other descriptors are the kernel's, and never ready.
 * Time     Stands still but for fake_net_pass_ms().
 * Threads  One.
 */
#ifndef FUZZ_FAKE_NET_H
#define FUZZ_FAKE_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

#define FAKE_SOCKETS_MAX 16u
#define FAKE_ROOM_ALL    SIZE_MAX

/* All sockets are gone, and the clock is at `now_ms`. */
void fake_net_start(uint64_t now_ms);

void fake_net_pass_ms(uint64_t ms);

/* Has epoll_wait() been called, with leave to wait, and found nothing, since
 * the last time this was asked? */
bool fake_net_is_idle(void);

/* A connected socket; the number of the server's end. */
int fake_net_connect(void);

/* ---- the client's end of it ----------------------------------------------- */

void fake_net_say(int fd, struct slice bytes);
void fake_net_finish(int fd); /* FIN */
void fake_net_reset(int fd);  /* RST */

/* So many bytes more does the kernel take from the server (at first: all). */
void fake_net_give_room(int fd, size_t bytes);

/* What the server has written, all of it. */
struct slice fake_net_heard(int fd);

bool fake_net_server_finished(int fd); /* shutdown(SHUT_WR), or closed */
bool fake_net_server_closed(int fd);

#endif
