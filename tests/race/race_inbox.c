/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The inbox between real threads: an owner that sleeps on an eventfd when, and
 * only when, inbox_sleep() lets it, and posters that ring as inbox_post() says.
 *
 * Shape    Each poster has a small ring of letters and uses one again as soon
 *          as the owner has read it. The number in a letter is a plain field,
 *          so ThreadSanitizer sees a release or acquire that is missing; the
 *          same address is on top of the stack again and again, as it is when
 *          malloc() deals out what was just freed.
 * Order    The test cannot hang: when the owner has waited PATIENCE_MS and no
 *          one has rung, that is a lost wake-up and ends it.
 *
 * The owner is the thread that runs the case.
 */
#include "base/inbox.h"

#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "support/crew.h"
#include "support/unit.h"

#define STOP UINT64_MAX /* the number of a letter that asks to stop */

enum {
    POSTERS = 5,
    RING_MOST = 32,
    PATIENCE_MS = 20000,
};

struct letter {
    struct inbox_link link;
    unsigned from;
    uint64_t number;
    _Atomic bool in_use; /* [any] set by the poster, cleared by the owner */
};

struct poster {
    _Alignas(CACHE_LINE) struct letter ring[RING_MOST];
    uint64_t rings; /* read by the owner once joined */
};

static struct office {
    /* set once */
    int bell;
    unsigned ring_size; /* letters a poster may have under way */
    uint64_t each;      /* letters that each poster posts */
    bool has_nudger;
    /* [owner] */
    uint64_t expected[POSTERS]; /* number of the next letter from each */
    uint64_t sleeps;
    uint64_t wakes; /* sum of what the eventfd counted */
    /* [any] */
    _Atomic bool finished;
    struct inbox inbox;
    struct poster posters[POSTERS];
} office;

static void
ring_bell(void)
{
    const uint64_t one = 1;

    (void)!write(office.bell, &one, sizeof(one));
}

static void
wait_until_read(const struct letter *letter)
{
    /* acquire: pairs with the release in owner_read(). */
    while (atomic_load_explicit(&letter->in_use, memory_order_acquire))
        sched_yield();
}

static void
post(struct poster *poster, struct letter *letter)
{
    /* relaxed: what follows is published by inbox_post(). */
    atomic_store_explicit(&letter->in_use, true, memory_order_relaxed);
    if (inbox_post(&office.inbox, &letter->link)) {
        poster->rings++;
        ring_bell();
    }
}

static void
poster_main(unsigned member)
{
    struct poster *const poster = &office.posters[member];

    for (uint64_t n = 0; n < office.each; n++) {
        struct letter *const letter = &poster->ring[n % office.ring_size];

        wait_until_read(letter);
        letter->from = member;
        letter->number = n;
        post(poster, letter);
    }
}

/* Wakes the owner for no reason of the inbox's, as timers and sockets do. */
static void
nudger_main(void)
{
    /* relaxed: only says when to end. */
    while (!atomic_load_explicit(&office.finished, memory_order_relaxed)) {
        ring_bell();
        sched_yield();
    }
}

/* Reads each letter, checks that none of its poster's came before its turn or
 * twice, and hands it back. Returns how many there were. */
static uint64_t
owner_read(struct inbox_link *link)
{
    uint64_t count = 0;

    while (link != NULL) {
        struct letter *const letter = CONTAINER_OF(link, struct letter, link);

        link = link->next; /* the letter is the poster's again below */
        CREW_ASSERT(letter->from < POSTERS);
        CREW_ASSERT(letter->number == office.expected[letter->from]);
        office.expected[letter->from]++;
        count++;
        /* release: pairs with the acquire in wait_until_read(). */
        atomic_store_explicit(&letter->in_use, false, memory_order_release);
    }
    return count;
}

/* Waits for the bell, if the inbox lets it. True when it was rung. */
static bool
owner_sleep(void)
{
    struct pollfd fd = {.fd = office.bell, .events = POLLIN};
    uint64_t rung = 0;

    if (!inbox_sleep(&office.inbox))
        return false;

    office.sleeps++;
    CREW_ASSERT(poll(&fd, 1, PATIENCE_MS) == 1); /* else: lost wake-up */
    CREW_ASSERT(read(office.bell, &rung, sizeof(rung)) == sizeof(rung));
    office.wakes += rung;
    return true;
}

/* A ring that found the owner awake would leave the bell sounding, and end a
 * later sleep with another ring besides or with no mail to show for it. */
