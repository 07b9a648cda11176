/* SPDX-License-Identifier: BSD-2-Clause
 *
 * listener_priv - the body of struct listener, for listener*.c.
 */
#ifndef NET_LISTENER_PRIV_H
#define NET_LISTENER_PRIV_H

#include <stdbool.h>
#include <sys/stat.h>

#include "net/listener.h"

struct listener {
    int fd;
    unsigned index;
    char *name;
    struct listen_addr addr;
    bool has_file; /* Unix: file_dev and file_ino are of the file we made */
    dev_t file_dev;
    ino_t file_ino;
};

/* Makes room at the path: 0 when nothing is there (any more), -EADDRINUSE,
 * -EEXIST, or what lstat(2), connect(2) or unlink(2) met. */
MUST_CHECK int listener_unix_clear(const struct listen_addr *a);

/* Remembers which file bind(2) has just made. 0 or a negative errno. */
MUST_CHECK int listener_unix_note(struct listener *l);

/* Unlinks that file if it is still the one at the path. */
void listener_unix_unlink(struct listener *l);

#endif
