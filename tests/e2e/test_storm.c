/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Fault (a) in a storm: hundreds leave in every way there is while others talk,
 * and file descriptors are used again at once. Those who stay lose nobody and
 * no word, and hear of each departure once.
 *
 * Places    The survivors, then the churners. A churner's place is taken again
 *           as soon as it is free; who sits there is a life of its own, c0 c1 …
 * Messages  Stamped; each hearer must have each of a room's exactly once and in
 *           order, from the first that it hears on. Each life has a canary,
 *           which is told to it and echoed to it, and may reach nobody else.
 * Departure A life that ended after another had entered and while that one was
 *           still there, must have been told to it once if they shared a room,
 *           and not if they did not.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/daemon.h"
#include "support/e2e.h"
#include "support/figure.h"
#include "support/small_net.h"
#include "support/stamp.h"
#include "support/swarm.h"
#include "support/unit.h"

#define ROOMS      10u
#define PLACES_MAX 1000u
#define LIVES_MAX  40000u
#define TICK_MS    100u
#define TALK_TICKS 5u /* of one survivor: two messages a second */

enum departure {
    BY_FIN,
    BY_FIN_WITH_UNREAD,
    BY_RST,
    BY_SHUTDOWN,
    BY_HALF_A_LINE_AND_FIN,
    BY_HALF_A_LINE_AND_RST,
    BY_HALF_A_CHARACTER,
    BY_QUIT,
    BY_A_LINE_AND_RST,
    BY_NOT_READING_AND_RST,
    BY_VANISHING,
    DEPARTURES,
};

enum seat_state {
    FREE,
    ENTERING,
    IN,
    DEAF,   /* does not read any more, and is about to leave */
    ENDING, /* has shut down its side, and reads to the end */
};

struct seat {
    enum seat_state state;
    unsigned life; /* of a churner */
    struct canary canary;
    unsigned entered_at;   /* in the order of all that happened */
    enum departure how;    /* DEAF: it will leave */
    uint64_t leaves_at_ms; /* DEAF */
    bool echoed;           /* its canary came back */
    bool fenced;           /* has the answer to its last question */
};

static struct daemon d;
static struct swarm swarm;
static unsigned stay, churn;
static struct seat seats[PLACES_MAX];
static unsigned said[PLACES_MAX];   /* messages of each survivor */
static unsigned left_at[LIVES_MAX]; /* 0: is there */
static unsigned departures[DEPARTURES];
static unsigned lives, happened, tick;
static struct ledger ledger;
static struct once quits;
static unsigned dice;
static bool small_buffers;

/* -- who shares what ------------------------------------------------------ */

static unsigned
roll(unsigned sides)
{
    return (unsigned)rand_r(&dice) % sides;
}

/* Survivors have their number, churners their life; each talks in one room,
 * and every third is in another as well. */
static unsigned
main_room(unsigned who)
{
    return who % ROOMS;
}

static unsigned
other_room(unsigned who)
{
    return who % 3 == 0 ? (who / 3 + 1) % ROOMS : main_room(who);
}

static bool
is_member(unsigned who, unsigned room)
{
    return main_room(who) == room || other_room(who) == room;
}

static bool
share_a_room(unsigned a, unsigned b)
{
    return is_member(a, main_room(b)) || is_member(a, other_room(b));
}

static bool
survives(size_t place)
{
    return place < stay;
}

static unsigned
who_sits(size_t place)
{
    return survives(place) ? (unsigned)place : seats[place].life;
}

/* -- hearing -------------------------------------------------------------- */

static void
hear_talk(size_t i, const char *line)
{
    const char *const text = strstr(line, "> ");
    struct stamp s;
    enum ledger_verdict verdict;

    if (text == NULL)
        e2e_fail("place %zu: what is: %s", i, line);
    if (strcmp(text, "> last words") == 0)
        return;
    if (!stamp_read(text + 2, &s) || s.sender >= stay)
        e2e_fail("place %zu: torn: %s", i, line);
    if (s.room != main_room(s.sender) || !is_member(who_sits(i), s.room))
        e2e_fail("place %zu: not for it: %s", i, line);
    verdict = survives(i) ? ledger_hear(&ledger, i, s.sender, s.number)
                          : ledger_hear_late(&ledger, i, s.sender, s.number);
    if (verdict != LEDGER_NEXT)
        e2e_fail("place %zu: %s: %s", i, ledger_verdict_name(verdict), line);
}

