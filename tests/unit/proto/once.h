/* SPDX-License-Identifier: BSD-2-Clause
 *
 * once - what test_line_exactly_once.c and its parts share.
 *
 *   once_truth.c    what happened, and who was to see it
 *   once_reader.c   what an actor reads, and whether that is right
 *
 * Shape    One play a process: `play`, its actors, and the `past`.
 */
#ifndef PROTO_ONCE_H
#define PROTO_ONCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "chat/command.h"

#define ACTORS 6u
#define ROOMS  4u
#define PAST   20000u
#define TOKEN  40u

extern const char *const room_names[ROOMS];

/* What happened, and who was to see it. */
struct past {
    uint64_t id;
    char *body;
    uint32_t seers;
    uint32_t saw;
};

struct actor {
    char nick[32];
    char token[TOKEN];
    char was_in[ROOMS]; /* with the nickname it has */
    user_id user;
    uint32_t in; /* rooms */
    bool acks;
    bool was_away;
    int fd;     /* -1: none */
    int served; /* the server's end of it */
    bool is_tcp;
    struct buf line; /* of this connection, so far */
    size_t next;     /* index behind the newest seen */
    size_t upto;     /* … on this connection */
    size_t parted;   /* index of the last time it left a room */
    bool is_clean;   /* the connection before ended with all of it read */
    bool is_back;    /* welcome was said on this connection */
    uint64_t acked;  /* what the server knows that it has */
    uint64_t told;   /* as missed */
    uint64_t twice;
};

struct play {
    unsigned seed;
    unsigned dice;
    unsigned serial;
    bool is_tidy; /* connections end only with all read, and nobody parts */
    bool is_over;
    size_t past;
    room_id rooms[ROOMS];
    struct actor actors[ACTORS];
};

extern struct play play;
extern struct past past[PAST];

/* Fails the test, for the sake of that line. */
void blame(const struct actor *a, const char *why, const char *line);

void hang_up(struct actor *a);

/* At most `most` bytes of what is there; how many. */
size_t read_some(struct actor *a, size_t most);

/* All there is, and what follows when that is read. */
void read_all(struct actor *a);

void turn(void);

#endif
