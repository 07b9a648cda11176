/* SPDX-License-Identifier: BSD-2-Clause
 *
 * bell - the inbox's wake-up protocol, for spin. tests/model/run.sh runs it.
 *
 * What another thread could come between is two steps here; each step's name is
 * in a comment where it stands, and this is its line in src/base/inbox.c:
 *
 *   P1  inbox_post()   seen = atomic_load(&in->top)
 *                      link->next = seen == &in->asleep ? NULL : seen
 *   P2                 the compare-exchange; on failure it loads `seen` anew
 *   P3  the caller     inbox_post() said true: write(eventfd)
 *   T1  inbox_take()   the look at &in->top that spares an exchange
 *   T2                 atomic_exchange(&in->top, NULL)
 *                      reverse(), on links that are the owner's by now
 *   S1  inbox_sleep()  the compare-exchange NULL -> &asleep
 *   W1  the reactor    waits until the eventfd or anything else is readable
 *
 * Poster 0 has one link, which it uses again once the owner has read it, so
 * that an address comes back to the top of the stack while another poster still
 * holds it in `seen`. Poster 1 has one for each letter, so that several of its
 * letters are in the stack at once. Variables are cleared when they no longer
 * matter: that makes states equal which differ in nothing else.
 *
 * What is shown, for every interleaving:
 *   - whoever is asleep is woken if there is mail: the request to stop is mail
 *     too and always comes, so every run must end with the owner gone, and an
 *     owner left waiting is an "invalid end state";
 *   - inbox_sleep() is granted only when all that was posted was delivered;
 *   - letters arrive once, and each poster's in the order of posting;
 *   - what was posted before the request to stop is delivered before the end;
 *   - no ring without a sleep of its own (rings <= sleeps);
 *   - nobody turns for ever without doing anything (no cycle at all).
 *
 * spin knows no weak memory, and need not: one word carries the protocol, its
 * changes are read-modify-writes and have one order. That what lies behind a
 * link is visible in time is for tests/race under ThreadSanitizer.
 *
 * -DBUG=n puts back a fault, which run.sh expects to be caught:
 *   1  S1 is a plain store: the owner took, decides to sleep, and what came in
 *      between is overwritten
 *   2  the poster looks for the mark at P1 and believes it after P2
 *   3  the request to stop is posted and its ring left out
 *   4  P2 is a plain store
 */
#ifndef BUG
#define BUG 0
#endif

#define MAIL 2 /* letters that each of the two posters posts */

/* Values of the word, and names of links. */
#define NIL        0
#define LINK(p, n) (1 + p * (1 + n))
#define STOP       4
#define ASLEEP     5
#define FROM(link) (link / 2) /* 0 and 1: the posters, 2: the stopper */

byte top = NIL;        /* in->top */
byte next[STOP + 1];   /* link->next */
byte number[STOP + 1]; /* what the letter around the link says */
bool in_use[STOP + 1]; /* from posting until the owner has read it */
bool bell = false;     /* the eventfd is readable */
bool nudge = false;    /* something else is: a socket, a timer */
bool owner_gone = false;

/* Nobody decides by these; assertions do. */
byte posted[3];
byte delivered[3];
byte promised[2]; /* of posted, what was there when a stop was decided */
byte unrung = 0; /* sleeps - rings */

inline look(link, seen)
{
    seen = top;
    next[link] = (seen == ASLEEP -> NIL : seen)
}

/* Sets `ring` to what inbox_post() returns. */
inline inbox_post(link, seen, ring)
{
    atomic { /* P1 */
        look(link, seen);
#if BUG == 2
        ring = (seen == ASLEEP)
#endif
    }
    do
    :: atomic { /* P2 */
#if BUG == 4
           true ->
#else
           top == seen ->
#endif
           top = link;
#if BUG != 2
           ring = (seen == ASLEEP);
#endif
           seen = NIL;
           posted[FROM(link)]++;
           break
       }
    :: atomic { top != seen -> look(link, seen) }
    od
}

inline ring_bell(ring)
{
    atomic { /* P3 */
        assert(unrung > 0);
        unrung--;
        bell = true;
        ring = false
    }
}

proctype poster(byte self)
{
    byte seen;
    byte n = 0;
    bool ring;

    do
    :: n < MAIL ->
        if
        :: !in_use[LINK(self, n)]
        :: owner_gone -> break
        fi;
        atomic {
            in_use[LINK(self, n)] = true;
            number[LINK(self, n)] = n
        }
        inbox_post(LINK(self, n), seen, ring);
        if
        :: ring -> ring_bell(ring)
        :: else
        fi;
        n++
    :: else -> break
    od
}

proctype stopper()
{
    byte seen;
    bool ring;

    atomic {
        promised[0] = posted[0];
        promised[1] = posted[1]
    }
    inbox_post(STOP, seen, ring);
#if BUG != 3
    if
    :: ring -> ring_bell(ring)
    :: else
    fi
#endif
}

proctype nudger()
{
    nudge = true
}

inline inbox_take(got)
{
    if
    :: top == NIL -> got = NIL /* T1 */
    :: else ->
        atomic { got = top; top = NIL } /* T2 */
        if
        :: got == ASLEEP -> got = NIL
        :: else
        fi
    fi
}

/* Nobody else touches these links, so the steps need not be apart. */
inline reverse(newest, oldest, after)
{
    d_step {
        oldest = NIL;
        do
        :: newest != NIL ->
            after = next[newest];
            next[newest] = oldest;
            oldest = newest;
            newest = after
        :: else -> break
        od;
        after = 0
    }
}

inline read_letter(link, told)
{
    told = told || link == STOP;
    assert(number[link] == delivered[FROM(link)]);
    delivered[FROM(link)]++;
    in_use[link] = false
}

inline inbox_sleep(granted)
{
#if BUG == 1
    atomic { top = ASLEEP; unrung++; granted = true } /* S1 */
#else
    atomic { /* S1 */
        if
        :: top == NIL ->
            top = ASLEEP;
            unrung++;
            granted = true;
            assert(posted[0] == delivered[0]);
            assert(posted[1] == delivered[1]);
            assert(posted[2] == delivered[2])
        :: else ->
            granted = false
        fi
    }
#endif
}

proctype owner()
{
    byte newest, link, after;
    bool told = false;
    bool granted;

    do
    :: told -> break
    :: else ->
        inbox_take(newest);
        reverse(newest, link, after);
        do
        :: link != NIL ->
            atomic { /* the link is the poster's again when it was read */
                after = next[link];
                read_letter(link, told);
                link = after;
                after = 0
            }
        :: else -> break
        od;
        if
        :: told
        :: else ->
            inbox_sleep(granted);
            if
            :: granted ->
                if /* W1 */
                :: atomic { bell -> bell = false }
                :: atomic { nudge -> nudge = false }
                fi;
                granted = false
            :: else
            fi
        fi
    od;

    assert(delivered[0] >= promised[0] && delivered[1] >= promised[1]);
    owner_gone = true
}

init
{
    atomic {
        run owner();
        run poster(0);
        run poster(1);
        run stopper();
        run nudger()
    }
}
