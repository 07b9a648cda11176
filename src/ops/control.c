/* SPDX-License-Identifier: BSD-2-Clause
 *
 * control - the listening socket, and who may come in. See ops/control.h and,
 * for what a connection goes through, control_priv.h.
 */
#include "ops/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "ops/control_priv.h"

/* ---- coming in ------------------------------------------------------------ */

/* A sentence, as far as the socket takes it at once. */
static void
turn_away(int fd, const char *sentence)
{
    struct buf line;

    buf_init(&line);
    control_json_append(json_pack("{s:b, s:s}", "ok", 0, "error", sentence),
                        &line);
    buf_append_char(&line, '\n');
    if (!line.failed)
        (void)send(fd, line.data, line.len, MSG_NOSIGNAL);
    buf_fini(&line);
    close(fd);
}

/* The socket's mode keeps others out already; this also holds when somebody
 * has loosened it. */
static bool
may_enter(int fd, struct ucred *peer)
{
    socklen_t len = sizeof(*peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &len) < 0)
        return false;
    return peer->uid == 0 || peer->uid == geteuid();
}

static struct control_conn *
free_place(struct control *control)
{
    for (size_t i = 0; i < CONTROL_CONNS_MAX; i++)
        if (control->conns[i].state == CONTROL_FREE)
            return &control->conns[i];
    return NULL;
}

static void
admit(struct control *control, int fd)
{
    struct ucred peer = {.uid = (uid_t)-1};
    struct control_conn *c;
    int rc;

    if (!may_enter(fd, &peer)) {
        LOG_WARN(LOG_CONTROL, "turned away", LOG_F_U64("uid", peer.uid),
                 LOG_F_I64("pid", peer.pid));
        turn_away(fd, "only root and the server's own user may do this");
        return;
    }
    c = free_place(control);
    if (c == NULL) {
        LOG_WARN(LOG_CONTROL, "no place left", LOG_F_U64("uid", peer.uid),
                 LOG_F_I64("pid", peer.pid));
        turn_away(fd, "too many control connections; try again later");
        return;
    }
    rc = control_conn_open(c, fd, peer.uid, peer.pid);
    if (rc < 0)
        LOG_WARN(LOG_CONTROL, "cannot serve a connection", LOG_F_ERRNO(-rc));
}

/* Level-triggered, so without a pause a lack of descriptors would spin. */
static void
pause_accepting(struct control *control, int error)
{
    struct worker *const w = control->worker;

    LOG_WARN(LOG_CONTROL, "cannot accept", LOG_F_ERRNO(error));
    reactor_remove(worker_reactor(w), &control->source, control->fd);
    wheel_arm(worker_wheel(w), &control->accept_pause,
              worker_now_ms(w) + CONTROL_ACCEPT_PAUSE_MS);
}

static void
on_acceptable(struct reactor_source *s, uint32_t events)
{
    struct control *const control = CONTAINER_OF(s, struct control, source);

    for (unsigned i = 0; i < CONTROL_ACCEPT_BUDGET; i++) {
        const int fd =
            accept4(control->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            admit(control, fd);
            continue;
        }
        if (errno == EINTR || errno == ECONNABORTED)
            continue;
        if (errno != EAGAIN)
            pause_accepting(control, errno);
        return;
    }
}

static int
watch(struct control *control)
{
    return reactor_add(worker_reactor(control->worker), &control->source,
                       control->fd, EPOLLIN);
}

static void
on_pause_over(struct wheel_timer *t, uint64_t now_ms)
{
    struct control *const control =
        CONTAINER_OF(t, struct control, accept_pause);

    if (watch(control) < 0)
        wheel_arm(worker_wheel(control->worker), t,
                  now_ms + CONTROL_ACCEPT_PAUSE_MS);
}

/* ---- life ----------------------------------------------------------------- */

static void
init(struct control *control, const struct control_env *env)
{
    *control = (struct control){
        .env = *env,
        .worker = env->parts->main_worker,
        .fd = -1,
    };
    reactor_source_init(&control->source, on_acceptable);
    wheel_timer_init(&control->accept_pause, on_pause_over);
    for (unsigned i = 0; i < CONTROL_CONNS_MAX; i++)
        control_conn_init(&control->conns[i], control, i);
}

/* Remembers which file is ours, so as to unlink no other. */
static int
remember_file(struct control *control)
{
    struct stat st;

    if (lstat(control->path, &st) < 0)
        return -errno;
    control->dev = st.st_dev;
    control->ino = st.st_ino;
    return 0;
}

static void
unlink_file(const struct control *control)
{
    struct stat st;

    if (control->path != NULL && lstat(control->path, &st) == 0 &&
        st.st_dev == control->dev && st.st_ino == control->ino)
        unlink(control->path);
}

int
control_open_with(const struct control_env *env, const char *path,
                  const struct control_command *commands, size_t command_count,
                  struct control **out)
{
    struct control *const control = malloc(sizeof(*control));
    int rc = -ENOMEM;

    if (control == NULL)
        return rc;
    init(control, env);
    control->commands = commands;
    control->command_count = command_count;

    control->path = strdup(path);
    if (control->path == NULL)
        goto fail;
    rc = control_socket_open(path, &control->fd);
    if (rc < 0)
        goto fail;
    rc = remember_file(control);
    if (rc == 0)
        rc = watch(control);
    if (rc < 0)
        goto fail;

    *out = control;
    return 0;

fail:
    control_close(control);
    return rc;
}

void
control_close(struct control *control)
{
    if (control == NULL)
        return;

    for (unsigned i = 0; i < CONTROL_CONNS_MAX; i++)
        control_conn_close(&control->conns[i]);
    wheel_disarm(worker_wheel(control->worker), &control->accept_pause);
    if (control->fd >= 0) {
        reactor_remove(worker_reactor(control->worker), &control->source,
                       control->fd);
        unlink_file(control);
        close(control->fd);
    }
    free(control->path);
    free(control);
}
