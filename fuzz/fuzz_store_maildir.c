/* The files of a Maildir that other programs may have written: parsed, written again, and found
 * to say the same. The first byte chooses the kind of file. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "store/maildir/acl_file.h"
#include "store/maildir/disk_name.h"
#include "store/maildir/filename.h"
#include "store/maildir/keyword_file.h"
#include "store/maildir/metadata_file.h"
#include "store/maildir/subscription_file.h"
#include "store/maildir/uidlist.h"
#include "store/name.h"

static void try_filename(struct str in)
{
	struct maildir_filename f, again;
	char text[512];
	struct buf b = { .p = text, .cap = sizeof(text), .max = sizeof(text) };
	if (!maildir_filename_parse(in, &f))
		return;
	buf_put_str(&b, f.base);
	maildir_suffix_write(&b, f.letters, f.keywords);
	if (f.canonical)
		check(str_eq(buf_str(&b), in));
	if (b.n <= 255) {
		check(maildir_filename_parse(buf_str(&b), &again));
		check(again.letters == f.letters && again.keywords == f.keywords);
	}
}

static void try_uidlist(struct str in, struct arena *a)
{
	struct uidlist_header h, h2;
	struct uidlist_record r, r2;
	struct buf out;
	STR_FOREACH_LINE (in, line) {
		buf_init(&out, a, 65536);
		if (uidlist_header_parse(line, a, &h)) {
			uidlist_header_write(&out, &h);
			check(!buf_failed(&out));
			check(uidlist_header_parse(str_chomp(buf_str(&out)), a, &h2));
			check(h.uidvalidity == h2.uidvalidity && h.uidnext == h2.uidnext);
		}
		buf_init(&out, a, 65536);
		if (uidlist_record_parse(line, &r)) {
			(void)uidlist_ext_field(r.ext, 'P');
			uidlist_record_write(&out, &r);
			if (buf_failed(&out))
				continue;
			check(uidlist_record_parse(str_sub(buf_str(&out), 0, out.n - 1), &r2));
			check(r.uid == r2.uid && str_eq(r.base, r2.base));
		}
	}
}

static void try_keywords(struct str in, struct arena *a)
{
	struct keyword_table t, t2;
	struct buf out;
	(void)keyword_file_parse(in, a, &t);
	buf_init(&out, a, 65536);
	keyword_file_write(&out, &t);
	check(keyword_file_parse(buf_str(&out), a, &t2) == 0 && t2.n == t.n);
}

static void try_subscriptions(struct str in, struct arena *a)
{
	struct subscription_list l, l2;
	struct buf out;
	(void)subscription_file_parse(in, a, &l);
	buf_init(&out, a, 1 << 20);
	subscription_file_write(&out, &l);
	if (buf_failed(&out))
		return;
	check(subscription_file_parse(buf_str(&out), a, &l2) == 0 && l2.n == l.n);
	for (size_t i = 0; i < l.n; i++)
		check(str_eq(l.v[i], l2.v[i]));
}

static void try_metadata(struct str in, struct arena *a)
{
	struct store_meta_list l, l2;
	struct buf out;
	(void)metadata_file_parse(in, a, &l);
	buf_init(&out, a, 1 << 20);
	metadata_file_write(&out, &l);
	if (buf_failed(&out))
		return;
	check(metadata_file_parse(buf_str(&out), a, &l2) == 0 && l2.n == l.n);
	for (size_t i = 0; i < l.n; i++)
		check(str_eq(l.v[i].box, l2.v[i].box) && str_eq(l.v[i].entry, l2.v[i].entry) &&
		      str_eq(l.v[i].value, l2.v[i].value));
}

static void try_acl(struct str in, struct arena *a)
{
	struct store_acl l, l2;
	struct buf out;
	(void)acl_file_parse(in, a, &l);
	buf_init(&out, a, 1 << 20);
	acl_file_write(&out, &l);
	if (buf_failed(&out))
		return;
	(void)acl_file_parse(buf_str(&out), a, &l2);
	check(l2.n <= l.n);
	for (size_t i = 0; i < l2.n && l2.n == l.n; i++)
		check(l.v[i].rights == l2.v[i].rights && l.v[i].negative == l2.v[i].negative);
}

static void try_name(struct str in, struct arena *a)
{
	struct str name, again;
	struct buf out;
	if (!disk_name_parse(in, a, &name))
		return;
	check(store_name_check(name, NULL) == 0);
	buf_init(&out, a, 8192);
	disk_name_write(&out, name);
	check(!buf_failed(&out) && str_find_byte(buf_str(&out), '/') < 0);
	check(disk_name_parse(buf_str(&out), a, &again) && str_eq(name, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct arena a = ARENA_INIT;
	struct str in = str_of(data + 1, size - 1);
	switch (data[0]) {
	case 'f':
		try_filename(in);
		break;
	case 'u':
		try_uidlist(in, &a);
		break;
	case 'k':
		try_keywords(in, &a);
		break;
	case 's':
		try_subscriptions(in, &a);
		break;
	case 'a':
		try_acl(in, &a);
		break;
	case 'm':
		try_metadata(in, &a);
		break;
	case 'n':
		try_name(in, &a);
		break;
	}
	arena_done(&a);
	return 0;
}
