/* SPDX-License-Identifier: BSD-2-Clause */
#include "chat/chat_conf.h"

#include "support/unit.h"

START_TEST(every_default_is_within_its_bounds)
{
#define CHECK_ROW(section, key, kind, def, min, max, reload, help) \
    ck_assert_msg((def) >= (min) && (def) <= (max), #section "." #key);
    CHAT_OPTIONS(CHECK_ROW)
}
END_TEST

START_TEST(init_fills_in_the_defaults)
{
    struct chat_conf conf;

    chat_conf_init(&conf);

    ck_assert_uint_eq(conf.limits_rooms, 100000);
    ck_assert_uint_eq(conf.limits_rooms_per_user, 100);
    ck_assert_uint_eq(conf.history_room_events, 20);
    ck_assert_uint_eq(conf.history_keep_bytes, 1048576);
}
END_TEST

UNIT_MAIN("chat/chat_conf", every_default_is_within_its_bounds,
          init_fills_in_the_defaults)
