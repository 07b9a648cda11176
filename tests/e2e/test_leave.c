/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One client's end is its own: whichever way somebody leaves, the others stay,
 * hear of it once, and go on talking without a line lost, doubled or moved.
 *
 * Three clients who have all spoken to each other leave in every order and in
 * every way. With one worker they share a thread, with four each has its own.
 * Who vanishes without a packet is found out about when an operator speaks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/daemon.h"
#include "support/peer.h"
#include "support/unit.h"

#define FLOOD_LINES 50
#define FLOOD_BYTES 1000

static struct daemon d;

/* Who is in a scene; those who have left have fd -1. */
struct scene {
    struct peer peers[3];
};

static const char *const nicks[3] = {"ann", "ben", "cat"};

static const size_t orders[6][3] = {
    {0, 1, 2},
    {0, 2, 1},
    {1, 0, 2},
    {1, 2, 0},
    {2, 0, 1},
    {2, 1, 0},
};

/* -- the ways ------------------------------------------------------------- */

struct way {
    const char *name;
    void (*leave)(struct scene *s, size_t i);
    const char *words; /* a last line that the others hear; or NULL */
    const char *why;   /* what they are told; NULL: it depends on the timing */
};

static void
close_it(struct scene *s, size_t i)
{
    peer_close(&s->peers[i]);
}

static void
reset_it(struct scene *s, size_t i)
{
    peer_reset(&s->peers[i]);
}

/* The others speak and this one does not listen any more: its kernel answers
 * close(2) with a RST, behind the FIN that shutdown(2) sent. */
static void
close_with_unread(struct scene *s, size_t i)
{
    for (size_t k = 0; k < 3; k++)
        if (k != i && s->peers[k].fd >= 0)
            peer_send(&s->peers[k], "/msg %s unread\n", nicks[i]);
    for (size_t k = 0; k < 3; k++)
        if (k != i && s->peers[k].fd >= 0)
            peer_expect_silence(&s->peers[k]); /* so it was sent */
    peer_end_writing(&s->peers[i]);
    peer_close(&s->peers[i]);
}

static void
end_writing_and_read(struct scene *s, size_t i)
{
    peer_end_writing(&s->peers[i]);
    peer_expect_end(&s->peers[i], false);
    peer_close(&s->peers[i]);
}

static void
half_a_line_and_close(struct scene *s, size_t i)
{
    peer_send(&s->peers[i], "I never end");
    peer_close(&s->peers[i]);
}

static void
half_a_line_and_reset(struct scene *s, size_t i)
{
    peer_send(&s->peers[i], "I never end");
    peer_reset(&s->peers[i]);
}

static void
half_a_character_and_close(struct scene *s, size_t i)
{
    peer_send_bytes(&s->peers[i], "\xe5\xb0", 2);
    peer_close(&s->peers[i]);
}

static void
half_a_line_and_read(struct scene *s, size_t i)
{
    peer_send(&s->peers[i], "I never end");
    end_writing_and_read(s, i);
}

static void
a_line_and_close(struct scene *s, size_t i)
{
    peer_send(&s->peers[i], "last words\n");
    peer_close(&s->peers[i]);
}

static void
a_line_and_reset(struct scene *s, size_t i)
{
    peer_send(&s->peers[i], "last words\n");
    peer_reset(&s->peers[i]);
}

static void
quit_and_read(struct scene *s, size_t i)
{
    peer_send(&s->peers[i], "/quit\n");
    peer_expect(&s->peers[i], "* Goodbye, %s.", nicks[i]);
    peer_expect_end(&s->peers[i], false);
    peer_close(&s->peers[i]);
}

static void
quit_and_close(struct scene *s, size_t i)
{
    peer_send(&s->peers[i], "/quit so long\n");
    peer_close(&s->peers[i]);
}

static void
be_kicked(struct scene *s, size_t i)
{
    char request[96];

    snprintf(request, sizeof(request),
             "{\"command\":\"kick\",\"args\":[\"%s\",\"enough\"]}", nicks[i]);
    free(daemon_ask(&d, request));
    peer_expect(&s->peers[i], "* An operator ended your session: enough");
    peer_expect_end(&s->peers[i], false);
    peer_close(&s->peers[i]);
}

