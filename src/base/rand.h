/* Random numbers from the kernel. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Unpredictable bytes for salts, tokens and identifiers; never fails. */
void rand_bytes(void *p, size_t n);
uint64_t rand_u64(void);

/* The same value for the life of the process: seeds hash tables whose keys a peer chooses. */
uint64_t rand_seed(void);
