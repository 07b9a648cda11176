/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The wire is cut under programs that keep sessions (/ack on, tokens), in
 * namespaces of the test's own: who is cut off for longer than the heartbeats
 * allow is told to be away within idle_ping + pong and SLACK_MS; nobody else is
 * touched; and when the wire is mended each comes back with its token and gets
 * what it missed exactly once and in order (exactly_once.h: the books). When it
 * is mended in time nobody is away, and nothing is lost either.
 *
 * Guests   The first ones are healthy; the victims behind them are cut off in
 *          one of CUTS ways, each from addresses of its own.
 */
#include <inttypes.h>
#include <netinet/in.h>
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
#include "support/net_world.h"
#include "support/stamp.h"
#include "support/unit.h"

#define SLACK_MS     2000u
#define SMALL_BUFFER 4096
#define LARGE_BUFFER (256 * 1024)
#define END_MS       30000u /* for all to come back and hear the rest */

enum cut {
    CUT_BOTH_WAYS,
    CUT_TO_SERVER,
    CUT_TO_CLIENT,
    CUT_WINDOW, /* none in the wire: they stop reading */
    CUTS,
};

static struct net_world world;
static struct daemon d;
static struct party party;
static unsigned healthy;
static unsigned victims;

/* What the healthy were told in this round, [hearer * guests + who]. */
static struct once away, back;
static unsigned away_count, back_count;
static bool is_cut; /* and was for too long, or may be: they may be away */
static uint64_t first_ms; /* that somebody was told to be away */

/* ---- who is who ---------------------------------------------------------- */

static bool
is_victim(const struct guest *g)
{
    return g->index >= healthy;
}

static enum cut
cut_of(const struct guest *g)
{
    return (enum cut)((g->index - healthy) % CUTS);
}

/* 10.78.(1 + cut).x; they are the clients' (net_world.h). */
static uint32_t
address_of(const struct guest *g)
{
    return 0x0a4e0000u + ((unsigned)cut_of(g) + 1) * 256 + 1 + g->index % 250;
}

static bool
do_share_a_room(const struct guest *a, const struct guest *b)
{
    for (size_t i = 0; i < ROOMS_A_GUEST; i++)
        for (size_t k = 0; k < ROOMS_A_GUEST; k++)
            if (guest_room(&party, a, i) == guest_room(&party, b, k))
                return true;
    return false;
}

/* How often the healthy are told of all victims, once each. */
static unsigned
count_to_be_told(void)
{
    unsigned n = 0;

    for (unsigned h = 0; h < healthy; h++)
        for (unsigned v = healthy; v < party.plan->guests; v++)
            n += do_share_a_room(&party.guests[h], &party.guests[v]);
    return n;
}

/* ---- what they hear ------------------------------------------------------ */

static void
hear_of(const struct guest *g, unsigned who, struct once *told, unsigned *count)
{
    const char *const what = told == &away ? "away" : "back";

    if (!is_cut || who < healthy || who >= party.plan->guests ||
        !do_share_a_room(g, &party.guests[who]))
        e2e_fail("m%u is not to be told that m%u is %s", g->index, who, what);
    if (!once_tell(told, g->index, who))
        e2e_fail("m%u was told twice that m%u is %s", g->index, who, what);
    (*count)++;
}

static void
on_notice(const struct guest *g, const char *line)
{
    unsigned who;

    if (is_victim(g) || sscanf(line, "* m%u is ", &who) != 1)
        return;
    if (strstr(line, " is away (reconnecting).") != NULL) {
        if (first_ms == 0)
            first_ms = now_ms();
        hear_of(g, who, &away, &away_count);
    } else if (strstr(line, " is back.") != NULL) {
        if (!once_is_told(&away, g->index, who))
            e2e_fail("m%u was not told that m%u was away", g->index, who);
        hear_of(g, who, &back, &back_count);
    }
}

/* ---- the loop ------------------------------------------------------------ */

/* It comes back when the wire is mended, and not by itself. */
static void
conn_ended(struct guest *g)
{
    if (!is_victim(g) || !is_cut)
        e2e_fail("m%u: the server closed", g->index);
    close(g->fd);
    guest_lost(&party, g, 0);
}

static void
talk_for(uint64_t ms)
{
    const uint64_t end_ms = now_ms() + ms;

    while (now_ms() < end_ms)
        party_turn(&party);
}

