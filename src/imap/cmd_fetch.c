/* FETCH and UID FETCH (RFC 3501 6.4.5, 6.4.8). */
#include <errno.h>

#include "mime/bodystructure.h"
#include "mime/envelope.h"
#include "mime/facts.h"
#include "imap/binary.h"
#include "imap/condstore.h"
#include "imap/fetch_items.h"
#include "imap/fetch_modifiers.h"
#include "imap/message.h"
#include "imap/notify.h"
#include "imap/object_id.h"
#include "imap/seqset.h"
#include "imap/session_state.h"
#include "imap/text_lexer.h"
#include "imap/view.h"
#include "imap/write.h"

#define MESSAGES_PER_UNIT 100
#define UNIT_BYTES	  4096
#define SEND_FROM	  ((size_t)32768) /* responses gather until there are so many bytes */

/* What is worked out once for all messages of the command. */
struct plan {
	struct str label; /* of a section: "BODY[HEADER.FIELDS (FROM)]" */
	/* Header fields all of which the store keeps. */
	struct mime_facts_fields fields;
	bool by_fields;
};

/* One FETCH command on its way through the messages. */
struct fetch {
	struct imap_session *s;
	struct imap_fetch_items items;
	struct plan *plans; /* one per item */
	bool has_uid, has_flags, has_modseq;
	struct imap_fetch_modifiers modifiers;
	bool needs_contents;
	struct arena arena; /* reset for each message that needed it */
	struct buf out;	    /* responses that are not sent yet */
	struct buf text;
	struct store_message meta;
	struct imap_message message;
	struct mime_facts facts; /* of the message, until the store is called again */
	bool has_facts;
	bool vanished;	       /* some message had been expunged by somebody else */
	bool failed;	       /* some message could not be read */
	bool unknown_encoding; /* of some part in BINARY */
};

/* Whatever calls the store, or lets others run, makes this necessary. */
static void forget_facts(struct fetch *f)
{
	f->has_facts = false;
}

static bool know_facts(struct fetch *f)
{
	struct err err;

	if (!f->has_facts)
		f->has_facts = store_view_facts(f->s->view, f->message.seq, &f->arena, &f->facts,
						&err) == 0;
	return f->has_facts;
}

/* Does the store know this of the message? */
static bool knows(struct fetch *f, enum mime_facts_section what)
{
	return know_facts(f) && mime_facts_has(&f->facts, what);
}

static void may_suspend send_all(struct fetch *f)
{
	forget_facts(f);
	imap_send(f->s, &f->out);
}

static void write_label(struct fetch *f, const struct imap_fetch_item *item)
{
	buf_put_str(&f->out, f->plans[item - f->items.v].label);
	if (item->is_partial)
		buf_printf(&f->out, "<%u>", item->offset);
}

/* Header fields that the store keeps. False when the message has to be read after all. */
static bool write_known_fields(struct fetch *f, const struct imap_fetch_item *item)
{
	const struct plan *plan = &f->plans[item - f->items.v];

	buf_clear(&f->text);
	if (!plan->by_fields || !knows(f, MIME_FACTS_FIELDS) ||
	    mime_facts_fields_put(&f->facts, &plan->fields, &f->text) < 0)
		return false;
	struct str text = buf_str(&f->text);
	if (item->is_partial)
		text = str_sub(text, item->offset, item->length);
	write_label(f, item);
	buf_puts(&f->out, " {");
	buf_put_u64(&f->out, text.n);
	buf_puts(&f->out, "}\r\n");
	buf_put_str(&f->out, text);
	return true;
}

static int may_suspend write_section(struct fetch *f, const struct imap_fetch_item *item)
{
	struct imap_piece piece;

	if (write_known_fields(f, item))
		return 0;
	int r = imap_message_locate(&f->message, &item->section, &piece);
	if (r < 0)
		return r;
	write_label(f, item);
	if (piece.kind == IMAP_PIECE_NIL) {
		buf_puts(&f->out, " NIL");
		return 0;
	}
	if (item->is_partial)
		imap_piece_cut(&piece, item->offset, item->length);
	/* For some fields of a header all of it was gone through. */
	uint64_t worked = imap_piece_size(&piece) + f->message.content.n;
	buf_printf(&f->out, " {%llu}\r\n", (unsigned long long)imap_piece_size(&piece));
	send_all(f);
	if (imap_message_send(&f->message, &piece, f->s->stream) < 0)
		f->failed = true;
	return imap_work(f->s, worked / UNIT_BYTES);
}

static bool ends_command(int r)
{
	return r < 0 && r != -EBADMSG && r != -EIO;
}

