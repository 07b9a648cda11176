/* SPDX-License-Identifier: BSD-2-Clause
 *
 * config - the whole configuration, read from files and the environment.
 *
 * Shape    INI through libinih: `[section]`, `key = value`, `[listen "NAME"]`,
 *          `include = conf.d/x*.conf` (relative to the file it stands in,
 *          sorted, at most 8 deep). Later values win; the environment
 *          (KLATCH_LIMITS_SENDQ=1M, KLATCH_LISTEN_MAIN_ADDRESS=…) wins over
 *          files.
 * Errors   All in one run, each `file:line: message`, with a suggestion for a
 *          misspelt name. libinih cuts section names at 49 bytes and lines at
 *          199 without a word, so longer ones are refused by our reader.
 * Comments A line that begins with `;` or `#`; and what follows a blank and a
 *          `;` on a line. `#` in a value is kept: #room.
 * Default  No file at all: listener "main" on 127.0.0.1:7000, auto.
 * Memory   A config is immutable once read; config_destroy() by who holds it.
 */
#ifndef OPS_CONFIG_H
#define OPS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "chat/chat_conf.h"
#include "net/addr.h"
#include "net/net_conf.h"
#include "proto/proto_conf.h"

#define CONFIG_LISTENERS_MAX 64
#define CONFIG_NAME_MAX      40
#define CONFIG_TEXT_MAX      180 /* with its key it must fit into a line */

/* clang-format off */
/*    section  key          kind    default       min max              reload words       help */
#define SERVER_OPTIONS(X)                                                                           \
    X(server,  name,        TEXT,   "klatch",     1,  63,              LIVE,  NULL,       "what clients are welcomed to")                      \
    X(server,  description, TEXT,   "",           0,  CONFIG_TEXT_MAX, LIVE,  NULL,       "one line shown after the welcome")                  \
    X(server,  workers,     COUNT,  "0",          0,  128,             START, NULL,       "threads that serve connections; 0: one a core")     \
    X(server,  pin,         FLAG,   "off",        0,  1,               START, NULL,       "pin each worker to a core")                         \
    X(log,     level,       CHOICE, "info",       0,  0,               LIVE,  log_levels, "the least important lines that are written")        \
    X(log,     format,      CHOICE, "text",       0,  0,               LIVE,  log_formats,"key=value text, or one JSON object a line")         \
    X(admin,   socket,      PATH,   "",           0,  107,             START, NULL,       "control socket; empty: /run/klatch/control.sock for root, else below $XDG_RUNTIME_DIR or /tmp")

/* Of each [listen "NAME"]; the defaults are those of "main", when there is no
 * other: a listener that is named must give its address. */
#define LISTEN_OPTIONS(X)                                                                           \
    X(listen,  address,     TEXT,   "127.0.0.1:7000", 1, CONFIG_TEXT_MAX, LIVE,  NULL, "where clients connect: host:port, [IPv6]:port, *:port for all addresses, or unix:/path") \
    X(listen,  protocol,    CHOICE, "auto",       0,  0,               LIVE,  listen_protocols, "what is spoken there; auto: found out from a client's first bytes")
/* clang-format on */

struct config_server {
    char name[64];
    char description[CONFIG_TEXT_MAX + 1];
    uint64_t workers;
    uint64_t pin;
};

struct config_listener {
    char name[CONFIG_NAME_MAX + 1];
    char address[CONFIG_TEXT_MAX + 1]; /* as written */
    struct listen_addr addr;           /* as parsed */
    uint64_t protocol;                 /* enum front_protocol */
};

struct config {
    struct net_conf net;
    struct chat_conf chat;
    struct proto_conf proto; /* history and server_name already filled in */
    struct config_server server;
    uint64_t log_level;  /* enum log_level */
    uint64_t log_format; /* enum log_format */
    char admin_socket[108];
    size_t listener_count;
    struct config_listener listeners[CONFIG_LISTENERS_MAX];
};

/* Everything at its default. 0 and *out, or -ENOMEM. */
MUST_CHECK int config_create(struct config **out);
void config_destroy(struct config *conf);

/* Reads `path` (NULL: no file), then `environ` (as environ(7); NULL: none).
 * 0 and *out; or -EINVAL with all complaints, a line each, in `errors`;
 * -ENOMEM. Warnings go to `errors` also when it returns 0. */
MUST_CHECK int config_load(const char *path, char *const *env,
                           struct config **out, struct buf *errors);

/* The config as a file with each setting's help above it. */
void config_dump(const struct config *conf, struct buf *out);

/* The same at the defaults with every setting commented out, and a head: what
 * conf/klatch.conf is. */
void config_sample(struct buf *out);

/* For a reload: calls `changed` for each setting that differs; listeners come
 * as section `listen "NAME"`, key NULL for a new or vanished one. */
typedef void (*config_change_fn)(void *arg, const char *section,
                                 const char *key, bool live, const char *was,
                                 const char *is);
void config_compare(const struct config *was, const struct config *is,
                    config_change_fn changed, void *arg);

/* The control socket's path: admin_socket, or where it is when that is empty.
 * Shared with klatchctl. 0, or -ENAMETOOLONG. */
MUST_CHECK int config_control_path(const char *admin_socket, char *out,
                                   size_t size);

#endif
