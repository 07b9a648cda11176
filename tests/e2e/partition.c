/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See partition.h.
 */
#include "partition.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/e2e.h"
#include "support/stamp.h"

#define CLIENTS (HEALTHY + VICTIMS)
#define TICK_MS 100u

#define HEALTHY_A_TICK 5u /* who talk */

struct partition partition;

static uint16_t heard[CLIENTS][CLIENTS]; /* the last number, by who said it */
static bool told[HEALTHY][VICTIMS];      /* that this victim quit */
static unsigned told_of[VICTIMS];        /* how many were */
static bool is_in[CLIENTS];              /* its rooms */
static bool is_answered[CLIENTS];

static unsigned
everybody(void)
{
    return partition.healthy + partition.victims;
}

/* -- who is where ---------------------------------------------------------- */

static bool
is_victim(size_t i)
{
    return i >= partition.healthy;
}

/* The room where it talks: below ROOMS those of the healthy, then those of the
 * victims. */
static unsigned
room_of(size_t i)
{
    if (is_victim(i))
        return ROOMS + (unsigned)(i - partition.healthy) % ROOMS;
    return (unsigned)i % ROOMS + (i < VOICES ? ROOMS : 0);
}

static void
write_room(char out[16], size_t i)
{
    const unsigned room = room_of(i);

    snprintf(out, 16, "#%c%u", room < ROOMS ? 'h' : 'v', room % ROOMS);
}

static bool
is_member(size_t i, unsigned room)
{
    if (is_victim(i))
        return room_of(i) == room;
    return i % ROOMS == room % ROOMS && (room < ROOMS || i < EARS);
}

/* Its last /join names the room where it talks. */
static void
introduce(size_t i)
{
    char own[16];

    write_room(own, i);
    if (is_victim(i))
        swarm_send(&partition.swarm, i, "v%zu\n/join %s\n",
                   i - partition.healthy, own);
    else if (i < VOICES)
        swarm_send(&partition.swarm, i, "h%zu\n/join #h%zu\n/join %s\n", i,
                   i % ROOMS, own);
    else if (i < EARS)
        swarm_send(&partition.swarm, i, "h%zu\n/join #v%zu\n/join %s\n", i,
                   i % ROOMS, own);
    else
        swarm_send(&partition.swarm, i, "h%zu\n/join %s\n", i, own);
}

/* -- hearing --------------------------------------------------------------- */

static void
hear_message(size_t i, const char *line)
{
    const char *const nick = strchr(line, '<');
    const char *const end = nick != NULL ? strstr(nick, "> ") : NULL;
    struct stamp s;
    char name[16];

    if (end == NULL || !stamp_read(end + 2, &s) || s.sender >= everybody())
        e2e_fail("client %zu: torn: %.200s", i, line);
    snprintf(name, sizeof(name), "<%c%u>", is_victim(s.sender) ? 'v' : 'h',
             is_victim(s.sender) ? s.sender - partition.healthy : s.sender);
    if (strncmp(nick, name, strlen(name)) != 0 || s.room != room_of(s.sender) ||
        !is_member(i, s.room))
        e2e_fail("client %zu: misled: %.200s", i, line);
    if (s.number != heard[i][s.sender] + 1u)
        e2e_fail("client %zu: of %s after %u comes %u", i, name,
                 heard[i][s.sender], s.number);
    heard[i][s.sender] = (uint16_t)s.number;
}

static void
hear_quit(size_t i, const char *line)
{
    const uint64_t after_ms = now_ms() - partition.cut_ms;
    unsigned v;

    if (is_victim(i))
        return;
    if (sscanf(line, "* v%u quit", &v) != 1 || v >= partition.victims ||
        partition.cut_ms == 0 || told[i][v])
        e2e_fail("client %zu: not to be told: %s", i, line);
    told[i][v] = true;
    if (partition.first_quit_ms == 0)
        partition.first_quit_ms = after_ms;
    if (++told_of[v] == partition.healthy) {
        partition.quits_in_full++;
        partition.last_quit_ms = after_ms;
    }
}

static void
on_line(void *arg, size_t i, const char *line)
{
    static const char prompt[] = "Nickname: "; /* has no ending */
    char own[16];
    char joined[40];

    if (strncmp(line, prompt, strlen(prompt)) == 0)
        return;
    if (line[0] != '*') {
        hear_message(i, line);
    } else if (strstr(line, " quit") != NULL) {
        hear_quit(i, line);
    } else if (strncmp(line, "* You are in ", 13) == 0) {
        write_room(own, i);
        snprintf(joined, sizeof(joined), "* You are in %s%s", own,
                 line[13 + strlen(own)] == '.' ? "." : ":");
        is_in[i] |= strncmp(line, joined, strlen(joined)) == 0;
    } else if (strcmp(line, "* #lobby has no topic.") == 0) {
        is_answered[i] = true;
    }
}

/* -- waiting --------------------------------------------------------------- */

static bool
all_are_in(void *arg)
{
    for (unsigned i = 0; i < everybody(); i++)
        if (!is_in[i])
            return false;
    return true;
}

static bool
all_are_answered(void *count)
{
    for (unsigned i = 0; i < *(unsigned *)count; i++)
        if (!is_answered[i])
            return false;
    return true;
}

/* What the first `count` were sent so far is in front of their answers. */
static void
hear_the_rest(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        is_answered[i] = false;
        swarm_send(&partition.swarm, i, "/topic #lobby\n");
    }
    swarm_run_until(&partition.swarm, all_are_answered, &count,
                    "the answers to /topic");
}

