/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Hundreds of clients in a room.
 *
 * Each message is stamped with its room, sender, number and a checksum, so that
 * one lost, doubled, torn, misled or out of order is seen by whoever hears it.
 * Each client besides has a secret which one other is told and nobody else may
 * ever see.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/daemon.h"
#include "support/e2e.h"
#include "support/swarm.h"
#include "support/unit.h"

#define CROWD_MAX    500
#define ROOMS        10
#define SPEAKERS     8
#define MESSAGES_MAX 60
#define HEARD_MAX    (SPEAKERS * MESSAGES_MAX * 2)

struct member {
    bool is_in;          /* #lobby is joined */
    bool room_is_joined; /* its other one */
    bool knows_secret;
    bool is_done; /* has the answer to its last question */
    unsigned heard_count;
    uint32_t heard[HEARD_MAX]; /* speaker << 16 | number, in order */
};

static struct daemon d;
static struct swarm swarm;
static unsigned crowd;    /* how many */
static unsigned messages; /* of each speaker in each room */
static struct member members[CROWD_MAX];
static uint64_t secrets[CROWD_MAX];

/* -- the stamps ----------------------------------------------------------- */

static uint32_t
checksum(const char *text, size_t len)
{
    uint32_t sum = 2166136261u;

    for (size_t i = 0; i < len; i++)
        sum = (sum ^ (unsigned char)text[i]) * 16777619u;
    return sum;
}

/* "room sender number padding checksum"; numbers begin with 1. */
static void
say_stamped(size_t sender, const char *room, unsigned number)
{
    char text[400];
    int len = snprintf(text, sizeof(text), "%s %zu %u ", room, sender, number);

    for (unsigned i = 0; i < number * 7 % 300; i++)
        text[len++] = (char)('a' + (number + i) % 26);
    text[len] = '\0';
    swarm_send(&swarm, sender, "%s %08" PRIx32 "\n", text,
               checksum(text, (size_t)len));
}

static bool
may_hear(size_t i, const char *room)
{
    char own[16];

    snprintf(own, sizeof(own), "#r%zu", i % ROOMS);
    return strcmp(room, "#lobby") == 0 || strcmp(room, own) == 0;
}

static void
hear_stamped(size_t i, const char *nick, const char *text)
{
    struct member *const m = &members[i];
    const char *const sum = strrchr(text, ' ');
    unsigned number;
    char expected[16];
    char room[16];
    size_t sender;

    if (sscanf(text, "%15s %zu %u", room, &sender, &number) != 3 ||
        sum == NULL ||
        strtoul(sum, NULL, 16) != checksum(text, (size_t)(sum - text)))
        e2e_fail("client %zu: torn: %s", i, text);
    snprintf(expected, sizeof(expected), "u%zu", sender);
    if (strcmp(nick, expected) != 0 || sender == i || !may_hear(i, room))
        e2e_fail("client %zu: misled: <%s> %s", i, nick, text);
    ck_assert_uint_lt(m->heard_count, HEARD_MAX);
    m->heard[m->heard_count++] = (uint32_t)sender << 16 | number;
}

/* -- what they hear ------------------------------------------------------- */

static void
hear_secret(size_t i, const char *line)
{
    const size_t teller = (i + crowd - 1) % crowd;
    char expected[64];

    snprintf(expected, sizeof(expected), "[private] <u%zu> secret %016" PRIx64,
             teller, secrets[teller]);
    if (strcmp(line, expected) != 0 || members[i].knows_secret)
        e2e_fail("client %zu: not for it: %s", i, line);
    members[i].knows_secret = true;
}

static void
on_line(void *arg, size_t i, const char *line)
{
    struct member *const m = &members[i];
    const char *const end = line[0] == '<' ? strchr(line, '>') : NULL;
    char nick[16] = "";

    if (strstr(line, "secret") != NULL) {
        hear_secret(i, line);
    } else if (end != NULL) {
        ck_assert_int_lt(end - line, 16);
        memcpy(nick, line + 1, (size_t)(end - line) - 1);
        hear_stamped(i, nick, end + 2);
    } else if (strncmp(line, "* You are in #lobby", 19) == 0) {
        m->is_in = true;
    } else if (strncmp(line, "* You are in #r", 15) == 0 ||
               strncmp(line, "* You are talking", 17) == 0) {
        m->room_is_joined = true;
    } else if (strcmp(line, "* #lobby has no topic.") == 0) {
        m->is_done = true;
    } else if (strstr(line, " joined #") == NULL &&
               strstr(line, "* Welcome to klatch") == NULL) {
        e2e_fail("client %zu: what is: %s", i, line);
    }
}

static bool
all_are_in(void *arg)
{
    for (unsigned i = 0; i < crowd; i++)
        if (!members[i].is_in)
            return false;
    return true;
}

static bool
all_are_in_their_rooms(void *arg)
{
    for (unsigned i = 0; i < crowd; i++)
        if (!members[i].room_is_joined)
            return false;
    return true;
}

static bool
all_know_a_secret(void *arg)
{
    for (unsigned i = 0; i < crowd; i++)
        if (!members[i].knows_secret)
            return false;
    return true;
}

static bool
all_are_done(void *arg)
{
    for (unsigned i = 0; i < crowd; i++)
        if (!members[i].is_done)
            return false;
    return true;
}

/* -- the crowd ------------------------------------------------------------ */

