/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The operator's console on a terminal, where libedit was left out.
 */
#include <string.h>
#include <unistd.h>

#include "support/unit.h"
#include "unit/ctl/desk.h"
#include "unit/ctl/terminal.h"

START_TEST(a_terminal_is_told_in_a_sentence)
{
    terminal_open("hello\n/quit\n");

    ck_assert_int_eq(desk_run("console", NULL, NULL), CTL_USAGE);

    desk_done();
    close(terminal);
    ck_assert_ptr_nonnull(strstr(desk.err, "this build has no console"));
    ck_assert_ptr_eq(strchr(desk.err, '\n') + 1, strchr(desk.err, '\0'));
    ck_assert_str_eq(desk.server.requests, "");
}
END_TEST

UNIT_MAIN("ctl/console_none", a_terminal_is_told_in_a_sentence)
