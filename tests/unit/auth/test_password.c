#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "auth/password.h"
#include "base/arena.h"
#include "base/err.h"

/* With characters that shells, crypt and account files treat specially. */
#define PASSWORD "pa ss\\`*^.\xc3\xb6"

/* The first block is from doveadm 2.3 (pw -s SCHEME), the rest from passlib, openssl passwd and
 * perl's crypt: all of them hold PASSWORD. */
static const char *const stored_values[] = {
	"{SHA512-CRYPT}$6$Qp5AQeXZPBJaBRxU$gMmrYny8PZVbmZIiwdx7436dndwSB92FCsFK0eSOFu."
	"fc8MuTYRuIjsDw8cVCOWhdFxrALiLJspoOvv0lg8NF/",
	"{SHA256-CRYPT}$5$8WAOCkN.gqm.coWP$y4mQBffTgyFygUb17J14Owdnd3xu.f.i5VyEQDBloA7",
	"{BLF-CRYPT}$2y$05$UVABEqf9CxuSk41LzhzlCOderdyd8mrUhvUTkTHI6jMUgOZOpZoh6",
	"{MD5-CRYPT}$1$52hQf0R0$c.X9X2AzUSf.i/QtH2/2/.",
	"{MD5}$1$N5Q.BfQJ$4DzfBqXarXGfWfW5Y2d9D/",
	"{CRYPT}$2y$05$DvdmzIXhnAEUORvbxK8KRu1nBr00tMoyQbnqInC.wgAhsOb7ju4ZC",
	"{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$Jj5UCwY5PN2mL+T3UkE4pw$"
	"N24ZUdaKh7QMN2JMKGkY3bk60afv2yT5RjSOQZ4rf7s",
	"{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$u6WGvTjL8qDLjFUJ+NImUg$"
	"0o1ASzIx7uGxSzrESr6Z0wr51voA9bMMio+WBUXME5c",
	"{SSHA}jdLo8HHGbIVfZiYQQrphwUoSsOystqfP",
	"{SSHA256}HbdJAs4I2hlqn+dU1jQc/5/ZG6navItQOcawExoDJ9fW/xwh",
	"{SSHA512}/OuhfbR+t7sLnSWH6Z4lFgyVPAd4oVi+r7vJQToRuOQ3GXU80/"
	"LJfmDCpUgxl9ZbPt+Puq5izxLcecQUwBJH5WdsbF8=",
	"{SHA}4Mdgphulftj7GxPa/+wM7r1BmWo=",
	"{SHA256}riDkSLqiD1AiFBxTIIHhwl+653XtTbixuT7TI2jz/Do=",
	"{SHA512}3TmfM9V4yXT5ybGah55D1EEF+jxamTmfcaqdcFlBQQelDSt4/"
	"u55r9XVk6YhVg069aX5qJA++BICIDjT72Xgbg==",
	"{SMD5}o+7cEAmLWu6S+F7rRvp6vMwDD0Y=",
	"{PBKDF2}$1$F.DWuT0k2eGtenW/$5000$e087dd250e24ad2797925e53e113115ea843c49f",
	"{PLAIN}pa ss\\`*^.ö",
	"{CLEARTEXT}pa ss\\`*^.ö",
	"{SCRAM-SHA-256}4096,l4N9+Vyz+/"
	"E+eaR+Yqz1NA==,UuAfwPfKcoMIKuEToWqCctVOvmOagLkoxZHVsIv7AI4=,"
	"6dYpL2MKRtRPAi34zgVdttbA1KmT6tocSS033jd9bM8=",
	"{SCRAM-SHA-1}4096,a9iEX3veGbA0UeanlsRvFA==,WOE1rMwZylSjROf0OW4n5a+i4JU=,"
	"8i5FPZodCYYGjvFEr3AfAWAJSuU=",
	"{PLAIN-MD5}631ec3d245d65850030454717b20c491",
	"{LDAP-MD5}Yx7D0kXWWFADBFRxeyDEkQ==",
	"{DES-CRYPT}y2XcI6e5izbK.",
	"{SSHA256.HEX}ad6d12b162783015497c9e9c8383a08e9cd26ddc3da61050e8498ca8b20e790bb1892ca6",
	"{SHA256.HEX}ae20e448baa20f5022141c532081e1c25fbae775ed4db8b1b93ed32368f3fc3a",
	"{SHA512-CRYPT.B64}"
	"JDYkZ0Y1aXRTRlJUaXYzVWFJQSRMLi4zVXNuaW1YSmZBWWhtdUpSb1hqVzNRZ05IZTJHTnJWZjAwU0NTbm5Xbjl5am"
	"JDZW5YeHhSajVxS2Q2MHNzaGFIU1kwTUpiTDZFQWE4SGxVRHhKLw==",
	"{SSHA.HEX}c2c281ab1277c54de02f56c5fa5e6c63ffbebbc3b70cf4a2",
	"$6$rounds=10000$5MvQZ2sqj55UQGYe$xOK/"
	"mh05m2NnpMnDO1YC.9YlNpxgi7Kt8BgKdp17MnrRCNuGjZv0lQkvn4b88MkBPrhwyJuG6UL5.6NS95IIR1",
	"$2y$06$afPGZ9OMCyHiRKA1KHe8R./QTheo8Yjhho2P9J/mzYcETSJYxq5W6",
	"{SSHA}LjWHplEwjRutt23EoSPK5IJoDDz5nzPm",
	"{ARGON2ID}$argon2id$v=19$m=1024,t=2,p=1$IiREaE0JgdB6j/"
	"Heu1eKUQ$S1VYR0IvdPinaBtufyTdRhMwqB7zT99KhsKsBwYH2bA",
	"$6$0123456789abcdef$jV6MRHesuUlgT7o."
	"O2jidIelpv4EvtXJbkKnPZXsydnW68mk4TsRjuWNWkkVjJEB0vUrG6r9u0Dw2CP4gKmh7.",
	"{MD5-CRYPT}$1$A2fkefWa$Ac9aft8ROoCus4qGMY61N1",
	"{CRYPT}$y$j9T$abcdefghijklmnop$Ic.jc5MNG93WnpGeSaoHjp.WyVgRPS5MouWxW0scJl8",
	"{CRYPT}$7$CU..../....abcdefgh$Uet8ioTH.zN.fabZbB5jmEFRrr4M9NXStXE263DI8E0",
};

