/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is asked, how often one connects, and what comes of each answer.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/link.h"
#include "support/unit.h"
#include "unit/ctl/desk.h"

static uint64_t later_ms;

uint64_t __real_clock_mono_ms(void);

uint64_t
__wrap_clock_mono_ms(void)
{
    return __real_clock_mono_ms() + later_ms;
}

/* Who we are, and whose the server is; -1: as it is. */
static uid_t our_uid = (uid_t)-1;
static uid_t server_uid = (uid_t)-1;

uid_t __real_geteuid(void);
int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *len);

uid_t
__wrap_geteuid(void)
{
    return our_uid != (uid_t)-1 ? our_uid : __real_geteuid();
}

int
__wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    const int rc = __real_getsockopt(fd, level, name, value, len);

    if (rc == 0 && name == SO_PEERCRED && server_uid != (uid_t)-1)
        ((struct ucred *)value)->uid = server_uid;
    return rc;
}

#define ANSWERS(...) ((const char *const[]){__VA_ARGS__, NULL})

START_TEST(done_is_0_and_shows_the_answer)
{
    desk_start(ANSWERS("{\"ok\":true,\"version\":\"9.9\"}"), NULL);

    ck_assert_int_eq(desk_run("version", NULL, NULL), CTL_DONE);

    desk_done();
    ck_assert_str_eq(desk.out, "klatchd 9.9\n");
    ck_assert_str_eq(desk.err, "");
    ck_assert_str_eq(desk.server.requests,
                     "{\"command\":\"version\",\"args\":[]}\n");
}
END_TEST

START_TEST(as_json_the_answer_is_one_clean_line)
{
    desk_start(ANSWERS("{\"ok\":true, \"version\":\"9\\u001b[m\","
                       "\"nick\":\"小明\"}"),
               NULL);
    desk.ctl.json = true;

    ck_assert_int_eq(desk_run("version", NULL, NULL), CTL_DONE);

    desk_done();
    ck_assert_str_eq(desk.out,
                     "{\"ok\":true,\"version\":\"9[m\",\"nick\":\"小明\"}\n");
}
END_TEST

START_TEST(refused_is_1_and_its_sentences_are_on_stderr)
{
    desk_start(ANSWERS("{\"ok\":false,\"error\":\"one\\u001b[1m\\ntwo\"}"),
               NULL);

    ck_assert_int_eq(desk_run("reload", NULL, NULL), CTL_REFUSED);

    desk_done();
    ck_assert_str_eq(desk.out, "");
    ck_assert_str_eq(desk.err, "klatchctl: one[1m\ntwo\n");
}
END_TEST

START_TEST(as_json_a_refusal_is_in_both_places)
{
    desk_start(ANSWERS("{\"ok\":false,\"error\":\"no\"}"), NULL);
    desk.ctl.json = true;

    ck_assert_int_eq(desk_run("reload", NULL, NULL), CTL_REFUSED);

    desk_done();
    ck_assert_str_eq(desk.out, "{\"ok\":false,\"error\":\"no\"}\n");
    ck_assert_str_eq(desk.err, "klatchctl: no\n");
}
END_TEST

START_TEST(without_a_server_it_is_69_and_says_where_it_looked)
{
    desk_start(NULL, NULL);
    link_destroy(desk.ctl.link);
    desk.ctl.socket = "/nonexistent/socket";
    desk.ctl.link = link_create(desk.ctl.socket);

    ck_assert_int_eq(desk_run("status", NULL, NULL), CTL_NO_SERVER);

    desk_done();
    ck_assert_str_eq(
        desk.err,
        "klatchctl: /nonexistent/socket: no klatchd is running there\n");
}
END_TEST

START_TEST(whoever_hangs_up_or_is_no_klatchd_is_no_server)
{
    static const char *const odd[] = {
        FAKE_HANGS_UP, "hello", "{}", "[true]", "{\"ok\":1}", "{\"ok\":true",
    };

    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        desk_start(ANSWERS(odd[i]), NULL);

        ck_assert_int_eq(desk_run("status", NULL, NULL), CTL_NO_SERVER);

        desk_done();
        ck_assert_str_eq(desk.out, "");
        ck_assert_ptr_nonnull(
            strstr(desk.err, i == 0 ? "hung up" : "is no klatchd"));
    }
}
END_TEST

START_TEST(another_users_server_is_asked_nothing)
{
    static const struct {
        uid_t ours, servers;
        enum ctl_exit code;
    } cases[] = {
        {1000, 1001, CTL_NO_SERVER},
        {1000, 1000, CTL_DONE     },
        {1000, 0,    CTL_DONE     },
        {0,    1000, CTL_DONE     },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        desk_start(NULL, NULL);
        our_uid = cases[i].ours;
        server_uid = cases[i].servers;

        ck_assert_int_eq(desk_run("stop", NULL, NULL), cases[i].code);

        desk_done();
        if (cases[i].code != CTL_DONE) {
            ck_assert_str_eq(desk.server.requests, "");
            ck_assert_ptr_nonnull(strstr(desk.err, "another user's"));
        }
    }
}
END_TEST

