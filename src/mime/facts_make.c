/* Making the blobs. */
#include "mime/facts.h"

#include <errno.h>

#include "base/arena.h"
#include "mime/address.h"
#include "mime/base_subject.h"
#include "mime/bodystructure.h"
#include "mime/date.h"
#include "mime/encoded_word.h"
#include "mime/envelope.h"
#include "mime/facts_layout.h"
#include "mime/fold.h"
#include "mime/header.h"
#include "mime/msgid.h"
#include "mime/preview.h"

#define SEARCH_KEY_MAX ((size_t)1024)
#define RAW_VALUE_MAX  ((size_t)16384) /* longer values are not even looked at */
#define FIELDS_MAX     ((size_t)16384) /* bytes of kept fields */

/* The first value of these fields is looked into. */
enum value {
	VALUE_SUBJECT,
	VALUE_FROM,
	VALUE_TO,
	VALUE_CC,
	VALUE_BCC,
	VALUE_MESSAGE_ID,
	VALUE_DATE,
	VALUE_REFERENCES,
	VALUE_IN_REPLY_TO,
	VALUES
};
_Static_assert((int)VALUE_MESSAGE_ID == (int)MIME_FACTS_MESSAGE_ID, "search keys come first");

static const struct str value_names[VALUES] = {
	[VALUE_SUBJECT] = STR_INIT("Subject"),
	[VALUE_FROM] = STR_INIT("From"),
	[VALUE_TO] = STR_INIT("To"),
	[VALUE_CC] = STR_INIT("Cc"),
	[VALUE_BCC] = STR_INIT("Bcc"),
	[VALUE_MESSAGE_ID] = STR_INIT("Message-ID"),
	[VALUE_DATE] = STR_INIT("Date"),
	[VALUE_REFERENCES] = STR_INIT("References"),
	[VALUE_IN_REPLY_TO] = STR_INIT("In-Reply-To"),
};

struct maker {
	struct str message, header;
	bool wire;
	struct arena *a;
	struct mime_structure structure;
	struct str values[VALUES];
	struct buf search[MIME_FACTS_SEARCH_KEYS];
	unsigned present, missing, flags;
	struct str subject; /* decoded */
	struct buf fields;
	struct {
		struct str text;
		struct buf pool;
		size_t base; /* where the pool will be */
		uint16_t at[MIME_FACTS_KEYS], n[MIME_FACTS_KEYS];
	} hot;
};

static struct str decoded(struct maker *m, struct str value)
{
	struct buf b;

	buf_init(&b, m->a, SIZE_MAX / 2);
	mime_encoded_word_decode(mime_field_unfold(value, m->a), &b);
	return buf_str(&b);
}

static void take_search_key(struct maker *m, unsigned key, struct str value)
{
	struct buf *b = &m->search[key];

	if (m->present >> key & 1)
		buf_putc(b, '\n');
	m->present |= 1u << key;
	if (m->missing >> key & 1)
		return;
	if (value.n > RAW_VALUE_MAX) {
		m->missing |= 1u << key;
		return;
	}
	struct str text = decoded(m, value);
	if (key == MIME_FACTS_SUBJECT && !m->subject.p)
		m->subject = text;
	mime_fold_put(b, text);
	if (buf_failed(b))
		m->missing |= 1u << key;
}

static void take_value(struct maker *m, const struct mime_field *f)
{
	for (unsigned i = 0; i < VALUES; i++) {
		if (!str_eq_nocase(f->name, value_names[i]))
			continue;
		if (!m->values[i].p)
			m->values[i] = f->value.p ? f->value : STR("");
		if (i < MIME_FACTS_SEARCH_KEYS)
			take_search_key(m, i, f->value);
		return;
	}
}

/* NUL cannot be in a literal (RFC 3501 section 9: CHAR8). */
static void put_line(struct buf *b, struct str line)
{
	size_t from = b->n;

	buf_put_str(b, line);
	for (char *nul = memchr(b->p + from, '\0', b->n - from); nul;
	     nul = memchr(nul, '\0', b->n - (size_t)(nul - b->p)))
		*nul = (char)0x80;
	buf_puts(b, "\r\n");
}

