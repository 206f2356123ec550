/* A disk under the journal that remembers every call: so that the n-th one can fail, and so that
 * the directory can be rebuilt as a power cut would have left it after any of them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/journal_io.h"

/* Calls go to real files in a fresh directory; its path. */
const char *disk_begin(void);

/* Forget the record and remove the directory. */
void disk_end(void);

extern const struct journal_io disk_io;

/* The number of calls so far that could have failed. */
unsigned disk_calls(void);

/* Of these, the ones that make something durable. */
unsigned disk_syncs(void);

/* Let `count` calls fail with `error`, from the `nth` from now on (1: the next). */
void disk_fail(unsigned nth, unsigned count, int error);

/* No call fails any more. */
void disk_mend(void);

/* A full disk: nothing new can be allocated. */
void disk_set_full(bool full);

/* The length of the record of what changed the disk. */
size_t disk_record_length(void);

/* Begin afresh with what a power cut after `cut` of the record leaves: everything synced, and of
 * the rest what chance decides, in sectors of 512 bytes. The path of the new directory. */
const char *disk_cut_power(size_t cut, unsigned seed);
