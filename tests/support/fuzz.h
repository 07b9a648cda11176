/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fuzz - the function libFuzzer calls; each target in tests/fuzz defines it.
 *
 * What must hold is said with ASSERT of base/assert.h: it aborts, and libFuzzer
 * then writes the input to a file.
 */
#ifndef SUPPORT_FUZZ_H
#define SUPPORT_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Returns 0, always. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
