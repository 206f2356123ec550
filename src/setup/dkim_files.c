#include "setup/dkim_files.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fd.h"
#include "filter/signing.h"
#include "setup/message.h"
#include "setup/setup_file.h"

#define KEY_MODE    0600
#define FILE_MODE   0644
#define DIR_MODE    0755
#define TEXT_MAX    65536
#define RECORD_PART 250 /* of 255 that a string of a TXT record may have */

/* What root makes is the server's, which is the owner of the mail; what is somebody's stays his.
 * The owner of the directory may have put a link to something else there in the meantime. */
static void give(struct setup *s, const char *path)
{
	struct stat mail, st;

	if (geteuid() == 0 && stat(s->mail_dir.p, &mail) == 0 && lstat(path, &st) == 0 &&
	    st.st_uid == 0)
		(void)!lchown(path, mail.st_uid, mail.st_gid);
}

static int make_dirs(struct setup *s, const char *name, struct err *err)
{
	struct str path = setup_file_path(s, name);
	int r = fd_make_dirs(path.p, DIR_MODE, err);

	if (r < 0)
		return r;
	/* Every part of the way below the configuration. */
	for (size_t i = s->config_dir.n + 1; i <= path.n; i++)
		if (i == path.n || path.p[i] == '/')
			give(s, arena_cstr(&s->arena, str_sub(path, 0, i)));
	return 0;
}

static int write_file(struct setup *s, const char *name, struct str text, unsigned mode,
		      struct err *err)
{
	struct str path = setup_file_path(s, name);
	int r = fd_replace_file(path.p, text, mode, err);

	if (r == 0)
		give(s, path.p);
	return r;
}

static bool exists(struct setup *s, const char *name)
{
	return access(setup_file_path(s, name).p, F_OK) == 0;
}

/* As opendkim-genkey writes it: the value in strings that fit. */
static struct str zone_lines(struct setup *s, const struct dkim_options *o, struct str domain,
			     struct str record)
{
	ssize_t key = str_find(record, STR("p="));
	struct str rest = str_skip(record, (size_t)key);
	struct buf b;

	buf_init(&b, &s->arena, TEXT_MAX);
	buf_printf(&b, "%" STR_FMT "._domainkey\tIN\tTXT\t( \"%" STR_FMT "\"", STR_ARG(o->selector),
		   STR_ARG(str_sub(record, 0, (size_t)key)));
	for (; rest.n; rest = str_skip(rest, RECORD_PART))
		buf_printf(&b, "\n\t  \"%" STR_FMT "\"", STR_ARG(str_sub(rest, 0, RECORD_PART)));
	buf_printf(&b, " )  ; ----- DKIM key %" STR_FMT " for %" STR_FMT "\n", STR_ARG(o->selector),
		   STR_ARG(domain));
	return buf_str(&b);
}

static struct str record_of(struct setup *s, const struct dkim_private_key *key, const char *tags)
{
	struct buf b;

	buf_init(&b, &s->arena, TEXT_MAX);
	buf_puts(&b, tags);
	dkim_private_key_write_record(key, &b);
	return buf_str(&b);
}

/* Add a line to a table, unless it is there. The file is written in any case: then the server reads
 * it again, and with it the keys. */
static int add_line(struct setup *s, const char *file, struct str key, struct str line,
		    struct err *err)
{
	struct str text;
	struct buf b;

	int r = setup_file_read(s, file, &text, err);
	if (r < 0)
		return r;
	buf_init(&b, &s->arena, SETUP_FILE_MAX);
	buf_put_str(&b, text);
	STR_FOREACH_LINE (text, old) {
		struct str word;
		if (str_next_word(&old, &word) && str_eq_nocase(word, key) &&
		    str_eq_nocase(str_trim(old), str_skip(line, key.n + 1)))
			return write_file(s, file, text, FILE_MODE, err);
	}
	setup_append_line(&b, line);
	return write_file(s, file, buf_str(&b), FILE_MODE, err);
}

static int add_to_tables(struct setup *s, const struct dkim_options *o, struct str domain,
			 struct err *err)
{
	struct arena *a = &s->arena;
	struct str name = arena_printf(a, "%" STR_FMT "._domainkey.%" STR_FMT, STR_ARG(o->selector),
				       STR_ARG(domain));
	struct str pattern = arena_printf(a, "*@%" STR_FMT, STR_ARG(domain));
	struct str key_line = arena_printf(a,
					   "%" STR_FMT " %" STR_FMT ":%" STR_FMT
					   ":/etc/opendkim/keys/%" STR_FMT "/%" STR_FMT ".private",
					   STR_ARG(name), STR_ARG(domain), STR_ARG(o->selector),
					   STR_ARG(domain), STR_ARG(o->selector));
	int r = add_line(s, "opendkim/KeyTable", name, key_line, err);

