/* SPDX-License-Identifier: BSD-2-Clause
 *
 * klatchctl - reads its arguments, finds the server's socket, runs a command.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/link.h"
#include "ops/config.h"

#define PATH_SIZE 256

struct arguments {
    const char *socket;
    const char *config;
    const char *as;
    bool json;
};

static const char usage_head[] =
    "usage: klatchctl [-s SOCKET] [-c FILE] [--json] COMMAND [ARGUMENTS]\n"
    "\n"
    "Asks a running klatchd, or tells it to do something. Only root and the\n"
    "user that klatchd runs as may.\n"
    "\n"
    "  -s, --socket SOCKET  the server's control socket; else $KLATCH_SOCKET,\n"
    "                       else what FILE says, else the default: \n"
    "                       /run/klatch/control.sock for root, for others\n"
    "                       klatch/control.sock in $XDG_RUNTIME_DIR\n"
    "  -c, --config FILE    the server's configuration file\n"
    "      --json           the answer as one line of JSON\n"
    "      --as NAME        for say: who is shown as the speaker\n"
    "  -v, --version        klatchctl's own version\n"
    "  -h, --help           this\n"
    "\n"
    "Options may also stand behind the command, but not behind the first word\n"
    "of one that takes a text.\n"
    "\n";

static const char usage_tail[] =
    "\n"
    "Exit status: 0 done; 1 the server refused, and said why; 64 wrong usage;\n"
    "69 no server answers at that socket; 71 the system refused something;\n"
    "74 the output could not be written; 78 FILE is wrong.\n";

enum {
    OPTION_JSON = 256,
    OPTION_AS,
};

static const struct option long_options[] = {
    {"socket",  required_argument, NULL, 's'        },
    {"config",  required_argument, NULL, 'c'        },
    {"json",    no_argument,       NULL, OPTION_JSON},
    {"as",      required_argument, NULL, OPTION_AS  },
    {"version", no_argument,       NULL, 'v'        },
    {"help",    no_argument,       NULL, 'h'        },
    {NULL,      0,                 NULL, 0          },
};

static int
print_help(void)
{
    struct ctl ctl = {.out = stdout, .err = stderr};
    struct buf text;
    int code;

    buf_init(&text);
    buf_append_str(&text, usage_head);
    ctl_append_help(&text, false);
    buf_append_str(&text, usage_tail);
    code = (int)ctl_print(&ctl, &text);
    buf_fini(&text);
    return code;
}

/* Reads the options behind argv[0]: those before the first word, or, with
 * `anywhere`, also those among the words, which are then moved behind them. The
 * index of the first word. Exits for --help, --version and what is unknown. */
static int
parse_options(int argc, char **argv, bool anywhere, struct arguments *args)
{
    const char *const letters = anywhere ? "s:c:vh" : "+s:c:vh";
    int letter;

    optind = 0; /* a fresh start (getopt(3)) */
    while ((letter = getopt_long(argc, argv, letters, long_options, NULL)) !=
           -1) {
        switch (letter) {
        case 's':
            args->socket = optarg;
            break;
        case 'c':
            args->config = optarg;
            break;
        case OPTION_JSON:
            args->json = true;
            break;
        case OPTION_AS:
            args->as = optarg;
            break;
        case 'v':
            printf("klatchctl %s\n", KLATCH_VERSION);
            exit(EX_OK);
        case 'h':
            exit(print_help());
        default:
            fputs("klatchctl --help lists what it understands.\n", stderr);
            exit(EX_USAGE);
        }
    }
    return optind;
}

/* ---- the socket ----------------------------------------------------------- */

static enum ctl_exit
socket_from_config(const char *file, char *out, size_t size)
{
    struct config *config;
    struct buf errors;
    int rc;

    buf_init(&errors);
    rc = config_load(file, environ, &config, &errors);
    if (rc < 0) {
        fprintf(stderr, "%.*s", (int)errors.len,
                errors.data != NULL ? errors.data : "");
        fputs("klatchctl: the configuration is wrong\n", stderr);
        buf_fini(&errors);
        return CTL_WRONG_CONFIG;
    }
    buf_fini(&errors);
    rc = config_control_path(config->admin_socket, out, size);
    config_destroy(config);
    return rc < 0 ? CTL_OS_ERROR : CTL_DONE;
}

static enum ctl_exit
find_socket(const struct arguments *args, char *out, size_t size)
{
    const char *const from_env = getenv("KLATCH_SOCKET");
    const char *const given = args->socket != NULL ? args->socket : from_env;

    if (given != NULL && *given != '\0') {
        if (strlen(given) < size) {
            memcpy(out, given, strlen(given) + 1);
            return CTL_DONE;
        }
        fprintf(stderr, "klatchctl: %s: %s\n", given, strerror(ENAMETOOLONG));
        return CTL_USAGE;
    }
    if (args->config != NULL)
        return socket_from_config(args->config, out, size);
    if (config_control_path("", out, size) < 0) {
        fputs("klatchctl: the control socket's path is too long; give it with "
              "-s\n",
              stderr);
        return CTL_OS_ERROR;
    }
    return CTL_DONE;
}

/* ---- the command ---------------------------------------------------------- */

static const struct ctl_command *
find_command(struct ctl *ctl, const char *name)
{
    const struct ctl_command *command = NULL;

    if (name == NULL)
        fputs("klatchctl: which command? klatchctl --help lists them.\n",
              ctl->err);
    else
        command = ctl_find(name);
    if (name != NULL && command == NULL)
        ctl_complain_unknown(ctl, name);
    return command;
}

static enum ctl_exit
run(struct ctl *ctl, const struct ctl_command *command,
    const struct ctl_args *args, const struct arguments *options)
{
    char path[PATH_SIZE];
    enum ctl_exit code;

    code = find_socket(options, path, sizeof(path));
    if (code != CTL_DONE)
        return code;
    ctl->link = link_create(path);
    if (ctl->link == NULL)
        return CTL_OS_ERROR;

    ctl->socket = path;
    ctl->json = options->json;
    ctl->as = options->as;
    code = command->run(ctl, command, args);
    link_destroy(ctl->link);
    return code;
}

int
main(int argc, char **argv)
{
    struct ctl ctl = {.in = stdin, .out = stdout, .err = stderr};
    struct arguments options = {.socket = NULL};
    const struct ctl_command *command;
    enum ctl_exit code = CTL_USAGE;
    struct ctl_args args;
    struct buf text;
    int first;

    signal(SIGPIPE, SIG_IGN);
    first = parse_options(argc, argv, false, &options);
    argc -= first;
    argv += first;
    command = find_command(&ctl, argv[0]);
    if (command == NULL)
        return CTL_USAGE;
    first = parse_options(argc, argv, command->text == CTL_TEXT_NONE, &options);

    buf_init(&text);
    if (!ctl_args_from_argv(command, argc - first, argv + first, &args, &text))
        ctl_complain_usage(&ctl, command);
    else if (options.as != NULL && !command->takes_as)
        fprintf(stderr, "klatchctl: %s takes no --as\n", command->name);
    else
        code = run(&ctl, command, &args, &options);
    buf_fini(&text);
    return (int)code;
}
