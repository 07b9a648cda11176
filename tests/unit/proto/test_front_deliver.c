/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "front_rig.h"
#include "support/unit.h"

static void
start(void)
{
    rig_init();
    rig_start();
}

/* -- rooms ----------------------------------------------------------------- */

START_TEST(who_joins_hears_its_own_join)
{
    struct event_who who;
    struct peer *p;

    start();
    p = rig_member("alice");
    who = rig_who(p, "alice");
    hub_joined(&who, RIG_LOBBY, "#lobby");

    ck_assert_str_eq(peer_read(p), "joined #lobby alice #lobby\n");
    ck_assert_uint_eq(rig_counter("view_rooms"), 1);
    ck_assert_uint_eq(rig_counter("view_members"), 1);
    rig_stop();
}
END_TEST

START_TEST(who_parts_hears_that_and_nothing_behind)
{
    const struct event_who bob = rig_who(NULL, "bob");
    struct event_who who;
    struct peer *p;

    start();
    p = rig_in_lobby("alice");
    who = rig_who(p, "alice");
    hub_said(&bob, RIG_LOBBY, "hi");
    hub_parted(&who, RIG_LOBBY, "tea");
    hub_said(&bob, RIG_LOBBY, "gone?");

    ck_assert_str_eq(peer_read(p),
                     "said #lobby bob hi\nparted #lobby alice tea\n");
    ck_assert_uint_eq(rig_counter("view_rooms"), 0);
    rig_stop();
}
END_TEST

START_TEST(a_room_event_reaches_its_members_only)
{
    const struct event_who bob = rig_who(NULL, "bob");
    struct event_who who;
    struct peer *in, *out;

    start();
    in = rig_in_lobby("alice");
    out = rig_member("carol");
    who = rig_who(out, "carol");
    hub_joined(&who, 200, "#tea");
    (void)peer_read(out);
    hub_said(&bob, RIG_LOBBY, "hi");

    ck_assert_str_eq(peer_read(in), "said #lobby bob hi\n");
    ck_assert_str_eq(peer_read(out), "");
    rig_stop();
}
END_TEST

START_TEST(the_join_and_part_of_others_do_not_touch_the_view)
{
    const struct event_who bob = rig_who(NULL, "bob");
    struct peer *p;

    start();
    p = rig_in_lobby("alice");
    hub_joined(&bob, RIG_LOBBY, "#lobby");
    hub_parted(&bob, RIG_LOBBY, "");

    ck_assert_str_eq(peer_read(p),
                     "joined #lobby bob #lobby\nparted #lobby bob\n");
    ck_assert_uint_eq(rig_counter("view_members"), 1);
    rig_stop();
}
END_TEST

START_TEST(a_join_of_a_dead_conn_is_ignored)
{
    struct event_who who;
    struct peer *p;

    start();
    p = rig_member("alice");
    who = rig_who(p, "alice");
    conn_close(p->talk->cl.conn, CONN_END_RESET);
    hub_joined(&who, RIG_LOBBY, "#lobby"); /* closed, not yet freed */
    ck_assert_uint_eq(rig_counter("view_members"), 0);
    rig_settle();
    hub_joined(&who, RIG_LOBBY, "#lobby"); /* freed */

    ck_assert_uint_eq(rig_counter("view_members"), 0);
    rig_stop();
}
END_TEST

START_TEST(a_replayed_join_is_only_something_to_show)
{
    struct event draft = {
        .kind = EVENT_JOINED,
        .room = RIG_LOBBY,
        .name = slice_of("#lobby"),
    };
    struct peer *p;

    start();
    p = rig_member("alice");
    draft.who = rig_who(p, "alice");
    hub_deliver(ROUTE_CONN, &draft, p->id, 1, true);

    ck_assert_str_eq(peer_read(p), "then joined alice #lobby\n");
    ck_assert_uint_eq(rig_counter("view_members"), 0);
    rig_stop();
}
END_TEST

