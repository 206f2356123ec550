/* What password.c and the families of schemes (password_*.c) share. */
#pragma once

#include <stddef.h>

#include "base/check.h"
#include "base/str.h"

struct err;

enum password_encoding {
	PASSWORD_TEXT,	 /* the value is used as it stands */
	PASSWORD_BASE64, /* the value is binary; hexadecimal when its length says so */
	PASSWORD_HEX,
};

struct password_scheme {
	struct str name;
	/* `value` is decoded; the password holds no NUL and is at most PASSWORD_MAX bytes. */
	int (*verify)(const struct password_scheme *scheme, struct str value, struct str password,
		      struct err *err);
	enum password_encoding encoding; /* without a .b64 or .hex suffix */
	const char *digest;		 /* OpenSSL's name of the hash function */
	bool salted;			 /* digest || salt, hashed as password || salt */
};

#define PASSWORD_DIGEST_MAX 64

int password_verify_plain(const struct password_scheme *scheme, struct str value,
			  struct str password, struct err *err);
int password_verify_crypt(const struct password_scheme *scheme, struct str value,
			  struct str password, struct err *err);
int password_verify_md5(const struct password_scheme *scheme, struct str value, struct str password,
			struct err *err);
int password_verify_digest(const struct password_scheme *scheme, struct str value,
			   struct str password, struct err *err);
int password_verify_pbkdf2(const struct password_scheme *scheme, struct str value,
			   struct str password, struct err *err);
int password_verify_scram(const struct password_scheme *scheme, struct str value,
			  struct str password, struct err *err);
int password_verify_argon2(const struct password_scheme *scheme, struct str value,
			   struct str password, struct err *err);

/* The answer of a comparison: 0 when both are equal (in constant time), else -EACCES. */
int password_compare(struct str computed, struct str stored, struct err *err);
