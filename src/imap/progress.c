#include "imap/progress.h"

#include "core/loop.h"
#include "imap/session_state.h"
#include "mime/nstring.h"

void imap_progress_begin(struct imap_progress *p, struct imap_session *s, uint64_t goal)
{
	*p = (struct imap_progress){ s, goal, loop_deadline(s->params->limits.progress_ms) };
}

/* RFC 9585 4: tag, how much is done, of how much. */
static void may_suspend tell(struct imap_progress *p, uint64_t done)
{
	struct imap_session *s = p->s;
	auto_buf struct buf b;

	buf_init(&b, NULL, SIZE_MAX / 2);
	buf_puts(&b, "* OK [INPROGRESS (");
	mime_string_write(&b, s->tag);
	buf_putc(&b, ' ');
	buf_put_u64(&b, done);
	buf_putc(&b, ' ');
	if (p->goal)
		buf_put_u64(&b, p->goal);
	else
		buf_puts(&b, "NIL");
	buf_puts(&b, ")] Still working.\r\n");
	stream_write(s->stream, buf_str(&b));
	if (stream_flush(s->stream) < 0)
		return; /* the next wait says so */
	p->next_ms = loop_deadline(s->params->limits.progress_ms);
}

int imap_progress_work(struct imap_progress *p, size_t units, uint64_t done)
{
	if (units == 0)
		return 0;
	if (loop_now() >= p->next_ms)
		tell(p, done);
	int r = stream_error(p->s->stream);
	return r < 0 ? r : imap_work(p->s, units);
}
