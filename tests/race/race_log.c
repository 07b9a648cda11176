/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The log from many threads at once, into a pipe that is too slow for them.
 * Whatever happens, a line is either in the pipe, whole and once, or counted in
 * log_dropped().
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "support/capture.h"
#include "support/crew.h"
#include "support/unit.h"

#define SPEAKERS  4u
#define LINES     20000u
#define SIP_BYTES 200u /* what the reader takes at a time */

static struct {
    int ends[2];
    bool is_ordered;
    /* [any] */
    _Atomic bool enough;
    _Atomic uint64_t said[SPEAKERS];

    /* [reader], read by main once it has ended */
    uint64_t lines;
    uint64_t told; /* as dropped */
    uint64_t last[SPEAKERS];
    char line[LOG_LINE_MAX];
    size_t len;
} world;

static uint64_t
said_by_all(void)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < SPEAKERS; i++)
        sum += world.said[i];
    return sum;
}

/* A speaker's lines are numbered from 1; drops leave gaps, nothing else does.
 * Only while the log stops may a line written by hand overtake one that the
 * log thread still has. */
static void
judge_line(void)
{
    const char *const ours = strstr(world.line, " speaker=");
    const char *const told = strstr(world.line, " count=");
    unsigned long speaker, n;

    if (ours == NULL) {
        CREW_ASSERT(told != NULL && sscanf(told, " count=%lu\n", &n) == 1);
        world.told += n;
        return;
    }
    CREW_ASSERT(sscanf(ours, " speaker=%lu n=%lu\n", &speaker, &n) == 2);
    CREW_ASSERT(strlen(ours) < 40 && speaker < SPEAKERS);
    CREW_ASSERT(n > world.last[speaker] || !world.is_ordered);
    world.last[speaker] = n;
    world.lines++;
}

static void
take_byte(char c)
{
    CREW_ASSERT(world.len < sizeof(world.line) - 1);
    world.line[world.len++] = c;
    if (c != '\n')
        return;
    world.line[world.len] = '\0';
    world.len = 0;
    judge_line();
}

static void
read_slowly(struct crew *crew, unsigned member)
{
    char sip[SIP_BYTES];
    ssize_t n;

    while ((n = read(world.ends[0], sip, sizeof(sip))) > 0) {
        for (ssize_t i = 0; i < n; i++)
            take_byte(sip[i]);
    }
    CREW_ASSERT(n == 0 && world.len == 0);
}

/* Counts what log_write() was asked for, whatever became of it. */
static void
say(unsigned speaker)
{
    static struct log_site site;
    const struct log_field fields[] = {
        LOG_F_U64("speaker", speaker),
        LOG_F_U64("n", world.said[speaker] + 1),
    };

    if (!log_is_on(LOG_LEVEL_DEBUG, LOG_HUB))
        return;
    world.said[speaker]++;
    log_write(&site, LOG_LEVEL_DEBUG, LOG_HUB, "said", fields, 2);
}

static void
speak_and_switch_levels(struct crew *crew, unsigned member)
{
    for (unsigned i = 0; i < LINES; i++) {
        say(member);
        if (i % 64 == member)
            log_set_level(i % 128 < 96 ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN);
        if (i % 512 == member)
            log_set_area_level(LOG_HUB, i % 1024 < 512 ? LOG_LEVEL_TRACE
                                                       : LOG_LEVEL_ERROR);
    }
}

static void
speak_until_enough(struct crew *crew, unsigned member)
{
    while (!world.enough)
        say(member);
}

static void
arrange(void)
{
    memset(&world, 0, sizeof(world));
    ck_assert_int_eq(pipe(world.ends), 0);
    log_set_fd(world.ends[1]);
    log_set_level(LOG_LEVEL_DEBUG);
}

static void
close_and_join(struct crew *reader)
{
    log_set_fd(STDERR_FILENO);
    close(world.ends[1]);
    crew_join(reader);
    close(world.ends[0]);
}

START_TEST(no_line_is_lost_that_is_not_counted)
{
    const uint64_t dropped_before = log_dropped();
    struct crew reader, speakers;
    uint64_t dropped;

    arrange();
    world.is_ordered = true;
    ck_assert_int_ge(fcntl(world.ends[1], F_SETPIPE_SZ, 4096), 0);
    crew_start(&reader, 1, read_slowly);
    ck_assert_int_eq(log_start(), 0);

    crew_start(&speakers, SPEAKERS, speak_and_switch_levels);
    crew_join(&speakers);
    log_stop();
    close_and_join(&reader);

    dropped = log_dropped() - dropped_before;
    ck_assert_uint_gt(dropped, 0); /* or the pipe was not too slow */
    ck_assert_uint_eq(world.lines + dropped, said_by_all());
    ck_assert_uint_le(world.told, dropped);
}
END_TEST

START_TEST(starting_and_stopping_under_fire_loses_nothing)
{
    const uint64_t dropped_before = log_dropped();
    struct crew reader, speakers;

    arrange();
    crew_start(&reader, 1, read_slowly);
    crew_start(&speakers, SPEAKERS, speak_until_enough);

    while (said_by_all() < LINES) {
        ck_assert_int_eq(log_start(), 0);
        log_stop();
    }
    world.enough = true;
    crew_join(&speakers);
    close_and_join(&reader);

    ck_assert_uint_gt(world.lines, 0);
    ck_assert_uint_eq(world.lines + log_dropped() - dropped_before,
                      said_by_all());
}
END_TEST

UNIT_MAIN("race/log", no_line_is_lost_that_is_not_counted,
          starting_and_stopping_under_fire_loses_nothing)
