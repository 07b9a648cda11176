/* SPDX-License-Identifier: BSD-2-Clause
 *
 * command - what the kinds are called, in logs and metrics.
 */
#include "chat/command.h"

const char *
command_name(enum command_kind kind)
{
    switch (kind) {
    case COMMAND_ATTACH:
        return "attach";
    case COMMAND_DETACH:
        return "detach";
    case COMMAND_NICK:
        return "nick";
    case COMMAND_JOIN:
        return "join";
    case COMMAND_PART:
        return "part";
    case COMMAND_SAY:
        return "say";
    case COMMAND_TELL:
        return "tell";
    case COMMAND_TOPIC:
        return "topic";
    case COMMAND_AWAY:
        return "away";
    case COMMAND_WHO:
        return "who";
    case COMMAND_ROOMS:
        return "rooms";
    case COMMAND_HISTORY:
        return "history";
    case COMMAND_PING:
        return "ping";
    case COMMAND_RESUME:
        return "resume";
    case COMMAND_CATCH_UP:
        return "catch-up";
    case COMMAND_ACKS:
        return "acks";
    case COMMAND_ACK:
        return "ack";
    case COMMAND_OPER_SAY:
        return "oper-say";
    case COMMAND_ANNOUNCE:
        return "announce";
    case COMMAND_KICK:
        return "kick";
    }
    return "?";
}
