/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See session.h.
 */
#include "support/session.h"

#include <check.h>
#include <ctype.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "support/daemon_priv.h"

#define TOKEN_LEN 29
#define DIGITS    24 /* of them; the others are hyphens */

/* The digits of every token that was told. */
static char (*seen)[DIGITS + 1];
static size_t seen_count, seen_cap;

/* ---- tokens -------------------------------------------------------------- */

/* The digits of what might be a token, in any case, with hyphens or without. */
static bool
find_digits(const char *from, char out[DIGITS + 1])
{
    size_t n = 0;

    for (; n < DIGITS; from++) {
        if (*from == '-' && n > 0)
            continue;
        if (!isalnum((unsigned char)*from))
            return false;
        out[n++] = (char)tolower((unsigned char)*from);
    }
    out[n] = '\0';
    return true;
}

static void
remember(const struct session_token *t)
{
    if (seen_count == seen_cap) {
        seen_cap = seen_cap * 2 + 64;
        seen = realloc(seen, seen_cap * sizeof(*seen));
        ck_assert_ptr_nonnull(seen);
    }
    ck_assert(find_digits(t->text, seen[seen_count]));
    seen_count++;
}

bool
session_find_token(const char *line, struct session_token *out)
{
    static const char mark[] =
        "* To come back after a broken connection: /resume ";

    if (strncmp(line, mark, sizeof(mark) - 1) != 0)
        return false;
    ck_assert_uint_eq(strlen(line), sizeof(mark) - 1 + TOKEN_LEN);
    snprintf(out->text, sizeof(out->text), "%s", line + sizeof(mark) - 1);
    remember(out);
    return true;
}

static void
expect_token(struct peer *p, struct session_token *out)
{
    if (!session_find_token(peer_take(p), out))
        e2e_fail("expected a token, there is: %s", p->line);
}

static int
compare_digits(const void *a, const void *b)
{
    return memcmp(a, b, DIGITS);
}

static void
expect_no_token_logged(const struct daemon *d)
{
    char *const log = daemon_read_file(d->log);
    char digits[DIGITS + 1];

    qsort(seen, seen_count, sizeof(*seen), compare_digits);
    for (const char *at = log; *at != '\0' && seen_count > 0; at++)
        if (find_digits(at, digits) &&
            bsearch(digits, seen, seen_count, sizeof(*seen), compare_digits) !=
                NULL)
            e2e_fail("token %s is in the log", digits);
    free(log);
}

/* ---- coming -------------------------------------------------------------- */

void
session_enter(struct peer *p, const char *nick, struct session_token *out)
{
    peer_send(p, "%s\n", nick);
    peer_await(p, "* Welcome to ");
    expect_token(p, out);
    peer_await(p, "* You are in #lobby");
    /* What comes with a join is in front of the answer to this. */
    peer_send(p, "/topic #lobby\n");
    while (strncmp(peer_take(p), "* #lobby has no topic", 21) != 0)
        if (strncmp(p->line, "* Topic of #lobby", 17) == 0)
            break;
}

void
session_join(struct peer *p, uint16_t port, const char *nick,
             struct session_token *out)
{
    peer_connect(p, port);
    session_enter(p, nick, out);
}

void
session_ask_back(struct peer *p, uint16_t port, const struct session_token *t)
{
    peer_connect(p, port);
    peer_send(p, "/resume %s\n", t->text);
}

/* That date must be one of the last five minutes. */
static void
check_date(const char *text)
{
    struct tm tm = {.tm_isdst = 0};
    const char *const rest = strptime(text, "%Y-%m-%d %H:%M UTC:", &tm);
    const time_t now = time(NULL);
    time_t then;

    if (rest == NULL || *rest != '\0')
        e2e_fail("this is no date: %s", text);
    then = timegm(&tm);
    if (then > now || then < now - 300)
        e2e_fail("it is %ld, and not: %s", (long)now, text);
}

