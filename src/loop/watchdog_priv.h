/* SPDX-License-Identifier: BSD-2-Clause
 *
 * watchdog_priv - one look, for src/loop and its tests.
 */
#ifndef LOOP_WATCHDOG_PRIV_H
#define LOOP_WATCHDOG_PRIV_H

#include "loop/watchdog.h"

void watchdog_look(struct watchdog *wd, uint64_t now_ms);

#endif
