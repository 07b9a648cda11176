/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The hub when memory is short (rule 5 of hub.h). The allocator is wrapped:
 * the n-th request of a command fails, alone or with all that follow.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "hub_model.h"
#include "hub_script.h"
#include "rig.h"
#include "shortage.h"
#include "support/unit.h"

/* ---- creation ------------------------------------------------------------ */

START_TEST(a_hub_is_made_whole_or_not_at_all)
{
    struct hub_conf conf;
    struct hub *hub = NULL;
    uint32_t granted = 0;
    int rc;

    script_conf(&conf);
    for (;; granted++) {
        run_short(granted, false);
        rc = hub_create(&conf, &hub);
        run_free();
        if (rc == 0 && run_refused() == 0)
            break;
        if (rc == 0) { /* what failed was not needed */
            hub_check(hub);
            hub_destroy(hub);
        }
        ck_assert_uint_eq(event_live(), 0);
    }
    ck_assert_uint_gt(granted, 5);
    hub_destroy(hub);
}
END_TEST

/* ---- random commands ----------------------------------------------------- */

static uint32_t
draw(void *arg, uint32_t n)
{
    uint64_t *const x = arg;

    *x = *x * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((*x >> 33) % n);
}

/* What has been given by CATCH_UP changes nothing either. */
static bool
is_refused(const struct command *c, struct recorder *rec)
{
    if (recorder_is_no_memory(rec))
        return true;
    return c->kind == COMMAND_CATCH_UP && rec->count > 2 &&
           rec->items[rec->count - 2].d.event->refusal == REFUSAL_NO_MEMORY;
}

/* Applies `c` while memory is short. True: refused, and nothing changed. */
static bool
is_refused_without_a_trace(struct hub *hub, const struct command *c,
                           const struct hub_now *now, struct recorder *rec,
                           uint64_t *seed)
{
    struct hub_census before, after;
    const uint64_t events = event_live();

    hub_count(hub, &before);
    run_short(draw(seed, 7), draw(seed, 2) == 1);
    hub_apply(hub, c, now, &rec->out);
    run_free();
    if (!is_refused(c, rec))
        return false;

    recorder_start(rec);
    hub_count(hub, &after);
    ck_assert_int_eq(memcmp(&before, &after, sizeof(before)), 0);
    ck_assert_uint_eq(event_live(), events);
    hub_check(hub);
    return true;
}

/* A ring of 16 entries never has to grow. */
static void
limit_logs(struct chat_conf *conf)
{
    if (conf->history_keep_events > 16)
        conf->history_keep_events = 16;
    if (conf->session_direct_events > 16)
        conf->session_direct_events = 16;
}

/* Those that do something all the same; they have cases of their own, here and
 * in test_hub_session_memory.c. */
static bool
may_half_happen(enum command_kind kind)
{
    return kind == COMMAND_DETACH || kind == COMMAND_KICK ||
           kind == COMMAND_RESUME || kind == COMMAND_ANNOUNCE;
}

START_TEST(a_refused_command_has_changed_nothing)
{
    uint64_t seed = 4711;
    uint64_t refusals = 0;
    struct hub_conf conf;
    struct recorder rec;
    struct script script;
    struct model *model;
    struct hub *hub;

    script_conf(&conf);
    limit_logs(&conf.chat);
    ck_assert_int_eq(hub_create(&conf, &hub), 0);
    model = model_create(&conf);
    recorder_init(&rec);
    script_init(&script, draw, &seed, model);

    for (unsigned n = 0; n < 40000; n++) {
        struct hub_now now;
        struct command c;

        if (script_reload(&script, &conf.chat)) {
            limit_logs(&conf.chat);
            hub_reload(hub, &conf.chat);
            model_reload(model, &conf.chat);
        }
        script_next(&script, &c, &now);
        recorder_start(&rec);
        if (may_half_happen(c.kind)) {
            recorder_apply(&rec, hub, &c, &now);
        } else if (is_refused_without_a_trace(hub, &c, &now, &rec, &seed)) {
            refusals++;
            hub_apply(hub, &c, &now, &rec.out);
        }
        model_follow(model, &c, &now, &rec);
    }
    ck_assert_uint_gt(refusals, 4000);
    recorder_fini(&rec);
    model_destroy(model);
    hub_destroy(hub);
    ck_assert_uint_eq(event_live(), 0);
}
END_TEST

/* ---- those who always go ------------------------------------------------- */

static struct rig rig;
static struct recorder rec;