static void keep_field(struct maker *m, int id, struct str whole)
{
	struct buf *b = &m->fields;
	size_t from = b->n;

	facts_put(b, (unsigned)id, 1);
	facts_put(b, 0, 2);
	if (buf_failed(b))
		return;
	STR_FOREACH_LINE (whole, line)
		put_line(b, line);
	size_t n = b->n - from - FACTS_FIELD_HEAD;
	b->p[from + 1] = (char)n;
	b->p[from + 2] = (char)(n >> 8);
}

static void read_header(struct maker *m)
{
	struct mime_header_iter it;
	struct mime_field f;

	buf_init(&m->fields, m->a, FIELDS_MAX);
	for (unsigned i = 0; i < MIME_FACTS_SEARCH_KEYS; i++)
		buf_init(&m->search[i], m->a, SEARCH_KEY_MAX);
	mime_header_begin(&it, m->header, MIME_HEADER_NO_LIMITS);
	while (mime_header_next(&it, &f) == 1) {
		int id = f.is_garbage ? -1 : facts_field_id(f.name);
		if (id < 0)
			continue;
		keep_field(m, id, f.whole);
		take_value(m, &f);
	}
}

/* Add a text of the hot blob, or find it in another. */
static void put_key(struct maker *m, enum mime_facts_key key, struct str text)
{
	struct buf *pool = &m->hot.pool;

	ssize_t at = text.n ? str_find(buf_str(pool), text) : 0;
	if (at < 0) {
		at = (ssize_t)pool->n;
		buf_put_str(pool, text);
	}
	m->hot.at[key] = (uint16_t)(m->hot.base + (size_t)at);
	m->hot.n[key] = (uint16_t)text.n;
}

static void put_sort_key(struct maker *m, enum mime_facts_key key, struct str text)
{
	struct buf b;

	buf_init(&b, m->a, SIZE_MAX / 2);
	mime_collate_put(&b, str_sub(text, 0, MIME_FACTS_SORT_MAX));
	put_key(m, key, str_sub(buf_str(&b), 0, MIME_FACTS_SORT_MAX));
}

/* RFC 5957: the display name, decoded; without one the address. */
static struct str display_name(struct maker *m, const struct mime_addr *ad)
{
	if (ad->name.n)
		return decoded(m, ad->name);
	return ad->domain.n ? arena_printf(m->a, "%" STR_FMT "@%" STR_FMT, STR_ARG(ad->local),
					   STR_ARG(ad->domain))
			    : ad->local;
}

/* Of the first address: addr-mailbox, which is the name of a group that begins there, and the
 * name to display (0: none). */
static void put_address_keys(struct maker *m, enum value field, enum mime_facts_key mailbox,
			     enum mime_facts_key display)
{
	const struct mime_addr_limits limits = { 8, RAW_VALUE_MAX };
	struct mime_addr_list list = { 0 };
	struct str local = STR_NONE, name = STR_NONE;

	if (m->values[field].p)
		mime_addr_list_parse(m->values[field], limits, m->a, &list);
	if (list.n) {
		const struct mime_addr *ad = &list.items[0];
		local = ad->kind == MIME_ADDR_MAILBOX ? ad->local : ad->name;
		name = ad->kind == MIME_ADDR_MAILBOX ? display_name(m, ad) : decoded(m, ad->name);
	}
	put_sort_key(m, mailbox, local);
	if (display)
		put_sort_key(m, display, name);
}

static void put_texts(struct maker *m)
{
	struct mime_base_subject base;

	for (unsigned i = 0; i < MIME_FACTS_SEARCH_KEYS; i++)
		put_key(m, i, m->missing >> i & 1 ? STR_NONE : buf_str(&m->search[i]));
	mime_base_subject(m->subject, m->a, &base);
	put_sort_key(m, MIME_FACTS_BASE_SUBJECT, base.text);
	if (base.is_response)
		m->flags |= MIME_FACTS_RESPONSE;
	put_address_keys(m, VALUE_FROM, MIME_FACTS_SORT_FROM, MIME_FACTS_DISPLAY_FROM);
	put_address_keys(m, VALUE_TO, MIME_FACTS_SORT_TO, MIME_FACTS_DISPLAY_TO);
	put_address_keys(m, VALUE_CC, MIME_FACTS_SORT_CC, 0);
}

