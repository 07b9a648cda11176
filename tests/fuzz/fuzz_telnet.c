/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A stream with telnet commands in it: the first byte says how it is cut, the
 * rest is the stream. However it is cut, the same comes out of it; no more
 * text than went in, no option answered twice, and TELNET_TEXT may be eaten in
 * parts.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/buf.h"
#include "proto/line/telnet_priv.h"
#include "support/fuzz.h"

/* What came out, in order: text as it is, an answer as A and its bytes, a wish
 * to leave as L. */
struct result {
    struct buf all;
    size_t text_len;
    bool answered[2][256];
};

static void
note_answer(struct result *r, const unsigned char *answer)
{
    const bool is_wont = answer[1] == 252;

    ASSERT(answer[0] == TELNET_IAC);
    ASSERT(is_wont || answer[1] == 254);
    ASSERT(!r->answered[is_wont][answer[2]]);

    r->answered[is_wont][answer[2]] = true;
    buf_append_char(&r->all, 'A');
    buf_append(&r->all, answer, TELNET_ANSWER_LEN);
}

/* Eats a part of a text of more than one byte, as a line reader may. */
static size_t
note_text(struct result *r, struct slice text, size_t step)
{
    const size_t len = text.len > step ? step : text.len;

    buf_append(&r->all, text.data, len);
    r->text_len += len;
    return len;
}

static size_t
take(struct telnet *t, struct slice bytes, size_t step, struct result *r)
{
    struct telnet_piece piece;
    const size_t used = telnet_take(t, bytes, &piece);

    ASSERT(used >= 1 && used <= bytes.len);
    switch (piece.got) {
    case TELNET_NOTHING:
        break;
    case TELNET_TEXT:
        ASSERT(used == piece.text.len);
        return note_text(r, piece.text, step);
    case TELNET_ANSWER:
        note_answer(r, piece.answer);
        break;
    case TELNET_LEAVE:
        buf_append_char(&r->all, 'L');
        break;
    }
    return used;
}

/* In pieces of `step` bytes. */
static void
run(const uint8_t *data, size_t size, size_t step, struct result *r)
{
    struct telnet t;

    *r = (struct result){.text_len = 0};
    buf_init(&r->all);
    telnet_init(&t);
    while (size > 0) {
        const size_t len = size < step ? size : step;
        char *const piece = malloc(len); /* no longer: ASan watches */
        size_t used = 0;

        ASSERT(piece != NULL);
        memcpy(piece, data, len);
        while (used < len)
            used += take(&t, slice_make(piece + used, len - used), step, r);
        free(piece);
        data += len;
        size -= len;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct result whole, cut;

    if (size < 2)
        return 0;
    run(data + 1, size - 1, size, &whole);
    run(data + 1, size - 1, (size_t)data[0] % 16 + 1, &cut);

    ASSERT(whole.text_len < size);
    ASSERT(whole.all.len == cut.all.len);
    ASSERT(whole.all.len == 0 ||
           memcmp(whole.all.data, cut.all.data, cut.all.len) == 0);
    buf_fini(&whole.all);
    buf_fini(&cut.all);
    return 0;
}
