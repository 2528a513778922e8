#include "spacednsd/api_page.h"

#include <string.h>

#include "spacednsd/page_files.h"

static void send_file(struct api_visit *visit, const char *name)
{
    const struct page_file *file = page_files;

    while (file->name != NULL && strcmp(file->name, name) != 0)
        file++;
    if (file->name == NULL) {
        api_fail(visit, HTTP_NOT_FOUND, "the page has no such file; load / again");
        return;
    }
    http_respond(visit->request, &(struct http_response){.status = HTTP_OK,
                                                         .is_page = true,
                                                         .type = file->type,
                                                         .text = (const char *)file->octets,
                                                         .length = file->length});
    api_visit_free(visit);
}

void api_answer_page(struct api_visit *visit)
{
    send_file(visit, "index.html");
}

void api_answer_page_file(struct api_visit *visit)
{
    send_file(visit, api_text_of(visit, ARGUMENT_PAGE_FILE_NAME));
}
