/* SPDX-License-Identifier: BSD-2-Clause
 *
 * e2e - what all end-to-end tests share.
 *
 * Use      tests/e2e/test_NAME.c, e2e(NAME) in tests/e2e/CMakeLists.txt. Each
 *          suite is run once with each number of workers ($E2E_WORKERS).
 * Failing  Helpers call e2e_fail(), which ends the Check case and tells the
 *          scene: in a loop over many situations, which of them it was.
 */
#ifndef SUPPORT_E2E_H
#define SUPPORT_E2E_H

#include <stdbool.h>
#include <stdint.h>

/* How many workers the server shall have in this run. */
unsigned e2e_workers(void);

/* `n` of something, or fewer where a sanitizer makes everything slow; the
 * percentage in $E2E_SCALE overrides. Never less than one. */
unsigned e2e_scaled(unsigned n);

/* `shortly`, scaled as above, or what the long form (support/figure.h) asks for,
 * which only $E2E_SCALE can make less. */
unsigned e2e_figure(unsigned shortly, unsigned fully);

/* Says on standard output what was measured. */
void e2e_measured(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A limit of time, longer where a sanitizer makes everything slow, or as many
 * times as $E2E_SLOWER says. */
uint64_t e2e_patience_ms(uint64_t ms);

/* What is being tried now, until the next one. */
void e2e_scene(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

_Noreturn void e2e_fail(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

/* As many file descriptors as we may have. */
void e2e_raise_fd_limit(void);

/* Monotonic. */
uint64_t now_ms(void);

#endif
