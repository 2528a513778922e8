#include "support/asked.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

enum { WORDS_MOST = 8 };

void __wrap_call_finish(struct call *call, int code);

void __wrap_call_finish(struct call *call, int code)
{
    ((struct asked *)call)->code = code;
    fclose(call->out);
    fclose(call->err);
}

struct call *asked_begin(struct asked *asked, const char *line)
{
    char *words[WORDS_MOST], *rest = NULL;
    int count = 0;
    struct err err;

    *asked = (struct asked){.code = ASKED_UNFINISHED};
    snprintf(asked->line, sizeof asked->line, "%s", line);
    for (char *word = strtok_r(asked->line, " ", &rest); word != NULL && count < WORDS_MOST;
         word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    ck_assert_msg(invocation_read(count, words, &asked->call.invocation, &err), "%s", err.text);
    asked->call.out = open_memstream(&asked->out, &asked->out_length);
    asked->call.err = open_memstream(&asked->err, &asked->err_length);
    ck_assert(asked->call.out != NULL && asked->call.err != NULL);
    return &asked->call;
}

void asked_expect(const struct asked *asked, int code, const char *part)
{
    ck_assert_int_ne(asked->code, ASKED_UNFINISHED);
    ck_assert_msg(asked->code == code, "code %d: %s%s", asked->code, asked->out, asked->err);
    ck_assert_msg(strstr(asked->out, part) != NULL || strstr(asked->err, part) != NULL, "%s%s",
                  asked->out, asked->err);
}

void asked_close(struct asked *asked)
{
    free(asked->out);
    free(asked->err);
    *asked = (struct asked){.code = ASKED_UNFINISHED};
}