START_TEST(a_replayed_part_leaves_nobody)
{
    struct event draft = {.kind = EVENT_PARTED, .room = RIG_LOBBY};
    struct peer *p;

    start();
    p = rig_in_lobby("alice");
    draft.who = rig_who(p, "alice");
    hub_deliver(ROUTE_CONN, &draft, p->id, 1, true);

    ck_assert_uint_eq(rig_counter("view_members"), 1);
    rig_stop();
}
END_TEST

static bool members_fail;

void *__real_slab_get(struct slab *slab);
void *__wrap_slab_get(struct slab *slab);

void *
__wrap_slab_get(struct slab *slab)
{
    if (members_fail && slab == &rig.f->view.members)
        return NULL;
    return __real_slab_get(slab);
}

START_TEST(who_cannot_be_put_into_the_view_ends)
{
    struct event_who who;
    struct peer *p;

    start();
    p = rig_member("alice");
    who = rig_who(p, "alice");
    members_fail = true;
    hub_joined(&who, RIG_LOBBY, "#lobby");
    members_fail = false;
    rig_settle();

    ck_assert(p->ended);
    ck_assert_int_eq(p->end, CONN_END_NOMEM);
    rig_stop();
}
END_TEST

/* -- peers ----------------------------------------------------------------- */

static struct peer *
in_rooms(const char *nick, const room_id *rooms)
{
    struct peer *const p = rig_member(nick);
    const struct event_who who = rig_who(p, nick);

    for (; *rooms != 0; rooms++) {
        char name[32];

        snprintf(name, sizeof(name), "#r%u", (unsigned)*rooms);
        hub_joined(&who, *rooms, name);
    }
    return p;
}

START_TEST(a_peer_is_told_once_however_many_rooms_are_shared)
{
    static const room_id all[] = {1, 2, 3, 0};
    static const room_id one[] = {2, 0};
    static const room_id other[] = {9, 0};
    const struct event_who bob = rig_who(NULL, "bob");
    struct peer *a, *b, *c;

    start();
    a = in_rooms("a", all);
    b = in_rooms("b", one);
    c = in_rooms("c", other);
    (void)peer_read(a);
    (void)peer_read(b);
    (void)peer_read(c);
    rig.encode_calls = 0;
    hub_peers(EVENT_QUIT, &bob, "", "tea", all);

    ck_assert_str_eq(peer_read(a), "quit bob tea\n");
    ck_assert_str_eq(peer_read(b), "quit bob tea\n");
    ck_assert_str_eq(peer_read(c), "");
    ck_assert_uint_eq(rig.encode_calls, 1);
    rig_stop();
}
END_TEST

START_TEST(the_next_of_its_kind_is_told_again)
{
    static const room_id rooms[] = {1, 2, 0};
    const struct event_who bob = rig_who(NULL, "bob");
    struct peer *p;

    start();
    p = in_rooms("a", rooms);
    (void)peer_read(p);
    hub_peers(EVENT_AWAY, &bob, "", "out", rooms);
    hub_peers(EVENT_AWAY, &bob, "", "", rooms);

    ck_assert_str_eq(peer_read(p), "away bob out\naway bob\n");
    rig_stop();
}
END_TEST

START_TEST(who_is_renamed_hears_it_once_and_is_called_so)
{
    static const room_id rooms[] = {1, 2, 0};
    struct event_who who;
    struct peer *p, *q;

    start();
    p = in_rooms("a", rooms);
    q = in_rooms("b", rooms);
    (void)peer_read(p);
    (void)peer_read(q);
    who = rig_who(p, "a");
    hub_peers(EVENT_RENAMED, &who, "anna", "", rooms);

    ck_assert_str_eq(peer_read(p), "renamed a anna\n");
    ck_assert_str_eq(peer_read(q), "renamed a anna\n");
    ck_assert_str_eq(p->talk->cl.nick, "anna");
    rig_stop();
}
END_TEST

