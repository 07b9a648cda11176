/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Programs with tokens and /ack on that publish and subscribe while their
 * connections are reset, closed, taken over, cut off and not read: whatever
 * was acknowledged to its publisher is heard by every member of the room
 * exactly once, by all in one order; or, when the logs are too short for that,
 * each is told how much it missed. Meanwhile the server neither grows nor
 * loses count.
 *
 * The short form takes seconds. The long one (label long) is the issue's: 500
 * guests for 10 minutes ($SOAK_SECONDS).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "e2e/exactly_once.h"
#include "support/daemon.h"
#include "support/e2e.h"
#include "support/figure.h"
#include "support/unit.h"

#define END_MS 60000 /* for all to come back and hear the rest */

static struct daemon d;
static struct party party;

/* ---- the census ---------------------------------------------------------- */

static struct {
    uint64_t began_ms;
    uint64_t next_ms;
    uint64_t rss_warm; /* after a quarter of the time */
    uint64_t rss_max;
    uint64_t waiting_max;
    uint64_t unacked_max;
} sample;

static void
keep_max(uint64_t *max, uint64_t value)
{
    if (value > *max)
        *max = value;
}

static void
take_sample(uint64_t now)
{
    const struct plan *const plan = party.plan;
    char *const census = daemon_ask_census(&d);
    const uint64_t rss = daemon_number_in(census, "rss_bytes");

    ck_assert_uint_eq(daemon_number_in(census, "users"), plan->guests);
    ck_assert_uint_eq(daemon_number_in(census, "sessions"), plan->guests);
    ck_assert_uint_eq(daemon_number_in(census, "members"),
                      (uint64_t)plan->guests * ROOMS_A_GUEST);
    ck_assert_uint_eq(daemon_number_in(census, "conns_without_deadline"), 0);
    ck_assert_uint_le(daemon_number_in(census, "tracked"), 2 * plan->guests);
    keep_max(&sample.rss_max, rss);
    keep_max(&sample.waiting_max, daemon_number_in(census, "waiting"));
    keep_max(&sample.unacked_max, daemon_number_in(census, "unacked"));
    if (now - sample.began_ms >= (uint64_t)plan->seconds * 250 &&
        sample.rss_warm == 0)
        sample.rss_warm = rss;
    if (figure_is_long())
        printf("%4" PRIu64 " s: rss %" PRIu64 " kB, conns %" PRIu64
               ", waiting %" PRIu64 ", unacked %" PRIu64 ", live msgs %" PRIu64
               ", log events %" PRIu64 ", heard %" PRIu64 ", resumes %" PRIu64
               "\n",
               (now - sample.began_ms) / 1000, rss / 1024,
               daemon_number_in(census, "conns"),
               daemon_number_in(census, "waiting"),
               daemon_number_in(census, "unacked"),
               daemon_number_in(census, "live_msgs"),
               daemon_number_in(census, "log_events"), party.heard,
               party.resumes);
    fflush(stdout);
    free(census);
}

static void
sample_now_and_then(uint64_t now)
{
    if (now < sample.next_ms)
        return;
    sample.next_ms = now + (figure_is_long() ? 10000 : 500);
    take_sample(now);
}

/* ---- the loop ------------------------------------------------------------ */

static void
conn_ended(struct guest *g)
{
    if (g->state == GUEST_GONE || g->state == GUEST_ENTERS)
        e2e_fail("m%u: the server closed", g->index);
    close(g->fd);
    guest_lost(&party, g, 0);
}

/* What the conn that was taken over from still gets is thrown away; it ends. */
static void
drain_old(struct guest *g)
{
    char data[4096];
    ssize_t n;

    if (g->old_fd < 0)
        return;
    n = recv(g->old_fd, data, sizeof(data), MSG_DONTWAIT);
    if (n == 0 || (n < 0 && g->state == GUEST_LIVE)) {
        close(g->old_fd);
        g->old_fd = -1;
    }
}

