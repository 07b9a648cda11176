/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From a line to a request, or to a sentence.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ops/control_priv.h"
#include "support/unit.h"

static struct control_request request;
static char why[128];

static int
parse(const char *line)
{
    why[0] = '\0';
    return control_request_parse(slice_of(line), &request, why, sizeof(why));
}

static void
expect_refusal(const char *line, const char *sentence)
{
    request.argc = 77;

    ck_assert_int_eq(parse(line), -EINVAL);
    if (strstr(why, sentence) == NULL)
        ck_abort_msg("%s: \"%s\" and not \"%s\"", line, why, sentence);
    ck_assert_uint_eq(request.argc, 77); /* set only on success */
}

START_TEST(a_command_needs_no_more_than_its_name)
{
    ck_assert_int_eq(parse("{\"command\":\"status\"}"), 0);

    ck_assert(slice_equal(request.command, slice_of("status")));
    ck_assert_uint_eq(request.argc, 0);
    ck_assert_uint_eq(request.as.len, 0);
    control_request_fini(&request);
}
END_TEST

START_TEST(args_come_in_order_whatever_stands_in_them)
{
    ck_assert_int_eq(
        parse(" { \"args\" : [\"#ops\", \"a \\\"b\\\" \\u5c0f\", \"\"],"
              " \"as\":\"bot\", \"command\":\"say\" } "),
        0);

    ck_assert_uint_eq(request.argc, 3);
    ck_assert(slice_equal(request.args[0], slice_of("#ops")));
    ck_assert(slice_equal(request.args[1], slice_of("a \"b\" 小")));
    ck_assert_uint_eq(request.args[2].len, 0);
    ck_assert(slice_equal(request.as, slice_of("bot")));
    control_request_fini(&request);
}
END_TEST

START_TEST(what_is_not_json_is_told_so)
{
    expect_refusal("status", "not JSON");
    expect_refusal("{\"command\":\"status\"", "not JSON");
    expect_refusal("{\"command\":\"status\"} x", "not JSON");
    expect_refusal("{\"command\":\"\xff\"}", "not JSON");
    expect_refusal("{\"command\":\"a\\u0000b\"}", "not JSON");
    expect_refusal("{\"command\":\"a\",\"command\":\"b\"}", "not JSON");
}
END_TEST

START_TEST(what_is_no_request_is_told_what_one_is)
{
    expect_refusal("[]", "is an object");
    expect_refusal("[\"status\"]", "is an object");
    expect_refusal("{}", "no \"command\"");
    expect_refusal("{\"command\":\"\"}", "no \"command\"");
    expect_refusal("{\"command\":1}", "\"command\" must be a string");
    expect_refusal("{\"command\":\"say\",\"as\":null}", "\"as\" must be");
    expect_refusal("{\"command\":\"say\",\"args\":\"x\"}", "list of strings");
    expect_refusal("{\"command\":\"say\",\"args\":{}}", "list of strings");
    expect_refusal("{\"command\":\"say\",\"args\":[1]}", "list of strings");
    expect_refusal("{\"command\":\"say\",\"arg\":[]}", "not \"arg\"");
}
END_TEST

START_TEST(as_many_args_as_there_are_places_and_no_more)
{
    char line[256] = "{\"command\":\"x\",\"args\":[";

    for (unsigned i = 0; i < CONTROL_ARGS_MAX; i++)
        strcat(line, i == 0 ? "\"a\"" : ",\"a\"");
    strcat(line, "]}");
    ck_assert_int_eq(parse(line), 0);
    ck_assert_uint_eq(request.argc, CONTROL_ARGS_MAX);
    control_request_fini(&request);

    strcpy(strrchr(line, ']'), ",\"a\"]}");
    expect_refusal(line, "more than 8 args");
}
END_TEST

START_TEST(a_sentence_never_outgrows_its_place)
{
    char line[512];
    char key[300];

    memset(key, 'k', sizeof(key) - 1);
    key[sizeof(key) - 1] = '\0';
    snprintf(line, sizeof(line), "{\"%s\":1}", key);

    expect_refusal(line, "kkkk");
    ck_assert_uint_lt(strlen(why), sizeof(why));
}
END_TEST

UNIT_MAIN("ops/control_request", a_command_needs_no_more_than_its_name,
          args_come_in_order_whatever_stands_in_them,
          what_is_not_json_is_told_so, what_is_no_request_is_told_what_one_is,
          as_many_args_as_there_are_places_and_no_more,
          a_sentence_never_outgrows_its_place)
