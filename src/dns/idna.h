/* Domain names of all scripts, as the DNS and servers without SMTPUTF8 have them (RFC 5891). */
#pragma once

#include "base/check.h"
#include "base/str.h"

struct arena;

/* The name with A-labels ("xn--bcher-kva.example" for "bücher.example"), in lower case. One that is
 * ASCII passes as it is. 0, or -EILSEQ: no name looks like this. *out lives in `a` or is `name`. */
int must_check idna_to_ascii(struct str name, struct arena *a, struct str *out);

/* The same for the domain of an address; -EILSEQ also when the local part is not ASCII. */
int must_check idna_address_to_ascii(struct str address, struct arena *a, struct str *out);

/* An address with its domain in the other form: ASCII for UTF-8, UTF-8 for ASCII. -ENOENT: it has
 * only one. */
int must_check idna_address_other(struct str address, struct arena *a, struct str *out);
