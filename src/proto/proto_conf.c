/* SPDX-License-Identifier: BSD-2-Clause
 *
 * proto_conf - the defaults, straight from the table in proto_conf.h.
 */
#include "proto/proto_conf.h"

#include <string.h>

#include "chat/chat_conf.h"

#define SERVER_NAME "klatch"

#define DEFAULT_OF(section, key, kind, def, min, max, reload, help) \
    .section##_##key = (def),

void
proto_conf_init(struct proto_conf *conf)
{
    struct chat_conf chat;

    chat_conf_init(&chat);
    *conf = (struct proto_conf){PROTO_OPTIONS(DEFAULT_OF)};
    conf->history_room_events = chat.history_room_events;
    conf->session_linger = chat.session_linger;
    memcpy(conf->server_name, SERVER_NAME, sizeof(SERVER_NAME));
}
