/*
 * spacedns-doctor: the commands doctor and whoami of spacedns in one static file, for dynos, which
 * have neither packages nor the server's settings. whoami asks the nameservers of resolv.conf.
 */
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "control/command.h"
#include "spacedns/diagnosis.h"

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, ARGUMENTS_MOST = 16 };

static const char usage[] =
    "Usage: spacedns-doctor [NAME] [--resolv-conf FILE] [--json]\n"
    "       spacedns-doctor whoami [--json]\n"
    "       spacedns-doctor version\n"
    "\n"
    "Find the hop that keeps names from resolving here: every nameserver of resolv.conf is asked\n"
    "for NAME as clients ask, and each step says what is wrong and what to do. whoami prints how\n"
    "the server sees this client.\n"
    "\n"
    "Exit codes: 0 all is well · 1 something fails · 2 bad usage.\n";

static int fail(int code, const char *sentence)
{
    fputs("Error: ", stderr);
    escape_printf(stderr, "%s\n", sentence);
    return code;
}

/* What is not the name of a command is a name to look up. */
static bool read_invocation(int count, char **arguments, struct invocation *invocation,
                            struct err *err)
{
    char doctor[] = "doctor";
    char *words[ARGUMENTS_MOST + 1] = {doctor};
    enum command_name command;
    struct err unknown;

    if (count > ARGUMENTS_MOST)
        return err_set(err, ERR_SYNTAX, "these are too many arguments; see --help");
    bool has_command =
        count > 0 && (command_find(arguments[0], &command, &unknown) ||
                      strcmp(arguments[0], "--version") == 0 || strcmp(arguments[0], "-V") == 0);
    memcpy(words + !has_command, arguments, (size_t)count * sizeof *words);
    return invocation_read(count + !has_command, words, invocation, err);
}

static int run(const struct invocation *invocation)
{
    static const char suffix[] = "localspace";
    const char *path = invocation->options[OPTION_RESOLV_CONF];
    const struct diagnosis_request request = {
        .resolv_conf = path == NULL ? DIAGNOSIS_RESOLV_CONF : path,
        .suffix = suffix,
        .name = invocation_operand(invocation, 0),
        .is_json = invocation_has(invocation, OPTION_JSON),
        .out = stdout,
    };
    bool is_whoami = invocation->command == COMMAND_WHOAMI;
    struct err err = {.code = ERR_NONE};
    enum diagnosis_result result =
        is_whoami ? diagnosis_whoami(&request, &err) : diagnosis_run(&request, &err);

    if (result == DIAGNOSIS_WELL)
        return EXIT_DONE;
    if (err.code == ERR_NONE)
        return EXIT_REFUSED; /* printed step by step */
    return fail(err.code == ERR_SYNTAX ? EXIT_USAGE : EXIT_REFUSED, err.text);
}

int main(int argc, char **argv)
{
    struct invocation invocation;
    struct err err;
    int code;

    if (!read_invocation(argc - 1, argv + 1, &invocation, &err))
        return fail(EXIT_USAGE, err.text);
    if (invocation_has(&invocation, OPTION_HELP) || invocation.command == COMMAND_HELP) {
        fputs(usage, stdout);
        return EXIT_DONE;
    }
    if (invocation.command == COMMAND_VERSION) {
        printf("spacedns-doctor %s\n", SPACEDNS_VERSION);
        return EXIT_DONE;
    }
    if (invocation.command != COMMAND_DOCTOR && invocation.command != COMMAND_WHOAMI)
        return fail(EXIT_USAGE, "this small program has the commands doctor and whoami; for the "
                                "others install the package spacedns");
    code = run(&invocation);
    if (fflush(stdout) != 0)
        return fail(EXIT_REFUSED, "the output could not be written; is the disk full?");
    return code;
}
