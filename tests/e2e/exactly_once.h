/* SPDX-License-Identifier: BSD-2-Clause
 *
 * exactly_once - programs that keep sessions, talk and listen in rooms and lose
 * their connections all the time; and the books in which it shows whether
 * everything that was said arrived exactly once and in one order.
 *
 *   test_exactly_once.c     the plans, the run, what must hold
 *   exactly_once_guest.c    a guest: its conn, what it hears, what it says
 *   exactly_once_faults.c   what happens to guests
 *   exactly_once_books.c    the books
 *
 * Books    One a room, in which each thing said stands once, in the order of
 *          ids. Whoever is the first to hear something writes it down; for all
 *          others it must be what comes next behind what they heard before.
 *          So loss, doubles, order and one common order are one comparison.
 * Echo     A guest hears its own talk (/ack on), and then it is acknowledged.
 *          What was not when it comes back and has caught up never happened,
 *          so it is said again; that nothing is doubled by this shows in the
 *          numbers.
 */
#ifndef E2E_EXACTLY_ONCE_H
#define E2E_EXACTLY_ONCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/session.h"

#define ROOMS_A_GUEST 2u

struct plan {
    const char *config;
    unsigned guests;
    unsigned rooms;
    unsigned seconds;
    unsigned faults_a_second;
    unsigned say_every_ms; /* each guest, on average */
    unsigned away_ms;      /* at most, before it comes back */
    unsigned deaf_ms;      /* at most, before it reads again */
    bool may_miss;         /* the logs are too short for what happens */
};

/* ---- exactly_once_books.c ------------------------------------------------ */

struct said {
    uint64_t id;
    uint32_t sender;
    uint32_t number;
};

struct books {
    struct book *rooms;
    size_t room_count;
    size_t senders;
    bool may_miss; /* not every number must be there */
};

/* Where a guest is in a room's book, and what it was not told. */
struct bookmark {
    size_t next;
    uint64_t skipped;
};

void books_init(struct books *b, const struct plan *plan);
void books_fini(struct books *b);

/* Somebody heard that in `room`. Fails the case unless it is the next behind
 * its bookmark, or b->may_miss and one behind that. */
void books_hear(struct books *b, size_t room, const struct said *what,
                struct bookmark *mark);

/* It heard that again: it must stand before its bookmark. */
void books_hear_again(const struct books *b, size_t room,
                      const struct said *what, const struct bookmark *mark);

size_t books_count(const struct books *b, size_t room);

/* ---- exactly_once_guest.c ------------------------------------------------ */

/*
 *  GONE --> ENTERS --> LIVE --> AWAY --> ASKS --> CATCHES_UP --> LIVE
 *                                ^         |           |
 *                                +---------+-----------+
 */
enum guest_state {
    GUEST_GONE,       /* not yet, or no longer */
    GUEST_ENTERS,     /* until it is in its rooms and hears ids */
    GUEST_LIVE,       /* talks */
    GUEST_AWAY,       /* has lost its conn, until return_ms */
    GUEST_ASKS,       /* has sent its token */
    GUEST_CATCHES_UP, /* is welcome, and told what it missed */
};

struct guest {
    unsigned index;
    enum guest_state state;
    int fd;
    int old_fd;    /* of the conn that it takes over from; or -1 */
    bool is_small; /* has a small receive buffer */
    bool is_local; /* comes by the Unix socket */
    uint32_t from; /* its IPv4 address, or 0: as the kernel likes */
    char *in;
    size_t in_len;
    char *out;
    size_t out_len;
    struct session_token token;

    uint64_t conn_id; /* last id on this conn */
    uint64_t last_id; /* highest id heard */
    uint64_t acked_id;
    unsigned unacked; /* heard, or told to be missed, behind that … */
    unsigned unsure;  /* … and acknowledged, and perhaps that was not read */
    bool is_behind;   /* what it says is not read now */
    struct bookmark marks[ROOMS_A_GUEST];
    uint32_t said[ROOMS_A_GUEST];   /* last number */
    uint32_t echoed[ROOMS_A_GUEST]; /* last number heard of itself */

    uint64_t say_ms;    /* next time */
    uint64_t return_ms; /* AWAY: comes back */
    uint64_t fault_ms;  /* cut off or not reading: until then */
    bool is_cut;
    bool is_deaf;
    bool is_steady; /* nothing ever happens to it */

    uint64_t told_missed;
    uint64_t slack; /* had, and perhaps not known to be, when it was lost */
};

struct party {
    const struct plan *plan;
    const char *server; /* its IPv4 address; NULL: 127.0.0.1 */
    uint16_t port;
    const char *socket;
    int epoll;
    struct guest *guests;
    struct books books;
    unsigned seed;
    bool is_closing; /* nobody says anything new */
    /* A guest reads a notice that is not about itself; may be NULL. */
    void (*on_notice)(const struct guest *g, const char *line);
    void (*on_ended)(struct guest *g);              /* the server closed */
    void (*on_turn)(struct guest *g, uint64_t now); /* may be NULL */

    uint64_t heard; /* things said, each time one was heard anew */
    uint64_t again;
    uint64_t resumes;
    uint64_t missed;
    uint64_t said_again;
    uint64_t behind;
    uint64_t replaced;
};

/* Below `n`, at random. */
unsigned party_random(struct party *p, unsigned n);

size_t guest_room(const struct party *p, const struct guest *g, size_t i);

/* Connects and gives its nickname, or its token. */
void guest_come(struct party *p, struct guest *g);
void guest_come_back(struct party *p, struct guest *g);

void guest_say(struct party *p, struct guest *g);
void guest_send(struct guest *g, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Something can be read or written; false: its conn has ended. */
bool guest_serve(struct party *p, struct guest *g);

/* Reads what there is now; false as above. */
bool guest_read(struct party *p, struct guest *g);

/* It has no conn any more; the socket is closed already. */
void guest_lost(struct party *p, struct guest *g, unsigned away_ms);

/* It has heard all there is and has echoes of all it said. */
bool guest_is_done(const struct party *p, const struct guest *g);

void guest_forget_conn(struct guest *g);

/* A moment of the party: what can be read and written is, and who has not said
 * anything for long enough says something. */
void party_turn(struct party *p);

/* ---- exactly_once_faults.c ----------------------------------------------- */

/* Something happens to somebody. */
void fault_happen(struct party *p);

/* What lasts for a time ends. */
void fault_tick(struct party *p, struct guest *g, uint64_t now);

#endif
