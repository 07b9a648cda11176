/* SPDX-License-Identifier: BSD-2-Clause
 *
 * control_conn - one connection of an operator. States: control_priv.h.
 *
 * Shape    take_step() does one thing: write, or begin a request, or read. What
 *          can go on at once asks for another step at the end of the turn;
 *          else the reactor is told what to wait for. So a peer that sends a
 *          thousand requests in one piece gets one answer a turn.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/log.h"
#include "ops/control_priv.h"
#include "ops/survey.h"

#define READ_CHUNK 16384u

static const unsigned may_go[] = {
    [CONTROL_FREE] = BIT(CONTROL_READING),
    [CONTROL_READING] = BIT(CONTROL_WORKING) | BIT(CONTROL_FREE),
    [CONTROL_WORKING] = BIT(CONTROL_WRITING) | BIT(CONTROL_FREE),
    [CONTROL_WRITING] = BIT(CONTROL_READING) | BIT(CONTROL_FREE),
};

const char *
control_state_name(enum control_state state)
{
    switch (state) {
    case CONTROL_FREE:
        return "free";
    case CONTROL_READING:
        return "reading";
    case CONTROL_WORKING:
        return "working";
    case CONTROL_WRITING:
        return "writing";
    }
    return "?";
}

static void
check(const struct control_conn *c)
{
    switch (c->state) {
    case CONTROL_FREE:
        ASSERT(c->fd == -1 && c->in.data == NULL && c->out.data == NULL);
        ASSERT(!wheel_is_armed(&c->deadline) && c->survey == NULL);
        break;
    case CONTROL_READING:
        ASSERT(c->out.len == 0 && c->survey == NULL);
        break;
    case CONTROL_WORKING:
    case CONTROL_WRITING:
        ASSERT(c->fd >= 0);
        break;
    }
}

/* Every state but FREE has a deadline of its own. */
static void
enter(struct control_conn *c, enum control_state to)
{
    struct worker *const w = c->control->worker;

    ASSERT_OWNER(w);
    ASSERT(may_go[c->state] & BIT(to));

    c->state = to;
    if (to == CONTROL_FREE)
        wheel_disarm(worker_wheel(w), &c->deadline);
    else
        wheel_arm(worker_wheel(w), &c->deadline,
                  worker_now_ms(w) + CONTROL_DEADLINE_MS);
    check(c);
}

static void
go_on(struct control_conn *c)
{
    worker_defer(c->control->worker, &c->step);
}

/* Has the reactor wait for `events`; 0: only for the peer's end. */
static void
wait_for(struct control_conn *c, uint32_t events)
{
    int rc;

    if (c->is_deaf) {
        /* It does not listen, so nothing need be waited for but the handler;
         * what is not read by now may stay. */
        if (c->state == CONTROL_READING)
            control_conn_close(c);
        else if (c->state != CONTROL_WORKING)
            go_on(c);
        return;
    }
    if (c->watched == events)
        return;

    rc = reactor_modify(worker_reactor(c->control->worker), &c->source, c->fd,
                        events);
    if (rc < 0) {
        control_conn_close(c);
        return;
    }
    c->watched = events;
}

/* The peer closed both ways. What it said before is still carried out. */
static void
become_deaf(struct control_conn *c)
{
    c->is_deaf = true;
    reactor_remove(worker_reactor(c->control->worker), &c->source, c->fd);
}

/* ---- writing -------------------------------------------------------------- */

/* Once: 0, or a negative errno of send(2). */
static int
send_some(struct control_conn *c)
{
    ssize_t n;

    n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_NOSIGNAL);
    if (n < 0)
        return errno == EINTR ? 0 : -errno;
    c->sent += (size_t)n;
    return 0;
}

static void
finish_answer(struct control_conn *c)
{
    buf_fini(&c->out);
    c->sent = 0;
    if (c->is_last) {
        control_conn_close(c);
        return;
    }
    enter(c, CONTROL_READING);
    go_on(c);
}

static void
write_on(struct control_conn *c)
{
    int rc = 0;

    while (rc == 0 && !c->is_deaf && c->sent < c->out.len)
        rc = send_some(c);

    if (rc == -EAGAIN) {
        wait_for(c, EPOLLOUT);
        return;
    }
    if (rc < 0)
        become_deaf(c);
    finish_answer(c);
}

/* ---- reading -------------------------------------------------------------- */

/* For what is wrong with the connection and not with a command of it. */
static void
refuse_and_end(struct control_conn *c, const char *why)
{
    c->is_last = true;
    enter(c, CONTROL_WORKING);
    control_refuse(c, "%s", why);
}

static void
run_line(struct control_conn *c, size_t len)
{
    struct slice line = slice_make(c->in.data, len);

    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    if (line.len > 0) {
        c->serial++;
        c->refused = REFUSAL_NONE;
        enter(c, CONTROL_WORKING);
        control_dispatch(c, line);
    } else {
        go_on(c); /* an empty line asks nothing */
    }
    if (c->state == CONTROL_FREE)
        return; /* no memory for the answer */

    buf_consume(&c->in, len + 1);
    if (c->in.len == 0)
        buf_fini(&c->in);
    if (c->state == CONTROL_WORKING)
        wait_for(c, 0);
}

/* There is no whole line, and there will be none. */
static void
end_input(struct control_conn *c)
{
    if (c->in.len > 0)
        refuse_and_end(c, "the last request was not ended by a newline");
    else
        control_conn_close(c);
}

