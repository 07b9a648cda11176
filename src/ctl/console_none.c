/* SPDX-License-Identifier: BSD-2-Clause
 *
 * console_none - instead of console_prompt.c where libedit is left out
 * (KLATCH_CONSOLE=OFF).
 */
#include "ctl/ctl.h"

enum ctl_exit
ctl_console_prompt(struct ctl *ctl)
{
    fputs("klatchctl: this build has no console for a terminal; pipe the lines "
          "into it, or use klatchctl broadcast\n",
          ctl->err);
    return CTL_USAGE;
}
