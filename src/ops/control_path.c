/* SPDX-License-Identifier: BSD-2-Clause
 *
 * control_path - where the control socket is, for klatchd and klatchctl alike.
 *
 * Root's stands in /run. Another user's stands where only that user can write:
 * $XDG_RUNTIME_DIR, or a directory below /tmp that carries the user's number
 * and that the daemon makes with mode 0700.
 */
#include "ops/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

/* What bind(2) takes, with its NUL. */
#define SOCKET_PATH_SIZE sizeof(((struct sockaddr_un *)NULL)->sun_path)

static int
put_default(char *out, size_t size)
{
    const char *const run = secure_getenv("XDG_RUNTIME_DIR");

    if (geteuid() == 0)
        return snprintf(out, size, "/run/klatch/control.sock");
    if (run != NULL && run[0] == '/')
        return snprintf(out, size, "%s/klatch/control.sock", run);
    return snprintf(out, size, "/tmp/klatch-%lu/control.sock",
                    (unsigned long)geteuid());
}

int
config_control_path(const char *admin_socket, char *out, size_t size)
{
    char path[SOCKET_PATH_SIZE];
    int len;

    len = admin_socket[0] != '\0'
              ? snprintf(path, sizeof(path), "%s", admin_socket)
              : put_default(path, sizeof(path));
    if (len < 0 || (size_t)len >= sizeof(path) || (size_t)len >= size)
        return -ENAMETOOLONG;
    (void)snprintf(out, size, "%s", path);
    return 0;
}
