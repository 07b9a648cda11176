/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every form of docs/protocol-line.md that comes from an event.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/msg.h"
#include "proto/line/line_text_priv.h"
#include "support/unit.h"

/* 2026-11-21 10:04:59.999 UTC */
#define AT_10_04 UINT64_C(1795255499999)

#define NICK(s) .who.nick = {(s), sizeof(s) - 1}
#define NAME(s) .name = {(s), sizeof(s) - 1}
#define TEXT(s) .text = {(s), sizeof(s) - 1}
#define ROOM(s) .room = {(s), sizeof(s) - 1}

static void
check_form(const struct event *e, const struct line_look *look, bool crlf,
           const char *expected)
{
    struct line_out o;
    struct msg *m;

    line_out_init(&o, crlf);
    line_render(&o, e, look);
    m = line_out_to_msg(&o);

    ck_assert_ptr_nonnull(m);
    ck_assert_msg(m->len == strlen(expected) &&
                      memcmp(m->data, expected, m->len) == 0,
                  "got \"%.*s\", not \"%s\"", (int)m->len,
                  (const char *)m->data, expected);
    msg_unref(m);
}

/* `expected` has lines that end with LF; the CR LF form follows from it. */
static void
check(const struct event *e, const struct line_look *look, const char *expected)
{
    char crlf[4096];
    size_t n = 0;

    for (const char *s = expected; *s != '\0'; s++) {
        if (*s == '\n')
            crlf[n++] = '\r';
        crlf[n++] = *s;
        ck_assert_uint_lt(n, sizeof(crlf) - 2);
    }
    crlf[n] = '\0';
    check_form(e, look, false, expected);
    check_form(e, look, true, crlf);
}

static const struct line_look here = {ROOM("#lobby")};
static const struct line_look elsewhere = {ROOM("#tea"), .other = true};
static const struct line_look own = {ROOM("#lobby"), .own = true};
static const struct line_look past = {.replay = true};
static const struct line_look nowhere = {.listed = 0};

START_TEST(what_is_said_here_and_elsewhere)
{
    const struct event e = {
        .kind = EVENT_SAID, NICK("bob"), TEXT("hello alice")};

    check(&e, &here, "<bob> hello alice\n");
    check(&e, &elsewhere, "[#tea] <bob> hello alice\n");
}
END_TEST

START_TEST(what_is_done_here_and_elsewhere)
{
    const struct event e = {
        .kind = EVENT_SAID, .style = SAY_ACTION, NICK("bob"), TEXT("waves")};

    check(&e, &here, "* bob waves\n");
    check(&e, &elsewhere, "[#tea] * bob waves\n");
}
END_TEST

START_TEST(notices_here_and_elsewhere)
{
    const struct event e = {.kind = EVENT_SAID,
                            .style = SAY_NOTICE,
                            NICK("bot"),
                            TEXT("build is green")};

    check(&e, &here, "-bot- build is green\n");
    check(&e, &elsewhere, "[#tea] -bot- build is green\n");
}
END_TEST

START_TEST(the_past_carries_its_time)
{
    struct event e = {.kind = EVENT_SAID,
                      .wall_ms = AT_10_04,
                      NICK("bob"),
                      TEXT("the kettle is on")};

    check(&e, &past, "10:04 <bob> the kettle is on\n");
    e.style = SAY_ACTION;
    check(&e, &past, "10:04 * bob the kettle is on\n");
    e.wall_ms = 0;
    check(&e, &past, "00:00 * bob the kettle is on\n");
    e.wall_ms = UINT64_MAX;
    check(&e, &past, "23:59 * bob the kettle is on\n");
}
END_TEST

START_TEST(what_is_told_to_one_alone)
{
    struct event e = {.kind = EVENT_TOLD, NICK("bob"), TEXT("psst")};

    check(&e, &nowhere, "[private] <bob> psst\n");
    e.style = SAY_ACTION;
    check(&e, &nowhere, "[private] * bob psst\n");
    e.style = SAY_NOTICE;
    check(&e, &nowhere, "[private] -bob- psst\n");
}
END_TEST

START_TEST(announcements)
{
    const struct event e = {.kind = EVENT_ANNOUNCED, TEXT("soup at noon")};

    check(&e, &nowhere, "* Operator: soup at noon\n");
}
END_TEST

START_TEST(joining)
{
    const struct event e = {.kind = EVENT_JOINED, NICK("bob"), NAME("#lobby")};

    check(&e, &here, "* bob joined #lobby.\n");
    check(&e, &elsewhere, "* bob joined #lobby.\n");
    check(&e, &own, "");
}
END_TEST

