/* SPDX-License-Identifier: BSD-2-Clause
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proto/front.h"
#include "support/unit.h"
#include "unit/ops/load.h"

START_TEST(an_unknown_section_is_told_once_and_its_settings_are_passed_over)
{
    ASSERT_REFUSES("[limts]\nsendq = 64k\nrecvq = 8k\n",
                   "t.conf:1: there is no section [limts]; did you mean "
                   "[limits]?\n");
    ASSERT_REFUSES("[weather]\nrain = yes\n",
                   "t.conf:1: there is no section [weather]\n");
    ASSERT_REFUSES("[]\n", "t.conf:1: a section is written [name] or [listen "
                           "\"NAME\"]\n");
}
END_TEST

START_TEST(an_unknown_section_with_nothing_in_it_is_told_too)
{
    ASSERT_REFUSES("[Limits]\n# sendq = 64k\n",
                   "t.conf:1: there is no section [Limits]; did you mean "
                   "[limits]?\n");
}
END_TEST

START_TEST(a_section_of_a_later_version_is_called_so)
{
    ASSERT_REFUSES("[oper \"alice\"]\npassword_hash = x\n",
                   "t.conf:1: [oper] is not in this version of klatchd\n");
}
END_TEST

START_TEST(only_listeners_have_names_and_they_must)
{
    ASSERT_REFUSES("[limits \"x\"]\n", "t.conf:1: [limits] takes no name\n");
    ASSERT_REFUSES("[listen]\naddress = 127.0.0.1:1\n",
                   "t.conf:1: a listener needs a name: [listen \"main\"]\n");
    ASSERT_REFUSES("[listen \"main]\n",
                   "t.conf:1: a section is written [name] or [listen "
                   "\"NAME\"]\n");
    ASSERT_REFUSES("[listen main\"]\n",
                   "t.conf:1: a section is written [name] or [listen "
                   "\"NAME\"]\n");
}
END_TEST

START_TEST(a_name_is_of_letters_digits_dash_and_underscore)
{
    ASSERT_LOADS("[listen \"aZ-09_\"]\naddress = 127.0.0.1:1\n");
    ASSERT_REFUSES("[listen \"\"]\naddress = 127.0.0.1:1\n",
                   "t.conf:1: `` is no name for a listener: 1 to 40 letters, "
                   "digits, `-` and `_`\n");
    ASSERT_REFUSES("[listen \"a b\"]\naddress = 127.0.0.1:1\n",
                   "t.conf:1: `a b` is no name for a listener: 1 to 40 "
                   "letters, digits, `-` and `_`\n");
    ASSERT_REFUSES("[listen \"caf\u00E9\"]\n",
                   "t.conf:1: `caf\u00E9` is no name for a listener: 1 to 40 "
                   "letters, digits, `-` and `_`\n");
}
END_TEST

START_TEST(listeners_come_in_the_order_of_the_file)
{
    struct loaded l = load_text("[listen \"lan\"]\n"
                                "address = 192.0.2.1:7000\n"
                                "[listen \"old\"]\n"
                                "address = unix:/run/x\n"
                                "protocol = line\n",
                                NULL);

    ck_assert_str_eq(l.errors, "");
    ck_assert_uint_eq(l.conf->listener_count, 2);
    ck_assert_str_eq(l.conf->listeners[0].name, "lan");
    ck_assert_str_eq(l.conf->listeners[0].address, "192.0.2.1:7000");
    ck_assert_int_eq(l.conf->listeners[0].addr.u.any.sa_family, AF_INET);
    ck_assert_uint_eq(l.conf->listeners[0].protocol, FRONT_AUTO);
    ck_assert_str_eq(l.conf->listeners[1].name, "old");
    ck_assert_int_eq(l.conf->listeners[1].addr.u.any.sa_family, AF_UNIX);
    ck_assert_uint_eq(l.conf->listeners[1].protocol, FRONT_LINE);
    loaded_fini(&l);
}
END_TEST

START_TEST(a_name_again_goes_on_with_the_same_listener)
{
    struct loaded l = load_text("[listen \"My-Lan\"]\n"
                                "address = 192.0.2.1:7000\n"
                                "[limits]\n"
                                "[listen \"my_lan\"]\n"
                                "protocol = line\n",
                                NULL);

    ck_assert_str_eq(l.errors, "");
    ck_assert_uint_eq(l.conf->listener_count, 1);
    ck_assert_str_eq(l.conf->listeners[0].name, "My-Lan");
    ck_assert_uint_eq(l.conf->listeners[0].protocol, FRONT_LINE);
    loaded_fini(&l);
}
END_TEST

START_TEST(a_name_that_another_begins_with_is_another)
{
    struct loaded l = load_text("[listen \"ab\"]\naddress = 127.0.0.1:1\n"
                                "[listen \"abc\"]\naddress = 127.0.0.1:2\n"
                                "[listen \"a\"]\naddress = 127.0.0.1:3\n",
                                NULL);

    ck_assert_str_eq(l.errors, "");
    ck_assert_uint_eq(l.conf->listener_count, 3);
    loaded_fini(&l);
}
END_TEST

/* `n` listeners, each on a port of its own. */
static struct loaded
load_listeners(unsigned n)
{
    struct loaded l;
    struct buf text;

    buf_init(&text);
    for (unsigned i = 0; i < n; i++)
        buf_printf(&text, "[listen \"n%u\"]\naddress = 127.0.0.1:%u\n", i,
                   1000 + i);
    l = load_bytes(text.data, text.len);
    buf_fini(&text);
    return l;
}

START_TEST(there_may_be_64_listeners_and_no_more)
{
    struct loaded most = load_listeners(CONFIG_LISTENERS_MAX);
    struct loaded more = load_listeners(CONFIG_LISTENERS_MAX + 1);

    ck_assert_str_eq(most.errors, "");
    ck_assert_uint_eq(most.conf->listener_count, CONFIG_LISTENERS_MAX);
    ck_assert_int_eq(more.rc, -EINVAL);
    ck_assert_str_eq(more.errors,
                     "t.conf:129: there may be 64 listeners, not more\n");
    loaded_fini(&most);
    loaded_fini(&more);
}
END_TEST

UNIT_MAIN("ops/config_place",
          an_unknown_section_is_told_once_and_its_settings_are_passed_over,
          an_unknown_section_with_nothing_in_it_is_told_too,
          a_section_of_a_later_version_is_called_so,
          only_listeners_have_names_and_they_must,
          a_name_is_of_letters_digits_dash_and_underscore,
          listeners_come_in_the_order_of_the_file,
          a_name_again_goes_on_with_the_same_listener,
          a_name_that_another_begins_with_is_another,
          there_may_be_64_listeners_and_no_more)
