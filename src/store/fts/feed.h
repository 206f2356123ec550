/* Putting messages into a full-text index: what runs in worker threads. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "store/fts/db.h"

#define FTS_BATCH_MAX 128

struct fts_batch {
	struct fts_db *db;
	struct fts_item {
		int64_t id;
		int fd; /* closed by the batch */
		uint64_t size;
	} v[FTS_BATCH_MAX];
	unsigned n;
	uint64_t bytes;
	uint8_t box[16];
	uint32_t uid; /* the box is in up to here then */
	struct err err;
};

/* work_run(fts_batch_run, batch): in one transaction. 0, -EBADMSG (the index is damaged), or
 * another failure. */
int must_check fts_batch_run(void *batch);
