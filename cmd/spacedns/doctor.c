#include "spacedns/doctor.h"

#include "spacedns/diagnosis.h"

int run_doctor(struct session *session)
{
    const char *path = session->invocation.options[OPTION_RESOLV_CONF];
    struct err err;

    if (!session_read_settings(session))
        return EXIT_REFUSED;
    const struct diagnosis_request request = {
        .resolv_conf = path == NULL ? DIAGNOSIS_RESOLV_CONF : path,
        .suffix = session->settings.suffix_discovery,
        .name = invocation_operand(&session->invocation, 0),
        .is_json = session->is_json,
        .out = session->out,
    };
    switch (diagnosis_run(&request, &err)) {
    case DIAGNOSIS_WELL:
        return EXIT_DONE;
    case DIAGNOSIS_ILL:
        return EXIT_REFUSED;
    case DIAGNOSIS_REFUSED:
        break;
    }
    return session_fail(session, err.code == ERR_SYNTAX ? EXIT_USAGE : EXIT_REFUSED, "%s",
                        err.text);
}
