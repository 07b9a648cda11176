/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sessions as the line protocol tells them, on a real hub, one worker and a fake
 * clock: docs/protocol-line.md, Sessions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "support/capture.h"
#include "support/fake_time.h"
#include "support/line_rig.h"
#include "support/unit.h"

#define LINGER 120000u

static char token[64];

static void
start(void)
{
    line_rig_init();
    rig.proto.session_linger = LINGER;
    rig.chat.session_linger = LINGER;
    line_rig_start();
}

/* Everybody goes, and what waits ends. */
static void
stop(void)
{
    for (size_t i = 0; i < rig.peer_count; i++)
        peer_close(&rig.peers[i]);
    line_rig_settle();
    fake_time_pass_ms(LINGER);
    line_rig_settle();
    line_rig_stop();
}

/* What came, with the token in it noted and replaced by TOKEN. */
static const char *
read_token(struct peer *p)
{
    static char text[8192];
    char *at;

    (void)snprintf(text, sizeof(text), "%s", peer_read(p));
    at = strstr(text, "connection: /resume ");
    ck_assert_ptr_nonnull(at);
    at += strlen("connection: /resume ");
    ck_assert_uint_eq(strcspn(at, "\r\n"), 29);
    memcpy(token, at, 29);
    token[29] = '\0';
    memcpy(at, "TOKEN", 5);
    memmove(at + 5, at + 29, strlen(at + 29) + 1);
    return text;
}

/* One in #lobby, whose token is noted. */
static struct peer *
comes(const char *nick)
{
    struct peer *const p = peer_connect();
    char line[64];

    (void)snprintf(line, sizeof(line), "%s\n", nick);
    peer_say(p, line);
    (void)read_token(p);
    peers_skip();
    return p;
}

static void
lose(struct peer *p)
{
    peer_close(p);
    line_rig_settle();
}

static struct peer *
resume_with(const char *end)
{
    struct peer *const p = peer_connect();
    char line[96];

    (void)snprintf(line, sizeof(line), "/resume %s%s", token, end);
    peer_say(p, line);
    return p;
}

START_TEST(the_token_is_told_after_the_welcome)
{
    struct peer *alice;

    start();
    alice = peer_connect();
    peer_say(alice, "alice\n");
    ck_assert_str_eq(
        read_token(alice),
        "Nickname: * Welcome to klatch, alice. Type /help for the commands.\n"
        "* To come back after a broken connection: /resume TOKEN\n"
        "* You are in #lobby. Nobody else is here.\n");
    stop();
}
END_TEST

START_TEST(who_comes_back_gets_rooms_and_what_was_missed)
{
    struct peer *alice, *bob;

    start();
    bob = comes("bob");
    alice = comes("alice");
    peer_say(alice, "/join #tea\n/switch #lobby\n");
    peer_say(bob, "/join #tea\n/switch #lobby\n");
    peers_skip();
    lose(alice);
    peer_expect(bob, "* alice is away (reconnecting).\n");
    peer_say(bob, "/who\n/msg alice psst\nare you there?\n/me looks\n");
    peer_say(bob, "/switch #tea\ntea?\n/nick rob\n/away lunch\n/back\n"
                  "/topic #lobby gone\n/part #tea bye\n");
    peer_expect(bob, "* In #lobby: bob, alice (reconnecting)\n"
                     "* 2 people in #lobby.\n"
                     "* alice is away (reconnecting) and gets it on "
                     "returning.\n"
                     "* You are talking in #tea now.\n"
                     "* You are known as rob now.\n"
                     "* You are away (lunch); /back ends that.\n"
                     "* You are back.\n"
                     "* rob set the topic of #lobby: gone\n"
                     "* You left #tea.\n"
                     "* You are talking in #lobby now.\n");

    alice = resume_with("\n");
    ck_assert_str_eq(
        read_token(alice),
        "Nickname: * Welcome back, alice. 9 messages came since 2026-11-21 "
        "10:04 UTC:\n"
        "* To come back after a broken connection: /resume TOKEN\n"
        "* You are in #lobby: 2 people are here, /who names them.\n"
        "* Topic: gone\n"
        "* You are in #tea. Nobody else is here.\n"
        "10:04 [private] <bob> psst\n"
        "10:04 [#lobby] <bob> are you there?\n"
        "10:04 [#lobby] * bob looks\n"
        "10:04 <bob> tea?\n"
        "10:04 * bob is now known as rob.\n"
        "10:04 * rob is away (lunch).\n"
        "10:04 * rob is back.\n"
        "10:04 * rob set the topic of #lobby: gone\n"
        "10:04 * rob left #tea (bye).\n"
        "* That is all. You are talking in #tea now.\n");
    peer_expect(bob, "* alice is back.\n");
    peer_say(alice, "here\n/switch #lobby\nand here\n");
    peer_expect(bob, "<alice> and here\n");
    stop();
}
END_TEST

