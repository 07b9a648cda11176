/* SPDX-License-Identifier: BSD-2-Clause
 *
 * malloc is wrapped, so that a case can make it fail.
 */
#include "chat/event.h"

#include <stdbool.h>
#include <string.h>

#include "base/compiler.h"
#include "support/unit.h"

static bool memory_is_short;

void *__real_malloc(size_t size);

void *
__wrap_malloc(size_t size)
{
    return memory_is_short ? NULL : __real_malloc(size);
}

static bool
reads(struct slice s, const char *text)
{
    return slice_equal(s, slice_of(text));
}

START_TEST(an_event_has_its_own_copy_of_all_bytes)
{
    char nick[] = "anna", name[] = "#tea", text[] = "good morning";
    const struct event from = {
        .kind = EVENT_SAID,
        .style = SAY_ACTION,
        .seq = 7,
        .who = {.user = 3, .conn = 9, .nick = slice_of(nick)},
        .name = slice_of(name),
        .text = slice_of(text),
    };
    struct event *const e = event_create(&from);

    ck_assert_ptr_nonnull(e);
    memset(nick, 'x', strlen(nick));
    memset(name, 'x', strlen(name));
    memset(text, 'x', strlen(text));

    ck_assert(reads(e->who.nick, "anna"));
    ck_assert(reads(e->name, "#tea"));
    ck_assert(reads(e->text, "good morning"));
    ck_assert_int_eq(e->style, SAY_ACTION);
    ck_assert_uint_eq(e->seq, 7);
    ck_assert_uint_eq(e->who.user, 3);
    ck_assert_uint_eq(e->who.conn, 9);
    ck_assert_uint_eq(event_bytes(e), sizeof(*e) + 4 + 4 + 12);
    event_unref(e);
}
END_TEST

START_TEST(an_event_has_its_own_copy_of_its_places)
{
    struct event_place places[2] = {
        {.room = 1, .seq = 10},
        {.room = 2, .seq = 20}
    };
    const struct event from = {
        .kind = EVENT_QUIT,
        .count = 2,
        .text = slice_of("bye"),
        .u.places = places,
    };
    struct event *const e = event_create(&from);

    ck_assert_ptr_nonnull(e);
    memset(places, 0, sizeof(places));

    ck_assert_uint_eq(e->u.places[0].room, 1);
    ck_assert_uint_eq(e->u.places[1].seq, 20);
    ck_assert(reads(e->text, "bye"));
    ck_assert_uint_eq(event_bytes(e), sizeof(*e) + sizeof(places) + 3);
    event_unref(e);
}
END_TEST

START_TEST(an_event_has_its_own_copy_of_its_items)
{
    char name[] = "anna", away[] = "lunch";
    struct event_item items[2] = {
        {.name = slice_of(name), .text = slice_of(away), .number = 5},
        {.name = slice_of("bob")          },
    };
    const struct event from = {
        .kind = EVENT_MEMBERS,
        .count = 2,
        .name = slice_of("#tea"),
        .u.items = items,
    };
    struct event *const e = event_create(&from);

    ck_assert_ptr_nonnull(e);
    memset(items, 0, sizeof(items));
    memset(name, 'x', strlen(name));

    ck_assert(reads(e->u.items[0].name, "anna"));
    ck_assert(reads(e->u.items[0].text, "lunch"));
    ck_assert_uint_eq(e->u.items[0].number, 5);
    ck_assert(reads(e->u.items[1].name, "bob"));
    ck_assert_uint_eq(e->u.items[1].text.len, 0);
    ck_assert(reads(e->name, "#tea"));
    event_unref(e);
}
END_TEST

START_TEST(the_last_reference_frees)
{
    const struct event from = {.kind = EVENT_DONE};
    struct event *const e = event_create(&from);

    ck_assert_uint_eq(event_live(), 1);
    ck_assert_ptr_eq(event_ref(e), e);
    event_unref(e);
    ck_assert_uint_eq(event_live(), 1);
    event_unref(e);
    ck_assert_uint_eq(event_live(), 0);
    event_unref(NULL);
}
END_TEST

