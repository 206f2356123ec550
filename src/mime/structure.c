#include "mime/structure.h"

#include "base/arena.h"
#include "base/map.h"
#include "mime/header.h"
#include "mime/lex.h"

/* The message is read line by line. Parts that have begun and not ended form a chain from the
 * innermost outwards. Boundaries of open multiparts are in a hash table, so that a line that may
 * be one costs two look-ups however many there are. */

/* A place in the message, with what was counted before it. */
struct place {
	size_t offset;
	size_t lines;
	size_t bare_lf;
};

struct open_part {
	struct mime_part *part;
	struct open_part *outer;
	unsigned depth;
	bool in_digest;
	struct place header, body;
	struct str boundary;	    /* while it is in the table */
	struct open_part *shadowed; /* further out with the same boundary */
};

struct walk {
	struct str message;
	struct arena *arena;
	struct mime_structure_limits limits;
	struct mime_structure *out;
	struct map boundaries; /* to struct open_part */
	struct open_part *inner;
	bool in_header;	       /* of `inner` */
	struct place at;       /* start of the current line */
	struct place line_end; /* before the line end of the line before it */
};

/* The fields of a part's header. */
struct part_fields {
	struct str type, encoding, disposition, id, description, language, location, md5;
};

static struct mime_extent extent(struct place from, struct place to)
{
	size_t size = to.offset - from.offset;
	return (struct mime_extent){
		.offset = from.offset,
		.size = size,
		.wire_size = size + (to.bare_lf - from.bare_lf),
		.lines = to.lines - from.lines,
	};
}

static void part_begin(struct walk *w, bool in_digest)
{
	struct open_part *o = ARENA_NEW(w->arena, struct open_part);
	struct mime_part *p = ARENA_NEW(w->arena, struct mime_part);
	struct open_part *outer = w->inner;

	o->part = p;
	o->outer = outer;
	o->depth = outer ? outer->depth + 1 : 0;
	o->in_digest = in_digest;
	o->header = w->at;
	if (outer) {
		struct mime_part *parent = outer->part;
		p->parent = parent;
		if (parent->last_child)
			parent->last_child->next = p;
		else
			parent->children = p;
		parent->last_child = p;
	} else {
		w->out->root = p;
	}
	w->out->parts++;
	w->inner = o;
	w->in_header = true;
}

static void read_fields(struct walk *w, struct str header, struct part_fields *out)
{
	const struct {
		struct str name;
		struct str *value;
	} known[] = {
		{ STR("Content-Type"), &out->type },
		{ STR("Content-Transfer-Encoding"), &out->encoding },
		{ STR("Content-Disposition"), &out->disposition },
		{ STR("Content-ID"), &out->id },
		{ STR("Content-Description"), &out->description },
		{ STR("Content-Language"), &out->language },
		{ STR("Content-Location"), &out->location },
		{ STR("Content-MD5"), &out->md5 },
	};
	struct mime_header_iter it;
	struct mime_field f;
	mime_header_begin(&it, header, MIME_HEADER_NO_LIMITS);
	while (mime_header_next(&it, &f) > 0) {
		if (!str_starts_nocase(f.name, STR("Content-")))
			continue;
		for (size_t i = 0; i < ARRAY_LEN(known); i++) {
			/* The first one counts, as it does for most clients. */
			if (known[i].value->p || !str_eq_nocase(f.name, known[i].name))
				continue;
			struct str cut = str_sub(f.value, 0, MIME_STRUCTURE_VALUE_MAX);
			*known[i].value = arena_str(w->arena, mime_field_unfold(cut, w->arena));
		}
	}
}

static void set_type(struct mime_part *p, struct str type, struct str subtype)
{
	p->type = (struct mime_content_type){ .type = type, .subtype = subtype };
}

static bool is_message(const struct mime_part *p)
{
	return str_eq(p->type.type, STR("message")) &&
	       (str_eq(p->type.subtype, STR("rfc822")) || str_eq(p->type.subtype, STR("global")));
}

static bool is_multipart(const struct mime_part *p)
{
	return str_eq(p->type.type, STR("multipart"));
}

static void describe(struct walk *w, struct open_part *o, const struct part_fields *f)
{
	struct mime_part *p = o->part;
	if (!f->type.p || mime_content_type_parse(f->type, w->arena, &p->type) < 0) {
		if (o->in_digest)
			set_type(p, STR("message"), STR("rfc822"));
		else
			set_type(p, STR("text"), STR("plain"));
	}
	p->encoding = mime_encoding_parse(f->encoding);
	p->encoding_name = STR("7bit");
	struct str token = mime_lex_token(mime_lex_skip_cfws(f->encoding));
	if (token.n) {
		char *name = arena_cstr(w->arena, token);
		str_lower_bytes(name, token.n);
		p->encoding_name = str_of(name, token.n);
	}
	p->has_disposition = f->disposition.p &&
			     mime_disposition_parse(f->disposition, w->arena, &p->disposition) == 0;
	p->id = f->id;
	p->description = f->description;
	p->language = f->language;
	p->location = f->location;
	p->md5 = f->md5;
}

/* RFC 2046 5.1.1: a boundary does not end in white space. */
static struct str boundary_of(const struct mime_part *p)
{
	const struct mime_param *b = mime_param_find(&p->type.params, STR("boundary"));
	return b ? str_trim_end(b->value) : STR_NONE;
}

static void boundary_open(struct walk *w, struct open_part *o, struct str boundary)
{
	o->boundary = boundary;
	o->shadowed = map_put(&w->boundaries, boundary, o);
}

static void boundary_close(struct walk *w, struct open_part *o)
{
	if (!o->boundary.n)
		return;
	map_remove(&w->boundaries, o->boundary);
	if (o->shadowed)
		map_put(&w->boundaries, o->shadowed->boundary, o->shadowed);
	o->boundary = STR_NONE;
}

