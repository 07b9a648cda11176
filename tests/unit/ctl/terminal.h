/* SPDX-License-Identifier: BSD-2-Clause
 *
 * terminal - the desk's input and output are a terminal.
 */
#ifndef UNIT_CTL_TERMINAL_H
#define UNIT_CTL_TERMINAL_H

/* Where the operator sits: what is shown is read from here. */
extern int terminal;

/* Starts the desk; `keys` were typed already. The test closes `terminal`. */
void terminal_open(const char *keys);

#endif
