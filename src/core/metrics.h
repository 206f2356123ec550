/* Numbers about this process, from the table in core/metrics.def. Any thread may count. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* A histogram takes one slot per bound, one for everything longer, and one for the sum. */
#define METRIC_BOUNDS	       15
#define METRIC_HISTOGRAM_SLOTS (METRIC_BOUNDS + 2)

/* The first slot of each metric. */
#define COUNTER(id, role, name, labels, help) METRIC_##id,
#define GAUGE(id, role, name, labels, help)   METRIC_##id,
#define HISTOGRAM(id, role, name, help)                                                            \
	METRIC_##id, METRIC_##id##_LAST = METRIC_##id + METRIC_HISTOGRAM_SLOTS - 1,
enum metric {
#include "core/metrics.def"
	METRIC_SLOTS
};

extern _Atomic uint64_t metric_slots[METRIC_SLOTS];

static inline void metric_add(enum metric m, uint64_t n)
{
	atomic_fetch_add_explicit(&metric_slots[m], n, memory_order_relaxed);
}

static inline void metric_sub(enum metric m, uint64_t n)
{
	atomic_fetch_sub_explicit(&metric_slots[m], n, memory_order_relaxed);
}

static inline void metric_set(enum metric m, uint64_t value)
{
	atomic_store_explicit(&metric_slots[m], value, memory_order_relaxed);
}

/* Into a histogram. */
void metric_observe(enum metric m, uint64_t ms);

/* All numbers of this process at this moment. As plain bytes they travel to another process of the
 * same build. */
struct metrics_snapshot {
	uint64_t slots[METRIC_SLOTS];
};
void metrics_take(struct metrics_snapshot *out);

struct metrics_source {
	const char *role;
	unsigned instance;
	const struct metrics_snapshot *snapshot;
};

/* The Prometheus text format, version 0.0.4: of each process the metrics that its role counts. */
void metrics_write(struct buf *out, const struct metrics_source *sources, size_t count);
