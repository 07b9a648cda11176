/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The socket in the file system: who may find it, and who finds it there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ops/control_priv.h"
#include "support/unit.h"

static char dir[40];
static char path[200];

/* `name` below a directory of our own. */
static void
setup_path(const char *name)
{
    snprintf(dir, sizeof(dir), "/tmp/klatch-socket-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/%s", dir, name);
}

static void
teardown_path(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(dir), 0);
}

static mode_t
mode_of(const char *file)
{
    struct stat st;

    ck_assert_int_eq(lstat(file, &st), 0);
    return st.st_mode;
}

static int
open_socket(void)
{
    int fd = -1;

    ck_assert_int_eq(control_socket_open(path, &fd), 0);
    ck_assert_int_ge(fd, 0);
    return fd;
}

static void
expect_error(int rc)
{
    int fd = -1;

    ck_assert_int_eq(control_socket_open(path, &fd), rc);
    ck_assert_int_eq(fd, -1);
}

static bool
somebody_answers(void)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int rc;

    strcpy(sun.sun_path, path);
    rc = connect(fd, (struct sockaddr *)&sun, sizeof(sun));
    close(fd);
    return rc == 0;
}

START_TEST(only_the_owner_may_use_the_socket_whatever_the_umask)
{
    int fd;

    setup_path("socket");
    umask(0);

    fd = open_socket();

    ck_assert_uint_eq(mode_of(path), S_IFSOCK | 0600);
    ck_assert(somebody_answers());
    close(fd);
    teardown_path();
}
END_TEST

START_TEST(a_missing_directory_is_made_for_the_owner_alone)
{
    char made[64];
    int fd;

    setup_path("made/socket");
    snprintf(made, sizeof(made), "%s/made", dir);
    umask(0);

    fd = open_socket();

    ck_assert_uint_eq(mode_of(made), S_IFDIR | 0700);
    close(fd);
    unlink(path);
    ck_assert_int_eq(rmdir(made), 0);
    teardown_path();
}
END_TEST

START_TEST(only_the_last_directory_is_made)
{
    setup_path("a/b/socket");

    expect_error(-ENOENT);
    teardown_path();
}
END_TEST

START_TEST(what_a_crash_left_is_replaced)
{
    struct stat left, st;
    int fd;

    setup_path("socket");
    close(open_socket()); /* as a crash: the file stays */
    ck_assert_int_eq(lstat(path, &left), 0);
    ck_assert(!somebody_answers());

    fd = open_socket();

    ck_assert_int_eq(lstat(path, &st), 0);
    ck_assert(somebody_answers());
    close(fd);
    teardown_path();
}
END_TEST

START_TEST(a_live_server_is_left_alone)
{
    int fd;

    setup_path("socket");
    fd = open_socket();

    expect_error(-EADDRINUSE);

    ck_assert(somebody_answers());
    close(fd);
    teardown_path();
}
END_TEST

START_TEST(a_live_server_whose_backlog_is_full_is_left_alone)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    int fds[64];
    size_t n = 0;
    int fd;

    setup_path("socket");
    fd = open_socket();
    strcpy(sun.sun_path, path);
    do {
        ck_assert_uint_lt(n, 64);
        fds[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    } while (connect(fds[n++], (struct sockaddr *)&sun, sizeof(sun)) == 0);
    ck_assert_int_eq(errno, EAGAIN);

    expect_error(-EADDRINUSE);

    while (n > 0)
        close(fds[--n]);
    close(fd);
    teardown_path();
}
END_TEST

START_TEST(what_is_no_socket_is_left_alone)
{
    setup_path("socket");
    close(open(path, O_CREAT | O_WRONLY, 0600));

    expect_error(-EEXIST);

    ck_assert_uint_eq(mode_of(path), S_IFREG | 0600);
    teardown_path();
}
END_TEST

START_TEST(a_directory_that_others_may_write_to_is_refused)
{
    setup_path("socket");
    ck_assert_int_eq(chmod(dir, 0770), 0);
    expect_error(-EPERM);
    ck_assert_int_eq(chmod(dir, 0707), 0);
    expect_error(-EPERM);

    /* Sticky, like /tmp: others cannot replace what is ours. */
    ck_assert_int_eq(chmod(dir, 01777), 0);
    close(open_socket());
    teardown_path();
}
END_TEST

START_TEST(a_path_too_long_for_a_socket_is_told)
{
    char name[150];

    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    setup_path(name);

    expect_error(-ENAMETOOLONG);
    teardown_path();
}
END_TEST

START_TEST(a_path_without_a_slash_is_here)
{
    int fd;

    setup_path("socket");
    ck_assert_int_eq(chdir(dir), 0);

    ck_assert_int_eq(control_socket_open("socket", &fd), 0);

    ck_assert(somebody_answers());
    close(fd);
    teardown_path();
}
END_TEST

UNIT_MAIN("ops/control_socket",
          only_the_owner_may_use_the_socket_whatever_the_umask,
          a_missing_directory_is_made_for_the_owner_alone,
          only_the_last_directory_is_made, what_a_crash_left_is_replaced,
          a_live_server_is_left_alone,
          a_live_server_whose_backlog_is_full_is_left_alone,
          what_is_no_socket_is_left_alone,
          a_directory_that_others_may_write_to_is_refused,
          a_path_too_long_for_a_socket_is_told, a_path_without_a_slash_is_here)
