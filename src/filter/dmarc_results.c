#include "filter/dmarc_results.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/buf.h"
#include "core/record_file.h"
#include "filter/dkim_verify.h"
#include "filter/dmarc.h"
#include "filter/spf.h"

#define FILE_NAME "dmarc-results"
#define SIZE_MAX_ ((off_t)8 << 20)
#define LINE_MAX_ 16384
#define VALUE_MAX 255

struct dmarc_results {
	struct record_file file;
};

struct dmarc_results *dmarc_results_new(const char *dir)
{
	struct dmarc_results *r = calloc(1, sizeof(*r));

	if (!r)
		check_no_memory();
	record_file_open(&r->file, dir, FILE_NAME, SIZE_MAX_);
	return r;
}

void dmarc_results_free(struct dmarc_results *r)
{
	if (!r)
		return;
	record_file_close(&r->file);
	free(r);
}

/* What a peer said, as one word. */
static void put_word(struct buf *b, struct str s)
{
	if (!s.n)
		buf_putc(b, '-');
	for (size_t i = 0; i < s.n && i < VALUE_MAX; i++) {
		unsigned char c = (unsigned char)s.p[i];
		buf_putc(b, c <= ' ' || c == 0x7f || c == ';' ? '?' : (char)c);
	}
}

static void put_field(struct buf *b, struct str s)
{
	buf_putc(b, '\t');
	put_word(b, s);
}

static void put_policy(struct buf *b, const struct dmarc_record *r)
{
	buf_printf(b, "\tp=%s sp=%s np=%s adkim=%c aspf=%c pct=%u t=%c",
		   dmarc_policy_name(r->policy), dmarc_policy_name(r->subdomains),
		   dmarc_policy_name(r->nowhere), r->strict_dkim ? 's' : 'r',
		   r->strict_spf ? 's' : 'r', r->percent, r->testing ? 'y' : 'n');
}

static struct str reason(const struct dmarc_result_line *l)
{
	const struct dmarc_answer *a = l->answer;

	if (a->result != DMARC_FAIL || l->disposition == a->policy)
		return STR_NONE;
	if (l->vouched)
		return STR("trusted_forwarder");
	return l->disposition == a->disposition ? STR("sampled_out") : STR("local_policy");
}

static void put_spf(struct buf *b, const struct spf_answer *s)
{
	if (!s) {
		put_field(b, STR_NONE);
		return;
	}
	put_field(b, s->domain);
	buf_printf(b, " %s %s", s->by_helo ? "helo" : "mfrom", spf_result_name(s->result));
}

static void put_dkim(struct buf *b, const struct dkim_verifier *v)
{
	if (!v->n)
		put_field(b, STR_NONE);
	for (size_t i = 0; i < v->n; i++) {
		const struct dkim_signature *s = &v->v[i];
		buf_putc(b, i ? ';' : '\t');
		put_word(b, s->domain);
		buf_putc(b, ' ');
		put_word(b, s->selector);
		buf_printf(b, " %s", dkim_result_name(s->result));
	}
}

static const char *verdict(bool passes)
{
	return passes ? "pass" : "fail";
}

void dmarc_results_add(struct dmarc_results *r, const struct dmarc_result_line *l)
{
	const struct dmarc_answer *a = l->answer;
	ssize_t at = str_rfind_byte(l->sender, '@');
	auto_buf struct buf b;

	buf_init(&b, NULL, LINE_MAX_);
	if ((a->result != DMARC_PASS && a->result != DMARC_FAIL) || !a->record.wants_reports)
		return;
	buf_printf(&b, "%" PRId64, l->now);
	put_field(&b, a->domain);
	put_policy(&b, &a->record);
	put_field(&b, l->client_address);
	buf_printf(&b, "\t%s\t%s\t%s", dmarc_policy_name(l->disposition), verdict(a->dkim_aligned),
		   verdict(a->spf_aligned));
	put_field(&b, reason(l));
	put_field(&b, l->author_domain);
	put_field(&b, at < 0 ? STR_NONE : str_skip(l->sender, (size_t)at + 1));
	put_spf(&b, l->spf);
	put_dkim(&b, l->dkim);
	buf_putc(&b, '\n');
	if (!buf_failed(&b))
		record_file_append(&r->file, buf_str(&b));
}
