/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See ctl/link.h.
 */
#include "ctl/link.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

/* The server closes a connection after 10 s without a request and refuses what
 * takes it longer than that: below the one, above the other. */
#define KEEP_MS    5000u
#define PATIENCE_S 20

#define READ_CHUNK 65536u

struct link {
    char *path;
    int fd; /* -1: not connected */
    uint64_t used_ms;
};

struct link *
link_create(const char *path)
{
    struct link *const l = malloc(sizeof(*l));

    if (l == NULL)
        return NULL;
    *l = (struct link){.path = strdup(path), .fd = -1};
    if (l->path == NULL) {
        free(l);
        return NULL;
    }
    return l;
}

static void
hang_up(struct link *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

void
link_destroy(struct link *l)
{
    if (l == NULL)
        return;

    hang_up(l);
    free(l->path);
    free(l);
}

/* In a directory like /tmp, somebody else could have put a socket where a
 * server's would be. Root may ask whom it likes. */
static int
check_peer(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        return -errno;
    if (peer.uid == 0 || peer.uid == geteuid() || geteuid() == 0)
        return 0;
    return -EKEYREJECTED;
}

static int
dial(struct link *l)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    const size_t len = strlen(l->path);

    if (len >= sizeof(sun.sun_path))
        return -ENAMETOOLONG;
    memcpy(sun.sun_path, l->path, len + 1);

    l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (l->fd < 0)
        return -errno;
    if (setsockopt(l->fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
                   sizeof(patience)) < 0 ||
        setsockopt(l->fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
                   sizeof(patience)) < 0 ||
        connect(l->fd, (const struct sockaddr *)(const void *)&sun,
                sizeof(sun)) < 0)
        return -errno;
    return check_peer(l->fd);
}

/* A server that turns us away says why and hangs up, perhaps before it has
 * read anything: so that it cannot be written to is no reason not to read. */
static void
send_all(const struct link *l, const struct buf *line)
{
    size_t sent = 0;

    while (sent < line->len) {
        const ssize_t n =
            send(l->fd, line->data + sent, line->len - sent, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return;
        sent += (size_t)n;
    }
}

static int
read_error(ssize_t n)
{
    if (n == 0 || errno == ECONNRESET)
        return -EPIPE;
    return errno == EAGAIN ? -ETIMEDOUT : -errno;
}

/* Up to and with the newline; there is nothing behind it, because we ask only
 * one thing at a time. */
static int
read_line(const struct link *l, struct buf *line)
{
    char chunk[READ_CHUNK];

    while (line->len == 0 || line->data[line->len - 1] != '\n') {
        const ssize_t n = recv(l->fd, chunk, sizeof(chunk), 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return read_error(n);
        buf_append(line, chunk, (size_t)n);
        if (line->failed)
            return -ENOMEM;
    }
    return 0;
}

static int
append_chunk(const char *data, size_t len, void *out)
{
    buf_append(out, data, len);
    return 0;
}

static int
exchange(struct link *l, const json_t *request, struct buf *line)
{
    int rc;

    if (json_dump_callback(request, append_chunk, line, JSON_COMPACT) < 0)
        return -ENOMEM;
    buf_append_char(line, '\n');
    if (line->failed)
        return -ENOMEM;

    if (l->fd >= 0 && clock_mono_ms() - l->used_ms > KEEP_MS)
        hang_up(l);
    rc = l->fd < 0 ? dial(l) : 0;
    if (rc < 0)
        return rc;
    send_all(l, line);
    buf_reset(line);
    rc = read_line(l, line);
    l->used_ms = clock_mono_ms();
    return rc;
}

static int
parse(const struct buf *line, json_t **answer)
{
    json_t *const json = json_loadb(line->data, line->len, 0, NULL);

    if (!json_is_object(json) ||
        !json_is_boolean(json_object_get(json, "ok"))) {
        json_decref(json);
        return -EPROTO;
    }
    *answer = json;
    return 0;
}

int
link_ask(struct link *l, const json_t *request, json_t **answer)
{
    struct buf line;
    int rc;

    buf_init(&line);
    rc = exchange(l, request, &line);
    if (rc == 0)
        rc = parse(&line, answer);
    if (rc < 0)
        hang_up(l);
    buf_fini(&line);
    return rc;
}
