#pragma once
/**
 * The zone format as a JSON Schema, for editors, made from the parser's tables.
 *
 *     field tables (parse*.c) ──► parser
 *                             └─► schema: keys, kinds, words, ranges, what is required
 *     keys.def ─────────────────► schema: descriptions, defaults
 *
 * A schema describes forms, not rules: only `check` finds a router in a dyno CIDR. It allows
 * nothing that the tables do not name. It refuses nothing that the parser accepts, except texts
 * that YAML reads as another type, such as a name of digits: they need quotes.
 *
 * Sources: JSON Schema draft 2020-12.
 * Threads: pure.  Memory: the caller frees the text.
 */

/** Returns the schema as indented JSON, from malloc; NULL if memory runs out. */
char *schema_write(void);
