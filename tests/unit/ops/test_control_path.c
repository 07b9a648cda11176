/* SPDX-License-Identifier: BSD-2-Clause
 *
 * geteuid is wrapped, so that the cases may be root or not.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ops/config.h"
#include "support/unit.h"

static uid_t uid;

uid_t __wrap_geteuid(void);

uid_t
__wrap_geteuid(void)
{
    return uid;
}

static char path[108];

static const char *
path_of(const char *admin_socket)
{
    ck_assert_int_eq(config_control_path(admin_socket, path, sizeof(path)), 0);
    return path;
}

START_TEST(what_is_configured_wins)
{
    uid = 0;

    ck_assert_str_eq(path_of("/srv/k.sock"), "/srv/k.sock");
}
END_TEST

START_TEST(roots_is_in_run)
{
    uid = 0;
    (void)setenv("XDG_RUNTIME_DIR", "/run/user/0", 1);

    ck_assert_str_eq(path_of(""), "/run/klatch/control.sock");
}
END_TEST

START_TEST(a_users_is_in_the_users_runtime_directory)
{
    uid = 1000;
    (void)setenv("XDG_RUNTIME_DIR", "/run/user/1000", 1);

    ck_assert_str_eq(path_of(""), "/run/user/1000/klatch/control.sock");
}
END_TEST

START_TEST(without_a_runtime_directory_it_is_below_tmp_by_number)
{
    uid = 1000;
    (void)unsetenv("XDG_RUNTIME_DIR");
    ck_assert_str_eq(path_of(""), "/tmp/klatch-1000/control.sock");

    (void)setenv("XDG_RUNTIME_DIR", "", 1);
    ck_assert_str_eq(path_of(""), "/tmp/klatch-1000/control.sock");

    (void)setenv("XDG_RUNTIME_DIR", "relative", 1);
    ck_assert_str_eq(path_of(""), "/tmp/klatch-1000/control.sock");
}
END_TEST

START_TEST(a_path_that_a_socket_cannot_have_is_refused)
{
    char longest[109];
    char large[256] = "kept";

    memset(longest, '/', sizeof(longest));
    longest[107] = '\0';
    ck_assert_int_eq(config_control_path(longest, large, sizeof(large)), 0);
    ck_assert_str_eq(large, longest);

    longest[107] = '/';
    longest[108] = '\0';
    memcpy(large, "kept", 5);
    ck_assert_int_eq(config_control_path(longest, large, sizeof(large)),
                     -ENAMETOOLONG);
    ck_assert_int_eq(config_control_path("/srv/k.sock", large, 11),
                     -ENAMETOOLONG);
    ck_assert_str_eq(large, "kept");
}
END_TEST

UNIT_MAIN("ops/control_path", what_is_configured_wins, roots_is_in_run,
          a_users_is_in_the_users_runtime_directory,
          without_a_runtime_directory_it_is_below_tmp_by_number,
          a_path_that_a_socket_cannot_have_is_refused)
