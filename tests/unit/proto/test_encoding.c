/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "base/msg.h"
#include "front_rig.h"
#include "support/unit.h"

static void
start(void)
{
    rig_init();
    rig_start();
}

static void
said_by_bob(const char *text)
{
    const struct event_who bob = rig_who(NULL, "bob");

    hub_said(&bob, RIG_LOBBY, text);
}

START_TEST(five_hundred_members_cost_one_encoding_a_form)
{
    static struct peer *peers[500];

    start();
    for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
        char nick[16];

        snprintf(nick, sizeof(nick), "n%zu", i);
        peers[i] = rig_member(nick);
        peers[i]->talk->form = i % 2;
    }
    /* Apart from the members, so that joins are not told to each before. */
    for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
        struct view_member *member;

        ck_assert_int_eq(view_join(&rig.f->view, &peers[i]->talk->cl, RIG_LOBBY,
                                   slice_of("#lobby"), &member),
                         0);
    }
    rig.encode_calls = 0;

    said_by_bob("hi");

    ck_assert_uint_eq(rig.encode_calls, 2);
    ck_assert_uint_eq(msg_live(), 2);
    for (size_t i = 0; i < ARRAY_LEN(peers); i++)
        ck_assert_str_eq(peer_read(peers[i]), i % 2 == 0
                                                  ? "said #lobby bob hi\n"
                                                  : "+said #lobby bob hi\n");
    rig_stop();
}
END_TEST

START_TEST(encodings_and_copies_are_counted)
{
    uint64_t encoded, fanout;

    start();
    rig_in_lobby("alice");
    rig_in_lobby("carol");
    encoded = rig_counter("encoded");
    fanout = rig_counter("fanout");

    said_by_bob("hi");

    ck_assert_uint_eq(rig_counter("encoded") - encoded, 1);
    ck_assert_uint_eq(rig_counter("fanout") - fanout, 2);
    rig_stop();
}
END_TEST

/* `n` in #lobby, each of a form of its own. */
static void
join_in_forms(struct peer **peers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        peers[i] = rig_in_lobby("x");
        peers[i]->talk->form = (uint32_t)i;
    }
}

static size_t
encodings_of_one_line(struct peer **peers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        (void)peer_read(peers[i]);
    rig.encode_calls = 0;
    said_by_bob("hi");

    for (size_t i = 0; i < n; i++)
        ck_assert_str_eq(peer_read(peers[i]), peers[i]->talk->form == 0
                                                  ? "said #lobby bob hi\n"
                                                  : "+said #lobby bob hi\n");
    return rig.encode_calls;
}

START_TEST(as_many_forms_as_are_remembered_cost_one_encoding_each)
{
    struct peer *peers[ENCODING_FORMS + 2];

    start();
    join_in_forms(peers, ARRAY_LEN(peers));
    /* Two of the first form and two of the last, ENCODING_FORMS in all. */
    peers[1]->talk->form = 0;
    peers[ENCODING_FORMS]->talk->form = ENCODING_FORMS + 1;

    ck_assert_uint_eq(encodings_of_one_line(peers, ARRAY_LEN(peers)),
                      ENCODING_FORMS);
    rig_stop();
}
END_TEST

START_TEST(forms_beyond_that_are_encoded_each_time)
{
    struct peer *peers[ENCODING_FORMS + 3];

    start();
    join_in_forms(peers, ARRAY_LEN(peers));
    peers[ARRAY_LEN(peers) - 1]->talk->form = ENCODING_FORMS;

    ck_assert_uint_eq(encodings_of_one_line(peers, ARRAY_LEN(peers)),
                      ARRAY_LEN(peers));
    rig_stop();
}
END_TEST

START_TEST(memory_short_while_encoding_ends_one_client)
{
    struct peer *a, *b, *c;

    start();
    a = rig_in_lobby("alice");
    b = rig_in_lobby("carol");
    c = rig_in_lobby("dave");
    (void)peer_read(a);
    (void)peer_read(b);
    rig.encode_fails = 1;

    said_by_bob("hi");

    (void)peer_read(a);
    ck_assert(a->ended);
    ck_assert_int_eq(a->end, CONN_END_NOMEM);
    ck_assert_str_eq(peer_read(b), "said #lobby bob hi\n");
    ck_assert_str_eq(peer_read(c), "said #lobby bob hi\n");
    rig_stop();
}
END_TEST

START_TEST(nobody_there_costs_no_encoding)
{
    start();
    rig_member("alice");
    rig.encode_calls = 0;

    said_by_bob("hi");

    ck_assert_uint_eq(rig.encode_calls, 0);
    rig_stop();
}
END_TEST

UNIT_MAIN("proto/encoding", five_hundred_members_cost_one_encoding_a_form,
          encodings_and_copies_are_counted,
          as_many_forms_as_are_remembered_cost_one_encoding_each,
          forms_beyond_that_are_encoded_each_time,
          memory_short_while_encoding_ends_one_client,
          nobody_there_costs_no_encoding)
