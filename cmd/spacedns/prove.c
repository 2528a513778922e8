#include "spacedns/prove.h"

#include <inttypes.h>
#include <jansson.h>

#include "inspect/print.h"
#include "inspect/prove.h"

static void print_sentence(FILE *out, const struct proof *proof)
{
    fprintf(out, "%zu clients (%zu outside), %zu names, %zu types: %" PRIu64 " decisions%s\n",
            proof->clients, proof->outsiders, proof->names, proof->types, proof->decisions,
            proof->takes_turns ? ", clients taking turns" : "");
    fputs("No outsider learns anything, no space sees another's names, no internal name is\n"
          "forwarded, and every address lies inside its space.\n"
          "Each decision keeps to its line of `spacedns policy`:\n",
          out);
    for (unsigned i = 0; i < SITUATION_COUNT; i++)
        if (proof->answers[i] > 0)
            fprintf(out, "%10" PRIu64 "  %s\n", proof->answers[i],
                    answer_row((enum situation)i)->when);
}

static json_t *answers_json(const struct proof *proof)
{
    json_t *object = json_object();

    for (unsigned i = 0; i < SITUATION_COUNT; i++)
        json_object_set_new(object, answer_row((enum situation)i)->symbol,
                            json_integer((json_int_t)proof->answers[i]));
    return object;
}

static void print_proof(FILE *out, const struct proof *proof, const char *counter_example)
{
    json_t *root = json_pack("{s:b, s:s?, s:I, s:I, s:I, s:I, s:I, s:b, s:o}", "holds",
                             counter_example == NULL, "counter_example", counter_example, "clients",
                             (json_int_t)proof->clients, "outsiders", (json_int_t)proof->outsiders,
                             "names", (json_int_t)proof->names, "types", (json_int_t)proof->types,
                             "decisions", (json_int_t)proof->decisions, "takes_turns",
                             proof->takes_turns, "answers", answers_json(proof));

    print_json(root, out);
}

int run_prove(struct session *session)
{
    const char *folder = invocation_operand(&session->invocation, 0);
    struct proof proof;
    struct err err;

    if (!session_read_settings(session))
        return EXIT_REFUSED;
    session->snapshot =
        session_must_load_folder(session, folder != NULL ? folder : session_zones(session));
    if (session->snapshot == NULL)
        return EXIT_REFUSED;
    bool holds = prove(session->snapshot, &proof, &err);
    if (!holds && err.code != ERR_RULE)
        return session_fail(session, EXIT_REFUSED, "%s", err.text);
    if (session->is_json)
        print_proof(session->out, &proof, holds ? NULL : err.text);
    else if (holds)
        print_sentence(session->out, &proof);
    if (holds)
        return EXIT_DONE;
    return session_fail(session, EXIT_REFUSED,
                        "%s; this is a mistake of spacedns: do not serve these zones, report it",
                        err.text);
}
