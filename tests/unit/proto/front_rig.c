/* SPDX-License-Identifier: BSD-2-Clause */
#include "front_rig.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/msg.h"
#include "base/wheel.h"
#include "loop/worker.h"
#include "support/fake_time.h"

#define START_MS 1000000u
#define TURNS    8 /* more than anything here takes to calm down */

struct rig rig;

void __wrap_line_open(struct conn *c, struct front *f);

/* -- the protocol ---------------------------------------------------------- */

static struct talk_client *
talk_of(struct client *cl)
{
    return (struct talk_client *)cl;
}

/* Any token will do: the test is the hub. */
static void
talk_resume(struct talk_client *tc)
{
    static const struct token token = {.bytes = "any"};

    ck_assert_int_eq(client_resume(&tc->cl, &token), 0);
}

static void
talk_line(struct talk_client *tc, struct slice line)
{
    struct command c = {.kind = COMMAND_SAY, .text = line};

    c.name = slice_of("#lobby");
    if (slice_equal(line, slice_of("/resume")) &&
        tc->cl.state == CLIENT_STRANGER)
        talk_resume(tc);
    else if (slice_equal(line, slice_of("/quit")))
        client_detach(&tc->cl, DETACH_QUIT, slice_of("bye"), CONN_END_QUIT);
    else if (tc->cl.state == CLIENT_STRANGER)
        ck_assert_int_eq(client_attach(&tc->cl, line), 0);
    else
        ck_assert_int_eq(client_send(&tc->cl, &c, NULL), 0);
}

static size_t
on_bytes(struct conn *c, const char *data, size_t len)
{
    struct talk_client *const tc = conn_data(c);
    size_t used = 0;
    bool warn;

    for (;;) {
        const char *const end = memchr(data + used, '\n', len - used);
        const char *const line = data + used;

        if (end == NULL)
            return used;
        if (!client_may_talk(&tc->cl, 1, front_now_ms(rig.f), &warn)) {
            tc->warnings += warn;
            return used;
        }
        used = (size_t)(end - data) + 1;
        talk_line(tc, slice_make(line, (size_t)(end - line)));
    }
}

static void
on_eof(struct conn *c, size_t rest)
{
    struct talk_client *const tc = conn_data(c);

    client_detach(&tc->cl, DETACH_LOST, slice_of("gone"), CONN_END_EOF);
}

static void
on_deadline(struct conn *c)
{
    struct talk_client *const tc = conn_data(c);

    if (conn_get_state(c) == CONN_OPENING)
        client_detach(&tc->cl, DETACH_LOST, slice_of("late"), CONN_END_OPENING);
}

static void
on_closed(struct conn *c, enum conn_end end)
{
    struct talk_client *const tc = conn_data(c);

    client_fini(&tc->cl, "connection lost");
    tc->peer->talk = NULL;
    tc->peer->ended = true;
    tc->peer->end = end;
    free(tc);
}

static const struct conn_ops talk_ops = {
    .name = "talk",
    .on_bytes = on_bytes,
    .on_eof = on_eof,
    .on_deadline = on_deadline,
    .on_drained = client_on_drained,
    .on_closing = client_on_closing,
    .on_closed = on_closed,
};

/* Keeps a pointer to a membership until told that it ended, as client_priv.h
 * says one may. */
static void
note_move(struct talk_client *tc, const struct view_member *member,
          const struct event *e)
{
    ck_assert_ptr_eq(member->client, &tc->cl);
    if (e->who.conn != tc->peer->id)
        return;
    if (e->kind == EVENT_JOINED)
        tc->current = member;
    else if (e->kind == EVENT_PARTED && tc->current == member)
        tc->current = NULL;
}

static void
on_event(struct client *cl, const struct view_member *member,
         const struct delivery *d, struct encoding *enc)
{
    struct talk_client *const tc = talk_of(cl);

    if (member != NULL)
        note_move(tc, member, d->event);
    if (d->event->kind == EVENT_ATTACHED || d->event->kind == EVENT_RESUMED)
        conn_enter(cl->conn, CONN_OPEN);
    if (rig.on_event != NULL)
        rig.on_event(tc, d);
    encoding_queue(enc, cl, tc->form);
}

