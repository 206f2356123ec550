/* How a call looks as bytes: what the generated code (tools/gen_ipc.py) encodes and decodes with.
 *
 * One message is one packet of a SOCK_SEQPACKET socket: a header, then the fields in the order of
 * the schema. Integers are little-endian, a string is a u32 length and its bytes, a list a u32
 * count and its elements, a bool one byte, a descriptor travels beside the bytes. Both ends are
 * built from one source, so there are no versions; the reader still believes nothing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/str.h"

struct arena;

#define IPC_MESSAGE_MAX (256 * 1024)
#define IPC_FDS_MAX	4

enum ipc_kind {
	IPC_REQUEST = 1,
	IPC_ANSWER = 2
};

struct ipc_header {
	uint32_t sequence;
	int32_t result; /* of an answer: what the handler returned */
	uint16_t method;
	uint8_t kind; /* enum ipc_kind */
	uint8_t fd_count;
};

#define IPC_HEADER_SIZE 12

/* Encoding: sticky, looked at once. Starts with room for the header. */
struct ipc_writer {
	struct buf *buf;
	int fds[IPC_FDS_MAX]; /* borrowed */
	unsigned fd_count;
};

void ipc_writer_init(struct ipc_writer *w, struct buf *buf);
void ipc_write_header(struct ipc_writer *w, const struct ipc_header *h);
bool ipc_writer_failed(const struct ipc_writer *w);

void ipc_put_bool(struct ipc_writer *w, bool v);
void ipc_put_u8(struct ipc_writer *w, uint8_t v);
void ipc_put_u32(struct ipc_writer *w, uint32_t v);
void ipc_put_u64(struct ipc_writer *w, uint64_t v);
void ipc_put_i64(struct ipc_writer *w, int64_t v);
void ipc_put_str(struct ipc_writer *w, struct str s);
void ipc_put_fd(struct ipc_writer *w, int fd);

/* Decoding: after the first thing that is not there everything reads as zero, empty or -1. */
struct ipc_reader {
	struct str left;
	struct arena *arena; /* for lists */
	int *fds;	     /* taken ones become -1 */
	unsigned fd_count, fd_next;
	bool failed;
};

/* False when the packet is no message. */
bool ipc_read_header(struct str packet, struct ipc_header *h);
void ipc_reader_init(struct ipc_reader *r, struct str payload, struct arena *a);

bool ipc_get_bool(struct ipc_reader *r);
uint8_t ipc_get_u8(struct ipc_reader *r);
uint32_t ipc_get_u32(struct ipc_reader *r);
uint64_t ipc_get_u64(struct ipc_reader *r);
int64_t ipc_get_i64(struct ipc_reader *r);
struct str ipc_get_str(struct ipc_reader *r); /* points into the payload */
int ipc_get_fd(struct ipc_reader *r);

/* The count of a list whose elements take at least `least` bytes each, and memory for it. */
void *ipc_get_list(struct ipc_reader *r, size_t least, size_t element_size, size_t *count);

/* Everything was there, and nothing is left over. */
bool ipc_reader_ok(const struct ipc_reader *r);

/* Close the descriptors that nothing has asked for. */
void ipc_reader_close_fds(struct ipc_reader *r);