static int may_suspend write_binary(struct fetch *f, const struct imap_fetch_item *item)
{
	struct imap_binary b;

	int r = imap_binary_locate(&f->message, &item->section, &b);
	if (r < 0)
		return r;
	bool nil = b.piece.kind == IMAP_PIECE_NIL;
	bool size = item->kind == IMAP_FETCH_BINARY_SIZE;
	if (!nil) {
		r = imap_binary_measure(f->s, &f->message, item->offset,
					item->is_partial ? item->length : UINT64_MAX, &b);
		f->failed |= r < 0;
		if (ends_command(r))
			return r;
	}
	buf_puts(&f->out, size ? "BINARY.SIZE" : "BINARY");
	imap_section_write(&f->out, &item->section);
	if (size) {
		buf_printf(&f->out, " %llu", (unsigned long long)b.size);
		return 0;
	}
	if (item->is_partial)
		buf_printf(&f->out, "<%u>", item->offset);
	if (nil) {
		buf_puts(&f->out, " NIL");
		return 0;
	}
	buf_printf(&f->out, " %s{%llu}\r\n", b.has_nul ? "~" : "", (unsigned long long)b.size);
	send_all(f);
	r = imap_binary_send(f->s, &f->message, &b);
	f->failed |= r < 0;
	return ends_command(r) ? r : 0;
}

static int write_envelope(struct fetch *f)
{
	struct str header, known;

	buf_puts(&f->out, "ENVELOPE ");
	if (knows(f, MIME_FACTS_ENVELOPE) && mime_facts_envelope(&f->facts, &known) == 0) {
		buf_put_str(&f->out, known);
		return 0;
	}
	int r = imap_message_header(&f->message, &header);
	if (r < 0)
		return r;
	mime_envelope_write(&f->out, header, &f->arena);
	return 0;
}

static bool knows_structure(struct fetch *f)
{
	return knows(f, MIME_FACTS_BODYSTRUCTURE) &&
	       !(f->facts.flags & MIME_FACTS_GLOBAL && f->s->enabled & IMAP_ENABLED_REV2);
}

static bool write_known_structure(struct fetch *f, bool extended)
{
	size_t from = f->out.n;
	struct str text;

	if (!knows_structure(f))
		return false;
	if (extended && mime_facts_bodystructure(&f->facts, &text) == 0) {
		buf_put_str(&f->out, text);
		return true;
	}
	if (!extended && mime_facts_body_put(&f->facts, &f->out) == 0)
		return true;
	f->out.n = from;
	return false;
}

static int write_structure(struct fetch *f, bool extended)
{
	struct mime_bodystructure how = { .extended = extended,
					  .rev2 = f->s->enabled & IMAP_ENABLED_REV2,
					  .a = &f->arena };

	buf_puts(&f->out, extended ? "BODYSTRUCTURE " : "BODY ");
	if (write_known_structure(f, extended))
		return 0;
	int r = imap_message_structure(&f->message);
	if (r == 0)
		r = imap_message_content(&f->message, &how.message);
	if (r < 0)
		return r;
	how.wire = !f->message.file.lf;
	mime_bodystructure_write(&f->out, &how, f->message.structure.root);
	return 0;
}

/* RFC 8970 3.2: NIL when there is none to be had now, an empty string when there is no text. */
static void write_preview(struct fetch *f)
{
	struct str text;

	buf_puts(&f->out, "PREVIEW ");
	if (!know_facts(f) || mime_facts_preview(&f->facts, &text) < 0)
		buf_puts(&f->out, "NIL");
	else
		imap_write_string(&f->out, text);
}

/* RFC 8514 4.2 */
static void write_save_date(struct fetch *f)
{
	forget_facts(f);
	int64_t saved = imap_message_saved(f->s->view, f->message.seq, &f->arena);

	buf_puts(&f->out, "SAVEDATE ");
	if (saved == INT64_MIN)
		buf_puts(&f->out, "NIL");
	else
		imap_write_date_time(&f->out, saved);
}

static void write_modseq(struct fetch *f)
{
	buf_puts(&f->out, "MODSEQ (");
	buf_put_u64(&f->out, f->meta.modseq);
	buf_putc(&f->out, ')');
}

