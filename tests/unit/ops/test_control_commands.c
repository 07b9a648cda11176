/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of commands, and docs/control.md, which is held to their answers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "support/unit.h"
#include "unit/ops/whole.h"

START_TEST(reload_and_stop_are_mains_own)
{
    int fd;

    whole_start();
    fd = rig_connect();

    whole_expect_ok(fd, "{\"command\":\"reload\"}");
    ck_assert_uint_eq(rig.reloads, 1);
    rig.complaint = "k.conf:1: what?\nk.conf:2: no \xff";
    whole_expect_refusal(fd, "{\"command\":\"reload\"}",
                         "k.conf:1: what?\nk.conf:2: no \xef\xbf\xbd");
    ck_assert_uint_eq(rig.stops, 0);
    whole_expect_ok(fd, "{\"command\":\"stop\"}");
    whole_expect_ok(fd, "{\"command\":\"stop\"}");
    ck_assert_uint_eq(rig.stops, 2);
    close(fd);
    whole_stop();
}
END_TEST

START_TEST(levels_are_set_for_all_areas_or_for_one)
{
    int fd;

    whole_start();
    fd = rig_connect();

    whole_expect_ok(fd, "{\"command\":\"log\",\"args\":[\"warn\"]}");
    ck_assert(log_is_on(LOG_LEVEL_WARN, LOG_NET));
    ck_assert(!log_is_on(LOG_LEVEL_NOTICE, LOG_NET));
    whole_expect_ok(fd, "{\"command\":\"log\",\"args\":[\"trace\",\"hub\"]}");
    ck_assert(log_is_on(LOG_LEVEL_TRACE, LOG_HUB));
    ck_assert(!log_is_on(LOG_LEVEL_NOTICE, LOG_NET));
    whole_expect_refusal(fd, "{\"command\":\"log\",\"args\":[\"loud\"]}",
                         "the levels are error warn notice info debug trace");
    whole_expect_refusal(fd,
                         "{\"command\":\"log\",\"args\":[\"info\",\"attic\"]}",
                         "the areas are main loop net");
    close(fd);
    whole_stop();
}
END_TEST

/* ---- docs/control.md ------------------------------------------------------ */

static char *
read_docs(void)
{
    FILE *const f = fopen(KLATCH_DOCS_DIR "/control.md", "r");
    char *const docs = calloc(1, 1 << 16);

    ck_assert_ptr_nonnull(f);
    ck_assert_ptr_nonnull(docs);
    ck_assert_uint_gt(fread(docs, 1, (1 << 16) - 1, f), 0);
    fclose(f);
    return docs;
}

static void
expect_documented(const char *docs, const json_t *answer)
{
    json_t *const value = (json_t *)(uintptr_t)answer;
    const char *key;
    json_t *member;
    size_t i;

    json_array_foreach(value, i, member)
    {
        expect_documented(docs, member);
    }
    json_object_foreach(value, key, member)
    {
        char quoted[64];

        snprintf(quoted, sizeof(quoted), "`%s`", key);
        if (strstr(docs, quoted) == NULL)
            ck_abort_msg("docs/control.md has no %s", quoted);
        expect_documented(docs, member);
    }
}

START_TEST(every_command_and_every_field_is_documented)
{
    char *const docs = read_docs();
    int alice, fd;

    whole_start();
    alice = whole_join(0, 1, "alice");
    fd = rig_connect();
    for (size_t i = 0; i < control_command_count; i++) {
        const struct control_command *const command = &control_commands[i];
        char line[128];
        json_t *answer;

        snprintf(line, sizeof(line), "\n### %s%s%s\n", command->name,
                 *command->args != '\0' ? " " : "", command->args);
        if (strstr(docs, line) == NULL)
            ck_abort_msg("docs/control.md has no heading%s", line);
        if (command->min_args > 0)
            continue;
        snprintf(line, sizeof(line), "{\"command\":\"%s\"}", command->name);
        answer = whole_ask(fd, line);
        expect_documented(docs, answer);
        json_decref(answer);
    }
    close(alice);
    close(fd);
    whole_stop();
    free(docs);
}
END_TEST

START_TEST(help_lists_the_whole_table)
{
    json_t *answer, *list;
    int fd;

    whole_start();
    fd = rig_connect();
    answer = whole_ask(fd, "{\"command\":\"help\"}");
    list = json_object_get(answer, "commands");

    ck_assert_uint_eq(json_array_size(list), control_command_count);
    for (size_t i = 0; i < control_command_count; i++) {
        ck_assert_str_eq(whole_text(json_array_get(list, i), "name"),
                         control_commands[i].name);
        ck_assert_uint_le(control_commands[i].min_args,
                          control_commands[i].max_args);
        ck_assert_uint_le(control_commands[i].max_args, CONTROL_ARGS_MAX);
    }
    json_decref(answer);
    close(fd);
    whole_stop();
}
END_TEST

UNIT_MAIN("ops/control_commands", reload_and_stop_are_mains_own,
          levels_are_set_for_all_areas_or_for_one,
          every_command_and_every_field_is_documented,
          help_lists_the_whole_table)