static void every_scheme_accepts_its_password_and_no_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(stored_values); i++) {
		struct str stored = str_from(stored_values[i]);
		struct err err;
		int good = password_verify(stored, STR(PASSWORD), &err);
		int bad = password_verify(stored, STR("xa ss"), NULL);
		if (good != 0 || bad != -EACCES)
			fail_msg("%s: %d, %d", stored_values[i], good, bad);
	}
}

static void scheme_names_ignore_case(void **state)
{
	(void)state;
	assert_int_equal(password_verify(STR("{plain}secret"), STR("secret"), NULL), 0);
	assert_int_equal(
		password_verify(STR("{Sha}5en6G6MezRroT3XKqkdPOmY/BfQ="), STR("secret"), NULL), 0);
}

static void hexadecimal_digests_are_told_by_their_length(void **state)
{
	(void)state;
	assert_int_equal(password_verify(STR("{SHA}e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4"),
					 STR("secret"), NULL),
			 0);
	assert_int_equal(
		password_verify(STR("{MD5}5ebe2294ecd0e0f08eab7690d2a6ee69"), STR("secret"), NULL),
		0);
}

static void base64_without_padding_is_accepted(void **state)
{
	(void)state;
	assert_int_equal(
		password_verify(STR("{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ"), STR("secret"), NULL), 0);
}