static void
add_part(struct buf *b, struct slice part)
{
    if (part.len > 0)
        buf_printf(b, " %.*s", SLICE_ARG(part));
}

static struct msg *
encode(const struct front *f, const struct delivery *d,
       const struct view_room *room, uint32_t key)
{
    const struct event *const e = d->event;
    struct msg *m;
    struct buf b;

    rig.encode_calls++;
    if (rig.encode_fails > 0) {
        rig.encode_fails--;
        return NULL;
    }

    buf_init(&b);
    buf_printf(&b, "%s%s%s", d->replay ? "then " : "", key > 0 ? "+" : "",
               event_name(e->kind));
    if (room != NULL)
        add_part(&b, slice_make(room->name, room->name_len));
    add_part(&b, e->who.nick);
    add_part(&b, e->name);
    add_part(&b, e->text);
    buf_append_char(&b, '\n');
    m = buf_to_msg(&b);
    buf_fini(&b);
    return m;
}

static const struct view_room *
current_room(const struct client *cl)
{
    const struct talk_client *const tc = (const struct talk_client *)cl;

    return tc->current != NULL ? tc->current->room : NULL;
}

static void
on_behind(struct client *cl)
{
    talk_of(cl)->behinds++;
}

static void
on_caught_up(struct client *cl, uint64_t missed)
{
    talk_of(cl)->caught_ups++;
    talk_of(cl)->missed += missed;
}

static void
on_stop(struct client *cl)
{
    ck_assert_int_eq(conn_queue_take(cl->conn, msg_printf("stopping\n")), 0);
}

const struct protocol talk_protocol = {
    .name = "talk",
    .gauge = offsetof(struct front_counters, line_clients),
    .on_event = on_event,
    .encode = encode,
    .on_behind = on_behind,
    .on_caught_up = on_caught_up,
    .current_room = current_room,
    .on_stop = on_stop,
};

static struct peer *adoptee;

static void
talk_open(struct conn *c, struct front *f)
{
    struct talk_client *const tc = calloc(1, sizeof(*tc));

    ck_assert_ptr_nonnull(tc);
    ck_assert_int_eq(client_init(&tc->cl, f, c, &talk_protocol), 0);
    tc->peer = adoptee;
    adoptee->talk = tc;
    conn_set_ops(c, &talk_ops, tc);
    conn_enter(c, CONN_OPENING);
}

/* Stands in for the line protocol. */
void
__wrap_line_open(struct conn *c, struct front *f)
{
    talk_open(c, f);
}

/* -- the rig --------------------------------------------------------------- */

void
rig_init(void)
{
    const struct rlimit files = {2048, 2048};

    (void)setrlimit(RLIMIT_NOFILE, &files);
    memset(&rig, 0, sizeof(rig));
    net_conf_init(&rig.net);
    proto_conf_init(&rig.conf);
    rig.conf.session_linger = 0; /* a case that wants sessions says so */
    rig.sent = calloc(RIG_SENT_MAX, sizeof(*rig.sent));
    ck_assert_ptr_nonnull(rig.sent);
}

static void
on_accepted(struct conn *c, void *arg)
{
    adoptee->id = conn_get_id(c);
    if (rig.detects)
        front_on_accepted(c, arg);
    else
        talk_open(c, arg);
}

void
rig_start(void)
{
    const struct worker_conf worker_conf = {
        .name = "rig",
        .index = RIG_WORKER,
        .cpu = -1,
    };
    const struct front_env front_env = {.index = RIG_WORKER};
    struct conns_env env = {.on_accepted = on_accepted};

    fake_time_start(START_MS);
    log_set_level(LOG_LEVEL_WARN);
    ck_assert_int_eq(worker_create(&worker_conf, &rig.worker), 0);
    ck_assert_int_eq(front_create(&front_env, &rig.conf, &rig.f), 0);
    env.worker = rig.worker;
    env.arg = rig.f;
    ck_assert_int_eq(conns_create(&env, &rig.net, &rig.conns), 0);
    front_set_conns(rig.f, rig.conns);
}

static void
nothing(struct worker *w, struct task *t)
{
}

void
rig_turn(void)
{
    struct task wakes;

    task_init(&wakes, nothing);
    worker_soon(rig.worker, &wakes);
    worker_turn(rig.worker);
}