/* May parts be opened within this one? */
static bool may_descend(struct walk *w, const struct open_part *o)
{
	bool room = o->depth < w->limits.depth && w->out->parts < w->limits.parts;
	w->out->truncated |= !room;
	return room;
}

/* Decide what the body of the part is and, for a message, begin that. */
static void body_begin(struct walk *w, struct open_part *o)
{
	struct mime_part *p = o->part;
	struct str boundary = boundary_of(p);

	if (is_multipart(p) && (boundary.n == 0 || boundary.n > MIME_BOUNDARY_MAX)) {
		set_type(p, STR("text"), STR("plain"));
	} else if (is_multipart(p) && may_descend(w, o)) {
		p->kind = MIME_PART_MULTIPART;
		boundary_open(w, o, boundary);
	} else if (is_message(p) && mime_encoding_is_identity(p->encoding) && may_descend(w, o)) {
		p->kind = MIME_PART_MESSAGE;
		part_begin(w, false);
	} else if (is_multipart(p) || is_message(p)) {
		set_type(p, STR("application"), STR("octet-stream"));
	}
}

/* The header of the innermost part ends here. */
static void header_end(struct walk *w, struct place here)
{
	struct open_part *o = w->inner;
	struct part_fields fields = { 0 };

	o->part->header = extent(o->header, here);
	o->body = here;
	w->in_header = false;
	w->at = here;
	read_fields(w, mime_extent_of(w->message, o->part->header), &fields);
	describe(w, o, &fields);
	body_begin(w, o);
}

/* Leave the innermost part, whose body ends at `end`; before its start when the boundary came at
 * once. */
static void part_end(struct walk *w, struct place end)
{
	struct open_part *o = w->inner;
	o->part->body = extent(o->body, end.offset > o->body.offset ? end : o->body);
	boundary_close(w, o);
	w->inner = o->outer;
}

/* A boundary or the end came while a header was read. */
static void headers_end(struct walk *w)
{
	while (w->in_header)
		header_end(w, w->at);
}

/* The open multipart that a line delimits or ends, or NULL. */
static struct open_part *delimited_by(struct walk *w, struct str line, bool *closes)
{
	if (w->boundaries.count == 0 || !str_starts(line, STR("--")))
		return NULL;
	struct str boundary = str_trim_end(str_skip(line, 2));
	if (boundary.n > MIME_BOUNDARY_MAX + 2)
		return NULL;

	struct open_part *o = map_get(&w->boundaries, boundary);
	struct open_part *ends = NULL;
	if (str_ends(boundary, STR("--")))
		ends = map_get(&w->boundaries, str_sub(boundary, 0, boundary.n - 2));
	/* Of "x" and "x--" both open, the inner one is meant. */
	*closes = ends && (!o || ends->depth > o->depth);
	return *closes ? ends : o;
}

/* Act upon a boundary line. False when the line is none. */
static bool take_boundary(struct walk *w, struct str line, struct place after)
{
	bool closes;
	struct open_part *o = delimited_by(w, line, &closes);
	if (!o)
		return false;

	headers_end(w);
	if (!closes && w->out->parts >= w->limits.parts) {
		w->out->truncated = true;
		return false;
	}
	while (w->inner != o)
		part_end(w, w->line_end);
	w->at = after;
	if (closes)
		boundary_close(w, o);
	else
		part_begin(w, str_eq(o->part->type.subtype, STR("digest")));
	return true;
}

static void take_line(struct walk *w, struct str line)
{
	struct str text = str_chomp(line);
	struct place end = w->at, after = w->at;
	end.offset += text.n;
	after.offset += line.n;
	if (line.p[line.n - 1] == '\n') {
		after.lines++;
		after.bare_lf += text.n + 1 == line.n;
	} else {
		end = after; /* a CR at the very end is no line end */
	}
	if (!take_boundary(w, text, after)) {
		if (w->in_header && text.n == 0 && end.offset < after.offset)
			header_end(w, after);
		w->at = after;
	}
	w->line_end = end;
}

void mime_structure_parse(struct str message, struct mime_structure_limits limits, struct arena *a,
			  struct mime_structure *out)
{
	*out = (struct mime_structure){ 0 };
	struct walk w = { .message = message, .arena = a, .limits = limits, .out = out };
	map_init(&w.boundaries);
	part_begin(&w, false);
	while (w.at.offset < message.n) {
		struct str rest = str_skip(message, w.at.offset);
		ssize_t lf = str_find_byte(rest, '\n');
		take_line(&w, str_sub(rest, 0, lf < 0 ? rest.n : (size_t)lf + 1));
	}
	headers_end(&w);
	while (w.inner)
		part_end(&w, w.at);
	map_done(&w.boundaries);
}

static const struct mime_part *nth_child(const struct mime_part *p, uint32_t n)
{
	const struct mime_part *child = n ? p->children : NULL;
	while (child && --n)
		child = child->next;
	return child;
}

const struct mime_part *mime_part_find(const struct mime_part *root, const uint32_t *path, size_t n)
{
	/* Numbers count the parts of a multipart; any other body is part 1 of its message. */
	const struct mime_part *whole = root, *part = NULL;
	for (size_t i = 0; i < n && whole; i++) {
		if (whole->kind == MIME_PART_MULTIPART)
			part = nth_child(whole, path[i]);
		else
			part = path[i] == 1 ? whole : NULL;

		if (part && part->kind == MIME_PART_MULTIPART)
			whole = part;
		else if (part && part->kind == MIME_PART_MESSAGE)
			whole = part->children;
		else if (i + 1 < n)
			return NULL;
	}
	return part;
}