START_TEST(leaving_a_room)
{
    struct event e = {.kind = EVENT_PARTED, NICK("bob")};

    check(&e, &here, "* bob left #lobby.\n");
    check(&e, &own, "* You left #lobby.\n");
    e.text = slice_of("lunch");
    check(&e, &here, "* bob left #lobby (lunch).\n");
    check(&e, &own, "* You left #lobby.\n");
}
END_TEST

START_TEST(quitting)
{
    struct event e = {.kind = EVENT_QUIT, NICK("bob")};

    check(&e, &nowhere, "* bob quit.\n");
    e.text = slice_of("connection lost");
    check(&e, &nowhere, "* bob quit (connection lost).\n");
}
END_TEST

START_TEST(changing_the_nickname)
{
    const struct event e = {.kind = EVENT_RENAMED, NICK("bob"), NAME("rob")};

    check(&e, &nowhere, "* bob is now known as rob.\n");
    check(&e, &own, "* You are known as rob now.\n");
}
END_TEST

START_TEST(being_away_and_back)
{
    struct event e = {.kind = EVENT_AWAY, NICK("bob")};

    check(&e, &nowhere, "* bob is back.\n");
    check(&e, &own, "* You are back.\n");
    e.text = slice_of("lunch");
    check(&e, &nowhere, "* bob is away (lunch).\n");
    check(&e, &own, "* You are away (lunch); /back ends that.\n");
    e.text = slice_of(LINE_AWAY_PLAIN);
    check(&e, &nowhere, "* bob is away.\n");
    check(&e, &own, "* You are away; /back ends that.\n");
}
END_TEST

START_TEST(setting_the_topic)
{
    struct event e = {.kind = EVENT_TOPIC, NICK("bob"), TEXT("Coffee at four")};

    check(&e, &here, "* bob set the topic of #lobby: Coffee at four\n");
    e.text.len = 0;
    check(&e, &here, "* bob cleared the topic of #lobby.\n");
}
END_TEST

START_TEST(asking_for_the_topic)
{
    struct event e = {.kind = EVENT_TOPIC_IS,
                      .wall_ms = AT_10_04,
                      NICK("bob"),
                      NAME("#lobby"),
                      TEXT("Coffee at four")};

    check(&e, &nowhere,
          "* Topic of #lobby: Coffee at four (set by bob, 2026-11-21 10:04 "
          "UTC)\n");
    e.text.len = 0;
    check(&e, &nowhere, "* #lobby has no topic.\n");
}
END_TEST

START_TEST(the_end_of_a_session)
{
    struct event e = {.kind = EVENT_ENDED};

    check(&e, &nowhere, "* An operator ended your session.\n");
    e.text = slice_of("enough now");
    check(&e, &nowhere, "* An operator ended your session: enough now\n");
}
END_TEST

START_TEST(how_a_joiner_finds_the_room)
{
    struct event e = {.kind = EVENT_ROOM, NAME("#lobby"), .number = 1};

    check(&e, &nowhere, "* You are in #lobby. Nobody else is here.\n");
    e.number = 3;
    check(&e, &nowhere,
          "* You are in #lobby: 3 people are here, /who names them.\n");
    e.text = slice_of("Coffee at four");
    check(&e, &nowhere,
          "* You are in #lobby: 3 people are here, /who names them.\n"
          "* Topic: Coffee at four\n");
}
END_TEST

START_TEST(history_has_a_heading)
{
    struct event e = {.kind = EVENT_HISTORY, NAME("#lobby"), .number = 2};

    check(&e, &nowhere, "* Earlier in #lobby (times are UTC):\n");
    e.number = 0;
    check(&e, &nowhere, "* Nothing is said in #lobby so far.\n");
}
END_TEST

START_TEST(who_is_there)
{
    const struct event_item items[] = {
        {.name = slice_of("a")},
        {.name = slice_of("b"), .text = slice_of("lunch")},
        {.name = slice_of("小明")                    },
    };
    struct event e = {.kind = EVENT_MEMBERS,
                      .last = true,
                      .count = 3,
                      NAME("#lobby"),
                      .u.items = items};

    check(&e, &nowhere,
          "* In #lobby: a, b (away), 小明\n* 3 people in #lobby.\n");
    e.count = 1;
    check(&e, &nowhere, "* In #lobby: a\n* 1 person in #lobby.\n");
    e.count = 0;
    check(&e, &nowhere, "* Nobody is in #lobby.\n");
}
END_TEST

