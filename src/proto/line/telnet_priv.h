/* SPDX-License-Identifier: BSD-2-Clause
 *
 * telnet - takes telnet's commands (RFC 854, 855) out of a stream of bytes.
 *
 * Shape    Pure. telnet_take() eats the front of what it is given and says what
 *          that was: text, an answer to send, a wish to leave, or nothing. The
 *          state lives over calls, so a command may be cut at any byte.
 * Memory   Fixed. We agree to no option, so each needs an answer once; two sets
 *          of bits remember which had theirs, and no negotiation, however long,
 *          makes us say more than 2 x 256 answers.
 *
 *            IAC              WILL WONT DO DONT              an option
 *   TEXT ---------> COMMAND ---------------------> OPTION -------------> TEXT
 *                     |  \  SB            IAC               SE
 *      anything else  |   `--------> SUB -----> SUB_IAC ---------> TEXT
 *      -> TEXT      <-'               ^----------'  anything else
 *
 * A subnegotiation of more than TELNET_SUB_MAX bytes is taken for one whose end
 * got lost: text begins again, lest a confused client be mute for ever.
 */
#ifndef PROTO_LINE_TELNET_PRIV_H
#define PROTO_LINE_TELNET_PRIV_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/slice.h"

#define TELNET_IAC        255
#define TELNET_SUB_MAX    1024
#define TELNET_ANSWER_LEN 3

enum telnet_state {
    TELNET_IN_TEXT,
    TELNET_IN_COMMAND,
    TELNET_IN_OPTION,
    TELNET_IN_SUB,
    TELNET_IN_SUB_IAC,
};

enum telnet_got {
    TELNET_NOTHING,
    TELNET_TEXT,   /* `text` */
    TELNET_ANSWER, /* `answer` is to be sent */
    TELNET_LEAVE,  /* Interrupt Process or End of File */
};

struct telnet_piece {
    enum telnet_got got;
    struct slice text; /* of the bytes given; one may use less than all of it */
    unsigned char answer[TELNET_ANSWER_LEN];
};

struct telnet {
    uint8_t state;       /* enum telnet_state */
    unsigned char verb;  /* of the OPTION that is under way */
    uint16_t sub_len;    /* bytes of the subnegotiation so far */
    uint64_t refused[4]; /* options whose WILL was answered DONT */
    uint64_t denied[4];  /* options whose DO was answered WONT */
};

void telnet_init(struct telnet *t);

/* Eats at least one of `bytes` (which is not empty) and returns how many; for
 * TELNET_TEXT that is text.len. When that is more than a lone IAC, the state is
 * the same before and after, so the caller may count less of it, or nothing, as
 * eaten and come again with the rest. */
size_t telnet_take(struct telnet *t, struct slice bytes,
                   struct telnet_piece *out);

#endif