/* One read, never beyond the longest line that may come. */
static void
read_some(struct control_conn *c)
{
    char chunk[READ_CHUNK];
    size_t room = CONTROL_REQUEST_MAX + 1 - c->in.len;
    ssize_t n;

    if (room > sizeof(chunk))
        room = sizeof(chunk);
    n = recv(c->fd, chunk, room, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        wait_for(c, EPOLLIN);
        return;
    }
    if (n <= 0)
        c->at_eof = true;
    else
        buf_append(&c->in, chunk, (size_t)n);

    if (c->in.failed)
        control_conn_close(c);
    else
        go_on(c);
}

static void
read_on(struct control_conn *c)
{
    const char *const end =
        c->in.len > 0 ? memchr(c->in.data, '\n', c->in.len) : NULL;

    if (end != NULL)
        run_line(c, (size_t)(end - c->in.data));
    else if (c->in.len > CONTROL_REQUEST_MAX)
        refuse_and_end(c, "the request is longer than 64 KiB");
    else if (c->at_eof)
        end_input(c);
    else
        read_some(c);
}

/* ---- what calls us -------------------------------------------------------- */

static void
take_step(struct worker *w, struct task *t)
{
    struct control_conn *const c = CONTAINER_OF(t, struct control_conn, step);

    switch (c->state) {
    case CONTROL_READING:
        read_on(c);
        break;
    case CONTROL_WRITING:
        write_on(c);
        break;
    case CONTROL_FREE:
    case CONTROL_WORKING:
        break;
    }
}

static void
on_ready(struct reactor_source *s, uint32_t events)
{
    struct control_conn *const c = CONTAINER_OF(s, struct control_conn, source);

    /* While a handler works nothing else is watched for: the peer is gone. */
    if (c->state == CONTROL_WORKING)
        become_deaf(c);
    else
        go_on(c);
}

/* Whoever still works on the request will find nobody to answer. */
static void
forget_handler(struct control_conn *c)
{
    c->serial++;
    survey_cancel(c->survey);
    c->survey = NULL;
}

static void
on_deadline(struct wheel_timer *t, uint64_t now_ms)
{
    struct control_conn *const c =
        CONTAINER_OF(t, struct control_conn, deadline);

    switch (c->state) {
    case CONTROL_READING:
        if (c->in.len > 0)
            refuse_and_end(c, "the request did not come whole in time");
        else
            control_conn_close(c);
        break;
    case CONTROL_WORKING:
        LOG_WARN(LOG_CONTROL, "no answer in time",
                 LOG_F_U64("place", c->place));
        forget_handler(c);
        control_refuse(c, "the server did not find the answer in time");
        break;
    case CONTROL_WRITING:
        control_conn_close(c);
        break;
    case CONTROL_FREE:
        break;
    }
}

/* ---- answers -------------------------------------------------------------- */

void
control_answer_text(struct control_conn *c, const struct buf *text)
{
    ASSERT(c->state == CONTROL_WORKING);

    c->survey = NULL;
    buf_append(&c->out, text->data, text->len);
    buf_append_char(&c->out, '\n');
    if (text->failed || c->out.failed) {
        control_conn_close(c);
        return;
    }
    enter(c, CONTROL_WRITING);
    go_on(c);
}

void
control_answer(struct control_conn *c, json_t *fields)
{
    struct buf text;

    buf_init(&text);
    control_json_append(fields, &text);
    if (text.failed) {
        buf_fini(&text);
        buf_append_str(&text,
                       "{\"ok\":false,\"error\":\"the server is short of "
                       "memory\"}");
    }
    control_answer_text(c, &text);
    buf_fini(&text);
}

void
control_refuse(struct control_conn *c, const char *fmt, ...)
{
    char sentence[CONTROL_SENTENCE_MAX];
    va_list args;

    va_start(args, fmt);
    vsnprintf(sentence, sizeof(sentence), fmt, args);
    va_end(args);

    LOG_INFO(LOG_CONTROL, "refused", LOG_F_U64("uid", c->uid),
             LOG_F_STR("why", sentence));
    control_answer(c, json_pack("{s:b, s:o}", "ok", 0, "error",
                                control_json_text(slice_of(sentence), true)));
}

/* ---- life ----------------------------------------------------------------- */

void
control_conn_init(struct control_conn *c, struct control *control,
                  unsigned place)
{
    *c = (struct control_conn){
        .control = control,
        .place = place,
        .fd = -1,
    };
    buf_init(&c->in);
    buf_init(&c->out);
    reactor_source_init(&c->source, on_ready);
    wheel_timer_init(&c->deadline, on_deadline);
    task_init(&c->step, take_step);
}

int
control_conn_open(struct control_conn *c, int fd, uid_t uid, pid_t pid)
{
    int rc;

    ASSERT(c->state == CONTROL_FREE);

    rc = reactor_add(worker_reactor(c->control->worker), &c->source, fd,
                     EPOLLIN);
    if (rc < 0) {
        close(fd);
        return rc;
    }
    c->fd = fd;
    c->uid = uid;
    c->pid = pid;
    c->watched = EPOLLIN;
    c->at_eof = false;
    c->is_deaf = false;
    c->is_last = false;
    enter(c, CONTROL_READING);
    return 0;
}

void
control_conn_close(struct control_conn *c)
{
    if (c->state == CONTROL_FREE)
        return;

    forget_handler(c);
    if (c->sent < c->out.len)
        (void)send_some(c);
    worker_cancel(&c->step);
    reactor_remove(worker_reactor(c->control->worker), &c->source, c->fd);
    close(c->fd);
    c->fd = -1;
    c->sent = 0;
    buf_fini(&c->in);
    buf_fini(&c->out);
    enter(c, CONTROL_FREE);
}
