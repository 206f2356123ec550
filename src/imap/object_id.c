#include "imap/object_id.h"

/* RFC 8474 section 7: 1 to 255 letters, digits, "_" and "-". */
#define ESCAPED_MAX 230

void imap_object_id_write_mailbox(struct buf *b, const uint8_t guid[16])
{
	buf_puts(b, "(F");
	for (size_t i = 0; i < 16; i++)
		buf_printf(b, "%02x", guid[i]);
	buf_putc(b, ')');
}

/* A GUID is the name of a message's first file, without the sizes in it. What an identifier cannot
 * hold is escaped; what is too long is told apart by its hash. */
void imap_object_id_write_email(struct buf *b, struct str guid)
{
	struct str name = guid, sizes;
	size_t n = 0, i = 0;

	(void)str_cut(guid, ',', &name, &sizes);
	buf_putc(b, 'M');
	for (; i < name.n && n < ESCAPED_MAX; i++) {
		unsigned char c = (unsigned char)name.p[i];
		bool plain = ascii_is_alnum(c) || c == '-';
		buf_printf(b, plain ? "%c" : "_%02x", c);
		n += plain ? 1 : 3;
	}
	if (i < name.n)
		buf_printf(b, "_%016llx", (unsigned long long)str_hash(name, 0));
}
