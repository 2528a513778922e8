#include "spacednsd/http_admit.h"

#include <string.h>

#include "support/suite.h"

static const char secret[] = "secret-of-16-xx";

/* A request, and what it gets; 0: it passes. */
static const struct {
    const char *token;
    struct http_asking asking;
    unsigned status;
} requests[] = {
    {NULL, {"HTTP/1.1", "GET", "127.0.0.1", NULL, NULL, NULL, false, false}, 0},
    {NULL, {"HTTP/1.0", "HEAD", NULL, NULL, NULL, NULL, false, false}, 0},
    {NULL, {"HTTP/1.2", "GET", "127.0.0.1", NULL, NULL, NULL, false, false}, 400},
    {NULL, {"", "GET", "127.0.0.1", NULL, NULL, NULL, false, false}, 400},
    {NULL, {"HTTP/1.1", "POST", "127.0.0.1", NULL, NULL, NULL, false, false}, 405},
    {NULL, {"HTTP/1.1", "GET", "a.example", NULL, NULL, NULL, false, false}, 421},
    {NULL, {"HTTP/1.1", "GET", "a.example", NULL, NULL, NULL, true, false}, 0},
    {NULL, {"HTTP/1.1", "GET", "a.example", NULL, NULL, NULL, false, true}, 421},
    {NULL, {"HTTP/1.1", "GET", "localhost", NULL, "0", NULL, false, false}, 0},
    {NULL, {"HTTP/1.1", "GET", "localhost", NULL, "1", NULL, false, false}, 400},
    {NULL, {"HTTP/1.1", "GET", "localhost", NULL, NULL, "chunked", false, false}, 400},
    {secret, {"HTTP/1.1", "GET", "a.example", NULL, NULL, NULL, false, false}, 401},
    {secret,
     {"HTTP/1.1", "GET", "a.example", "Bearer secret-of-16-xx", NULL, NULL, false, false},
     0},
    {secret,
     {"HTTP/1.1", "GET", "a.example", "Bearer secret-of-16-xy", NULL, NULL, false, false},
     401},
    {secret, {"HTTP/1.1", "GET", "a.example", NULL, NULL, NULL, true, false}, 0},
    {secret, {"HTTP/1.1", "GET", "a.example", NULL, NULL, NULL, false, true}, 0},
    {secret, {"HTTP/1.1", "PUT", "a.example", NULL, NULL, NULL, false, true}, 405},
};

TEST_OVER(a_request_passes_by_its_headers_or_gets_a_sentence, requests)
{
    const struct http_refusal *refusal = http_admit(&requests[_i].asking, requests[_i].token);

    ck_assert_uint_eq(refusal == NULL ? 0 : refusal->status, requests[_i].status);
    if (refusal != NULL) /* it is put between the quotes of JSON */
        ck_assert_uint_eq(strcspn(refusal->sentence, "\"\\\n"), strlen(refusal->sentence));
}
