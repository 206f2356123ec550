/* A config directory for one test: files are written into a fresh temporary directory. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/directory.h"
#include "base/check.h"

struct config_dir {
	char path[64];
	struct directory_config config;
};

static inline void config_dir_init(struct config_dir *c)
{
	snprintf(c->path, sizeof(c->path), "%s", "/tmp/posthorn-test-XXXXXX");
	check(mkdtemp(c->path));
	c->config = (struct directory_config){
		.dir = c->path,
		.fqdn = STR("mail.example.test"),
		.domain = STR("example.test"),
		.delimiter = '+',
		.quotas = true,
	};
}

static inline void config_dir_write(struct config_dir *c, const char *file, const char *text)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", c->path, file);
	FILE *f = fopen(path, "w");
	check(f);
	fputs(text, f);
	fclose(f);
}

static inline void config_dir_remove(struct config_dir *c, const char *file)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", c->path, file);
	(void)unlink(path);
	(void)rmdir(path);
}

static inline void config_dir_done(struct config_dir *c)
{
	static const char *const files[] = {
		"postfix-accounts.cf",	    "dovecot-masters.cf",	 "postfix-virtual.cf",
		"postfix-regexp.cf",	    "postfix-aliases.cf",	 "dovecot-quotas.cf",
		"postfix-send-access.cf",   "postfix-receive-access.cf", "postfix-relaymap.cf",
		"postfix-sasl-password.cf",
	};
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		config_dir_remove(c, files[i]);
	(void)rmdir(c->path);
}
