#include "core/metrics.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"

_Atomic uint64_t metric_slots[METRIC_SLOTS];

enum kind {
	KIND_COUNTER,
	KIND_GAUGE,
	KIND_HISTOGRAM
};

static const char *const kind_names[] = { "counter", "gauge", "histogram" };

struct desc {
	enum metric slot;
	enum kind kind;
	const char *role, *name, *labels, *help;
};

#define COUNTER(i, r, n, l, h) { METRIC_##i, KIND_COUNTER, r, n, l, h },
#define GAUGE(i, r, n, l, h)   { METRIC_##i, KIND_GAUGE, r, n, l, h },
#define HISTOGRAM(i, r, n, h)  { METRIC_##i, KIND_HISTOGRAM, r, n, "", h },
static const struct desc descs[] = {
#include "core/metrics.def"
};

static const struct {
	uint64_t ms;
	const char *seconds;
} bounds[METRIC_BOUNDS] = {
	{ 1, "0.001" },	 { 2, "0.002" }, { 5, "0.005" },  { 10, "0.01" },  { 25, "0.025" },
	{ 50, "0.05" },	 { 100, "0.1" }, { 250, "0.25" }, { 500, "0.5" },  { 1000, "1" },
	{ 2500, "2.5" }, { 5000, "5" },	 { 10000, "10" }, { 30000, "30" }, { 60000, "60" },
};

void metric_observe(enum metric m, uint64_t ms)
{
	unsigned bucket = 0;

	while (bucket < METRIC_BOUNDS && ms > bounds[bucket].ms)
		bucket++;
	metric_add(m + bucket, 1);
	metric_add(m + METRIC_BOUNDS + 1, ms);
}

void metrics_take(struct metrics_snapshot *out)
{
	for (size_t i = 0; i < METRIC_SLOTS; i++)
		out->slots[i] = atomic_load_explicit(&metric_slots[i], memory_order_relaxed);
}

static void put_labels(struct buf *out, const struct desc *d, const struct metrics_source *s)
{
	buf_printf(out, "{role=\"%s\",instance=\"%u\"", s->role, s->instance);
	if (d->labels[0])
		buf_printf(out, ",%s", d->labels);
}

static void put_seconds(struct buf *out, uint64_t ms)
{
	buf_printf(out, "%llu.%03u\n", (unsigned long long)(ms / 1000), (unsigned)(ms % 1000));
}

static void put_histogram(struct buf *out, const struct desc *d, const struct metrics_source *s)
{
	const uint64_t *slots = &s->snapshot->slots[d->slot];
	uint64_t total = 0;

	for (unsigned i = 0; i <= METRIC_BOUNDS; i++) {
		total += slots[i];
		buf_printf(out, "%s_bucket", d->name);
		put_labels(out, d, s);
		buf_printf(out, ",le=\"%s\"} ", i < METRIC_BOUNDS ? bounds[i].seconds : "+Inf");
		buf_put_u64(out, total);
		buf_putc(out, '\n');
	}
	buf_printf(out, "%s_sum", d->name);
	put_labels(out, d, s);
	buf_puts(out, "} ");
	put_seconds(out, slots[METRIC_BOUNDS + 1]);
	buf_printf(out, "%s_count", d->name);
	put_labels(out, d, s);
	buf_puts(out, "} ");
	buf_put_u64(out, total);
	buf_putc(out, '\n');
}

static void put_number(struct buf *out, const struct desc *d, const struct metrics_source *s)
{
	buf_puts(out, d->name);
	put_labels(out, d, s);
	buf_puts(out, "} ");
	buf_put_u64(out, s->snapshot->slots[d->slot]);
	buf_putc(out, '\n');
}

static bool counts(const struct metrics_source *s, const struct desc *d)
{
	return d->role[0] == '\0' || strcmp(d->role, s->role) == 0;
}

void metrics_write(struct buf *out, const struct metrics_source *sources, size_t count)
{
	const char *name = "";

	for (const struct desc *d = descs; d < descs + ARRAY_LEN(descs); d++) {
		if (strcmp(d->name, name) != 0)
			buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", d->name, d->help, d->name,
				   kind_names[d->kind]);
		name = d->name;
		for (const struct metrics_source *s = sources; s < sources + count; s++) {
			if (!counts(s, d))
				continue;
			if (d->kind == KIND_HISTOGRAM)
				put_histogram(out, d, s);
			else
				put_number(out, d, s);
		}
	}
}
