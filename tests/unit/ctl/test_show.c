/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers, whole, hostile and empty, as people see them.
 */
#include "ctl/show.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "ctl/text.h"
#include "support/unit.h"

static const char *
shown(show_fn show, const char *answer)
{
    static char text[8192];
    json_t *const json = json_loads(answer, 0, NULL);
    struct buf out;

    ck_assert_ptr_nonnull(json);
    buf_init(&out);
    show(json, &out);
    json_decref(json);
    ck_assert(!out.failed);
    ck_assert_uint_lt(out.len, sizeof(text));
    memcpy(text, out.len > 0 ? out.data : "", out.len);
    text[out.len] = '\0';
    buf_fini(&out);
    return text;
}

START_TEST(a_status_is_a_line_a_fact)
{
    ck_assert_str_eq(
        shown(show_status,
              "{\"ok\":true,\"version\":\"0.1.0\",\"pid\":71,"
              "\"uptime_ms\":100000,\"config\":\"/etc/klatch.conf\","
              "\"listeners\":[{\"name\":\"main\",\"address\":"
              "\"127.0.0.1:7000\",\"protocol\":\"auto\"},{\"name\":\"u\","
              "\"address\":\"unix:/x\",\"protocol\":\"line\"}],"
              "\"workers\":[{\"index\":0,\"connections\":1,\"busy_us\":1234567,"
              "\"longest_turn_us\":1250},{\"index\":1,\"connections\":0}],"
              "\"connections\":1,\"users\":1,\"rooms\":2,\"messages\":"
              "{\"commands\":5,\"refused\":1,\"sent\":9,\"bytes_in\":2048,"
              "\"bytes_out\":77}}"),
        "klatchd      0.1.0, pid 71, up 1m40s\n"
        "config       /etc/klatch.conf\n"
        "listening    127.0.0.1:7000 (main, auto)\n"
        "             unix:/x (u, line)\n"
        "workers      0: 1 connection, busy 1.2 %, longest turn 1.2 ms\n"
        "             1: 0 connections, busy 0.0 %, longest turn 0.0 ms\n"
        "connections  1\n"
        "users        1\n"
        "rooms        2\n"
        "messages     5 asked, 1 refused, 9 sent to clients; bytes in 2.0k, "
        "out 77\n");
}
END_TEST

START_TEST(a_thread_that_stalled_is_shown_in_the_status)
{
    const char *const text =
        shown(show_status,
              "{\"threads\":[{\"name\":\"main\",\"index\":0,\"stalls\":0},"
              "{\"name\":\"hub\",\"index\":0,\"where\":\"wait\",\"stalls\":1,"
              "\"longest_stall_ms\":2250,\"stalled_ms\":0},"
              "{\"name\":\"worker\",\"index\":3,\"where\":\"call\","
              "\"stalls\":2,\"longest_stall_ms\":71000,"
              "\"stalled_ms\":5250}]}");

    ck_assert_ptr_null(strstr(text, "main 0"));
    ck_assert_ptr_nonnull(
        strstr(text, "stalled      hub 0: 1 time, at most 2s\n"
                     "stalled      worker 3: 2 times, at most 1m11s; now for "
                     "5s in call\n"));
}
END_TEST

START_TEST(without_a_config_file_the_status_says_so)
{
    ck_assert_ptr_nonnull(strstr(shown(show_status, "{\"config\":null}"),
                                 "config       (no file)\n"));
}
END_TEST

START_TEST(clients_are_a_table)
{
    ck_assert_str_eq(
        shown(show_clients,
              "{\"clients\":[{\"id\":\"268435456\",\"address\":\"127.0.0.1:5\","
              "\"protocol\":\"line\",\"state\":\"open\",\"nick\":\"小明\","
              "\"room\":\"#lobby\",\"rooms\":2,\"age_ms\":60000,"
              "\"idle_ms\":1000,\"bytes_in\":5,\"bytes_out\":2048,"
              "\"queued_bytes\":0}]}"),
        "NICK  ADDRESS      PROTO  STATE  ROOM    ROOMS   HERE  IDLE  IN   OUT"
        "  QUEUED         ID\n"
        "小明  127.0.0.1:5  line   open   #lobby      2  1m00s    1s   5  2.0k"
        "       0  268435456\n"
        "1 connection\n");
}
END_TEST

