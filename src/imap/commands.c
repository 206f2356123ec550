/* The table of commands. */
#include "imap/session_state.h"

#define CAPABILITIES_MAX 2000

#define ALWAYS                                                                                     \
	"IMAP4rev1 IMAP4rev2 SASL-IR ID ENABLE IDLE LITERAL+ NAMESPACE CHILDREN UNSELECT "         \
	"UIDPLUS MOVE MULTIAPPEND LIST-EXTENDED LIST-STATUS SPECIAL-USE CREATE-SPECIAL-USE "       \
	"STATUS=SIZE OBJECTID UTF8=ACCEPT ESEARCH CONTEXT=SEARCH SEARCHRES SORT SORT=DISPLAY "     \
	"ESORT "                                                                                   \
	"THREAD=ORDEREDSUBJECT THREAD=REFERENCES THREAD=REFS PARTIAL WITHIN INPROGRESS BINARY "    \
	"CATENATE URL-PARTIAL REPLACE PREVIEW COMPRESS=DEFLATE QUOTA QUOTA=RES-STORAGE "           \
	"METADATA NOTIFY"

struct str imap_session_capabilities(struct imap_session *s)
{
	uint64_t max = s->params->limits.append;
	struct buf b;

	buf_init(&b, &s->arena, CAPABILITIES_MAX);
	buf_puts(&b, ALWAYS);
	/* RFC 4314 section 6: these rights are apart from one another. */
	if (s->params->open_account)
		buf_puts(&b, " ACL RIGHTS=texk");
	if (s->params->may_unauthenticate)
		buf_puts(&b, " UNAUTHENTICATE");
	if (store_has_modseq(s->store))
		buf_puts(&b, " CONDSTORE QRESYNC SAVEDATE");
	/* RFC 7889 2: one limit for all mailboxes is told here; no number: STATUS has it. */
	buf_puts(&b, " APPENDLIMIT");
	if (max)
		buf_printf(&b, "=%llu", (unsigned long long)max);
	return buf_str(&b);
}

#define VIEW IMAP_NEEDS_VIEW

static const struct imap_command commands[] = {
	{ "APPEND", imap_cmd_append, IMAP_FOLDERS },
	{ "CANCELUPDATE", imap_cmd_cancelupdate, VIEW },
	{ "CAPABILITY", imap_cmd_capability, 0 },
	{ "CHECK", imap_cmd_check, VIEW },
	{ "CLOSE", imap_cmd_close, VIEW | IMAP_NO_SYNC },
	{ "COMPRESS", imap_cmd_compress, 0 },
	{ "COPY", imap_cmd_copy, VIEW | IMAP_WITH_UID | IMAP_FOLDERS },
	{ "CREATE", imap_cmd_create, IMAP_FOLDERS },
	{ "DELETEACL", imap_cmd_deleteacl, IMAP_FOLDERS },
	{ "DELETE", imap_cmd_delete, IMAP_FOLDERS },
	{ "ENABLE", imap_cmd_enable, 0 },
	{ "EXAMINE", imap_cmd_examine, IMAP_NO_SYNC | IMAP_FOLDERS },
	{ "EXPUNGE", imap_cmd_expunge, VIEW | IMAP_NEEDS_WRITE | IMAP_WITH_UID },
	{ "FETCH", imap_cmd_fetch, VIEW | IMAP_WITH_UID | IMAP_NO_EXPUNGE },
	{ "GETACL", imap_cmd_getacl, IMAP_FOLDERS },
	{ "GETMETADATA", imap_cmd_getmetadata, IMAP_FOLDERS },
	{ "GETQUOTA", imap_cmd_getquota, 0 },
	{ "GETQUOTAROOT", imap_cmd_getquotaroot, IMAP_FOLDERS },
	{ "ID", imap_cmd_id, 0 },
	{ "IDLE", imap_cmd_idle, 0 },
	{ "LIST", imap_cmd_list, IMAP_FOLDERS },
	{ "LISTRIGHTS", imap_cmd_listrights, IMAP_FOLDERS },
	{ "LOGOUT", imap_cmd_logout, IMAP_NO_SYNC },
	{ "LSUB", imap_cmd_lsub, IMAP_FOLDERS },
	{ "MOVE", imap_cmd_move, VIEW | IMAP_NEEDS_WRITE | IMAP_WITH_UID | IMAP_FOLDERS },
	{ "MYRIGHTS", imap_cmd_myrights, IMAP_FOLDERS },
	{ "NAMESPACE", imap_cmd_namespace, 0 },
	{ "NOOP", imap_cmd_noop, 0 },
	{ "NOTIFY", imap_cmd_notify, IMAP_FOLDERS },
	{ "RENAME", imap_cmd_rename, IMAP_FOLDERS },
	{ "REPLACE", imap_cmd_replace, VIEW | IMAP_NEEDS_WRITE | IMAP_WITH_UID | IMAP_FOLDERS },
	{ "SEARCH", imap_cmd_search, VIEW | IMAP_WITH_UID | IMAP_NO_EXPUNGE },
	{ "SELECT", imap_cmd_select, IMAP_NO_SYNC | IMAP_FOLDERS },
	{ "SETACL", imap_cmd_setacl, IMAP_FOLDERS },
	{ "SETMETADATA", imap_cmd_setmetadata, IMAP_FOLDERS },
	{ "SETQUOTA", imap_cmd_setquota, 0 },
	{ "SORT", imap_cmd_sort, VIEW | IMAP_WITH_UID | IMAP_NO_EXPUNGE },
	{ "STATUS", imap_cmd_status, IMAP_FOLDERS },
	{ "STORE", imap_cmd_store, VIEW | IMAP_NEEDS_WRITE | IMAP_WITH_UID | IMAP_NO_EXPUNGE },
	{ "SUBSCRIBE", imap_cmd_subscribe, IMAP_FOLDERS },
	{ "THREAD", imap_cmd_thread, VIEW | IMAP_WITH_UID | IMAP_NO_EXPUNGE },
	{ "UNAUTHENTICATE", imap_cmd_unauthenticate, IMAP_NO_SYNC },
	{ "UNSELECT", imap_cmd_unselect, VIEW | IMAP_NO_SYNC },
	{ "UNSUBSCRIBE", imap_cmd_unsubscribe, IMAP_FOLDERS },
};

const struct imap_command *imap_command_find(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (str_eq_nocase(name, str_from(commands[i].name)))
			return &commands[i];
	return NULL;
}
