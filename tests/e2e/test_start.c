/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How klatchd starts, and why it does not: exit codes and what it says.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "support/daemon.h"
#include "support/peer.h"
#include "support/program.h"
#include "support/unit.h"

static struct daemon d;
static struct peer p;

/* Runs klatchd with these arguments until it ends by itself. */
static struct program
klatchd(const char *first, const char *second, const char *third)
{
    const char *const argv[] = {getenv("KLATCHD"), first, second, third, NULL};
    struct program done;

    program_run(&done, argv, NULL);
    return done;
}

static void
expect_refused(struct program *done, int code, const char *said)
{
    ck_assert_msg(done->code == code, "exit code %d: %s", done->code,
                  done->err);
    ck_assert_msg(strstr(done->err, said) != NULL, "not said: %s\nbut: %s",
                  said, done->err);
    program_fini(done);
}

static void
write_file(const char *path, const char *text)
{
    FILE *const f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fclose(f), 0);
}

START_TEST(it_needs_no_config_file)
{
    daemon_prepare(&d);
    d.config[0] = '\0';
    setenv("KLATCH_LISTEN_MAIN_ADDRESS", "127.0.0.1:0", 1);
    setenv("KLATCH_ADMIN_SOCKET", d.control, 1);
    setenv("KLATCH_SERVER_NAME", "the little café", 1);

    daemon_launch(&d);
    daemon_await_ready(&d);
    peer_connect(&p, d.port);
    peer_send(&p, "alice\n");
    peer_expect(&p, "Nickname: * Welcome to the little café, alice. Type /help "
                    "for the commands.");

    peer_close(&p);
    daemon_stop_within(&d, 10000);
    unsetenv("KLATCH_LISTEN_MAIN_ADDRESS");
    unsetenv("KLATCH_ADMIN_SOCKET");
    unsetenv("KLATCH_SERVER_NAME");
}
END_TEST

START_TEST(an_address_in_use_is_exit_code_69)
{
    char text[256];
    char path[DAEMON_PATH_MAX + 8];
    struct program done;

    daemon_start(&d, NULL);
    snprintf(path, sizeof(path), "%s.2", d.config);
    snprintf(text, sizeof(text),
             "[admin]\nsocket = %s.2\n"
             "[listen \"other\"]\naddress = 127.0.0.1:%u\n",
             d.control, (unsigned)d.port);
    write_file(path, text);

    done = klatchd("-c", path, NULL);

    expect_refused(&done, EX_UNAVAILABLE, "in use");
    unlink(path);
    peer_join(&p, d.port, "alice"); /* the first one does not mind */
    peer_close(&p);
    daemon_stop(&d);
}
END_TEST

START_TEST(a_socket_of_a_live_server_is_not_taken_over)
{
    char text[512];
    char path[DAEMON_PATH_MAX + 8];
    struct program done;

    daemon_start(&d, NULL);
    snprintf(path, sizeof(path), "%s.2", d.config);

    snprintf(text, sizeof(text),
             "[admin]\nsocket = %s.2\n[listen \"unix\"]\naddress = unix:%s\n",
             d.control, d.socket);
    write_file(path, text);
    done = klatchd("-c", path, NULL);
    expect_refused(&done, EX_UNAVAILABLE, "in use");

    snprintf(text, sizeof(text),
             "[admin]\nsocket = %s\n[listen \"x\"]\naddress = 127.0.0.1:0\n",
             d.control);
    write_file(path, text);
    done = klatchd("-c", path, NULL);
    expect_refused(&done, EX_UNAVAILABLE, "in use");

    unlink(path);
    peer_connect_unix(&p, d.socket);
    peer_enter(&p, "alice");
    peer_close(&p);
    daemon_stop(&d);
}
END_TEST

START_TEST(a_wrong_config_is_exit_code_78_and_every_error)
{
    char line[2][DAEMON_PATH_MAX + 64];
    struct program done;

    daemon_prepare(&d);
    write_file(d.config, "[limits]\nsenq = 64k\nline_length = many\n"
                         "[listen \"main\"]\nadress = 127.0.0.1:0\n");
    snprintf(line[0], sizeof(line[0]), "%s:3: ", d.config);
    snprintf(line[1], sizeof(line[1]), "%s:5: ", d.config);

    for (int checks_only = 0; checks_only < 2; checks_only++) {
        done = klatchd("-c", d.config, checks_only ? "-t" : NULL);
        ck_assert_ptr_nonnull(strstr(done.err, line[0]));
        ck_assert_ptr_nonnull(strstr(done.err, line[1]));
        ck_assert_ptr_nonnull(strstr(done.err, "sendq"));   /* for senq */
        ck_assert_ptr_nonnull(strstr(done.err, "address")); /* for adress */
        expect_refused(&done, EX_CONFIG, ":2: ");
    }
    unlink(d.config);
    ck_assert_int_eq(rmdir(d.dir), 0);
}
END_TEST

