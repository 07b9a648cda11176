/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The hub's stream of commands: the input draws the commands, the naive model
 * of the unit tests follows, and the invariants are walked at the end. Names
 * and texts may also be raw bytes of the input.
 */
#include "base/assert.h"
#include "support/fuzz.h"
#include "unit/chat/hub_model.h"
#include "unit/chat/hub_script.h"

struct input {
    const uint8_t *at;
    size_t left;
};

static uint32_t
draw_byte(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

static uint32_t
draw(void *arg, uint32_t n)
{
    struct input *const in = arg;
    uint32_t value;

    if (n == 1)
        return 0;
    value = draw_byte(in);
    if (n > 256)
        value = value << 8 | draw_byte(in);
    return value % n;
}

/* Now and then some bytes of the input in the place of *s. */
static void
draw_raw(struct input *in, struct slice *s)
{
    size_t len;

    if (draw(in, 8) != 7)
        return;
    len = draw(in, 80);
    if (len > in->left)
        len = in->left;
    *s = slice_make(in->at, len);
    in->at += len;
    in->left -= len;
}

static void
follow(struct input *in, struct hub_conf *conf, struct hub *hub,
       struct model *model, struct recorder *rec)
{
    struct script script;

    script_init(&script, draw, in, model);
    while (in->left > 0) {
        struct hub_now now;
        struct command c;

        if (script_reload(&script, &conf->chat)) {
            hub_reload(hub, &conf->chat);
            model_reload(model, &conf->chat);
        }
        if (script_tick(&script, &now)) {
            recorder_start(rec);
            hub_tick(hub, &now, &rec->out);
            model_follow_tick(model, &now, rec);
        }
        script_next(&script, &c, &now);
        draw_raw(in, &c.name);
        draw_raw(in, &c.text);
        recorder_apply(rec, hub, &c, &now);
        model_follow(model, &c, &now, rec);
        ASSERT(hub_next_tick_ms(hub) == model_next_tick_ms(model));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {.at = data, .left = size};
    struct hub_census census;
    struct hub_conf conf;
    struct recorder rec;
    struct model *model;
    struct hub *hub;

    script_conf(&conf);
    if (hub_create(&conf, &hub) < 0)
        return 0;
    model = model_create(&conf);
    recorder_init(&rec);
    follow(&in, &conf, hub, model, &rec);
    hub_check(hub);
    hub_count(hub, &census);
    model_check_census(model, &census);
    recorder_fini(&rec);
    model_destroy(model);
    hub_destroy(hub);
    ASSERT(event_live() == 0);
    return 0;
}
