#pragma once
/**
 * What etcd's refusals mean, and what to do: sentences for an operator.
 *
 * Sources: etcd's rpctypes/error.go (its texts), its pages on maintenance and on access control.
 * Threads: one.  Memory: never kept.
 */
#include "base/err.h"
#include "base/octets.h"
#include "etcd/connection.h"
#include "etcd/messages.h"

/** One call that was refused. */
struct etcd_refusal {
    enum etcd_method method;
    struct octets request;
    enum etcd_status status;
    const char *text;        /* etcd's */
    const char *endpoint;    /* "https://etcd-1.example:2379" */
    const char *user;        /* NULL: none */
    const char *certificate; /* file; NULL: none */
};

/** Writes the sentence. Always returns false. */
bool etcd_sentence(const struct etcd_refusal *refusal, struct err *err);

/** Of a log-in by name and password. */
bool etcd_sentence_login(const struct etcd_refusal *refusal, struct err *err);