START_TEST(a_list_in_parts_is_counted_at_its_end)
{
    const struct event_item items[] = {{.name = slice_of("a")}};
    const struct line_look later = {.listed = 256};
    struct event e = {
        .kind = EVENT_MEMBERS, .count = 1, NAME("#lobby"), .u.items = items};

    check(&e, &nowhere, "* In #lobby: a\n");
    e.last = true;
    check(&e, &later, "* In #lobby: a\n* 257 people in #lobby.\n");
}
END_TEST

/* Lines of `o`, each but the last full: no name more would have fitted. */
static void
check_wrapped(const struct line_out *o, size_t name_len)
{
    size_t start = 0;
    unsigned lines = 0;

    for (size_t i = 0; i < o->text.len; i++) {
        size_t len;

        if (o->text.data[i] != '\n')
            continue;
        len = i - start;
        ck_assert_uint_le(len, LINE_WRAP_AT);
        ck_assert_int_eq(memcmp(o->text.data + start, "* In #lobby: ", 13), 0);
        if (i + 1 < o->text.len)
            ck_assert_uint_gt(len + 2 + name_len, LINE_WRAP_AT);
        start = i + 1;
        lines++;
    }
    ck_assert_uint_eq(start, o->text.len);
    ck_assert_uint_gt(lines, 1);
}

START_TEST(long_lists_are_wrapped_at_names)
{
    static const char name[] = "abcdefghijklmnopqrstuvwxyzabcdef";
    struct event_item items[EVENT_ITEMS_MAX];
    struct event e = {.kind = EVENT_MEMBERS,
                      .count = EVENT_ITEMS_MAX,
                      NAME("#lobby"),
                      .u.items = items};

    for (size_t len = 2; len < sizeof(name); len++) {
        struct line_out o;

        for (size_t i = 0; i < EVENT_ITEMS_MAX; i++)
            items[i] = (struct event_item){.name = slice_make(name, len)};
        line_out_init(&o, false);
        line_render(&o, &e, &nowhere);
        check_wrapped(&o, len);
        buf_fini(&o.text);
    }
}
END_TEST

START_TEST(the_longest_names_fit_a_line)
{
    char nick[32 * 4 + 1], room[64 * 4 + 1];
    const struct event_item items[] = {
        {.name = {nick, sizeof(nick) - 1}, .text = slice_of("away")},
        {.name = {nick, sizeof(nick) - 1}, .text = slice_of("away")},
    };
    const struct event e = {
        .kind = EVENT_MEMBERS,
        .count = 2,
        .name = {room, sizeof(room) - 1},
        .u.items = items
    };
    struct line_out o;

    memset(nick, 'n', sizeof(nick));
    memset(room, 'r', sizeof(room));
    line_out_init(&o, false);
    line_render(&o, &e, &nowhere);

    ck_assert_uint_eq(o.text.len, (size_t)2 * (5 + 256 + 2 + 128 + 7 + 1));
    ck_assert_int_eq(o.text.data[o.text.len / 2 - 1], '\n');
    ck_assert_uint_le(o.text.len / 2 - 1, LINE_WRAP_AT);
    buf_fini(&o.text);
}
END_TEST

START_TEST(which_rooms_there_are)
{
    const struct event_item items[] = {
        {.name = slice_of("#lobby"),
         .text = slice_of("Coffee at four"),
         .number = 3},
        {.name = slice_of("#tea"),                .number = 1},
        {.name = slice_of("#空")  },
    };
    struct event e = {
        .kind = EVENT_ROOMS, .last = true, .count = 3, .u.items = items};

    check(&e, &nowhere,
          "* #lobby: 3 people. Coffee at four\n"
          "* #tea: 1 person.\n"
          "* #空: 0 people.\n"
          "* 3 rooms.\n");
    e.count = 1;
    check(&e, &nowhere, "* #lobby: 3 people. Coffee at four\n* 1 room.\n");
}
END_TEST

START_TEST(what_is_sent_is_told_only_when_nobody_may_read_it)
{
    struct event e = {.kind = EVENT_SENT, NAME("bob")};

    check(&e, &nowhere, "");
    e.text = slice_of("lunch");
    check(&e, &nowhere, "* bob is away: lunch\n");
    e.text = slice_of(LINE_AWAY_PLAIN);
    check(&e, &nowhere, "* bob is away.\n");
}
END_TEST