	if (r < 0)
		return r;
	return add_line(s, "opendkim/SigningTable", pattern,
			arena_printf(a, "%" STR_FMT " %" STR_FMT, STR_ARG(pattern), STR_ARG(name)),
			err);
}

/* A key and its record, in files of their own. */
static int write_opendkim_key(struct setup *s, const struct dkim_options *o, struct str domain,
			      struct str *record, struct err *err)
{
	struct str base = arena_printf(&s->arena, "opendkim/keys/%" STR_FMT "/%" STR_FMT,
				       STR_ARG(domain), STR_ARG(o->selector));
	struct str name = arena_printf(&s->arena, "%s.private", base.p);
	struct dkim_private_key key;
	struct buf pem;

	message(s, MESSAGE_INFO, "Creating DKIM private key '%s'", setup_file_path(s, name.p).p);
	buf_init(&pem, &s->arena, TEXT_MAX);
	dkim_private_key_generate(o->algorithm, o->bits, &key);
	dkim_private_key_write(&key, &pem);
	*record = record_of(s, &key, "v=DKIM1; h=sha256; ");
	dkim_private_key_done(&key);

	int r = write_file(s, name.p, buf_str(&pem), KEY_MODE, err);
	if (r < 0)
		return r;
	return write_file(s, arena_printf(&s->arena, "%s.txt", base.p).p,
			  zone_lines(s, o, domain, *record), FILE_MODE, err);
}

static int make_opendkim_key(struct setup *s, const struct dkim_options *o, struct str domain,
			     struct err *err)
{
	struct str record;
	int r = write_opendkim_key(s, o, domain, &record, err);

	if (r == 0)
		message(s, MESSAGE_INFO,
			"The TXT record of %" STR_FMT "._domainkey.%" STR_FMT " must be: %" STR_FMT,
			STR_ARG(o->selector), STR_ARG(domain), STR_ARG(record));
	return r;
}

int dkim_files_opendkim(struct setup *s, const struct dkim_options *o, struct str domain,
			struct err *err)
{
	struct str dir = arena_printf(&s->arena, "opendkim/keys/%" STR_FMT, STR_ARG(domain));
	struct str name =
		arena_printf(&s->arena, "%s/%" STR_FMT ".private", dir.p, STR_ARG(o->selector));

	int r = make_dirs(s, dir.p, err);
	if (r == 0 && !exists(s, name.p))
		r = make_opendkim_key(s, o, domain, err);
	return r < 0 ? r : add_to_tables(s, o, domain, err);
}

int dkim_files_trusted_hosts(struct setup *s, struct err *err)
{
	if (exists(s, "opendkim/TrustedHosts"))
		return 0;
	return write_file(s, "opendkim/TrustedHosts", STR("127.0.0.1\nlocalhost\n"), FILE_MODE,
			  err);
}

static int write_rspamd_conf(struct setup *s, const struct dkim_options *o, struct str domain,
			     const char *key_file, struct err *err)
{
	static const char name[] = SIGNING_RSPAMD;
	struct buf b;

	if (exists(s, name)) {
		message(s, MESSAGE_INFO, "'%s' exists, not supplying a default",
			setup_file_path(s, name).p);
		return 0;
	}
	message(s, MESSAGE_INFO, "Supplying a default configuration (to '%s')",
		setup_file_path(s, name).p);
	buf_init(&b, &s->arena, TEXT_MAX);
	buf_puts(&b, "# documentation: https://rspamd.com/doc/modules/dkim_signing.html\n\n"
		     "enabled = true;\n\n"
		     "sign_authenticated = true;\nsign_local = false;\ntry_fallback = false;\n\n"
		     "use_domain = \"header\";\nuse_redis = false;\nuse_esld = true;\n"
		     "allow_username_mismatch = true;\n\n"
		     "check_pubkey = true;\n\n");
	buf_printf(&b,
		   "domain {\n    %" STR_FMT " {\n"
		   "        path = \"/tmp/docker-mailserver/%s\";\n"
		   "        selector = \"%" STR_FMT "\";\n    }\n}\n",
		   STR_ARG(domain), key_file, STR_ARG(o->selector));
	int r = make_dirs(s, "rspamd/override.d", err);
	return r < 0 ? r : write_file(s, name, buf_str(&b), FILE_MODE, err);
}

