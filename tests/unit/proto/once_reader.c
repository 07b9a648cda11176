/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What an actor reads: each line that is an event is looked up in the past, and
 * must be there for it, in order, and not again without need.
 */
#include "once.h"

#include <ctype.h>
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/line_rig.h"
#include "support/unit.h"

void
blame(const struct actor *a, const char *why, const char *line)
{
    ck_abort_msg("seed %u: %s (%s, %s): %s: %s", play.seed, a->nick,
                 a->acks ? "acks" : "plain", a->is_tcp ? "tcp" : "unix", why,
                 line);
}

static bool
ends_with(const char *text, const char *end)
{
    const size_t len = strlen(text), n = strlen(end);

    return len >= n && strcmp(text + len - n, end) == 0;
}

/* Is it something that is kept? The others are notices. */
static bool
is_event(const char *body)
{
    if (body[0] == '<' || strncmp(body, "[private] ", 10) == 0 ||
        strncmp(body, "* Operator: ", 12) == 0)
        return true;
    if (strncmp(body, "* u", 3) != 0 || !isdigit((unsigned char)body[3]))
        return false;
    return !ends_with(body, "(reconnecting).") &&
           !ends_with(body, " is back.") &&
           !ends_with(body, "gets it on returning.") &&
           strstr(body, " is away: ") == NULL;
}

static void
take_event(struct actor *a, size_t i, const char *line)
{
    const uint32_t own = BIT((unsigned)(a - play.actors));
    struct past *const p = &past[i];

    if ((p->seers & own) == 0)
        blame(a, "was not to see", line);
    if (i < a->upto)
        blame(a, "sees out of order", line);
    if ((p->saw & own) != 0) {
        if (a->is_clean || (a->acks && p->id <= a->acked))
            blame(a, "sees again what it is known to have", line);
        a->twice++;
    } else if (i < a->next) {
        blame(a, "sees too late", line);
    }
    p->saw |= own;
    a->upto = i + 1;
    if (a->next < a->upto)
        a->next = a->upto;
}

static void
take_numbered(struct actor *a, const char *line)
{
    char *body;
    const uint64_t id = strtoull(line + 1, &body, 10);

    for (size_t i = play.past; i-- > 0;) {
        if (past[i].id != id)
            continue;
        if (strncmp(++body, "[#", 2) == 0)
            body = strchr(body, ' ') + 1;
        if (strcmp(past[i].body, body) != 0)
            blame(a, "reads another line", line);
        take_event(a, i, line);
        return;
    }
    blame(a, "reads a number that is none", line);
}

static void
take_plain(struct actor *a, const char *line)
{
    const uint32_t own = BIT((unsigned)(a - play.actors));
    const char *body = line;

    if (isdigit((unsigned char)body[0]) && body[2] == ':')
        body += 6;
    if (strncmp(body, "[#", 2) == 0)
        body = strchr(body, ' ') + 1;
    if (!is_event(body))
        return;
    for (size_t i = play.past; i-- > 0;) {
        if ((past[i].seers & own) != 0 && strcmp(past[i].body, body) == 0) {
            take_event(a, i, line);
            return;
        }
    }
    blame(a, "was not to see", line);
}

static void
take_line(struct actor *a, const char *line)
{
    static const char told[] = " missed and cannot be shown.";
    static const char token[] = "* To come back after a broken connection: "
                                "/resume ";

    if (strncmp(line, "Nickname: ", 10) == 0)
        line += 10;
    if (ends_with(line, told))
        a->told += strtoull(line + 2, NULL, 10);
    else if (strncmp(line, token, sizeof(token) - 1) == 0)
        (void)snprintf(a->token, TOKEN, "%s", line + sizeof(token) - 1);
    else if (strncmp(line, "* Welcome", 9) == 0)
        a->is_back = true;
    else if (strncmp(line, "* No session", 12) == 0 ||
             strncmp(line, "* That is no token", 18) == 0 ||
             strncmp(line, "* Your session has ended", 24) == 0)
        blame(a, "lost its session", line);
    else if (line[0] == '@')
        take_numbered(a, line);
    else if (!a->acks)
        take_plain(a, line);
    else if (is_event(line))
        blame(a, "reads without a number", line);
}

static void
take_bytes(struct actor *a, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != '\n') {
            buf_append_char(&a->line, bytes[i]);
            continue;
        }
        buf_append_char(&a->line, '\0');
        take_line(a, a->line.data);
        buf_reset(&a->line);
    }
}

void
hang_up(struct actor *a)
{
    if (a->fd >= 0)
        close(a->fd);
    a->fd = -1;
    a->is_clean = false;
    buf_reset(&a->line);
}

/* At most `most` bytes of what is there; how many. */
size_t
read_some(struct actor *a, size_t most)
{
    const int now = 1; /* acknowledge what came before */
    char bytes[4096];
    ssize_t got;

    if (a->fd < 0)
        return 0;
    if (a->is_tcp)
        (void)setsockopt(a->fd, IPPROTO_TCP, TCP_QUICKACK, &now, sizeof(now));
    got = recv(a->fd, bytes, most < sizeof(bytes) ? most : sizeof(bytes),
               MSG_DONTWAIT);
    if (got > 0)
        take_bytes(a, bytes, (size_t)got);
    else if (got == 0 || errno != EAGAIN)
        hang_up(a);
    return got > 0 ? (size_t)got : 0;
}

void
turn(void)
{
    line_rig_settle();
}

/* Does TCP still have something for it? A window that was shut takes its time
 * to open, and that is real. */
static bool
is_coming(const struct actor *a)
{
    struct pollfd pfd = {.fd = a->fd, .events = POLLIN};
    int left = 0;

    if (a->fd < 0 || !a->is_tcp || ioctl(a->served, SIOCOUTQ, &left) < 0)
        return false;
    if (left > 0)
        (void)poll(&pfd, 1, 5);
    return left > 0;
}

void
read_all(struct actor *a)
{
    unsigned quiet = 0;

    for (unsigned i = 0; a->fd >= 0 && quiet < 3; i++) {
        quiet++;
        turn();
        while (read_some(a, SIZE_MAX) > 0)
            quiet = 0;
        if (is_coming(a) && i < 2000)
            quiet = 0;
    }
}
