/* SPDX-License-Identifier: BSD-2-Clause
 *
 * klatch-bench - loads a klatchd (or `limit`) on this machine and prints what
 * it saw, one line of key=value a run. Loopback only.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench/bench.h"
#include "bench/swarm.h"

static const char usage[] =
    "usage: klatch-bench MODE --port PORT [OPTIONS]\n"
    "\n"
    "  fanout   deliveries a second to everybody in one room\n"
    "  latency  open loop: from when a message was due to each arrival\n"
    "  idle     memory of one idle client (--pid of the server)\n"
    "  connect  clients a second from connect to the first answer\n"
    "\n"
    "  -p, --port PORT       of the server, on 127.0.0.1\n"
    "      --raw             the server is `limit`\n"
    "  -c, --clients N       1000\n"
    "      --publishers N    latency: how many of them talk; 1\n"
    "  -b, --batch N         fanout: messages sent at once; 1\n"
    "  -m, --messages N      1000\n"
    "  -s, --size BYTES      of a message; 64\n"
    "  -r, --rate N          latency: messages a second; 100\n"
    "  -a, --abreast N       connections on their way at once; 64\n"
    "      --pid PID         idle: the server's\n";

static const struct mode {
    const char *name;
    int (*run)(const struct bench_options *o);
} modes[] = {
    {"fanout",  bench_fanout },
    {"latency", bench_latency},
    {"idle",    bench_idle   },
    {"connect", bench_connect},
};

static size_t
number(const char *text)
{
    char *end;
    const unsigned long n = strtoul(text, &end, 10);

    if (*end != '\0' || n == 0)
        bench_die("%s is not a number above 0", text);
    return n;
}

static void
parse(int argc, char **argv, struct bench_options *o)
{
    static const struct option options[] = {
        {"port",       required_argument, NULL, 'p'},
        {"raw",        no_argument,       NULL, 'R'},
        {"clients",    required_argument, NULL, 'c'},
        {"publishers", required_argument, NULL, 'P'},
        {"batch",      required_argument, NULL, 'b'},
        {"messages",   required_argument, NULL, 'm'},
        {"size",       required_argument, NULL, 's'},
        {"rate",       required_argument, NULL, 'r'},
        {"abreast",    required_argument, NULL, 'a'},
        {"pid",        required_argument, NULL, 'i'},
        {NULL,         0,                 NULL, 0  },
    };
    int letter;

    while ((letter = getopt_long(argc, argv, "p:c:b:m:s:r:a:", options,
                                 NULL)) != -1) {
        switch (letter) {
        case 'p':
            o->port = (uint16_t)number(optarg);
            break;
        case 'R':
            o->raw = true;
            break;
        case 'c':
            o->clients = number(optarg);
            break;
        case 'P':
            o->publishers = number(optarg);
            break;
        case 'b':
            o->batch = number(optarg);
            break;
        case 'm':
            o->messages = number(optarg);
            break;
        case 's':
            o->size = number(optarg);
            break;
        case 'r':
            o->rate = number(optarg);
            break;
        case 'a':
            o->abreast = number(optarg);
            break;
        case 'i':
            o->pid = (int)number(optarg);
            break;
        default:
            fputs(usage, stderr);
            exit(64);
        }
    }
    if (o->port == 0 || o->batch > o->messages || o->publishers > o->clients)
        bench_die("a --port, batch <= messages, publishers <= clients");
}

int
main(int argc, char **argv)
{
    struct bench_options o = {
        .clients = 1000,
        .publishers = 1,
        .batch = 1,
        .messages = 1000,
        .size = 64,
        .rate = 100,
        .abreast = 64,
    };
    struct rlimit lim;

    if (argc < 2) {
        fputs(usage, stderr);
        return 64;
    }
    if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
        lim.rlim_cur = lim.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &lim);
    }
    parse(argc - 1, argv + 1, &o);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(argv[1], modes[i].name) == 0)
            return modes[i].run(&o);
    fputs(usage, stderr);
    return 64;
}
