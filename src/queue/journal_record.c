#include "queue/journal_record.h"

#include "base/crc32c.h"
#include "queue/bytes.h"

#define MAGIC 0x31524850u /* "PHR1" */

enum offset {
	AT_MAGIC = 0,
	AT_TYPE = 4,
	AT_SALT = 8,
	AT_ID = 16,
	AT_SYNCED = 24,
	AT_LENGTH = 32,
	AT_ENVELOPE_LENGTH = 40,
	AT_CRC = 44,
	AT_RECIPIENT_COUNT = 48,
	AT_HEADER_CRC = 52,
};

void journal_record_write(const struct journal_record *r, char out[JOURNAL_RECORD_HEADER])
{
	bytes_put_u32(out + AT_MAGIC, MAGIC);
	bytes_put_u32(out + AT_TYPE, r->type);
	bytes_put_u64(out + AT_SALT, r->salt);
	bytes_put_u64(out + AT_ID, r->id);
	bytes_put_u64(out + AT_SYNCED, r->synced);
	bytes_put_u64(out + AT_LENGTH, r->length);
	bytes_put_u32(out + AT_ENVELOPE_LENGTH, r->envelope_length);
	bytes_put_u32(out + AT_CRC, r->crc);
	bytes_put_u32(out + AT_RECIPIENT_COUNT, r->recipient_count);
	bytes_put_u32(out + AT_HEADER_CRC, crc32c(0, out, AT_HEADER_CRC));
}

bool journal_record_parse(const char in[JOURNAL_RECORD_HEADER], uint64_t salt,
			  struct journal_record *out)
{
	if (bytes_u32(in + AT_MAGIC) != MAGIC || bytes_u64(in + AT_SALT) != salt)
		return false;
	if (bytes_u32(in + AT_HEADER_CRC) != crc32c(0, in, AT_HEADER_CRC))
		return false;

	struct journal_record r = {
		.type = bytes_u32(in + AT_TYPE),
		.salt = salt,
		.id = bytes_u64(in + AT_ID),
		.synced = bytes_u64(in + AT_SYNCED),
		.length = bytes_u64(in + AT_LENGTH),
		.envelope_length = bytes_u32(in + AT_ENVELOPE_LENGTH),
		.crc = bytes_u32(in + AT_CRC),
		.recipient_count = bytes_u32(in + AT_RECIPIENT_COUNT),
	};
	if (r.length > JOURNAL_PAYLOAD_MAX || r.envelope_length > r.length)
		return false;
	if (r.type < JOURNAL_MESSAGE || r.type > JOURNAL_WAITS)
		return false;
	if (r.type != JOURNAL_MESSAGE && r.length % JOURNAL_MARK_SIZE != 0)
		return false;
	*out = r;
	return true;
}

void journal_mark_write(const struct journal_mark *m, char out[JOURNAL_MARK_SIZE])
{
	bytes_put_u64(out, m->id);
	bytes_put_u32(out + 8, m->recipient);
	bytes_put_u32(out + 12, 0);
}

struct journal_mark journal_mark_parse(const char in[JOURNAL_MARK_SIZE])
{
	return (struct journal_mark){ .id = bytes_u64(in), .recipient = bytes_u32(in + 8) };
}

void journal_wait_write(const struct journal_wait *w, char out[JOURNAL_WAIT_SIZE])
{
	bytes_put_u64(out, w->id);
	bytes_put_u32(out + 8, w->next);
	bytes_put_u16(out + 12, w->attempts);
	bytes_put_u16(out + 14, w->flags);
}

struct journal_wait journal_wait_parse(const char in[JOURNAL_WAIT_SIZE])
{
	return (struct journal_wait){
		.id = bytes_u64(in),
		.next = bytes_u32(in + 8),
		.attempts = bytes_u16(in + 12),
		.flags = bytes_u16(in + 14),
	};
}
