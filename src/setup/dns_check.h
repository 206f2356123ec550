/* The checks of `setup dns check`. Each appends its findings, at least one, and may wait for the
 * DNS; those of one domain run at the same time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "filter/lookup.h"
#include "setup/dns_certificate.h"
#include "setup/dns_report.h"

struct arena;
struct dns_answer;
struct ipc_client;
struct settings;
struct signing;
struct tls_roots;

#define DNS_CHECK_ADDRESSES_MAX 16

struct dns_check {
	const struct settings *set;
	struct arena *a; /* of everything that is found */
	struct ipc_client *dns;
	struct lookup lookup;
	struct tls_roots *roots;

	struct str host;			       /* the server's name */
	struct str addresses[DNS_CHECK_ADDRESSES_MAX]; /* 4 or 16 bytes */
	size_t address_count;
	bool addresses_given; /* by an option; else they are what the DNS has */

	const struct signing *signing;
	struct str rotations; /* dkim-rotation.cf */
	struct str config_dir;
	struct dns_certificate certificates[DNS_CERTIFICATES_MAX];
	int certificate_count; /* or -errno */
	struct err certificate_error;
};

typedef void dns_check_fn(struct dns_check *c, struct str domain, struct list *findings);

/* Of the server; `domain` is its name. */
dns_check_fn dns_check_address, dns_check_ptr, dns_check_helo, dns_check_dane, dns_check_caa;

/* Of a domain. */
dns_check_fn dns_check_mx, dns_check_spf, dns_check_dkim, dns_check_dmarc, dns_check_sts,
	dns_check_tls_rpt, dns_check_clients;

/* Did the question fail? Then a finding says so. */
bool dns_check_failed(struct dns_check *c, struct list *findings, const char *check,
		      struct str question, const struct dns_answer *answer);

/* Of 4 or 16 bytes. */
struct str dns_check_address_text(struct dns_check *c, struct str bytes);

/* Is it one of ours? */
bool dns_check_is_ours(const struct dns_check *c, struct str bytes);

/* Does the name lead to us? 1, 0, or -EAGAIN when that cannot be found out. */
int may_suspend dns_check_leads_here(struct dns_check *c, struct str name);

/* Where reports go: the postmaster of the server. */
struct str dns_check_postmaster(struct dns_check *c);
