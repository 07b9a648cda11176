/* SPDX-License-Identifier: BSD-2-Clause
 *
 * case_client - what clients do, and what they must hear.
 *
 * Barriers  "Nothing came" means little unless the server had its turn. A
 *           client with a nickname asks about a room that is not there, and
 *           the answer comes behind everything else. For others: first the
 *           server must have emptied our socket, as the kernel tells; then two
 *           censuses, each of which asks every thread, so that the turn in
 *           which the bytes were read is over and its answers are written.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/sockios.h>

#include "hostile/hostile.h"

#define PATIENCE_MS 10000
#define SMALL       4096 /* receive buffer of a client that shall not take much */

/* -- coming ---------------------------------------------------------------- */

struct client *
client_named(struct run *r, const char *name)
{
    struct client *c;

    for (size_t i = 0; i < r->client_count; i++)
        if (strcmp(r->clients[i].name, name) == 0)
            return &r->clients[i];
    if (r->client_count == CLIENTS_MAX)
        e2e_fail("more than %d clients", CLIENTS_MAX);
    c = &r->clients[r->client_count++];
    *c = (struct client){.name = name, .peer = {.fd = -1}};
    return c;
}

void
client_connect(struct run *r, struct client *c, enum client_way way,
               const char *from)
{
    struct daemon *const d = r->daemon;
    const uint16_t port = way == WAY_AUTO ? d->port : r->pinned_port;

    if (c->is_open)
        e2e_fail("%s is connected already", c->name);
    if (way == WAY_CONTROL)
        peer_connect_unix(&c->peer, d->control);
    else if (way == WAY_UNIX)
        peer_connect_unix(&c->peer, d->socket);
    else if (from == NULL)
        peer_connect(&c->peer, port);
    else if (strcmp(from, "small") == 0)
        peer_connect_small(&c->peer, port, SMALL);
    else
        peer_connect_from(&c->peer, port, from);
    c->way = way;
    c->is_open = true;
    c->has_nick = c->saw_end = c->is_ignored = false;
}

static enum client_way
way_of(const char *word)
{
    static const char *const names[] = {
        [WAY_AUTO] = "auto",
        [WAY_LINE] = "line",
        [WAY_UNIX] = "unix",
        [WAY_CONTROL] = "control",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], word) == 0)
            return (enum client_way)i;
    e2e_fail("one connects to auto, line, unix or control, not to %s", word);
}

void
client_enter(struct client *c)
{
    peer_enter(&c->peer, c->name);
    c->has_nick = true;
}

/* connect WAY [from ADDRESS | small] */
static void
on_connect(struct run *r, struct client *c, const struct step *s)
{
    const char *const how = s->count > 3 ? step_word(s, 3) : NULL;

    client_connect(r, c, way_of(step_word(s, 2)),
                   how != NULL && strcmp(how, "from") == 0 ? step_word(s, 4)
                                                           : how);
}

/* join [WAY] */
static void
on_join(struct run *r, struct client *c, const struct step *s)
{
    char told[256];

    client_connect(r, c, s->count > 2 ? way_of(step_word(s, 2)) : WAY_AUTO,
                   NULL);
    client_enter(c);
    snprintf(told, sizeof(told), "* %s joined #lobby.", c->name);
    if (strcmp(client_line(&r->clients[INNOCENT], told), told) != 0)
        e2e_fail("the innocent expected: %s", told);
}

/* -- speaking --------------------------------------------------------------- */

/* What the kernel holds of ours that the server has not read. On TCP that is in
 * the server's socket, whose peer's port is ours. */
static unsigned
unread_tcp(uint16_t to, uint16_t from)
{
    FILE *const f = fopen("/proc/net/tcp", "r");
    unsigned found = 0;
    char line[512];

    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        unsigned local, remote, sends, waits;

        if (sscanf(line, " %*d: %*x:%x %*x:%x %*x %x:%x", &local, &remote,
                   &sends, &waits) == 4 &&
            ((local == to && remote == from) ||
             (local == from && remote == to)))
            found += local == to ? waits : sends;
    }
    fclose(f);
    return found;
}

static unsigned
unread(const struct client *c)
{
    struct sockaddr_in us, them;
    socklen_t len = sizeof(us);
    int left = 0;

    if (c->way == WAY_UNIX || c->way == WAY_CONTROL) {
        ck_assert_int_eq(ioctl(c->peer.fd, SIOCOUTQ, &left), 0);
        return (unsigned)left;
    }
    ck_assert_int_eq(getsockname(c->peer.fd, (struct sockaddr *)&us, &len), 0);
    len = sizeof(them);
    if (getpeername(c->peer.fd, (struct sockaddr *)&them, &len) < 0)
        return 0; /* reset: nothing is on its way */
    return unread_tcp(ntohs(them.sin_port), ntohs(us.sin_port));
}