static void
on_turn(struct guest *g, uint64_t now)
{
    fault_tick(&party, g, now);
    drain_old(g);
    if (g->state == GUEST_AWAY && now >= g->return_ms)
        guest_come_back(&party, g);
}

static bool
all_are(enum guest_state state)
{
    for (unsigned i = 0; i < party.plan->guests; i++)
        if (party.guests[i].state != state)
            return false;
    return true;
}

static bool
all_are_done(void)
{
    for (unsigned i = 0; i < party.plan->guests; i++)
        if (!guest_is_done(&party, &party.guests[i]))
            return false;
    return true;
}

/* ---- the party ----------------------------------------------------------- */

static unsigned
seed(void)
{
    const char *const text = getenv("KLATCH_SEED");

    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : 4;
}

static void
all_come(const struct plan *plan)
{
    const uint64_t deadline = now_ms() + e2e_patience_ms(END_MS);

    e2e_raise_fd_limit();
    daemon_start_lingering(&d, plan->config);
    party = (struct party){.on_ended = conn_ended,
                           .on_turn = on_turn,
                           .plan = plan,
                           .port = d.port,
                           .socket = d.socket,
                           .seed = seed()};
    party.epoll = epoll_create1(EPOLL_CLOEXEC);
    party.guests = calloc(plan->guests, sizeof(*party.guests));
    ck_assert_ptr_nonnull(party.guests);
    books_init(&party.books, plan);
    party.is_closing = true; /* nobody talks yet */
    for (unsigned i = 0; i < plan->guests; i++) {
        struct guest *const g = &party.guests[i];

        *g = (struct guest){.index = i, .fd = -1, .old_fd = -1};
        g->is_small = i % 3 == 0;
        g->is_local = i % 3 == 1;
        g->is_steady = plan->may_miss && i < plan->rooms;
        guest_come(&party, g);
    }
    while (!all_are(GUEST_LIVE)) {
        party_turn(&party);
        if (now_ms() > deadline)
            e2e_fail("not all come in");
    }
    party.is_closing = false;
}

static void
all_talk(void)
{
    const struct plan *const plan = party.plan;
    const uint64_t began = now_ms();
    uint64_t now = began, faults = 0;

    memset(&sample, 0, sizeof(sample));
    sample.began_ms = began;
    while (now < began + (uint64_t)plan->seconds * 1000) {
        party_turn(&party);
        now = now_ms();
        for (; faults < (now - began) * plan->faults_a_second / 1000; faults++)
            fault_happen(&party);
        sample_now_and_then(now);
    }
}

static bool
all_are_back(void)
{
    for (unsigned i = 0; i < party.plan->guests; i++)
        if (party.guests[i].is_cut || party.guests[i].is_deaf)
            return false;
    return all_are(GUEST_LIVE);
}

/* Nothing happens to anybody any more: all come back and hear the rest. Where
 * they may miss it, that they come back is all that can be waited for. */
static void
all_hear_the_rest(void)
{
    const uint64_t deadline = now_ms() + e2e_patience_ms(END_MS);

    party.is_closing = true;
    while (!all_are_done() && (!party.plan->may_miss || !all_are_back())) {
        party_turn(&party);
        if (now_ms() > deadline)
            e2e_fail("not all hear the rest");
    }
    take_sample(now_ms());
}

static void
all_go(void)
{
    for (unsigned i = 0; i < party.plan->guests; i++) {
        struct guest *const g = &party.guests[i];

        guest_send(g, "/quit\n");
        shutdown(g->fd, SHUT_WR);
        if (g->old_fd >= 0)
            close(g->old_fd);
        close(g->fd);
        guest_forget_conn(g);
    }
    session_stop(&d);
    free(party.guests);
    close(party.epoll);
}

static uint64_t
count_said(void)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < party.plan->guests; i++)
        for (size_t k = 0; k < ROOMS_A_GUEST; k++)
            n += party.guests[i].said[k];
    return n;
}

