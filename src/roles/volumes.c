#include "roles/volumes.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/log.h"
#include "core/settings.h"

#define PATH_BUF 512

/* A fresh file system comes with lost+found. */
static bool is_empty(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	bool empty = dir != NULL;

	while (empty && (entry = readdir(dir)))
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
			strcmp(entry->d_name, "lost+found") == 0;
	if (dir)
		closedir(dir);
	return empty;
}

static bool is_roots_and_empty(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_uid == 0 && is_empty(path);
}

/* Whose the mail is, or is to be. A server that was moved aside with POSTHORN_ROOT works for who
 * started it. Where we may not give the directory away, as in a container without capabilities,
 * it stays root's and so do we. */
static int choose_owner(const struct settings *set, struct volumes_owner *out, struct err *err)
{
	const struct volumes_owner vmail = { .uid = (uid_t)set->vmail_uid,
					     .gid = (gid_t)set->vmail_gid };
	struct stat st;

	if (stat(set->mail_dir.p, &st) < 0)
		return err_sys(err, "%s", set->mail_dir.p);
	if (st.st_uid != 0) {
		*out = (struct volumes_owner){ st.st_uid, st.st_gid ? st.st_gid : vmail.gid };
		return 0;
	}
	if (!set->root.n && is_empty(set->mail_dir.p) &&
	    chown(set->mail_dir.p, vmail.uid, vmail.gid) == 0) {
		*out = vmail;
		return 0;
	}
	*out = (struct volumes_owner){ 0, 0 };
	log_event(LOG_SETTING_WARNING,
		  LOG_CSTR("text", "running as root, because the mail directory is root's"));
	return 0;
}

static void path_above(const char *path, char out[PATH_BUF])
{
	snprintf(out, PATH_BUF, "%s", path);
	char *slash = strrchr(out, '/');
	if (slash && slash != out)
		*slash = '\0';
}

int volumes_make(const struct settings *set, struct volumes_owner *owner, struct err *err)
{
	char state_volume[PATH_BUF];
	const char *const others[] = { set->config_dir.p, state_volume, set->state_dir.p,
				       set->log_dir.p };
	int r = 0;

	path_above(set->state_dir.p, state_volume);
	*owner = (struct volumes_owner){ geteuid(), getegid() };
	/* What cannot be made is reported by volumes_check, with advice. */
	(void)!fd_make_dirs(set->mail_dir.p, 0755, NULL);
	if (owner->uid == 0)
		r = choose_owner(set, owner, err);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(others); i++) {
		(void)!fd_make_dirs(others[i], 0755, NULL);
		if (owner->uid != geteuid() && is_roots_and_empty(others[i]))
			(void)!chown(others[i], owner->uid, owner->gid);
	}
	return r;
}

/* The nearest directory above that we can see. */
static void find_existing(const char *path, char out[PATH_BUF], struct stat *st)
{
	snprintf(out, PATH_BUF, "%s", path);
	while (stat(out, st) < 0) {
		char *slash = strrchr(out, '/');
		if (!slash || slash == out) {
			snprintf(out, PATH_BUF, "/");
			check(stat(out, st) == 0);
			return;
		}
		*slash = '\0';
	}
}

/* What stands in the way of user and group: all of it in one message, because what is wrong with
 * one volume is often wrong with all. */
struct complaint {
	char list[150]; /* with the advice it fits into an err */
	size_t n;
};

static void complain(struct complaint *c, const char *path, const struct stat *st)
{
	int n = snprintf(c->list + c->n, sizeof(c->list) - c->n, "%s%s (of %u:%u, mode %o)",
			 c->n ? ", " : "", path, (unsigned)st->st_uid, (unsigned)st->st_gid,
			 (unsigned)st->st_mode & 07777);

	if (n > 0 && c->n + (size_t)n < sizeof(c->list))
		c->n += (size_t)n;
	else
		c->list[c->n] = '\0';
}