START_TEST(who_is_in_no_room_still_hears_of_its_own_change)
{
    static const room_id none[] = {0};
    struct event_who who;
    struct peer *p;

    start();
    p = rig_member("a");
    who = rig_who(p, "a");
    hub_peers(EVENT_RENAMED, &who, "anna", "", none);

    ck_assert_str_eq(peer_read(p), "renamed a anna\n");
    rig_stop();
}
END_TEST

START_TEST(who_quits_is_not_told_of_it)
{
    static const room_id rooms[] = {1, 2, 0};
    const struct sent *s;
    struct event_who who;
    struct peer *p, *q;

    start();
    p = in_rooms("a", rooms);
    q = in_rooms("b", rooms);
    (void)peer_read(p);
    (void)peer_read(q);
    peer_say(p, "/quit\n");
    s = hub_take(COMMAND_DETACH);
    who = rig_who(p, "a");
    hub_peers(EVENT_QUIT, &who, "", "bye", rooms);
    hub_done(s);

    ck_assert_str_eq(peer_read(p), "done\n");
    ck_assert_str_eq(peer_read(q), "quit a bye\n");
    ck_assert_uint_eq(rig_counter("view_members"), 2);
    rig_stop();
}
END_TEST

/* -- all, one, nobody ------------------------------------------------------ */

START_TEST(an_announcement_reaches_every_session)
{
    const struct event draft = {
        .kind = EVENT_ANNOUNCED,
        .text = slice_of("tea"),
    };
    struct peer *member, *stranger, *asked;

    start();
    member = rig_member("alice");
    stranger = rig_connect();
    asked = rig_connect();
    peer_say(asked, "bob\n");
    hub_deliver(ROUTE_ALL, &draft, CONN_NONE, 0, false);

    ck_assert_str_eq(peer_read(member), "announced tea\n");
    ck_assert_str_eq(peer_read(stranger), "");
    ck_assert_str_eq(peer_read(asked), "");
    rig_stop();
}
END_TEST

START_TEST(an_answer_reaches_its_asker_only)
{
    const struct event draft = {.kind = EVENT_PONG, .text = slice_of("x")};
    struct peer *a, *b;

    start();
    a = rig_member("alice");
    b = rig_member("bob");
    hub_deliver(ROUTE_CONN, &draft, a->id, 1, false);

    ck_assert_str_eq(peer_read(a), "pong x\n");
    ck_assert_str_eq(peer_read(b), "");
    rig_stop();
}
END_TEST

START_TEST(ids_that_are_stale_or_of_others_find_nobody)
{
    const struct event draft = {.kind = EVENT_PONG, .text = slice_of("x")};
    const uint64_t elsewhere = (uint64_t)(RIG_WORKER + 1) << 56;
    struct peer *old, *p;
    uint64_t slot;

    start();
    old = rig_member("alice");
    conn_close(old->talk->cl.conn, CONN_END_RESET);
    hub_deliver(ROUTE_CONN, &draft, old->id, 1, false); /* not yet freed */
    rig_settle();
    hub_done(hub_take(COMMAND_DETACH));
    p = rig_member("bob");
    slot = p->id & 0xfffffff;

    hub_deliver(ROUTE_CONN, &draft, old->id, 1, false);
    hub_deliver(ROUTE_CONN, &draft, elsewhere | slot, 1, false);
    hub_deliver(ROUTE_CONN, &draft, CONN_NONE, 1, false);

    ck_assert_str_eq(peer_read(p), "");
    rig_stop();
}
END_TEST

/* -- ends in the middle ---------------------------------------------------- */

static void
close_when_called_bob(struct talk_client *tc, const struct delivery *d)
{
    if (d->event->kind == EVENT_SAID && strcmp(tc->cl.nick, "bob") == 0)
        conn_close(tc->cl.conn, CONN_END_SENDQ);
}

