/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Real sockets on loopback and in a directory of the test's own. socket() is
 * wrapped, so that a case can play a kernel without IPv6.
 */
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "support/dial.h"
#include "support/unit.h"

static bool has_no_ipv6;
static char dir[] = "/tmp/klatch-listener-XXXXXX";
static char path[64];
static char unix_text[80];

int __real_socket(int domain, int type, int protocol);

int
__wrap_socket(int domain, int type, int protocol)
{
    if (has_no_ipv6 && domain == AF_INET6) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    return __real_socket(domain, type, protocol);
}

static int
open_at(const struct listen_addr *a, struct listener **out)
{
    const struct listener_conf conf = {.name = "main", .addr = *a, .index = 3};

    return listener_open(&conf, out);
}

/* Listens at `text`, where nothing stands in the way. */
static struct listener *
must_open(const char *text)
{
    const struct listen_addr a = dial_addr(text);
    struct listener *l = NULL;

    ck_assert_int_eq(open_at(&a, &l), 0);
    return l;
}

static int
get_option(const struct listener *l, int level, int option)
{
    int value = -1;
    socklen_t len = sizeof(value);

    ck_assert_int_eq(getsockopt(listener_fd(l), level, option, &value, &len),
                     0);
    return value;
}

static in_port_t
port_of(const struct listener *l)
{
    return ntohs(listener_addr(l)->u.in.sin_port); /* also in6's place */
}

static void
setup_dir(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/sock", dir);
    snprintf(unix_text, sizeof(unix_text), "unix:%s", path);
}

static void
teardown_dir(void)
{
    (void)unlink(path);
    ck_assert_int_eq(rmdir(dir), 0);
}

static bool
exists(void)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

/* What a daemon that was killed leaves behind. */
static void
leave_stale_socket(int type)
{
    const struct listen_addr a = dial_addr(unix_text);
    const int fd = socket(AF_UNIX, type, 0);

    ck_assert_int_eq(bind(fd, &a.u.any, a.len), 0);
    close(fd);
    ck_assert(exists());
}

/* -- TCP ------------------------------------------------------------------ */

START_TEST(a_listener_knows_the_port_it_got)
{
    struct listener *const l = must_open("127.0.0.1:0");
    const int fd = dial(listener_addr(l));

    ck_assert_uint_ne(port_of(l), 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_str_eq(listener_name(l), "main");
    ck_assert_uint_eq(listener_index(l), 3);
    close(fd);
    listener_close(l);
}
END_TEST

START_TEST(its_socket_is_set_up_for_an_acceptor)
{
    struct listener *const l = must_open("127.0.0.1:0");
    const int fd = listener_fd(l);

    ck_assert_int_eq(get_option(l, SOL_SOCKET, SO_REUSEADDR), 1);
    ck_assert_int_eq(get_option(l, SOL_SOCKET, SO_REUSEPORT), 1);
    ck_assert_int_ne(get_option(l, IPPROTO_TCP, TCP_NODELAY), 0);
    ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    listener_close(l);
}
END_TEST

START_TEST(an_accepted_socket_does_not_delay)
{
    struct listener *const l = must_open("127.0.0.1:0");
    const int client = dial(listener_addr(l));
    const int fd = accept(listener_fd(l), NULL, NULL);
    socklen_t len = sizeof(int);
    int value = 0;

    ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &len), 0);

    ck_assert_int_ne(value, 0);
    close(fd);
    close(client);
    listener_close(l);
}
END_TEST

START_TEST(a_port_that_is_taken_is_reported_in_spite_of_reuseport)
{
    struct listener *const first = must_open("127.0.0.1:0");
    struct listener *second = NULL;

    ck_assert_int_eq(open_at(listener_addr(first), &second), -EADDRINUSE);

    ck_assert_ptr_null(second);
    listener_close(first);
}
END_TEST

START_TEST(a_port_with_old_connections_can_be_had_again_at_once)
{
    struct listener *first = must_open("127.0.0.1:0");
    const struct listen_addr same = *listener_addr(first);
    const int client = dial(&same);
    const int fd = accept(listener_fd(first), NULL, NULL);
    struct listener *second = NULL;

    close(fd); /* the server's end goes first: it gets the TIME_WAIT */
    close(client);
    listener_close(first);

    ck_assert_int_eq(open_at(&same, &second), 0);
    listener_close(second);
}
END_TEST

START_TEST(the_star_takes_ipv4_and_ipv6)
{
    static const char *const hosts[] = {"127.0.0.1", "[::1]"};
    struct listener *const l = must_open("*:0");

    ck_assert_int_eq(get_option(l, IPPROTO_IPV6, IPV6_V6ONLY), 0);
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        struct listen_addr to;
        char text[64];
        int fd;

        snprintf(text, sizeof(text), "%s:%u", hosts[i], port_of(l));
        to = dial_addr(text);
        fd = dial(&to);
        ck_assert_int_ge(fd, 0);
        close(fd);
    }
    listener_close(l);
}
END_TEST

START_TEST(another_ipv6_address_is_ipv6_only)
{
    struct listener *const l = must_open("[::1]:0");

    ck_assert_int_eq(get_option(l, IPPROTO_IPV6, IPV6_V6ONLY), 1);
    listener_close(l);
}
END_TEST

