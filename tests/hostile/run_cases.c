/* SPDX-License-Identifier: BSD-2-Clause
 *
 * run_cases - runs a file of hostile cases: run_cases FILE [START OF A NAME]
 *
 * Shape    One daemon for the whole file is started and ended by this process;
 *          each case is a Check test in a process of its own, so that one that
 *          fails leaves the next its sockets and its memory.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile/hostile.h"

static struct case_file file;
static struct daemon server;
static uint16_t pinned_port;
static const char *wanted = ""; /* cases whose names begin like this */

START_TEST(the_server_starts)
{
    pinned_port = case_daemon_start(&server, file.daemon);
}
END_TEST

START_TEST(one_case)
{
    const struct hostile_case *const c = &file.cases[_i];

    if (strncmp(c->name, wanted, strlen(wanted)) != 0)
        return;
    case_run(&file, c, file.daemon != NULL ? &server : NULL, pinned_port);
}
END_TEST

START_TEST(the_server_is_as_it_was_and_ends)
{
    case_daemon_stop(&server);
}
END_TEST

/* Runs `count` tests of `test`; in this process or in one each. Returns how
 * many fail. */
static int
run_tests(const TTest *test, size_t count, enum fork_status how,
          enum print_output output)
{
    Suite *const suite = suite_create(file.path);
    TCase *const tcase = tcase_create(file.path);
    SRunner *const runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, test, 0, (int)count);
    suite_add_tcase(suite, tcase);
    srunner_set_fork_status(runner, how);
    srunner_run_all(runner, output);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed;
}

int
main(int argc, char **argv)
{
    int failed = 0;

    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE [START OF A NAME]\n", argv[0]);
        return EXIT_FAILURE;
    }
    if (argc > 2)
        wanted = argv[2];
    case_file_read(&file, argv[1]);
    if (file.daemon != NULL &&
        run_tests(the_server_starts, 1, CK_NOFORK, CK_SILENT) > 0) {
        fprintf(stderr, "%s: its server does not start\n", file.path);
        return EXIT_FAILURE;
    }

    failed = run_tests(one_case, file.count, CK_FORK, CK_NORMAL);
    e2e_scene("%s: after all its cases", file.path);
    if (file.daemon != NULL)
        failed += run_tests(the_server_is_as_it_was_and_ends, 1, CK_NOFORK,
                            CK_NORMAL);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
