/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The operator's console on a terminal.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/unit.h"
#include "unit/ctl/desk.h"
#include "unit/ctl/terminal.h"

#define BROADCAST(text) "{\"command\":\"broadcast\",\"args\":[\"" text "\"]}\n"

START_TEST(a_terminal_gets_a_prompt_with_completion_and_history)
{
    char screen[4096];
    ssize_t n;

    /* ^P: the line before. */
    terminal_open("hello\n/broa\tagain\n\x10\n/quit\n");

    ck_assert_int_eq(desk_run("console", NULL, NULL), CTL_DONE);

    n = read(terminal, screen, sizeof(screen) - 1);
    ck_assert_int_gt((int)n, 0);
    screen[n] = '\0';
    ck_assert_ptr_nonnull(strstr(screen, "klatch> "));
    desk_done();
    close(terminal);
    ck_assert_str_eq(desk.server.requests,
                     BROADCAST("hello") BROADCAST("again") BROADCAST("again"));
}
END_TEST

START_TEST(any_script_may_be_typed_at_a_terminal)
{
    ck_assert_int_eq(setenv("LC_ALL", "C", 1), 0);
    terminal_open("小明 привет\n/quit\n");

    ck_assert_int_eq(desk_run("console", NULL, NULL), CTL_DONE);

    desk_done();
    close(terminal);
    ck_assert_str_eq(desk.server.requests, BROADCAST("小明 привет"));
}
END_TEST

UNIT_MAIN("ctl/console_prompt",
          a_terminal_gets_a_prompt_with_completion_and_history,
          any_script_may_be_typed_at_a_terminal)
