/* SPDX-License-Identifier: BSD-2-Clause
 *
 * storm_crowd - who talks, comes and goes in test_storm.c, and what each of
 * them must and must not hear.
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
#ifndef E2E_STORM_CROWD_H
#define E2E_STORM_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/daemon.h"
#include "support/stamp.h"
#include "support/swarm.h"

#define ROOMS      10u
#define PLACES_MAX 1000u
#define LIVES_MAX  40000u

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

/* One a process. */
struct crowd {
    struct daemon d;
    struct swarm swarm;
    unsigned stay, churn; /* survivors, churners */
    struct seat seats[PLACES_MAX];
    unsigned said[PLACES_MAX];   /* messages of each survivor */
    unsigned left_at[LIVES_MAX]; /* 0: is there */
    unsigned departures[DEPARTURES];
    unsigned lives, happened, tick;
    struct ledger ledger;
    struct once quits;
    unsigned dice;
};

extern struct crowd crowd;

/* Survivors have their number, churners their life; each talks in one room,
 * and every third is in another as well. */
unsigned crowd_main_room(unsigned who);
bool crowd_is_member(unsigned who, unsigned room);
bool crowd_share_a_room(unsigned a, unsigned b);

/* Of a place. */
bool crowd_survives(size_t place);
unsigned crowd_who_sits(size_t place);

/* swarm_line_fn: fails for what must not be heard, notes the rest. */
void crowd_on_line(void *arg, size_t i, const char *line);

void crowd_enter(size_t i);
void crowd_fill_places(void);
bool crowd_all_are_in(void *arg); /* for swarm_run_until() */

void crowd_leave_now(size_t i, enum departure how);
enum departure crowd_next_departure(void);

/* `n` of those who are in, somewhere; some of them take their time. */
void crowd_some_leave(unsigned n);

/* Those whose leaving takes its time, when that is over, or at once. */
void crowd_see_off(bool at_once);

void crowd_say(size_t i);

/* What is said in one tick of the storm. */
void crowd_survivors_talk(void);

#endif
