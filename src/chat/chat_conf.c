/* SPDX-License-Identifier: BSD-2-Clause
 *
 * chat_conf - the defaults, straight from the table in chat_conf.h.
 */
#include "chat/chat_conf.h"

#define DEFAULT_OF(section, key, kind, def, min, max, reload, help) \
    .section##_##key = (def),

void
chat_conf_init(struct chat_conf *conf)
{
    *conf = (struct chat_conf){CHAT_OPTIONS(DEFAULT_OF)};
}