START_TEST(a_config_that_cannot_be_read_is_exit_code_78)
{
    struct program done = klatchd("-c", "/nowhere/klatch.conf", NULL);

    expect_refused(&done, EX_CONFIG, "/nowhere/klatch.conf");
    done = klatchd("-c", "/tmp", NULL); /* a directory */
    expect_refused(&done, EX_CONFIG, "/tmp");
}
END_TEST

START_TEST(wrong_usage_is_exit_code_64)
{
    struct program done = klatchd("--no-such-option", NULL, NULL);

    expect_refused(&done, EX_USAGE, "klatchd --help");
    done = klatchd("stray", NULL, NULL);
    expect_refused(&done, EX_USAGE, "stray");
}
END_TEST

START_TEST(what_it_dumps_is_a_config_that_says_the_same)
{
    struct program first, second;

    daemon_prepare(&d);
    daemon_configure(&d, "[limits]\nsendq = 3M\n[timeouts]\nopening = 90s\n");

    first = klatchd("-c", d.config, "--dump-config");
    ck_assert_int_eq(first.code, 0);
    ck_assert_ptr_nonnull(strstr(first.out, "sendq = 3M"));
    write_file(d.config, first.out);
    second = klatchd("-c", d.config, "--dump-config");
    ck_assert_int_eq(second.code, 0);
    ck_assert_str_eq(second.out, first.out);

    program_fini(&first);
    program_fini(&second);
    unlink(d.config);
    ck_assert_int_eq(rmdir(d.dir), 0);
}
END_TEST

START_TEST(the_sample_is_a_right_config)
{
    struct program sample = klatchd("--sample-config", NULL, NULL);
    struct program test;

    daemon_prepare(&d);
    write_file(d.config, sample.out);

    test = klatchd("-t", "-c", d.config);

    ck_assert_msg(test.code == 0, "%s", test.err);
    ck_assert_str_eq(test.err, "");
    program_fini(&sample);
    program_fini(&test);
    unlink(d.config);
    ck_assert_int_eq(rmdir(d.dir), 0);
}
END_TEST

START_TEST(the_control_socket_is_for_its_owner_only)
{
    struct stat st;

    daemon_start(&d, NULL);

    ck_assert_int_eq(stat(d.control, &st), 0);

    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    daemon_stop(&d);
}
END_TEST

/* -- after a crash -------------------------------------------------------- */

START_TEST(after_a_kill_it_starts_again_on_the_same_addresses)
{
    int status;

    daemon_start(&d, NULL);
    snprintf(d.address, sizeof(d.address), "127.0.0.1:%u", (unsigned)d.port);
    daemon_configure(&d, NULL);

    for (int i = 0; i < 5; i++) {
        struct peer q;

        e2e_scene("kill %d", i);
        peer_connect(&p, d.port);
        peer_enter(&p, "alice");
        peer_connect_unix(&q, d.socket);
        peer_enter(&q, "bob");
        daemon_signal(&d, SIGKILL);
        status = daemon_await_exit(&d, 10000);
        ck_assert(WIFSIGNALED(status));
        peer_close(&p); /* after the server: its side waits in TIME_WAIT */
        peer_close(&q);
        daemon_launch(&d);
        daemon_await_ready(&d);
    }
    peer_join(&p, d.port, "alice");
    peer_close(&p);
    daemon_stop(&d);
}
END_TEST

UNIT_MAIN("e2e/start", it_needs_no_config_file,
          an_address_in_use_is_exit_code_69,
          a_socket_of_a_live_server_is_not_taken_over,
          a_wrong_config_is_exit_code_78_and_every_error,
          a_config_that_cannot_be_read_is_exit_code_78,
          wrong_usage_is_exit_code_64,
          what_it_dumps_is_a_config_that_says_the_same,
          the_sample_is_a_right_config,
          the_control_socket_is_for_its_owner_only,
          after_a_kill_it_starts_again_on_the_same_addresses)