START_TEST(with_crlf_it_comes_with_crlf)
{
    struct peer *alice;

    start();
    alice = comes("alice");
    lose(alice);
    alice = resume_with("\r\n");
    ck_assert_str_eq(
        read_token(alice),
        "Nickname: * Welcome back, alice. You missed nothing.\r\n"
        "* To come back after a broken connection: /resume TOKEN\r\n"
        "* You are in #lobby. Nobody else is here.\r\n"
        "* That is all. You are talking in #lobby now.\r\n");
    stop();
}
END_TEST

START_TEST(what_a_room_forgot_is_told)
{
    struct peer *alice, *bob;

    line_rig_init();
    rig.proto.session_linger = LINGER;
    rig.chat.session_linger = LINGER;
    rig.chat.history_keep_events = 2;
    line_rig_start();
    bob = comes("bob");
    alice = comes("alice");
    lose(alice);
    peer_say(bob, "one\ntwo\nthree\n");
    alice = resume_with("\n");
    ck_assert_ptr_nonnull(strstr(
        read_token(alice), ". 2 messages came since 2026-11-21 10:04 UTC:\n"
                           "* 1 message was missed and cannot be shown.\n"
                           "* To come back"));
    stop();
}
END_TEST

START_TEST(in_no_room_it_is_in_no_room_again)
{
    struct peer *alice;

    start();
    alice = comes("alice");
    peer_say(alice, "/part\n");
    lose(alice);
    alice = resume_with("\n");
    ck_assert_ptr_nonnull(strstr(read_token(alice),
                                 "TOKEN\n"
                                 "* You are in no room now. /join one to "
                                 "talk.\n"));
    stop();
}
END_TEST

START_TEST(bad_tokens_are_refused_and_count)
{
    struct peer *p;

    start();
    p = peer_connect();
    peer_say(p, "/resume rubbish\n");
    peer_expect(p, "Nickname: * That is no token; please type it as it was "
                   "shown to you, or choose a nickname.\nNickname: ");
    peer_say(p, "/resume 0000-0000-0000-0000-0000-0000\n");
    peer_expect(p, "* No session waits for that token; please choose a "
                   "nickname.\nNickname: ");
    for (int i = 0; i < 7; i++)
        peer_say(p, "/resume x\n");
    (void)peer_read(p);
    ck_assert(!p->at_eof);
    peer_say(p, "/resume x\n");
    ck_assert_ptr_nonnull(strstr(peer_read(p), "Goodbye."));
    ck_assert(p->at_eof);
    stop();
}
END_TEST

START_TEST(a_member_has_a_session_already)
{
    struct peer *alice;

    start();
    alice = comes("alice");
    peer_say(alice, "/resume 0000-0000-0000-0000-0000-0000\n/resume\n");
    peer_expect(alice, "* You have a session already; /resume is for a new "
                       "connection, in place of a nickname.\n"
                       "* Please write it as /resume TOKEN\n");
    stop();
}
END_TEST

START_TEST(the_nickname_of_who_waits_is_kept)
{
    struct peer *p;

    start();
    lose(comes("alice"));
    p = peer_connect();
    peer_say(p, "alice\n");
    peer_expect(p, "Nickname: * alice is kept for somebody who is "
                   "reconnecting; if that is you, type /resume and your "
                   "token.\nNickname: ");
    fake_time_pass_ms(LINGER);
    line_rig_settle();
    p = peer_connect();
    peer_say(p, "alice\n");
    (void)read_token(p);
    stop();
}
END_TEST

START_TEST(the_old_connection_is_told_and_ends)
{
    struct peer *old, *bob, *now;

    start();
    bob = comes("bob");
    old = comes("alice");
    peers_skip();
    now = resume_with("\n");
    fake_time_pass_ms(5);
    line_rig_settle();
    peer_expect(old, "* Your session goes on in another connection. "
                     "Goodbye.\n");
    ck_assert(old->at_eof);
    ck_assert_ptr_nonnull(strstr(read_token(now), "* Welcome back, alice."));
    peer_expect(bob, ""); /* for the others nothing happened */
    stop();
}
END_TEST

/* Half-closed behind its only line: nothing is said of sessions it never saw. */
START_TEST(eof_behind_a_nickname_or_token_is_no_session_lost)
{
    struct peer *alice, *p;

    start();
    p = peer_connect();
    peer_write(p, "carol\n", 6);
    peer_finish(p);
    ck_assert_ptr_null(strstr(peer_read(p), "session"));
    ck_assert(p->at_eof);

    alice = comes("alice");
    lose(alice);
    p = resume_with("\n");
    peer_finish(p);
    ck_assert_ptr_null(strstr(peer_read(p), "has ended"));
    p = resume_with("\n");
    ck_assert_ptr_nonnull(strstr(read_token(p), "* Welcome back, alice."));
    stop();
}
END_TEST