START_TEST(words_and_text_become_args)
{
    desk_start(NULL, NULL);
    desk.ctl.as = "bot";

    ck_assert_int_eq(desk_run("kick", "bob", "off \xff\n with \"you\""),
                     CTL_DONE);
    ck_assert_int_eq(desk_run("say", "#ops", "hi"), CTL_DONE);

    desk_done();
    ck_assert_str_eq(desk.server.requests,
                     "{\"command\":\"kick\",\"args\":[\"bob\","
                     "\"off \xef\xbf\xbd with \\\"you\\\"\"]}\n"
                     "{\"command\":\"say\",\"args\":[\"#ops\",\"hi\"],"
                     "\"as\":\"bot\"}\n");
}
END_TEST

START_TEST(each_line_of_a_text_is_a_message)
{
    desk_start(NULL, NULL);

    ck_assert_int_eq(desk_run("broadcast", NULL, "one\r\n\ntwo\n"), CTL_DONE);

    desk_done();
    ck_assert_str_eq(desk.server.requests,
                     "{\"command\":\"broadcast\",\"args\":[\"one\"]}\n"
                     "{\"command\":\"broadcast\",\"args\":[\"two\"]}\n");
}
END_TEST

START_TEST(each_line_of_the_input_is_a_message_the_last_one_too)
{
    desk_start(NULL, "one\n\n\r\ntwo\r\nthree");

    ck_assert_int_eq(desk_run("say", "#ops", NULL), CTL_DONE);

    desk_done();
    ck_assert_str_eq(desk.server.requests,
                     "{\"command\":\"say\",\"args\":[\"#ops\",\"one\"]}\n"
                     "{\"command\":\"say\",\"args\":[\"#ops\",\"two\"]}\n"
                     "{\"command\":\"say\",\"args\":[\"#ops\",\"three\"]}\n");
}
END_TEST

START_TEST(the_first_line_that_is_refused_is_the_last)
{
    desk_start(ANSWERS("{\"ok\":true}", "{\"ok\":false,\"error\":\"no\"}"),
               "one\ntwo\nthree\n");

    ck_assert_int_eq(desk_run("say", "#ops", NULL), CTL_REFUSED);

    desk_done();
    ck_assert_ptr_null(strstr(desk.server.requests, "three"));
    ck_assert_str_eq(desk.err, "klatchctl: no\n");
}
END_TEST

START_TEST(one_connection_serves_many_requests_while_it_is_fresh)
{
    desk_start(NULL, "1\n2\n3\n4\n5\n");
    ck_assert_int_eq(desk_run("broadcast", NULL, NULL), CTL_DONE);
    later_ms = 5001;
    ck_assert_int_eq(desk_run("status", NULL, NULL), CTL_DONE);

    desk_done();
    ck_assert_uint_eq(desk.server.accepted, 2);
}
END_TEST

START_TEST(after_a_failure_it_connects_anew)
{
    desk_start(ANSWERS(FAKE_HANGS_UP), NULL);
    ck_assert_int_eq(desk_run("status", NULL, NULL), CTL_NO_SERVER);

    ck_assert_int_eq(desk_run("status", NULL, NULL), CTL_DONE);

    desk_done();
    ck_assert_uint_eq(desk.server.accepted, 2);
}
END_TEST

START_TEST(output_that_cannot_be_written_is_74)
{
    desk_start(NULL, NULL);
    fclose(desk.ctl.out);
    desk.ctl.out = fopen("/dev/full", "w");
    ck_assert_ptr_nonnull(desk.ctl.out);

    ck_assert_int_eq(desk_run("status", NULL, NULL), CTL_NO_OUTPUT);

    desk_done();
    ck_assert_ptr_nonnull(strstr(desk.err, "cannot write"));
}
END_TEST

UNIT_MAIN("ctl/ask", done_is_0_and_shows_the_answer,
          as_json_the_answer_is_one_clean_line,
          refused_is_1_and_its_sentences_are_on_stderr,
          as_json_a_refusal_is_in_both_places,
          without_a_server_it_is_69_and_says_where_it_looked,
          whoever_hangs_up_or_is_no_klatchd_is_no_server,
          another_users_server_is_asked_nothing, words_and_text_become_args,
          each_line_of_a_text_is_a_message,
          each_line_of_the_input_is_a_message_the_last_one_too,
          the_first_line_that_is_refused_is_the_last,
          one_connection_serves_many_requests_while_it_is_fresh,
          after_a_failure_it_connects_anew, output_that_cannot_be_written_is_74)
