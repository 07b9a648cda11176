/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See terminal.h.
 */
#include "unit/ctl/terminal.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "unit/ctl/desk.h"

int terminal;

static FILE *
open_terminal(void)
{
    struct termios modes;
    FILE *slave;

    terminal = posix_openpt(O_RDWR | O_NOCTTY);
    ck_assert_int_ge(terminal, 0);
    ck_assert_int_eq(grantpt(terminal), 0);
    ck_assert_int_eq(unlockpt(terminal), 0);
    slave = fopen(ptsname(terminal), "r+");
    ck_assert_ptr_nonnull(slave);
    /* Else keys typed before libedit is ready would be taken by the kernel. */
    ck_assert_int_eq(tcgetattr(fileno(slave), &modes), 0);
    cfmakeraw(&modes);
    ck_assert_int_eq(tcsetattr(fileno(slave), TCSANOW, &modes), 0);
    return slave;
}

void
terminal_open(const char *keys)
{
    ck_assert_int_eq(setenv("TERM", "vt100", 1), 0);
    desk_start(NULL, NULL);
    fclose(desk.ctl.in);
    fclose(desk.ctl.out);
    desk.ctl.in = open_terminal();
    desk.ctl.out = fopen(ptsname(terminal), "w");
    ck_assert_ptr_nonnull(desk.ctl.out);
    ck_assert_int_eq(write(terminal, keys, strlen(keys)),
                     (ssize_t)strlen(keys));
}