void
session_expect_welcome(struct peer *p, const char *nick, unsigned count,
                       unsigned missed, struct session_token *fresh)
{
    char expected[128];
    int len = snprintf(expected, sizeof(expected),
                       "Nickname: * Welcome back, %s.", nick);

    if (count > 0)
        len +=
            snprintf(expected + len, sizeof(expected) - (size_t)len,
                     " %u message%s came since ", count, count == 1 ? "" : "s");
    else if (missed == 0)
        len += snprintf(expected + len, sizeof(expected) - (size_t)len,
                        " You missed nothing.");
    if (strncmp(peer_take(p), expected, (size_t)len) != 0 ||
        (count == 0 && p->line[len] != '\0'))
        e2e_fail("expected: %s\nthere is: %s", expected, p->line);
    if (count > 0)
        check_date(p->line + len);
    if (missed > 0)
        peer_expect(p, "* %u message%s missed and cannot be shown.", missed,
                    missed == 1 ? " was" : "s were");
    expect_token(p, fresh);
}

void
session_come_back(struct peer *p, uint16_t port, const char *nick,
                  struct session_token *t, unsigned count, unsigned rooms)
{
    session_ask_back(p, port, t);
    session_expect_welcome(p, nick, count, 0, t);
    for (unsigned i = 0; i < rooms; i++)
        peer_expect_start(p, "* You are in #");
}

/* ---- what it missed ------------------------------------------------------ */

void
session_expect_missed(struct peer *p, const char *fmt, ...)
{
    char expected[8192];
    unsigned hour, minute;
    int used = 0;
    va_list args;

    va_start(args, fmt);
    vsnprintf(expected, sizeof(expected), fmt, args);
    va_end(args);
    peer_take(p);
    if (sscanf(p->line, "%2u:%2u %n", &hour, &minute, &used) != 2 ||
        used != 6 || strcmp(p->line + used, expected) != 0)
        e2e_fail("expected: HH:MM %s\nthere is: %s", expected, p->line);
}

void
session_expect_that_is_all(struct peer *p, const char *room)
{
    peer_expect(p, "* That is all. You are talking in %s now.", room);
}

void
session_expect_dead(uint16_t port, const struct session_token *t)
{
    struct peer p;

    session_ask_back(&p, port, t);
    peer_expect(&p, "Nickname: * No session waits for that token; please "
                    "choose a nickname.");
    peer_expect_bytes(&p, "Nickname: ");
    peer_close(&p);
}

/* ---- going --------------------------------------------------------------- */

void
session_quit(struct peer *p, const char *nick)
{
    peer_send(p, "/quit\n");
    peer_expect(p, "* Goodbye, %s.", nick);
    peer_expect_end(p, false);
    peer_close(p);
}

void
session_await_settled(struct daemon *d)
{
    daemon_await_census(d, "tracked", 0);
}

void
wire_cut(int fd)
{
    struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
    const struct sock_fprog all = {.len = 1, .filter = &drop};

    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &all, sizeof(all)) < 0)
        e2e_fail("SO_ATTACH_FILTER: %s", strerror(errno));
}

/* What is delayed goes now, if all that came is read (tcp(7)). */
void
wire_acknowledge(int fd)
{
    const int on = 1;

    ck_assert_int_eq(setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on)),
                     0);
}

void
session_cut(struct peer *p)
{
    wire_cut(p->fd);
    peer_receive_all(p);
    wire_acknowledge(p->fd);
}

void
session_mend(struct peer *p)
{
    wire_mend(p->fd);
}

void
wire_mend(int fd)
{
    const int none = 0;

    ck_assert_int_eq(
        setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none)), 0);
}

void
session_stop_within(struct daemon *d, uint64_t limit_ms)
{
    int status;

    daemon_signal(d, SIGTERM);
    status = daemon_await_exit(d, limit_ms);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        e2e_fail("klatchd ended with status %d; see %s", status, d->log);
    expect_no_token_logged(d);
    daemon_check_remains(d);
}

void
session_stop(struct daemon *d)
{
    daemon_await_census_now(d, d->at_rest);
    session_stop_within(d, 10000);
}