void
client_await_read(struct run *r, struct client *c)
{
    const uint64_t deadline = now_ms() + e2e_patience_ms(PATIENCE_MS);

    while (unread(c) > 0) {
        if (now_ms() >= deadline)
            e2e_fail("the server does not read what %s sent", c->name);
        (void)poll(NULL, 0, 1);
    }
    for (int i = 0; i < 2; i++)
        (void)daemon_census(r->daemon, "conns");
}

/* The pieces of `all` between the offsets named by the words from `i` on, each
 * read by the server before the next is sent. */
static void
send_at(struct run *r, struct client *c, const struct step *s, size_t i,
        struct bytes all)
{
    size_t sent = 0;

    for (; !s->words[i].is_text; i++) {
        const size_t to = text_number(s->words[i].raw);

        if (to < sent || to > all.len)
            e2e_fail("%zu is not in this text of %zu bytes", to, all.len);
        peer_send_bytes(&c->peer, all.data + sent, to - sent);
        client_await_read(r, c);
        sent = to;
    }
    peer_send_bytes(&c->peer, all.data + sent, all.len - sent);
}

static void
send_bytewise(struct run *r, struct client *c, struct bytes all)
{
    for (size_t i = 0; i < all.len; i++) {
        peer_send_bytes(&c->peer, all.data + i, 1);
        client_await_read(r, c);
    }
}

/* send [bytewise | at OFFSET…] TEXT [/ TEXT]… */
static void
on_send(struct run *r, struct client *c, const struct step *s)
{
    const bool bytewise = step_has(s, 2, "bytewise");
    size_t i = 2;

    if (bytewise || step_has(s, 2, "at")) {
        const struct word *const last = &s->words[s->count - 1];

        if (!last->is_text)
            e2e_fail("send what?");
        if (bytewise)
            send_bytewise(r, c, text_bytes(last->raw));
        else
            send_at(r, c, s, 3, text_bytes(last->raw));
        return;
    }
    for (; i < s->count; i++) {
        if (s->words[i].is_text) {
            const struct bytes b = text_bytes(s->words[i].raw);

            peer_send_bytes(&c->peer, b.data, b.len);
        } else if (step_has(s, i, "/")) {
            client_await_read(r, c);
        } else {
            e2e_fail("what is %s?", step_word(s, i));
        }
    }
}

/* flood TEXT until KEY NUMBER: again and again, as much as the kernel takes,
 * until the census says that much or more. */
static void
on_flood(struct run *r, struct client *c, const struct step *s)
{
    const uint64_t deadline = now_ms() + e2e_patience_ms(PATIENCE_MS);
    const struct bytes text = text_bytes(s->words[2].raw);
    const char *const key = step_word(s, 4);
    const uint64_t wanted = text_number(step_word(s, 5));
    size_t at = 0;

    while (daemon_census(r->daemon, key) < wanted) {
        if (now_ms() >= deadline)
            e2e_fail("the census never said %s %s", key, step_word(s, 5));
        for (int i = 0; i < 64; i++)
            at =
                (at + peer_send_some(&c->peer, text.data + at, text.len - at)) %
                text.len;
    }
}

/* -- hearing ---------------------------------------------------------------- */

const char *
client_line(struct client *c, const char *waiting_for)
{
    struct peer *const p = &c->peer;
    const char *fault;
    char *line, *end;
    size_t len;

    while ((end = memchr(p->data + p->head, '\n', p->len)) == NULL)
        if (peer_receive_some(p, 65536) == 0) {
            if (p->len > 0)
                e2e_fail("%s: the end is no whole line: %s", c->name,
                         printable(p->data + p->head, p->len));
            c->saw_end = true;
            return NULL;
        }
    line = p->data + p->head;
    len = (size_t)(end - line);
    p->head += len + 1;
    p->len -= len + 1;
    if (len > 0 && line[len - 1] == '\r')
        len--;
    line[len] = '\0';
    fault = fault_of_text(line, len);
    if (fault != NULL)
        e2e_fail("%s was sent %s: %s (waiting for: %s)", c->name, fault,
                 printable(line, len), waiting_for);
    return line;
}