static bool
all_are_in(void)
{
    for (unsigned i = 0; i < party.plan->guests; i++)
        if (party.guests[i].state != GUEST_LIVE)
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

/* Nobody says anything new until then. */
static void
run_until(bool (*is_done)(void), const char *what)
{
    const uint64_t deadline = now_ms() + e2e_patience_ms(END_MS);

    party.is_closing = true;
    while (!is_done()) {
        party_turn(&party);
        if (now_ms() > deadline)
            e2e_fail("waited in vain for %s", what);
    }
    party.is_closing = false;
}

/* ---- the wire ------------------------------------------------------------ */

/* A window that is small from the beginning would do, too, but the kernel ends
 * a peer that reads on slowly through such a window after user_timeout as well,
 * and on a busy machine we are slow. */
static void
set_buffer(const struct guest *g, int bytes)
{
    ck_assert_int_eq(
        setsockopt(g->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)), 0);
}

static void
stop_reading(struct guest *g)
{
    g->is_deaf = true;
    set_buffer(g, SMALL_BUFFER);
    ck_assert_int_eq(epoll_ctl(party.epoll, EPOLL_CTL_DEL, g->fd, NULL), 0);
}

static void
read_again(struct guest *g)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.u64 = g->index};

    g->is_deaf = false;
    set_buffer(g, LARGE_BUFFER);
    ck_assert_int_eq(epoll_ctl(party.epoll, EPOLL_CTL_ADD, g->fd, &ev), 0);
}

static void
cut(void)
{
    net_world_rules(&world, "add rule inet cut forward ip saddr 10.78.1.0/24 "
                            "drop\n"
                            "add rule inet cut forward ip daddr 10.78.1.0/24 "
                            "drop\n"
                            "add rule inet cut forward ip saddr 10.78.2.0/24 "
                            "drop\n"
                            "add rule inet cut forward ip daddr 10.78.3.0/24 "
                            "drop\n");
    for (unsigned i = healthy; i < party.plan->guests; i++)
        if (cut_of(&party.guests[i]) == CUT_WINDOW)
            stop_reading(&party.guests[i]);
}

/* The old conns have ended at the server's, if not at theirs. */
static void
victims_come_back(void)
{
    for (unsigned i = healthy; i < party.plan->guests; i++) {
        struct guest *const g = &party.guests[i];

        if (g->fd >= 0) {
            close(g->fd);
            guest_lost(&party, g, 0);
        }
        guest_come_back(&party, g);
    }
}

/* ---- the party ----------------------------------------------------------- */

static void
begin(unsigned heartbeat_ms, struct plan *plan)
{
    static char config[256];
    const char *const seed = getenv("KLATCH_SEED");

    healthy = e2e_figure(32, 250);
    victims = e2e_figure(32, 250);
    snprintf(config, sizeof(config),
             "[history]\nroom_events = 0\nkeep_events = 20000\n"
             "keep_bytes = 16M\n"
             "[timeouts]\nidle_ping = %ums\npong = %ums\nuser_timeout = %ums\n",
             heartbeat_ms, heartbeat_ms, heartbeat_ms);
    *plan = (struct plan){
        .config = config,
        .guests = healthy + victims,
        .rooms = e2e_figure(5, 25),
        .say_every_ms = figure(250, 1500),
    };
    if (plan->rooms < 3)
        plan->rooms = 3;
    e2e_raise_fd_limit();
    net_world_open(&world);
    net_world_start_lingering(&world, &d, plan->config);
    party = (struct party){
        .plan = plan,
        .server = NET_WORLD_SERVER,
        .port = d.port,
        .socket = d.socket,
        .seed = seed != NULL ? (unsigned)strtoul(seed, NULL, 10) : 4,
        .on_notice = on_notice,
        .on_ended = conn_ended,
    };
}

static void
all_come(void)
{
    const struct plan *const plan = party.plan;

    party.epoll = epoll_create1(EPOLL_CLOEXEC);
    party.guests = calloc(plan->guests, sizeof(*party.guests));
    ck_assert_ptr_nonnull(party.guests);
    books_init(&party.books, plan);
    once_init(&away, healthy, plan->guests);
    once_init(&back, healthy, plan->guests);
    for (unsigned i = 0; i < plan->guests; i++) {
        struct guest *const g = &party.guests[i];

        *g = (struct guest){.index = i, .fd = -1, .old_fd = -1};
        if (is_victim(g))
            g->from = address_of(g);
        guest_come(&party, g);
    }
    run_until(all_are_in, "all to come in");
}

