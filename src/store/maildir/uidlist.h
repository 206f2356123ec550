/* The text of dovecot-uidlist, version 3: which file has which UID.
 *
 * 	3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1
 * 	25006 :1276528487.M364837P9451.kurkku,S=1355,W=1394
 * 	25017 W2481 P0000aa :1276533073.M242911P3632.kurkku:2,F
 *
 * V is the UIDVALIDITY, N the next UID, G the mailbox's GUID. Records have rising UIDs; fields
 * before the colon belong to the message (S and W sizes, P the POP3 UIDL, G a GUID...) and are
 * kept as they are. The file grows by appended records, which may carry UIDs from N on. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct uidlist_header {
	uint32_t uidvalidity;
	uint32_t uidnext;
	uint8_t guid[16]; /* zeros: none */
	struct str other; /* fields we do not know, to be written again */
};

/* Version 1 ("1 <uidvalidity> <uidnext>") is understood as well. False: this is no header. `other`
 * comes from `a`. */
struct arena;
bool uidlist_header_parse(struct str line, struct arena *a, struct uidlist_header *out);
void uidlist_header_write(struct buf *out, const struct uidlist_header *h);

struct uidlist_record {
	uint32_t uid;
	struct str ext;	 /* fields between UID and colon, without the blanks around */
	struct str base; /* without flags */
};

/* One line without its line end. Version 1 has no colon: "<uid> <name>". False: damaged. Slices
 * point into `line`. */
bool uidlist_record_parse(struct str line, struct uidlist_record *out);
void uidlist_record_write(struct buf *out, const struct uidlist_record *r);

/* The value of one field of ext ('P': UIDL), empty when it is not there. */
struct str uidlist_ext_field(struct str ext, char key);
