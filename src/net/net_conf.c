/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/net_conf.h"

/* clang-format off */
#define DEFAULT(section, key, kind, def, min, max, reload, help) \
    .section##_##key = (def),
/* clang-format on */

void
net_conf_init(struct net_conf *conf)
{
    *conf = (struct net_conf){NET_OPTIONS(DEFAULT)};
}