static int may_suspend write_item(struct fetch *f, const struct imap_fetch_item *item)
{
	switch (item->kind) {
	case IMAP_FETCH_UID:
		buf_puts(&f->out, "UID ");
		buf_put_u64(&f->out, f->meta.uid);
		return 0;
	case IMAP_FETCH_FLAGS:
		imap_view_write_message_flags(f->s, &f->out, &f->meta);
		return 0;
	case IMAP_FETCH_INTERNALDATE:
		buf_puts(&f->out, "INTERNALDATE ");
		imap_write_date_time(&f->out, f->meta.date);
		return 0;
	case IMAP_FETCH_SIZE:
		buf_puts(&f->out, "RFC822.SIZE ");
		buf_put_u64(&f->out, f->meta.wire_size);
		return 0;
	case IMAP_FETCH_ENVELOPE:
		return write_envelope(f);
	case IMAP_FETCH_BODY:
	case IMAP_FETCH_BODYSTRUCTURE:
		return write_structure(f, item->kind == IMAP_FETCH_BODYSTRUCTURE);
	case IMAP_FETCH_SECTION:
		return write_section(f, item);
	case IMAP_FETCH_BINARY:
	case IMAP_FETCH_BINARY_SIZE:
		return write_binary(f, item);
	case IMAP_FETCH_MODSEQ:
		write_modseq(f);
		return 0;
	case IMAP_FETCH_PREVIEW:
		write_preview(f);
		return 0;
	case IMAP_FETCH_EMAILID:
		buf_puts(&f->out, "EMAILID (");
		imap_object_id_write_email(&f->out, f->meta.guid);
		buf_putc(&f->out, ')');
		return 0;
	case IMAP_FETCH_SAVEDATE:
		write_save_date(f);
		return 0;
	case IMAP_FETCH_THREADID:
		/* RFC 8474 5.2: of a server that does not know threads. */
		buf_puts(&f->out, "THREADID NIL");
		return 0;
	}
	return 0;
}

/* Does a store_message tell it? */
static bool is_metadata(enum imap_fetch_kind kind)
{
	switch (kind) {
	case IMAP_FETCH_UID:
	case IMAP_FETCH_FLAGS:
	case IMAP_FETCH_INTERNALDATE:
	case IMAP_FETCH_SIZE:
	case IMAP_FETCH_MODSEQ:
	case IMAP_FETCH_EMAILID:
	case IMAP_FETCH_THREADID:
		return true;
	default:
		return false;
	}
}

static bool asks_for(const struct fetch *f, enum imap_fetch_kind kind)
{
	for (size_t i = 0; i < f->items.n; i++)
		if (f->items.v[i].kind == kind)
			return true;
	return false;
}

/* Reading a message's text makes it \Seen; the client learns of it in the same response. */
static bool mark_seen(struct fetch *f, uint32_t seq)
{
	struct imap_session *s = f->s;
	struct err err;

	if (!f->items.marks_seen || s->read_only || !(s->view_rights & STORE_RIGHT_SEEN) ||
	    (f->meta.flags & STORE_SEEN))
		return false;
	struct store_uid_range range = { f->meta.uid, f->meta.uid };
	struct store_uids set = { .v = &range, .n = 1, .cap = 1 };
	struct store_change change = {
		.op = STORE_FLAGS_ADD,
		.flags = STORE_SEEN,
		.silent = true,
		.unchanged_since = UINT64_MAX,
	};
	forget_facts(f);
	if (store_view_change(s->view, &set, &change, NULL, &err) < 0)
		return false;
	struct store_message now;
	if (store_view_message(s->view, seq, &now) < 0)
		return false;
	f->meta.flags = now.flags;
	f->meta.keywords = now.keywords;
	f->meta.modseq = now.modseq;
	return true;
}

static int load_meta(struct fetch *f, uint32_t seq)
{
	struct err err;

	if (f->items.needs_date_or_size)
		return store_view_message_full(f->s->view, seq, &f->meta, &err);
	return store_view_message(f->s->view, seq, &f->meta);
}

/* The message is opened next, so that facts are done with. */
static void know_parts(struct fetch *f, const struct imap_fetch_item *item)
{
	if (item->section.depth && knows(f, MIME_FACTS_PARTS))
		imap_message_know(&f->message, &f->facts);
	forget_facts(f);
}

/* What is needed before the first byte of a response is written, so that a message that is gone or
 * cannot be read gets none. */
static int may_suspend load_item(struct fetch *f, const struct imap_fetch_item *item)
{
	struct imap_binary binary;
	struct str header;

	switch (item->kind) {
	case IMAP_FETCH_ENVELOPE:
		return knows(f, MIME_FACTS_ENVELOPE) ? 0
						     : imap_message_header(&f->message, &header);
	case IMAP_FETCH_BODY:
	case IMAP_FETCH_BODYSTRUCTURE:
		return knows_structure(f) ? 0 : imap_message_structure(&f->message);
	case IMAP_FETCH_SECTION:
		if (f->plans[item - f->items.v].by_fields && knows(f, MIME_FACTS_FIELDS))
			return 0;
		know_parts(f, item);
		return item->section.depth && f->message.parts.n == 0
			       ? imap_message_structure(&f->message)
			       : imap_message_open(&f->message);
	case IMAP_FETCH_BINARY:
	case IMAP_FETCH_BINARY_SIZE:
		know_parts(f, item);
		return imap_binary_locate(&f->message, &item->section, &binary);
	default:
		return 0;
	}
}