static void
crowd_comes(void)
{
    crowd = e2e_scaled(CROWD_MAX);
    messages = e2e_scaled(MESSAGES_MAX);
    daemon_start(&d, "[history]\nroom_events = 0\n");
    swarm_init(&swarm, crowd, on_line, NULL);
    swarm_connect(&swarm, 0, crowd, d.port);
    for (unsigned i = 0; i < crowd; i++)
        swarm_send(&swarm, i, "u%u\n", i);
    swarm_run_until(&swarm, all_are_in, NULL, "all to be in #lobby");
}

/* What was under way, and nobody waits for, is in front of the answers. */
static void
crowd_hears_the_rest(void)
{
    for (unsigned i = 0; i < crowd; i++)
        swarm_send(&swarm, i, "/topic #lobby\n");
    swarm_run_until(&swarm, all_are_done, NULL, "the answers to /topic");
}

static void
crowd_goes(void)
{
    swarm_fini(&swarm);
    daemon_stop(&d);
}

/* How many of these a client hears: all but its own. */
static unsigned
due(size_t i, size_t speakers, size_t step)
{
    const bool speaks = i % step == 0 && i / step < speakers;

    return (unsigned)(speakers - (speaks ? 1 : 0)) * messages;
}

static bool
all_heard_all(void *step)
{
    for (unsigned i = 0; i < crowd; i++)
        if (members[i].heard_count < due(i, SPEAKERS, *(size_t *)step))
            return false;
    return true;
}

/* Each heard each other's messages in the order they were sent. */
static void
check_senders_order(size_t i)
{
    unsigned last[CROWD_MAX] = {0};

    for (unsigned k = 0; k < members[i].heard_count; k++) {
        const uint32_t sender = members[i].heard[k] >> 16;
        const unsigned number = members[i].heard[k] & 0xffff;

        if (number != last[sender] + 1)
            e2e_fail("client %zu: of u%" PRIu32 " after %u comes %u", i, sender,
                     last[sender], number);
        last[sender] = number;
    }
}

/* What client `i` heard is what `witness` heard, who said nothing itself, but
 * for its own words. */
static void
check_common_order(size_t witness, size_t i)
{
    const struct member *const all = &members[witness];
    const struct member *const m = &members[i];
    unsigned at = 0;

    for (unsigned k = 0; k < all->heard_count; k++) {
        if (all->heard[k] >> 16 == i)
            continue;
        if (at == m->heard_count || m->heard[at] != all->heard[k])
            e2e_fail("clients %zu and %zu heard another order", witness, i);
        at++;
    }
    if (at != m->heard_count)
        e2e_fail("client %zu heard %u too many", i, m->heard_count - at);
}

START_TEST(each_message_reaches_each_other_once_and_all_in_one_order)
{
    size_t step;

    crowd_comes();
    step = crowd / SPEAKERS;

    /* All at once, so that the server has something to put in order. */
    for (unsigned n = 1; n <= messages; n++)
        for (size_t s = 0; s < SPEAKERS; s++)
            say_stamped(s * step, "#lobby", n);
    swarm_run_until(&swarm, all_heard_all, &step, "all to hear all");
    crowd_hears_the_rest();

    for (unsigned i = 0; i < crowd; i++) {
        ck_assert_uint_eq(members[i].heard_count, due(i, SPEAKERS, step));
        check_senders_order(i);
        check_common_order(1, i);
    }
    crowd_goes();
}
END_TEST

START_TEST(a_secret_is_heard_by_one)
{
    crowd_comes();
    for (unsigned i = 0; i < crowd; i++)
        secrets[i] = (uint64_t)random() << 32 ^ (uint64_t)random() << 8 ^ i;

    for (unsigned i = 0; i < crowd; i++)
        swarm_send(&swarm, i, "/msg u%u secret %016" PRIx64 "\n",
                   (i + 1) % crowd, secrets[i]);
    swarm_run_until(&swarm, all_know_a_secret, NULL, "all secrets to be told");

    crowd_hears_the_rest();
    crowd_goes();
}
END_TEST

/* Rooms of a tenth of the crowd; the first member of each speaks. */
static bool
rooms_heard_all(void *arg)
{
    for (unsigned i = 0; i < crowd; i++)
        if (members[i].heard_count < (i < ROOMS ? 0 : messages))
            return false;
    return true;
}

START_TEST(what_is_said_in_a_room_stays_there)
{
    crowd_comes();
    for (unsigned i = 0; i < crowd; i++)
        swarm_send(&swarm, i, "/join #r%u\n", i % ROOMS);
    swarm_run_until(&swarm, all_are_in_their_rooms, NULL, "all to join");

    for (unsigned n = 1; n <= messages; n++) {
        for (size_t s = 0; s < ROOMS; s++) {
            char room[16];

            snprintf(room, sizeof(room), "#r%zu", s);
            say_stamped(s, room, n);
        }
    }
    swarm_run_until(&swarm, rooms_heard_all, NULL, "the rooms to hear all");
    crowd_hears_the_rest();

    for (unsigned i = 0; i < crowd; i++) {
        ck_assert_uint_eq(members[i].heard_count, i < ROOMS ? 0 : messages);
        check_senders_order(i);
    }
    crowd_goes();
}
END_TEST

UNIT_MAIN("e2e/crowd",
          each_message_reaches_each_other_once_and_all_in_one_order,
          a_secret_is_heard_by_one, what_is_said_in_a_room_stays_there)
