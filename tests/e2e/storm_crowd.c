/* SPDX-License-Identifier: BSD-2-Clause */
#include "e2e/storm_crowd.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/e2e.h"

#define TALK_TICKS 5u /* of one survivor: two messages a second */

struct crowd crowd;

/* -- who shares what ------------------------------------------------------ */

static unsigned
roll(unsigned sides)
{
    return (unsigned)rand_r(&crowd.dice) % sides;
}

unsigned
crowd_main_room(unsigned who)
{
    return who % ROOMS;
}

static unsigned
other_room(unsigned who)
{
    return who % 3 == 0 ? (who / 3 + 1) % ROOMS : crowd_main_room(who);
}

bool
crowd_is_member(unsigned who, unsigned room)
{
    return crowd_main_room(who) == room || other_room(who) == room;
}

bool
crowd_share_a_room(unsigned a, unsigned b)
{
    return crowd_is_member(a, crowd_main_room(b)) ||
           crowd_is_member(a, other_room(b));
}

bool
crowd_survives(size_t place)
{
    return place < crowd.stay;
}

unsigned
crowd_who_sits(size_t place)
{
    return crowd_survives(place) ? (unsigned)place : crowd.seats[place].life;
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
    if (!stamp_read(text + 2, &s) || s.sender >= crowd.stay)
        e2e_fail("place %zu: torn: %s", i, line);
    if (s.room != crowd_main_room(s.sender) ||
        !crowd_is_member(crowd_who_sits(i), s.room))
        e2e_fail("place %zu: not for it: %s", i, line);
    verdict = crowd_survives(i)
                  ? ledger_hear(&crowd.ledger, i, s.sender, s.number)
                  : ledger_hear_late(&crowd.ledger, i, s.sender, s.number);
    if (verdict != LEDGER_NEXT)
        e2e_fail("place %zu: %s: %s", i, ledger_verdict_name(verdict), line);
}

static void
hear_private(size_t i, const char *line)
{
    if (strstr(line, crowd.seats[i].canary.word) == NULL)
        e2e_fail("place %zu: no canary: %s", i, line);
}

static void
hear_quit(size_t i, unsigned life, const char *line)
{
    if (life >= crowd.lives || !crowd_share_a_room(crowd_who_sits(i), life))
        e2e_fail("place %zu: is told of a stranger: %s", i, line);
    if (crowd.left_at[life] == 0)
        e2e_fail("place %zu: it has not left: %s", i, line);
    if (!once_tell(&crowd.quits, i, life))
        e2e_fail("place %zu: told twice: %s", i, line);
}

static void
hear_notice(size_t i, const char *line)
{
    struct seat *const seat = &crowd.seats[i];
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
        seat->entered_at = ++crowd.happened;
    }
    seat->echoed |= strstr(line, seat->canary.word) != NULL;
    seat->fenced |= strstr(line, " has no topic.") != NULL;
}

void
crowd_on_line(void *arg, size_t i, const char *line)
{
    if (canary_is_strange(line, &crowd.seats[i].canary))
        e2e_fail("place %zu: somebody else's canary: %s", i, line);
    if (strncmp(line, "[private] ", 10) == 0)
        hear_private(i, line);
    else if (line[0] == '<' || strncmp(line, "[#", 2) == 0)
        hear_talk(i, line);
    else
        hear_notice(i, line);
}

/* -- coming --------------------------------------------------------------- */

void
crowd_enter(size_t i)
{
    struct seat *const seat = &crowd.seats[i];
    unsigned who = (unsigned)i;

    *seat = (struct seat){.state = ENTERING, .canary = canary_random()};
    if (!crowd_survives(i)) {
        ck_assert_uint_lt(crowd.lives, LIVES_MAX);
        who = seat->life = crowd.lives++;
        ledger_forget(&crowd.ledger, i);
        once_forget(&crowd.quits, i);
    }
    swarm_connect(&crowd.swarm, i, 1, crowd.d.port);
    swarm_send(&crowd.swarm, i,
               "%c%u\n/join #r%u\n/join #r%u\n/part #lobby\n/%s\n",
               crowd_survives(i) ? 's' : 'c', who, other_room(who),
               crowd_main_room(who), seat->canary.word);
}

bool
crowd_all_are_in(void *arg)
{
    for (size_t i = 0; i < crowd.stay + crowd.churn; i++)
        if (crowd.seats[i].state == ENTERING ||
            (crowd.seats[i].state == IN && !crowd.seats[i].echoed))
            return false;
    return true;
}

void
crowd_fill_places(void)
{
    for (size_t i = crowd.stay; i < crowd.stay + crowd.churn; i++)
        if (crowd.seats[i].state == FREE)
            crowd_enter(i);
}

/* -- leaving -------------------------------------------------------------- */

