#include "courier/tls_memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/map.h"
#include "core/record_file.h"

#define HOSTS_MAX ((size_t)100000)
#define FILE_MAX  ((size_t)32 << 20)

/* So much of the results is kept, and as much of those before. */
#define RESULTS_SIZE ((off_t)8 << 20)

struct tls_memory {
	struct arena arena;
	struct map hosts;
	struct record_file results;
	int hosts_fd; /* -1: nothing is kept */
	char *hosts_path;
};

static bool add(struct tls_memory *m, struct str host)
{
	if (m->hosts.count >= HOSTS_MAX || map_get(&m->hosts, host))
		return false;
	struct str copy = arena_str(&m->arena, host);
	map_put(&m->hosts, copy, m);
	return true;
}

static void load_hosts(struct tls_memory *m)
{
	auto_arena struct arena a = ARENA_INIT;
	struct str text;

	if (fd_read_file(m->hosts_path, &a, FILE_MAX, &text, NULL) < 0)
		return;
	STR_FOREACH_LINE (text, line) {
		if (line.n)
			(void)add(m, line);
	}
}

static int open_append(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

struct tls_memory *tls_memory_new(const char *dir)
{
	struct tls_memory *m = calloc(1, sizeof(*m));

	if (!m)
		check_no_memory();
	map_init(&m->hosts);
	m->hosts_fd = -1;
	record_file_open(&m->results, dir, "tls-results", RESULTS_SIZE);
	if (!dir)
		return m;
	if (asprintf(&m->hosts_path, "%s/tls-hosts", dir) < 0)
		check_no_memory();
	load_hosts(m);
	m->hosts_fd = open_append(m->hosts_path);
	return m;
}

void tls_memory_free(struct tls_memory *m)
{
	if (!m)
		return;
	if (m->hosts_fd >= 0)
		close(m->hosts_fd);
	record_file_close(&m->results);
	map_done(&m->hosts);
	arena_done(&m->arena);
	free(m->hosts_path);
	free(m);
}

bool tls_memory_had_tls(const struct tls_memory *m, struct str host)
{
	return map_get(&m->hosts, host) != NULL;
}

/* Like a line of the log: short, appended, and not worth a failure. */
static void append(int fd, const char *line, int n)
{
	if (fd >= 0 && n > 0)
		(void)!write(fd, line, (size_t)n);
}

void tls_memory_add(struct tls_memory *m, struct str host)
{
	char line[300];

	if (host.n > 255 || !add(m, host))
		return;
	append(m->hosts_fd, line, snprintf(line, sizeof(line), "%" STR_FMT "\n", STR_ARG(host)));
}

void tls_memory_note(struct tls_memory *m, const struct tls_session_result *r)
{
	char line[800];
	int n = snprintf(line, sizeof(line), "%lld\t%" STR_FMT "\t%s\t%" STR_FMT "\t%s\n",
			 (long long)time(NULL), STR_ARG(r->domain), r->policy, STR_ARG(r->relay),
			 r->result);

	if (n > 0 && (size_t)n < sizeof(line))
		record_file_append(&m->results, str_of(line, (size_t)n));
}