static void values_that_match_nothing(void **state)
{
	(void)state;
	static const struct {
		const char *stored;
		int result;
	} cases[] = {
		{ "", -EINVAL },
		{ "{PLAIN}", -EINVAL },
		{ "{PLAIN", -EINVAL },
		{ "{NOSUCH}x", -ENOTSUP },
		{ "{PLAIN.rot13}x", -ENOTSUP },
		{ "{PLAIN.b64}!!", -EINVAL },
		{ "{SHA}AAAA", -EINVAL },
		{ "{SSHA}AAAA", -EINVAL },
		{ "{CRYPT}!", -ENOTSUP },
		{ "{CRYPT}*", -ENOTSUP },
		{ "*0", -ENOTSUP },
		{ "{BLF-CRYPT}$2y$05$short", -EINVAL },
		{ "{PBKDF2}$1$salt$5000$00", -EINVAL },
		{ "{PBKDF2}$1$salt$0$e087dd250e24ad2797925e53e113115ea843c49f", -EINVAL },
		{ "{SCRAM-SHA-256}4096,AAAA,AAAA,AAAA", -EINVAL },
		{ "{ARGON2ID}$argon2id$v=19$m=1024,t=2$x$y", -EINVAL },
		{ "{ARGON2ID}$6$abc$def", -EINVAL },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int r = password_verify(str_from(cases[i].stored), STR("x"), NULL);
		if (r != cases[i].result)
			fail_msg("%s: %d", cases[i].stored, r);
	}
}

static void costs_beyond_reason_are_refused_at_once(void **state)
{
	(void)state;
	static const char *const cases[] = {
		"$6$rounds=999999999$salt$x",
		"$5$rounds=99999999999999999999$salt$x",
		"$2y$31$aaaaaaaaaaaaaaaaaaaaaa",
		"$y$jzT$salt$x",
		"$y$j9z$salt$x",
		"$7$zU..../....salt$x",
		"{PBKDF2}$1$salt$999999999$e087dd250e24ad2797925e53e113115ea843c49f",
		"{ARGON2ID}$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
		"{ARGON2ID}$argon2id$v=19$m=524288,t=64,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int r = password_verify(str_from(cases[i]), STR("x"), NULL);
		if (r != -ERANGE)
			fail_msg("%s: %d", cases[i], r);
	}
}

static void passwords_that_nobody_has_are_refused(void **state)
{
	(void)state;
	static char long_one[PASSWORD_MAX + 1];
	memset(long_one, 'x', sizeof(long_one));

	assert_int_equal(password_verify(STR("{PLAIN}x"), STR(""), NULL), -EACCES);
	assert_int_equal(password_verify(STR("{PLAIN}x"), STR("x\0y"), NULL), -EACCES);
	assert_int_equal(password_verify(STR("{PLAIN}x"), str_of(long_one, sizeof(long_one)), NULL),
			 -EACCES);
}

static void a_created_value_is_salted_sha512_crypt_and_verifies(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	struct str one, two;

	assert_int_equal(password_create(STR(PASSWORD), &a, &one, NULL), 0);
	assert_int_equal(password_create(STR(PASSWORD), &a, &two, NULL), 0);
	assert_true(str_starts(one, STR("{SHA512-CRYPT}$6$")));
	assert_int_equal(one.n, strlen("{SHA512-CRYPT}$6$") + 16 + 1 + 86);
	assert_false(str_eq(one, two));
	assert_int_equal(password_verify(one, STR(PASSWORD), NULL), 0);
	assert_int_equal(password_verify(one, STR("other"), NULL), -EACCES);
	assert_int_equal(password_create(STR(""), &a, &one, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_scheme_accepts_its_password_and_no_other),
		cmocka_unit_test(scheme_names_ignore_case),
		cmocka_unit_test(hexadecimal_digests_are_told_by_their_length),
		cmocka_unit_test(base64_without_padding_is_accepted),
		cmocka_unit_test(values_that_match_nothing),
		cmocka_unit_test(costs_beyond_reason_are_refused_at_once),
		cmocka_unit_test(passwords_that_nobody_has_are_refused),
		cmocka_unit_test(a_created_value_is_salted_sha512_crypt_and_verifies),
	};
	return cmocka_run_group_tests_name("auth/password", tests, NULL, NULL);
}