START_TEST(short_memory_gives_no_event_and_counts_none)
{
    const struct event from = {.kind = EVENT_PONG, .text = slice_of("x")};
    struct event *e;

    memory_is_short = true;
    e = event_create(&from);
    memory_is_short = false;

    ck_assert_ptr_null(e);
    ck_assert_uint_eq(event_live(), 0);
}
END_TEST

START_TEST(what_happens_in_rooms_is_logged_and_answers_are_not)
{
    for (unsigned kind = 0; kind < EVENT_COUNT; kind++)
        ck_assert_int_eq(event_is_logged((enum event_kind)kind),
                         kind <= EVENT_AWAY);
}
END_TEST

START_TEST(kept_is_what_is_logged_and_what_was_said_to_one_or_all)
{
    for (unsigned kind = 0; kind < EVENT_COUNT; kind++)
        ck_assert_int_eq(event_is_kept((enum event_kind)kind),
                         kind <= EVENT_AWAY || kind == EVENT_TOLD ||
                             kind == EVENT_ANNOUNCED);
}
END_TEST

START_TEST(ones_own_doings_are_not_shown_but_talk_to_who_echoes)
{
    for (unsigned kind = 0; kind < EVENT_COUNT; kind++) {
        const struct event e = {.kind = (uint8_t)kind};
        const bool is_doing = kind == EVENT_JOINED || kind == EVENT_PARTED ||
                              kind == EVENT_RENAMED || kind == EVENT_QUIT ||
                              kind == EVENT_AWAY || kind == EVENT_RETURNED;

        ck_assert(event_is_shown(&e, false, false));
        ck_assert(event_is_shown(&e, false, true));
        ck_assert_int_eq(event_is_shown(&e, true, true), !is_doing);
        ck_assert_int_eq(event_is_shown(&e, true, false),
                         !is_doing && kind != EVENT_SAID);
    }
}
END_TEST

START_TEST(a_loss_has_places_too)
{
    const struct event_place places[] = {
        {7, 0},
        {9, 0}
    };

    for (unsigned kind = EVENT_LOST; kind <= EVENT_RETURNED; kind++) {
        const struct event from = {
            .kind = (uint8_t)kind, .count = 2, .u.places = places};
        struct event *const e = event_create(&from);

        ck_assert_ptr_nonnull(e);
        ck_assert_uint_eq(e->u.places[0].room, 7);
        ck_assert_uint_eq(e->u.places[1].room, 9);
        ck_assert_uint_eq(event_bytes(e), sizeof(*e) + sizeof(places));
        event_unref(e);
    }
}
END_TEST

START_TEST(everything_has_a_name_of_its_own)
{
    for (unsigned i = 0; i < EVENT_COUNT; i++) {
        ck_assert_str_ne(event_name((enum event_kind)i), "?");
        for (unsigned j = 0; j < i; j++)
            ck_assert_str_ne(event_name((enum event_kind)i),
                             event_name((enum event_kind)j));
    }
    for (unsigned i = 0; i < REFUSAL_COUNT; i++) {
        ck_assert_str_ne(refusal_name((enum refusal)i), "?");
        for (unsigned j = 0; j < i; j++)
            ck_assert_str_ne(refusal_name((enum refusal)i),
                             refusal_name((enum refusal)j));
    }
}
END_TEST

UNIT_MAIN("chat/event", an_event_has_its_own_copy_of_all_bytes,
          an_event_has_its_own_copy_of_its_places,
          an_event_has_its_own_copy_of_its_items, the_last_reference_frees,
          short_memory_gives_no_event_and_counts_none,
          what_happens_in_rooms_is_logged_and_answers_are_not,
          kept_is_what_is_logged_and_what_was_said_to_one_or_all,
          ones_own_doings_are_not_shown_but_talk_to_who_echoes,
          a_loss_has_places_too, everything_has_a_name_of_its_own)
