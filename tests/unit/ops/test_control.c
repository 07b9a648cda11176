/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who may come in, what is logged, and the socket's file. accept4 is wrapped,
 * so that a case can make it fail.
 */
#include "ops/control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "support/capture.h"
#include "support/fake_time.h"
#include "support/unit.h"
#include "unit/ops/control_rig.h"

static int accept_error;
static unsigned accepts;
static struct capture said;

int __real_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags);

int
__wrap_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags)
{
    accepts++;
    if (accept_error != 0) {
        errno = accept_error;
        return -1;
    }
    return __real_accept4(fd, sa, len, flags);
}

static void
on_fine(struct control_conn *c, const struct control_request *r)
{
    control_answer(c, control_ok());
}

static const struct control_command commands[] = {
    {"fine", on_fine, 0, 3, true, "", ""},
};

static void
start(void)
{
    accept_error = 0;
    accepts = 0;
    rig_start(commands, ARRAY_LEN(commands));
    capture_open(&said);
    log_set_fd(said.in);
    log_set_level(LOG_LEVEL_INFO);
}

static void
stop(void)
{
    rig_stop();
    capture_close(&said);
}

START_TEST(root_and_our_own_user_may_come_in)
{
    const uid_t may[] = {0, geteuid()};

    for (size_t i = 0; i < ARRAY_LEN(may); i++) {
        int fd;

        start();
        rig.forge_uid = true;
        rig.peer_uid = may[i];
        fd = rig_connect();
        rig_send(fd, "{\"command\":\"fine\"}\n");

        ck_assert_str_eq(rig_answer(fd), "{\"ok\":true}");
        close(fd);
        stop();
    }
}
END_TEST

START_TEST(another_user_is_turned_away_and_logged)
{
    int fd;

    start();
    rig.forge_uid = true;
    rig.peer_uid = geteuid() + 4711;
    fd = rig_connect();

    ck_assert_str_eq(rig_answer(fd),
                     "{\"ok\":false,\"error\":\"only root and the server's "
                     "own user may do this\"}");
    ck_assert(rig_is_closed(fd));
    ck_assert_uint_eq(rig_places(), 0);
    ck_assert_uint_eq(capture_count(&said, "turned away"), 1);
    close(fd);
    stop();
}
END_TEST

START_TEST(every_command_is_logged_with_its_uid)
{
    char uid[32];
    int fd;

    start();
    snprintf(uid, sizeof(uid), "uid=%u ", (unsigned)geteuid());
    fd = rig_connect();
    rig_send(fd, "{\"command\":\"fine\",\"args\":[\"#ops\\u001b\",\"hush\"]}\n"
                 "{\"command\":\"no\"}\n");
    (void)rig_answer(fd);
    (void)rig_answer(fd);

    ck_assert_uint_eq(capture_count(&said, "notice control command"), 2);
    ck_assert_uint_eq(capture_count(&said, uid), 3);
    ck_assert_uint_eq(capture_count(&said, "command=fine"), 1);
    ck_assert_uint_eq(capture_count(&said, "#ops\\x1b"), 1);
    ck_assert_uint_eq(capture_count(&said, "command=no"), 1);
    ck_assert_uint_eq(capture_count(&said, "hush"), 0);
    close(fd);
    stop();
}
END_TEST

START_TEST(a_lack_of_descriptors_pauses_and_does_not_spin)
{
    int fd;

    start();
    accept_error = EMFILE;
    fd = rig_connect();
    ck_assert_uint_eq(accepts, 1);
    rig_settle();
    ck_assert_uint_eq(accepts, 1);

    rig_pass_ms(CONTROL_ACCEPT_PAUSE_MS);
    ck_assert_uint_eq(accepts, 2);
    accept_error = 0;
    rig_pass_ms(CONTROL_ACCEPT_PAUSE_MS);

    rig_send(fd, "{\"command\":\"fine\"}\n");
    ck_assert_str_eq(rig_answer(fd), "{\"ok\":true}");
    close(fd);
    stop();
}
END_TEST

START_TEST(closing_while_accepting_pauses_is_fine)
{
    int fd;

    start();
    accept_error = ENFILE;
    fd = rig_connect();
    ck_assert_uint_eq(accepts, 1);

    close(fd);
    stop();
}
END_TEST

START_TEST(what_aborts_before_it_is_accepted_is_passed_over)
{
    start();
    accept_error = ECONNABORTED;
    close(rig_connect());
    ck_assert_uint_gt(accepts, 1);
    ck_assert_uint_eq(capture_count(&said, "cannot accept"), 0);

    accept_error = 0;
    stop();
}
END_TEST

START_TEST(the_file_goes_with_the_control)
{
    struct stat st;

    start();
    ck_assert_int_eq(lstat(rig.path, &st), 0);

    control_close(rig.control);
    rig.control = NULL;

    ck_assert_int_eq(lstat(rig.path, &st), -1);
    stop();
}
END_TEST

START_TEST(a_file_that_took_its_place_stays)
{
    struct control *second;
    struct stat st;

    start();
    ck_assert_int_eq(unlink(rig.path), 0);
    ck_assert_int_eq(control_open_with(&rig.env, rig.path, commands,
                                       ARRAY_LEN(commands), &second),
                     0);

    control_close(rig.control);
    rig.control = NULL;

    ck_assert_int_eq(lstat(rig.path, &st), 0);
    control_close(second);
    stop();
}
END_TEST

START_TEST(a_second_server_is_told_that_the_first_lives)
{
    struct control *second = NULL;
    int fd;

    start();
    ck_assert_int_eq(control_open_with(&rig.env, rig.path, commands,
                                       ARRAY_LEN(commands), &second),
                     -EADDRINUSE);
    ck_assert_ptr_null(second);

    fd = rig_connect();
    rig_send(fd, "{\"command\":\"fine\"}\n");
    ck_assert_str_eq(rig_answer(fd), "{\"ok\":true}");
    close(fd);
    stop();
}
END_TEST

UNIT_MAIN("ops/control", root_and_our_own_user_may_come_in,
          another_user_is_turned_away_and_logged,
          every_command_is_logged_with_its_uid,
          a_lack_of_descriptors_pauses_and_does_not_spin,
          closing_while_accepting_pauses_is_fine,
          what_aborts_before_it_is_accepted_is_passed_over,
          the_file_goes_with_the_control, a_file_that_took_its_place_stays,
          a_second_server_is_told_that_the_first_lives)
