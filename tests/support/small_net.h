/* SPDX-License-Identifier: BSD-2-Clause
 *
 * small_net - a network of this process's own, with nothing in it but a
 * loopback, where every TCP socket has a small send buffer.
 *
 * A server there is told EAGAIN after a few kilobytes. It has no option for
 * that, and needs none.
 */
#ifndef SUPPORT_SMALL_NET_H
#define SUPPORT_SMALL_NET_H

#include <stdbool.h>

#define SMALL_NET_SNDBUF 4608 /* the least that Linux gives */

/* For this process and those it starts from here on; it is gone with the last
 * of them. False, and nothing changed, where that is not permitted (it takes
 * CAP_SYS_ADMIN). */
bool small_net_enter(void);

#endif
