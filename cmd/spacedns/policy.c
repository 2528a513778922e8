#include "spacedns/policy.h"

#include "inspect/answers_print.h"

int run_policy(struct session *session)
{
    bool is_markdown = invocation_has(&session->invocation, OPTION_MARKDOWN);

    if (is_markdown && session->is_json)
        return session_fail(session, EXIT_USAGE,
                            "--json and --markdown exclude each other; give one of them");
    if (is_markdown)
        answers_print_markdown(session->out);
    else if (session->is_json)
        answers_print_json(session->out);
    else
        answers_print_text(session->out);
    return EXIT_DONE;
}
