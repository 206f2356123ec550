#include "store/maildir/disk_name.h"

#include "base/arena.h"
#include "mime/utf7.h"
#include "store/name.h"
#include "store/store.h"

void disk_name_write(struct buf *out, struct str name)
{
	int r = mime_utf7_encode(name, out);
	check(r == 0 || buf_failed(out)); /* a valid name is UTF-8 */
}

bool disk_name_parse(struct str spelled, struct arena *a, struct str *name)
{
	struct buf decoded;
	buf_init(&decoded, a, STORE_NAME_MAX);
	struct str plain = spelled;
	if (mime_utf7_decode(spelled, &decoded) == 0 && !buf_failed(&decoded))
		plain = buf_str(&decoded);
	if (store_name_check(plain, NULL) < 0)
		return false;
	*name = arena_str(a, plain);
	return true;
}