/* 0 when it can be written or was put on the list. */
static int check_writable(const char *path, struct complaint *c, struct err *err)
{
	char nearest[PATH_BUF];
	struct stat st;

	if (access(path, R_OK | W_OK | X_OK) == 0)
		return 0;
	find_existing(path, nearest, &st);
	int error = access(nearest, W_OK | X_OK) < 0 ? errno : ENOENT;
	if (error == EACCES)
		complain(c, nearest, &st);
	else if (error == EROFS)
		return err_set(err, -error, "%s is read-only: mount a volume there", path);
	else
		return err_set(err, -error, "%s cannot be written: %s", path, strerror(error));
	return 0;
}

/* With what an earlier run as somebody else has left behind. */
static int check_directories(const struct settings *set, struct err *err)
{
	static const char *const state[] = { "journal", "spool", "tls" };
	unsigned uid = geteuid(), gid = getegid();
	struct complaint c = { .n = 0 };
	char path[PATH_BUF];

	int r = check_writable(set->mail_dir.p, &c, err);
	if (r == 0)
		r = check_writable(set->state_dir.p, &c, err);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(state); i++) {
		snprintf(path, sizeof(path), "%s/%s", set->state_dir.p, state[i]);
		if (access(path, F_OK) == 0)
			r = check_writable(path, &c, err);
	}
	if (r < 0 || !c.n)
		return r;
	/* By itself that is no reason not to start. */
	r = check_writable(set->log_dir.p, &c, err);
	return r < 0 ? r
		     : err_set(err, -EACCES,
			       "user %u:%u cannot write %s: change the owner (chown -R %u:%u; in "
			       "Kubernetes fsGroup), or run the server as the owner",
			       uid, gid, c.list, uid, gid);
}

static int check_readable(const char *path, int mode, struct err *err)
{
	char nearest[PATH_BUF];
	struct stat st;

	if (access(path, mode) == 0)
		return 0;
	int error = errno;
	if (error != EACCES)
		return err_set(err, -error, "%s cannot be read: %s", path, strerror(error));
	find_existing(path, nearest, &st);
	return err_set(err, -error,
		       "user %u:%u cannot read %s (of %u:%u, mode %o): "
		       "let that user or group read it",
		       geteuid(), getegid(), nearest, (unsigned)st.st_uid, (unsigned)st.st_gid,
		       (unsigned)st.st_mode & 07777);
}

/* Said once and at once, instead of by every front again and again. */
static int check_certificates(const struct settings *set, struct err *err)
{
	const struct {
		const char *name;
		struct str path;
	} files[] = {
		{ "SSL_CERT_PATH", set->ssl_cert_path },
		{ "SSL_KEY_PATH", set->ssl_key_path },
		{ "SSL_ALT_CERT_PATH", set->ssl_alt_cert_path },
		{ "SSL_ALT_KEY_PATH", set->ssl_alt_key_path },
	};
	static const char *const parts[] = { "cert", "key" };
	char path[PATH_BUF];
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(files); i++) {
		if (set->ssl_type != SETTING_SSL_TYPE_MANUAL || !files[i].path.n)
			continue;
		r = check_readable(files[i].path.p, R_OK, err);
		if (r < 0)
			err_prefix(err, "%s", files[i].name);
	}
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(parts); i++) {
		snprintf(path, sizeof(path), "%s/ssl/%s-%s.pem", set->config_dir.p, set->fqdn.p,
			 parts[i]);
		if (set->ssl_type == SETTING_SSL_TYPE_SELF_SIGNED)
			r = check_readable(path, R_OK, err);
	}
	return r;
}

int volumes_check(const struct settings *set, struct err *err)
{
	int r = check_directories(set, err);

	if (r == 0)
		r = check_readable(set->config_dir.p, R_OK | X_OK, err);
	if (r == 0)
		r = check_certificates(set, err);
	return r;
}
