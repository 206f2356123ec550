#include "store/maildir/filename.h"

#include "store/store.h"

#define LETTER(c) (1u << ((c) - 'A'))

static const struct {
	uint32_t flag, letter;
} flag_letters[] = {
	{ STORE_DRAFT, LETTER('D') },	 { STORE_FLAGGED, LETTER('F') },
	{ STORE_ANSWERED, LETTER('R') }, { STORE_SEEN, LETTER('S') },
	{ STORE_DELETED, LETTER('T') },
};

uint32_t maildir_letters_to_flags(uint32_t letters)
{
	uint32_t flags = 0;
	for (size_t i = 0; i < ARRAY_LEN(flag_letters); i++)
		if (letters & flag_letters[i].letter)
			flags |= flag_letters[i].flag;
	return flags;
}

uint32_t maildir_letters_with_flags(uint32_t letters, uint32_t flags)
{
	for (size_t i = 0; i < ARRAY_LEN(flag_letters); i++) {
		letters &= ~flag_letters[i].letter;
		if (flags & flag_letters[i].flag)
			letters |= flag_letters[i].letter;
	}
	return letters;
}

/* The field ",S=123" of a base. A value that is no number counts as missing. */
static uint64_t base_size(struct str base, const char *field)
{
	ssize_t at = str_find(base, str_from(field));
	if (at < 0)
		return STORE_UNKNOWN;
	struct str value = str_skip(base, (size_t)at + strlen(field));
	ssize_t comma = str_find_byte(value, ',');
	uint64_t size;
	if (comma >= 0)
		value = str_sub(value, 0, (size_t)comma);
	return str_to_u64(value, INT64_MAX, &size) < 0 ? STORE_UNKNOWN : size;
}

/* Letters in strictly rising order are what we write ourselves. */
static void suffix_parse(struct str letters, struct maildir_filename *out)
{
	char before = 0;
	for (size_t i = 0; i < letters.n; i++) {
		char c = letters.p[i];
		if (c >= 'A' && c <= 'Z') {
			out->letters |= 1u << (c - 'A');
		} else if (c >= 'a' && c <= 'z') {
			out->keywords |= 1u << (c - 'a');
		} else {
			out->canonical = false;
			if (c == ',') /* what follows belongs to somebody's extension */
				return;
		}
		if (c <= before)
			out->canonical = false;
		before = c;
	}
}

static bool is_base(struct str base)
{
	if (base.n == 0 || base.n > MAILDIR_BASE_MAX || base.p[0] == '.')
		return false;
	for (size_t i = 0; i < base.n; i++) {
		unsigned char c = (unsigned char)base.p[i];
		if (c < 0x20 || c == 0x7f || c == '/' || c == ':')
			return false;
	}
	return true;
}

bool maildir_filename_parse(struct str name, struct maildir_filename *out)
{
	struct str base, suffix, rest;
	bool has_suffix = str_cut(name, ':', &base, &suffix);
	if (name.n > 255 || !is_base(base))
		return false;

	*out = (struct maildir_filename){ .base = base, .canonical = has_suffix };
	str_cut(base, ',', &out->unique, &rest);
	out->size = base_size(base, ",S=");
	out->wire_size = base_size(base, ",W=");

	if (str_starts(suffix, STR("2,")))
		suffix_parse(str_skip(suffix, 2), out);
	else
		out->canonical = false;
	return true;
}

void maildir_suffix_write(struct buf *out, uint32_t letters, uint32_t keywords)
{
	buf_puts(out, ":2,");
	for (unsigned i = 0; i < 26; i++)
		if (letters & 1u << i)
			buf_putc(out, (char)('A' + i));
	for (unsigned i = 0; i < 26; i++)
		if (keywords & 1u << i)
			buf_putc(out, (char)('a' + i));
}