static void
hear_private(size_t i, const char *line)
{
    if (strstr(line, seats[i].canary.word) == NULL)
        e2e_fail("place %zu: no canary: %s", i, line);
}

static void
hear_quit(size_t i, unsigned life, const char *line)
{
    if (life >= lives || !share_a_room(who_sits(i), life))
        e2e_fail("place %zu: is told of a stranger: %s", i, line);
    if (left_at[life] == 0)
        e2e_fail("place %zu: it has not left: %s", i, line);
    if (!once_tell(&quits, i, life))
        e2e_fail("place %zu: told twice: %s", i, line);
}

static void
hear_notice(size_t i, const char *line)
{
    struct seat *const seat = &seats[i];
    unsigned life;
    char verb[6];

    if (sscanf(line, "* c%u %5s", &life, verb) == 2) {
        if (strncmp(verb, "quit", 4) == 0)
            hear_quit(i, life, line);
        return;
    }
    if (strncmp(line, "* s", 3) == 0 && strstr(line, " quit") != NULL)
        e2e_fail("place %zu: a survivor is gone: %s", i, line);
    if (strcmp(line, "* You left #lobby.") == 0 && seat->state == ENTERING) {
        seat->state = IN;
        seat->entered_at = ++happened;
    }
    seat->echoed |= strstr(line, seat->canary.word) != NULL;
    seat->fenced |= strstr(line, " has no topic.") != NULL;
}

static void
on_line(void *arg, size_t i, const char *line)
{
    if (canary_is_strange(line, &seats[i].canary))
        e2e_fail("place %zu: somebody else's canary: %s", i, line);
    if (strncmp(line, "[private] ", 10) == 0)
        hear_private(i, line);
    else if (line[0] == '<' || strncmp(line, "[#", 2) == 0)
        hear_talk(i, line);
    else
        hear_notice(i, line);
}

/* -- coming --------------------------------------------------------------- */

static void
enter(size_t i)
{
    struct seat *const seat = &seats[i];
    unsigned who = (unsigned)i;

    *seat = (struct seat){.state = ENTERING, .canary = canary_random()};
    if (!survives(i)) {
        ck_assert_uint_lt(lives, LIVES_MAX);
        who = seat->life = lives++;
        ledger_forget(&ledger, i);
        once_forget(&quits, i);
    }
    swarm_connect(&swarm, i, 1, d.port);
    swarm_send(&swarm, i, "%c%u\n/join #r%u\n/join #r%u\n/part #lobby\n/%s\n",
               survives(i) ? 's' : 'c', who, other_room(who), main_room(who),
               seat->canary.word);
}

static bool
all_are_in(void *arg)
{
    for (size_t i = 0; i < stay + churn; i++)
        if (seats[i].state == ENTERING ||
            (seats[i].state == IN && !seats[i].echoed))
            return false;
    return true;
}

static void
fill_places(void)
{
    for (size_t i = stay; i < stay + churn; i++)
        if (seats[i].state == FREE)
            enter(i);
}

/* -- leaving -------------------------------------------------------------- */

static void
count_departure(size_t i, enum departure how)
{
    left_at[seats[i].life] = ++happened;
    departures[how]++;
}

static void
leave_now(size_t i, enum departure how)
{
    count_departure(i, how);
    seats[i].state = FREE;
    switch (how) {
    case BY_SHUTDOWN:
        seats[i].state = ENDING;
        swarm_end_writing(&swarm, i);
        return;
    case BY_FIN:
    case BY_FIN_WITH_UNREAD:
        break;
    case BY_HALF_A_LINE_AND_FIN:
        swarm_send(&swarm, i, "half a li");
        break;
    case BY_HALF_A_CHARACTER:
        swarm_send(&swarm, i, "\xe5\xb0");
        break;
    case BY_QUIT:
        swarm_send(&swarm, i, "/quit\n");
        break;
    case BY_HALF_A_LINE_AND_RST:
        swarm_send(&swarm, i, "half a li");
        swarm_reset(&swarm, i);
        return;
    case BY_A_LINE_AND_RST:
        swarm_send(&swarm, i, "last words\n");
        swarm_reset(&swarm, i);
        return;
    case BY_VANISHING:
        if (swarm_vanish(&swarm, i))
            return;
        departures[how]--; /* we may not: then it is an ordinary one */
        departures[BY_RST]++;
        swarm_reset(&swarm, i);
        return;
    case BY_RST:
    case BY_NOT_READING_AND_RST:
    case DEPARTURES:
        swarm_reset(&swarm, i);
        return;
    }
    swarm_close(&swarm, i);
}

