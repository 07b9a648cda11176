/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/proto_conf.h"

#include "chat/chat_conf.h"
#include "support/unit.h"

START_TEST(defaults_are_those_of_the_table)
{
    struct proto_conf conf;

    proto_conf_init(&conf);

    ck_assert_uint_eq(conf.limits_message_rate, 0);
    ck_assert_uint_eq(conf.limits_message_burst, 40);
    ck_assert_uint_eq(conf.limits_line_length, 4096);
    ck_assert_uint_eq(conf.limits_client_window, 64);
    ck_assert_uint_eq(conf.limits_worker_window, 8192);
    ck_assert_str_eq(conf.server_name, "klatch");
}
END_TEST

START_TEST(a_join_shows_as_much_as_the_hub_would)
{
    struct proto_conf conf;
    struct chat_conf chat;

    proto_conf_init(&conf);
    chat_conf_init(&chat);

    ck_assert_uint_eq(conf.history_room_events, chat.history_room_events);
}
END_TEST

UNIT_MAIN("proto/proto_conf", defaults_are_those_of_the_table,
          a_join_shows_as_much_as_the_hub_would)
