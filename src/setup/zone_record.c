#include "setup/zone_record.h"

#include <string.h>

#define STRING_MAX 255
#define LABEL_MAX  253 /* of a name in Kubernetes */

static bool is_printable(char c)
{
	return c >= ' ' && c < 0x7f;
}

/* RFC 1035 5.1: any byte in printable characters. */
static void put_byte(struct buf *out, char c)
{
	if (is_printable(c))
		buf_putc(out, c);
	else
		buf_printf(out, "\\%03u", (unsigned char)c);
}

static void put_bytes(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		put_byte(out, s.p[i]);
}

void zone_record_write_strings(struct buf *out, struct str text)
{
	do {
		struct str part = str_sub(text, 0, STRING_MAX);
		buf_putc(out, '"');
		for (size_t i = 0; i < part.n; i++) {
			if (part.p[i] == '"' || part.p[i] == '\\')
				buf_putc(out, '\\');
			put_byte(out, part.p[i]);
		}
		buf_putc(out, '"');
		text = str_skip(text, part.n);
		if (text.n)
			buf_putc(out, ' ');
	} while (text.n);
}

static bool is_one_of(const char *type, const char *const *types)
{
	for (; *types; types++)
		if (strcmp(type, *types) == 0)
			return true;
	return false;
}

/* Does its value end in the name of a host? */
static bool names_a_host(const char *type)
{
	static const char *const types[] = { "MX", "SRV", "PTR", "CNAME", NULL };

	return is_one_of(type, types);
}

bool zone_record_has_endpoint(const char *type)
{
	static const char *const types[] = { "A", "AAAA", "CNAME", "MX", "SRV", "TXT", NULL };

	return is_one_of(type, types);
}

void zone_record_write_zone(struct buf *out, const struct zone_record *r)
{
	put_bytes(out, r->name);
	buf_printf(out, ".\t%d\tIN\t%s\t", ZONE_RECORD_TTL, r->type);
	if (strcmp(r->type, "TXT") == 0)
		zone_record_write_strings(out, r->value);
	else
		put_bytes(out, r->value);
	if (names_a_host(r->type))
		buf_putc(out, '.');
}

/* A double-quoted scalar (YAML 1.2 7.3.1). */
static void write_scalar(struct buf *out, struct str s)
{
	buf_putc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			buf_printf(out, "\\x%02x", c);
		else
			buf_putc(out, (char)c);
	}
	buf_putc(out, '"');
}

/* A short text is given as it is, and every provider quotes it as it needs. One that is too long
 * for a string has to be split here, and bytes that are no characters of YAML are escaped as a zone
 * has them. */
static void write_target(struct buf *out, const char *type, struct str value)
{
	auto_buf struct buf strings;

	buf_init(&strings, NULL, 5 * value.n + 64);
	if (strcmp(type, "TXT") != 0 || (value.n <= STRING_MAX && str_is_ascii(value))) {
		write_scalar(out, value);
		return;
	}
	zone_record_write_strings(&strings, value);
	write_scalar(out, buf_str(&strings));
}

static void write_name(struct buf *out, struct str domain)
{
	buf_puts(out, "posthorn-");
	domain = str_sub(domain, 0, LABEL_MAX - 9);
	for (size_t i = 0; i < domain.n; i++) {
		char c = ascii_lower(domain.p[i]);
		buf_putc(out, ascii_is_alnum((unsigned char)c) || c == '.' ? c : '-');
	}
}

void zone_record_write_yaml(struct buf *out, struct str domain, const struct zone_record_set *sets,
			    size_t count)
{
	buf_puts(out, "apiVersion: externaldns.k8s.io/v1alpha1\n"
		      "kind: DNSEndpoint\n"
		      "metadata:\n"
		      "  name: ");
	write_name(out, domain);
	buf_puts(out, "\nspec:\n  endpoints:\n");
	for (size_t i = 0; i < count; i++) {
		buf_puts(out, "    - dnsName: ");
		write_scalar(out, sets[i].name);
		buf_printf(out, "\n      recordType: %s\n      recordTTL: %d\n      targets:\n",
			   sets[i].type, ZONE_RECORD_TTL);
		for (size_t k = 0; k < sets[i].count; k++) {
			buf_puts(out, "        - ");
			write_target(out, sets[i].type, sets[i].values[k]);
			buf_putc(out, '\n');
		}
	}
}
