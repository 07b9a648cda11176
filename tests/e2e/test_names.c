/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Nicknames and rooms' names: which there may be, when two are the same, and
 * what who chose a wrong one is told.
 */
#include <string.h>

#include "support/daemon.h"
#include "support/peer.h"
#include "support/unit.h"

static struct daemon d;
static struct peer a, b;

static void
two_join(const char *first, const char *second)
{
    daemon_start(&d, NULL);
    peer_join(&a, d.port, first);
    peer_join(&b, d.port, second);
    peer_expect(&a, "* %s joined #lobby.", second);
}

static void
two_leave(void)
{
    peer_close(&a);
    peer_close(&b);
    daemon_stop(&d);
}

START_TEST(a_nickname_may_be_of_any_script)
{
    static const char *const nicks[] = {"小明", "Ærøskøbing", "Дарья",
                                        "علي",  "ひろ",       "नेहा"};

    daemon_start(&d, NULL);
    peer_join(&a, d.port, "小红");

    for (size_t i = 0; i < sizeof(nicks) / sizeof(nicks[0]); i++) {
        e2e_scene("%s", nicks[i]);
        peer_join(&b, d.port, nicks[i]);
        peer_expect(&a, "* %s joined #lobby.", nicks[i]);
        peer_send(&b, "你好\n");
        peer_expect(&a, "<%s> 你好", nicks[i]);
        peer_send(&a, "/msg %s 喝茶吗\n", nicks[i]);
        peer_expect(&b, "[private] <小红> 喝茶吗");
        peer_send(&b, "/quit\n");
        peer_expect(&b, "* Goodbye, %s.", nicks[i]);
        peer_expect_end(&b, false);
        peer_expect(&a, "* %s quit.", nicks[i]);
        peer_close(&b);
    }
    two_leave();
}
END_TEST

START_TEST(a_taken_nickname_is_refused_and_asked_again)
{
    daemon_start(&d, NULL);
    peer_join(&a, d.port, "alice");

    peer_connect_unix(&b, d.socket);
    peer_expect_bytes(&b, "Nickname: ");
    peer_send(&b, "alice\n");
    peer_expect(&b, "* alice is taken; please choose another nickname.");
    peer_expect_bytes(&b, "Nickname: ");
    peer_send(&b, "/nick bob\n");
    peer_expect_start(&b, "* Welcome to klatch, bob.");
    peer_expect(&a, "* bob joined #lobby.");
    two_leave();
}
END_TEST

/* Two spellings of one name, in any script. */
static const char *const same[][2] = {
    {"alice",          "ALICE"         },
    {"Straße",        "STRASSE"       },
    {"Дарья",     "ДАРЬЯ"    },
    {"Jos\u00e9",      "Jose\u0301"    }, /* one character, or two that look like it */
    {"ΣΊΣΥΦΟΣ", "σίσυφος"}, /* a sigma at the end has a form of its own */
};

START_TEST(names_that_fold_to_the_same_are_the_same)
{
    daemon_start(&d, NULL);

    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        e2e_scene("%s", same[i][0]);
        peer_join(&a, d.port, same[i][0]);
        peer_connect_unix(&b, d.socket);
        peer_expect_bytes(&b, "Nickname: ");
        peer_send(&b, "%s\n", same[i][1]);
        peer_await(&b, " is taken; please choose another nickname.");
        peer_expect_bytes(&b, "Nickname: ");
        peer_close(&b);
        peer_send(&a, "/msg %s to myself\n", same[i][1]);
        peer_expect(&a, "[private] <%s> to myself", same[i][0]);
        peer_send(&a, "/quit\n");
        peer_await(&a, "* Goodbye");
        peer_expect_end(&a, false);
        peer_close(&a);
    }
    daemon_stop(&d);
}
END_TEST

struct wrong_name {
    const char *nick;
    const char *told; /* a part of the sentence */
};

static const struct wrong_name wrong[] = {
    {"4ever",                             "* 4ever cannot be a nickname; begin it with a letter."},
    {"-dash",                             "* -dash cannot be a nickname; begin it with a letter."},
    {"al ice",                            "cannot be a nickname; use letters, digits"            },
    {"al@ice",                            "* al@ice cannot be a nickname; use letters, digits"   },
    {"#lobby",                            "cannot be a nickname"                                 },
    {"/join #tea",                        "cannot be a nickname"                                 },
    {"al\xfeice",                         "cannot be a nickname"                                 },
    {"abcdefghijklmnopqrstuvwxyzabcdefg",
     "* That nickname is too long; 32 characters are the most."                                  },
};

