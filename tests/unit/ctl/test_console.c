/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The operator's console: line by line, and as a script. On a terminal it is
 * test_console_prompt.c's, or test_console_none.c's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/unit.h"
#include "unit/ctl/desk.h"

#define ANSWERS(...)    ((const char *const[]){__VA_ARGS__, NULL})
#define BROADCAST(text) "{\"command\":\"broadcast\",\"args\":[\"" text "\"]}\n"

static enum ctl_exit
type(const char *line, bool *over)
{
    char copy[128];

    *over = false;
    snprintf(copy, sizeof(copy), "%s", line);
    return ctl_console_line(&desk.ctl, copy, over);
}

START_TEST(what_is_typed_is_said_to_everybody)
{
    bool over;

    desk_start(NULL, NULL);
    desk.ctl.is_console = true;

    ck_assert_int_eq(type("the kettle is on\n", &over), CTL_DONE);
    ck_assert_int_eq(type("  //etc is back \n", &over), CTL_DONE);
    ck_assert_int_eq(type("//etc is back", &over), CTL_DONE);
    ck_assert_int_eq(type("\n", &over), CTL_DONE);
    ck_assert_int_eq(type("  \t\n", &over), CTL_DONE);

    ck_assert(!over);
    desk_done();
    ck_assert_str_eq(desk.server.requests,
                     BROADCAST("the kettle is on") BROADCAST("  //etc is back ")
                         BROADCAST("/etc is back"));
}
END_TEST

START_TEST(a_slash_begins_a_command)
{
    bool over;

    desk_start(ANSWERS("{\"ok\":true}", "{\"ok\":true,\"rooms\":[]}"), NULL);
    desk.ctl.is_console = true;

    ck_assert_int_eq(type("/say #ops  to you\n", &over), CTL_DONE);
    ck_assert_int_eq(type("/rooms\n", &over), CTL_DONE);
    ck_assert_int_eq(type("/kick bob", &over), CTL_DONE);

    desk_done();
    ck_assert_str_eq(desk.server.requests,
                     "{\"command\":\"say\",\"args\":[\"#ops\",\"to you\"]}\n"
                     "{\"command\":\"rooms\",\"args\":[]}\n"
                     "{\"command\":\"kick\",\"args\":[\"bob\"]}\n");
    ck_assert_str_eq(desk.out, "0 rooms\n");
}
END_TEST

START_TEST(wrong_commands_are_told_and_go_nowhere)
{
    bool over;

    desk_start(NULL, NULL);
    desk.ctl.is_console = true;

    ck_assert_int_eq(type("/romos", &over), CTL_USAGE);
    ck_assert_int_eq(type("/xyzzyxyzzy", &over), CTL_USAGE);
    ck_assert_int_eq(type("/say #ops", &over), CTL_USAGE);
    ck_assert_int_eq(type("/kick", &over), CTL_USAGE);
    ck_assert_int_eq(type("/console", &over), CTL_USAGE);

    desk_done();
    ck_assert_str_eq(desk.server.requests, "");
    ck_assert_ptr_nonnull(strstr(desk.err, "is it rooms?"));
    ck_assert_ptr_nonnull(strstr(desk.err, "/help lists them"));
    ck_assert_ptr_nonnull(strstr(desk.err, "usage: /say ROOM"));
}
END_TEST

START_TEST(help_and_quit_need_no_server)
{
    bool over;

    desk_start(NULL, NULL);
    desk.ctl.is_console = true;

    ck_assert_int_eq(type("/help\n", &over), CTL_DONE);
    ck_assert_int_eq(type("/", &over), CTL_DONE);
    ck_assert(!over);
    ck_assert_int_eq(type("/quit\n", &over), CTL_DONE);
    ck_assert(over);
    ck_assert_int_eq(type("/exit now", &over), CTL_DONE);
    ck_assert(over);

    desk_done();
    ck_assert_uint_eq(desk.server.accepted, 0);
    for (size_t i = 0; i < ctl_command_count; i++)
        if (ctl_commands[i].run != ctl_console)
            ck_assert_ptr_nonnull(strstr(desk.out, ctl_commands[i].name));
    ck_assert_ptr_null(strstr(desk.out, "/console"));
}
END_TEST

START_TEST(a_script_is_run_to_its_end_or_to_quit)
{
    desk_start(ANSWERS("{\"ok\":true}", "{\"ok\":false,\"error\":\"no\"}"),
               "one\n/kick bob\n/nonsense\ntwo\n/quit\nthree\n");

    ck_assert_int_eq(desk_run("console", NULL, NULL), CTL_REFUSED);

    desk_done();
    ck_assert_str_eq(desk.server.requests,
                     BROADCAST("one") "{\"command\":\"kick\",\"args\":[\"bob\"]"
                                      "}\n" BROADCAST("two"));
    ck_assert_ptr_null(strstr(desk.out, "klatch>"));
}
END_TEST

START_TEST(a_script_ends_where_no_server_is)
{
    desk_start(ANSWERS(FAKE_HANGS_UP), "one\ntwo\n");

    ck_assert_int_eq(desk_run("console", NULL, NULL), CTL_NO_SERVER);

    desk_done();
    ck_assert_str_eq(desk.server.requests, BROADCAST("one"));
}
END_TEST

UNIT_MAIN("ctl/console", what_is_typed_is_said_to_everybody,
          a_slash_begins_a_command, wrong_commands_are_told_and_go_nowhere,
          help_and_quit_need_no_server, a_script_is_run_to_its_end_or_to_quit,
          a_script_ends_where_no_server_is)