/* Two in #tea; `kind` ends the first of them with only `granted` requests. */
static void
end_one(enum command_kind kind, uint32_t granted)
{
    struct command c = {
        .kind = kind,
        .name = slice_of("anna"),
        .text = slice_of("bye"),
        .from = {.conn = RIG_OPERATOR, .request = 9},
    };
    struct person anna, berta;

    rig_open(&rig, NULL);
    anna = rig_attach(&rig, RIG_CONN(0, 1), "anna");
    berta = rig_attach(&rig, RIG_CONN(1, 1), "berta");
    rig_join(&rig, &anna, "#tea");
    rig_join(&rig, &berta, "#tea");
    if (kind == COMMAND_DETACH) {
        c.from.conn = anna.conn;
        c.session = anna.session;
    }
    recorder_start(&rec);
    run_short(granted, true);
    hub_apply(rig.hub, &c, &rig.now, &rec.out);
    run_free();
    hub_check(rig.hub);
}

static uint64_t
users_left(void)
{
    struct hub_census census;

    hub_count(rig.hub, &census);
    ck_assert_uint_eq(census.members, census.users);
    return census.users;
}

static const struct event *
recorded(size_t at)
{
    return rec.items[at].d.event;
}

START_TEST(detach_ends_the_session_whatever_happens)
{
    recorder_init(&rec);
    for (uint32_t granted = 0;; granted++) {
        end_one(COMMAND_DETACH, granted);
        ck_assert_uint_eq(users_left(), 1);
        ck_assert_int_eq(recorded(rec.count - 1)->kind, EVENT_DONE);
        if (run_refused() == 0)
            break;
        ck_assert_uint_eq(rec.count, 1); /* unannounced */
        recorder_start(&rec);
        rig_close(&rig);
    }
    ck_assert_uint_eq(rec.count, 3);
    recorder_fini(&rec);
    rig_close(&rig);
}
END_TEST

START_TEST(kick_ends_the_session_of_whom_it_found)
{
    recorder_init(&rec);
    for (uint32_t granted = 0;; granted++) {
        end_one(COMMAND_KICK, granted);
        ck_assert_int_eq(recorded(rec.count - 1)->kind, EVENT_DONE);
        if (users_left() == 2) { /* too short even to look the name up */
            ck_assert(recorder_is_no_memory(&rec));
        } else {
            ck_assert_int_eq(recorded(0)->kind, EVENT_ENDED);
            ck_assert_uint_eq(rec.items[0].d.to, RIG_CONN(0, 1));
        }
        if (run_refused() == 0)
            break;
        recorder_start(&rec);
        rig_close(&rig);
    }
    ck_assert_uint_eq(rec.count, 4);
    recorder_fini(&rec);
    rig_close(&rig);
}
END_TEST

START_TEST(a_long_list_that_breaks_off_ends_in_the_refusal)
{
    struct command c = {.kind = COMMAND_WHO, .name = slice_of("#tea")};
    struct person who;
    char nick[8];

    rig_open(&rig, NULL);
    recorder_init(&rec);
    for (unsigned i = 0; i < 3 * EVENT_ITEMS_MAX; i++) {
        snprintf(nick, sizeof(nick), "n%u", i);
        who = rig_attach(&rig, RIG_CONN(0, i + 1), nick);
        rig_join(&rig, &who, "#tea");
    }
    c.from.conn = who.conn;
    c.session = who.session;
    for (uint32_t granted = 0;; granted++) {
        const struct event *before_done;

        recorder_start(&rec);
        run_short(granted, true);
        hub_apply(rig.hub, &c, &rig.now, &rec.out);
        run_free();
        if (run_refused() == 0)
            break;
        before_done = recorded(rec.count - 2);
        ck_assert_int_eq(before_done->kind, EVENT_REFUSED);
        ck_assert_int_eq(before_done->refusal, REFUSAL_NO_MEMORY);
        for (size_t i = 0; i + 2 < rec.count; i++)
            ck_assert(!recorded(i)->last);
    }
    ck_assert_uint_eq(rec.count, 4);
    recorder_fini(&rec);
    rig_close(&rig);
}
END_TEST

UNIT_MAIN("chat/hub_memory", a_hub_is_made_whole_or_not_at_all,
          a_refused_command_has_changed_nothing,
          detach_ends_the_session_whatever_happens,
          kick_ends_the_session_of_whom_it_found,
          a_long_list_that_breaks_off_ends_in_the_refusal)
