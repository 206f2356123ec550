/* What `setup dns check` found, and how it is told. */
#pragma once

#include <stdbool.h>

#include "base/list.h"
#include "base/str.h"
#include "setup/zone_record.h"

struct arena;

enum dns_state {
	DNS_IS_RIGHT,
	DNS_IS_ADVISED, /* mail works without it, and better with it */
	DNS_IS_UNKNOWN, /* the DNS did not answer */
	DNS_IS_MISSING,
	DNS_IS_WRONG,
	DNS_STATES
};

/* A record to add. `keep` are those of its name and type that stay. */
struct dns_wanted {
	struct list link;
	struct zone_record record;
	bool later; /* something else has to come first */
	struct str *keep;
	size_t keep_count;
};

struct dns_finding {
	struct list link;
	const char *check; /* "mx" */
	enum dns_state state;
	struct str text;
	struct list wanted;
};

/* Of one domain, or of the server itself. */
struct dns_report {
	struct list link;
	struct str subject;
	struct list findings;
};

void dns_report_init(struct dns_report *r, struct str subject);

/* Lives in `a`. */
struct dns_finding *dns_finding_add(struct list *findings, struct arena *a, const char *check,
				    enum dns_state state);
void dns_finding_say(struct dns_finding *f, struct arena *a, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
struct dns_wanted *dns_finding_want(struct dns_finding *f, struct arena *a, struct str name,
				    const char *type, struct str value);

struct dns_totals {
	unsigned v[DNS_STATES];
};

void dns_report_count(const struct list *reports, struct dns_totals *out);

/* Of all reports, as text, one JSON object, or YAML. */
void dns_report_print_text(const struct list *reports);
void dns_report_print_json(const struct list *reports);
void dns_report_print_yaml(const struct list *reports);
