/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The hub against the naive model: random commands, and after each of them
 * every delivery compared: worker, route, request, event, all its fields.
 *
 * HUB_MODEL_COMMANDS in the environment says how many in all.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hub_model.h"
#include "hub_script.h"
#include "support/unit.h"

#ifndef HUB_MODEL_COMMANDS
#define HUB_MODEL_COMMANDS 2000000
#endif

enum {
    SEEDS = 8,
    CHECK_EVERY = 64,
};

/* xorshift64*, seeded per case: a failure comes again. */
static uint32_t
draw(void *arg, uint32_t n)
{
    uint64_t *const x = arg;

    *x ^= *x >> 12;
    *x ^= *x << 25;
    *x ^= *x >> 27;
    return (uint32_t)((*x * UINT64_C(2685821657736338717) >> 40) % n);
}

static uint64_t
commands_a_seed(void)
{
    const char *const said = getenv("HUB_MODEL_COMMANDS");

    return (said != NULL ? strtoull(said, NULL, 10) : HUB_MODEL_COMMANDS) /
           SEEDS;
}

/* So that the test is about something: each kind of event must have come, and
 * often. */
struct coverage {
    uint64_t events[EVENT_COUNT];
    uint64_t refusals[REFUSAL_COUNT];
    uint64_t replays[REPLAY_MISSED + 1];
    uint64_t resumed_with_missed;
    uint64_t resumed_with_all;
    uint64_t chunks; /* of CATCH_UP, not the last */
    uint64_t kept;   /* SENT to who waits */
    uint64_t expired;
};

static void
cover(struct coverage *seen, const struct recorder *rec)
{
    for (size_t i = 0; i < rec->count; i++) {
        const struct event *const e = rec->items[i].d.event;

        seen->events[e->kind]++;
        seen->refusals[e->refusal]++;
        seen->replays[rec->items[i].d.replay]++;
        if (e->kind == EVENT_RESUMED && e->seq > 0)
            seen->resumed_with_missed++;
        if (e->kind == EVENT_RESUMED && e->seq == 0 && e->number > 0)
            seen->resumed_with_all++;
        if (e->kind == EVENT_CAUGHT_UP && !e->last)
            seen->chunks++;
        if (e->kind == EVENT_SENT && e->number == 1)
            seen->kept++;
    }
}

static void
check_coverage(const struct coverage *seen, uint64_t least)
{
    for (unsigned kind = 0; kind < EVENT_COUNT; kind++)
        ck_assert_msg(seen->events[kind] >= least, "%" PRIu64 " %s",
                      seen->events[kind], event_name((enum event_kind)kind));
    for (unsigned why = 0; why < REFUSAL_NO_MEMORY; why++)
        ck_assert_msg(seen->refusals[why] >= least, "%" PRIu64 " %s",
                      seen->refusals[why], refusal_name((enum refusal)why));
    ck_assert_uint_ge(seen->replays[REPLAY_HISTORY], least);
    ck_assert_uint_ge(seen->replays[REPLAY_MISSED], least);
    ck_assert_uint_ge(seen->resumed_with_missed, least);
    ck_assert_uint_ge(seen->resumed_with_all, least);
    ck_assert_uint_ge(seen->chunks, least);
    ck_assert_uint_ge(seen->kept, least);
    ck_assert_uint_ge(seen->expired, least);
}

static void
check_census(const struct hub *hub, const struct model *model)
{
    struct hub_census census;

    hub_count(hub, &census);
    model_check_census(model, &census);
}

static void
tick(struct hub *hub, struct model *model, struct recorder *rec,
     const struct hub_now *now, struct coverage *seen)
{
    recorder_start(rec);
    hub_tick(hub, now, &rec->out);
    cover(seen, rec);
    seen->expired += rec->count;
    model_follow_tick(model, now, rec);
}

static void
run(uint64_t seed, uint64_t commands, struct coverage *seen)
{
    struct hub_conf conf;
    struct recorder rec;
    struct script script;
    struct model *model;
    struct hub *hub;

    script_conf(&conf);
    ck_assert_int_eq(hub_create(&conf, &hub), 0);
    model = model_create(&conf);
    recorder_init(&rec);
    script_init(&script, draw, &seed, model);

    for (uint64_t n = 0; n < commands; n++) {
        struct hub_now now;
        struct command c;

        if (script_reload(&script, &conf.chat)) {
            hub_reload(hub, &conf.chat);
            model_reload(model, &conf.chat);
        }
        if (script_tick(&script, &now))
            tick(hub, model, &rec, &now, seen);
        script_next(&script, &c, &now);
        recorder_apply(&rec, hub, &c, &now);
        cover(seen, &rec);
        model_follow(model, &c, &now, &rec);
        ck_assert_uint_eq(hub_next_tick_ms(hub), model_next_tick_ms(model));
        if (n % CHECK_EVERY == 0) {
            hub_check(hub);
            check_census(hub, model);
        }
    }
    recorder_fini(&rec);
    model_destroy(model);
    hub_destroy(hub);
    ck_assert_uint_eq(event_live(), 0);
}

START_TEST(hub_and_model_agree_on_every_event_and_refusal)
{
    struct coverage seen = {.chunks = 0};
    const uint64_t commands = commands_a_seed();

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        fprintf(stderr, "seed %" PRIu64 ": %" PRIu64 " commands\n", seed,
                commands);
        run(seed * UINT64_C(0x9E3779B97F4A7C15), commands, &seen);
    }
    if (commands >= 5000)
        check_coverage(&seen, commands / 1000);
}
END_TEST

UNIT_MAIN("chat/hub_model", hub_and_model_agree_on_every_event_and_refusal)
