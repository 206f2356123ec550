/* A fresh account in a temporary directory, for tests that go through store.h. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/store.h"

struct account {
	char root[64]; /* the temporary directory */
	char path[96]; /* the account's */
	char index[96];
	struct store_pool *pool;
	struct store *store;
	struct arena a;
	struct err err;
	unsigned reports;
	char last_report[256];
	uint64_t next_id;
};

/* Do the accounts of the tests to come have indexes? */
extern bool account_with_index;
/* Which boot of the system they take this for; empty: what it is. */
extern struct str account_boot;

int account_setup(void **state);
int account_teardown(void **state);

void account_open(struct account *t);
void account_close(struct account *t);
/* Forget everything in memory and open the account again. */
void account_reopen(struct account *t);

/* A memory file with this text. */
int text_fd(struct str text);

/* Deliver CRLF text to a mailbox; the next id each time. */
struct store_delivered account_deliver(struct account *t, const char *box, const char *text);
struct store_delivery account_delivery(struct account *t, const char *box, int fd, size_t length);

/* APPEND one message; its UID. */
uint32_t account_append(struct account *t, const char *box, const char *text, uint32_t flags);

struct store_view *account_view(struct account *t, const char *box, unsigned mode);
struct store_events account_sync(struct account *t, struct store_view *v, unsigned how);

/* The whole message as a client gets it. */
struct str account_text(struct account *t, struct store_view *v, uint32_t seq);
struct store_message account_message(struct account *t, struct store_view *v, uint32_t seq);

struct store_uids uids_of(struct account *t, uint32_t first, uint32_t last);
void account_change(struct account *t, struct store_view *v, uint32_t uid, uint32_t flags);

/* Files below the account's directory, once they are what the index says. */
void account_settle(struct account *t);
struct str account_file(struct account *t, const char *name);
void account_write_file(struct account *t, const char *name, const char *text);
bool account_has(struct account *t, const char *name);
/* The only file in a directory ("cur"), as "<dir>/<name>"; fails when it is not one. */
const char *account_only_file(struct account *t, const char *dir);
unsigned account_count_files(struct account *t, const char *dir);
