/* The certificate that the front serves with. */
#pragma once

#include "base/check.h"

struct err;
struct settings;
struct tls_context;

/* Find, or make, the certificate that SSL_TYPE asks for and load it. Before the sandbox closes. */
int must_check front_tls_prepare(const struct settings *set, struct err *err);

/* Load the files again. A failure keeps the certificate in force. */
int must_check front_tls_reload(struct err *err);

/* A reference to the certificate in force, for the caller. */
struct tls_context *front_tls_get(void);

/* The directories of the files and of what links lead to, for the sandbox. NULL-terminated. */
#define FRONT_TLS_DIRECTORIES 8
const char *const *front_tls_directories(void);