static int may_suspend load_contents(struct fetch *f)
{
	int r = 0;

	for (size_t i = 0; i < f->items.n && r == 0; i++)
		r = load_item(f, &f->items.v[i]);
	return r;
}

/* The failure of the stream, or 0; what goes wrong with the message is noted in *f. */
static int may_suspend fetch_one(struct fetch *f, uint32_t seq)
{
	int r = load_meta(f, seq);
	if (r == 0 && f->meta.modseq <= f->modifiers.changed_since)
		return 0;
	if (r == 0 && f->needs_contents)
		r = load_contents(f);
	if (r < 0) {
		f->vanished |= r == -ENOENT;
		f->unknown_encoding |= r == -ENOTSUP;
		f->failed |= r != -ENOENT && r != -ENOTSUP;
		return 0;
	}
	bool seen = mark_seen(f, seq), tell_flags = seen && !f->has_flags;
	bool tell_modseq = f->modifiers.since || (seen && f->s->enabled & IMAP_ENABLED_CONDSTORE);

	buf_puts(&f->out, "* ");
	buf_put_u64(&f->out, seq);
	buf_puts(&f->out, " FETCH (");
	if ((f->s->uid || (seen && f->s->enabled & IMAP_ENABLED_QRESYNC)) && !f->has_uid) {
		buf_puts(&f->out, "UID ");
		buf_put_u64(&f->out, f->meta.uid);
		buf_putc(&f->out, ' ');
	}
	for (size_t i = 0; i < f->items.n; i++) {
		if (i)
			buf_putc(&f->out, ' ');
		r = write_item(f, &f->items.v[i]);
		/* In the middle of a response there is no way back. */
		if (r < 0)
			return r;
	}
	if (tell_flags) {
		buf_putc(&f->out, ' ');
		imap_view_write_message_flags(f->s, &f->out, &f->meta);
	}
	if (tell_modseq && !f->has_modseq) {
		buf_putc(&f->out, ' ');
		write_modseq(f);
	}
	buf_puts(&f->out, ")\r\n");
	if (f->out.n < SEND_FROM)
		return 0;
	send_all(f);
	return stream_error(f->s->stream);
}

static int may_suspend fetch_and_clean(struct fetch *f, uint32_t seq)
{
	bool was_read = false;

	if (f->needs_contents)
		imap_message_init(&f->message, f->s->view, seq, &f->arena);
	forget_facts(f);
	int r = fetch_one(f, seq);
	if (f->needs_contents) {
		was_read = f->message.open;
		imap_message_done(&f->message);
		if (f->arena.chunks)
			arena_reset(&f->arena);
	}
	if (r < 0)
		return r;
	return imap_work(f->s, was_read || seq % MESSAGES_PER_UNIT == 0);
}

static int may_suspend fetch_all(struct fetch *f, const struct imap_seqset *set)
{
	for (size_t i = 0; i < set->count; i++)
		for (uint32_t n = set->ranges[i].first; n <= set->ranges[i].last; n++) {
			int r = fetch_and_clean(f, n);
			if (r < 0)
				return r;
		}
	return 0;
}

static struct str section_label(struct fetch *f, const struct imap_fetch_item *item)
{
	struct buf b;

	if (item->name)
		return str_from(item->name);
	buf_init(&b, &f->s->arena, SIZE_MAX / 2);
	buf_puts(&b, "BODY");
	imap_section_write(&b, &item->section);
	return buf_str(&b);
}

static void plan_section(struct fetch *f, const struct imap_fetch_item *item, struct plan *out)
{
	const struct imap_section *section = &item->section;

	out->label = section_label(f, item);
	out->by_fields = section->depth == 0 && section->kind == IMAP_SECTION_FIELDS;
	for (size_t i = 0; i < section->nfields && out->by_fields; i++)
		out->by_fields = mime_facts_fields_add(&out->fields, section->fields[i]);
}

static void make_plans(struct fetch *f)
{
	f->plans = ARENA_NEW_ARRAY(&f->s->arena, struct plan, f->items.n);
	for (size_t i = 0; i < f->items.n; i++) {
		const struct imap_fetch_item *item = &f->items.v[i];
		if (item->kind == IMAP_FETCH_SECTION)
			plan_section(f, item, &f->plans[i]);
		f->needs_contents |= !is_metadata(item->kind);
	}
	f->has_uid = asks_for(f, IMAP_FETCH_UID);
	f->has_flags = asks_for(f, IMAP_FETCH_FLAGS);
}

