/* Nodes of threads, and how messages link them (RFC 5256 section 3, REFERENCES, step 1). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"
#include "base/str.h"

struct mime_facts;

#define THREAD_NONE UINT32_MAX

/* A message, or one that others refer to and that is not here. */
struct thread_node {
	uint64_t id;	/* hash of its Message-ID; 0: none that counts */
	int64_t date;	/* sent; of a node that is not here: of its first child */
	int64_t latest; /* of a thread in REFS: the date of its latest message */
	uint32_t seq;	/* 0: not here */
	uint32_t tie;	/* sequence number that decides between equal dates */
	uint32_t latest_seq;
	uint32_t parent; /* or THREAD_NONE */
	uint32_t children;
	struct str subject; /* base subject, collated */
	bool is_response;
};

struct thread_nodes {
	struct thread_node *v;
	uint32_t n, cap, max;
	uint32_t *slots; /* hash table by id: node + 1 */
	uint32_t nslots, used;
	uint64_t seed;
};

/* Room for so many messages, and some that they refer to; beyond it references are not followed. */
void thread_nodes_init(struct thread_nodes *t, uint32_t messages);
void thread_nodes_done(struct thread_nodes *t);

/* A node of its own. */
uint32_t thread_nodes_add(struct thread_nodes *t);

/* Take in a message: its node, linked to those it refers to. f may be NULL. */
uint32_t thread_nodes_link(struct thread_nodes *t, uint32_t seq, const struct mime_facts *f);