/* Not reading takes time: until something is there, or until the server has
 * more than its kernel takes. */
static void
stop_reading(size_t i, enum departure how)
{
    struct seat *const seat = &seats[i];

    seat->state = DEAF;
    seat->how = how;
    seat->leaves_at_ms = now_ms() + 1000;
    swarm_mute(&swarm, i);
    for (int n = 0; how == BY_NOT_READING_AND_RST && n < 100; n++)
        swarm_send(&swarm, i, "/help\n");
}

static void
leave(size_t i, enum departure how)
{
    if (how == BY_FIN_WITH_UNREAD || how == BY_NOT_READING_AND_RST)
        stop_reading(i, how);
    else
        leave_now(i, how);
}

/* Those whose leaving takes its time. */
static void
see_off(bool at_once)
{
    for (size_t i = stay; i < stay + churn; i++) {
        if (seats[i].state == DEAF &&
            (at_once || now_ms() >= seats[i].leaves_at_ms)) {
            leave_now(i, seats[i].how);
        } else if (seats[i].state == ENDING && swarm.clients[i].has_ended) {
            swarm_close(&swarm, i);
            seats[i].state = FREE;
        }
    }
}

static enum departure
next_departure(void)
{
    static unsigned n;

    return (enum departure)(n++ % DEPARTURES);
}

/* `n` of those who are in, somewhere. */
static void
some_leave(unsigned n)
{
    const unsigned first = roll(churn);

    for (unsigned k = 0; k < churn && n > 0; k++) {
        const size_t i = stay + (first + k * 7) % churn;

        if (seats[i].state != IN)
            continue;
        leave(i, next_departure());
        n--;
    }
}

/* -- talking -------------------------------------------------------------- */

static void
say(size_t i)
{
    char text[STAMP_SIZE + 100];
    const struct stamp s = {main_room((unsigned)i), (uint32_t)i, ++said[i]};

    stamp_write(text, sizeof(text), &s, s.number % 100);
    swarm_send(&swarm, i, "%s\n", text);
}

/* Something for nobody else's ears. */
static void
whisper(size_t from)
{
    const size_t to = roll(stay + churn);

    if (to != from && seats[to].state == IN)
        swarm_send(&swarm, from, "/msg %c%u %s\n", survives(to) ? 's' : 'c',
                   who_sits(to), seats[to].canary.word);
}

static void
survivors_talk(void)
{
    tick++;
    for (size_t i = 0; i < stay; i++)
        if ((tick + i) % TALK_TICKS == 0) {
            say(i);
            whisper(i);
        }
    for (size_t i = stay + tick % 20; i < stay + churn; i += 20)
        if (seats[i].state == IN)
            whisper(i);
}

/* -- judging -------------------------------------------------------------- */

static unsigned
count_in(void)
{
    unsigned n = 0;

    for (size_t i = 0; i < stay + churn; i++)
        n += seats[i].state == IN;
    return n;
}

static bool
all_are_fenced(void *arg)
{
    for (size_t i = 0; i < stay + churn; i++)
        if (seats[i].state == IN && !seats[i].fenced)
            return false;
    return true;
}

/* Who waits for the server's end has got it. */
static bool
all_have_ended(void *arg)
{
    see_off(false);
    for (size_t i = stay; i < stay + churn; i++)
        if (seats[i].state == ENDING)
            return false;
    return true;
}

static bool
never_before(void *until)
{
    return now_ms() >= *(const uint64_t *)until;
}

static void
serve_for(unsigned ms)
{
    uint64_t until = now_ms() + ms;

    swarm_run_until(&swarm, never_before, &until, "time to pass");
}

/* Who vanished is found out about by talking to it, twice for a RST to be
 * there and to be seen. */
