/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Many leave at once, and in all ways, while others talk: those who stay hear
 * every word and every departure once, and file descriptors that are used again
 * do not mix people up.
 *
 * Names     s0… stay and talk; cROUND_N come and go.
 * Ledger    What each of those who stay has heard is counted; it must be what
 *           happened, no more and no less.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/daemon.h"
#include "support/e2e.h"
#include "support/swarm.h"
#include "support/unit.h"

#define STAY      20u
#define CHURN_MAX 200u
#define ROUNDS    6u

enum departure {
    BY_FIN,
    BY_RST,
    BY_QUIT,
    BY_HALF_A_LINE,
    BY_A_LINE_AND_RST,
    DEPARTURES,
};

struct stayer {
    unsigned last_number[STAY]; /* of what each other said */
    bool joined[ROUNDS][CHURN_MAX];
    bool quit[ROUNDS][CHURN_MAX];
    unsigned joins;
    unsigned quits;
    bool is_in;
};

static struct daemon d;
static struct swarm swarm; /* the stayers, then the churners of two rounds */
static unsigned churn;
static struct stayer stayers[STAY];
static bool is_in[2 * CHURN_MAX]; /* churners, by place */
static unsigned said;             /* numbers that each stayer has said */
static unsigned come, gone;       /* churners so far */

/* -- hearing -------------------------------------------------------------- */

static void
hear_talk(size_t i, const char *line)
{
    unsigned speaker, number;

    if (sscanf(line, "<s%u> number %u", &speaker, &number) != 2) {
        ck_assert_msg(strstr(line, "> last words") != NULL,
                      "stayer %zu: what is: %s", i, line);
        return;
    }
    if (number != stayers[i].last_number[speaker] + 1)
        e2e_fail("stayer %zu: of s%u after %u comes %u", i, speaker,
                 stayers[i].last_number[speaker], number);
    stayers[i].last_number[speaker] = number;
}

static void
hear_notice(size_t i, const char *line)
{
    struct stayer *const s = &stayers[i];
    unsigned round, n;
    char verb[8];

    if (sscanf(line, "* c%u_%u %7s", &round, &n, verb) != 3)
        return; /* about itself, or the other stayers coming */
    ck_assert_uint_lt(round, ROUNDS);
    if (strcmp(verb, "joined") == 0) {
        if (s->joined[round][n])
            e2e_fail("stayer %zu: twice: %s", i, line);
        s->joined[round][n] = true;
        s->joins++;
        return;
    }
    if (strncmp(verb, "quit", 4) != 0 || !s->joined[round][n] ||
        s->quit[round][n])
        e2e_fail("stayer %zu: out of order: %s", i, line);
    s->quit[round][n] = true;
    s->quits++;
}

static void
on_line(void *arg, size_t i, const char *line)
{
    const bool am_in = strncmp(line, "* You are in #lobby", 19) == 0;

    if (i >= STAY) {
        is_in[i - STAY] |= am_in;
        return;
    }
    stayers[i].is_in |= am_in;
    if (line[0] == '<')
        hear_talk(i, line);
    else
        hear_notice(i, line);
}

/* -- waiting -------------------------------------------------------------- */

static bool
stayers_are_in(void *arg)
{
    for (unsigned i = 0; i < STAY; i++)
        if (!stayers[i].is_in)
            return false;
    return true;
}

/* Everybody who stays has heard all there was so far. */
static bool
ledger_is_even(void *arg)
{
    for (unsigned i = 0; i < STAY; i++) {
        if (stayers[i].joins < come || stayers[i].quits < gone)
            return false;
        for (unsigned k = 0; k < STAY; k++)
            if (k != i && stayers[i].last_number[k] < said)
                return false;
    }
    return true;
}

static bool
churners_are_in(void *half)
{
    const unsigned first = *(unsigned *)half * churn;

    for (unsigned n = 0; n < churn; n++)
        if (!is_in[first + n])
            return false;
    return true;
}

/* -- doing ---------------------------------------------------------------- */

