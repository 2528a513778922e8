#pragma once
/**
 * Numbers of EDNS: the OPT record and its options.
 *
 *     record: owner (the root, one octet) | type OPT | UDP size | extended rcode, one octet |
 *             version, one octet | flags | length of the options, then the options
 *     option: code | length of the data, then the data
 *
 * Numbers have two octets where nothing else is said.
 *
 * Sources: RFC 6891 section 6.1 (form); RFC 3225 (DO); RFC 5001 (NSID); RFC 7828 (keepalive);
 *          RFC 7873 section 4 (cookies); RFC 8914 (EDE).
 * Threads, memory: constants.
 */
enum {
    OPT_OCTETS = 11, /* the record without options */
    OPTION_HEAD_OCTETS = 4,
    OPT_FLAG_DO = 0x8000,
};

enum { OPTION_NSID = 3, OPTION_COOKIE = 10, OPTION_KEEPALIVE = 11, OPTION_EDE = 15 };

enum { EDE_CODE_OCTETS = 2 }; /* at the start of EDE's data; text follows */
