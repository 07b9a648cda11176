/* SPDX-License-Identifier: BSD-2-Clause */
#include "support/acceptor_rig.h"

#include "base/log.h"

struct acceptor_rig rig;

/* -- doubles -------------------------------------------------------------- */

void
conns_post_socket(struct conns *cs, const struct accepted *s)
{
    cs->load++;
    cs->last = *s;
    if (s->ticket != NULL) {
        ck_assert_uint_lt(cs->tickets_count, ARRAY_LEN(cs->tickets));
        cs->tickets[cs->tickets_count++] = s->ticket;
    }
    close(s->fd);
}

uint32_t
conns_load(const struct conns *cs)
{
    return cs->load;
}

int __real_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags);

int
__wrap_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags)
{
    rig.accepts++;
    if (rig.failures == 0)
        return __real_accept4(fd, sa, len, flags);
    rig.failures--;
    errno = rig.error;
    return -1;
}

void *__real_malloc(size_t size);

void *
__wrap_malloc(size_t size)
{
    return rig.memory_is_short ? NULL : __real_malloc(size);
}

/* -- up and down ---------------------------------------------------------- */

struct net_conf
rig_conf(uint64_t connections, uint64_t per_address, uint64_t rate)
{
    struct net_conf conf;

    net_conf_init(&conf);
    conf.limits_connections = connections;
    conf.limits_connections_per_address = per_address;
    conf.limits_connect_rate = rate;
    return conf;
}

void
rig_setup(uint64_t connections, uint64_t per_address, uint64_t rate)
{
    static struct conns *conns[RIG_WORKERS];
    const struct worker_conf worker_conf = {.name = "acceptor", .cpu = -1};
    const struct net_conf conf = rig_conf(connections, per_address, rate);
    struct acceptor_env env = {.conns = conns, .conns_count = RIG_WORKERS};

    for (size_t i = 0; i < RIG_WORKERS; i++)
        conns[i] = &rig.conns[i];
    log_set_level(LOG_LEVEL_ERROR);
    fake_time_start(1000);
    ck_assert_int_eq(worker_create(&worker_conf, &rig.worker), 0);
    env.worker = rig.worker;
    ck_assert_int_eq(acceptor_create(&env, &conf, &rig.acceptor), 0);
    rig.counters = acceptor_counters(rig.acceptor);
    rig_listen(5);
    worker_turn(rig.worker);
}

void
rig_teardown(void)
{
    rig_return_tickets();
    acceptor_destroy(rig.acceptor);
    worker_destroy(rig.worker);
}

void
rig_listen(unsigned index)
{
    const struct listener_conf conf = {
        .name = "main", .addr = dial_addr("127.0.0.1:0"), .index = index};
    struct listener *l = NULL;

    ck_assert_int_eq(listener_open(&conf, &l), 0);
    rig.address = *listener_addr(l);
    ck_assert_int_eq(acceptor_post_listen(rig.acceptor, l), 0);
}

/* -- what happens --------------------------------------------------------- */

void
rig_return_tickets(void)
{
    for (size_t i = 0; i < RIG_WORKERS; i++) {
        struct conns *const cs = &rig.conns[i];

        while (cs->tickets_count > 0)
            conn_ticket_return(cs->tickets[--cs->tickets_count]);
    }
}

void
rig_fail_accepts(unsigned times, int error)
{
    rig.failures = times;
    rig.error = error;
}

unsigned
rig_turn_until_idle(void)
{
    const size_t idle = fake_time.idle;
    unsigned turns = 0;

    fake_time.stays = true;
    while (fake_time.idle == idle) {
        worker_turn(rig.worker);
        ck_assert_uint_lt(turns++, 1000);
    }
    fake_time.stays = false;
    return turns;
}

void
rig_turn_until_quiet(void)
{
    const size_t for_ever = fake_time.for_ever;

    while (fake_time.for_ever == for_ever)
        worker_turn(rig.worker);
}

uint32_t
rig_load(void)
{
    uint32_t load = 0;

    for (size_t i = 0; i < RIG_WORKERS; i++)
        load += rig.conns[i].load;
    return load;
}

/* -- clients -------------------------------------------------------------- */

int
rig_visit(const char *from)
{
    const int fd = dial_from(&rig.address, from);

    ck_assert_int_ge(fd, 0);
    rig_turn_until_idle();
    return fd;
}

void
rig_expect_text(int fd, const char *text)
{
    socklen_t len = sizeof(int);
    char got[256];
    int error = -1;

    ck_assert_int_ge(dial_read_all(fd, got, sizeof(got)), 0);
    ck_assert_str_eq(got, text);
    /* A reset behind the text is an error too: elsewhere it may be in front. */
    ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
    ck_assert_int_eq(error, 0);
    close(fd);
}

void
rig_expect_welcome(int fd)
{
    rig_expect_text(fd, "");
}
