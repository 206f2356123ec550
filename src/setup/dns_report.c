#include "setup/dns_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "setup/json.h"
#include "setup/queue_print.h"

#define TEXT_MAX   2048
#define OUTPUT_MAX ((size_t)64 << 20)
#define SETS_MAX   200 /* in one report */

static const char *const words[DNS_STATES] = {
	[DNS_IS_RIGHT] = "ok",	      [DNS_IS_ADVISED] = "advice", [DNS_IS_UNKNOWN] = "unknown",
	[DNS_IS_MISSING] = "missing", [DNS_IS_WRONG] = "wrong",
};

void dns_report_init(struct dns_report *r, struct str subject)
{
	*r = (struct dns_report){ .subject = subject };
	list_init(&r->findings);
}

struct dns_finding *dns_finding_add(struct list *findings, struct arena *a, const char *check,
				    enum dns_state state)
{
	struct dns_finding *f = ARENA_NEW(a, struct dns_finding);

	f->check = check;
	f->state = state;
	list_init(&f->wanted);
	list_append(findings, &f->link);
	return f;
}

void dns_finding_say(struct dns_finding *f, struct arena *a, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	f->text = f->text.n ? arena_printf(a, "%" STR_FMT "; %s", STR_ARG(f->text), text)
			    : arena_str(a, str_from(text));
}

struct dns_wanted *dns_finding_want(struct dns_finding *f, struct arena *a, struct str name,
				    const char *type, struct str value)
{
	struct dns_wanted *w = ARENA_NEW(a, struct dns_wanted);

	w->record = (struct zone_record){ name, type, value };
	list_append(&f->wanted, &w->link);
	return w;
}

void dns_report_count(const struct list *reports, struct dns_totals *out)
{
	*out = (struct dns_totals){ 0 };
	LIST_FOREACH (i, reports)
		LIST_FOREACH (k, &LIST_ITEM(i, struct dns_report, link)->findings)
			out->v[LIST_ITEM(k, struct dns_finding, link)->state]++;
}

static void print_zone_line(const struct zone_record *r, const char *before)
{
	auto_buf struct buf b;

	buf_init(&b, NULL, OUTPUT_MAX);
	zone_record_write_zone(&b, r);
	fputs(before, stdout);
	fwrite(b.p, 1, b.n, stdout);
	putchar('\n');
}

static void print_finding(const struct dns_finding *f)
{
	printf("  %-8s %-9s ", words[f->state], f->check);
	print_text(f->text);
	putchar('\n');
	LIST_FOREACH (i, &f->wanted)
		print_zone_line(&LIST_ITEM(i, struct dns_wanted, link)->record, "      ");
}

static void print_totals(const struct list *reports)
{
	struct dns_totals t;

	dns_report_count(reports, &t);
	printf("%u right, %u missing, %u wrong, %u not known, %u advised\n", t.v[DNS_IS_RIGHT],
	       t.v[DNS_IS_MISSING], t.v[DNS_IS_WRONG], t.v[DNS_IS_UNKNOWN], t.v[DNS_IS_ADVISED]);
}

void dns_report_print_text(const struct list *reports)
{
	LIST_FOREACH (i, reports) {
		const struct dns_report *r = LIST_ITEM(i, struct dns_report, link);
		print_text(r->subject);
		putchar('\n');
		LIST_FOREACH (k, &r->findings)
			print_finding(LIST_ITEM(k, struct dns_finding, link));
		putchar('\n');
	}
	print_totals(reports);
}

static void put_record(struct json *j, const struct dns_wanted *w)
{
	const struct zone_record *r = &w->record;
	auto_buf struct buf zone;

	buf_init(&zone, NULL, OUTPUT_MAX);
	zone_record_write_zone(&zone, r);
	json_open(j, NULL, '{');
	json_str(j, "name", r->name);
	json_str(j, "type", str_from(r->type));
	json_int(j, "ttl", ZONE_RECORD_TTL);
	json_str(j, "value", r->value);
	json_str(j, "zone", buf_str(&zone));
	json_bool(j, "later", w->later);
	json_close(j, '}');
}