START_TEST(an_empty_list_is_one_line)
{
    ck_assert_str_eq(shown(show_clients, "{\"clients\":[]}"),
                     "0 connections\n");
    ck_assert_str_eq(shown(show_rooms, "{\"rooms\":[]}"), "0 rooms\n");
}
END_TEST

START_TEST(rooms_are_a_table)
{
    ck_assert_str_eq(shown(show_rooms,
                           "{\"rooms\":[{\"name\":\"#lobby\",\"members\":3,"
                           "\"topic\":\"Coffee at four\",\"events\":128},"
                           "{\"name\":\"#a\",\"members\":1,\"topic\":\"\","
                           "\"events\":1}]}"),
                     "ROOM    MEMBERS  EVENTS  TOPIC\n"
                     "#lobby        3     128  Coffee at four\n"
                     "#a            1       1  \n"
                     "2 rooms\n");
}
END_TEST

START_TEST(a_census_is_its_groups_whatever_is_in_them)
{
    ck_assert_str_eq(
        shown(show_census,
              "{\"now\":{\"conns\":2,\"new_one\":-1},\"total\":{},"
              "\"memory\":{\"rss_bytes\":4096},"
              "\"balances\":{\"messages\":true,\"connections\":false}}"),
        "now\n"
        "  conns                   2\n"
        "  new_one                 -1\n"
        "total\n"
        "memory\n"
        "  rss_bytes               4096\n"
        "balances\n"
        "  messages                balanced\n"
        "  connections             NOT BALANCED\n");
}
END_TEST

static const show_fn all[] = {show_nothing, show_version, show_status,
                              show_clients, show_rooms,   show_census};

START_TEST(what_is_missing_or_of_the_wrong_kind_does_no_harm)
{
    static const char *const odd[] = {
        "{}",
        "[]",
        "{\"clients\":7,\"rooms\":{},\"now\":[],\"messages\":\"x\"}",
        "{\"clients\":[1,null,{\"nick\":5,\"age_ms\":-3}],\"rooms\":[[]],"
        "\"now\":{\"x\":\"y\"},\"listeners\":[0],\"workers\":[{}],"
        "\"uptime_ms\":\"x\",\"version\":[]}",
    };

    for (size_t i = 0; i < ARRAY_LEN(odd); i++)
        for (size_t k = 0; k < ARRAY_LEN(all); k++)
            (void)shown(all[k], odd[i]);
}
END_TEST

START_TEST(nothing_hostile_reaches_the_terminal)
{
    static const char hostile[] =
        "{\"version\":\"\\u001b]0;x\\u0007\",\"config\":\"\\u009b\","
        "\"listeners\":[{\"name\":\"\\u001b\",\"address\":\"\\u202e\"}],"
        "\"clients\":[{\"nick\":\"a\\u001b[2J\",\"room\":\"\\u2028\"}],"
        "\"rooms\":[{\"name\":\"#\\r\\n\",\"topic\":\"\\u0000\"}],"
        "\"now\":{\"\\u001bkey\":1}}";
    static const char *const bad[] = {
        "\x1b", "\x07", "\r", "\xc2\x9b", "\xe2\x80\xae", "\xe2\x80\xa8"};
    char answer[sizeof(hostile)];

    memcpy(answer, hostile, sizeof(hostile));
    memcpy(strstr(answer, "\\u0000"), "\\u0001", 6); /* jansson takes no NUL */
    for (size_t k = 0; k < ARRAY_LEN(all); k++)
        for (size_t i = 0; i < ARRAY_LEN(bad); i++)
            ck_assert_ptr_null(strstr(shown(all[k], answer), bad[i]));
}
END_TEST

UNIT_MAIN("ctl/show", a_status_is_a_line_a_fact,
          a_thread_that_stalled_is_shown_in_the_status,
          without_a_config_file_the_status_says_so, clients_are_a_table,
          an_empty_list_is_one_line, rooms_are_a_table,
          a_census_is_its_groups_whatever_is_in_them,
          what_is_missing_or_of_the_wrong_kind_does_no_harm,
          nothing_hostile_reaches_the_terminal)