/* The next line, where the end will not do. */
static const char *
need_line(struct client *c, const char *waiting_for)
{
    const char *const line = client_line(c, waiting_for);

    if (line == NULL)
        e2e_fail("%s: the server closed; waited for: %s", c->name, waiting_for);
    return line;
}

static void
expect(struct client *c, bool is_right, const char *what, const char *wanted,
       const char *line)
{
    if (!is_right)
        e2e_fail("%s expected %s%s\n  there is: %s", c->name, what,
                 printable(wanted, strlen(wanted)),
                 printable(line, strlen(line)));
}

static void
hear_line(struct run *r, struct client *c, const char *wanted)
{
    const char *const line = need_line(c, wanted);

    expect(c, strcmp(line, wanted) == 0, "", wanted, line);
}

static void
hear_start(struct run *r, struct client *c, const char *wanted)
{
    const char *const line = need_line(c, wanted);

    expect(c, strncmp(line, wanted, strlen(wanted)) == 0, "the start ", wanted,
           line);
}

static void
hear_part(struct run *r, struct client *c, const char *wanted)
{
    const char *const line = need_line(c, wanted);

    expect(c, strstr(line, wanted) != NULL, "a part ", wanted, line);
}

static void
hear_until(struct run *r, struct client *c, const char *wanted)
{
    while (strstr(need_line(c, wanted), wanted) == NULL)
        continue;
}

static void
hear_bytes(struct client *c, struct bytes wanted)
{
    struct peer *const p = &c->peer;

    while (p->len < wanted.len)
        if (peer_receive_some(p, 65536) == 0)
            break;
    if (p->len < wanted.len ||
        memcmp(p->data + p->head, wanted.data, wanted.len) != 0)
        e2e_fail("%s expected the bytes %s\n  there is: %s", c->name,
                 printable(wanted.data, wanted.len),
                 printable(p->data + p->head, p->len));
    p->head += wanted.len;
    p->len -= wanted.len;
}

static void
hear_end(struct run *r, struct client *c, bool reset_is_fine)
{
    peer_expect_end(&c->peer, reset_is_fine);
    c->saw_end = true;
}

/* Whatever it is, if it is fit to be read, until the stream ends. */
static void
hear_rest(struct run *r, struct client *c)
{
    while (client_line(c, "the end of the stream") != NULL)
        continue;
}

/* The end, behind nothing or the prompt. */
static void
hear_last(struct run *r, struct client *c)
{
    static const char prompt[] = "Nickname: ";
    struct peer *const p = &c->peer;

    while (peer_receive_some(p, 65536) > 0)
        continue;
    if (p->len > 0 && (p->len != strlen(prompt) ||
                       memcmp(p->data + p->head, prompt, p->len) != 0))
        e2e_fail("%s expected the prompt or nothing, and the end\n"
                 "  there is: %s",
                 c->name, printable(p->data + p->head, p->len));
    c->saw_end = true;
}

#define BARRIER "#barrier"
#define BARRIER_ANSWER \
    "* There is no room #barrier; /rooms lists those there are."

/* Whatever it is, if it is fit to be read, that came so far. Returns how many
 * lines that was. */
static unsigned
hear_so_far(struct run *r, struct client *c)
{
    unsigned n = 0;

    if (c->has_nick) {
        peer_send(&c->peer, "/topic " BARRIER "\n");
        while (strcmp(need_line(c, BARRIER_ANSWER), BARRIER_ANSWER) != 0)
            n++;
        return n;
    }
    client_await_read(r, c);
    for (;;) {
        struct pollfd pfd = {.fd = c->peer.fd, .events = POLLIN};

        while (memchr(c->peer.data + c->peer.head, '\n', c->peer.len) != NULL) {
            (void)client_line(c, "nothing");
            n++;
        }
        if (poll(&pfd, 1, 0) <= 0 || peer_receive_some(&c->peer, 65536) == 0)
            break;
    }
    c->peer.len = 0; /* a prompt */
    return n;
}

void
client_expect_nothing(struct run *r, struct client *c)
{
    char byte;
    ssize_t n;

    if (c->has_nick) {
        const char *line;

        peer_send(&c->peer, "/topic " BARRIER "\n");
        line = need_line(c, BARRIER_ANSWER);
        expect(c, strcmp(line, BARRIER_ANSWER) == 0, "nothing but ",
               BARRIER_ANSWER, line);
        return;
    }
    client_await_read(r, c);
    if (c->peer.len > 0)
        e2e_fail("%s expected nothing\n  there is: %s", c->name,
                 printable(c->peer.data + c->peer.head, c->peer.len));
    n = recv(c->peer.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n > 0)
        e2e_fail("%s expected nothing\n  there is something, from %s on",
                 c->name, printable(&byte, 1));
    if (n == 0 || errno != EAGAIN)
        e2e_fail("%s must stay connected, and is not", c->name);
}