START_TEST(a_conn_that_ends_while_a_room_is_told_ends_alone)
{
    const struct event_who who = rig_who(NULL, "dave");
    struct peer *a, *b, *c;

    start();
    a = rig_in_lobby("alice");
    b = rig_in_lobby("bob");
    c = rig_in_lobby("carol");
    (void)peer_read(a);
    (void)peer_read(b);
    rig.on_event = close_when_called_bob;
    hub_said(&who, RIG_LOBBY, "1");
    hub_said(&who, RIG_LOBBY, "2"); /* same turn: bob is still in the view */
    ck_assert_uint_eq(rig_counter("view_members"), 3);

    ck_assert_str_eq(peer_read(a), "said #lobby dave 1\nsaid #lobby dave 2\n");
    ck_assert_str_eq(peer_read(c), "said #lobby dave 1\nsaid #lobby dave 2\n");
    ck_assert(b->ended);
    ck_assert_uint_eq(rig_counter("view_members"), 2);
    rig_stop();
}
END_TEST

START_TEST(a_reader_too_slow_ends_and_the_others_read_on)
{
    const struct event_who who = rig_who(NULL, "dave");
    static char text[4000];
    struct peer *slow, *p;
    size_t heard = 0;

    rig_init();
    rig.net.limits_sendq = 4096;
    rig_start();
    slow = rig_in_lobby("slow");
    p = rig_in_lobby("alice");
    memset(text, 'x', sizeof(text) - 1);

    for (int i = 0; i < 2000 && !slow->ended; i++) {
        hub_said(&who, RIG_LOBBY, text);
        heard += strlen(peer_read(p));
    }
    ck_assert(slow->ended);
    ck_assert_int_eq(slow->end, CONN_END_SENDQ);
    ck_assert(!p->ended);
    ck_assert_uint_eq(heard % (strlen(text) + strlen("said #lobby dave \n")),
                      0);
    rig_stop();
}
END_TEST

START_TEST(a_batch_is_carried_out_in_order)
{
    struct event said = {
        .kind = EVENT_SAID,
        .room = RIG_LOBBY,
        .who.nick = slice_of("bob"),
    };
    struct delivery batch[8];
    struct peer *p;

    start();
    p = rig_in_lobby("alice");
    for (size_t i = 0; i < ARRAY_LEN(batch); i++) {
        const char digit = (char)('0' + i);

        said.text = slice_make(&digit, 1);
        batch[i] = (struct delivery){
            .event = event_create(&said),
            .route = ROUTE_ROOM,
        };
    }
    front_on_batch(rig.f, batch, ARRAY_LEN(batch));
    for (size_t i = 0; i < ARRAY_LEN(batch); i++)
        event_unref(batch[i].event);

    ck_assert_str_eq(peer_read(p), "said #lobby bob 0\nsaid #lobby bob 1\n"
                                   "said #lobby bob 2\nsaid #lobby bob 3\n"
                                   "said #lobby bob 4\nsaid #lobby bob 5\n"
                                   "said #lobby bob 6\nsaid #lobby bob 7\n");
    ck_assert_uint_eq(rig_counter("events"), 8 + 3);
    rig_stop();
}
END_TEST

UNIT_MAIN("proto/front_deliver", who_joins_hears_its_own_join,
          who_parts_hears_that_and_nothing_behind,
          a_room_event_reaches_its_members_only,
          the_join_and_part_of_others_do_not_touch_the_view,
          a_join_of_a_dead_conn_is_ignored,
          a_replayed_join_is_only_something_to_show,
          a_replayed_part_leaves_nobody, who_cannot_be_put_into_the_view_ends,
          a_peer_is_told_once_however_many_rooms_are_shared,
          the_next_of_its_kind_is_told_again,
          who_is_renamed_hears_it_once_and_is_called_so,
          who_is_in_no_room_still_hears_of_its_own_change,
          who_quits_is_not_told_of_it, an_announcement_reaches_every_session,
          an_answer_reaches_its_asker_only,
          ids_that_are_stale_or_of_others_find_nobody,
          a_conn_that_ends_while_a_room_is_told_ends_alone,
          a_reader_too_slow_ends_and_the_others_read_on,
          a_batch_is_carried_out_in_order)
