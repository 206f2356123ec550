/* A message by its name: in the history, the queue and the mailboxes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "mime/header.h"
#include "queue/operator_ipc.h"
#include "queue/queue_id.h"
#include "setup/explain_log.h"
#include "setup/explain_message.h"
#include "setup/queue_door.h"
#include "setup/queue_past.h"

#define HEAD_MAX  65536 /* of a file that is searched for its Message-ID */
#define DEPTH_MAX 8

struct search {
	struct setup *s;
	struct explain_message *m;
	char prefix[64]; /* of the files that a delivery of it made; empty: look for Message-IDs */
	struct str found;
	struct timespec when; /* of what was found: the newest counts */
	unsigned count;
};

static struct str without_brackets(struct str s)
{
	s = str_trim(s);
	return str_starts(s, STR("<")) && str_ends(s, STR(">")) ? str_sub(s, 1, s.n - 2) : s;
}

static void note_arrival(void *ctx, const struct history_line *l)
{
	struct search *f = ctx;
	struct explain_message *m = f->m;

	if (!str_eq(l->kind, STR("received")))
		return;
	if (f->prefix[0] ? l->id != m->id
			 : !str_eq(without_brackets(l->fields[HISTORY_MESSAGE_ID]), m->wanted))
		return;
	if (m->in_history)
		m->others++;
	m->in_history = m->has_sender = true;
	m->id = l->id;
	m->message_id = arena_str(&f->s->arena, l->fields[HISTORY_MESSAGE_ID]);
	m->sender = arena_str(&f->s->arena, l->fields[HISTORY_SENDER]);
	m->client_address = arena_str(&f->s->arena, l->fields[HISTORY_CLIENT]);
	m->login = arena_str(&f->s->arena, l->fields[HISTORY_LOGIN]);
}

static int take_envelope(void *ctx, const struct operator_message *q,
			 const struct operator_recipient *recipients, struct err *err)
{
	struct search *f = ctx;
	(void)recipients, (void)err;

	f->m->has_sender = true;
	f->m->sender = arena_str(&f->s->arena, q->sender);
	f->m->client_address = arena_str(&f->s->arena, q->client_address);
	f->m->login = arena_str(&f->s->arena, q->auth_user);
	return 0;
}

static int may_suspend read_from_queue(struct search *f, struct ipc_client *queue, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	struct setup *s = f->s;
	struct operator_content_in in = { f->m->id };
	struct operator_content_out out;

	if (operator_content(queue, &in, &a, &out, NULL) < 0)
		return -ENOENT;
	auto_close int fd = out.file;
	if (out.length > EXPLAIN_MESSAGE_MAX)
		return err_set(err, -EFBIG, "the message is too large");
	char *p = arena_alloc(&s->arena, (size_t)out.length);
	ssize_t n = fd_pread_all(fd, p, (size_t)out.length, out.offset);
	if (n < 0)
		return err_set(err, (int)n, "the message cannot be read from the queue");
	explain_message_take(s, STR("queue"), str_of(p, (size_t)n), f->m);
	/* The history is written a little later. */
	(void)!queue_door_find(queue, f->m->id, take_envelope, f, err);
	return 0;
}

static bool has_message_id(int dir, const char *name, struct str wanted)
{
	static char head[HEAD_MAX];
	auto_arena struct arena a = ARENA_INIT;
	auto_close int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct mime_field f;

	if (fd < 0)
		return false;
	ssize_t n = fd_pread_all(fd, head, sizeof(head), 0);
	return n > 0 && mime_header_find(str_of(head, (size_t)n), STR("Message-ID"), &f) &&
	       str_eq(without_brackets(mime_field_unfold(f.value, &a)), wanted);
}

static bool is_later(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

/* Behind the prefix is the number of the recipient, or the host. */
static bool has_prefix(struct str name, struct str prefix)
{
	return str_starts(name, prefix) && name.n > prefix.n &&
	       (name.p[prefix.n] == '.' || name.p[prefix.n] == '_');
}

/* One file of a mailbox. */
static void look_at(struct search *f, int dir, struct str path, const char *name)
{
	struct stat st;

	if (f->prefix[0] ? !has_prefix(str_from(name), str_from(f->prefix))
			 : !has_message_id(dir, name, f->m->wanted))
		return;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return;
	f->count++;
	if (f->count > 1 && !is_later(st.st_mtim, f->when))
		return;
	f->when = st.st_mtim;
	f->found = arena_printf(&f->s->arena, "%" STR_FMT "/%s", STR_ARG(path), name);
}

/* Messages are in "new" and "cur"; everything else may be a directory with some below it. */
static void look_below(struct search *f, struct str path, unsigned depth)
{
	auto_arena struct arena a = ARENA_INIT;
	ssize_t slash = str_rfind_byte(path, '/');
	struct str last = str_skip(path, (size_t)(slash + 1));
	bool messages = str_eq(last, STR("cur")) || str_eq(last, STR("new"));
	DIR *d = opendir(arena_cstr(&a, path));
	struct dirent *e;

	while (d && (e = readdir(d))) {
		struct str name = str_from(e->d_name);
		if (messages)
			look_at(f, dirfd(d), path, e->d_name);
		else if ((e->d_type == DT_DIR || e->d_type == DT_UNKNOWN) && depth < DEPTH_MAX &&
			 !str_eq(name, STR(".")) && !str_eq(name, STR("..")) &&
			 !str_eq(name, STR("tmp")))
			look_below(f, arena_printf(&a, "%" STR_FMT "/%s", STR_ARG(path), e->d_name),
				   depth + 1);
	}
	if (d)
		closedir(d);
}

static int read_from_mailboxes(struct search *f, struct err *err)
{
	struct setup *s = f->s;
	struct str text;

	look_below(f, s->mail_dir, 0);
	if (!f->count)
		return -ENOENT;
	int r = fd_read_file(f->found.p, &s->arena, EXPLAIN_MESSAGE_MAX, &text, err);
	if (r < 0)
		return r;
	explain_message_take(s, arena_printf(&s->arena, "file %s", f->found.p), text, f->m);
	if (!f->m->id && queue_id_parse(f->m->trace.id, &f->m->id) < 0)
		f->m->id = 0;
	if (!f->prefix[0])
		f->m->others += f->count - 1;
	return 0;
}

/* As store/maildir/deliver.c names files. */
static void set_prefix(struct search *f)
{
	uint64_t micros = f->m->id >> 12;

	snprintf(f->prefix, sizeof(f->prefix), "%llu.M%lluP%u",
		 (unsigned long long)(micros / 1000000), (unsigned long long)(micros % 1000000),
		 (unsigned)(f->m->id & 0xfff));
}

int explain_message_find(struct setup *s, struct ipc_client *queue, struct str wanted,
			 struct explain_message *out, struct err *err)
{
	struct search f = { .s = s, .m = out };

	*out = (struct explain_message){ .wanted = without_brackets(wanted) };
	if (queue_id_parse(out->wanted, &out->id) == 0)
		set_prefix(&f);
	else
		out->id = 0;
	int r = queue_past_each(s, note_arrival, &f, err);
	if (r < 0)
		return r;
	if (!out->id)
		out->id = explain_log_find(s, out->wanted);
	if (out->id && !f.prefix[0])
		set_prefix(&f);
	r = out->id && queue ? read_from_queue(&f, queue, err) : -ENOENT;
	if (r == -ENOENT)
		r = read_from_mailboxes(&f, err);
	return r == -ENOENT && out->id ? 0 : r;
}
