/* SPDX-License-Identifier: BSD-2-Clause
 *
 * partition - the crowd of test_partition.c and test_partition_mended.c: healthy
 * clients, and victims whose packets can be dropped.
 *
 * Places    Clients 0 … HEALTHY-1 are h0 …, the victims behind them v0 …. A
 *           healthy one's port begins at HEALTHY_PORT, a victim's at
 *           VICTIM_PORT; the router tells them apart by that.
 * Rooms     All are in #lobby, where nobody speaks, but where arrivals and
 *           departures are told. h_i talks in #h(i % ROOMS). v_i is in
 *           #v(i % ROOMS), and so are the first healthy ones: one voice, who
 *           talks there and not in its #h, and some ears.
 * Ledger    Whoever hears a message checks its stamp, and that it is the next of
 *           that sender.
 */
#ifndef E2E_PARTITION_H
#define E2E_PARTITION_H

#include <stdbool.h>
#include <stdint.h>

#include "support/daemon.h"
#include "support/net_world.h"
#include "support/swarm.h"

#define HEALTHY      500u
#define VICTIMS      500u
#define SHORTLY      200u /* of each, in the short form */
#define ROOMS        10u
#define VOICES       ROOMS         /* of the healthy: h0 … h9 */
#define EARS         (5u * VOICES) /* and those up to here hear the victims */
#define HEALTHY_PORT 10000u
#define VICTIM_PORT  20000u

#define PARTITION_BYTES_MAX 2000u /* of a message, besides its stamp */

/* Do the healthy and the victims talk in the victims' rooms? */
enum partition_talk {
    PARTITION_SILENT,
    PARTITION_TALKS,
    PARTITION_HALF_TALKS, /* in every other room */
};

struct partition {
    struct net_world world;
    struct daemon daemon;
    struct swarm swarm;
    unsigned victims;  /* present ones */
    unsigned healthy;  /* likewise */
    bool talks[ROOMS]; /* the victims' rooms where they talk */
    unsigned said[HEALTHY + VICTIMS];
    unsigned ticks;         /* of talk */
    uint64_t cut_ms;        /* when */
    uint64_t first_quit_ms; /* after that */
    uint64_t last_quit_ms;
    unsigned quits_in_full; /* victims whose end all healthy ones heard */
};

extern struct partition partition;

/* Makes the world, starts the server with idle_ping and pong of `heartbeat_ms`,
 * and all are in their rooms. The victims have receive buffers of so many bytes
 * (0: as the kernel likes). */
void partition_open(unsigned heartbeat_ms, unsigned user_timeout_ms,
                    int victims_buffer, enum partition_talk talk);

/* Everybody leaves; the server must be at rest, as it was before. */
void partition_close(void);

/* Talks and listens for so long: each second fifty healthy ones say something,
 * each voice does thrice where victims talk, and half of these do. */
void partition_talk_for(uint64_t ms);

/* One message of `bytes` in a room of victims, by its voice. */
void partition_voice_says(unsigned voice, unsigned bytes);

/* The victims may end from now on, and it is told how long that takes. */
void partition_count_from_now(void);

/* All healthy ones were told of the end of all victims. */
bool partition_victims_are_gone(void);

/* Fails unless each healthy one heard all that was said in its rooms by healthy
 * ones. With the victims: they heard all as well and were heard, and none has
 * ended. */
void partition_expect_all_heard(bool with_victims);

/* How many of the victims in rooms where they talk, or do not, are not gone. */
unsigned partition_left(bool who_talk);

#endif
