/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hold - stops single threads of a program that the test started, with
 * ptrace(2), where no signal can: at the next system call of a kind.
 *
 * To the program it looks like a call that takes very long.
 *
 * Threads  All from one thread: a tracer is a thread, not a process.
 */
#ifndef SUPPORT_HOLD_H
#define SUPPORT_HOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HOLD_THREADS_MAX 64

/* The `nth` (from 0, oldest first) thread of `pid` with that name; the first
 * thread of all bears the program's name. */
pid_t hold_find(pid_t pid, const char *name, unsigned nth);

/* Watches the system calls of `tid` from here on, without stopping it for
 * longer than that takes. */
void hold_begin(pid_t tid);

/* Lets it run until it enters the system call `nr` (SYS_…), and keeps it
 * there. */
void hold_at(pid_t tid, long nr);

/* The same, when that happens within `ms`; false, and it runs on, if not. */
bool hold_at_within(pid_t tid, long nr, uint64_t ms);

/* Lets go of it. */
void hold_end(pid_t tid);

/* Stops all threads of `pid` but `held`, which is already; returns how many.
 * What a process sees of a machine that is suspended. hold_end() each. */
size_t hold_all(pid_t pid, pid_t held, pid_t tids[HOLD_THREADS_MAX]);

#endif
