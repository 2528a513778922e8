#pragma once
/**
 * The zone format as a JSON Schema, for editors: made from the tables that the parser reads by.
 *
 *     field tables (parse*.c) ──► parser
 *                             └─► schema: keys, kinds, words, ranges, what is required
 *
 * A schema knows forms, not rules: whether a router lies in a dyno CIDR only `check` says. It lets
 * nothing through that the tables do not name, and refuses nothing that the parser takes, but for
 * texts that YAML reads as something else, such as a name of digits: they want quotes.
 *
 * Sources: JSON Schema draft 2020-12.
 * Threads: pure.  Memory: the text is malloc'ed.
 */

/** Returns the schema as indented JSON; NULL without memory. */
char *schema_write(void);
