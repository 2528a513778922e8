#include "spacedns/domains.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "spacedns/change.h"
#include "spacedns/name_generator.h"
#include "spacedns/spaces_grid.h"

enum { HOST_MOST = 256, TARGET_DIGITS = 4 };

static const char help_page[] = "https://devcenter.heroku.com/articles/custom-domains";

static bool is_apex(const struct domain *domain)
{
    const char *dot = strchr(domain->hostname.text, '.');
    bool has_two_labels = dot != NULL && strchr(dot + 1, '.') == NULL;

    return !domain->is_wildcard && (domain->is_alias || has_two_labels);
}

static const char *record_type(const struct domain *domain)
{
    return is_apex(domain) ? "ALIAS or ANAME" : "CNAME";
}

static json_t *domain_to_json(const struct space_set *space_set, const struct domain *domain)
{
    bool is_pending = domain->is_pending || domain->cname.text == NULL;

    return json_pack("{s:s, s:s, s:s, s:o, s:s}", "kind", "custom", "hostname",
                     removed_format_domain(space_set, domain), "record", record_type(domain),
                     "cname", json_text(domain->cname.text), "status",
                     is_pending ? "pending" : "succeeded");
}

static int print_domains_json(struct session *session, const struct space_set *space_set,
                              const struct app_selection *selected)
{
    json_t *list = json_array();
    const char *own = app_default_domain(space_set, session, selected->app);

    json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:o, s:s}", "kind", "heroku", "hostname",
                                          json_text(own), "record", json_null(), "cname",
                                          json_null(), "status", "none"));
    for (size_t i = 0; i < selected->app->domain_count; i++)
        json_array_append_new(list, domain_to_json(space_set, &selected->app->domains[i]));
    return session_print_json(session, list);
}

static int print_domains(struct session *session, const struct space_set *space_set,
                         const struct app_selection *selected)
{
    static const char *const titles[] = {"Domain Name", "DNS Record Type", "DNS Target"};
    const struct app *app = selected->app;
    const char *own = app_default_domain(space_set, session, app);
    struct grid grid = grid_over(space_set->arena, titles, sizeof titles / sizeof titles[0]);
    FILE *out = session->out;

    if (session->is_json)
        return print_domains_json(session, space_set, selected);
    fputs("=== ", out);
    session_print_app(session, out, app->name.text);
    fprintf(out, " Heroku Domain\n\n%s\n", own == NULL ? "" : own);
    if (app->domain_count == 0)
        return EXIT_DONE;
    fputs("\n=== ", out);
    session_print_app(session, out, app->name.text);
    fputs(" Custom Domains\n", out);
    for (size_t i = 0; i < app->domain_count; i++) {
        const struct domain *domain = &app->domains[i];
        grid_add(&grid, removed_format_domain(space_set, domain));
        grid_add(&grid, record_type(domain));
        grid_add(&grid, domain->cname.text == NULL ? "(pending)" : domain->cname.text);
    }
    return grid_print(&grid, session);
}

int run_domains(struct session *session)
{
    return app_selection_run(session, print_domains);
}

/* ---- add ---- */

/* Lower case, without the closing dot. False when it is too long to be a host name. */
static bool normalise(const char *text, char *out)
{
    size_t length = strlen(text);

    if (length >= HOST_MOST)
        return false;
    for (size_t i = 0; i <= length; i++)
        out[i] = (char)(tolower)((unsigned char)text[i]);
    if (length > 1 && out[length - 1] == '.')
        out[length - 1] = '\0';
    return true;
}

static const struct app *find_holder(const struct space_set *space_set, const char *hostname)
{
    for (size_t i = 0; i < space_set->count; i++)
        for (size_t j = 0; j < space_set->spaces[i]->app_count; j++) {
            const struct app *app = &space_set->spaces[i]->apps[j];
            for (size_t k = 0; k < app->domain_count; k++)
                if (strcmp(removed_format_domain(space_set, &app->domains[k]), hostname) == 0)
                    return app;
        }
    return NULL;
}

/* What the DNS targets of a space have in common: all but their first label. NULL: none yet. */
static const char *find_target_suffix(const struct space *space)
{
    for (size_t i = 0; i < space->app_count; i++)
        for (size_t j = 0; j < space->apps[i].domain_count; j++) {
            const char *target = space->apps[i].domains[j].cname.text;
            const char *dot = target == NULL ? NULL : strchr(target, '.');
            /* word.word.herokuspace.com: two dots or more after the first. */
            if (dot != NULL && strchr(dot + 1, '.') != strrchr(dot + 1, '.'))
                return dot + 1;
        }
    return NULL;
}

