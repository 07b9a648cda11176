/* SPDX-License-Identifier: BSD-2-Clause
 *
 * control_dispatch - from a line to the row of the table that it names.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "ops/control_priv.h"
#include "ops/options.h"

#define COMMANDS_MAX 64

static const struct control_command *
find(const struct control *control, struct slice name)
{
    for (size_t i = 0; i < control->command_count; i++)
        if (slice_equal(name, slice_of(control->commands[i].name)))
            return &control->commands[i];
    return NULL;
}

static void
refuse_unknown(struct control_conn *c, struct slice name)
{
    const struct control *const control = c->control;
    const char *words[COMMANDS_MAX];
    const char *near;
    size_t n = 0;

    while (n < control->command_count && n < COMMANDS_MAX) {
        words[n] = control->commands[n].name;
        n++;
    }
    near = suggest(name, words, n);
    if (near != NULL)
        control_refuse(c, "there is no command \"%.*s\"; is it \"%s\"?",
                       SLICE_ARG(name), near);
    else
        control_refuse(c, "there is no command \"%.*s\"", SLICE_ARG(name));
}

/* Every command leaves a line, before it has any effect. The first argument is
 * whom or what it is about; the texts that follow are the operator's own. */
static void
log_command(const struct control_conn *c, const struct control_request *r)
{
    if (r->argc > 0)
        LOG_NOTICE(LOG_CONTROL, "command", LOG_F_U64("uid", c->uid),
                   LOG_F_I64("pid", c->pid), LOG_F_SLICE("command", r->command),
                   LOG_F_SLICE("about", r->args[0]));
    else
        LOG_NOTICE(LOG_CONTROL, "command", LOG_F_U64("uid", c->uid),
                   LOG_F_I64("pid", c->pid),
                   LOG_F_SLICE("command", r->command));
}

static void
run(struct control_conn *c, const struct control_request *r)
{
    const struct control_command *const command = find(c->control, r->command);

    log_command(c, r);
    if (command == NULL)
        refuse_unknown(c, r->command);
    else if (r->argc < command->min_args || r->argc > command->max_args)
        control_refuse(c, "usage: %s %s", command->name, command->args);
    else if (r->as.len > 0 && !command->takes_as)
        control_refuse(c, "%s takes no \"as\"", command->name);
    else
        command->run(c, r);
}

void
control_dispatch(struct control_conn *c, struct slice line)
{
    struct control_request r;
    char why[256];

    if (control_request_parse(line, &r, why, sizeof(why)) < 0) {
        control_refuse(c, "%s", why);
        return;
    }
    run(c, &r);
    control_request_fini(&r);
}

void
control_on_help(struct control_conn *c, const struct control_request *r)
{
    const struct control *const control = c->control;
    json_t *const list = json_array();

    for (size_t i = 0; list != NULL && i < control->command_count; i++) {
        const struct control_command *const command = &control->commands[i];

        if (json_array_append_new(
                list, json_pack("{s:s, s:s, s:s}", "name", command->name,
                                "args", command->args, "help", command->help)) <
            0)
            break;
    }
    control_answer(c, json_pack("{s:b, s:o}", "ok", 1, "commands", list));
}
