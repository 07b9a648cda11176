/* SPDX-License-Identifier: BSD-2-Clause */
#include "front_rig.h"
#include "support/unit.h"

static void
start(void)
{
    rig_init();
    rig_start();
}

struct listed {
    size_t n;
    const char *nicks[4];
};

static void
check_info(void *arg, const struct client_info *info)
{
    struct listed *const seen = arg;

    ck_assert_str_eq(info->protocol, "talk");
    ck_assert_ptr_nonnull(info->c);
    switch (seen->n++) {
    case 0:
        ck_assert(slice_equal(info->nick, slice_of("alice")));
        ck_assert(slice_equal(info->room, slice_of("#lobby")));
        ck_assert_str_eq(info->state, "open");
        ck_assert_uint_eq(info->rooms, 1);
        ck_assert_uint_eq(info->conn, rig.peers[0].id);
        break;
    case 1:
        ck_assert_uint_eq(info->nick.len, 0);
        ck_assert_uint_eq(info->room.len, 0);
        ck_assert_str_eq(info->state, "opening");
        ck_assert_uint_eq(info->rooms, 0);
        break;
    case 2:
        ck_assert_uint_eq(info->room.len, 0);
        ck_assert_str_eq(info->state, "draining");
        break;
    }
}

START_TEST(the_list_shows_each_client_oldest_first)
{
    struct listed seen = {0};
    struct peer *kicked;

    start();
    rig_in_lobby("alice");
    rig_connect();
    kicked = rig_in_lobby("carol");
    hub_ended(kicked, "");

    front_each_client(rig.f, check_info, &seen);

    ck_assert_uint_eq(seen.n, 3);
    rig_stop();
}
END_TEST

START_TEST(clients_are_counted_in_all_and_by_protocol)
{
    struct peer *p;

    start();
    rig_connect();
    p = rig_member("alice");
    ck_assert_uint_eq(rig_counter("clients"), 2);
    ck_assert_uint_eq(rig_counter("line_clients"), 2);
    peer_close(p);
    rig_settle();
    hub_done(hub_take(COMMAND_DETACH));
    rig_settle();

    ck_assert_uint_eq(rig_counter("clients"), 1);
    ck_assert_uint_eq(rig_counter("line_clients"), 1);
    rig_stop();
}
END_TEST

START_TEST(a_stop_tells_each_client_then_drains)
{
    struct peer *member, *stranger, *quitting;

    start();
    member = rig_in_lobby("alice");
    stranger = rig_connect();
    quitting = rig_member("bob");
    peer_say(quitting, "/quit\n");
    hub_take(COMMAND_DETACH);
    front_stop(rig.f);

    ck_assert_str_eq(peer_read(member), "stopping\n");
    ck_assert(member->at_eof);
    ck_assert_str_eq(peer_read(stranger), "stopping\n");
    ck_assert(stranger->at_eof);
    ck_assert_str_eq(peer_read(quitting), "stopping\n");
    ck_assert(quitting->at_eof);
    peer_close(member);
    rig_settle();
    ck_assert_int_eq(member->end, CONN_END_SHUTDOWN);
    ck_assert(hub_take(COMMAND_DETACH)->by_ticket);
    rig_stop();
}
END_TEST

START_TEST(a_stop_leaves_who_is_draining_already)
{
    struct peer *kicked;

    start();
    kicked = rig_member("alice");
    hub_ended(kicked, "enough");
    front_stop(rig.f);

    ck_assert_str_eq(peer_read(kicked), "ended enough\n");
    peer_close(kicked);
    rig_settle();
    ck_assert_int_eq(kicked->end, CONN_END_KICKED);
    rig_stop();
}
END_TEST

static void
on_event_too_late(struct talk_client *tc, const struct delivery *d)
{
    ck_abort_msg("%s is heard after the end", event_name(d->event->kind));
}

START_TEST(what_the_hub_says_after_a_stop_still_has_its_effects)
{
    static const room_id none[] = {0};
    struct event_who who;
    struct peer *p;

    start();
    p = rig_in_lobby("alice");
    who = rig_who(p, "alice");
    front_stop(rig.f);
    rig.on_event = on_event_too_late;
    hub_peers(EVENT_RENAMED, &who, "anna", "", none);
    hub_said(&who, RIG_LOBBY, "?");
    hub_parted(&who, RIG_LOBBY, "");

    ck_assert_uint_eq(rig_counter("view_members"), 0);
    ck_assert_str_eq(peer_read(p), "stopping\n");
    rig_stop();
}
END_TEST

UNIT_MAIN("proto/front", the_list_shows_each_client_oldest_first,
          clients_are_counted_in_all_and_by_protocol,
          a_stop_tells_each_client_then_drains,
          a_stop_leaves_who_is_draining_already,
          what_the_hub_says_after_a_stop_still_has_its_effects)
