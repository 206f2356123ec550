#include "account.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

static void remember_report(void *ctx, enum store_report kind, const char *account, const char *dir,
			    const char *what)
{
	struct account *t = ctx;
	(void)kind;
	t->reports++;
	snprintf(t->last_report, sizeof(t->last_report), "%s/%s: %s", account, dir, what);
}

bool account_with_index;
struct str account_boot;

void account_open(struct account *t)
{
	struct store_settings set = { .host = STR("host"),
				      .index_root = str_from(account_with_index ? t->index : ""),
				      .boot = account_boot,
				      .report = remember_report,
				      .report_ctx = t };
	t->pool = store_pool_new(&set);
	if (store_open(t->pool, str_from(t->path), &t->store, &t->err) < 0)
		fail_msg("%s", t->err.text);
}

int account_setup(void **state)
{
	struct account *t = calloc(1, sizeof(*t));
	snprintf(t->root, sizeof(t->root), "/tmp/posthorn-store-XXXXXX");
	assert_non_null(mkdtemp(t->root));
	snprintf(t->index, sizeof(t->index), "%s/index", t->root);
	snprintf(t->path, sizeof(t->path), "%s/example.org/user", t->root);
	t->next_id = (uint64_t)1700000000 * 1000000 << 12;
	account_open(t);
	*state = t;
	return 0;
}

int account_teardown(void **state)
{
	struct account *t = *state;
	char command[128];
	account_close(t);
	snprintf(command, sizeof(command), "rm -rf '%s'", t->root);
	assert_int_equal(system(command), 0);
	arena_done(&t->a);
	free(t);
	return 0;
}

void account_close(struct account *t)
{
	store_close(t->store);
	store_pool_free(t->pool);
}

void account_reopen(struct account *t)
{
	account_close(t);
	account_open(t);
}

int text_fd(struct str text)
{
	int fd = memfd_create("message", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, NULL), 0);
	return fd;
}

struct store_delivery account_delivery(struct account *t, const char *box, int fd, size_t length)
{
	t->next_id += 1 << 12;
	return (struct store_delivery){
		.box = str_from(box), .id = t->next_id, .create = true, .fd = fd, .length = length
	};
}

struct store_delivered account_deliver(struct account *t, const char *box, const char *text)
{
	struct store_delivered done;
	int fd = text_fd(str_from(text));
	struct store_delivery d = account_delivery(t, box, fd, strlen(text));
	if (store_deliver(t->store, &d, &done, &t->err) < 0)
		fail_msg("%s", t->err.text);
	close(fd);
	return done;
}

uint32_t account_append(struct account *t, const char *box, const char *text, uint32_t flags)
{
	struct store_append *ap;
	struct store_appended done;
	struct store_append_meta m = { .mark = { .flags = flags }, .date = INT64_MIN };
	struct store_append_args args = { .a = &t->a };
	assert_int_equal(store_append_begin(t->store, str_from(box), &ap, &t->err), 0);
	assert_int_equal(store_append_message(ap, &m, &t->err), 0);
	assert_int_equal(store_append_write(ap, str_from(text), &t->err), 0);
	if (store_append_finish(ap, &args, &done, &t->err) < 0)
		fail_msg("%s", t->err.text);
	assert_int_equal(done.uids.n, 1);
	return done.uids.v[0].first;
}

struct store_view *account_view(struct account *t, const char *box, unsigned mode)
{
	struct store_view *v;
	if (store_view_open(t->store, str_from(box), mode, &v, &t->err) < 0)
		fail_msg("%s: %s", box, t->err.text);
	return v;
}

struct store_events account_sync(struct account *t, struct store_view *v, unsigned how)
{
	struct store_events e;
	if (store_view_sync(v, how, &t->a, &e, &t->err) < 0)
		fail_msg("%s", t->err.text);
	return e;
}

struct str account_text(struct account *t, struct store_view *v, uint32_t seq)
{
	struct store_file file;
	struct store_reader reader;
	if (store_view_open_message(v, seq, &file, &t->err) < 0)
		fail_msg("%s", t->err.text);
	store_reader_init(&reader, &file, &t->a);
	char *p = arena_alloc(&t->a, (size_t)file.wire_size + 1);
	size_t n = store_reader_read(&reader, p, (size_t)file.wire_size + 1);
	assert_int_equal(n, file.wire_size);
	assert_int_equal(reader.error, 0);
	close(file.fd);
	p[n] = '\0';
	return str_of(p, n);
}

struct store_message account_message(struct account *t, struct store_view *v, uint32_t seq)
{
	struct store_message m;
	if (store_view_message_full(v, seq, &m, &t->err) < 0)
		fail_msg("%s", t->err.text);
	return m;
}

struct store_uids uids_of(struct account *t, uint32_t first, uint32_t last)
{
	struct store_uids set = { 0 };
	for (uint32_t uid = first; uid <= last; uid++)
		store_uids_add(&t->a, &set, uid);
	return set;
}

void account_change(struct account *t, struct store_view *v, uint32_t uid, uint32_t flags)
{
	struct store_uids set = uids_of(t, uid, uid);
	struct store_change c = { .op = STORE_FLAGS_REPLACE, .flags = flags };
	if (store_view_change(v, &set, &c, NULL, &t->err) < 0)
		fail_msg("%s", t->err.text);
}

static const char *path_of(struct account *t, const char *name)
{
	return arena_printf(&t->a, "%s/%s", t->path, name).p;
}

void account_settle(struct account *t)
{
	while (store_pool_settle(t->pool))
		;
}

struct str account_file(struct account *t, const char *name)
{
	account_settle(t);
	struct str text;
	if (fd_read_file(path_of(t, name), &t->a, 1 << 20, &text, &t->err) < 0)
		fail_msg("%s", t->err.text);
	return text;
}

void account_write_file(struct account *t, const char *name, const char *text)
{
	int fd = open(path_of(t, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, str_from(text), NULL), 0);
	close(fd);
}

bool account_has(struct account *t, const char *name)
{
	account_settle(t);
	return access(path_of(t, name), F_OK) == 0;
}

static unsigned walk_dir(struct account *t, const char *dir, const char **last)
{
	unsigned n = 0;
	account_settle(t);
	DIR *d = opendir(path_of(t, dir));
	assert_non_null(d);
	for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
		if (e->d_name[0] == '.')
			continue;
		n++;
		*last = arena_printf(&t->a, "%s/%s", dir, e->d_name).p;
	}
	closedir(d);
	return n;
}

const char *account_only_file(struct account *t, const char *dir)
{
	const char *name = NULL;
	assert_int_equal(walk_dir(t, dir, &name), 1);
	return name;
}

unsigned account_count_files(struct account *t, const char *dir)
{
	const char *name;
	return walk_dir(t, dir, &name);
}
