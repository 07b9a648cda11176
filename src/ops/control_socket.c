/* SPDX-License-Identifier: BSD-2-Clause
 *
 * control_socket - a Unix socket that only its owner, and root, can reach.
 *
 * Order    Looking whether somebody answers, unlinking, binding and listening
 *          happen under a lock on the directory (flock(2)): of two daemons
 *          that start together, one finds the other.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ops/control_priv.h"

#define BACKLOG 16

/* The directory part of `path`. */
static int
parent_of(const char *path, char *out, size_t size)
{
    const char *const slash = strrchr(path, '/');
    const size_t len =
        slash == NULL || slash == path ? 1 : (size_t)(slash - path);

    if (len >= size)
        return -ENAMETOOLONG;
    memcpy(out, slash == NULL ? "." : path, len);
    out[len] = '\0';
    return 0;
}

/* Could somebody else put a socket of theirs in place of ours? */
static bool
is_ours(const struct stat *st)
{
    const bool others_write = (st->st_mode & (S_IWGRP | S_IWOTH)) != 0;

    if (st->st_uid != 0 && st->st_uid != geteuid())
        return false;
    return !others_write || (st->st_mode & S_ISVTX) != 0;
}

/* Opens, and locks, the directory that the socket is to stand in. */
static int
open_directory(const char *path, int *out)
{
    char parent[PATH_MAX];
    struct stat st;
    int fd;
    int rc;

    rc = parent_of(path, parent, sizeof(parent));
    if (rc < 0)
        return rc;
    if (mkdir(parent, S_IRWXU) < 0 && errno != EEXIST)
        return -errno;

    fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0 || flock(fd, LOCK_EX) < 0) {
        rc = -errno;
        goto fail;
    }
    if (!is_ours(&st)) {
        rc = -EPERM;
        goto fail;
    }
    *out = fd;
    return 0;

fail:
    close(fd);
    return rc;
}

/* 0: nobody answers at the socket that stands there. */
static int
ask_who_answers(const struct sockaddr_un *sun)
{
    const struct sockaddr *const sa =
        (const struct sockaddr *)(const void *)sun;
    int fd;
    int rc;

    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    rc = connect(fd, sa, sizeof(*sun)) == 0 || errno == EAGAIN ? -EADDRINUSE
                                                               : -errno;
    close(fd);
    return rc == -ECONNREFUSED ? 0 : rc;
}

/* Unlinks what a daemon that crashed has left. */
static int
remove_stale(const struct sockaddr_un *sun)
{
    struct stat st;
    int rc;

    if (lstat(sun->sun_path, &st) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode))
        return -EEXIST;
    rc = ask_who_answers(sun);
    if (rc == 0 && unlink(sun->sun_path) < 0)
        rc = -errno;
    return rc;
}

static int
bind_and_listen(const struct sockaddr_un *sun, int *out)
{
    const struct sockaddr *const sa =
        (const struct sockaddr *)(const void *)sun;
    int rc;
    int fd;

    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    /* On Linux the socket's mode becomes the file's, so that there is never a
     * moment with another. A umask would be the whole process's. */
    if (fchmod(fd, S_IRUSR | S_IWUSR) < 0 || bind(fd, sa, sizeof(*sun)) < 0 ||
        listen(fd, BACKLOG) < 0) {
        rc = -errno;
        close(fd);
        return rc;
    }
    *out = fd;
    return 0;
}

int
control_socket_open(const char *path, int *fd)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    const size_t len = strlen(path);
    int directory;
    int rc;

    if (len >= sizeof(sun.sun_path))
        return -ENAMETOOLONG;
    memcpy(sun.sun_path, path, len + 1);

    rc = open_directory(path, &directory);
    if (rc < 0)
        return rc;
    rc = remove_stale(&sun);
    if (rc == 0)
        rc = bind_and_listen(&sun, fd);
    close(directory); /* and with it the lock */
    return rc;
}
