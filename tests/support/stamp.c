/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/stamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* -- stamps --------------------------------------------------------------- */

/* FNV-1a: it finds accidents, and there are no adversaries here. */
static uint32_t
checksum(const char *text, size_t len)
{
    uint32_t sum = 2166136261u;

    for (size_t i = 0; i < len; i++)
        sum = (sum ^ (unsigned char)text[i]) * 16777619u;
    return sum;
}

static uint32_t
sum_of(const struct stamp *s)
{
    char text[40];
    const int len =
        snprintf(text, sizeof(text), "%" PRIu32 ".%" PRIu32 ".%" PRIu32,
                 s->room, s->sender, s->number);

    return checksum(text, (size_t)len);
}

/* Different for each stamp, and each place in it. */
static char
padding_at(uint32_t sum, size_t i)
{
    return (char)('a' + (sum + i * 7 + i / 26) % 26);
}

size_t
stamp_write(char *out, size_t size, const struct stamp *s, size_t padding)
{
    const uint32_t sum = sum_of(s);
    size_t len;

    if (size < STAMP_SIZE + padding)
        abort();
    len = (size_t)snprintf(
        out, size,
        "=%" PRIu32 ".%" PRIu32 ".%" PRIu32 ".%08" PRIx32 ".%zu=", s->room,
        s->sender, s->number, sum, padding);
    for (size_t i = 0; i < padding; i++)
        out[len++] = padding_at(sum, i);
    out[len] = '\0';
    return len;
}

bool
stamp_read(const char *text, struct stamp *out)
{
    struct stamp s;
    char again[STAMP_SIZE];
    size_t padding, len;
    uint32_t sum;

    if (sscanf(text, "=%" SCNu32 ".%" SCNu32 ".%" SCNu32 ".%" SCNx32 ".%zu=",
               &s.room, &s.sender, &s.number, &sum, &padding) != 5)
        return false;
    /* As it was written, to the letter: sscanf() forgives a lot. */
    len = (size_t)snprintf(
        again, sizeof(again),
        "=%" PRIu32 ".%" PRIu32 ".%" PRIu32 ".%08" PRIx32 ".%zu=", s.room,
        s.sender, s.number, sum_of(&s), padding);
    if (strncmp(text, again, len) != 0 || strlen(text) != len + padding)
        return false;
    for (size_t i = 0; i < padding; i++)
        if (text[len + i] != padding_at(sum, i))
            return false;
    *out = s;
    return true;
}

/* -- canaries ------------------------------------------------------------- */

struct canary
canary_random(void)
{
    struct canary c;
    uint64_t bits;

    if (getrandom(&bits, sizeof(bits), 0) != sizeof(bits))
        abort();
    snprintf(c.word, sizeof(c.word), "~%016" PRIx64 "~", bits);
    return c;
}

static bool
is_canary(const char *text)
{
    return strspn(text + 1, "0123456789abcdef") == CANARY_SIZE - 3 &&
           text[CANARY_SIZE - 2] == '~';
}

bool
canary_is_strange(const char *text, const struct canary *own)
{
    while ((text = strchr(text, '~')) != NULL) {
        if (is_canary(text) &&
            (own == NULL || strncmp(text, own->word, CANARY_SIZE - 1) != 0))
            return true;
        text++;
    }
    return false;
}

/* -- ledger --------------------------------------------------------------- */

static void *
zeroed(size_t n, size_t size)
{
    void *const memory = calloc(n > 0 ? n : 1, size);

    if (memory == NULL)
        abort();
    return memory;
}

void
ledger_init(struct ledger *l, size_t hearers, size_t senders)
{
    l->senders = senders;
    l->last = zeroed(hearers * senders, sizeof(*l->last));
}

void
ledger_fini(struct ledger *l)
{
    free(l->last);
    l->last = NULL;
}

enum ledger_verdict
ledger_hear(struct ledger *l, size_t hearer, size_t sender, uint32_t number)
{
    uint32_t *const last = &l->last[hearer * l->senders + sender];
    const uint32_t before = *last;

    *last = number;
    if (number <= before)
        return LEDGER_DOUBLED;
    return number == before + 1 ? LEDGER_NEXT : LEDGER_LOST;
}

enum ledger_verdict
ledger_hear_late(struct ledger *l, size_t hearer, size_t sender,
                 uint32_t number)
{
    uint32_t *const last = &l->last[hearer * l->senders + sender];

    if (*last == 0 && number > 0)
        *last = number - 1;
    return ledger_hear(l, hearer, sender, number);
}

void
ledger_forget(struct ledger *l, size_t hearer)
{
    memset(&l->last[hearer * l->senders], 0, l->senders * sizeof(*l->last));
}

uint32_t
ledger_last(const struct ledger *l, size_t hearer, size_t sender)
{
    return l->last[hearer * l->senders + sender];
}

const char *
ledger_verdict_name(enum ledger_verdict verdict)
{
    switch (verdict) {
    case LEDGER_NEXT:
        return "next";
    case LEDGER_DOUBLED:
        return "doubled or out of order";
    case LEDGER_LOST:
        return "one before it was lost";
    }
    return "?";
}

/* -- once ----------------------------------------------------------------- */

void
once_init(struct once *o, size_t hearers, size_t things)
{
    o->things = things;
    o->told = zeroed(hearers * things, sizeof(*o->told));
}

void
once_fini(struct once *o)
{
    free(o->told);
    o->told = NULL;
}

bool
once_tell(struct once *o, size_t hearer, size_t thing)
{
    uint8_t *const told = &o->told[hearer * o->things + thing];
    const bool is_first = *told == 0;

    *told = 1;
    return is_first;
}

bool
once_is_told(const struct once *o, size_t hearer, size_t thing)
{
    return o->told[hearer * o->things + thing] != 0;
}

void
once_forget(struct once *o, size_t hearer)
{
    memset(&o->told[hearer * o->things], 0, o->things);
}