static void
count_departure(size_t i, enum departure how)
{
    crowd.left_at[crowd.seats[i].life] = ++crowd.happened;
    crowd.departures[how]++;
}

void
crowd_leave_now(size_t i, enum departure how)
{
    count_departure(i, how);
    crowd.seats[i].state = FREE;
    switch (how) {
    case BY_SHUTDOWN:
        crowd.seats[i].state = ENDING;
        swarm_end_writing(&crowd.swarm, i);
        return;
    case BY_FIN:
    case BY_FIN_WITH_UNREAD:
        break;
    case BY_HALF_A_LINE_AND_FIN:
        swarm_send(&crowd.swarm, i, "half a li");
        break;
    case BY_HALF_A_CHARACTER:
        swarm_send(&crowd.swarm, i, "\xe5\xb0");
        break;
    case BY_QUIT:
        swarm_send(&crowd.swarm, i, "/quit\n");
        break;
    case BY_HALF_A_LINE_AND_RST:
        swarm_send(&crowd.swarm, i, "half a li");
        swarm_reset(&crowd.swarm, i);
        return;
    case BY_A_LINE_AND_RST:
        swarm_send(&crowd.swarm, i, "last words\n");
        swarm_reset(&crowd.swarm, i);
        return;
    case BY_VANISHING:
        if (swarm_vanish(&crowd.swarm, i))
            return;
        crowd.departures[how]--; /* we may not: then it is an ordinary one */
        crowd.departures[BY_RST]++;
        swarm_reset(&crowd.swarm, i);
        return;
    case BY_RST:
    case BY_NOT_READING_AND_RST:
    case DEPARTURES:
        swarm_reset(&crowd.swarm, i);
        return;
    }
    swarm_close(&crowd.swarm, i);
}

/* Not reading takes time: until something is there, or until the server has
 * more than its kernel takes. */
static void
stop_reading(size_t i, enum departure how)
{
    struct seat *const seat = &crowd.seats[i];

    seat->state = DEAF;
    seat->how = how;
    seat->leaves_at_ms = now_ms() + 1000;
    swarm_mute(&crowd.swarm, i);
    for (int n = 0; how == BY_NOT_READING_AND_RST && n < 100; n++)
        swarm_send(&crowd.swarm, i, "/help\n");
}

static void
leave(size_t i, enum departure how)
{
    if (how == BY_FIN_WITH_UNREAD || how == BY_NOT_READING_AND_RST)
        stop_reading(i, how);
    else
        crowd_leave_now(i, how);
}

void
crowd_see_off(bool at_once)
{
    for (size_t i = crowd.stay; i < crowd.stay + crowd.churn; i++) {
        if (crowd.seats[i].state == DEAF &&
            (at_once || now_ms() >= crowd.seats[i].leaves_at_ms)) {
            crowd_leave_now(i, crowd.seats[i].how);
        } else if (crowd.seats[i].state == ENDING &&
                   crowd.swarm.clients[i].has_ended) {
            swarm_close(&crowd.swarm, i);
            crowd.seats[i].state = FREE;
        }
    }
}

enum departure
crowd_next_departure(void)
{
    static unsigned n;

    return (enum departure)(n++ % DEPARTURES);
}

void
crowd_some_leave(unsigned n)
{
    const unsigned first = roll(crowd.churn);

    for (unsigned k = 0; k < crowd.churn && n > 0; k++) {
        const size_t i = crowd.stay + (first + k * 7) % crowd.churn;

        if (crowd.seats[i].state != IN)
            continue;
        leave(i, crowd_next_departure());
        n--;
    }
}

/* -- talking -------------------------------------------------------------- */

void
crowd_say(size_t i)
{
    char text[STAMP_SIZE + 100];
    const struct stamp s = {crowd_main_room((unsigned)i), (uint32_t)i,
                            ++crowd.said[i]};

    stamp_write(text, sizeof(text), &s, s.number % 100);
    swarm_send(&crowd.swarm, i, "%s\n", text);
}

/* Something for nobody else's ears. */
static void
whisper(size_t from)
{
    const size_t to = roll(crowd.stay + crowd.churn);

    if (to != from && crowd.seats[to].state == IN)
        swarm_send(&crowd.swarm, from, "/msg %c%u %s\n",
                   crowd_survives(to) ? 's' : 'c', crowd_who_sits(to),
                   crowd.seats[to].canary.word);
}

void
crowd_survivors_talk(void)
{
    crowd.tick++;
    for (size_t i = 0; i < crowd.stay; i++)
        if ((crowd.tick + i) % TALK_TICKS == 0) {
            crowd_say(i);
            whisper(i);
        }
    for (size_t i = crowd.stay + crowd.tick % 20; i < crowd.stay + crowd.churn;
         i += 20)
        if (crowd.seats[i].state == IN)
            whisper(i);
}