static uint64_t
count_written_down(void)
{
    uint64_t n = 0;

    for (size_t i = 0; i < party.plan->rooms; i++)
        n += books_count(&party.books, i);
    return n;
}

static void
tell_figures(void)
{
    printf("%u guests, %u s: %" PRIu64 " said, %" PRIu64 " heard, %" PRIu64
           " heard again; %" PRIu64 " resumes (%" PRIu64 " takeovers), %" PRIu64
           " said again, %" PRIu64 " times behind, %" PRIu64
           " missed; at most %" PRIu64 " waiting, %" PRIu64
           " unacknowledged, rss %" PRIu64 " kB (%" PRIu64
           " after a quarter)\n",
           party.plan->guests, party.plan->seconds, count_said(), party.heard,
           party.again, party.resumes, party.replaced, party.said_again,
           party.behind, party.missed, sample.waiting_max, sample.unacked_max,
           sample.rss_max / 1024, sample.rss_warm / 1024);
}

static unsigned
seconds(unsigned in_short)
{
    const char *const soak = getenv("SOAK_SECONDS");

    if (soak != NULL && figure_is_long())
        return (unsigned)strtoul(soak, NULL, 10);
    return figure(in_short, 600);
}

START_TEST(what_is_acknowledged_is_heard_exactly_once_and_in_one_order)
{
    const struct plan plan = {
        .config = "[history]\nroom_events = 0\nkeep_events = 1000\n"
                  "keep_bytes = 2M\n[limits]\nsendq = 4k\nline_length = 1k\n",
        .guests = figure(30, 500),
        .rooms = figure(4, 50),
        .seconds = seconds(6),
        .faults_a_second = figure(30, 60),
        .say_every_ms = figure(60, 1000),
        .away_ms = figure(300, 2000),
        .deaf_ms = figure(4500, 25000),
    };

    all_come(&plan);
    all_talk();
    all_hear_the_rest();
    tell_figures();

    ck_assert_uint_eq(count_written_down(), count_said());
    ck_assert_uint_eq(party.missed, 0);
    ck_assert_uint_eq(daemon_census(&d, "missed"), 0);
    ck_assert_uint_gt(party.resumes, plan.seconds);
    ck_assert_uint_gt(party.behind, 0);
    if (e2e_scaled(100) == 100) /* sanitizers keep what was freed */
        ck_assert_uint_le(sample.rss_max,
                          sample.rss_warm + sample.rss_warm / 4 + (16u << 20));
    all_go();
    books_fini(&party.books);
}
END_TEST

/* What it was told that it missed, and what it was not given. It is told more
 * only when it had heard something and not said so. */
static void
check_missed(const struct guest *g)
{
    uint64_t skipped = 0;

    for (size_t i = 0; i < ROOMS_A_GUEST; i++)
        skipped += g->marks[i].skipped;
    if (g->told_missed < skipped || g->told_missed > skipped + g->slack)
        e2e_fail("m%u missed %" PRIu64 ", perhaps %" PRIu64
                 " more, and was told of %" PRIu64,
                 g->index, skipped, g->slack, g->told_missed);
}

START_TEST(what_is_not_heard_is_told_of)
{
    const struct plan plan = {
        .config = "[history]\nroom_events = 0\nkeep_events = 20\n"
                  "[limits]\nsendq = 4k\nline_length = 1k\n",
        .guests = 24,
        .rooms = 4,
        .seconds = figure(6, 30),
        .faults_a_second = 15,
        .say_every_ms = 100,
        .away_ms = 1500,
        .deaf_ms = 4500,
        .may_miss = true,
    };

    all_come(&plan);
    all_talk();
    all_hear_the_rest();
    tell_figures();

    ck_assert_uint_gt(party.missed, 0);
    for (unsigned i = 0; i < plan.guests; i++)
        check_missed(&party.guests[i]);
    all_go();
    books_fini(&party.books);
}
END_TEST

UNIT_MAIN("e2e/exactly_once",
          what_is_acknowledged_is_heard_exactly_once_and_in_one_order,
          what_is_not_heard_is_told_of)
