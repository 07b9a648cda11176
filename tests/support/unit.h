/* SPDX-License-Identifier: BSD-2-Clause
 *
 * unit - the main() that every Check suite of ours shares.
 *
 *   UNIT_MAIN("base/inbox", first_post_rings, order_is_kept)
 *
 * Each case runs in a process of its own (Check's fork mode), so one that
 * crashes fails alone and none sees the statics of another; CK_FORK=no in the
 * environment turns that off, as tests/race needs.
 */
#ifndef SUPPORT_UNIT_H
#define SUPPORT_UNIT_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

/* What ctest takes for "skipped" (SKIP_RETURN_CODE). */
#define UNIT_SKIPPED 77

#define UNIT_MAIN(name, ...) UNIT_MAIN_IF(true, name, __VA_ARGS__)

/* The same where the suite may be impossible; who finds that says why. */
#define UNIT_MAIN_IF(is_possible, name, ...)                          \
    int main(void)                                                    \
    {                                                                 \
        const TTest *const cases[] = {__VA_ARGS__};                   \
        Suite *const suite = suite_create(name);                      \
        TCase *const tcase = tcase_create(name);                      \
        SRunner *const runner = srunner_create(suite);                \
        int failed;                                                   \
                                                                      \
        if (!(is_possible))                                           \
            return UNIT_SKIPPED;                                      \
                                                                      \
        tcase_set_timeout(tcase, 120);                                \
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) \
            tcase_add_test(tcase, cases[i]);                          \
        suite_add_tcase(suite, tcase);                                \
        srunner_run_all(runner, CK_NORMAL);                           \
        failed = srunner_ntests_failed(runner);                       \
        srunner_free(runner);                                         \
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;             \
    }

#endif
