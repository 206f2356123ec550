#include "roles/front_tls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/fd.h"
#include "core/log.h"
#include "core/self_signed.h"
#include "core/settings.h"
#include "core/tls.h"

static struct {
	struct arena memory;
	struct tls_files files;
	enum tls_level level;
	struct tls_context *context;
	const char *directories[FRONT_TLS_DIRECTORIES + 1];
} tls;

static const char *path_in(struct str dir, const char *fmt, const char *name)
{
	struct str file = arena_printf(&tls.memory, fmt, name);

	return arena_printf(&tls.memory, "%" STR_FMT "/%" STR_FMT, STR_ARG(dir), STR_ARG(file)).p;
}

/* Several fronts start at once: one makes the pair, the others find it. */
static int make_once(const struct settings *set, struct str dir, struct err *err)
{
	int r = fd_make_dirs(dir.p, 0700, err);
	if (r < 0)
		return r;
	auto_close int lock = open(dir.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0 || flock(lock, LOCK_EX) < 0)
		return err_sys(err, "%s: lock", dir.p);
	if (access(tls.files.cert, R_OK) == 0 && access(tls.files.key, R_OK) == 0)
		return 0;

	r = self_signed_make(set->fqdn.p, tls.files.cert, tls.files.key, err);
	if (r == 0)
		log_event(LOG_CERTIFICATE_MADE, LOG_CSTR("file", tls.files.cert));
	return r;
}

static int use_manual(const struct settings *set, struct err *err)
{
	if (!set->ssl_cert_path.n || !set->ssl_key_path.n)
		return err_set(err, -EINVAL,
			       "SSL_TYPE=manual needs SSL_CERT_PATH and SSL_KEY_PATH");
	if (!set->ssl_alt_cert_path.n != !set->ssl_alt_key_path.n)
		return err_set(err, -EINVAL, "SSL_ALT_CERT_PATH and SSL_ALT_KEY_PATH go together");
	tls.files = (struct tls_files){ .cert = set->ssl_cert_path.p, .key = set->ssl_key_path.p };
	if (set->ssl_alt_cert_path.n) {
		tls.files.alt_cert = set->ssl_alt_cert_path.p;
		tls.files.alt_key = set->ssl_alt_key_path.p;
	}
	return 0;
}

static int locate_files(const struct settings *set, struct err *err)
{
	struct str dir;

	switch (set->ssl_type) {
	case SETTING_SSL_TYPE_MANUAL:
		return use_manual(set, err);
	case SETTING_SSL_TYPE_SELF_SIGNED:
		dir = arena_printf(&tls.memory, "%" STR_FMT "/ssl", STR_ARG(set->config_dir));
		tls.files.cert = path_in(dir, "%s-cert.pem", set->fqdn.p);
		tls.files.key = path_in(dir, "%s-key.pem", set->fqdn.p);
		return 0;
	case SETTING_SSL_TYPE_NONE:
		dir = arena_printf(&tls.memory, "%" STR_FMT "/tls", STR_ARG(set->state_dir));
		tls.files.cert = path_in(dir, "%s-cert.pem", set->fqdn.p);
		tls.files.key = path_in(dir, "%s-key.pem", set->fqdn.p);
		return make_once(set, dir, err);
	default:
		return err_set(err, -EINVAL,
			       "SSL_TYPE=%s is not supported: use manual or self-signed",
			       set->text[SETTING_ID_ssl_type].p);
	}
}

static const char *directory_of(const char *path)
{
	ssize_t slash = str_rfind_byte(str_from(path), '/');

	return arena_cstr(&tls.memory, slash > 0 ? str_of(path, (size_t)slash) : STR("."));
}

/* The directories, not the files: Kubernetes swaps a link inside, certbot puts another file beside
 * the one that a link led to. */
static void note_directories(void)
{
	const char *paths[] = { tls.files.cert, tls.files.key, tls.files.alt_cert,
				tls.files.alt_key };
	unsigned n = 0;

	for (unsigned i = 0; i < ARRAY_LEN(paths); i++) {
		if (!paths[i])
			continue;
		auto_free char *real = realpath(paths[i], NULL);
		tls.directories[n++] = directory_of(paths[i]);
		if (real)
			tls.directories[n++] = directory_of(real);
	}
}

int front_tls_prepare(const struct settings *set, struct err *err)
{
	tls.level = set->tls_level == SETTING_TLS_LEVEL_INTERMEDIATE ? TLS_LEVEL_INTERMEDIATE
								     : TLS_LEVEL_MODERN;
	int r = locate_files(set, err);
	if (r < 0)
		return r;
	note_directories();
	return front_tls_reload(err);
}

int front_tls_reload(struct err *err)
{
	struct tls_context *fresh;
	int r = tls_context_new(&tls.files, tls.level, &fresh, err);

	if (r < 0)
		return r;
	tls_context_unref(tls.context);
	tls.context = fresh;
	log_event(LOG_CERTIFICATE_LOADED, LOG_CSTR("file", tls.files.cert));
	return 0;
}

struct tls_context *front_tls_get(void)
{
	return tls_context_ref(tls.context);
}

const char *const *front_tls_directories(void)
{
	return tls.directories;
}