static bool has_changed(struct fetch *f, uint32_t seq)
{
	struct store_message m;

	return store_view_message(f->s->view, seq, &m) == 0 &&
	       m.modseq > f->modifiers.changed_since;
}

/* RFC 9394 3.2: those at some positions among the messages that are asked for. */
static void take_partial(struct fetch *f, struct imap_seqset *set)
{
	struct arena *a = &f->s->arena;
	uint32_t *all = ARENA_NEW_ARRAY(a, uint32_t, store_view_count(f->s->view));
	size_t n = 0, from, count;

	for (size_t i = 0; i < set->count; i++)
		for (uint32_t seq = set->ranges[i].first; seq <= set->ranges[i].last; seq++)
			if (!f->modifiers.since || has_changed(f, seq))
				all[n++] = seq;
	imap_partial_window(&f->modifiers.partial, n, &from, &count);
	*set = (struct imap_seqset){ .ranges = ARENA_NEW_ARRAY(a, struct imap_range, count),
				     .count = count };
	for (size_t i = 0; i < count; i++)
		set->ranges[i] = (struct imap_range){ all[from + i], all[from + i] };
}

/* RFC 7162 3.1: who asks for mod-sequences wants to be told them from here on. 3.2.6: what vanished
 * comes before what changed. */
static int may_suspend begin_condstore(struct fetch *f, struct str uids)
{
	struct store_uids known;

	if (f->has_modseq || f->modifiers.since)
		imap_condstore_enable(f->s);
	if (!f->modifiers.vanished)
		return 0;
	int r = imap_view_parse_known(f->s, uids, &known);
	if (r == 0)
		imap_condstore_write_vanished(f->s, f->modifiers.changed_since, &known);
	return r;
}

/* Go through the messages of a set; what went wrong is in *f. */
static int may_suspend run(struct fetch *f, const struct imap_seqset *set)
{
	buf_init(&f->out, NULL, SIZE_MAX / 2);
	buf_init(&f->text, NULL, SIZE_MAX / 2);
	make_plans(f);
	int r = fetch_all(f, set);
	if (r >= 0)
		imap_send(f->s, &f->out);
	buf_done(&f->out);
	buf_done(&f->text);
	arena_done(&f->arena);
	return r;
}

int imap_fetch_new(struct imap_session *s, struct str items, unsigned first)
{
	struct imap_range range = { first, store_view_count(s->view) };
	struct imap_seqset set = { .ranges = &range, .count = 1 };
	struct fetch f = { .s = s };
	struct imap_text_lexer t;

	imap_text_lexer_init(&t, items, &s->arena);
	if (imap_fetch_items_parse(&t.lx, &f.items) < 0)
		return 0;
	f.items.marks_seen = false;
	return run(&f, &set);
}

int imap_cmd_fetch(struct imap_session *s)
{
	struct fetch f = { .s = s };
	struct imap_seqset set;
	int r = imap_lexer_space(&s->lexer);

	struct str numbers = str_skip(s->lexer.line, s->lexer.pos);
	if (r < 0 || (r = imap_view_parse_set(s, &set)) < 0)
		return r;
	numbers.n -= s->lexer.line.n - s->lexer.pos;
	if ((r = imap_lexer_space(&s->lexer)) < 0 ||
	    (r = imap_fetch_items_parse(&s->lexer, &f.items)) < 0 ||
	    (r = imap_fetch_modifiers_parse(s, &f.modifiers)) < 0 ||
	    (r = imap_lexer_end(&s->lexer)) < 0)
		return r;
	f.has_modseq = asks_for(&f, IMAP_FETCH_MODSEQ);
	if ((r = begin_condstore(&f, numbers)) < 0)
		return r;

	if (f.modifiers.is_partial)
		take_partial(&f, &set);
	r = run(&f, &set);
	if (r < 0)
		return r;
	if (f.failed)
		return imap_no(s, "[UNAVAILABLE] Some messages could not be read.");
	if (f.unknown_encoding)
		return imap_no(s, "[UNKNOWN-CTE] Some part has an unknown encoding.");
	/* RFC 5530; to a UID command a message that is gone is a message that never was. */
	if (f.vanished && !s->uid)
		return imap_no(s, "[EXPUNGEISSUED] Some messages do not exist any more.");
	return imap_ok(s, "Fetch completed.");
}