/* -- talking --------------------------------------------------------------- */

static void
say(size_t i, unsigned bytes)
{
    const struct stamp s = {room_of(i), (unsigned)i, ++partition.said[i]};
    char text[STAMP_SIZE + PARTITION_BYTES_MAX];

    ck_assert_uint_le(bytes, PARTITION_BYTES_MAX);
    stamp_write(text, STAMP_SIZE + bytes, &s, bytes);
    swarm_send(&partition.swarm, i, "%s\n", text);
}

void
partition_voice_says(unsigned voice, unsigned bytes)
{
    say(voice, bytes);
}

static void
talk_once(void)
{
    const unsigned others = partition.healthy - VOICES;
    const unsigned at = partition.ticks++;

    for (unsigned n = 0; n < HEALTHY_A_TICK; n++)
        say(VOICES + (at * HEALTHY_A_TICK + n) % others, at % 100);
    for (unsigned n = 0; n < partition.victims / 20; n++) {
        const unsigned v =
            (at * (partition.victims / 20) + n) % partition.victims;

        if (partition.talks[v % ROOMS])
            say(partition.healthy + v, v % 50);
    }
    for (unsigned r = 0; r < VOICES && at % 3 == 0; r++)
        if (partition.talks[r])
            say(r, 100);
}

void
partition_talk_for(uint64_t ms)
{
    const uint64_t end_ms = now_ms() + ms;

    while (now_ms() < end_ms) {
        talk_once();
        swarm_run_for(&partition.swarm, TICK_MS);
    }
}

/* -- from beginning to end ------------------------------------------------- */

/* The rooms want so many, however slow the machine is. */
static unsigned
enough(unsigned fully)
{
    const unsigned n = e2e_figure(SHORTLY, fully);

    return n > EARS ? n : EARS;
}

static void
begin_anew(enum partition_talk talk)
{
    partition = (struct partition){
        .healthy = enough(HEALTHY),
        .victims = enough(VICTIMS),
    };
    for (unsigned r = 0; r < ROOMS; r++)
        partition.talks[r] = talk == PARTITION_TALKS ||
                             (talk == PARTITION_HALF_TALKS && r % 2 == 0);
    memset(heard, 0, sizeof(heard));
    memset(told, 0, sizeof(told));
    memset(told_of, 0, sizeof(told_of));
    memset(is_in, 0, sizeof(is_in));
}

static void
all_come(int victims_buffer)
{
    struct swarm_route route = {
        .to = NET_WORLD_SERVER,
        .port = partition.daemon.port,
        .from = NET_WORLD_CLIENT,
        .first_port = HEALTHY_PORT,
    };

    swarm_init(&partition.swarm, everybody(), on_line, NULL);
    swarm_connect_along(&partition.swarm, 0, partition.healthy, &route);
    route.first_port = VICTIM_PORT;
    partition.swarm.receive_buffer = victims_buffer;
    swarm_connect_along(&partition.swarm, partition.healthy, partition.victims,
                        &route);
    for (unsigned i = 0; i < everybody(); i++)
        introduce(i);
    swarm_run_until(&partition.swarm, all_are_in, NULL,
                    "all to be in their rooms");
    hear_the_rest(everybody());
}

void
partition_open(unsigned heartbeat_ms, unsigned user_timeout_ms,
               int victims_buffer, enum partition_talk talk)
{
    char config[256];

    begin_anew(talk);
    snprintf(config, sizeof(config),
             "[history]\nroom_events = 0\n"
             "[timeouts]\nidle_ping = %ums\npong = %ums\n"
             "user_timeout = %ums\n",
             heartbeat_ms, heartbeat_ms, user_timeout_ms);
    net_world_open(&partition.world);
    net_world_start(&partition.world, &partition.daemon, config);
    all_come(victims_buffer);
}

void
partition_close(void)
{
    swarm_fini(&partition.swarm);
    net_world_heal(&partition.world);
    daemon_stop(&partition.daemon);
    net_world_close(&partition.world);
}

void
partition_count_from_now(void)
{
    for (unsigned v = 0; v < partition.victims; v++)
        partition.swarm.clients[partition.healthy + v].may_end = true;
    partition.cut_ms = now_ms();
}

bool
partition_victims_are_gone(void)
{
    return partition.quits_in_full == partition.victims;
}

unsigned
partition_left(bool who_talk)
{
    unsigned left = 0;

    for (unsigned v = 0; v < partition.victims; v++)
        left += partition.talks[v % ROOMS] == who_talk &&
                told_of[v] < partition.healthy;
    return left;
}

/* Listener `i` heard all of what `sender` said, if that was for it. */
static void
expect_heard(size_t i, size_t sender)
{
    if (i != sender && is_member(i, room_of(sender)) &&
        heard[i][sender] != partition.said[sender])
        e2e_fail("client %zu heard %u of %u messages of client %zu", i,
                 heard[i][sender], partition.said[sender], sender);
}

void
partition_expect_all_heard(bool with_victims)
{
    const unsigned count = with_victims ? everybody() : partition.healthy;

    hear_the_rest(count); /* commands of different clients have no order … */
    hear_the_rest(count); /* … but all were carried out when all are answered */
    for (unsigned i = 0; i < count; i++)
        for (unsigned sender = 0; sender < count; sender++)
            expect_heard(i, sender);
    if (with_victims)
        ck_assert_uint_eq(partition.first_quit_ms, 0);
}