static void
settle(void)
{
    const uint64_t deadline = now_ms() + SWARM_PATIENCE_MS;

    swarm_run_until(&swarm, all_are_in, NULL, "all to be in");
    swarm_run_until(&swarm, all_have_ended, NULL, "the server's ends");
    while (daemon_census(&d, "users") != count_in()) {
        if (now_ms() >= deadline)
            e2e_fail("%u are in, and the hub has %" PRIu64, count_in(),
                     daemon_census(&d, "users"));
        see_off(false);
        for (size_t i = 0; i < stay; i++)
            say(i);
        serve_for(100);
    }
    /* What was to be told is in front of the answer to this. */
    for (size_t i = 0; i < stay + churn; i++) {
        seats[i].fenced = false;
        if (seats[i].state == IN)
            swarm_send(&swarm, i, "/topic #r%u\n", main_room(who_sits(i)));
    }
    swarm_run_until(&swarm, all_are_fenced, NULL, "the last answers");
}

static void
check_words(size_t i)
{
    for (size_t k = 0; k < stay; k++) {
        const unsigned last = ledger_last(&ledger, i, k);
        const bool hears =
            k != i && is_member(who_sits(i), main_room((unsigned)k));

        if (last != (hears ? said[k] : 0) && (survives(i) || last != 0))
            e2e_fail("place %zu: of s%zu's %u it heard up to %u", i, k, said[k],
                     last);
    }
}

static void
check_departures(size_t i)
{
    for (unsigned life = 0; life < lives; life++)
        if (left_at[life] > seats[i].entered_at &&
            share_a_room(who_sits(i), life) && !once_is_told(&quits, i, life))
            e2e_fail("place %zu: was never told that c%u left", i, life);
}

static void
check_all(void)
{
    settle();
    for (size_t i = 0; i < stay + churn; i++)
        if (seats[i].state == IN) {
            check_words(i);
            check_departures(i);
        }
}

static void
all_churners_leave(void)
{
    see_off(true);
    swarm_run_until(&swarm, all_are_in, NULL, "the last to be in");
    for (size_t i = stay; i < stay + churn; i++)
        if (seats[i].state == IN)
            leave_now(i, next_departure());
    check_all();
}

/* What must be as it was when only the survivors are there. Not timers: one
 * that will find nothing to do may still be armed. */
static const char *const counts[] = {
    "conns",         "conns_without_deadline",
    "conns_paused",  "pending_msgs",
    "pending_bytes", "kept_bytes",
    "clients",       "unanswered",
    "sessions",      "users",
    "rooms",         "members",
    "view_rooms",    "view_members",
    "live_msgs",     "sources",
    "slab_objects",  "fds",
    "in_draining",
};
#define COUNTS (sizeof(counts) / sizeof(counts[0]))

static void
count_all(uint64_t values[COUNTS])
{
    for (size_t i = 0; i < COUNTS; i++)
        values[i] = daemon_census(&d, counts[i]);
}

static void
await_counts(const uint64_t values[COUNTS])
{
    for (size_t i = 0; i < COUNTS; i++)
        daemon_await_census(&d, counts[i], values[i]);
}

/* -- the storms ----------------------------------------------------------- */

static void
begin(unsigned survivors, unsigned churners, unsigned lives_max)
{
    stay = survivors;
    churn = churners;
    dice = 11;
    ck_assert_uint_le(stay + churn, PLACES_MAX);
    small_buffers = small_net_enter();
    daemon_start(&d, "[history]\nroom_events = 0\nkeep_events = 1\n");
    ledger_init(&ledger, stay + churn, stay);
    once_init(&quits, stay + churn, lives_max);
    swarm_init(&swarm, stay + churn, on_line, NULL);
    for (size_t i = 0; i < stay; i++)
        enter(i);
    check_all();
    swarm.receive_buffer = 4096; /* who does not read is soon full */
}

static void
finish(void)
{
    swarm_fini(&swarm);
    daemon_await_census_now(&d, d.at_rest);
    daemon_stop(&d);
    ledger_fini(&ledger);
    once_fini(&quits);
}

