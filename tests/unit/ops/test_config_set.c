/* SPDX-License-Identifier: BSD-2-Clause
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support/unit.h"
#include "unit/ops/load.h"

START_TEST(a_misspelt_key_is_told_with_what_was_meant)
{
    ASSERT_REFUSES(
        "[limits]\nsenqd = 64k\n",
        "t.conf:2: [limits] has no `senqd`; did you mean `sendq`?\n");
    ASSERT_REFUSES("[listen \"a\"]\naddress = 127.0.0.1:1\nprotcol = line\n",
                   "t.conf:3: [listen \"a\"] has no `protcol`; did you mean "
                   "`protocol`?\n");
    ASSERT_REFUSES("[limits]\nweather = fine\n",
                   "t.conf:2: [limits] has no `weather`\n");
}
END_TEST

START_TEST(a_key_of_another_section_is_sent_there)
{
    ASSERT_REFUSES("[server]\nsendq = 64k\n",
                   "t.conf:2: [server] has no `sendq`; it belongs in "
                   "[limits]\n");
    ASSERT_REFUSES("[server]\naddress = 127.0.0.1:1\n",
                   "t.conf:2: [server] has no `address`; it belongs in "
                   "[listen \"NAME\"]\n");
    ASSERT_REFUSES("[listen \"a\"]\naddress = 127.0.0.1:1\nsendq = 64k\n",
                   "t.conf:3: [listen \"a\"] has no `sendq`; it belongs in "
                   "[limits]\n");
}
END_TEST

/* Who writes a password must not believe that it is asked for. */
START_TEST(what_comes_in_a_later_version_is_not_taken_in_silence)
{
    ASSERT_REFUSES("[server]\npassword = x\nstate_dir = /x\n",
                   "t.conf:2: [server] password: not in this version of "
                   "klatchd\n"
                   "t.conf:3: [server] state_dir: not in this version of "
                   "klatchd\n");
    ASSERT_REFUSES("[listen \"a\"]\n"
                   "address = 127.0.0.1:1\n"
                   "protocol = irc\n"
                   "tls = on\n"
                   "proxy_from = 192.0.2.1\n",
                   "t.conf:3: [listen \"a\"] protocol: irc is not in this "
                   "version of klatchd\n"
                   "t.conf:4: [listen] tls: not in this version of klatchd\n"
                   "t.conf:5: [listen] proxy_from: not in this version of "
                   "klatchd\n");
    ASSERT_REFUSES("[listen \"a\"]\naddress = 127.0.0.1:1\nprotocol = http\n",
                   "t.conf:3: [listen \"a\"] protocol: http is not in this "
                   "version of klatchd\n");
}
END_TEST

START_TEST(nothing_that_is_here_is_said_to_come_later)
{
    for (size_t i = 0; i < option_count; i++)
        ck_assert(!config_is_later(slice_of(options[i].section),
                                   slice_of(options[i].key), slice_of("x")));
    for (size_t i = 0; i < listen_option_count; i++)
        ck_assert(!config_is_later(slice_of("listen"),
                                   slice_of(listen_options[i].key),
                                   slice_of(listen_options[i].def)));
    for (size_t i = 0; i < option_section_count; i++)
        ck_assert(!config_is_later(slice_of(option_sections[i].name),
                                   slice_of(""), slice_of("")));
}
END_TEST

START_TEST(the_last_of_two_counts_and_the_first_is_named)
{
    struct loaded l = load_text("[limits]\n"
                                "sendq = 64k\n"
                                "[server]\n"
                                "[limits]\n"
                                "sendq = 32k\n"
                                "sendq = 16k\n",
                                NULL);

    ck_assert_int_eq(l.rc, 0);
    ck_assert_str_eq(l.errors,
                     "t.conf:5: warning: [limits] sendq is set on line 2 "
                     "already; this one counts\n"
                     "t.conf:6: warning: [limits] sendq is set on line 5 "
                     "already; this one counts\n");
    ck_assert_uint_eq(l.conf->net.limits_sendq, 16384);
    loaded_fini(&l);
}
END_TEST

START_TEST(the_same_key_of_two_listeners_is_no_repetition)
{
    ASSERT_LOADS("[listen \"a\"]\naddress = 127.0.0.1:1\n"
                 "[listen \"b\"]\naddress = 127.0.0.1:2\n");
    ASSERT_WARNS("[listen \"a\"]\naddress = 127.0.0.1:1\n"
                 "[listen \"a\"]\naddress = 127.0.0.1:2\n",
                 "t.conf:4: warning: [listen \"a\"] address is set on line 2 "
                 "already; this one counts\n");
}
END_TEST

START_TEST(an_address_must_be_one)
{
    ASSERT_REFUSES("[listen \"a\"]\naddress = somewhere\n",
                   "t.conf:2: [listen \"a\"] address: `somewhere` is not an "
                   "address: write 127.0.0.1:7000, [::1]:7000, *:7000 or "
                   "unix:/path\n");
    ASSERT_REFUSES("[listen \"a\"]\naddress =\n",
                   "t.conf:2: [listen \"a\"] address: it may not be empty\n");
}
END_TEST

START_TEST(the_path_of_a_socket_has_a_limit)
{
    char text[256] = "[listen \"a\"]\naddress = unix:/";

    memset(text + strlen(text), 'x', 120);

    ASSERT_REFUSES(text, "t.conf:2: [listen \"a\"] address: the path is too "
                         "long for a socket\n");
}
END_TEST

/* Each row in turn: what the file says is what the config has. */
START_TEST(every_setting_can_be_set_from_a_file)
{
    struct loaded plain = load_text("", NULL);

    for (size_t i = 0; i < option_count; i++) {
        const struct option *const o = &options[i];
        char value[OPTION_VALUE_SIZE], text[512], got[OPTION_VALUE_SIZE];
        struct loaded l;

        other_value(o, plain.conf, value, sizeof(value));
        (void)snprintf(text, sizeof(text), "[%s]\n%s = %s\n", o->section,
                       o->key, value);
        l = load_text(text, NULL);

        ck_assert_str_eq(l.errors, "");
        ck_assert_str_eq(option_format(o, l.conf, got, sizeof(got)), value);
        loaded_fini(&l);
    }
    loaded_fini(&plain);
}
END_TEST

UNIT_MAIN("ops/config_set", a_misspelt_key_is_told_with_what_was_meant,
          a_key_of_another_section_is_sent_there,
          what_comes_in_a_later_version_is_not_taken_in_silence,
          nothing_that_is_here_is_said_to_come_later,
          the_last_of_two_counts_and_the_first_is_named,
          the_same_key_of_two_listeners_is_no_repetition,
          an_address_must_be_one, the_path_of_a_socket_has_a_limit,
          every_setting_can_be_set_from_a_file)