/* The Message-IDs of a field. Of too many, the first and the last ones. */
static unsigned take_ids(struct maker *m, enum value field, uint64_t *out)
{
	struct str rest = str_sub(m->values[field], 0, 4 * RAW_VALUE_MAX), id;
	unsigned n = 0;

	while (mime_msgid_next(&rest, m->a, &id)) {
		uint64_t hash = mime_msgid_hash(id);
		if (n == MIME_FACTS_REFS_MAX) {
			memmove(out + 1, out + 2, (n - 2) * sizeof(*out));
			n--;
		}
		out[n++] = hash;
	}
	return n;
}

/* RFC 5256 section 3, REFERENCES, step 1; a message does not answer itself. */
static unsigned find_refs(struct maker *m, uint64_t own, uint64_t *out)
{
	unsigned found = take_ids(m, VALUE_REFERENCES, out), n = 0;

	if (found == 0 && take_ids(m, VALUE_IN_REPLY_TO, out))
		found = 1;
	for (unsigned i = 0; i < found; i++)
		if (out[i] != own)
			out[n++] = out[i];
	return n;
}

static struct str write_hot(struct maker *m)
{
	uint64_t refs[MIME_FACTS_REFS_MAX], id = 0;
	struct mime_date date = { 0 };
	struct str rest = m->values[VALUE_MESSAGE_ID], text;
	struct buf b;

	if (mime_msgid_next(&rest, m->a, &text))
		id = mime_msgid_hash(text);
	unsigned nrefs = find_refs(m, id, refs);
	if (m->values[VALUE_DATE].p && mime_date_parse(m->values[VALUE_DATE], &date) == 0)
		m->flags |= MIME_FACTS_HAS_DATE;

	m->hot.base = HOT_REFS + 8 * (size_t)nrefs;
	buf_init(&m->hot.pool, m->a, SIZE_MAX / 2);
	put_texts(m);

	buf_init(&b, m->a, MIME_FACTS_MAX);
	facts_put(&b, MIME_FACTS_VERSION, 1);
	facts_put(&b, m->flags, 1);
	facts_put(&b, m->hot.base + m->hot.pool.n, 2);
	facts_put(&b, m->present, 2);
	facts_put(&b, m->missing, 2);
	facts_put(&b, (uint64_t)date.unix_s, 8);
	facts_put(&b, (uint16_t)date.zone_min, 2);
	facts_put(&b, nrefs, 2);
	facts_put(&b, id, 8);
	for (int i = 0; i < MIME_FACTS_KEYS; i++) {
		facts_put(&b, m->hot.at[i], 2);
		facts_put(&b, m->hot.n[i], 2);
	}
	for (unsigned i = 0; i < nrefs; i++)
		facts_put(&b, refs[i], 8);
	buf_put_str(&b, buf_str(&m->hot.pool));
	check(!buf_failed(&b) && b.n <= UINT16_MAX);
	return buf_str(&b);
}

/* The tree is walked without recursion: it may be deep. */
static const struct mime_part *next_part(const struct mime_part *part, unsigned *depth)
{
	if (part->children) {
		++*depth;
		return part->children;
	}
	while (part && !part->next) {
		part = part->parent;
		--*depth;
	}
	return part ? part->next : NULL;
}

static bool is_attachment(const struct mime_part *p)
{
	if (p->kind == MIME_PART_MULTIPART)
		return false;
	if (p->has_disposition && str_eq(p->disposition.kind, STR("attachment")))
		return true;
	bool named =
		mime_param_find(&p->type.params, STR("name")) ||
		(p->has_disposition && mime_param_find(&p->disposition.params, STR("filename")));
	/* What has an ID is shown by the HTML beside it. */
	return named && !p->id.p;
}

static size_t bare_lfs(const struct maker *m, struct mime_extent e)
{
	return m->wire ? 0 : e.wire_size - e.size;
}

static void put_part(struct maker *m, struct buf *b, const struct mime_part *p, size_t gap)
{
	facts_put_varint(b, gap);
	facts_put_varint(b, p->header.size);
	facts_put_varint(b, bare_lfs(m, p->header));
	facts_put_varint(b, p->body.size);
	facts_put_varint(b, bare_lfs(m, p->body));
}

