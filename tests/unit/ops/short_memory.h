/* SPDX-License-Identifier: BSD-2-Clause
 *
 * short_memory - malloc, calloc and realloc that fail when told to; for tests
 * that wrap all three.
 */
#ifndef UNIT_OPS_SHORT_MEMORY_H
#define UNIT_OPS_SHORT_MEMORY_H

/* How many more calls succeed; -1: as many as one likes. */
extern long allocations_left;

#endif
