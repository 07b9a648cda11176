/* SPDX-License-Identifier: BSD-2-Clause
 *
 * stamp - what a message carries so that its loss, its double, its place and
 * its pieces are seen, and what keeps the books of that.
 *
 * Stamp    {room, sender, number} and a checksum over these and a padding that
 *          follows from them:  =3.17.42.9f0c11d2=abc…
 *          What does not read back is torn, or not ours.
 * Canary   A random word that belongs to one connection:  ~0123456789abcdef~
 *          Seen by another one, somebody's bytes went astray.
 * Ledger   For each hearer and sender the number that comes next.
 * Once     For each hearer a set of what it has been told.
 *
 * Nothing here fails a test; the caller does, and knows more.
 */
#ifndef SUPPORT_STAMP_H
#define SUPPORT_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* -- stamps --------------------------------------------------------------- */

#define STAMP_SIZE 64u /* of one without padding, with its NUL */

struct stamp {
    uint32_t room;
    uint32_t sender;
    uint32_t number; /* of that sender in that room, from 1 */
};

/* Writes the stamp with `padding` bytes behind it, and a NUL. `size` must be
 * STAMP_SIZE + padding. The length. */
size_t stamp_write(char *out, size_t size, const struct stamp *s,
                   size_t padding);

/* False when `text` is not exactly what stamp_write() made. */
bool stamp_read(const char *text, struct stamp *out);

/* -- canaries ------------------------------------------------------------- */

#define CANARY_SIZE 19u /* with its NUL */

struct canary {
    char word[CANARY_SIZE];
};

struct canary canary_random(void);

/* Is there one in `text` that is not `own` (NULL: none is)? */
bool canary_is_strange(const char *text, const struct canary *own);

/* -- ledger --------------------------------------------------------------- */

enum ledger_verdict {
    LEDGER_NEXT,    /* as it must be */
    LEDGER_DOUBLED, /* or an old one behind a newer */
    LEDGER_LOST,    /* one before it has not come, and now cannot */
};

struct ledger {
    size_t senders;
    uint32_t *last; /* [hearer * senders + sender] */
};

/* Nothing heard yet. Aborts when out of memory. */
void ledger_init(struct ledger *l, size_t hearers, size_t senders);
void ledger_fini(struct ledger *l);

/* What `hearer` heard; the number counts as heard also when it is wrong. */
enum ledger_verdict ledger_hear(struct ledger *l, size_t hearer, size_t sender,
                                uint32_t number);

/* The same for a hearer who came in the middle: the first may be any. */
enum ledger_verdict ledger_hear_late(struct ledger *l, size_t hearer,
                                     size_t sender, uint32_t number);

/* Another takes that hearer's place, who has heard nothing. */
void ledger_forget(struct ledger *l, size_t hearer);

/* The last number heard, 0: none. */
uint32_t ledger_last(const struct ledger *l, size_t hearer, size_t sender);

const char *ledger_verdict_name(enum ledger_verdict verdict);

/* -- once ----------------------------------------------------------------- */

struct once {
    size_t things;
    uint8_t *told; /* [hearer * things + thing] */
};

void once_init(struct once *o, size_t hearers, size_t things);
void once_fini(struct once *o);

/* False when it had been told already. */
bool once_tell(struct once *o, size_t hearer, size_t thing);
bool once_is_told(const struct once *o, size_t hearer, size_t thing);

/* Another takes that hearer's place, who has been told nothing. */
void once_forget(struct once *o, size_t hearer);

#endif
