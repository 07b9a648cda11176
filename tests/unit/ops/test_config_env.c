/* SPDX-License-Identifier: BSD-2-Clause
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proto/front.h"
#include "support/unit.h"
#include "unit/ops/load.h"

/* load_text() with these variables. */
#define LOAD(text, ...) load_text((text), (const char *[]){__VA_ARGS__, NULL})

/* A config with these variables is refused, or warned about, in these words. */
#define ASSERT_SAYS(code, words, ...)                \
    do {                                             \
        struct loaded said_ = LOAD("", __VA_ARGS__); \
                                                     \
        ck_assert_str_eq(said_.errors, (words));     \
        ck_assert_int_eq(said_.rc, (code));          \
        loaded_fini(&said_);                         \
    } while (0)

START_TEST(a_variable_wins_over_the_file_without_a_word)
{
    struct loaded l = LOAD("[limits]\nsendq = 64k\n", "KLATCH_LIMITS_SENDQ=1M");

    ck_assert_str_eq(l.errors, "");
    ck_assert_uint_eq(l.conf->net.limits_sendq, 1 << 20);
    loaded_fini(&l);
}
END_TEST

START_TEST(keys_may_have_underscores)
{
    struct loaded l = LOAD("", "KLATCH_HISTORY_ROOM_EVENTS=7",
                           "KLATCH_LIMITS_CONNECTIONS_PER_ADDRESS=8");

    ck_assert_str_eq(l.errors, "");
    ck_assert_uint_eq(l.conf->chat.history_room_events, 7);
    ck_assert_uint_eq(l.conf->net.limits_connections_per_address, 8);
    loaded_fini(&l);
}
END_TEST

START_TEST(a_value_may_be_empty_and_hold_equal_signs)
{
    struct loaded l =
        LOAD("[server]\ndescription = x\n",
             "KLATCH_SERVER_DESCRIPTION=", "KLATCH_SERVER_NAME=a=b");

    ck_assert_str_eq(l.errors, "");
    ck_assert_str_eq(l.conf->server.description, "");
    ck_assert_str_eq(l.conf->server.name, "a=b");
    loaded_fini(&l);
}
END_TEST

START_TEST(a_wrong_value_is_refused_by_the_variables_name)
{
    ASSERT_SAYS(-EINVAL,
                "KLATCH_LIMITS_SENDQ: [limits] sendq: `lots` is not a size: "
                "write 512, 64k, 8M or 1G\n",
                "KLATCH_LIMITS_SENDQ=lots");
    ASSERT_SAYS(-EINVAL,
                "KLATCH_SERVER_NAME: [server] name: `a\uFFFD` is not UTF-8\n",
                "KLATCH_SERVER_NAME=a\xFF");
}
END_TEST

START_TEST(hostile_bytes_in_a_variable_do_not_reach_the_terminal)
{
    ASSERT_SAYS(-EINVAL,
                "KLATCH_SERVER_NAME: [server] name: `a[31mb` has a control "
                "character in it\n",
                "KLATCH_SERVER_NAME=a\033[31m\nb");
}
END_TEST

START_TEST(an_unknown_name_is_warned_about_with_what_was_meant)
{
    ASSERT_SAYS(0,
                "KLATCH_LIMITS_SENQ: warning: no such setting; did you mean "
                "KLATCH_LIMITS_SENDQ?\n"
                "KLATCH_LISTEN_MAIN_ADRESS: warning: no such setting; did you "
                "mean KLATCH_LISTEN_MAIN_ADDRESS?\n"
                "KLATCH_LISTEN_ADDRESS: warning: no such setting\n",
                "KLATCH_LIMITS_SENQ=1M", "KLATCH_LISTEN_MAIN_ADRESS=x",
                "KLATCH_LISTEN_ADDRESS=x");
}
END_TEST

/* Kubernetes sets these for a service called klatch. */
START_TEST(names_that_others_put_there_do_not_stop_us)
{
    ASSERT_SAYS(0,
                "KLATCH_PORT: warning: no such setting\n"
                "KLATCH_PORT_7000_TCP_ADDR: warning: no such setting\n",
                "KLATCH_PORT=tcp://192.0.2.1:7000",
                "KLATCH_PORT_7000_TCP_ADDR=192.0.2.1");
}
END_TEST

START_TEST(where_klatchctl_finds_its_server_is_none_of_ours)
{
    ASSERT_SAYS(0, "", "KLATCH_SOCKET=/run/klatch/control.sock");
    ASSERT_SAYS(0, "KLATCH_SOCKETS: warning: no such setting\n",
                "KLATCH_SOCKETS=x");
}
END_TEST

START_TEST(what_does_not_begin_with_klatch_is_not_ours)
{
    ASSERT_SAYS(0, "", "PATH=/bin", "KLATCHLIMITS_SENDQ=x", "KLATCH=x",
                "XKLATCH_LIMITS_SENDQ=x", "KLATCH_LIMITS_SENDQ", "");
}
END_TEST

START_TEST(a_name_longer_than_any_of_ours_is_passed_over)
{
    char variable[4096] = "KLATCH_LIMITS_SENDQ";

    memset(variable + strlen(variable), 'X', 4000);
    memcpy(variable + 4000, "=1", 3);

    ASSERT_SAYS(0, "", variable);
}
END_TEST

