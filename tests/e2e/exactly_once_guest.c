/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See exactly_once.h: a guest.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "e2e/exactly_once.h"
#include "support/stamp.h"

#define WINDOW    8u /* said and not yet heard, in a room */
#define ACK_EVERY 16u
#define SMALL     8192
#define PADDING   200u

#define EVENTS_A_TURN 256
#define TICK_MS       10

unsigned
party_random(struct party *p, unsigned n)
{
    return (unsigned)rand_r(&p->seed) % n;
}

size_t
guest_room(const struct party *p, const struct guest *g, size_t i)
{
    return (g->index + i) % p->plan->rooms;
}

/* ---- its conn ------------------------------------------------------------ */

static void
watch(struct party *p, struct guest *g)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.u64 = g->index};

    ck_assert_int_eq(epoll_ctl(p->epoll, EPOLL_CTL_ADD, g->fd, &ev), 0);
}

static void
bind_socket(const struct guest *g)
{
    const struct sockaddr_in from = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(g->from),
    };
    const int on = 1;

    setsockopt(g->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    if (bind(g->fd, (const struct sockaddr *)&from, sizeof(from)) < 0)
        e2e_fail("m%u: bind: %s", g->index, strerror(errno));
}

static void
open_socket(struct guest *g)
{
    const int family = g->is_local ? AF_UNIX : AF_INET;
    const int on = 1, small = SMALL;

    ck_assert_int_eq(g->fd, -1);
    g->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_ge(g->fd, 0);
    if (!g->is_local)
        setsockopt(g->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (g->is_small)
        setsockopt(g->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    if (g->from != 0)
        bind_socket(g);
}

/* Of a Unix socket EAGAIN says that the backlog is full. */
static bool
connect_socket(const struct party *p, const struct guest *g)
{
    const struct sockaddr_in in = {
        .sin_family = AF_INET,
        .sin_port = htons(p->port),
        .sin_addr.s_addr =
            inet_addr(p->server != NULL ? p->server : "127.0.0.1"),
    };
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int rc;

    snprintf(un.sun_path, sizeof(un.sun_path), "%s", p->socket);
    if (g->is_local)
        rc = connect(g->fd, (const struct sockaddr *)&un, sizeof(un));
    else
        rc = connect(g->fd, (const struct sockaddr *)&in, sizeof(in));
    return rc == 0 || errno == EINPROGRESS;
}

static void
dial(struct party *p, struct guest *g)
{
    open_socket(g);
    if (!connect_socket(p, g))
        e2e_fail("connect: %s", strerror(errno));
    g->conn_id = 0;
    watch(p, g);
}

void
guest_forget_conn(struct guest *g)
{
    free(g->in);
    free(g->out);
    g->in = g->out = NULL;
    g->in_len = g->out_len = 0;
    g->fd = -1;
    g->is_cut = g->is_deaf = false;
}

void
guest_lost(struct party *p, struct guest *g, unsigned away_ms)
{
    guest_forget_conn(g);
    g->unacked += g->unsure;
    g->unsure = 0;
    g->slack += g->unacked;
    g->state = GUEST_AWAY;
    g->return_ms = now_ms() + away_ms;
}

static void
flush(struct guest *g)
{
    while (g->out_len > 0) {
        const ssize_t n = send(g->fd, g->out, g->out_len, MSG_NOSIGNAL);

        if (n < 0)
            return; /* full; or broken, which reading will tell */
        g->out_len -= (size_t)n;
        memmove(g->out, g->out + n, g->out_len);
    }
}

void
guest_send(struct guest *g, const char *fmt, ...)
{
    va_list args;
    int n;

    g->out = realloc(g->out, g->out_len + 1024);
    ck_assert_ptr_nonnull(g->out);
    va_start(args, fmt);
    n = vsnprintf(g->out + g->out_len, 1024, fmt, args);
    va_end(args);
    ck_assert_int_lt(n, 1024);
    g->out_len += (size_t)n;
    flush(g);
}

void
guest_come(struct party *p, struct guest *g)
{
    dial(p, g);
    g->state = GUEST_ENTERS;
    guest_send(g, "m%u\n/ack on\n", g->index);
    for (size_t i = 0; i < ROOMS_A_GUEST; i++)
        guest_send(g, "/join #r%zu\n", guest_room(p, g, i));
    guest_send(g, "/part #lobby\n");
}

void
guest_come_back(struct party *p, struct guest *g)
{
    dial(p, g);
    g->state = GUEST_ASKS;
    guest_send(g, "/resume %s\n", g->token.text);
}

/* ---- what it says -------------------------------------------------------- */

static void
say_number(const struct party *p, struct guest *g, size_t i, uint32_t number)
{
    char text[STAMP_SIZE + PADDING];
    const size_t room = guest_room(p, g, i);
    const struct stamp stamp = {(uint32_t)room, g->index, number};
    const size_t padding = number * 37 % PADDING;

    stamp_write(text, STAMP_SIZE + padding, &stamp, padding);
    guest_send(g, "/switch #r%zu\n%s\n", room, text);
}

void
guest_say(struct party *p, struct guest *g)
{
    const size_t i = party_random(p, ROOMS_A_GUEST);

    if (g->said[i] - g->echoed[i] < WINDOW)
        say_number(p, g, i, ++g->said[i]);
}

/* It has caught up: what it has not heard of itself did not happen. If it may
 * have missed it nobody knows, and it goes on. */
static void
say_again(struct party *p, struct guest *g)
{
    for (size_t i = 0; i < ROOMS_A_GUEST; i++) {
        if (p->plan->may_miss)
            g->echoed[i] = g->said[i];
        for (uint32_t n = g->echoed[i] + 1; n <= g->said[i]; n++) {
            say_number(p, g, i, n);
            p->said_again++;
        }
    }
}

/* ---- what it hears ------------------------------------------------------- */

static size_t
index_of_room(const struct party *p, const struct guest *g, size_t room)
{
    for (size_t i = 0; i < ROOMS_A_GUEST; i++)
        if (guest_room(p, g, i) == room)
            return i;
    e2e_fail("m%u is not in #r%zu", g->index, room);
}

/* `text` is "[#room] <nick> stamp", or without the room. */
static void
hear_said(struct party *p, struct guest *g, uint64_t id, const char *text)
{
    const char *const at = strstr(text, "> =");
    struct said what = {.id = id};
    struct stamp stamp;
    char before[64];
    char here[64];
    size_t i;

    if (at == NULL || !stamp_read(at + 2, &stamp))
        e2e_fail("m%u: torn: %s", g->index, text);
    snprintf(here, sizeof(here), "<m%u> ", stamp.sender);
    snprintf(before, sizeof(before), "[#r%u] <m%u> ", stamp.room, stamp.sender);
    if (strncmp(text, here, strlen(here)) != 0 &&
        strncmp(text, before, strlen(before)) != 0)
        e2e_fail("m%u: misled: %s", g->index, text);

    what.sender = stamp.sender;
    what.number = stamp.number;
    i = index_of_room(p, g, stamp.room);
    if (id <= g->last_id) {
        books_hear_again(&p->books, stamp.room, &what, &g->marks[i]);
        p->again++;
        return;
    }
    books_hear(&p->books, stamp.room, &what, &g->marks[i]);
    p->heard++;
    if (stamp.sender == g->index)
        g->echoed[i] = stamp.number;
}

static void
hear_numbered(struct party *p, struct guest *g, const char *line)
{
    char *text;
    const uint64_t id = strtoull(line + 1, &text, 10);

    if (*text++ != ' ' || id <= g->conn_id)
        e2e_fail("m%u: after @%" PRIu64 " comes %s", g->index, g->conn_id,
                 line);
    g->conn_id = id;
    if (strstr(text, "> =") != NULL)
        hear_said(p, g, id, text);
    else if (strncmp(text, "* ", 2) != 0)
        e2e_fail("m%u: what is: %s", g->index, line);
    if (id > g->last_id) {
        g->last_id = id;
        g->unacked++;
    }
}

static void
hear_of_its_state(struct party *p, struct guest *g, const char *line)
{
    unsigned missed;

    if (session_find_token(line, &g->token))
        return;
    if (sscanf(line, "* %u message", &missed) == 1 &&
        strstr(line, "missed and cannot be shown") != NULL) {
        g->told_missed += missed;
        g->unacked += missed; /* lost again before that, it is told again */
        p->missed += missed;
    } else if (strncmp(line, "* Welcome back, ", 16) == 0) {
        ck_assert_int_eq(g->state, GUEST_ASKS);
        g->state = GUEST_CATCHES_UP;
        g->is_behind = true;
        p->resumes++;
    } else if (strncmp(line, "* That is all.", 14) == 0) {
        ck_assert_int_eq(g->state, GUEST_CATCHES_UP);
        g->state = GUEST_LIVE;
        g->is_behind = false;
        say_again(p, g);
    } else if (strncmp(line, "* You are reading too slowly", 28) == 0) {
        g->is_behind = true;
        p->behind++;
    } else if (strcmp(line, "* You have caught up.") == 0) {
        g->is_behind = false;
    } else if (strncmp(line, "* You left #lobby", 17) == 0) {
        g->state = GUEST_LIVE;
    } else if (strstr(line, "No session waits") != NULL ||
               strstr(line, "have ended") != NULL ||
               strstr(line, " quit") != NULL) {
        e2e_fail("m%u, state %d, token %s: %s", g->index, (int)g->state,
                 g->token.text, line);
    } else if (p->on_notice != NULL) {
        p->on_notice(g, line);
    }
}

static void
hear_line(struct party *p, struct guest *g, const char *line)
{
    static const char prompt[] = "Nickname: ";

    if (strncmp(line, prompt, sizeof(prompt) - 1) == 0)
        line += sizeof(prompt) - 1;
    if (line[0] == '@')
        hear_numbered(p, g, line);
    else if (line[0] == '*')
        hear_of_its_state(p, g, line);
    else
        e2e_fail("m%u: what is: %s", g->index, line);
}

static void
hear(struct party *p, struct guest *g, char *data, size_t len)
{
    char *line, *end;

    g->in = realloc(g->in, g->in_len + len);
    ck_assert_ptr_nonnull(g->in);
    memcpy(g->in + g->in_len, data, len);
    g->in_len += len;
    line = g->in;
    while ((end = memchr(line, '\n', g->in_len - (size_t)(line - g->in))) !=
           NULL) {
        *end = '\0';
        hear_line(p, g, line);
        line = end + 1;
    }
    g->in_len -= (size_t)(line - g->in);
    memmove(g->in, line, g->in_len);
}

static void
acknowledge(struct party *p, struct guest *g)
{
    if (g->unacked == 0 || g->state < GUEST_LIVE ||
        (g->unacked < ACK_EVERY && !p->is_closing && party_random(p, 4) != 0))
        return;
    guest_send(g, "/ack %" PRIu64 "\n", g->last_id);
    g->acked_id = g->last_id;
    g->unsure = g->unacked + (g->is_behind ? g->unsure : 0);
    g->unacked = 0;
}

bool
guest_read(struct party *p, struct guest *g)
{
    char data[16384];
    ssize_t n;

    do {
        n = recv(g->fd, data, sizeof(data), 0);
        if (n > 0)
            hear(p, g, data, (size_t)n);
    } while (n == (ssize_t)sizeof(data));
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

bool
guest_serve(struct party *p, struct guest *g)
{
    if (!g->is_deaf && !guest_read(p, g))
        return false;
    if (!g->is_cut && !g->is_deaf)
        acknowledge(p, g);
    flush(g);
    return true;
}

bool
guest_is_done(const struct party *p, const struct guest *g)
{
    if (g->state != GUEST_LIVE || g->is_cut || g->is_deaf)
        return false;
    for (size_t i = 0; i < ROOMS_A_GUEST; i++)
        if (g->echoed[i] != g->said[i] ||
            g->marks[i].next != books_count(&p->books, guest_room(p, g, i)))
            return false;
    return true;
}

/* ---- all of them --------------------------------------------------------- */

static void
serve(struct party *p, struct guest *g)
{
    if (g->fd >= 0 && !guest_serve(p, g))
        p->on_ended(g);
}

static void
take_care(struct party *p, struct guest *g, uint64_t now)
{
    if (p->on_turn != NULL)
        p->on_turn(g, now);
    if (g->state == GUEST_LIVE && now >= g->say_ms && !p->is_closing) {
        guest_say(p, g);
        g->say_ms = now + party_random(p, 2 * p->plan->say_every_ms);
    }
    if (p->is_closing)
        serve(p, g);
}

void
party_turn(struct party *p)
{
    struct epoll_event events[EVENTS_A_TURN];
    const int n = epoll_wait(p->epoll, events, EVENTS_A_TURN, TICK_MS);
    const uint64_t now = now_ms();

    for (int k = 0; k < n; k++)
        serve(p, &p->guests[events[k].data.u64]);
    for (unsigned i = 0; i < p->plan->guests; i++)
        take_care(p, &p->guests[i], now);
}
