#include "spacedns/words.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "base/escape.h"
#include "spacedns/spaces.h"

/* One kind of word, of the spaces and apps that the command line names. */
struct words {
    struct session *session;
    const struct space *space;
    const char *app; /* NULL: every app's */
};

/* True for a word that a shell takes as it is: whoever writes a zone file must not give orders to
 * the shell of whoever completes its names. */
static bool is_plain(const char *word)
{
    static const char marks[] = "-._:/@+,";
    bool passed = word[0] != '\0' && word[0] != '-';

    for (const char *at = word; *at != '\0' && passed; at++)
        passed = isalnum((unsigned char)*at) != 0 || strchr(marks, *at) != NULL ||
                 (unsigned char)*at > SCHAR_MAX;
    return passed;
}

/* A shell takes a line for a word, so what must be escaped for a terminal is none. */
static void add(const struct words *words, const char *word)
{
    if (word != NULL && is_plain(word))
        escape_printf(words->session->out, "%s\n", word);
}

static bool is_wanted(const struct words *words, const struct app *app)
{
    return words->app == NULL || strcmp(words->app, app->name.text) == 0;
}

static void add_spaces(const struct words *words)
{
    add(words, words->space->name.text);
}

static void add_apps(const struct words *words)
{
    for (size_t i = 0; i < words->space->app_count; i++)
        add(words, words->space->apps[i].name.text);
}

static void add_peerings(const struct words *words)
{
    for (size_t i = 0; i < words->space->peering_count; i++)
        add(words, words->space->peerings[i].pcx_id.text);
}

static void add_vpns(const struct words *words)
{
    for (size_t i = 0; i < words->space->vpn_count; i++)
        add(words, words->space->vpns[i].name.text);
}

static void add_routers(const struct words *words)
{
    char address[CIDR_TEXT_MAX];

    for (size_t i = 0; i < words->space->router_count; i++) {
        ipv4_write(words->space->routers[i].ip, address);
        add(words, address);
    }
}

static void add_domains_of(const struct words *words, const struct app *app)
{
    for (size_t i = 0; i < app->domain_count; i++)
        escape_printf(words->session->out, "%s%s\n", app->domains[i].is_wildcard ? "*." : "",
                      app->domains[i].hostname.text);
}

static void add_domains(const struct words *words)
{
    for (size_t i = 0; i < words->space->app_count; i++)
        if (is_wanted(words, &words->space->apps[i]))
            add_domains_of(words, &words->space->apps[i]);
}

static void add_types_of(const struct words *words, const struct app *app, bool with_numbers)
{
    for (size_t i = 0; i < app->formation_count; i++) {
        const struct formation *formation = &app->formations[i];
        if (!with_numbers)
            add(words, formation->type.text);
        for (size_t j = 0; with_numbers && j < formation->dyno_count; j++)
            escape_printf(words->session->out, "%s.%u\n", formation->type.text,
                          (unsigned)formation->dynos[j].number);
    }
}

static void add_types(const struct words *words)
{
    for (size_t i = 0; i < words->space->app_count; i++)
        if (is_wanted(words, &words->space->apps[i]))
            add_types_of(words, &words->space->apps[i], false);
}

static void add_dynos(const struct words *words)
{
    for (size_t i = 0; i < words->space->app_count; i++)
        if (is_wanted(words, &words->space->apps[i]))
            add_types_of(words, &words->space->apps[i], true);
}

static const struct {
    const char *kind;
    void (*add)(const struct words *words);
} kinds[] = {
#define WORDS(kind, function) {kind, function},
#include "spacedns/words.def"
#undef WORDS
};

static int print_words(struct session *session, const struct space_set *space_set, size_t kind)
{
    const char *name = session->invocation.options[OPTION_SPACE];
    struct words words = {.session = session, .app = session->invocation.options[OPTION_APP]};

    for (size_t i = 0; i < space_set->count; i++) {
        words.space = space_set->spaces[i];
        if (name == NULL || strcmp(name, words.space->name.text) == 0)
            kinds[kind].add(&words);
    }
    return EXIT_DONE;
}

/* Nothing is printed about zone files that cannot be read: it would be in the way of a prompt. */
int run_words(struct session *session)
{
    const char *wanted = invocation_operand(&session->invocation, 0);
    struct space_set space_set;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].kind, wanted) != 0)
            continue;
        if (!space_set_open(&space_set, session))
            return EXIT_REFUSED;
        int code = print_words(session, &space_set, i);
        space_set_close(&space_set);
        return code;
    }
    return session_fail(session, EXIT_USAGE,
                        "%s is no kind of words; they are those of the help, as APP or SPACE",
                        wanted);
}
