/* SPDX-License-Identifier: BSD-2-Clause
 *
 * shortage - memory that runs out when a case says so.
 *
 * Use      unit(LAYER MODULE EXTRA shortage.c
 *               WRAP malloc calloc realloc reallocarray aligned_alloc)
 */
#ifndef UNIT_CHAT_SHORTAGE_H
#define UNIT_CHAT_SHORTAGE_H

#include <stdbool.h>
#include <stdint.h>

/* `granted` requests succeed, then one fails, or all do that follow. */
void run_short(uint32_t granted, bool lasting);
void run_free(void);

/* How many failed since run_short(). */
uint64_t run_refused(void);

#endif