static void
storm(unsigned ticks, unsigned closes_a_tick, uint64_t *pending)
{
    for (unsigned t = 0; t < ticks; t++) {
        uint64_t now;

        some_leave(closes_a_tick);
        see_off(false);
        fill_places();
        survivors_talk();
        serve_for(TICK_MS);
        now = daemon_census(&d, "pending_bytes");
        *pending = now > *pending ? now : *pending;
    }
}

/* Those who stay are silent: then the server does nothing. */
static void
expect_idle(unsigned ms)
{
    const uint64_t cpu_ms = daemon_cpu_ms(&d);

    (void)poll(NULL, 0, (int)ms);
    /* One per cent, and a tick of the clock that counts it. */
    ck_assert_uint_le(daemon_cpu_ms(&d) - cpu_ms,
                      e2e_patience_ms(ms / 100) + 10);
}

static void
report(unsigned cycle, uint64_t pending)
{
    uint64_t words = 0;

    for (size_t i = 0; i < stay; i++)
        words += said[i];
    printf("cycle %u: %u lives, %" PRIu64 " messages, at most %" PRIu64
           " bytes pending, rss %" PRIu64 " KiB; by kind",
           cycle, lives, words, pending, daemon_census(&d, "rss_bytes") / 1024);
    for (size_t i = 0; i < DEPARTURES; i++)
        printf(" %u", departures[i]);
    printf("\n");
    fflush(stdout);
}

START_TEST(a_storm_of_departures_passes_those_who_stay)
{
    const unsigned cycles = figure(2, 5);
    const unsigned ticks = figure(15, 100);
    const unsigned closes = e2e_scaled(figure(10, 20));
    uint64_t pending = 0, rss = 0;
    uint64_t at_rest[COUNTS];

    begin(e2e_scaled(figure(40, 200)), e2e_scaled(figure(120, 800)), LIVES_MAX);
    count_all(at_rest);
    for (unsigned cycle = 0; cycle < cycles; cycle++) {
        e2e_scene("cycle %u", cycle);
        fill_places();
        check_all();
        storm(ticks, closes, &pending);
        all_churners_leave();
        await_counts(at_rest);
        report(cycle, pending);
        if (cycle == 1)
            rss = daemon_census(&d, "rss_bytes");
    }

    for (size_t how = 0; how < DEPARTURES; how++)
        ck_assert_msg(how == BY_VANISHING || departures[how] > 0,
                      "nobody left by way %zu", how);
    /* Who did not read made the server wait. */
    ck_assert(pending > 0 || !small_buffers);
    /* What malloc keeps may differ; what is lost each cycle would be more. */
    ck_assert_uint_le(daemon_census(&d, "rss_bytes"), rss + rss / 5);
    expect_idle(figure(500, 5000));
    finish();
}
END_TEST

/* Each with something on its way to it, from itself and from a survivor: it
 * must not reach who sits there next. */
static void
leave_frozen(unsigned round)
{
    for (size_t i = stay; i < stay + churn; i++) {
        const enum departure how = (enum departure)((i + round) % DEPARTURES);
        const unsigned life = seats[i].life;

        swarm_send(&swarm, i, "/msg c%u %s\n", life, seats[i].canary.word);
        swarm_send(&swarm, i % stay, "/msg c%u %s\n", life,
                   seats[i].canary.word);
        leave_now(i, how == BY_SHUTDOWN ? BY_FIN : how);
    }
}

/* Whatever happens while the server does not look is there at one look: ends of
 * connections, and new ones that will get their descriptors. */
START_TEST(what_happened_while_it_was_stopped_is_put_in_order)
{
    const unsigned rounds = figure(3, 20);

    begin(e2e_scaled(40), e2e_scaled(figure(200, 500)), LIVES_MAX);
    fill_places();
    check_all();
    for (unsigned round = 0; round < rounds; round++) {
        e2e_scene("round %u", round);
        daemon_freeze(&d);
        leave_frozen(round);
        fill_places();
        for (size_t i = 0; i < stay; i++)
            say(i);
        daemon_thaw(&d);
        check_all();
    }
    all_churners_leave();
    printf("%u lives in %u rounds\n", lives, rounds);
    finish();
}
END_TEST

UNIT_MAIN("e2e/storm", a_storm_of_departures_passes_those_who_stay,
          what_happened_while_it_was_stopped_is_put_in_order)