/* What a telnet client sends for Ctrl-C, RFC 854. */
static void
interrupt_telnet(struct scene *s, size_t i)
{
    peer_send_bytes(&s->peers[i], "\xff\xf4", 2);
    peer_expect(&s->peers[i], "* Goodbye, %s.", nicks[i]);
    peer_expect_end(&s->peers[i], false);
    peer_close(&s->peers[i]);
}

static void
vanish(struct scene *s, size_t i)
{
    if (!peer_vanish(&s->peers[i]))
        return; /* we may not: then it was a reset */
    free(daemon_ask(&d,
                    "{\"command\":\"broadcast\",\"args\":[\"Still there?\"]}"));
    for (size_t k = 0; k < 3; k++)
        if (s->peers[k].fd >= 0)
            peer_expect(&s->peers[k], "* Operator: Still there?");
}

/* Somebody who stays speaks until the server cannot write to this one. */
static void
stop_reading_and_reset(struct scene *s, size_t i)
{
    struct peer *speaker = NULL;
    struct peer *listener = NULL;
    char line[FLOOD_BYTES + 1];

    memset(line, 'f', FLOOD_BYTES);
    line[FLOOD_BYTES] = '\0';
    for (size_t k = 0; k < 3; k++) {
        if (k == i || s->peers[k].fd < 0)
            continue;
        listener = speaker;
        speaker = &s->peers[k];
    }
    while (speaker != NULL && daemon_census(&d, "pending_bytes") == 0) {
        for (int n = 0; n < FLOOD_LINES; n++)
            peer_send(speaker, "%s\n", line);
        for (int n = 0; listener != NULL && n < FLOOD_LINES; n++)
            peer_expect(listener, "<%s> %s", nicks[speaker - s->peers], line);
        peer_expect_silence(speaker); /* so all of it was handed out */
    }
    peer_reset(&s->peers[i]);
}

/* clang-format off */
static const struct way ways[] = {
    {"FIN",                      close_it,                   NULL,         "connection closed"},
    {"RST",                      reset_it,                   NULL,         "connection lost"},
    {"FIN with unread data",     close_with_unread,          NULL,         NULL},
    {"shutdown, then reading",   end_writing_and_read,       NULL,         "connection closed"},
    {"half a line, FIN",         half_a_line_and_close,      NULL,         "connection closed"},
    {"half a line, RST",         half_a_line_and_reset,      NULL,         "connection lost"},
    {"half a character, FIN",    half_a_character_and_close, NULL,         "connection closed"},
    {"half a line, reading",     half_a_line_and_read,       NULL,         "connection closed"},
    {"a line, FIN",              a_line_and_close,           "last words", "connection closed"},
    {"a line, RST",              a_line_and_reset,           "last words", "connection lost"},
    {"/quit, then reading",      quit_and_read,              NULL,         ""},
    {"/quit and close",          quit_and_close,             NULL,         "so long"},
    {"telnet's Ctrl-C",          interrupt_telnet,           NULL,         ""},
    {"vanishing",                vanish,                     NULL,         "connection lost"},
    {"kicked",                   be_kicked,                  NULL,         "kicked: enough"},
    {"not reading, then RST",    stop_reading_and_reset,     NULL,         "connection lost"},
};
/* clang-format on */
#define WAYS (sizeof(ways) / sizeof(ways[0]))

/* -- a scene -------------------------------------------------------------- */

static unsigned
count_busy_workers(void)
{
    char *const status = daemon_ask(&d, "{\"command\":\"status\"}");
    const char *at = strstr(status, "\"workers\":");
    const char *const end = strstr(status, "\"alive\":");
    unsigned busy = 0;

    while ((at = strstr(at, ",\"connections\":")) != NULL && at < end) {
        at += strlen(",\"connections\":");
        busy += *at != '0';
    }
    free(status);
    return busy;
}

