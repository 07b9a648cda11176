/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/line/telnet_priv.h"

#include <stdbool.h>
#include <string.h>

#include "base/assert.h"

/* RFC 854, and RFC 1184 for EOF. */
enum telnet_byte {
    BYTE_EOF = 236,
    BYTE_SE = 240,
    BYTE_IP = 244,
    BYTE_SB = 250,
    BYTE_WILL = 251,
    BYTE_WONT = 252,
    BYTE_DO = 253,
    BYTE_DONT = 254,
};

void
telnet_init(struct telnet *t)
{
    *t = (struct telnet){.state = TELNET_IN_TEXT};
}

/* True the first time. */
static bool
set_add(uint64_t *set, unsigned char option)
{
    const uint64_t bit = UINT64_C(1) << (option % 64);
    const bool is_new = (set[option / 64] & bit) == 0;

    set[option / 64] |= bit;
    return is_new;
}

/* WONT and DONT only say how things are anyway, and want no answer. */
static void
option_refuse(struct telnet *t, unsigned char option, struct telnet_piece *out)
{
    unsigned char verb;

    if (t->verb == BYTE_WILL && set_add(t->refused, option))
        verb = BYTE_DONT;
    else if (t->verb == BYTE_DO && set_add(t->denied, option))
        verb = BYTE_WONT;
    else
        return;

    out->got = TELNET_ANSWER;
    out->answer[0] = TELNET_IAC;
    out->answer[1] = verb;
    out->answer[2] = option;
}

static void
command_take(struct telnet *t, struct slice at, struct telnet_piece *out)
{
    const unsigned char byte = (unsigned char)at.data[0];

    t->state = TELNET_IN_TEXT;
    switch (byte) {
    case TELNET_IAC:
        *out = (struct telnet_piece){.got = TELNET_TEXT,
                                     .text = slice_make(at.data, 1)};
        break;
    case BYTE_WILL:
    case BYTE_WONT:
    case BYTE_DO:
    case BYTE_DONT:
        t->verb = byte;
        t->state = TELNET_IN_OPTION;
        break;
    case BYTE_SB:
        t->sub_len = 0;
        t->state = TELNET_IN_SUB;
        break;
    case BYTE_IP:
    case BYTE_EOF:
        out->got = TELNET_LEAVE;
        break;
    default: /* a byte, not an enum of ours: NOP, GA, AYT … mean nothing here */
        break;
    }
}

static void
sub_take(struct telnet *t, unsigned char byte)
{
    if (t->state == TELNET_IN_SUB_IAC && byte == BYTE_SE)
        t->state = TELNET_IN_TEXT;
    else if (++t->sub_len > TELNET_SUB_MAX)
        t->state = TELNET_IN_TEXT;
    else if (t->state == TELNET_IN_SUB && byte == TELNET_IAC)
        t->state = TELNET_IN_SUB_IAC;
    else
        t->state = TELNET_IN_SUB;
}

/* Returns the length of the text at the front; 0: an IAC is there. */
static size_t
text_len(struct slice bytes)
{
    const char *const iac = memchr(bytes.data, TELNET_IAC, bytes.len);

    return iac == NULL ? bytes.len : (size_t)(iac - bytes.data);
}

size_t
telnet_take(struct telnet *t, struct slice bytes, struct telnet_piece *out)
{
    unsigned char byte;

    ASSERT(bytes.len > 0);

    byte = (unsigned char)bytes.data[0];
    *out = (struct telnet_piece){.got = TELNET_NOTHING};
    switch ((enum telnet_state)t->state) {
    case TELNET_IN_TEXT:
        out->text = slice_make(bytes.data, text_len(bytes));
        if (out->text.len > 0) {
            out->got = TELNET_TEXT;
            return out->text.len;
        }
        t->state = TELNET_IN_COMMAND;
        break;
    case TELNET_IN_COMMAND:
        command_take(t, bytes, out);
        break;
    case TELNET_IN_OPTION:
        t->state = TELNET_IN_TEXT;
        option_refuse(t, byte, out);
        break;
    case TELNET_IN_SUB:
    case TELNET_IN_SUB_IAC:
        sub_take(t, byte);
        break;
    }
    return 1;
}