/* As docker-mailserver names them, up to ".private.txt". */
static struct str rspamd_base(struct setup *s, const struct dkim_options *o, struct str domain)
{
	struct arena *a = &s->arena;
	struct str kind = o->algorithm == DKIM_ED25519_SHA256 ? STR("ed25519")
							      : arena_printf(a, "rsa-%u", o->bits);

	return arena_printf(a, "rspamd/dkim/%" STR_FMT "-%" STR_FMT "-%" STR_FMT, STR_ARG(kind),
			    STR_ARG(o->selector), STR_ARG(domain));
}

static int write_rspamd_key(struct setup *s, const struct dkim_options *o, struct str domain,
			    struct str *record, struct err *err)
{
	struct str base = rspamd_base(s, o, domain);
	struct dkim_private_key key;
	struct buf text;

	buf_init(&text, &s->arena, TEXT_MAX);
	dkim_private_key_generate(o->algorithm, o->bits, &key);
	if (o->algorithm == DKIM_ED25519_SHA256)
		dkim_private_key_write_seed(&key, &text);
	else
		dkim_private_key_write(&key, &text);
	*record = record_of(s, &key, "v=DKIM1; ");
	dkim_private_key_done(&key);

	int r = write_file(s, arena_printf(&s->arena, "%s.private.txt", base.p).p, buf_str(&text),
			   KEY_MODE, err);
	if (r == 0)
		r = write_file(s, arena_printf(&s->arena, "%s.public.txt", base.p).p,
			       zone_lines(s, o, domain, *record), FILE_MODE, err);
	if (r == 0)
		r = write_file(s, arena_printf(&s->arena, "%s.public.dns.txt", base.p).p, *record,
			       FILE_MODE, err);
	return r;
}

static int make_rspamd_key(struct setup *s, const struct dkim_options *o, struct str domain,
			   struct err *err)
{
	struct str record;
	int r = write_rspamd_key(s, o, domain, &record, err);

	if (r < 0)
		return r;
	message(s, MESSAGE_INFO,
		"Here is the content of the TXT DNS record %" STR_FMT "._domainkey.%" STR_FMT
		" that you need to create:",
		STR_ARG(o->selector), STR_ARG(domain));
	printf("%" STR_FMT "\n", STR_ARG(record));
	return 0;
}

int dkim_files_rspamd(struct setup *s, const struct dkim_options *o, struct str domain,
		      struct err *err)
{
	struct str key_file =
		arena_printf(&s->arena, "%s.private.txt", rspamd_base(s, o, domain).p);

	if (!o->force && exists(s, key_file.p))
		return -EEXIST;
	int r = make_dirs(s, "rspamd/dkim", err);
	if (r == 0)
		r = make_rspamd_key(s, o, domain, err);
	return r < 0 ? r : write_rspamd_conf(s, o, domain, key_file.p, err);
}

int dkim_files_make(struct setup *s, const struct dkim_options *o, struct str domain,
		    struct dkim_made *out, struct err *err)
{
	struct str dir = arena_printf(&s->arena, "opendkim/keys/%" STR_FMT, STR_ARG(domain));

	out->path = o->rspamd
			    ? arena_printf(&s->arena, "%s.private.txt", rspamd_base(s, o, domain).p)
			    : arena_printf(&s->arena, "%s/%" STR_FMT ".private", dir.p,
					   STR_ARG(o->selector));
	if (exists(s, out->path.p))
		return err_set(err, -EEXIST, "%s exists", out->path.p);
	int r = make_dirs(s, o->rspamd ? "rspamd/dkim" : dir.p, err);
	if (r < 0)
		return r;
	return o->rspamd ? write_rspamd_key(s, o, domain, &out->record, err)
			 : write_opendkim_key(s, o, domain, &out->record, err);
}

int dkim_files_write_table(struct setup *s, const char *name, struct str text, struct err *err)
{
	return write_file(s, name, text, FILE_MODE, err);
}

int dkim_files_add_key(struct setup *s, struct str name, struct str value, struct err *err)
{
	return add_line(
		s, "opendkim/KeyTable", name,
		arena_printf(&s->arena, "%" STR_FMT " %" STR_FMT, STR_ARG(name), STR_ARG(value)),
		err);
}
