/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The allocators are wrapped (short_memory.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/front.h"
#include "support/unit.h"
#include "unit/ops/load.h"
#include "unit/ops/short_memory.h"

START_TEST(with_nothing_to_read_everything_is_at_its_default)
{
    struct loaded l = load_path(NULL, NULL);
    struct net_conf net;
    struct chat_conf chat;

    net_conf_init(&net);
    chat_conf_init(&chat);

    ck_assert_int_eq(l.rc, 0);
    ck_assert_str_eq(l.errors, "");
    ck_assert_mem_eq(&l.conf->net, &net, sizeof(net));
    ck_assert_mem_eq(&l.conf->chat, &chat, sizeof(chat));
    ck_assert_str_eq(l.conf->server.name, "klatch");
    ck_assert_str_eq(l.conf->admin_socket, "");
    loaded_fini(&l);
}
END_TEST

START_TEST(the_protocols_defaults_are_those_of_the_table)
{
    struct proto_conf proto;
    struct config *conf;

    proto_conf_init(&proto);
    ck_assert_int_eq(config_create(&conf), 0);

    ck_assert_uint_eq(conf->proto.limits_message_burst,
                      proto.limits_message_burst);
    ck_assert_uint_eq(conf->proto.limits_worker_window,
                      proto.limits_worker_window);
    ck_assert_uint_eq(conf->proto.history_room_events,
                      proto.history_room_events);
    ck_assert_str_eq(conf->proto.server_name, proto.server_name);
    config_destroy(conf);
}
END_TEST

START_TEST(without_a_listener_there_is_main_on_this_machine)
{
    struct loaded l = load_text("[limits]\nsendq = 64k\n", NULL);
    const struct config_listener *const main = &l.conf->listeners[0];

    ck_assert_uint_eq(l.conf->listener_count, 1);
    ck_assert_str_eq(main->name, "main");
    ck_assert_str_eq(main->address, "127.0.0.1:7000");
    ck_assert_uint_eq(ntohs(main->addr.u.in.sin_port), 7000);
    ck_assert_uint_eq(main->protocol, FRONT_AUTO);
    loaded_fini(&l);
}
END_TEST

START_TEST(with_a_listener_there_is_no_main)
{
    struct loaded l = load_text("[listen \"a\"]\naddress = *:1\n", NULL);

    ck_assert_uint_eq(l.conf->listener_count, 1);
    ck_assert_str_eq(l.conf->listeners[0].name, "a");
    loaded_fini(&l);
}
END_TEST

START_TEST(what_the_protocols_share_with_others_is_filled_in)
{
    struct loaded l = load_text("[server]\nname = x\n"
                                "[history]\nroom_events = 7\n",
                                NULL);

    ck_assert_str_eq(l.conf->proto.server_name, "x");
    ck_assert_uint_eq(l.conf->proto.history_room_events, 7);
    loaded_fini(&l);
}
END_TEST

START_TEST(when_it_fails_the_outcome_is_untouched)
{
    struct config *conf = (struct config *)&conf;
    struct buf errors;

    buf_init(&errors);

    ck_assert_int_eq(config_load("/nowhere", NULL, &conf, &errors), -EINVAL);

    ck_assert_ptr_eq(conf, (struct config *)&conf);
    buf_fini(&errors);
}
END_TEST

START_TEST(destroying_nothing_is_fine)
{
    config_destroy(NULL);
}
END_TEST

/* Whichever allocation fails, it is -ENOMEM and nothing is left behind (the
 * build with AddressSanitizer looks). */
START_TEST(memory_may_run_out_anywhere)
{
    char listen[] = "KLATCH_LISTEN_A_ADDRESS=*:1";
    char unknown[] = "KLATCH_X=1";
    char name[] = "KLATCH_SERVER_NAME=n";
    char *const env[] = {listen, unknown, name, NULL};
    const struct slice text = slice_of("[server]\n"
                                       "description = hello\n"
                                       "description = again\n"
                                       "name = other\n");
    long n = 0;
    int rc;

    do {
        struct config *conf = NULL;
        struct buf errors;

        buf_init(&errors);
        allocations_left = n++;
        rc = config_load_text("t.conf", text, env, &conf, &errors);
        allocations_left = -1;
        ck_assert(rc == 0 || rc == -ENOMEM);
        config_destroy(conf);
        buf_fini(&errors);
    } while (rc != 0);
    ck_assert_int_gt(n, 10);
}
END_TEST

UNIT_MAIN("ops/config_load", with_nothing_to_read_everything_is_at_its_default,
          the_protocols_defaults_are_those_of_the_table,
          without_a_listener_there_is_main_on_this_machine,
          with_a_listener_there_is_no_main,
          what_the_protocols_share_with_others_is_filled_in,
          when_it_fails_the_outcome_is_untouched, destroying_nothing_is_fine,
          memory_may_run_out_anywhere)