void
rig_settle(void)
{
    for (int i = 0; i < TURNS; i++)
        rig_turn();
}

static void
close_one(void *arg, struct conn *c)
{
    conn_close(c, CONN_END_SHUTDOWN);
}

static void
check_all_came_back(void)
{
    ck_assert_uint_eq(rig_counter("clients"), 0);
    ck_assert_uint_eq(rig_counter("line_clients"), 0);
    ck_assert_uint_eq(rig_counter("view_rooms"), 0);
    ck_assert_uint_eq(rig_counter("view_members"), 0);
    ck_assert_uint_eq(rig.f->view.members.live, 0);
    ck_assert_uint_eq(rig_counter("tracked"), 0);
    ck_assert_uint_eq(rig_counter("unacked"), 0);
    ck_assert(list_is_empty(&rig.f->waiting));
    ck_assert(list_is_empty(&rig.f->leaving));
    ck_assert_uint_eq(metric_read(&conns_counters(rig.conns)->open), 0);
    ck_assert_uint_eq(worker_wheel(rig.worker)->armed, 0);
    ck_assert_uint_eq(msg_live(), 0);
    ck_assert_uint_eq(event_live(), 0);
}

void
rig_stop(void)
{
    conns_each(rig.conns, close_one, NULL);
    rig_settle();
    check_all_came_back();

    conns_destroy(rig.conns);
    front_destroy(rig.f);
    worker_destroy(rig.worker);
    for (size_t i = 0; i < rig.peer_count; i++) {
        peer_close(&rig.peers[i]);
        buf_fini(&rig.peers[i].text);
    }
    free(rig.sent);
}

uint64_t
rig_counter(const char *name)
{
    for (size_t i = 0; i < front_metric_count; i++)
        if (strcmp(front_metrics[i].name, name) == 0)
            return metric_read_at(front_counters(rig.f), &front_metrics[i]);
    ck_abort_msg("no counter %s", name);
}

/* -- peers ----------------------------------------------------------------- */

struct peer *
rig_connect_to(unsigned listener)
{
    struct accepted s = {.listener = listener, .peer.family = AF_UNIX};
    struct peer *p;
    int ends[2];

    ck_assert_uint_lt(rig.peer_count, RIG_PEERS_MAX);
    p = &rig.peers[rig.peer_count++];
    ck_assert_int_eq(socketpair(AF_UNIX,
                                SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                                ends),
                     0);
    buf_init(&p->text);
    p->fd = ends[1];
    s.fd = ends[0];
    adoptee = p;
    conns_adopt(rig.conns, &s);
    return p;
}

struct peer *
rig_connect(void)
{
    return rig_connect_to(0);
}

void
peer_say(struct peer *p, const char *text)
{
    ck_assert_int_eq(write(p->fd, text, strlen(text)), (ssize_t)strlen(text));
    adoptee = p; /* who is being detected, if anybody */
    rig_settle();
}

void
peer_finish(struct peer *p)
{
    ck_assert_int_eq(shutdown(p->fd, SHUT_WR), 0);
    rig_settle();
}

void
peer_close(struct peer *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
}

const char *
peer_read(struct peer *p)
{
    char chunk[16384];
    ssize_t got;

    rig_settle();
    buf_reset(&p->text);
    while ((got = read(p->fd, chunk, sizeof(chunk))) > 0)
        buf_append(&p->text, chunk, (size_t)got);
    p->at_eof = got == 0;
    buf_append_char(&p->text, '\0');
    return p->text.data;
}

struct peer *
rig_member(const char *nick)
{
    struct peer *const p = rig_connect();
    const struct sent *s;
    char line[64];

    snprintf(line, sizeof(line), "%s\n", nick);
    peer_say(p, line);
    s = hub_take(COMMAND_ATTACH);
    hub_attached(s, nick);
    hub_done(s);
    (void)peer_read(p);
    return p;
}

struct peer *
rig_in_lobby(const char *nick)
{
    struct peer *const p = rig_member(nick);
    const struct event_who who = rig_who(p, nick);

    hub_joined(&who, RIG_LOBBY, "#lobby");
    (void)peer_read(p);
    return p;
}
