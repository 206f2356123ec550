#include "store/maildir/uidlist.h"

#include "base/arena.h"
#include "base/base64.h"
#include "store/maildir/filename.h"

#define OTHER_MAX 1024 /* bytes of unknown header fields that are kept */

static bool u32_parse(struct str s, uint32_t min, uint32_t *out)
{
	uint64_t v;
	if (str_to_u64(s, UINT32_MAX, &v) < 0 || v < min)
		return false;
	*out = (uint32_t)v;
	return true;
}

static bool guid_parse(struct str hex, uint8_t guid[16])
{
	char bytes[16];
	if (hex.n != 32)
		return false;
	for (size_t i = 0; i < 16; i++) {
		int high = ascii_hex_value(hex.p[2 * i]), low = ascii_hex_value(hex.p[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		bytes[i] = (char)(high << 4 | low);
	}
	memcpy(guid, bytes, 16);
	return true;
}

static void keep_other(struct buf *other, struct str word)
{
	if (other->n)
		buf_putc(other, ' ');
	buf_put_str(other, word);
}

bool uidlist_header_parse(struct str line, struct arena *a, struct uidlist_header *out)
{
	struct str word;
	struct uidlist_header h = { .uidnext = 1 };
	struct buf other;

	if (!str_next_word(&line, &word))
		return false;
	if (str_eq(word, STR("1"))) {
		if (!str_next_word(&line, &word) || !u32_parse(word, 1, &h.uidvalidity) ||
		    !str_next_word(&line, &word) || !u32_parse(word, 1, &h.uidnext))
			return false;
		*out = h;
		return true;
	}
	if (!str_eq(word, STR("3")))
		return false;

	buf_init(&other, a, OTHER_MAX);
	while (str_next_word(&line, &word)) {
		struct str value = str_skip(word, 1);
		if (word.p[0] == 'V') {
			if (!u32_parse(value, 1, &h.uidvalidity))
				return false;
		} else if (word.p[0] == 'N') {
			if (!u32_parse(value, 1, &h.uidnext))
				return false;
		} else if (word.p[0] != 'G' || !guid_parse(value, h.guid)) {
			keep_other(&other, word);
		}
	}
	if (h.uidvalidity == 0)
		return false;
	h.other = buf_failed(&other) ? STR_NONE : buf_str(&other);
	*out = h;
	return true;
}

void uidlist_header_write(struct buf *out, const struct uidlist_header *h)
{
	buf_printf(out, "3 V%u N%u G", h->uidvalidity, h->uidnext);
	hex_write(out, str_of(h->guid, sizeof(h->guid)));
	if (h->other.n) {
		buf_putc(out, ' ');
		buf_put_str(out, h->other);
	}
	buf_putc(out, '\n');
}

bool uidlist_record_parse(struct str line, struct uidlist_record *out)
{
	struct str uid, rest, ext, name;
	struct maildir_filename file;

	if (!str_cut(line, ' ', &uid, &rest) || !u32_parse(uid, 1, &out->uid) ||
	    out->uid == UINT32_MAX)
		return false;

	/* Names hold no blank, so that the first " :" ends the fields even when a flag suffix
	 * with its own colon was written after the base. */
	ssize_t colon = str_starts(rest, STR(":")) ? 0 : str_find(rest, STR(" :"));
	if (colon < 0) {
		ext = STR_NONE;
		name = rest;
	} else {
		ext = str_sub(rest, 0, (size_t)colon);
		name = str_skip(rest, (size_t)colon + (colon ? 2 : 1));
	}
	if (!maildir_filename_parse(name, &file))
		return false;
	out->ext = ext;
	out->base = file.base;
	return true;
}

void uidlist_record_write(struct buf *out, const struct uidlist_record *r)
{
	buf_put_u64(out, r->uid);
	buf_putc(out, ' ');
	if (r->ext.n) {
		buf_put_str(out, r->ext);
		buf_putc(out, ' ');
	}
	buf_putc(out, ':');
	buf_put_str(out, r->base);
	buf_putc(out, '\n');
}

struct str uidlist_ext_field(struct str ext, char key)
{
	struct str word;
	while (str_next_word(&ext, &word))
		if (word.p[0] == key)
			return str_skip(word, 1);
	return STR_NONE;
}
