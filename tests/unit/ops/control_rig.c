/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit/ops/control_rig.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "loop/worker.h"
#include "support/fake_time.h"

#define START_MS 5000u

struct rig rig;

/* ---- who asks ------------------------------------------------------------- */

int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *len);

int
__wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    const int rc = __real_getsockopt(fd, level, name, value, len);

    if (rc == 0 && name == SO_PEERCRED && rig.forge_uid)
        ((struct ucred *)value)->uid = rig.peer_uid;
    return rc;
}

/* ---- life ----------------------------------------------------------------- */

static int
on_reload(void *arg, char *why, size_t size)
{
    ck_assert_ptr_eq(arg, &rig);
    rig.reloads++;
    if (rig.complaint == NULL)
        return 0;
    snprintf(why, size, "%s", rig.complaint);
    return -EINVAL;
}

static void
on_stop(void *arg)
{
    ck_assert_ptr_eq(arg, &rig);
    rig.stops++;
}

void
rig_init(void)
{
    const struct worker_conf conf = {.name = "main", .cpu = -1};

    log_set_level(LOG_LEVEL_ERROR);
    fake_time_start(START_MS);
    rig = (struct rig){
        .env = {.parts = &rig.parts,
                .reload = on_reload,
                .stop = on_stop,
                .arg = &rig}
    };
    snprintf(rig.dir, sizeof(rig.dir), "/tmp/klatch-control-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(rig.dir));
    snprintf(rig.path, sizeof(rig.path), "%s/socket", rig.dir);
    ck_assert_int_eq(worker_create(&conf, &rig.parts.main_worker), 0);
}

void
rig_open(const struct control_command *commands, size_t n)
{
    ck_assert_int_eq(
        control_open_with(&rig.env, rig.path, commands, n, &rig.control), 0);
}

void
rig_start(const struct control_command *commands, size_t n)
{
    rig_init();
    rig_open(commands, n);
}

void
rig_stop(void)
{
    control_close(rig.control);
    worker_destroy(rig.parts.main_worker);
    ck_assert_int_eq(rmdir(rig.dir), 0);
}

/* ---- time ----------------------------------------------------------------- */

static void
nothing(struct worker *w, struct task *t)
{
}

void
rig_turn(void)
{
    struct task wakes;

    task_init(&wakes, nothing);
    worker_soon(rig.parts.main_worker, &wakes);
    worker_turn(rig.parts.main_worker);
}

void
rig_settle(void)
{
    for (int i = 0; i < 40; i++)
        rig_turn();
}

void
rig_pass_ms(uint64_t ms)
{
    fake_time_pass_ms(ms);
    rig_settle();
}

/* ---- operators ------------------------------------------------------------ */

int
rig_connect(void)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    strcpy(sun.sun_path, rig.path);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
    ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    rig_settle();
    return fd;
}

/* Turns the worker whenever the socket is full. */
void
rig_send_bytes(int fd, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0) {
        const ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

        if (n < 0) {
            ck_assert_int_eq(errno, EAGAIN);
            rig_turn();
            continue;
        }
        at += n;
        len -= (size_t)n;
    }
}

void
rig_send(int fd, const char *text)
{
    rig_send_bytes(fd, text, strlen(text));
}

const char *
rig_answer(int fd)
{
    static char line[1 << 20];
    size_t len = 0;

    for (int patience = 1000; patience > 0; patience--) {
        ssize_t n = recv(fd, line + len, sizeof(line) - len, MSG_PEEK);
        const char *end;

        ck_assert(n > 0 || (n < 0 && errno == EAGAIN));
        if (n < 0) {
            rig_turn();
            continue;
        }
        end = memchr(line + len, '\n', (size_t)n);
        if (end == NULL) {
            ck_assert_int_eq(recv(fd, line + len, (size_t)n, 0), n);
            len += (size_t)n;
            continue;
        }
        /* No byte of the answer behind it. */
        n = end - (line + len) + 1;
        ck_assert_int_eq(recv(fd, line + len, (size_t)n, 0), n);
        line[len + (size_t)n - 1] = '\0';
        return line;
    }
    ck_abort_msg("no answer");
    return NULL;
}

bool
rig_is_silent(int fd)
{
    char byte;

    rig_settle();
    return recv(fd, &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

bool
rig_is_closed(int fd)
{
    char byte;
    ssize_t n;

    rig_settle();
    n = recv(fd, &byte, 1, MSG_PEEK);
    return n == 0 || (n < 0 && errno == ECONNRESET);
}

size_t
rig_places(void)
{
    size_t n = 0;

    for (size_t i = 0; i < CONTROL_CONNS_MAX; i++)
        n += rig.control->conns[i].state != CONTROL_FREE;
    return n;
}
