/* A small pool of threads for calls that block: fsync, password hashing, LMDB commits. */
#pragma once

#include "base/check.h"

/* Threads are started when first needed, at most `threads` of them. */
void work_init(unsigned threads);

/* Waits for running jobs. */
void work_done(void);

/* Run fn(arg) in a thread while this fiber waits; returns what fn returned. The job always runs to
 * its end before work_run returns, even when the fiber is cancelled meanwhile, so `arg` may live on
 * the caller's stack. fn must not touch anything that other fibers touch. */
int may_suspend must_check work_run(int (*fn)(void *arg), void *arg);
