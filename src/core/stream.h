/* A buffered, bidirectional byte stream over a socket, plain or TLS.
 *
 * Reading waits; output collects until the stream is about to wait for input (or its buffer is
 * full, or stream_flush), so that the replies to pipelined commands leave in one packet. Every wait
 * ends after the stream's idle time (stream_set_idle) or the fiber's own limit, whichever is first.
 * Buffers are released while an idle stream waits.
 *
 * Errors of all functions: -ETIMEDOUT, -ECANCELED, -EPIPE (the peer is gone), -ECONNRESET, -EPROTO
 * (TLS). After any of them the stream is dead and further calls return the same. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"
#include "core/io.h"

struct err;
struct stream;

/* Takes the descriptor, which becomes non-blocking. Never fails. */
struct stream *stream_new(int fd);

/* Closes without flushing. NULL is fine. */
void stream_free(struct stream *s);
void stream_free_scope(struct stream **s);
#define auto_stream __attribute__((cleanup(stream_free_scope)))

/* How long one wait may last, in milliseconds. */
void stream_set_idle(struct stream *s, int64_t ms);

/* The unread bytes in hand; valid until the next call that reads. */
struct str stream_peek(const struct stream *s);
void stream_consume(struct stream *s, size_t n);

/* Flush, then read more bytes behind those in hand. The number of new bytes, or 0 at the end of the
 * stream. -ENOBUFS when `max` bytes are in hand already. */
ssize_t may_suspend must_check stream_fill(struct stream *s, size_t max);

/* Let these bytes be read before anything else: what another process had read already. Nothing is
 * in hand yet. */
void stream_preload(struct stream *s, struct str bytes);

/* The next line with its line end (the last byte is LF), consumed; valid until the next call that
 * reads. -EMSGSIZE for a line of more than max bytes: nothing is consumed, see stream_skip_line.
 * -ENODATA at the end of the stream (what is left without LF can be peeked). */
int may_suspend must_check stream_read_line(struct stream *s, size_t max, struct str *line);

/* Read away everything up to and including the next LF, in bounded memory. */
int may_suspend must_check stream_skip_line(struct stream *s);

/* Append output; errors are sticky and come out of the next read or flush. */
void may_suspend stream_write(struct stream *s, struct str bytes);
void may_suspend stream_puts(struct stream *s, const char *text);
void may_suspend stream_printf(struct stream *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
int may_suspend must_check stream_flush(struct stream *s);

/* Tell the peer why the connection ends, when the wait for its input failed with -ETIMEDOUT or
 * -ECANCELED: one attempt, without waiting. Nothing after other failures, or when the peer has not
 * taken what came before. */
void stream_say_last(struct stream *s, const char *text);

/* Wait, flushed, until there is input or the end of the stream (1), `ms` have passed (0), or
 * somebody called fiber_interrupt on this fiber, now or since its last such wait (-EINTR). For
 * early-talker checks and IDLE. */
int may_suspend must_check stream_wait_input(struct stream *s, int64_t ms);

/* The failure that killed the stream, or 0. */
int stream_error(const struct stream *s);

/* Bytes read and written so far, above TLS. */
uint64_t stream_bytes_in(const struct stream *s);
uint64_t stream_bytes_out(const struct stream *s);

/* Copy both ways between two streams until both ends have closed, an error, or `idle` ms without a
 * byte. For the TLS sessions that front keeps while a mailbox worker serves them. */
int may_suspend must_check stream_relay(struct stream *a, struct stream *b, int64_t idle);

/* What TLS puts between a stream and its socket. The functions do not wait: they return -EAGAIN and
 * set `want`. */
struct stream_layer {
	ssize_t (*read)(struct stream_layer *l, void *p, size_t n); /* 0: closed by the peer */
	ssize_t (*write)(struct stream_layer *l, const void *p, size_t n);
	void (*free)(struct stream_layer *l); /* says goodbye if that needs no waiting */
	/* NULL, or: give memory back, the stream has proved idle. */
	void (*trim)(struct stream_layer *l);
	bool want_write; /* after -EAGAIN: wait for writable instead of readable */
};

/* Put a layer below the buffers. There is no unread input (see tls_accept). The stream owns it. */
void stream_push_layer(struct stream *s, struct stream_layer *l);

/* Wait, within the stream's idle time, for what a layer asked for with -EAGAIN: for handshakes. */
int may_suspend must_check stream_wait_layer(struct stream *s, const struct stream_layer *l);
struct io *stream_io(struct stream *s);
struct stream_layer *stream_layer(const struct stream *s);