START_TEST(the_star_is_ipv4_where_there_is_no_ipv6)
{
    const struct listen_addr v6 = dial_addr("[::1]:0");
    struct listener *l = NULL;
    int fd;

    has_no_ipv6 = true;
    ck_assert_int_eq(open_at(&v6, &l), -EAFNOSUPPORT);
    l = must_open("*:0");

    ck_assert_uint_eq(listener_addr(l)->u.any.sa_family, AF_INET);
    fd = dial(listener_addr(l));
    ck_assert_int_ge(fd, 0);
    close(fd);
    listener_close(l);
}
END_TEST

START_TEST(an_address_that_is_not_ours_is_an_error)
{
    const struct listen_addr a = dial_addr("192.0.2.1:0");
    struct listener *l = NULL;

    ck_assert_int_eq(open_at(&a, &l), -EADDRNOTAVAIL);
    ck_assert_ptr_null(l);
    listener_close(NULL);
}
END_TEST

/* -- Unix ----------------------------------------------------------------- */

START_TEST(a_unix_listener_makes_its_file_and_removes_it)
{
    struct listener *l;
    int fd;

    setup_dir();
    l = must_open(unix_text);
    ck_assert(exists());
    fd = dial(listener_addr(l));
    ck_assert_int_ge(fd, 0);
    close(fd);

    listener_close(l);
    ck_assert(!exists());
    teardown_dir();
}
END_TEST

START_TEST(a_stale_socket_file_is_replaced)
{
    struct listener *l;

    setup_dir();
    leave_stale_socket(SOCK_STREAM);

    l = must_open(unix_text);

    listener_close(l);
    ck_assert(!exists());
    teardown_dir();
}
END_TEST

START_TEST(a_live_socket_file_is_in_use_and_stays)
{
    const struct listen_addr *at;
    struct listener *first, *second = NULL;

    setup_dir();
    first = must_open(unix_text);
    at = listener_addr(first);
    ck_assert_int_eq(open_at(at, &second), -EADDRINUSE);

    close(dial(at)); /* still answers */
    ck_assert(exists());
    listener_close(first);
    teardown_dir();
}
END_TEST

START_TEST(a_live_socket_with_a_full_backlog_is_in_use_too)
{
    struct listener_conf conf = {.name = "main", .backlog = 1};
    struct listener *first = NULL, *second = NULL;
    int fds[2];

    setup_dir();
    conf.addr = dial_addr(unix_text);
    ck_assert_int_eq(listener_open(&conf, &first), 0);
    fds[0] = dial(&conf.addr);
    fds[1] = dial(&conf.addr);
    ck_assert_int_eq(listener_open(&conf, &second), -EADDRINUSE);

    close(fds[0]);
    close(fds[1]);
    listener_close(first);
    teardown_dir();
}
END_TEST

static void
expect_exists_error(void)
{
    const struct listen_addr a = dial_addr(unix_text);
    struct listener *l = NULL;

    ck_assert_int_eq(open_at(&a, &l), -EEXIST);
    ck_assert(exists());
    teardown_dir();
}

START_TEST(a_file_that_is_no_socket_is_left_alone)
{
    setup_dir();
    close(open(path, O_CREAT | O_WRONLY, 0600));

    expect_exists_error();
}
END_TEST

START_TEST(a_link_is_left_alone)
{
    setup_dir();
    ck_assert_int_eq(symlink("/nowhere", path), 0);

    expect_exists_error();
}
END_TEST

START_TEST(a_live_datagram_socket_is_left_alone)
{
    const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct listen_addr a;

    setup_dir();
    a = dial_addr(unix_text);
    ck_assert_int_eq(bind(fd, &a.u.any, a.len), 0);

    expect_exists_error();
    close(fd);
}
END_TEST

START_TEST(a_file_that_took_the_place_of_ours_is_not_removed)
{
    struct listener *l;

    setup_dir();
    l = must_open(unix_text);
    ck_assert_int_eq(unlink(path), 0);
    leave_stale_socket(SOCK_STREAM); /* a successor's, for all we know */

    listener_close(l);

    ck_assert(exists());
    teardown_dir();
}
END_TEST

START_TEST(a_directory_that_is_missing_is_an_error)
{
    const struct listen_addr a = dial_addr("unix:/nowhere/klatch/sock");
    struct listener *l = NULL;

    ck_assert_int_eq(open_at(&a, &l), -ENOENT);
}
END_TEST

UNIT_MAIN("net/listener", a_listener_knows_the_port_it_got,
          its_socket_is_set_up_for_an_acceptor,
          an_accepted_socket_does_not_delay,
          a_port_that_is_taken_is_reported_in_spite_of_reuseport,
          a_port_with_old_connections_can_be_had_again_at_once,
          the_star_takes_ipv4_and_ipv6, another_ipv6_address_is_ipv6_only,
          the_star_is_ipv4_where_there_is_no_ipv6,
          an_address_that_is_not_ours_is_an_error,
          a_unix_listener_makes_its_file_and_removes_it,
          a_stale_socket_file_is_replaced,
          a_live_socket_file_is_in_use_and_stays,
          a_live_socket_with_a_full_backlog_is_in_use_too,
          a_file_that_is_no_socket_is_left_alone, a_link_is_left_alone,
          a_live_datagram_socket_is_left_alone,
          a_file_that_took_the_place_of_ours_is_not_removed,
          a_directory_that_is_missing_is_an_error)