static const struct {
    const char *how;
    void (*hear)(struct run *r, struct client *c, const char *wanted);
} ways_to_hear[] = {
    {"start", hear_start},
    {"part",  hear_part },
    {"until", hear_until},
};

/* hears TEXT… | start TEXT | part TEXT | until TEXT */
static bool
hear_text(struct run *r, struct client *c, const struct step *s)
{
    if (s->count > 2 && s->words[2].is_text) {
        for (size_t i = 2; i < s->count; i++)
            hear_line(r, c, text_string(s->words[i].raw));
        return true;
    }
    for (size_t i = 0; i < sizeof(ways_to_hear) / sizeof(ways_to_hear[0]); i++)
        if (step_has(s, 2, ways_to_hear[i].how)) {
            ways_to_hear[i].hear(r, c, step_word(s, 3));
            return true;
        }
    return false;
}

static void
on_hears(struct run *r, struct client *c, const struct step *s)
{
    if (hear_text(r, c, s))
        return;
    if (step_has(s, 2, "prompt"))
        hear_bytes(c, text_bytes("Nickname: "));
    else if (step_has(s, 2, "bytes"))
        hear_bytes(c, text_bytes(s->words[3].raw));
    else if (step_has(s, 2, "end"))
        hear_end(r, c, false);
    else if (step_has(s, 2, "end-or-reset"))
        hear_end(r, c, true);
    else if (step_has(s, 2, "rest"))
        hear_rest(r, c);
    else if (step_has(s, 2, "last"))
        hear_last(r, c);
    else if (step_has(s, 2, "anything"))
        (void)hear_so_far(r, c);
    else if (step_has(s, 2, "something")) {
        if (hear_so_far(r, c) == 0)
            e2e_fail("%s expected something, and there is nothing", c->name);
    } else if (step_has(s, 2, "nothing"))
        client_expect_nothing(r, c);
    else
        e2e_fail("hears what?");
}

/* -- leaving ---------------------------------------------------------------- */

static void
on_fin(struct run *r, struct client *c, const struct step *s)
{
    peer_end_writing(&c->peer);
    c->has_nick = false; /* it can ask nothing more */
}

static void
on_close(struct run *r, struct client *c, const struct step *s)
{
    peer_close(&c->peer);
    c->is_open = false;
}

static void
on_reset(struct run *r, struct client *c, const struct step *s)
{
    peer_reset(&c->peer);
    c->is_open = false;
}

/* It has a nickname from now on, or none: whether the barrier may be asked. */
static void
on_named(struct run *r, struct client *c, const struct step *s)
{
    c->has_nick = true;
}

static void
on_ignore(struct run *r, struct client *c, const struct step *s)
{
    c->is_ignored = true;
}

/* -- verbs ------------------------------------------------------------------ */

static const struct {
    const char *name;
    void (*run)(struct run *r, struct client *c, const struct step *s);
    size_t words; /* the least */
} verbs[] = {
    {"connect", on_connect, 3},
    {"join",    on_join,    2},
    {"named",   on_named,   2},
    {"send",    on_send,    3},
    {"flood",   on_flood,   6},
    {"hears",   on_hears,   3},
    {"fin",     on_fin,     2},
    {"close",   on_close,   2},
    {"reset",   on_reset,   2},
    {"ignore",  on_ignore,  2},
};

void
client_step(struct run *r, const struct step *s)
{
    struct client *c;

    if (s->count < 2)
        e2e_fail("there is no such step: %s", s->words[0].raw);
    if (r->daemon == NULL)
        e2e_fail("there is no server: the file, or the case, has no `daemon`");
    c = client_named(r, s->words[0].raw);
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (!step_has(s, 1, verbs[i].name))
            continue;
        if (s->count < verbs[i].words)
            e2e_fail("%s what?", verbs[i].name);
        if (!c->is_open && verbs[i].run != on_connect &&
            verbs[i].run != on_join)
            e2e_fail("%s is not connected", c->name);
        verbs[i].run(r, c, s);
        return;
    }
    e2e_fail("%s does what? there is no verb %s", c->name, step_word(s, 1));
}
