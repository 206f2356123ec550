#include "setup/setup_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"

#define LOCK_FILE	 ".setup.lock"
#define LOCK_WAIT_MS	 30000
#define LOCK_POLL_MS	 10
#define CONFIG_DIR_MODE	 0755
#define CONFIG_FILE_MODE 0644

struct str setup_file_path(struct setup *s, const char *file)
{
	return arena_printf(&s->arena, "%" STR_FMT "/%s", STR_ARG(s->config_dir), file);
}

int setup_file_read(struct setup *s, const char *file, struct str *text, struct err *err)
{
	int r = fd_read_file(setup_file_path(s, file).p, &s->arena, SETUP_FILE_MAX, text, err);
	if (r == -ENOENT || r == -ENOTDIR) {
		*text = STR("");
		return 0;
	}
	return r;
}

static int lock_with_deadline(int fd, struct err *err)
{
	static const struct timespec pause = { .tv_nsec = LOCK_POLL_MS * 1000000L };
	for (unsigned waited = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; waited += LOCK_POLL_MS) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_sys(err, "lock");
		if (waited >= LOCK_WAIT_MS)
			return err_set(err, -ETIMEDOUT, "another setup command does not end");
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* A directory can be locked without being written to, and leaves nothing behind. Network file
 * systems that cannot lock directories get a file in it. */
int setup_lock(struct setup *s, struct err *err)
{
	int r = fd_make_dirs(s->config_dir.p, CONFIG_DIR_MODE, err);
	if (r < 0)
		return r;

	auto_close int dir = open(s->config_dir.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(err, "%s", s->config_dir.p);
	r = lock_with_deadline(dir, err);
	if (r == 0)
		return take_fd(&dir);
	if (r == -ETIMEDOUT)
		return r;

	const char *path = setup_file_path(s, LOCK_FILE).p;
	auto_close int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (file < 0)
		return err_sys(err, "%s", path);
	r = lock_with_deadline(file, err);
	return r < 0 ? r : take_fd(&file);
}

int setup_file_write(struct setup *s, const char *file, struct str text, struct err *err)
{
	return fd_replace_file(setup_file_path(s, file).p, text, CONFIG_FILE_MODE, err);
}

bool setup_line_next(struct str *rest, struct setup_line *line)
{
	if (rest->n == 0)
		return false;

	ssize_t end = str_find_byte(*rest, '\n');
	line->raw = str_sub(*rest, 0, end < 0 ? rest->n : (size_t)end + 1);
	line->text = str_trim(line->raw);
	line->counts = line->text.n > 0 && line->text.p[0] != '#';
	line->indented = line->counts && ascii_is_wsp((unsigned char)line->raw.p[0]);
	*rest = str_skip(*rest, line->raw.n);
	return true;
}

void setup_append_line(struct buf *out, struct str line)
{
	if (out->n && out->p[out->n - 1] != '\n')
		buf_putc(out, '\n');
	buf_put_str(out, line);
	buf_putc(out, '\n');
}

struct str setup_key(struct str text, char separator)
{
	struct str key, rest;
	if (separator == ' ')
		return str_next_word(&text, &key) ? key : STR("");
	str_cut(text, separator, &key, &rest);
	return str_trim(key);
}

/* Only files whose entries have the form of Postfix's tables know continuations. */
static bool begins_entry(const struct setup_line *line, char separator)
{
	return line->counts && !(separator == ' ' && line->indented);
}

bool setup_has_key(struct str text, struct str key, char separator)
{
	struct setup_line line;
	while (setup_line_next(&text, &line))
		if (begins_entry(&line, separator) &&
		    str_eq_nocase(setup_key(line.text, separator), key))
			return true;
	return false;
}

unsigned setup_remove_key(struct str text, struct str key, char separator, struct buf *out)
{
	struct setup_line line;
	bool removing = false;
	unsigned removed = 0;

	while (setup_line_next(&text, &line)) {
		if (begins_entry(&line, separator)) {
			removing = str_eq_nocase(setup_key(line.text, separator), key);
			removed += removing;
		}
		if (!removing || !line.counts)
			buf_put_str(out, line.raw);
	}
	return removed;
}
