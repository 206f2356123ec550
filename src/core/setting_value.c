#include "core/setting_value.h"

#include <errno.h>

struct unit {
	struct str suffix;
	int64_t factor;
};

static const struct unit plain_units[] = { { STR_INIT(""), 1 }, { { NULL, 0 }, 0 } };

static const struct unit size_units[] = {
	{ STR_INIT(""), 1 },
	{ STR_INIT("k"), 1000 },
	{ STR_INIT("K"), 1000 },
	{ STR_INIT("M"), 1000 * 1000 },
	{ STR_INIT("G"), 1000 * 1000 * 1000 },
	{ STR_INIT("Ki"), 1 << 10 },
	{ STR_INIT("Mi"), 1 << 20 },
	{ STR_INIT("Gi"), 1 << 30 },
	{ { NULL, 0 }, 0 },
};

static const struct unit time_units[] = {
	{ STR_INIT(""), 1000 },
	{ STR_INIT("ms"), 1 },
	{ STR_INIT("s"), 1000 },
	{ STR_INIT("m"), 60 * 1000 },
	{ STR_INIT("h"), 60 * 60 * 1000 },
	{ STR_INIT("d"), 24 * 60 * 60 * 1000 },
	{ { NULL, 0 }, 0 },
};

static const struct unit *units_of(enum setting_type type)
{
	switch (type) {
	case SETTING_SIZE:
		return size_units;
	case SETTING_TIME:
		return time_units;
	default:
		return plain_units;
	}
}

int setting_number_parse(enum setting_type type, struct str text, int64_t *out)
{
	text = str_trim(text);
	size_t digits = 0;
	while (digits < text.n && ascii_is_digit(text.p[digits]))
		digits++;

	uint64_t value;
	int r = str_to_u64(str_sub(text, 0, digits), INT64_MAX, &value);
	if (r < 0)
		return r;

	struct str suffix = str_skip(text, digits);
	for (const struct unit *u = units_of(type); u->suffix.p; u++) {
		if (!str_eq(u->suffix, suffix))
			continue;
		if ((int64_t)value > INT64_MAX / u->factor)
			return -ERANGE;
		*out = (int64_t)value * u->factor;
		return 0;
	}
	return -EINVAL;
}

bool setting_switch_parse(struct str text)
{
	int64_t value;
	return setting_number_parse(SETTING_SWITCH, text, &value) == 0 && value == 1;
}

int setting_word_find(const char *const *words, struct str text)
{
	for (int i = 0; words[i]; i++) {
		if (str_eq(str_from(words[i]), text))
			return i;
	}
	return -1;
}