static void
stayers_come(void)
{
    churn = e2e_scaled(CHURN_MAX);
    daemon_start(&d, "[history]\nroom_events = 0\n");
    swarm_init(&swarm, STAY + 2 * churn, on_line, NULL);
    swarm_connect(&swarm, 0, STAY, d.port);
    for (unsigned i = 0; i < STAY; i++)
        swarm_send(&swarm, i, "s%u\n", i);
    swarm_run_until(&swarm, stayers_are_in, NULL, "the stayers to be in");
}

static void
stayers_talk(void)
{
    said++;
    for (unsigned i = 0; i < STAY; i++)
        swarm_send(&swarm, i, "number %u\n", said);
}

/* Two halves of the places take turns. */
static unsigned
place(unsigned round, unsigned n)
{
    return STAY + round % 2 * churn + n;
}

static void
churners_connect(unsigned round)
{
    for (unsigned n = 0; n < churn; n++)
        is_in[place(round, n) - STAY] = false;
    swarm_connect(&swarm, place(round, 0), churn, d.port);
    for (unsigned n = 0; n < churn; n++)
        swarm_send(&swarm, place(round, n), "c%u_%u\n", round, n);
    come += churn;
}

static void
churners_leave(unsigned round)
{
    for (unsigned n = 0; n < churn; n++) {
        const unsigned i = place(round, n);

        switch ((enum departure)((n + round) % DEPARTURES)) {
        case BY_FIN:
            swarm_close(&swarm, i);
            break;
        case BY_RST:
            swarm_reset(&swarm, i);
            break;
        case BY_QUIT:
            swarm_send(&swarm, i, "/quit\n");
            swarm_close(&swarm, i);
            break;
        case BY_HALF_A_LINE:
            swarm_send(&swarm, i, "half a li");
            swarm_close(&swarm, i);
            break;
        case BY_A_LINE_AND_RST:
            swarm_send(&swarm, i, "last words\n");
            swarm_reset(&swarm, i);
            break;
        case DEPARTURES:
            break;
        }
    }
    gone += churn;
}

static void
await_churners(unsigned round)
{
    unsigned half = round % 2;

    swarm_run_until(&swarm, churners_are_in, &half, "the churners to be in");
}

static void
all_go(void)
{
    swarm_run_until(&swarm, ledger_is_even, NULL,
                    "every word, arrival and departure");
    for (unsigned i = 0; i < STAY; i++) {
        ck_assert_uint_eq(stayers[i].joins, come);
        ck_assert_uint_eq(stayers[i].quits, gone);
    }
    swarm_fini(&swarm);
}

START_TEST(a_storm_of_departures_passes_those_who_stay)
{
    uint64_t cpu_ms;

    stayers_come();
    for (unsigned round = 0; round < ROUNDS; round++) {
        churners_connect(round);
        stayers_talk();
        if (round > 0)
            churners_leave(round - 1);
        stayers_talk();
        await_churners(round);
    }
    churners_leave(ROUNDS - 1);
    stayers_talk();
    all_go();

    /* Nobody is there: then nothing is done either. */
    daemon_await_census_now(&d, d.at_rest);
    cpu_ms = daemon_cpu_ms(&d);
    (void)poll(NULL, 0, 300);
    ck_assert_uint_le(daemon_cpu_ms(&d) - cpu_ms, 20);
    daemon_stop(&d);
}
END_TEST

/* Whatever happens while the server does not look is there at one look: ends of
 * connections, and new ones that will get their descriptors. */
START_TEST(what_happened_while_it_was_stopped_is_put_in_order)
{
    stayers_come();
    churners_connect(0);
    await_churners(0);

    for (unsigned round = 1; round < 4; round++) {
        e2e_scene("round %u", round);
        daemon_freeze(&d);
        churners_leave(round - 1);
        churners_connect(round);
        swarm_await_connected(&swarm);
        stayers_talk();
        daemon_thaw(&d);
        await_churners(round);
    }
    churners_leave(3);
    all_go();
    daemon_stop(&d);
}
END_TEST

UNIT_MAIN("e2e/storm", a_storm_of_departures_passes_those_who_stay,
          what_happened_while_it_was_stopped_is_put_in_order)
