/* SPDX-License-Identifier: BSD-2-Clause
 *
 * proto_conf - the settings of the protocol layer, each named once. Rows as in
 * net/net_conf.h; TEXT settings are bounded by `max` bytes.
 */
#ifndef PROTO_PROTO_CONF_H
#define PROTO_PROTO_CONF_H

#include <stdint.h>

/* clang-format off */
/*    section   key             kind   default min  max      reload help */
#define PROTO_OPTIONS(X)                                                             \
    X(limits,   message_rate,   COUNT, 0,      0,   1000000, LIVE, "lines a second from one client, on average; more wait; 0: no limit") \
    X(limits,   message_burst,  COUNT, 40,     1,   1000000, LIVE, "lines at once that message_rate lets through")                       \
    X(limits,   line_length,    BYTES, 4096,   64,  65536,   LIVE, "bytes of one line of the line protocol")                             \
    X(limits,   client_window,  COUNT, 64,     1,   65536,   LIVE, "requests of one client that may wait for the hub")                   \
    X(limits,   worker_window,  COUNT, 8192,   64,  1048576, LIVE, "requests of one worker's clients that may wait for the hub")
/* clang-format on */

#define PROTO_CONF_FIELD(section, key, kind, def, min, max, reload, help) \
    uint64_t section##_##key;

/* The name of the server as clients see it, and the line after the welcome;
 * with their NULs. */
#define PROTO_SERVER_NAME_MAX        64
#define PROTO_SERVER_DESCRIPTION_MAX 181

struct proto_conf {
    PROTO_OPTIONS(PROTO_CONF_FIELD)
    uint64_t history_room_events; /* chat's: what a join shows */
    uint64_t session_linger;      /* chat's: 0: sessions end with their conns */
    char server_name[PROTO_SERVER_NAME_MAX];
    char server_description[PROTO_SERVER_DESCRIPTION_MAX]; /* empty: none */
};

/* The defaults of the table; server_name "klatch". */
void proto_conf_init(struct proto_conf *conf);

#endif
