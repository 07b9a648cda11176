/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit/ctl/fake_server.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *
next_answer(struct fake_server *s)
{
    const char *const answer =
        s->answered < FAKE_ANSWERS_MAX ? s->answers[s->answered] : NULL;

    if (answer == NULL)
        return "{\"ok\":true}";
    s->answered++;
    return answer;
}

/* False: the connection is to end. */
static bool
answer_line(struct fake_server *s, int fd, FILE *in)
{
    const size_t len = strlen(s->requests);
    char *const at = s->requests + len;
    const char *answer;

    if (fgets(at, (int)(sizeof(s->requests) - len), in) == NULL)
        return false;
    answer = next_answer(s);
    if (*answer == '\0')
        return false;
    (void)send(fd, answer, strlen(answer), MSG_NOSIGNAL);
    (void)send(fd, "\n", 1, MSG_NOSIGNAL);
    return true;
}

static void *
serve(void *arg)
{
    struct fake_server *const s = arg;
    int fd;

    while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
        FILE *const in = fdopen(fd, "r");

        s->accepted++;
        while (answer_line(s, fd, in))
            continue;
        fclose(in);
    }
    return NULL;
}

void
fake_server_start(struct fake_server *s, const char *const *answers)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};

    *s = (struct fake_server){.fd = socket(AF_UNIX, SOCK_STREAM, 0)};
    snprintf(s->dir, sizeof(s->dir), "/tmp/klatch-fake-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(s->dir));
    snprintf(s->path, sizeof(s->path), "%s/socket", s->dir);
    for (size_t i = 0; answers != NULL && answers[i] != NULL; i++)
        s->answers[i] = answers[i];

    strcpy(sun.sun_path, s->path);
    ck_assert_int_eq(bind(s->fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
    ck_assert_int_eq(listen(s->fd, 4), 0);
    ck_assert_int_eq(pthread_create(&s->thread, NULL, serve, s), 0);
}

void
fake_server_stop(struct fake_server *s)
{
    shutdown(s->fd, SHUT_RDWR); /* accept(2) returns */
    pthread_join(s->thread, NULL);
    close(s->fd);
    unlink(s->path);
    ck_assert_int_eq(rmdir(s->dir), 0);
}