static void
all_go(void)
{
    for (unsigned i = 0; i < party.plan->guests; i++) {
        struct guest *const g = &party.guests[i];

        guest_send(g, "/quit\n");
        shutdown(g->fd, SHUT_WR);
        close(g->fd);
        guest_forget_conn(g);
    }
    session_stop(&d);
    net_world_close(&world);
    once_fini(&away);
    once_fini(&back);
    books_fini(&party.books);
    free(party.guests);
    close(party.epoll);
}

/* All that was said was heard by everybody once and in one order. */
static void
expect_nothing_lost(void)
{
    uint64_t said = 0, written = 0;

    run_until(all_are_done, "all to hear the rest");
    for (unsigned i = 0; i < party.plan->guests; i++)
        for (size_t k = 0; k < ROOMS_A_GUEST; k++)
            said += party.guests[i].said[k];
    for (size_t i = 0; i < party.plan->rooms; i++)
        written += books_count(&party.books, i);
    ck_assert_uint_gt(said, 0);
    ck_assert_uint_eq(written, said);
    ck_assert_uint_eq(party.missed, 0);
    ck_assert_uint_eq(daemon_census(&d, "missed"), 0);
    ck_assert_uint_eq(daemon_census(&d, "sessions"), party.plan->guests);
}

/* ---- beyond the deadline ------------------------------------------------- */

static void
await_victims_away(unsigned heartbeat_ms)
{
    const uint64_t limit_ms = e2e_patience_ms(2 * heartbeat_ms + SLACK_MS);
    const unsigned all = count_to_be_told();
    const uint64_t cut_ms = now_ms();

    first_ms = 0;
    while (away_count < all) {
        party_turn(&party);
        if (now_ms() - cut_ms > limit_ms)
            e2e_fail("after %u ms the healthy were told of %u of %u that they "
                     "are away",
                     (unsigned)limit_ms, away_count, all);
    }
    e2e_measured("%u of %u cut off: away after %u to %u ms", victims,
                 party.plan->guests, (unsigned)(first_ms - cut_ms),
                 (unsigned)(now_ms() - cut_ms));
    ck_assert_uint_eq(daemon_census(&d, "waiting"), victims);
}

static bool
all_are_back(void)
{
    return back_count == count_to_be_told();
}

static void
forget_the_round(void)
{
    for (unsigned h = 0; h < healthy; h++) {
        once_forget(&away, h);
        once_forget(&back, h);
    }
    away_count = back_count = 0;
    is_cut = false;
}

START_TEST(who_was_cut_off_comes_back_and_gets_what_it_missed_once)
{
    const unsigned heartbeat_ms = figure(2000, 5000);
    const unsigned rounds = figure(1, 5);
    struct plan plan;

    begin(heartbeat_ms, &plan);
    all_come();
    for (unsigned n = 1; n <= rounds; n++) {
        e2e_scene("round %u", n);
        talk_for(300);
        is_cut = true;
        cut();
        await_victims_away(heartbeat_ms);
        talk_for(700);

        net_world_heal(&world);
        victims_come_back();
        run_until(all_are_in, "the victims to come back");
        expect_nothing_lost();
        run_until(all_are_back, "all to be told that they are back");
        ck_assert_uint_eq(party.resumes, n * victims);
        forget_the_round();
    }
    e2e_measured("%" PRIu64 " heard, %" PRIu64 " of it again; %" PRIu64
                 " resumes, %" PRIu64 " said again, %" PRIu64 " missed",
                 party.heard, party.again, party.resumes, party.said_again,
                 party.missed);
    all_go();
}
END_TEST

/* ---- in time ------------------------------------------------------------- */

/* TCP asks again after 0.2, 0.6, 1.4, 3 … seconds, so that it does in time; also
 * when all is so slow that it takes seconds to mend the wire. */
START_TEST(who_was_cut_off_shortly_was_never_away)
{
    const unsigned rounds = figure(1, 10);
    struct plan plan;

    begin(15000, &plan);
    all_come();
    for (unsigned n = 1; n <= rounds; n++) {
        e2e_scene("round %u", n);
        talk_for(300);
        cut();
        talk_for(1500);
        net_world_heal(&world);
        for (unsigned i = healthy; i < plan.guests; i++)
            if (party.guests[i].is_deaf)
                read_again(&party.guests[i]);
        expect_nothing_lost();
    }
    ck_assert_uint_eq(party.resumes, 0);
    ck_assert_uint_eq(away_count, 0);
    all_go();
}
END_TEST

UNIT_MAIN_IF(net_world_is_possible(), "e2e/partition_session",
             who_was_cut_off_comes_back_and_gets_what_it_missed_once,
             who_was_cut_off_shortly_was_never_away)
