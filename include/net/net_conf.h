/* SPDX-License-Identifier: BSD-2-Clause
 *
 * net_conf - the settings of the net layer, each named once.
 *
 * Rows: section, key, kind, default, min, max, reload, help. The kinds, and
 * how a reload reaches a running server, are in ops/options.h; 0 means "no
 * limit" where the help says so. Durations are milliseconds here and carry a
 * unit in the file (250ms, 60s, 2m).
 */
#ifndef NET_NET_CONF_H
#define NET_NET_CONF_H

#include <stdint.h>

/* clang-format off */
/*    section   key                      kind      default  min     max        reload help */
#define NET_OPTIONS(X)                                                                     \
    X(limits,   connections,             COUNT,    15000,   0,      1000000,   LIVE, "connections at once; 0: no limit")                      \
    X(limits,   connections_per_address, COUNT,    0,       0,      1000000,   LIVE, "connections at once from one address (IPv6: one /64); 0: no limit") \
    X(limits,   connect_rate,            COUNT,    0,       0,      100000,    LIVE, "new connections a second from one address; 0: no limit") \
    X(limits,   sendq,                   BYTES,    8388608, 4096,   268435456, LIVE, "bytes waiting for one client before it is closed")      \
    X(limits,   recvq,                   BYTES,    16384,   4096,   1048576,   LIVE, "bytes read from one client in one turn")                 \
    X(timeouts, detect,                  DURATION, 250,     1,      60000,     LIVE, "silence after which a client is taken for a plain one") \
    X(timeouts, opening,                 DURATION, 60000,   100,    3600000,   LIVE, "time to give a nickname")                               \
    X(timeouts, idle_ping,               DURATION, 90000,   1000,   3600000,   LIVE, "silence after which a peer is asked for a sign of life") \
    X(timeouts, pong,                    DURATION, 60000,   1000,   3600000,   LIVE, "time it has to answer")                                 \
    X(timeouts, slow,                    DURATION, 60000,   1000,   3600000,   LIVE, "time in which a peer must take something of what waits for it") \
    X(timeouts, drain,                   DURATION, 5000,    10,     600000,    LIVE, "time to flush what waits when a connection or the server ends") \
    X(timeouts, user_timeout,            DURATION, 60000,   0,      3600000,   LIVE, "unacknowledged data for so long: the peer is gone (TCP_USER_TIMEOUT), at most half of idle_ping + pong; 0: as the kernel does")
/* clang-format on */

#define NET_CONF_FIELD(section, key, kind, def, min, max, reload, help) \
    uint64_t section##_##key;

/* One copy a thread; a reload posts a new one. */
struct net_conf {
    NET_OPTIONS(NET_CONF_FIELD)
};

/* The defaults of the table. */
void net_conf_init(struct net_conf *conf);

#endif