/* All on one worker, or each on its own, as far as there are so many. */
static void
expect_spread(void)
{
    const unsigned workers = e2e_workers();

    ck_assert_uint_eq(count_busy_workers(), workers < 3 ? workers : 3);
}

/* Small buffers, so that who does not read is soon full. */
static void
three_come(struct scene *s)
{
    daemon_await_census(&d, "conns", 0);
    for (size_t i = 0; i < 3; i++) {
        peer_connect_small(&s->peers[i], d.port, 4096);
        peer_enter(&s->peers[i], nicks[i]);
        for (size_t k = 0; k < i; k++)
            peer_expect(&s->peers[k], "* %s joined #lobby.", nicks[i]);
    }
}

/* All who are there speak, to all and to each alone; all hear exactly that. */
static void
all_speak(struct scene *s)
{
    for (size_t i = 0; i < 3; i++) {
        if (s->peers[i].fd < 0)
            continue;
        peer_send(&s->peers[i], "I am %s\n", nicks[i]);
        for (size_t k = 0; k < 3; k++) {
            if (k == i || s->peers[k].fd < 0)
                continue;
            peer_send(&s->peers[i], "/msg %s hello\n", nicks[k]);
            peer_expect(&s->peers[k], "<%s> I am %s", nicks[i], nicks[i]);
            peer_expect(&s->peers[k], "[private] <%s> hello", nicks[i]);
        }
    }
    for (size_t i = 0; i < 3; i++)
        if (s->peers[i].fd >= 0)
            peer_expect_silence(&s->peers[i]);
}

static void
expect_told(struct peer *p, const char *nick, const struct way *way)
{
    if (way->words != NULL)
        peer_expect(p, "<%s> %s", nick, way->words);
    if (way->why == NULL)
        peer_expect_start(p, "* ");
    else if (way->why[0] == '\0')
        peer_expect(p, "* %s quit.", nick);
    else
        peer_expect(p, "* %s quit (%s).", nick, way->why);
    if (strstr(p->line, nick) == NULL || strstr(p->line, " quit") == NULL)
        e2e_fail("%s quit and the others were told: %s", nick, p->line);
}

static void
play(const size_t order[3], const struct way *const how[3])
{
    struct scene s;

    three_come(&s);
    expect_spread();
    all_speak(&s);
    for (size_t n = 0; n < 3; n++) {
        const size_t i = order[n];

        e2e_scene("%s leaves as number %zu by %s (then %s, %s)", nicks[i],
                  n + 1, how[n]->name, n < 2 ? how[n + 1]->name : "nobody",
                  n < 1 ? how[2]->name : "nobody");
        how[n]->leave(&s, i);
        for (size_t k = 0; k < 3; k++)
            if (s.peers[k].fd >= 0)
                expect_told(&s.peers[k], nicks[i], how[n]);
        all_speak(&s);
    }
    daemon_await_census(&d, "users", 0); /* their names are free again */
}

START_TEST(all_leave_in_one_way_in_every_order)
{
    daemon_start(&d, "[history]\nroom_events = 0\n");

    for (size_t w = 0; w < WAYS; w++) {
        const struct way *const how[3] = {&ways[w], &ways[w], &ways[w]};

        for (size_t o = 0; o < 6; o++)
            play(orders[o], how);
    }
    daemon_stop(&d);
}
END_TEST

START_TEST(each_leaves_in_a_way_of_its_own)
{
    const unsigned scenes = e2e_scaled(120);
    unsigned seed = 2;

    daemon_start(&d, "[history]\nroom_events = 0\n");

    for (unsigned n = 0; n < scenes; n++) {
        const struct way *how[3];

        for (size_t i = 0; i < 3; i++)
            how[i] = &ways[(size_t)rand_r(&seed) % WAYS];
        play(orders[n % 6], how);
    }
    daemon_stop(&d);
}
END_TEST

UNIT_MAIN("e2e/leave", all_leave_in_one_way_in_every_order,
          each_leaves_in_a_way_of_its_own)
