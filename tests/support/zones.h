#pragma once
/**
 * Segments and snapshots made from zone texts without files, for tests of what follows loading.
 *
 * A text that the rules refuse ends the program with its findings.
 */
#include "answer/snapshot.h"

/** Default suffixes, discovery names for dynos only, no upstreams. */
struct policy policy_usual(void);

/** corp.example goes to 192.168.7.53, everything else to 10.0.0.2; no query is ever sent. */
struct routes routes_usual(void);

/** The key that every test uses. */
struct hash_key key_usual(void);

/** One text, sealed; has one hold. */
struct segment *segment_of_text(const char *text);

/** Each text is one zone file, numbered from 0. Free it with snapshot_free. */
struct snapshot *snapshot_of_texts(const struct policy *policy, const char *const *texts,
                                   size_t count);

/** The same from files of the top folder, such as zones/test-space.yaml. */
struct snapshot *snapshot_of_files(const struct policy *policy, const char *const *paths,
                                   size_t count);

/**
 * Each text is the document NAME-space of a registry, and one with errors leaves the space unready.
 * At most MEMORY_TEXTS_MOST of MEMORY_TEXT_MOST octets (support/memory_source.h).
 */
struct snapshot *snapshot_of_documents(const struct policy *policy, const char *const *names,
                                       const char *const *texts, size_t count);

/** The text of a file of the top folder, such as zones/test-space.yaml; free() it. */
char *zone_text(const char *path);
