/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Everybody sees what they were to see, in order, whatever happens to their
 * connections: random talk on a real hub, a front and the line protocol, by
 * clients that read slowly, lose their connections in every way and come back.
 *
 * The truth    is what the hub made of it: each event that it creates is noted
 *              with who was to see it, by a model of rooms that knows nothing
 *              of sessions.
 * Programs     (/ack on) must see each of them once, by its number.
 * Plain ones   must see each at least once, and twice only when the connection
 *              between left it open whether it had come.
 * Exceptions   are what a room said before one left it oneself, and what a log
 *              held no more: that must be told, as a number.
 */
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "once.h"
#include "support/fake_time.h"
#include "support/line_rig.h"
#include "support/unit.h"

#define ACTS 1500u /* a seed */

#ifndef SEEDS
#define SEEDS 12u
#endif

static unsigned
roll(unsigned sides)
{
    return (unsigned)rand_r(&play.dice) / 7 % sides;
}

/* ---- what it does -------------------------------------------------------- */

/* Small buffers, so that slow readers soon are. */
static void
shrink(int fd, int option)
{
    const int size = 2048 << roll(3);

    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, option, &size, sizeof(size)),
                     0);
}

static void
tcp_pair(int ends[2])
{
    struct sockaddr_in sin = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    struct sockaddr *const sa = (struct sockaddr *)&sin;
    socklen_t len = sizeof(sin);
    const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(listening, sa, len), 0);
    ck_assert_int_eq(listen(listening, 1), 0);
    ck_assert_int_eq(getsockname(listening, sa, &len), 0);
    ends[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    shrink(ends[1], SO_RCVBUF);
    ck_assert_int_eq(connect(ends[1], sa, len), 0);
    ends[0] = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    ck_assert_int_ge(ends[0], 0);
    close(listening);
}

/* Returns the client's end. */
static int
dial(bool tcp, int *served)
{
    struct accepted s = {.peer.family = tcp ? AF_INET : AF_UNIX};
    const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    int ends[2];

    if (tcp)
        tcp_pair(ends);
    else
        ck_assert_int_eq(socketpair(AF_UNIX, type, 0, ends), 0);
    shrink(ends[0], SO_SNDBUF);
    s.fd = ends[0];
    *served = ends[0];
    conns_adopt(rig.conns, &s);
    return ends[1];
}