static void put_finding(struct json *j, const struct dns_finding *f)
{
	json_open(j, NULL, '{');
	json_str(j, "check", str_from(f->check));
	json_str(j, "state", str_from(words[f->state]));
	json_str(j, "text", f->text);
	json_open(j, "records", '[');
	LIST_FOREACH (i, &f->wanted)
		put_record(j, LIST_ITEM(i, struct dns_wanted, link));
	json_close(j, ']');
	json_close(j, '}');
}

void dns_report_print_json(const struct list *reports)
{
	auto_buf struct buf b;
	struct json j = { .out = &b };
	struct dns_totals t;

	buf_init(&b, NULL, OUTPUT_MAX);
	dns_report_count(reports, &t);
	json_open(&j, NULL, '{');
	for (size_t i = 0; i < DNS_STATES; i++)
		json_int(&j, words[i], t.v[i]);
	json_open(&j, "domains", '[');
	LIST_FOREACH (i, reports) {
		const struct dns_report *r = LIST_ITEM(i, struct dns_report, link);
		json_open(&j, NULL, '{');
		json_str(&j, "name", r->subject);
		json_open(&j, "checks", '[');
		LIST_FOREACH (k, &r->findings)
			put_finding(&j, LIST_ITEM(k, struct dns_finding, link));
		json_close(&j, ']');
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
	buf_putc(&b, '\n');
	fwrite(b.p, 1, b.n, stdout);
}

/* The sets of a report: each name and type once, with what is there and stays. */
struct gathering {
	struct arena a;
	struct zone_record_set sets[SETS_MAX];
	size_t count;
};

static void add_value(struct gathering *g, struct zone_record_set *set, struct str value)
{
	struct str *values = ARENA_NEW_ARRAY(&g->a, struct str, set->count + 1);

	for (size_t i = 0; i < set->count; i++) {
		values[i] = set->values[i];
		if (str_eq(values[i], value))
			return;
	}
	values[set->count++] = value;
	set->values = values;
}

static struct zone_record_set *set_of(struct gathering *g, const struct zone_record *r)
{
	for (size_t i = 0; i < g->count; i++)
		if (str_eq_nocase(g->sets[i].name, r->name) &&
		    strcmp(g->sets[i].type, r->type) == 0)
			return &g->sets[i];
	if (g->count == SETS_MAX)
		return NULL;
	g->sets[g->count] = (struct zone_record_set){ .name = r->name, .type = r->type };
	return &g->sets[g->count++];
}

static void gather(struct gathering *g, const struct dns_wanted *w)
{
	struct zone_record_set *set = set_of(g, &w->record);

	for (size_t i = 0; set && i < w->keep_count; i++)
		add_value(g, set, w->keep[i]);
	if (set)
		add_value(g, set, w->record.value);
}

static void print_report_yaml(const struct dns_report *r, bool *first)
{
	static struct gathering g;
	auto_buf struct buf b;

	g = (struct gathering){ .count = 0 };
	buf_init(&b, NULL, OUTPUT_MAX);
	LIST_FOREACH (i, &r->findings)
		LIST_FOREACH (k, &LIST_ITEM(i, struct dns_finding, link)->wanted) {
			const struct dns_wanted *w = LIST_ITEM(k, struct dns_wanted, link);
			if (w->later)
				print_zone_line(&w->record, "# later: ");
			else if (zone_record_has_endpoint(w->record.type))
				gather(&g, w);
			else
				print_zone_line(&w->record, "# not for external-dns: ");
		}
	if (g.count) {
		if (!*first)
			puts("---");
		*first = false;
		zone_record_write_yaml(&b, r->subject, g.sets, g.count);
		fwrite(b.p, 1, b.n, stdout);
	}
	arena_done(&g.a);
}

void dns_report_print_yaml(const struct list *reports)
{
	bool first = true;

	LIST_FOREACH (i, reports)
		print_report_yaml(LIST_ITEM(i, struct dns_report, link), &first);
}
