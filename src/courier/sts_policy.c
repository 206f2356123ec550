#include "courier/sts_policy.h"

#include <errno.h>

#include "base/arena.h"
#include "base/err.h"

static bool parse_id(struct str record, struct str *id)
{
	bool found = false;

	/* 3.1: fields of unknown names are for later versions. */
	while (record.n) {
		struct str field, rest, name, value;
		if (!str_cut(record, ';', &field, &rest)) {
			field = record;
			rest = STR_NONE;
		}
		record = rest;
		if (!str_cut(field, '=', &name, &value) || !str_eq(str_trim(name), STR("id")))
			continue;
		value = str_trim(value);
		if (found || !value.n || value.n > STS_ID_MAX)
			return false;
		for (size_t i = 0; i < value.n; i++)
			if (!ascii_is_alnum((unsigned char)value.p[i]))
				return false;
		*id = value;
		found = true;
	}
	return found;
}

bool sts_id_find(const struct str *records, size_t n, struct str *id)
{
	const struct str *only = NULL;

	for (size_t i = 0; i < n; i++) {
		struct str version, rest;
		if (!str_cut(records[i], ';', &version, &rest) ||
		    !str_eq(str_trim_end(version), STR("v=STSv1")))
			continue;
		if (only)
			return false;
		only = &records[i];
	}
	return only && parse_id(*only, id);
}

struct reader {
	struct sts_policy *policy;
	bool version, mode, max_age; /* seen: 3.2 lets only "mx" come twice */
};

static int take_mode(struct reader *r, struct str value)
{
	if (r->mode)
		return 0;
	r->mode = true;
	if (str_eq(value, STR("enforce")))
		r->policy->mode = TLS_STS_ENFORCE;
	else if (str_eq(value, STR("testing")))
		r->policy->mode = TLS_STS_TESTING;
	else if (!str_eq(value, STR("none")))
		return -EINVAL;
	return 0;
}

static int take_max_age(struct reader *r, struct str value)
{
	uint64_t n;

	if (r->max_age)
		return 0;
	r->max_age = true;
	if (str_to_u64(value, UINT64_MAX, &n) < 0)
		return -EINVAL;
	r->policy->max_age = n > STS_MAX_AGE ? STS_MAX_AGE : (uint32_t)n;
	return 0;
}

static int take_line(struct reader *r, struct str line)
{
	struct str name, value;

	if (!str_trim(line).n)
		return 0;
	if (!str_cut(line, ':', &name, &value))
		return -EINVAL;
	name = str_trim_end(name);
	value = str_trim(value);
	if (str_eq(name, STR("version"))) {
		r->version = true;
		return str_eq(value, STR("STSv1")) ? 0 : -EINVAL;
	}
	if (str_eq(name, STR("mode")))
		return take_mode(r, value);
	if (str_eq(name, STR("max_age")))
		return take_max_age(r, value);
	if (str_eq(name, STR("mx")) && value.n && r->policy->mx_count < STS_MX_MAX)
		r->policy->mx[r->policy->mx_count++] = value;
	return 0;
}

int sts_policy_parse(struct str text, struct arena *a, struct sts_policy *out, struct err *err)
{
	struct sts_policy policy = { .mx = ARENA_NEW_ARRAY(a, struct str, STS_MX_MAX) };
	struct reader r = { .policy = &policy };

	STR_FOREACH_LINE (text, line) {
		if (take_line(&r, line) < 0)
			return err_set(err, -EINVAL, "a line of the policy cannot be understood");
	}
	if (!r.version || !r.mode || !r.max_age)
		return err_set(err, -EINVAL, "the policy has no version, mode or max_age");
	if (policy.mode != TLS_STS_NONE && !policy.mx_count)
		return err_set(err, -EINVAL, "the policy names no mx");
	*out = policy;
	return 0;
}

static bool matches(struct str pattern, struct str host)
{
	if (!str_starts(pattern, STR("*.")))
		return str_eq_nocase(pattern, host);
	ssize_t dot = str_find_byte(host, '.');
	return dot > 0 && str_eq_nocase(str_skip(pattern, 1), str_skip(host, (size_t)dot));
}

bool sts_policy_names(const struct sts_policy *p, struct str host)
{
	for (size_t i = 0; i < p->mx_count; i++)
		if (matches(p->mx[i], host))
			return true;
	return false;
}
