/* SPDX-License-Identifier: BSD-2-Clause
 *
 * limit - the yardstick: a bare epoll program that sends each line it receives
 * to every socket it has and does nothing else. One thread, no names, rooms or
 * queues; it shows what this kernel can do for one send a receiver.
 *
 *   limit        prints the port it listens on (127.0.0.1)
 *
 * Sends block: a receiver that does not read stops everything. That is what a
 * chat server may not do, and why this is no chat server.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define FDS_MAX 65536

struct peer {
    size_t index; /* in `fds` */
    size_t kept;
    char line[8192]; /* one without an ending yet */
};

static int fds[FDS_MAX];
static size_t fd_count;
static struct peer *peers[FDS_MAX]; /* by fd */
static int epoll_fd;

static void
watch(int fd)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev);
}

static void
add_peer(int listener)
{
    const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    const int on = 1;

    if (fd < 0 || fd >= FDS_MAX)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    peers[fd] = calloc(1, sizeof(struct peer));
    if (peers[fd] == NULL)
        exit(1);
    peers[fd]->index = fd_count;
    fds[fd_count++] = fd;
    watch(fd);
}

static void
remove_peer(int fd)
{
    struct peer *const p = peers[fd];

    fds[p->index] = fds[--fd_count];
    peers[fds[p->index]]->index = p->index;
    peers[fd] = NULL;
    free(p);
    close(fd);
}

static void
send_to_all(const char *line, size_t len)
{
    for (size_t i = 0; i < fd_count; i++)
        (void)!send(fds[i], line, len, MSG_NOSIGNAL);
}

static void
read_peer(int fd)
{
    struct peer *const p = peers[fd];
    const ssize_t n = recv(fd, p->line + p->kept, sizeof(p->line) - p->kept, 0);
    size_t start = 0;

    if (n <= 0) {
        remove_peer(fd);
        return;
    }
    p->kept += (size_t)n;
    for (;;) {
        const char *const end = memchr(p->line + start, '\n', p->kept - start);
        const size_t len =
            end != NULL ? (size_t)(end - p->line) + 1 - start : 0;

        if (end == NULL)
            break;
        send_to_all(p->line + start, len);
        start += len;
    }
    p->kept -= start;
    memmove(p->line, p->line + start, p->kept);
    if (p->kept == sizeof(p->line))
        p->kept = 0; /* no line is that long here */
}

static int
listen_anywhere(void)
{
    struct sockaddr_in sin = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t len = sizeof(sin);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&sin, len) < 0 ||
        listen(fd, 4096) < 0 ||
        getsockname(fd, (struct sockaddr *)&sin, &len) < 0) {
        perror("limit");
        exit(1);
    }
    printf("%u\n", ntohs(sin.sin_port));
    fflush(stdout);
    return fd;
}

int
main(void)
{
    struct rlimit lim;
    int listener;

    if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
        lim.rlim_cur = lim.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &lim);
    }
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    listener = listen_anywhere();
    watch(listener);
    for (;;) {
        struct epoll_event events[256];
        const int n = epoll_wait(epoll_fd, events, 256, -1);

        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener)
                add_peer(listener);
            else if (peers[events[i].data.fd] != NULL)
                read_peer(events[i].data.fd);
        }
    }
}
