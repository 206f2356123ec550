/* An index file of which nothing but the checksums is right. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/err.h"
#include "base/fd.h"
#include "store/index_format.h"
#include "store/index_pack.h"

#define FILE_MAX ((size_t)1 << 20)

static const uint8_t guid[16] = "a mailbox's guid";

static void seal_record(char *p)
{
	struct store_rec r;

	memcpy(&r, p, sizeof(r));
	r.state &= INDEX_STATE;
	r.hash = 0;
	r.hash = crc32c(0, &r, sizeof(r));
	memcpy(p, &r, sizeof(r));
}

/* Blocks of records in so many bytes; the last one may be cut. Returns how many bytes they are. */
static size_t seal_blocks(char *p, size_t n)
{
	struct index_block head;
	size_t at = 0;

	while (at + sizeof(head) <= n) {
		memcpy(&head, p + at, sizeof(head));
		head.bytes %= (uint32_t)(n - at - sizeof(head) + 1);
		head.crc = crc32c(0, p + at + sizeof(head), head.bytes);
		memcpy(p + at, &head, sizeof(head));
		at += sizeof(head) + head.bytes;
	}
	return at;
}

/* The picture's sizes are made to fit the file, its checksums to be right. Returns its end. */
static size_t seal_picture(char *p, size_t n)
{
	struct index_header h;
	size_t at = sizeof(h);

	memcpy(&h, p, sizeof(h));
	h.magic = INDEX_MAGIC;
	h.version = INDEX_VERSION;
	memcpy(h.guid, guid, sizeof(guid));
	h.records_bytes = seal_blocks(p + at, h.records_bytes % (n - at + 1));
	at += h.records_bytes;
	h.gone %= (uint32_t)((n - at) / sizeof(struct index_gone) + 1);
	h.gone_crc = crc32c(0, p + at, h.gone * sizeof(struct index_gone));
	at += h.gone * sizeof(struct index_gone);
	h.names_bytes %= n - at + 1;
	h.names_crc = crc32c(0, p + at, h.names_bytes);
	at += h.names_bytes;
	h.crc = 0;
	h.crc = crc32c(0, &h, sizeof(h));
	memcpy(p, &h, sizeof(h));
	return at;
}

static void seal_changes(char *p, size_t n)
{
	struct index_change c;

	while (n >= sizeof(c)) {
		memcpy(&c, p, sizeof(c));
		c.bytes %= (uint32_t)(n - sizeof(c) + 1);
		c.bytes &= ~7u;
		size_t at = sizeof(c);
		for (uint64_t i = 0; i < (uint64_t)c.added + c.changed; i++) {
			if (at + sizeof(struct store_rec) > sizeof(c) + c.bytes)
				break;
			seal_record(p + at);
			at += sizeof(struct store_rec);
		}
		c.crc = 0;
		c.crc = crc32c(crc32c(0, &c, sizeof(c)), p + sizeof(c), c.bytes);
		memcpy(p, &c, sizeof(c));
		p += sizeof(c) + c.bytes;
		n -= sizeof(c) + c.bytes;
	}
}

/* What a mailbox does with what was loaded. */
static void use(const struct store_box *b)
{
	const struct store_messages *m = &b->messages;
	size_t bytes = 0;

	(void)!store_messages_read_names(m);
	for (uint32_t i = 0; i < m->n; i++) {
		const struct store_rec *r = &m->v[i];
		bytes += store_rec_name(m, r).n + store_rec_suffix(m, r).n + store_rec_ext(m, r).n +
			 store_rec_all_strings(m, r).n;
		if (!(r->state & STORE_REC_GONE) && store_messages_by_uid(m, r->uid) != r)
			abort();
		(void)store_messages_by_name(m, store_rec_name(m, r));
	}
	if (bytes > 8 * FILE_MAX * (m->n + 1))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct store_index ix = STORE_INDEX_NONE;
	struct store_box b;
	struct err err;

	if (size < sizeof(struct index_header) || size > FILE_MAX)
		return 0;
	char *copy = malloc(size);
	memcpy(copy, data, size);
	size_t end = seal_picture(copy, size);
	seal_changes(copy + end, size - end);

	ix.fd = memfd_create("index", MFD_CLOEXEC);
	if (ix.fd < 0 || fd_write_all(ix.fd, str_of(copy, size), &err) < 0)
		abort();
	free(copy);
	store_box_init(&b);
	memcpy(b.guid, guid, sizeof(guid));
	if (store_index_load(&ix, &b, &err) == 1)
		use(&b);
	store_box_done(&b);
	close(ix.fd);
	return 0;
}
