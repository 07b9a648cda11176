/* SPDX-License-Identifier: BSD-2-Clause
 *
 * line_input - from bytes to lines, and to who carries them out.
 *
 * A line is taken only when the client may talk. Before that its end stays with
 * the conn, and everything behind it; what came of it before may be taken.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/msg.h"
#include "base/utf8.h"
#include "loop/worker.h"
#include "net/conn.h"
#include "net/conns.h"
#include "proto/line/line_priv.h"
#include "proto/line/telnet_priv.h"

static void
take_line(struct line_client *lc, struct slice raw)
{
    struct line_input in;
    struct slice line;
    struct buf clean;

    buf_init(&clean);
    utf8_clean(raw, UTF8_KEEP_FORMATTING | UTF8_KEEP_TABS, &clean);
    line = slice_make(clean.data, clean.len);
    line_parse(line, &in);

    lc->at_prompt = false;
    if (clean.failed)
        conn_close(lc->cl.conn, CONN_END_NOMEM);
    else if (lc->cl.state == CLIENT_MEMBER)
        line_run(lc, &in);
    else if (lc->cl.state == CLIENT_STRANGER)
        line_take_nick(lc, &in, line);
    buf_fini(&clean);
}

static void
take_long_line(struct line_client *lc, size_t limit)
{
    lc->at_prompt = false;
    line_tell(lc,
              "That line is longer than %zu bytes and was not taken; "
              "please send it in parts.",
              limit);
    if (lc->cl.state == CLIENT_STRANGER)
        line_prompt(lc);
}

/* May the line that ends here be carried out now? */
static bool
may_take_line(struct line_client *lc)
{
    const uint64_t now_ms =
        worker_now_ms(conns_worker(conn_conns(lc->cl.conn)));
    bool may, warn = false;

    if (lc->awaited != 0)
        return false;
    may = client_may_talk(&lc->cl, 1, now_ms, &warn);
    if (warn)
        line_tell(lc, "You are sending too fast; what you send waits.");
    return may;
}

/* `text` has at most one LF, at its end. Returns how much it took. */
static size_t
take_text(struct line_client *lc, struct slice text)
{
    const size_t limit = client_conf(&lc->cl)->limits_line_length;
    struct line_piece piece;
    size_t used;

    if (text.data[text.len - 1] == '\n' && !may_take_line(lc))
        return 0;

    used = line_reader_take(&lc->reader, text, limit, &piece);
    switch (piece.got) {
    case LINE_MORE:
        break;
    case LINE_READY:
        take_line(lc, piece.line);
        line_reader_forget(&lc->reader);
        break;
    case LINE_TOO_LONG:
        take_long_line(lc, limit);
        break;
    case LINE_NO_MEMORY:
        conn_close(lc->cl.conn, CONN_END_NOMEM);
        break;
    }
    return used;
}

static size_t
take_telnet(struct line_client *lc, struct slice bytes)
{
    struct telnet_piece piece;
    const size_t used = telnet_take(lc->telnet, bytes, &piece);

    switch (piece.got) {
    case TELNET_NOTHING:
        break;
    case TELNET_TEXT:
        return lc->is_leaving ? used : take_text(lc, piece.text);
    case TELNET_ANSWER:
        (void)conn_queue_take(lc->cl.conn,
                              msg_copy(piece.answer, TELNET_ANSWER_LEN));
        break;
    case TELNET_LEAVE:
        lc->is_leaving = true;
        break;
    }
    return used;
}

/* Up to the next LF, which is included, or all there is. */
static struct slice
until_lf(struct slice bytes)
{
    const char *const lf = memchr(bytes.data, '\n', bytes.len);

    return lf == NULL ? bytes
                      : slice_make(bytes.data, (size_t)(lf - bytes.data) + 1);
}

size_t
line_take(struct line_client *lc, struct slice bytes)
{
    const struct slice front = until_lf(bytes);

    if (lc->telnet == NULL &&
        memchr(front.data, TELNET_IAC, front.len) != NULL) {
        lc->telnet = malloc(sizeof(*lc->telnet));
        if (lc->telnet == NULL) {
            conn_close(lc->cl.conn, CONN_END_NOMEM);
            return 0;
        }
        telnet_init(lc->telnet);
    }
    return lc->telnet == NULL ? take_text(lc, front) : take_telnet(lc, front);
}
