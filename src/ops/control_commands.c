/* SPDX-License-Identifier: BSD-2-Clause
 *
 * control_commands - the table, and the commands that main answers by itself.
 *
 * docs/control.md has each with its fields; unit/ops/control_commands asks them
 * all and holds the two together.
 */
#include "base/log.h"
#include "ops/control_priv.h"
#include "ops/survey.h"

static void
on_version(struct control_conn *c, const struct control_request *r)
{
    control_answer(c,
                   json_pack("{s:b, s:s}", "ok", 1, "version", KLATCH_VERSION));
}

static void
on_settled(void *arg, const struct survey *s)
{
    struct control_conn *const c = arg;

    c->survey = NULL;
    control_answer(c, control_ok());
}

/* Answered when the new settings are in force on every thread, so that what an
 * operator does next meets them. */
static void
on_reload(struct control_conn *c, const struct control_request *r)
{
    const struct control_env *const env = &c->control->env;
    char why[CONTROL_SENTENCE_MAX] = "";

    if (env->reload(env->arg, why, sizeof(why)) < 0)
        control_refuse(c, "%s", why);
    else if (survey_settle(env->parts, on_settled, c, &c->survey) < 0)
        control_answer(c, control_ok()); /* in force soon */
}

static void
on_stop(struct control_conn *c, const struct control_request *r)
{
    const struct control_env *const env = &c->control->env;

    control_answer(c, control_ok());
    env->stop(env->arg);
}

/* ---- log ------------------------------------------------------------------ */

static bool
parse_area(struct slice name, enum log_area *area)
{
    for (unsigned i = 0; i < LOG_AREA_COUNT; i++) {
        if (slice_equal(name, slice_of(log_area_name((enum log_area)i)))) {
            *area = (enum log_area)i;
            return true;
        }
    }
    return false;
}

static void
refuse_level(struct control_conn *c)
{
    struct buf names;

    buf_init(&names);
    for (unsigned i = 0; i < LOG_LEVEL_COUNT; i++)
        buf_printf(&names, " %s", log_level_name((enum log_level)i));
    control_refuse(c, "the levels are%.*s", (int)names.len,
                   names.data != NULL ? names.data : "");
    buf_fini(&names);
}

static void
refuse_area(struct control_conn *c)
{
    struct buf names;

    buf_init(&names);
    for (unsigned i = 0; i < LOG_AREA_COUNT; i++)
        buf_printf(&names, " %s", log_area_name((enum log_area)i));
    control_refuse(c, "the areas are%.*s", (int)names.len,
                   names.data != NULL ? names.data : "");
    buf_fini(&names);
}

static void
on_log(struct control_conn *c, const struct control_request *r)
{
    enum log_level level;
    enum log_area area;

    if (!log_level_parse(r->args[0], &level)) {
        refuse_level(c);
        return;
    }
    if (r->argc == 1) {
        log_set_level(level);
    } else if (parse_area(r->args[1], &area)) {
        log_set_area_level(area, level);
    } else {
        refuse_area(c);
        return;
    }
    control_answer(c, control_ok());
}

/* ---- the table ------------------------------------------------------------ */

/* clang-format off */
const struct control_command control_commands[] = {
    /* name        handler               min max as     args             help */
    {"status",     control_on_status,    0,  0,  false, "",              "what runs, and how many are here"},
    {"clients",    control_on_clients,   0,  0,  false, "",              "every connection"},
    {"sessions",   control_on_sessions,  0,  0,  false, "",              "every session, those that wait for their client too"},
    {"rooms",      control_on_rooms,     0,  0,  false, "",              "every room"},
    {"census",     control_on_census,    0,  0,  false, "",              "exact counts of all that is alive"},
    {"say",        control_on_say,       2,  2,  true,  "ROOM TEXT",     "says something in a room"},
    {"broadcast",  control_on_broadcast, 1,  1,  false, "TEXT",          "says something to everybody"},
    {"kick",       control_on_kick,      1,  2,  false, "NICK [WHY]",    "ends somebody's session"},
    {"reload",     on_reload,            0,  0,  false, "",              "reads the configuration again"},
    {"stop",       on_stop,              0,  0,  false, "",              "stops the server; again: at once"},
    {"log",        on_log,               1,  2,  false, "LEVEL [AREA]",  "sets the least level that is logged"},
    {"version",    on_version,           0,  0,  false, "",              "the server's version"},
    {"help",       control_on_help,      0,  0,  false, "",              "this list"},
};
/* clang-format on */
const size_t control_command_count = ARRAY_LEN(control_commands);

int
control_open(const struct control_env *env, const char *path,
             struct control **out)
{
    return control_open_with(env, path, control_commands, control_command_count,
                             out);
}
