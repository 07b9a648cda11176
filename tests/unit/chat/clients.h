/* SPDX-License-Identifier: BSD-2-Clause
 *
 * clients - simulated clients on two hubs, and the front between them and the
 * first; for test_hub_clients.c, which says what holds.
 *
 * Shape    Deliveries of the first hub reach the front late, by a wire for each
 *          worker. It fans out to clients by the rooms it knows them in, sends
 *          what is kept and shown, and knows of each client up to where it has
 *          acknowledged. The twin's clients see everything at once.
 */
#ifndef UNIT_CHAT_CLIENTS_H
#define UNIT_CHAT_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chat/hub.h"

enum {
    WORKERS = 2,
    CLIENTS = 6,
    ROOMS = 3,
    WIRE_MAX = 4096,
    CHUNK = 3,
};

/* What happens in a run. */
struct weather {
    unsigned steps;
    bool is_slow; /* losses come while a client catches up, too; nothing is
                      missed then */
    bool parts;   /* rooms are left, and entered again */
    bool renames; /* NICK and AWAY, which concern several rooms */
    uint64_t keep_events;
    uint64_t direct_events;
};

/* An event by all that a client sees of it. */
struct view {
    char **keys;
    size_t count;
};

struct sent {
    char *key;
    uint64_t id;
};

enum client_state {
    CLIENT_AWAY,
    CLIENT_ASKS, /* RESUME was sent */
    CLIENT_BACK, /* and answered; it is not caught up */
    CLIENT_HERE,
};

struct client {
    enum client_state state;
    char nick[16];
    bool echoes;
    uint64_t conn;
    session_id session;
    struct token token;
    room_id rooms[ROOMS]; /* as the front knows them */
    size_t room_count;
    /* sent on this conn */
    struct sent *sent;
    size_t sent_count;
    size_t read;  /* of them, by the client */
    size_t acked; /* of them, as the front knows */
    uint64_t cursor;
    uint64_t passed_over; /* while catching up */
    uint64_t promised;
    uint64_t caught_up; /* it has been sent all up to this id */
    /* over all conns */
    uint64_t last_read_id;
    struct view has;
    /* of the twin */
    session_id twin_session;
    room_id twin_rooms[ROOMS];
    size_t twin_room_count;
    struct view want;
    size_t want_behind_cursor; /* first in `want` behind the cursor */
    size_t want_caught_up;     /* likewise */
    bool asks_again;           /* it was told that its session is busy */
};

struct clients_seen {
    uint64_t losses;
    uint64_t losses_in_catch_up;
    uint64_t asked_again; /* for a session that was being counted */
    uint64_t to_come;
    uint64_t missed;
};

extern const struct weather *clients_weather;
extern struct client clients[CLIENTS];
extern struct clients_seen clients_seen;
extern bool clients_is_full; /* the last command met a full mailbox */

/* Both take no argument of their own. */
extern const struct hub_out clients_out;
extern const struct hub_out clients_twin_out;

uint64_t clients_twin_conn(const struct client *c);

/* Hands the front what is on its way from `worker`, so many at most. */
void clients_pump(unsigned worker, size_t most);
void clients_pump_all(void);
size_t clients_on_the_way(unsigned worker);

void view_add(struct view *v, char *key);
void view_clear(struct view *v);

/* Where `key` is in what `c` was to see, at or behind `from`; it is there, or
 * the case fails. */
size_t view_find(const struct client *c, size_t from, const char *key);

/* The test's: asks the first hub for the next chunk. */
void clients_catch_up(struct client *c, uint64_t cursor);

#endif
