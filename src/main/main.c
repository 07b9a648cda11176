/* SPDX-License-Identifier: BSD-2-Clause
 *
 * klatchd - reads its arguments and its configuration, then runs the server in
 * the foreground. Exit codes are those of sysexits(3): 64 wrong usage, 69 an
 * address is in use, 71 the system refused something, 78 wrong configuration.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "main/server.h"
#include "ops/config.h"

enum action {
    ACTION_RUN,
    ACTION_TEST,
    ACTION_DUMP,
    ACTION_SAMPLE,
};

struct arguments {
    enum action action;
    const char *config_path;
};

static const char usage[] =
    "usage: klatchd [-c FILE] [-t] [--dump-config] [--sample-config]\n"
    "               [--version] [--help]\n"
    "\n"
    "A chat server: one room for nc, IRC clients and browsers. Runs in the\n"
    "foreground and logs on standard error. Without -c it needs no\n"
    "configuration and listens on 127.0.0.1:7000.\n"
    "\n"
    "  -c, --config FILE   read FILE; KLATCH_SECTION_KEY=value in the\n"
    "                      environment overrides what it says\n"
    "  -t, --test          check the configuration, list every error, exit\n"
    "      --dump-config   print the configuration as it is in force, exit\n"
    "      --sample-config print a commented sample with all defaults, exit\n"
    "  -v, --version       print the version, exit\n"
    "  -h, --help          print this, exit\n";

static const struct option long_options[] = {
    {"config",        required_argument, NULL, 'c'},
    {"test",          no_argument,       NULL, 't'},
    {"dump-config",   no_argument,       NULL, 'd'},
    {"sample-config", no_argument,       NULL, 's'},
    {"version",       no_argument,       NULL, 'v'},
    {"help",          no_argument,       NULL, 'h'},
    {NULL,            0,                 NULL, 0  },
};

/* Exits for what needs no configuration, and for wrong usage. */
static struct arguments
parse_arguments(int argc, char **argv)
{
    struct arguments args = {.action = ACTION_RUN};
    int letter;

    while ((letter = getopt_long(argc, argv, "c:tvh", long_options, NULL)) !=
           -1) {
        switch (letter) {
        case 'c':
            args.config_path = optarg;
            break;
        case 't':
            args.action = ACTION_TEST;
            break;
        case 'd':
            args.action = ACTION_DUMP;
            break;
        case 's':
            args.action = ACTION_SAMPLE;
            break;
        case 'v':
            printf("klatchd %s\n", KLATCH_VERSION);
            exit(EX_OK);
        case 'h':
            fputs(usage, stdout);
            exit(EX_OK);
        default:
            fputs("klatchd --help lists what it understands.\n", stderr);
            exit(EX_USAGE);
        }
    }
    if (optind < argc) {
        fprintf(stderr,
                "klatchd: what is \"%s\"? klatchd --help lists what it "
                "understands.\n",
                argv[optind]);
        exit(EX_USAGE);
    }
    return args;
}

static int
print(const struct buf *text, FILE *to)
{
    if (text->failed)
        return EX_OSERR;
    if (fwrite(text->data, 1, text->len, to) != text->len || fflush(to) != 0)
        return EX_IOERR;
    return EX_OK;
}

/* -t, --dump-config: say what the configuration is or what is wrong with it. */
static int
show_config(const struct arguments *args, const struct config *config)
{
    struct buf text;
    int code;

    buf_init(&text);
    if (args->action == ACTION_DUMP)
        config_dump(config, &text);
    else
        buf_printf(&text, "%s: the configuration is right.\n",
                   args->config_path != NULL ? args->config_path : "(no file)");
    code = print(&text, stdout);
    buf_fini(&text);
    return code;
}

static int
show_sample(void)
{
    struct buf text;
    int code;

    buf_init(&text);
    config_sample(&text);
    code = print(&text, stdout);
    buf_fini(&text);
    return code;
}

/* Signals are for main's signalfd only: blocked before any thread starts. A
 * peer that is gone must not end us when we write. */
static void
block_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int
run_server(struct config *config, const char *config_path)
{
    static struct server server; /* large, and there is one */
    int code;

    block_signals();
    code = server_open(&server, config, config_path);
    if (code == EX_OK)
        code = server_run(&server);
    server_close(&server);
    return code;
}

int
main(int argc, char **argv)
{
    const struct arguments args = parse_arguments(argc, argv);
    struct config *config;
    struct buf errors;
    int rc;

    if (sodium_init() < 0) {
        fputs("klatchd: libsodium found no source of randomness\n", stderr);
        return EX_OSERR;
    }
    if (args.action == ACTION_SAMPLE)
        return show_sample();

    buf_init(&errors);
    rc = config_load(args.config_path, environ, &config, &errors);
    if (errors.len > 0)
        (void)print(&errors, stderr);
    buf_fini(&errors);
    if (rc < 0) {
        fputs("klatchd: the configuration is wrong; nothing was started.\n",
              stderr);
        return EX_CONFIG;
    }
    if (args.action != ACTION_RUN) {
        rc = show_config(&args, config);
        config_destroy(config);
        return rc;
    }
    return run_server(config, args.config_path);
}
