#include <stdio.h>
#include <string.h>

#include "forward/response.h"
#include "support/built_response.h"
#include "support/suite.h"
#include "wire/types.h"

static alignas(struct response) uint8_t room[RESPONSE_OCTETS_MOST];
static struct response *const response = (struct response *)(void *)room;
static uint8_t octets[BUILT_RESPONSE_OCTETS_MOST];
static struct name name;
static struct question question;

#define SIGNED(owner, type)                                                                        \
    owner " 60 IN RRSIG " type " 13 2 60 20300101000000 20200101000000 1 test. aGk=\n"

static const struct {
    struct built_response sent;
    const char *links; /* "owner>target@records up to there" each */
} rows[] = {
    {{.name = "A.test.", .answer = "a.test. 60 IN A 192.0.2.1\n"}, ""},
    {{.name = "a.test.", .type = TYPE_CNAME, .answer = "a.test. 60 IN CNAME b.test.\n"}, ""},
    {{.name = "a.test.", .type = TYPE_ANY, .answer = "a.test. 60 IN CNAME b.test.\n"}, ""},
    {{.name = "a.test.", .answer = "a.test. 60 IN CNAME b.test.\n"}, "a.test>b.test@1 "},
    {{.name = "a.test.",
      .answer = "b.test. 60 IN CNAME WWW.example.com.\na.test. 60 IN CNAME b.test.\n"
                "www.example.com. 60 IN A 192.0.2.1\nwww.example.com. 60 IN A 192.0.2.2\n"},
     "a.test>b.test@1 b.test>www.example.com@2 "},
    {{.name = "a.test.",
      .answer = "a.test. 60 IN CNAME b.test.\n" SIGNED("a.test.", "CNAME")
          SIGNED("a.test.", "CNAME") "b.test. 60 IN CNAME c.test.\n" SIGNED(
              "b.test.", "CNAME") "c.test. 60 IN A 192.0.2.1\n" SIGNED("c.test.", "A")},
     "a.test>b.test@3 b.test>c.test@5 "},
    {{.name = "www.old.test.",
      .answer = "old.test. 60 IN DNAME new.test.\n" SIGNED(
          "old.test.",
          "DNAME") "www.old.test. 60 IN CNAME www.new.test.\nwww.new.test. 60 IN A 192.0.2.1\n"},
     "www.old.test>www.new.test@3 "},
    /* The type asked for is no alias, even if it is a CNAME or RRSIG. */
    {{.name = "a.test.",
      .type = TYPE_RRSIG,
      .answer = "a.test. 60 IN CNAME b.test.\n" SIGNED("b.test.", "CNAME")},
     "a.test>b.test@1 "},
    {{.name = "a.test.",
      .type = TYPE_DNAME,
      .answer = "a.test. 60 IN CNAME b.test.\nb.test. 60 IN DNAME c.test.\n"},
     "a.test>b.test@1 "},
};

static void add_name(char *text, const struct name *added)
{
    char one[300];
    struct text out = text_over(one, sizeof one);

    name_add(&out, added->octets);
    strncat(text, one, text_length(&out));
}

TEST_OVER(each_alias_is_an_offset_where_the_chain_can_be_cut, rows)
{
    char links[1024] = "";
    struct response_alias alias = {.answers = 0};

    ck_assert(name_from_text(rows[_i].sent.name, &name));
    question = (struct question){.name = &name,
                                 .type = rows[_i].sent.type == 0 ? TYPE_A : rows[_i].sent.type,
                                 .class = CLASS_IN,
                                 .bits = QUESTION_DO | QUESTION_CD};
    struct expected expected = {
        .question = &question, .id = BUILT_RESPONSE_ID, .name = name.octets};
    ck_assert_int_eq(
        response_read(octets, built_response_write(&rows[_i].sent, octets), &expected, response),
        RESPONSE_READ);
    while (response_next_alias(response, &question, &alias)) {
        char count[16];
        add_name(links, &alias.owner);
        strcat(links, ">");
        add_name(links, &alias.target);
        snprintf(count, sizeof count, "@%u ", (unsigned)alias.answers);
        strcat(links, count);
        /* The next record begins where the alias ends. */
        const uint16_t *ttls = (const uint16_t *)(const void *)response->data;
        ck_assert_uint_lt(alias.cname, alias.end);
        ck_assert_uint_lt(ttls[alias.answers - 1], alias.end);
        ck_assert(alias.answers == response->ttl_count ? alias.end == response->body_octets
                                                       : ttls[alias.answers] > alias.end);
    }
    ck_assert_str_eq(links, rows[_i].links);
    ck_assert(((response->bits & RESPONSE_HAS_ALIAS) != 0) == (links[0] != '\0'));
}
