/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The points of the line protocol where a client may end.
 */
#include "visitors.h"

#include <stddef.h>

#define PROMPT "Nickname: "
#define IS_IN  "* You are in #lobby"
#define ENTERED                       \
    {                                 \
        .say = "%N\n", .until = IS_IN \
    }

/* clang-format off */
const struct visitors_point visitors_points[] = {
    {"before the first byte",          {{.say = NULL}}},
    {"while it is IRC or not",         {{.say = "CA"}}},
    {"while it is TLS or not",         {{.say = "\x16\x03"}}},
    {"at the prompt",                  {{.until = PROMPT}}},
    {"within a nickname",              {{.until = PROMPT}, {.say = "half"}}},
    {"after a refused nickname",       {{.say = "not a name\n", .until = PROMPT}}},
    {"before the nickname is answered", {{.say = "%N\n"}}},
    {"in the first join",              {{.say = "%N\n", .until = "* Welcome"}}},
    {"in a join",                      {ENTERED, {.say = "/join #%N\n"}}},
    {"in a part",                      {ENTERED, {.say = "/join #%N\n/part\n"}}},
    {"in a change of name",            {ENTERED, {.say = "/nick x%N\n"}}},
    {"within a line",                  {ENTERED, {.say = "half a li"}}},
    {"within a character",             {ENTERED, {.say = "caf\xc3"}}},
    {"within an ending",               {ENTERED, {.say = "/topic\r"}}},
    {"within a line far too long",     {ENTERED, {.say = "long and longer ", .times = 400}}},
    {"behind a line",                  {ENTERED, {.say = "/me leaves\n"}}},
    {"in a list of names",             {ENTERED, {.say = "/who " VISITORS_CROWD "\n", .until = "* In " VISITORS_CROWD}}},
    {"before a list of names",         {ENTERED, {.say = "/who " VISITORS_CROWD "\n", .times = 20}}},
    {"with unread answers",            {ENTERED, {.say = "/help\n", .times = 50}}},
    {"over the window of requests",    {ENTERED, {.say = "/topic\n", .times = 60}}},
    {"while it must wait",             {{.say = "%N\n"}, {.say = "/topic\n", .times = 120, .until = "too fast"}}},
    {"behind its quit",                {ENTERED, {.say = "/quit\n"}}},
    {"at the goodbye",                 {ENTERED, {.say = "/quit\n", .until = "* Goodbye"}}},
    {"quitting before it has a name",  {{.say = "/quit\n"}}},
    {"within a telnet command",        {ENTERED, {.say = "\xff"}}},
    {"within a telnet option",         {{.say = "\xff\xfb"}}},
    {"in a subnegotiation",            {ENTERED, {.say = "\xff\xfa\x18"}}},
    {"in a subnegotiation's end",      {{.say = "\xff\xfa\x18\x01\xff"}}},
};
/* clang-format on */

const unsigned visitors_points_count =
    sizeof(visitors_points) / sizeof(visitors_points[0]);
