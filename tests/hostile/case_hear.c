/* SPDX-License-Identifier: BSD-2-Clause
 *
 * case_hear - what clients must hear, and when it may be said that they heard
 * nothing.
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

/* -- barriers --------------------------------------------------------------- */

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

static void
await_empty(struct client *c)
{
    const uint64_t deadline = now_ms() + e2e_patience_ms(PATIENCE_MS);

    while (unread(c) > 0) {
        if (now_ms() >= deadline)
            e2e_fail("the server does not read what %s sent", c->name);
        (void)poll(NULL, 0, 1);
    }
}

static void
await_turns(struct run *r)
{
    for (int i = 0; i < 2; i++)
        (void)daemon_census(r->daemon, "conns");
}

void
client_await_read(struct run *r, struct client *c)
{
    await_empty(c);
    await_turns(r);
}

/* What the others sent, but for the innocent, has come to `c` if it ever will:
 * its own barrier says nothing about theirs. */
static void
await_others(struct run *r, const struct client *c)
{
    bool any = false;

    for (size_t i = INNOCENT + 1; i < r->client_count; i++) {
        struct client *const other = &r->clients[i];

        if (other == c || !other->is_open || other->saw_end)
            continue;
        await_empty(other);
        any = true;
    }
    if (any)
        await_turns(r);
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
hear_fin(struct run *r, struct client *c, const struct step *s)
{
    peer_expect_end(&c->peer, false);
    c->saw_end = true;
}

static void
hear_fin_or_reset(struct run *r, struct client *c, const struct step *s)
{
    peer_expect_end(&c->peer, true);
    c->saw_end = true;
}

/* Whatever it is, if it is fit to be read, until the stream ends. */
static void
hear_rest(struct run *r, struct client *c, const struct step *s)
{
    while (client_line(c, "the end of the stream") != NULL)
        continue;
}

/* The end, behind nothing or the prompt. */
static void
hear_last(struct run *r, struct client *c, const struct step *s)
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
hear_prompt(struct run *r, struct client *c, const struct step *s)
{
    hear_bytes(c, text_bytes("Nickname: "));
}

static void
hear_these_bytes(struct run *r, struct client *c, const struct step *s)
{
    if (s->count < 4)
        e2e_fail("hears which bytes?");
    hear_bytes(c, text_bytes(s->words[3].raw));
}

static void
hear_anything(struct run *r, struct client *c, const struct step *s)
{
    await_others(r, c);
    (void)hear_so_far(r, c);
}

static void
hear_something(struct run *r, struct client *c, const struct step *s)
{
    await_others(r, c);
    if (hear_so_far(r, c) == 0)
        e2e_fail("%s expected something, and there is nothing", c->name);
}

static void
hear_nothing(struct run *r, struct client *c, const struct step *s)
{
    await_others(r, c);
    client_expect_nothing(r, c);
}

static const struct {
    const char *what;
    void (*hear)(struct run *r, struct client *c, const struct step *s);
} things_to_hear[] = {
    {"prompt",       hear_prompt      },
    {"bytes",        hear_these_bytes },
    {"end",          hear_fin         },
    {"end-or-reset", hear_fin_or_reset},
    {"rest",         hear_rest        },
    {"last",         hear_last        },
    {"anything",     hear_anything    },
    {"something",    hear_something   },
    {"nothing",      hear_nothing     },
};

void
client_hears(struct run *r, struct client *c, const struct step *s)
{
    if (hear_text(r, c, s))
        return;
    for (size_t i = 0; i < sizeof(things_to_hear) / sizeof(things_to_hear[0]);
         i++)
        if (step_has(s, 2, things_to_hear[i].what)) {
            things_to_hear[i].hear(r, c, s);
            return;
        }
    e2e_fail("hears what?");
}
