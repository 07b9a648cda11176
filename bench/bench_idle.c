/* SPDX-License-Identifier: BSD-2-Clause
 *
 * idle - resident memory of one idle client: what the process has with
 * `clients` of them, registered and in #lobby, less what it had before.
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/swarm.h"

/* Bytes; field 2 of /proc/PID/statm (proc(5)). */
static uint64_t
resident(int pid)
{
    char path[64];
    uint64_t pages = 0;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/statm", pid);
    f = fopen(path, "r");
    if (f == NULL || fscanf(f, "%*u %" SCNu64, &pages) != 1)
        bench_die("cannot read %s", path);
    fclose(f);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

int
bench_idle(const struct bench_options *o)
{
    uint64_t before, after;
    struct swarm s;

    if (o->pid == 0)
        bench_die("idle wants --pid of the server");
    swarm_init(&s, o->port, o->raw, o->clients + 1);
    swarm_grow(&s, 1, 1); /* what the first client costs is not per client */
    before = resident(o->pid);
    swarm_grow(&s, o->clients, o->abreast);
    swarm_settle(&s, 2000);
    after = resident(o->pid);

    printf("mode=idle raw=%d clients=%zu before_kib=%" PRIu64
           " after_kib=%" PRIu64 " bytes_per_client=%.0f\n",
           o->raw, o->clients, before / 1024, after / 1024,
           ((double)after - (double)before) / (double)o->clients);
    swarm_fini(&s);
    return 0;
}