/* Who may read the log may not therefore be somebody else. */
START_TEST(no_token_is_logged)
{
    static struct capture log;
    char first[sizeof(token)];
    struct peer *alice;

    start();
    capture_open(&log);
    log_set_fd(log.in);
    log_set_level(LOG_LEVEL_TRACE);
    alice = comes("alice");
    (void)snprintf(first, sizeof(first), "%s", token);
    peer_say(alice, "/resume\n/resume 0\n");
    lose(alice);
    alice = resume_with("\n");
    (void)read_token(alice);
    peer_say(alice, "/quit\n");
    ck_assert_uint_gt(capture_count(&log, "closed"), 0);
    ck_assert_str_ne(first, token);
    ck_assert_uint_eq(capture_count(&log, first), 0);
    ck_assert_uint_eq(capture_count(&log, token), 0);
    stop();
    capture_close(&log);
}
END_TEST

START_TEST(a_program_gets_numbers_and_its_own_talk)
{
    struct peer *alice, *bob;
    unsigned long long id, next;
    char line[64];

    start();
    bob = comes("bob");
    alice = comes("alice");
    peer_say(alice, "/ack 5\n/ack on\n/ack\n/ack x\n");
    peer_expect(alice,
                "* Nothing you get has a number; /ack on comes first.\n"
                "* What is said and done comes with its number from now on, "
                "your own talk too; /ack NUMBER says that you have all up to "
                "it.\n"
                "* Please write it as /ack on|off|ID\n"
                "* Please write /ack on, /ack off, or /ack and the number "
                "behind the @ of a line.\n");
    peer_say(alice, "mine\n/join #tea\n");
    peers_skip();
    peer_say(bob, "yours\n/me too\n/msg alice psst\n");
    ck_assert_int_eq(
        sscanf(peer_read(alice), "@%llu [#lobby] <bob> yours", &id), 1);
    ck_assert_ptr_nonnull(strstr(alice->text.data, " [#lobby] * bob too\n@"));
    ck_assert_ptr_nonnull(strstr(alice->text.data, " [private] <bob> psst\n"));
    peer_say(alice, "own\n");
    ck_assert_int_eq(sscanf(peer_read(alice), "@%llu <alice> own", &next), 1);
    ck_assert_uint_gt(next, id + 2);

    /* It acknowledges the first of them, and gets the rest again. */
    (void)snprintf(line, sizeof(line), "/ack %llu\n", id);
    peer_say(alice, line);
    peer_expect(alice, "");
    lose(alice);
    peer_say(bob, "later\n");
    alice = resume_with("\n");
    {
        const char *const text = read_token(alice);

        ck_assert_ptr_null(strstr(text, "yours"));
        ck_assert_ptr_nonnull(strstr(text, ". 4 messages came since"));
        ck_assert_ptr_nonnull(strstr(text, " [#lobby] * bob too\n@"));
        ck_assert_ptr_nonnull(strstr(text, " <alice> own\n@"));
        ck_assert_ptr_nonnull(strstr(text, " [#lobby] <bob> later\n* That"));
    }
    peer_say(alice, "/ack off\nsilent\n");
    peer_expect(alice, "* Numbers are off.\n");
    stop();
}
END_TEST

START_TEST(a_slow_reader_is_told_and_gets_it_later)
{
    char line[512];
    struct peer *alice, *bob;
    const char *text;

    line_rig_init();
    rig.proto.session_linger = LINGER;
    rig.chat.session_linger = LINGER;
    rig.net.limits_sendq = 65536;
    line_rig_start();
    bob = comes("bob");
    alice = comes("alice");
    peers_skip();
    memset(line, 'x', sizeof(line));
    for (int i = 0; i < 900; i++) {
        const int n = snprintf(line, sizeof(line), "%04d", i);

        line[n] = 'x';
        line[sizeof(line) - 1] = '\n';
        peer_write(bob, line, sizeof(line));
        line_rig_settle();
    }
    text = peer_read(alice);
    for (int i = 0; i < 900; i++) {
        char want[32];

        (void)snprintf(want, sizeof(want), "<bob> %04dx", i);
        text = strstr(text, want); /* in their order */
        ck_assert_msg(text != NULL, "%s is missing", want);
    }
    text = alice->text.data;
    ck_assert_ptr_nonnull(strstr(text, "\n* You are reading too slowly; what "
                                       "you have not got yet follows when you "
                                       "have read this.\n10:04 <bob> "));
    ck_assert_ptr_nonnull(strstr(text, "x\n* You have caught up.\n"));
    ck_assert_ptr_null(strstr(text, "missed"));
    stop();
}
END_TEST

UNIT_MAIN("proto/line_resume", the_token_is_told_after_the_welcome,
          who_comes_back_gets_rooms_and_what_was_missed,
          with_crlf_it_comes_with_crlf, what_a_room_forgot_is_told,
          in_no_room_it_is_in_no_room_again, bad_tokens_are_refused_and_count,
          a_member_has_a_session_already, the_nickname_of_who_waits_is_kept,
          the_old_connection_is_told_and_ends,
          eof_behind_a_nickname_or_token_is_no_session_lost, no_token_is_logged,
          a_program_gets_numbers_and_its_own_talk,
          a_slow_reader_is_told_and_gets_it_later)
