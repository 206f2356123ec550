#include "auth/srs.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "auth/address.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define HASH_LENGTH  4
#define DAY_S	     86400
#define DAYS	     1024 /* two digits of base 32: the count begins again every 2.8 years */
#define AGE_MAX_DAYS 21

/* RFC 5321 4.5.3.1.1 has 64, which few keep to: a scheme that adds some thirty bytes cannot. */
#define LOCAL_MAX 255

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

int srs_set_secrets(struct srs *s, struct str text, struct err *err)
{
	s->secret_count = 0;
	while (text.n) {
		size_t n = 0;
		while (n < text.n && text.p[n] != ',' && text.p[n] != '\n')
			n++;
		struct str key = str_trim(str_sub(text, 0, n));
		text = str_skip(text, n < text.n ? n + 1 : n);
		if (key.n == 0)
			continue;
		if (s->secret_count == SRS_SECRETS_MAX)
			return err_set(err, -E2BIG, "more than %d keys", SRS_SECRETS_MAX);
		s->secrets[s->secret_count++] = key;
	}
	return s->secret_count ? 0 : err_set(err, -ENODATA, "there is no key");
}

static bool is_excluded(const struct srs *s, struct str domain)
{
	struct str rest = s->exclude;

	while (rest.n) {
		size_t n = 0;
		while (n < rest.n && rest.p[n] != ',' && rest.p[n] != ' ')
			n++;
		struct str entry = str_sub(rest, 0, n);
		rest = str_skip(rest, n < rest.n ? n + 1 : n);
		if (entry.n == 0)
			continue;
		if (entry.p[0] != '.'
			    ? str_eq_nocase(entry, domain)
			    : domain.n > entry.n &&
				      str_eq_nocase(str_skip(domain, domain.n - entry.n), entry))
			return true;
	}
	return false;
}

bool srs_applies(const struct srs *s, struct str sender)
{
	struct str domain = address_split(sender).domain;

	return s->domain.n && domain.n && !str_eq_nocase(domain, s->domain) &&
	       !is_excluded(s, domain);
}

/* The first bits of an HMAC of the parts in lower case: servers change the case of what they
 * carry. */
static void hash(struct str key, const struct str *parts, size_t n, char out[HASH_LENGTH])
{
	unsigned char mac[EVP_MAX_MD_SIZE], text[EVP_MAX_MD_SIZE * 2];
	unsigned size = 0;
	auto_buf struct buf b;

	buf_init(&b, NULL, SIZE_MAX / 2);
	for (size_t i = 0; i < n; i++)
		buf_put_str(&b, parts[i]);
	str_lower_bytes(b.p, b.n);
	const void *done =
		HMAC(EVP_sha1(), key.p, (int)key.n, (const unsigned char *)b.p, b.n, mac, &size);
	check(done && !buf_failed(&b));
	EVP_EncodeBlock(text, mac, (int)size);
	for (size_t i = 0; i < HASH_LENGTH; i++)
		out[i] = (char)text[i];
}

static bool is_ours(const struct srs *s, struct str claimed, const struct str *parts, size_t n)
{
	char right[HASH_LENGTH];

	for (size_t i = 0; i < s->secret_count; i++) {
		hash(s->secrets[i], parts, n, right);
		if (str_eq_nocase(claimed, str_of(right, HASH_LENGTH)))
			return true;
	}
	return false;
}

static struct str stamp_of(int64_t now_s, char out[2])
{
	unsigned day = (unsigned)(now_s / DAY_S % DAYS);

	out[0] = base32[day / 32];
	out[1] = base32[day % 32];
	return str_of(out, 2);
}

static int digit(char c)
{
	c = ascii_upper(c);
	for (int i = 0; i < 32; i++)
		if (base32[i] == c)
			return i;
	return -1;
}

static bool is_recent(struct str stamp, int64_t now_s)
{
	int high = stamp.n == 2 ? digit(stamp.p[0]) : -1;
	int low = stamp.n == 2 ? digit(stamp.p[1]) : -1;

	if (high < 0 || low < 0)
		return false;
	int age = (int)(now_s / DAY_S % DAYS) - (high * 32 + low);
	return (age + DAYS) % DAYS <= AGE_MAX_DAYS;
}