START_TEST(what_comes_later_is_refused_here_too)
{
    ASSERT_SAYS(-EINVAL,
                "KLATCH_SERVER_PASSWORD: not in this version of klatchd\n"
                "KLATCH_LISTEN_MAIN_TLS: not in this version of klatchd\n"
                "KLATCH_OPER_ALICE_HOSTS: not in this version of klatchd\n"
                "KLATCH_LISTEN_MAIN_PROTOCOL: [listen \"main\"] protocol: irc "
                "is not in this version of klatchd\n",
                "KLATCH_SERVER_PASSWORD=x", "KLATCH_LISTEN_MAIN_TLS=on",
                "KLATCH_OPER_ALICE_HOSTS=x", "KLATCH_LISTEN_MAIN_PROTOCOL=irc");
}
END_TEST

START_TEST(the_listener_nobody_named_can_be_moved)
{
    struct loaded l = LOAD("", "KLATCH_LISTEN_MAIN_ADDRESS=*:7001");

    ck_assert_str_eq(l.errors, "");
    ck_assert_uint_eq(l.conf->listener_count, 1);
    ck_assert_str_eq(l.conf->listeners[0].name, "main");
    ck_assert_str_eq(l.conf->listeners[0].address, "*:7001");
    loaded_fini(&l);
}
END_TEST

START_TEST(the_listener_nobody_named_keeps_its_address)
{
    struct loaded l = LOAD("", "KLATCH_LISTEN_MAIN_PROTOCOL=line");

    ck_assert_str_eq(l.errors, "");
    ck_assert_str_eq(l.conf->listeners[0].address, "127.0.0.1:7000");
    ck_assert_uint_eq(l.conf->listeners[0].protocol, FRONT_LINE);
    loaded_fini(&l);
}
END_TEST

START_TEST(a_listener_that_is_named_replaces_the_one_nobody_named)
{
    struct loaded l = LOAD("", "KLATCH_LISTEN_MY_LAN_ADDRESS=*:7001");

    ck_assert_str_eq(l.errors, "");
    ck_assert_uint_eq(l.conf->listener_count, 1);
    ck_assert_str_eq(l.conf->listeners[0].name, "my_lan");
    ck_assert_str_eq(l.conf->listeners[0].address, "*:7001");
    loaded_fini(&l);
}
END_TEST

START_TEST(both_stay_when_both_are_named)
{
    struct loaded l = LOAD("", "KLATCH_LISTEN_LAN_ADDRESS=*:7001",
                           "KLATCH_LISTEN_MAIN_PROTOCOL=line");

    ck_assert_str_eq(l.errors, "");
    ck_assert_uint_eq(l.conf->listener_count, 2);
    ck_assert_str_eq(l.conf->listeners[0].name, "main");
    ck_assert_str_eq(l.conf->listeners[1].name, "lan");
    loaded_fini(&l);
}
END_TEST

START_TEST(a_listener_of_the_file_is_found_by_its_name_in_capitals)
{
    struct loaded l = LOAD("[listen \"My-Lan\"]\naddress = *:7000\n",
                           "KLATCH_LISTEN_MY_LAN_ADDRESS=*:7001");

    ck_assert_str_eq(l.errors, "");
    ck_assert_uint_eq(l.conf->listener_count, 1);
    ck_assert_str_eq(l.conf->listeners[0].name, "My-Lan");
    ck_assert_str_eq(l.conf->listeners[0].address, "*:7001");
    loaded_fini(&l);
}
END_TEST

START_TEST(a_listener_without_an_address_is_told_by_its_variable)
{
    ASSERT_SAYS(-EINVAL,
                "KLATCH_LISTEN_LAN_PROTOCOL: [listen \"lan\"] has no "
                "address\n",
                "KLATCH_LISTEN_LAN_PROTOCOL=line");
}
END_TEST

/* Each row in turn, by the name the manual gives it. */
START_TEST(every_setting_has_a_variable)
{
    for (size_t i = 0; i < option_count; i++) {
        const struct option *const o = &options[i];
        char variable[512];
        struct loaded l;

        (void)snprintf(variable, sizeof(variable), "KLATCH_%s_%s=%s",
                       o->section, o->key, o->def);
        for (char *c = variable; *c != '='; c++)
            *c = (char)toupper((unsigned char)*c);
        l = LOAD("", variable);
        ck_assert_str_eq(l.errors, "");
        ck_assert_int_eq(l.rc, 0);
        loaded_fini(&l);
    }
}
END_TEST

UNIT_MAIN("ops/config_env", a_variable_wins_over_the_file_without_a_word,
          keys_may_have_underscores, a_value_may_be_empty_and_hold_equal_signs,
          a_wrong_value_is_refused_by_the_variables_name,
          hostile_bytes_in_a_variable_do_not_reach_the_terminal,
          an_unknown_name_is_warned_about_with_what_was_meant,
          names_that_others_put_there_do_not_stop_us,
          where_klatchctl_finds_its_server_is_none_of_ours,
          what_does_not_begin_with_klatch_is_not_ours,
          a_name_longer_than_any_of_ours_is_passed_over,
          what_comes_later_is_refused_here_too,
          the_listener_nobody_named_can_be_moved,
          the_listener_nobody_named_keeps_its_address,
          a_listener_that_is_named_replaces_the_one_nobody_named,
          both_stay_when_both_are_named,
          a_listener_of_the_file_is_found_by_its_name_in_capitals,
          a_listener_without_an_address_is_told_by_its_variable,
          every_setting_has_a_variable)