START_TEST(a_wrong_nickname_gets_a_sentence_and_a_new_prompt)
{
    daemon_start(&d, NULL);

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        e2e_scene("%s", wrong[i].nick);
        peer_connect_unix(&a, d.socket);
        peer_expect_bytes(&a, "Nickname: ");
        peer_send(&a, "%s\n", wrong[i].nick);
        if (strstr(peer_take(&a), wrong[i].told) == NULL)
            e2e_fail("told: %s", a.line);
        peer_expect_bytes(&a, "Nickname: ");
        peer_send(&a, "alice\n");
        peer_expect_start(&a, "* Welcome to klatch, alice.");
        peer_send(&a, "/quit\n");
        peer_await(&a, "* Goodbye, alice.");
        peer_expect_end(&a, false);
        peer_close(&a);
    }
    daemon_stop(&d);
}
END_TEST

START_TEST(a_nickname_of_32_characters_is_not_too_long)
{
    /* Three bytes each: characters count, not bytes. */
    static const char nick[] = "一二三四五六七八九十一二三四五六"
                               "一二三四五六七八九十一二三四五六";

    two_join("alice", nick);

    peer_send(&b, "hello\n");

    peer_expect(&a, "<%s> hello", nick);
    two_leave();
}
END_TEST

START_TEST(a_change_of_nickname_is_told_to_both_sides)
{
    two_join("alice", "bob");

    peer_send(&b, "/nick 小明\nnow I am\n");
    peer_expect(&b, "* You are known as 小明 now.");
    peer_expect(&a, "* bob is now known as 小明.");
    peer_expect(&a, "<小明> now I am");
    peer_send(&b, "/nick ALICE\n/nick 小明\n/nick 4\n");
    peer_expect(&b, "* ALICE is taken; please choose another nickname.");
    peer_expect(&b, "* You are known as 小明 already; /nick NAME takes another "
                    "one.");
    peer_expect(&b, "* 4 cannot be a nickname; begin it with a letter.");

    /* The old name is free, and one's own may be spelt otherwise. */
    peer_send(&a, "/nick bob\n/nick BOB\n");
    peer_expect(&a, "* You are known as bob now.");
    peer_expect(&a, "* You are known as BOB now.");
    peer_expect(&b, "* alice is now known as bob.");
    peer_expect(&b, "* bob is now known as BOB.");
    peer_expect_silence(&a);
    peer_expect_silence(&b);
    two_leave();
}
END_TEST

START_TEST(who_gave_no_nickname_may_ask_for_help_and_leave)
{
    daemon_start(&d, NULL);

    peer_connect_unix(&a, d.socket);
    peer_expect_bytes(&a, "Nickname: ");
    peer_send(&a, "\n");
    peer_expect_bytes(&a, "Nickname: ");
    peer_send(&a, "/help\n");
    peer_await(&a, "//text says /text.");
    peer_expect_bytes(&a, "Nickname: ");
    peer_send(&a, "/quit\n");
    peer_expect(&a, "* Goodbye.");
    peer_expect_end(&a, false);
    peer_close(&a);
    daemon_stop(&d);
}
END_TEST

START_TEST(a_room_has_one_name_in_all_its_spellings)
{
    two_join("alice", "bob");

    peer_send(&a, "/join #Größe\n");
    peer_expect(&a, "* You are in #Größe. Nobody else is here.");
    peer_send(&b, "/join GRÖSSE\n");
    peer_expect(&b, "* You are in #Größe: 2 people are here, /who names "
                    "them.");
    peer_expect(&a, "* bob joined #Größe.");
    peer_send(&b, "/join #größe\n");
    peer_expect(&b, "* You are talking in #Größe now.");
    two_leave();
}
END_TEST

START_TEST(a_wrong_room_is_refused_with_a_sentence)
{
    two_join("alice", "bob");

    peer_send(&a, "/join #a,b\n");
    peer_expect(&a, "* #a,b cannot be a room; its name is # and no space, "
                    "comma or colon.");
    peer_send(&a, "/join #\n");
    peer_expect_start(&a, "* ");
    peer_send(&a, "/who #nowhere\n");
    peer_expect(&a, "* There is no room #nowhere; /rooms lists those there "
                    "are.");
    peer_send(&a, "/topic #nowhere x\n");
    peer_expect(&a, "* There is no room #nowhere; /rooms lists those there "
                    "are.");
    peer_expect_silence(&a);
    peer_expect_silence(&b);
    two_leave();
}
END_TEST

UNIT_MAIN("e2e/names", a_nickname_may_be_of_any_script,
          a_taken_nickname_is_refused_and_asked_again,
          names_that_fold_to_the_same_are_the_same,
          a_wrong_nickname_gets_a_sentence_and_a_new_prompt,
          a_nickname_of_32_characters_is_not_too_long,
          a_change_of_nickname_is_told_to_both_sides,
          who_gave_no_nickname_may_ask_for_help_and_leave,
          a_room_has_one_name_in_all_its_spellings,
          a_wrong_room_is_refused_with_a_sentence)