static struct inbox_link *
owner_take(bool was_rung)
{
    struct inbox_link *const mail = inbox_take(&office.inbox);

    CREW_ASSERT(office.has_nudger || office.wakes == office.sleeps);
    CREW_ASSERT(office.has_nudger || !was_rung || mail != NULL);
    return mail;
}

static void
owner_main(void)
{
    const uint64_t all = office.each * POSTERS;
    bool was_rung = false;
    uint64_t got = 0;

    while (got < all) {
        struct inbox_link *const mail = owner_take(was_rung);

        was_rung = false;
        if (mail != NULL)
            got += owner_read(mail);
        else
            was_rung = owner_sleep();
    }
    CREW_ASSERT(inbox_take(&office.inbox) == NULL);
}

static void
office_open(unsigned ring_size, uint64_t each, bool has_nudger)
{
    office = (struct office){
        .bell = eventfd(0, EFD_CLOEXEC),
        .ring_size = ring_size,
        .each = each,
        .has_nudger = has_nudger,
    };
    ck_assert_int_ge(office.bell, 0);
    inbox_init(&office.inbox);
}

static void
crew_member(struct crew *crew, unsigned member)
{
    if (member < POSTERS)
        poster_main(member);
    else
        nudger_main();
}

/* Runs it all; returns how often the posters were told to ring. */
static uint64_t
office_run(void)
{
    struct crew *const crew = &(struct crew){.members = 0};
    uint64_t rings = 0;

    crew_start(crew, POSTERS + (office.has_nudger ? 1 : 0), crew_member);
    owner_main();
    /* relaxed: pairs with nothing, see nudger_main(). */
    atomic_store_explicit(&office.finished, true, memory_order_relaxed);
    crew_join(crew);

    for (unsigned i = 0; i < POSTERS; i++) {
        ck_assert_uint_eq(office.expected[i], office.each);
        rings += office.posters[i].rings;
    }
    close(office.bell);
    return rings;
}

START_TEST(an_owner_with_much_mail_gets_each_letter_once_and_in_order)
{
    uint64_t rings;

    office_open(RING_MOST, 60000, false);

    rings = office_run();

    ck_assert_uint_eq(rings, office.sleeps);
    ck_assert_uint_eq(rings, office.wakes);
}
END_TEST

START_TEST(an_owner_that_sleeps_between_letters_is_rung_once_for_each_sleep)
{
    uint64_t rings;

    office_open(1, 10000, false);

    rings = office_run();

    ck_assert_uint_eq(rings, office.sleeps);
    ck_assert_uint_eq(rings, office.wakes);
    ck_assert_uint_gt(rings, 100); /* else this has shown nothing */
}
END_TEST

START_TEST(an_owner_that_others_wake_too_is_never_rung_more_than_it_slept)
{
    uint64_t rings;

    office_open(2, 10000, true);

    rings = office_run();

    ck_assert_uint_le(rings, office.sleeps);
}
END_TEST

/* One poster asks the owner to stop while the other has something to say. */
static void
stop_main(struct crew *crew, unsigned member)
{
    struct poster *const poster = &office.posters[member];

    poster->ring[0].number = member == 0 ? STOP : 0;
    post(poster, &poster->ring[0]);
}

/* Works through what is there, without end, until told to stop. */
static void
owner_main_until_stop(void)
{
    bool was_rung = false;

    for (;;) {
        struct inbox_link *mail = owner_take(was_rung);

        was_rung = mail == NULL && owner_sleep();
        for (; mail != NULL; mail = mail->next) {
            if (CONTAINER_OF(mail, struct letter, link)->number == STOP)
                return;
        }
    }
}

START_TEST(a_request_to_stop_always_reaches_an_owner_about_to_sleep)
{
    struct crew *const crew = &(struct crew){.members = 0};

    for (int round = 0; round < 1000; round++) {
        office_open(1, 1, false);
        crew_start(crew, 2, stop_main);
        owner_main_until_stop();
        crew_join(crew);
        close(office.bell);
    }
}
END_TEST

UNIT_MAIN("race/inbox",
          an_owner_with_much_mail_gets_each_letter_once_and_in_order,
          an_owner_that_sleeps_between_letters_is_rung_once_for_each_sleep,
          an_owner_that_others_wake_too_is_never_rung_more_than_it_slept,
          a_request_to_stop_always_reaches_an_owner_about_to_sleep)
