/* SPDX-License-Identifier: BSD-2-Clause
 *
 * malloc - how jemalloc runs in klatchd; MALLOC_CONF in the environment wins.
 *
 * background_thread, decay   memory of a rush (a thousand joins at once) goes
 *                            back to the kernel a second later, though nothing
 *                            else happens
 * tcache_max                 threads keep freed memory for themselves only up
 *                            to that size: with 10,000 idle clients that is
 *                            80 bytes each
 */
#include <jemalloc/jemalloc.h>

const char *malloc_conf =
    "background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0,"
    "tcache_max:1024,max_background_threads:1";