static void write_parts(struct maker *m, struct buf *b)
{
	size_t at = 0;
	unsigned depth = 0;

	for (const struct mime_part *p = m->structure.root; p; p = next_part(p, &depth)) {
		if (is_attachment(p))
			m->flags |= MIME_FACTS_ATTACHMENT;
		if (str_eq(p->type.type, STR("message")) && str_eq(p->type.subtype, STR("global")))
			m->flags |= MIME_FACTS_GLOBAL;
		facts_put_varint(b, (unsigned)p->kind | (unsigned)p->encoding << 2);
		facts_put_varint(b, depth);
		put_part(m, b, p, p->header.offset - at);
		at = p->body.offset;
	}
}

static void write_structure(struct maker *m, struct buf *text, struct buf *cuts)
{
	struct mime_extensions extensions = { 0 };
	struct mime_bodystructure how = {
		.message = m->message,
		.wire = m->wire,
		.extended = true,
		.extensions = &extensions,
		.a = m->a,
	};

	mime_bodystructure_write(text, &how, m->structure.root);
	for (size_t i = 0; i < extensions.n; i++) {
		facts_put(cuts, extensions.v[i].from, 4);
		facts_put(cuts, extensions.v[i].to, 4);
	}
	/* Neither is of use without the other. */
	text->failed |= buf_failed(cuts);
	cuts->failed |= buf_failed(text);
}

static struct str write_cold(struct maker *m, size_t max)
{
	struct buf sections[MIME_FACTS_SECTIONS], b;
	unsigned missing = 0;

	for (int i = 0; i < MIME_FACTS_SECTIONS; i++)
		buf_init(&sections[i], m->a, max);
	mime_envelope_write(&sections[MIME_FACTS_ENVELOPE], m->header, m->a);
	write_structure(m, &sections[MIME_FACTS_BODYSTRUCTURE], &sections[MIME_FACTS_EXTENSIONS]);
	write_parts(m, &sections[MIME_FACTS_PARTS]);
	sections[MIME_FACTS_FIELDS] = m->fields;
	mime_preview_write(&sections[MIME_FACTS_PREVIEW], m->message, &m->structure, m->a);

	/* Small ones first: the large one has to stay out. */
	size_t left = max - COLD_DATA;
	static const enum mime_facts_section order[MIME_FACTS_SECTIONS] = {
		MIME_FACTS_PREVIEW, MIME_FACTS_ENVELOPE,   MIME_FACTS_PARTS,
		MIME_FACTS_FIELDS,  MIME_FACTS_EXTENSIONS, MIME_FACTS_BODYSTRUCTURE,
	};
	for (int i = 0; i < MIME_FACTS_SECTIONS; i++) {
		struct buf *s = &sections[order[i]];
		if (buf_failed(s) || s->n > left) {
			missing |= 1u << order[i];
			s->n = 0;
		}
		left -= s->n;
	}

	buf_init(&b, m->a, max);
	facts_put(&b, MIME_FACTS_VERSION, 1);
	facts_put(&b, missing, 1);
	facts_put(&b, 0, 2);
	facts_put(&b, max - left, 4);
	for (int i = 0; i < MIME_FACTS_SECTIONS; i++)
		facts_put(&b, sections[i].n, 4);
	for (int i = 0; i < MIME_FACTS_SECTIONS; i++)
		buf_put_str(&b, str_of(sections[i].p, sections[i].n));
	check(!buf_failed(&b) && b.n == max - left);
	return buf_str(&b);
}

void mime_facts_make(struct str message, bool wire, struct arena *a, struct mime_facts *out)
{
	auto_arena struct arena scratch = ARENA_INIT;
	struct maker m = { .message = message, .wire = wire, .a = &scratch };

	mime_structure_parse(message, MIME_STRUCTURE_LIMITS, &scratch, &m.structure);
	m.header = mime_extent_of(message, m.structure.root->header);
	read_header(&m);
	/* The hot blob tells what the walk through the parts found. */
	struct str cold = write_cold(&m, MIME_FACTS_MAX / 2);
	struct str hot = write_hot(&m);
	int r = mime_facts_parse(arena_str(a, hot), arena_str(a, cold), out);
	check(r == 0);
}