static void make_target(const struct change *change, char *out)
{
    const char *suffix = find_target_suffix(change->selected.space);
    char first[GENERATED_NAME_MOST], second[GENERATED_NAME_MOST];

    name_generator_next(first, sizeof first, TARGET_DIGITS);
    name_generator_next(second, sizeof second, TARGET_DIGITS);
    if (suffix != NULL)
        snprintf(out, HOST_MOST, "%s.%.190s", first, suffix);
    else
        snprintf(out, HOST_MOST, "%s.%s.%.100s", first, second,
                 change->session->policy.suffixes.targets[0]);
}

static int print_added(struct change *change, const char *hostname, const char *target)
{
    struct session *session = change->session;
    struct domain domain = {.cname.text = target};

    domain.is_wildcard = strncmp(hostname, "*.", 2) == 0;
    domain.hostname.text = hostname + (domain.is_wildcard ? 2 : 0);
    int code = session_print_json(session, domain_to_json(&change->space_set, &domain));
    fflush(session->out);
    return code;
}

static void advise_target(const struct session *session, const char *target)
{
    change_advise(session, "Configure your app's DNS provider to point to the DNS Target");
    change_advise(session, "%s.", target);
    change_advise(session, "For help, see %s", help_page);
}

static int add(struct change *change, const char *hostname, const char *target)
{
    const char *app = change->selected.app->name.text;
    struct err err;

    change_begin(change, app, "Adding %s to", hostname);
    const struct app *holder = find_holder(&change->space_set, hostname);
    if (holder != NULL && holder != change->selected.app) {
        err_set(
            &err, ERR_RULE,
            "%.255s is currently in use by another app; remove it there first, or choose another",
            hostname);
        return change_fail(change, err.text);
    }
    if (!edit_add_domain(&change->edit, app, hostname, target, &err))
        return change_fail(change, err.text);
    int code = change_commit(change, NULL);
    if (code == EXIT_DONE && change->session->is_json)
        code = print_added(change, hostname, target);
    else if (code == EXIT_DONE)
        advise_target(change->session, target);
    return code == EXIT_DONE ? change_request_reload(change) : code;
}

static int fail_length(struct session *session, const char *text)
{
    return session_fail(
        session, EXIT_REFUSED,
        "%.40s... is longer than a host name may be; write one of 253 octets at most", text);
}

int run_domains_add(struct session *session)
{
    const char *wanted = invocation_operand(&session->invocation, 0);
    const char *cname = session->invocation.options[OPTION_CNAME];
    char hostname[HOST_MOST], target[HOST_MOST];
    struct change change;

    if (!normalise(wanted, hostname))
        return fail_length(session, wanted);
    if (cname != NULL && !normalise(cname, target))
        return fail_length(session, cname);
    int code = change_open_app(&change, session);
    if (code == EXIT_DONE) {
        if (cname == NULL)
            make_target(&change, target);
        code = add(&change, hostname, target);
    }
    change_close(&change);
    return code;
}

/* ---- remove ---- */

static bool add_removed(struct change *change, const char *hostname)
{
    const struct app *app = change->selected.app;
    bool has_memory = true;

    assert(app != NULL); /* change_open_app found it */
    for (size_t i = 0; i < app->domain_count && has_memory; i++)
        if (strcmp(removed_format_domain(&change->space_set, &app->domains[i]), hostname) == 0)
            has_memory =
                removed_add_domain(&change->removed, &change->space_set, app, &app->domains[i]);
    return has_memory;
}

static int remove_domain(struct change *change, const char *hostname)
{
    const char *app = change->selected.app->name.text;
    struct err err;

    change_begin(change, app, "Removing %s from", hostname);
    if (find_holder(&change->space_set, hostname) != change->selected.app) {
        err_set(&err, ERR_RULE,
                "Couldn't find that domain name: %.255s; spacedns domains -a %.64s lists them",
                hostname, app);
        return change_fail(change, err.text);
    }
    if (!add_removed(change, hostname))
        return change_fail(change, "out of memory; nothing was changed; free some, then try again");
    if (!edit_remove_domain(&change->edit, app, hostname, &err))
        return change_fail(change, err.text);
    return change_finish(change);
}

int run_domains_remove(struct session *session)
{
    const char *wanted = invocation_operand(&session->invocation, 0);
    char hostname[HOST_MOST];
    struct change change;

    if (!normalise(wanted, hostname))
        return fail_length(session, wanted);
    int code = change_open_app(&change, session);
    if (code == EXIT_DONE)
        code = remove_domain(&change, hostname);
    change_close(&change);
    return code;
}
