/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From an event to the bytes of the line protocol, and text cleaning on the way
 * in.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "base/msg.h"
#include "base/utf8.h"
#include "bench/micro/micro.h"
#include "chat/event.h"
#include "proto/line/line_priv.h"

#define TIMES 2000000u

static void
clean(const char *what, const char *text)
{
    const uint64_t started = clock_mono_ns();
    struct buf out;

    buf_init(&out);
    for (unsigned i = 0; i < TIMES; i++) {
        buf_reset(&out);
        utf8_clean(slice_of(text), UTF8_KEEP_TABS, &out);
    }
    micro_report(what, TIMES, started);
    buf_fini(&out);
}

static void
encode(void)
{
    const struct event said = {
        .kind = EVENT_SAID,
        .seq = 1,
        .who.nick = slice_of("alice"),
        .text = slice_of("the kettle is on, and so is everybody here"),
    };
    struct delivery d = {.route = ROUTE_ROOM};
    uint64_t started;

    d.event = event_create(&said);
    if (d.event == NULL)
        exit(1);
    started = clock_mono_ns();
    for (unsigned i = 0; i < TIMES; i++)
        msg_unref(line_protocol.encode(NULL, &d, NULL, 0));
    micro_report("line: encode what was said", TIMES, started);
    event_unref(d.event);
}

int
main(void)
{
    clean("utf8: clean 42 bytes of ASCII",
          "the kettle is on, and so is everybody here");
    clean("utf8: clean 42 bytes of Chinese", "水壶已经烧开了大家都在这里");
    encode();
    return 0;
}
