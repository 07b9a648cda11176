/* SPDX-License-Identifier: BSD-2-Clause
 *
 * detect - which protocol do these first bytes belong to?
 *
 * Pure: bytes in, verdict out. More bytes never turn one verdict (other than
 * MORE) into another, and DETECT_BYTES_MAX bytes always get one.
 *
 *  TLS   16 03 00-04 and a length: a record with a ClientHello (RFC 8446 5.1)
 *  HTTP  a method of RFC 9110, a space
 *  IRC   CAP NICK USER PASS WEBIRC AUTHENTICATE PING in any case, then a space
 *        (CAP may come behind a tag section, `@…`; leading `:source` too)
 *  LINE  anything else
 */
#ifndef PROTO_DETECT_H
#define PROTO_DETECT_H

#include "base/compiler.h"
#include "base/slice.h"

#define DETECT_BYTES_MAX 16

enum detect_verdict {
    DETECT_MORE,
    DETECT_TLS,
    DETECT_HTTP,
    DETECT_IRC,
    DETECT_LINE,
};

/* An empty slice is MORE. */
enum detect_verdict detect_protocol(struct slice bytes);

const char *detect_name(enum detect_verdict verdict);

#endif
