/* SPDX-License-Identifier: BSD-2-Clause
 *
 * chat_conf - the settings of the hub, each named once. Rows as in
 * net/net_conf.h.
 */
#ifndef CHAT_CHAT_CONF_H
#define CHAT_CHAT_CONF_H

#include <stdint.h>

/* clang-format off */
/*    section   key             kind      default  min  max        reload help */
#define CHAT_OPTIONS(X)                                                                  \
    X(limits,   rooms,          COUNT,    100000,  1,   10000000,  LIVE, "rooms at once")                                        \
    X(limits,   rooms_per_user, COUNT,    100,     1,   10000,     LIVE, "rooms one user may be in")                             \
    X(limits,   topic_length,   COUNT,    390,     1,   4096,      LIVE, "bytes of a topic")                                     \
    X(session,  linger,         DURATION, 120000,  0,   604800000, LIVE, "time that a lost client's session waits for /resume; 0: not at all")  \
    X(session,  waiting,        COUNT,    100000,  1,   10000000,  LIVE, "sessions that may wait at once; above it the one that waits longest ends") \
    X(session,  direct_events,  COUNT,    200,     1,   100000,    LIVE, "private messages kept for one client until it has them")        \
    X(session,  direct_bytes,   BYTES,    262144,  4096, 67108864, LIVE, "memory they may take")                                        \
    X(history,  room_events,    COUNT,    20,      0,   10000,     LIVE, "past lines shown to who joins a room")                 \
    X(history,  keep_events,    COUNT,    1000,    1,   1000000,   LIVE, "past events a room keeps in memory")                   \
    X(history,  keep_bytes,     BYTES,    1048576, 4096, 1073741824, LIVE, "memory a room's past events may take")
/* clang-format on */

#define CHAT_CONF_FIELD(section, key, kind, def, min, max, reload, help) \
    uint64_t section##_##key;

struct chat_conf {
    CHAT_OPTIONS(CHAT_CONF_FIELD)
};

/* The defaults of the table. */
void chat_conf_init(struct chat_conf *conf);

#endif