/* "SRS0" or "SRS1" and one of the separators that implementations use. 0, 1, or -1; *rest is what
 * follows the tag, from the separator on. */
static int tag_of(struct str local, struct str *rest)
{
	if (local.n < 6 || !str_eq_nocase(str_sub(local, 0, 3), STR("SRS")) ||
	    (local.p[3] != '0' && local.p[3] != '1') ||
	    (local.p[4] != '=' && local.p[4] != '+' && local.p[4] != '-'))
		return -1;
	*rest = str_skip(local, 4);
	return local.p[3] - '0';
}

static bool cut(struct str *rest, struct str *part)
{
	return str_cut(*rest, '=', part, rest) && part->n;
}

/* From SRS1, behind its separator. */
static bool parse_first(struct str rest, struct str *claimed, struct str parts[2])
{
	rest = str_skip(rest, 1);
	if (!cut(&rest, claimed) || !cut(&rest, &parts[0]))
		return false;
	parts[1] = rest;
	return rest.n > 0;
}

int srs_forward(const struct srs *s, struct str sender, int64_t now_s, struct arena *a,
		struct str *out)
{
	struct address from = address_split(sender);
	struct str rest, claimed, parts[3];
	char mac[HASH_LENGTH], day[2];
	int tag = tag_of(from.local, &rest);

	/* Another server's rewriting is kept: only the way to that server is ours. */
	if (tag == 1 && !parse_first(rest, &claimed, parts))
		tag = -1;
	if (tag == 0) {
		parts[0] = from.domain;
		parts[1] = rest;
	}
	if (tag >= 0) {
		hash(s->secrets[0], parts, 2, mac);
		*out = arena_printf(a, "SRS1=%.*s=%" STR_FMT "=%" STR_FMT, HASH_LENGTH, mac,
				    STR_ARG(parts[0]), STR_ARG(parts[1]));
	} else {
		parts[0] = stamp_of(now_s, day);
		parts[1] = from.domain;
		parts[2] = from.local;
		hash(s->secrets[0], parts, 3, mac);
		*out = arena_printf(a, "SRS0=%.*s=%" STR_FMT "=%" STR_FMT "=%" STR_FMT, HASH_LENGTH,
				    mac, STR_ARG(parts[0]), STR_ARG(parts[1]), STR_ARG(parts[2]));
	}
	if (out->n > LOCAL_MAX)
		return -EMSGSIZE;
	*out = arena_printf(a, "%" STR_FMT "@%" STR_FMT, STR_ARG(*out), STR_ARG(s->domain));
	return 0;
}

static int reverse_first(const struct srs *s, struct str rest, struct arena *a, struct str *out)
{
	struct str claimed, parts[2];

	if (!parse_first(rest, &claimed, parts) || !is_ours(s, claimed, parts, 2))
		return -EKEYREJECTED;
	*out = arena_printf(a, "SRS0%" STR_FMT "@%" STR_FMT, STR_ARG(parts[1]), STR_ARG(parts[0]));
	return 0;
}

int srs_reverse(const struct srs *s, struct str address, int64_t now_s, struct arena *a,
		struct str *out)
{
	struct address to = address_split(address);
	struct str rest, claimed, parts[3];
	int tag = tag_of(to.local, &rest);

	if (!s->domain.n || tag < 0 || !str_eq_nocase(to.domain, s->domain))
		return -ENOENT;
	if (tag == 1)
		return reverse_first(s, rest, a, out);
	rest = str_skip(rest, 1);
	if (!cut(&rest, &claimed) || !cut(&rest, &parts[0]) || !cut(&rest, &parts[1]) || !rest.n)
		return -EKEYREJECTED;
	parts[2] = rest;
	if (!is_ours(s, claimed, parts, 3))
		return -EKEYREJECTED;
	if (!is_recent(parts[0], now_s))
		return -ETIME;
	*out = arena_printf(a, "%" STR_FMT "@%" STR_FMT, STR_ARG(parts[2]), STR_ARG(parts[1]));
	return 0;
}
