/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fault_io - recv, send and sendmsg that do less than they are asked.
 *
 * Use      EXTRA ../../support/fault_io.c WRAP recv send sendmsg
 * Script   From a seed: at any call EINTR, a short count from one byte on, or,
 *          for sends, EAGAIN. The latter only while the peer has something
 *          unread, since only its reading makes the kernel say EPOLLOUT.
 */
#ifndef SUPPORT_FAULT_IO_H
#define SUPPORT_FAULT_IO_H

#include <stdbool.h>
#include <stddef.h>

struct fault_io {
    bool is_scripted;
    unsigned state; /* of the dice */
    int peer;       /* fd of the far end */

    bool swallows;  /* sends succeed whole, and the bytes are gone */
    int send_errno; /* if not 0, the next send fails so, once */
    int recv_errno; /* likewise */

    /* What was called, and what was made of it. */
    size_t recvs, sends, sendmsgs;
    size_t interrupts, shorts, refusals;
    size_t most_iovecs;
    bool forgot_nosignal; /* some send went without MSG_NOSIGNAL */
};

extern struct fault_io fault_io;

void fault_io_script(unsigned seed, int peer);
void fault_io_stop(void);

#endif