static void
say_to(int fd, const char *text)
{
    (void)send(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Who is not back yet says nothing: it might be taken for a nickname. */
static void
say(struct actor *a, const char *text)
{
    if (a->fd >= 0 && a->is_back)
        say_to(a->fd, text);
}

static void
ask_back(struct actor *a, int fd)
{
    char text[TOKEN + 16];

    (void)snprintf(text, sizeof(text), "/resume %s\n", a->token);
    say_to(fd, text);
}

/* The rest of what the old connection brings is read first. */
static void
come_back(struct actor *a)
{
    const bool tcp = roll(2) == 0;
    int fd, served;

    if (a->fd >= 0 && !a->is_back)
        return; /* two that ask would take it from each other for ever */
    while (!a->acks && read_some(a, SIZE_MAX) > 0)
        ; /* its new token may be among what its TCP has acknowledged */
    fd = dial(tcp, &served);
    if (a->fd >= 0)
        a->is_clean = false; /* it may be given what is on its way here */
    ask_back(a, fd);
    for (unsigned i = 0; a->fd >= 0; i++) {
        fake_time_pass_ms(5);
        read_all(a);
        if (i > 1000) {
            char text[1000] = "";

            (void)recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
            blame(a, "is not replaced", text);
        }
    }
    a->fd = fd;
    a->served = served;
    a->is_tcp = tcp;
    a->is_back = false;
    a->upto = 0;
    turn();
}

/* A connection that dies before, or after, it was told anything, which nobody
 * reads. (What TCP has acknowledged a plain client is taken to have read.) */
static void
come_back_in_vain(struct actor *a)
{
    const bool tcp = a->acks && roll(2) == 0;
    int served;
    const int fd = dial(tcp, &served);

    ask_back(a, fd);
    if (roll(2) == 0)
        turn();
    if (roll(2) == 0)
        (void)shutdown(fd, SHUT_WR);
    if (roll(2) == 0)
        turn();
    close(fd);
    turn();
}

static void
reset(struct actor *a)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(a->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    hang_up(a);
}

static void
acknowledge(struct actor *a)
{
    char text[64];

    if (!a->acks || a->next == 0 || a->fd < 0)
        return;
    (void)snprintf(text, sizeof(text), "/ack %llu\n",
                   (unsigned long long)past[a->next - 1].id);
    say(a, text);
}

/* Has the server taken all that it said (it does not read one that is behind),
 * and does it know that all it sent has come? */
static bool
is_settled(const struct actor *a)
{
    int unsent = 0, unread = 0, unacked = 0;

    ck_assert_int_eq(ioctl(a->fd, SIOCOUTQ, &unsent), 0);
    ck_assert_int_eq(ioctl(a->served, FIONREAD, &unread), 0);
    ck_assert_int_eq(ioctl(a->served, SIOCOUTQ, &unacked), 0);
    return unsent == 0 && unread == 0 && unacked == 0 &&
           metric_read(&conns_counters(rig.conns)->kept_bytes) == 0;
}

/* With all of it read, and known to be. */
static void
lose_cleanly(struct actor *a)
{
    size_t acked;

    read_all(a);
    acked = a->next;
    acknowledge(a);
    read_all(a);
    if (a->fd < 0 || !a->is_back || a->next != acked || !is_settled(a))
        return;
    a->acked = acked == 0 ? 0 : past[acked - 1].id;
    hang_up(a);
    turn();
    a->is_clean = true;
}

/* From now on nothing reaches it. (Its kernel would acknowledge what comes
 * between the last read and the close, and nobody would have read that: no
 * server can know.) */
static void
cut_wire(const struct actor *a)
{
    struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
    const struct sock_fprog all = {.len = 1, .filter = &drop};

    ck_assert_int_eq(
        setsockopt(a->fd, SOL_SOCKET, SO_ATTACH_FILTER, &all, sizeof(all)), 0);
}

/* What its kernel holds has come to it: that is read. */
static void
lose_roughly(struct actor *a)
{
    a->is_clean = false;
    if (roll(3) == 0)
        turn();
    if (roll(2) == 0) {
        (void)shutdown(a->fd, SHUT_WR);
        if (roll(2) == 0)
            turn();
    }
    if (a->is_tcp) {
        cut_wire(a);
        while (read_some(a, SIZE_MAX) > 0)
            ;
    }
    if (a->fd >= 0 && a->is_tcp && roll(2) == 0)
        reset(a);
    hang_up(a);
    if (roll(2) == 0)
        turn();
}

static void
lose(struct actor *a)
{
    if (a->fd < 0)
        return;
    if (play.is_tidy || roll(3) == 0)
        lose_cleanly(a);
    else
        lose_roughly(a);
}

static void
talk(struct actor *a)
{
    char padding[300];
    const size_t len = roll(8) == 0 ? roll(290) : roll(20);
    char text[400];

    memset(padding, 'x', len);
    padding[len] = '\0';
    if (roll(4) > 0)
        (void)snprintf(text, sizeof(text), "m%u%s\n", play.serial++, padding);
    else
        (void)snprintf(text, sizeof(text), "/me acts m%u%s\n", play.serial++,
                       padding);
    say(a, text);
}

static void
move(struct actor *a)
{
    const unsigned room = roll(ROOMS);
    char text[200];

    switch (roll(7)) {
    case 0:
    case 1:
        if (a->was_in[room])
            return; /* its coming would look the same */
        a->was_in[room] = 1;
        (void)snprintf(text, sizeof(text), "/join %s\n", room_names[room]);
        break;
    case 2:
        if (play.is_tidy)
            return;
        (void)snprintf(text, sizeof(text), "/part %s m%u\n", room_names[room],
                       play.serial++);
        break;
    case 3:
        if (play.is_tidy)
            return; /* counts in each room */
        (void)snprintf(text, sizeof(text), "/nick u%ux%u\n",
                       (unsigned)(a - play.actors), play.serial++);
        break;
    case 4:
        (void)snprintf(text, sizeof(text), "/topic %s m%u\n", room_names[room],
                       play.serial++);
        break;
    case 5:
        if (a->was_away || play.is_tidy)
            return;
        a->was_away = true;
        (void)snprintf(text, sizeof(text), "/away m%u\n", play.serial++);
        break;
    default:
        (void)snprintf(text, sizeof(text), "/switch %s\n", room_names[room]);
        break;
    }
    say(a, text);
}

static void
tell_one(struct actor *a)
{
    char text[200];

    (void)snprintf(text, sizeof(text), "/msg %s m%u\n",
                   play.actors[roll(ACTORS)].nick, play.serial++);
    say(a, text);
}

static void
announce(void)
{
    struct command c = {.kind = COMMAND_ANNOUNCE};
    char text[32];

    (void)snprintf(text, sizeof(text), "m%u", play.serial++);
    c.text = slice_of(text);
    oper_send(&c);
}

static void
act(struct actor *a)
{
    const unsigned what = roll(100);

    if (what < 45)
        talk(a);
    else if (what < 55)
        move(a);
    else if (what < 60)
        tell_one(a);
    else if (what < 75)
        (void)read_some(a, roll(2) == 0 ? SIZE_MAX : roll(300) + 1u);
    else if (what < 79)
        read_all(a);
    else if (what < 83)
        acknowledge(a);
    else if (what < 87)
        lose(a);
    else if (what < 89 && a->fd < 0 && !play.is_tidy)
        come_back_in_vain(a);
    else if (what < 92 && (a->fd < 0 || !play.is_tidy))
        come_back(a);
    else if (what == 92)
        announce();
    else if (what == 93)
        fake_time_pass_ms(roll(1500));
    else
        turn();
}

/* ---- the play ------------------------------------------------------------ */

static void
start(unsigned seed, bool tidy, size_t kept)
{
    static const size_t queues[] = {4096, 16384, 1048576};

    play = (struct play){.seed = seed, .dice = seed * 7919 + 1};
    play.is_tidy = tidy;
    line_rig_init();
    rig.net.limits_sendq = queues[roll(3)];
    rig.net.timeouts_slow = 3600000; /* their time passes faster than TCP's */
    rig.proto.limits_line_length = 512;
    rig.proto.history_room_events = 0;
    rig.proto.session_linger = 3600000;
    rig.chat.session_linger = 3600000;
    rig.chat.history_room_events = 0;
    rig.chat.history_keep_events = kept;
    line_rig_start();
    for (unsigned i = 0; i < ACTORS; i++) {
        struct actor *const a = &play.actors[i];
        char text[64];

        (void)snprintf(a->nick, sizeof(a->nick), "u%u", i);
        (void)snprintf(text, sizeof(text), "u%u\n", i);
        buf_init(&a->line);
        a->is_tcp = roll(2) == 0;
        a->fd = dial(a->is_tcp, &a->served);
        a->was_in[0] = 1;
        say_to(a->fd, text);
        read_all(a);
        a->acks = roll(2) == 0;
        if (a->acks)
            say(a, "/ack on\n");
        read_all(a);
    }
}

/* Everybody comes back, and reads all there is. */
static void
gather(void)
{
    bool all = false;

    for (unsigned round = 0; !all; round++) {
        const size_t before = play.past;

        all = true;
        ck_assert_msg(round < 100, "seed %u: they do not gather", play.seed);
        for (unsigned i = 0; i < ACTORS; i++) {
            struct actor *const a = &play.actors[i];

            if (a->fd < 0)
                come_back(a);
            fake_time_pass_ms(5);
            read_all(a);
            all = all && a->fd >= 0 && a->is_back;
        }
        all = all && play.past == before;
    }
}

static void
check_actor(const struct actor *a, bool may_miss)
{
    const uint32_t own = BIT((unsigned)(a - play.actors));
    uint64_t lost = 0;

    for (size_t i = 0; i < play.past; i++) {
        const bool is_excused = i < a->parted;

        if ((past[i].seers & own) == 0 || (past[i].saw & own) != 0)
            continue;
        if (!is_excused)
            lost++;
        if (!may_miss && !is_excused)
            blame(a, "never saw", past[i].body);
    }
    if (lost > a->told || (play.is_tidy && lost != a->told))
        ck_abort_msg("seed %u: %s lost %llu, and was told of %llu", play.seed,
                     a->nick, (unsigned long long)lost,
                     (unsigned long long)a->told);
}

static void
finish(bool may_miss)
{
    gather();
    for (unsigned i = 0; i < ACTORS; i++)
        check_actor(&play.actors[i], may_miss);
    for (unsigned i = 0; i < ACTORS; i++) {
        hang_up(&play.actors[i]);
        buf_fini(&play.actors[i].line);
    }
    turn();
    play.is_over = true;
    fake_time_pass_ms(3600000);
    turn();
    for (size_t i = 0; i < play.past; i++)
        free(past[i].body);
    play.past = 0;
}

/* ONCE_SEEDS="from to" in the environment plays others. */
static void
play_all(bool tidy, size_t kept)
{
    const char *const seeds = getenv("ONCE_SEEDS");
    unsigned from = 1, to = SEEDS;

    if (seeds != NULL)
        ck_assert_int_eq(sscanf(seeds, "%u %u", &from, &to), 2);
    for (unsigned seed = from; seed <= to; seed++) {
        start(seed, tidy, kept);
        for (unsigned i = 0; i < ACTS; i++)
            act(&play.actors[roll(ACTORS)]);
        finish(kept < PAST);
        line_rig_stop();
    }
}

START_TEST(nothing_is_lost_and_nothing_comes_twice)
{
    play_all(false, PAST);
}
END_TEST

START_TEST(what_is_gone_is_told)
{
    play_all(false, 5);
}
END_TEST

START_TEST(the_number_of_what_is_gone_is_right)
{
    play_all(true, 5);
}
END_TEST

UNIT_MAIN("proto/line_exactly_once", nothing_is_lost_and_nothing_comes_twice,
          what_is_gone_is_told, the_number_of_what_is_gone_is_right)