START_TEST(answers_to_the_program_are_not_shown)
{
    static const enum event_kind kinds[] = {EVENT_ATTACHED, EVENT_PONG,
                                            EVENT_DONE};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        const struct event e = {
            .kind = (uint8_t)kinds[i], NICK("bob"), TEXT("token")};

        check(&e, &nowhere, "");
    }
}
END_TEST

START_TEST(a_refusal_is_a_sentence)
{
    const struct event e = {
        .kind = EVENT_REFUSED, .refusal = REFUSAL_NICK_TAKEN, NAME("bob")};

    check(&e, &nowhere, "* bob is taken; please choose another nickname.\n");
}
END_TEST

/* What must not reach a terminal: C0 and C1 controls, line ends, bidirectional
 * overrides, and what is no UTF-8. */
#define HOSTILE "a\033[2J\r\nb\a\0\177\302\233\342\200\256\342\200\250\377c"

static void
check_clean(const struct event *e, const struct line_look *look)
{
    struct line_out o;
    unsigned lines = 0;

    line_out_init(&o, false);
    line_render(&o, e, look);
    for (size_t i = 0; i < o.text.len; i++) {
        const unsigned char byte = (unsigned char)o.text.data[i];

        lines += byte == '\n';
        ck_assert_uint_ne(byte, 0x7f);
        ck_assert_uint_ne(byte, 0xff);
        ck_assert(byte == '\n' || byte >= ' ');
    }
    ck_assert_uint_eq(lines, 1);
    ck_assert_ptr_null(memmem(o.text.data, o.text.len, "\302\233", 2));
    ck_assert_ptr_null(memmem(o.text.data, o.text.len, "\342\200\256", 3));
    ck_assert_ptr_null(memmem(o.text.data, o.text.len, "\342\200\250", 3));
    ck_assert_ptr_nonnull(memmem(o.text.data, o.text.len, "a[2Jb", 5));
    buf_fini(&o.text);
}

START_TEST(hostile_bytes_do_not_come_out)
{
    static const enum event_kind kinds[] = {
        EVENT_SAID, EVENT_PARTED,    EVENT_TOPIC, EVENT_QUIT,     EVENT_AWAY,
        EVENT_TOLD, EVENT_ANNOUNCED, EVENT_ENDED, EVENT_TOPIC_IS, EVENT_SENT,
    };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        const struct event e = {.kind = (uint8_t)kinds[i],
                                NICK("bob"),
                                NAME("#lobby"),
                                TEXT(HOSTILE)};

        check_clean(&e, &here);
    }
}
END_TEST

START_TEST(hostile_bytes_do_not_come_out_of_lists_and_refusals)
{
    const struct event_item item = {
        .name = slice_of("#lobby"), .text = {HOSTILE, sizeof(HOSTILE) - 1}
    };
    const struct event rooms = {
        .kind = EVENT_ROOMS, .count = 1, .u.items = &item};
    const struct event refused = {
        .kind = EVENT_REFUSED, .refusal = REFUSAL_NO_SUCH_NICK, NAME(HOSTILE)};

    check_clean(&rooms, &nowhere);
    check_clean(&refused, &nowhere);
}
END_TEST

START_TEST(tabs_and_formatting_stay)
{
    const struct event e = {
        .kind = EVENT_SAID, NICK("bob"), TEXT("a\tb\002bold\002\0034red\017")};

    check(&e, &here, "<bob> a\tb\002bold\002\0034red\017\n");
}
END_TEST

UNIT_MAIN("proto/line_event", what_is_said_here_and_elsewhere,
          what_is_done_here_and_elsewhere, notices_here_and_elsewhere,
          the_past_carries_its_time, what_is_told_to_one_alone, announcements,
          joining, leaving_a_room, quitting, changing_the_nickname,
          being_away_and_back, setting_the_topic, asking_for_the_topic,
          the_end_of_a_session, how_a_joiner_finds_the_room,
          history_has_a_heading, who_is_there,
          a_list_in_parts_is_counted_at_its_end,
          long_lists_are_wrapped_at_names, the_longest_names_fit_a_line,
          which_rooms_there_are,
          what_is_sent_is_told_only_when_nobody_may_read_it,
          answers_to_the_program_are_not_shown, a_refusal_is_a_sentence,
          hostile_bytes_do_not_come_out,
          hostile_bytes_do_not_come_out_of_lists_and_refusals,
          tabs_and_formatting_stay)
