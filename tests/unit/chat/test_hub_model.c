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

/* So that the test is about something: each kind of event must have come. */
struct coverage {
    uint64_t events[EVENT_COUNT];
    uint64_t refusals[REFUSAL_COUNT];
    uint64_t replays;
};

static void
cover(struct coverage *seen, const struct recorder *rec)
{
    for (size_t i = 0; i < rec->count; i++) {
        seen->events[rec->items[i].d.event->kind]++;
        seen->refusals[rec->items[i].d.event->refusal]++;
        seen->replays += rec->items[i].d.replay;
    }
}

static void
check_coverage(const struct coverage *seen)
{
    for (unsigned kind = 0; kind < EVENT_COUNT; kind++)
        ck_assert_msg(seen->events[kind] > 0, "no %s",
                      event_name((enum event_kind)kind));
    for (unsigned why = 0; why < REFUSAL_NO_MEMORY; why++)
        ck_assert_msg(seen->refusals[why] > 0, "no %s",
                      refusal_name((enum refusal)why));
    ck_assert_uint_gt(seen->replays, 0);
}

static void
check_census(const struct hub *hub, const struct model *model)
{
    struct hub_census census;

    hub_count(hub, &census);
    model_check_census(model, &census);
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
        script_next(&script, &c, &now);
        recorder_start(&rec);
        hub_apply(hub, &c, &now, &rec.out);
        cover(seen, &rec);
        model_follow(model, &c, &now, &rec);
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
    struct coverage seen = {.replays = 0};
    const uint64_t commands = commands_a_seed();

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        fprintf(stderr, "seed %" PRIu64 ": %" PRIu64 " commands\n", seed,
                commands);
        run(seed * UINT64_C(0x9E3779B97F4A7C15), commands, &seen);
    }
    if (commands >= 5000)
        check_coverage(&seen);
}
END_TEST

UNIT_MAIN("chat/hub_model", hub_and_model_agree_on_every_event_and_refusal)
