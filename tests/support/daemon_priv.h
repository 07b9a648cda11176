/* SPDX-License-Identifier: BSD-2-Clause
 *
 * daemon_priv - what the files of daemon.h share.
 */
#ifndef SUPPORT_DAEMON_PRIV_H
#define SUPPORT_DAEMON_PRIV_H

/* The whole file as a string, the caller's to free. */
char *daemon_read_file(const char *path);

#endif
