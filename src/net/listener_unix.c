/* SPDX-License-Identifier: BSD-2-Clause
 *
 * listener_unix - the file of a Unix socket: whose it is, and when it goes.
 *
 * The file outlives a daemon that crashed, and bind(2) refuses while it is
 * there. Only connect(2) tells whether somebody still listens: ECONNREFUSED
 * means that nobody does. Between that answer and our bind(2) another daemon
 * may do the same; then one of the two gets EADDRINUSE from bind(2), or, within
 * microseconds, loses its file to the other. Two daemons on one path is a
 * mistake that their operator has to notice in any case.
 *
 * While our socket is open the kernel keeps the inode it was bound to, removed
 * or not. So before close(2), and only then, no other file has its number.
 */
#include "net/listener_priv.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* What connect(2) says about the socket at the path. */
static int
try_connect(const struct listen_addr *a)
{
    const int fd =
        socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int rc;

    if (fd < 0)
        return -errno;

    rc = connect(fd, &a->u.any, a->len) < 0 ? -errno : 0;
    close(fd);
    return rc;
}

static int
remove_if_stale(const struct listen_addr *a)
{
    const int rc = try_connect(a);

    switch (rc) {
    case 0:
    case -EAGAIN: /* its backlog is full: very much alive */
        return -EADDRINUSE;
    case -ECONNREFUSED:
        return unlink(a->u.un.sun_path) < 0 && errno != ENOENT ? -errno : 0;
    case -ENOENT: /* gone while we looked */
        return 0;
    case -EPROTOTYPE: /* a datagram socket: not one of ours */
        return -EEXIST;
    default:
        return rc;
    }
}

int
listener_unix_clear(const struct listen_addr *a)
{
    struct stat st;

    if (lstat(a->u.un.sun_path, &st) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode))
        return -EEXIST;
    return remove_if_stale(a);
}

int
listener_unix_note(struct listener *l)
{
    struct stat st;

    if (lstat(l->addr.u.un.sun_path, &st) < 0)
        return -errno;

    l->file_dev = st.st_dev;
    l->file_ino = st.st_ino;
    l->has_file = true;
    return 0;
}

void
listener_unix_unlink(struct listener *l)
{
    const char *const path = l->addr.u.un.sun_path;
    struct stat st;

    if (!l->has_file)
        return;
    l->has_file = false;
    if (lstat(path, &st) == 0 && st.st_dev == l->file_dev &&
        st.st_ino == l->file_ino)
        (void)unlink(path);
}
