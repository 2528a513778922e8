/* Default domains, custom domains and DNS targets. A name belongs to one app. */
#include "space/checking.h"

#include "wire/domain.h"

#include <string.h>

enum {
    DOMAINS_MAX = 1000,
    IDENTIFIER_LENGTH = 12,
    DEFAULT_DOMAIN_MAX = 512,
    PLAIN = 0,
    WILDCARD = 1
};

/* After the app's name: [-IDENTIFIER][.LABEL], then the suffix. */
static bool is_default_domain(const char *domain, const char *name, const char *suffix)
{
    size_t name_length = strlen(name);

    if (strncmp(domain, name, name_length) != 0)
        return false;
    const char *rest = domain + name_length;
    if (*rest == '-') {
        rest++;
        if (strspn(rest, "abcdefghijklmnopqrstuvwxyz0123456789") != IDENTIFIER_LENGTH)
            return false;
        rest += IDENTIFIER_LENGTH;
    }
    if (*rest++ != '.')
        return false;
    size_t label_length = strcspn(rest, ".");
    bool has_zone = rest[label_length] == '.' && strcmp(rest + label_length + 1, suffix) == 0 &&
                    label_is_ldh(rest, label_length);
    return has_zone || strcmp(rest, suffix) == 0;
}

static void check_default_domain(struct checking *checking, const struct app *app)
{
    const struct word *domain = &app->default_domain;
    const char *suffix = checking->suffixes->apps;

    if (domain->text != NULL && !is_default_domain(domain->text, app->name.text, suffix))
        FIND(checking, DOM_HEROKU, domain->at,
             "default_domain `%.120s` does not fit app %.40s; write %.40s.%.80s, or "
             "%.40s-IDENTIFIER.%.80s with the 12 characters the platform gave, or remove the key",
             domain->text, app->name.text, app->name.text, suffix, app->name.text, suffix);
}

/* Two apps with the same name are E-DUP; their equal default domains are not reported again. */
static void add_default_domain(struct checking *checking, const struct app *app)
{
    const struct word *given = &app->default_domain;
    struct location at = given->text == NULL ? app->name.at : given->at;
    char made[DEFAULT_DOMAIN_MAX];
    struct text text = text_over(made, sizeof made - 1);

    text_add_string(&text, app->name.text);
    text_add_string(&text, ".");
    text_add_string(&text, checking->suffixes->apps);
    *text.next = '\0';
    const char *name = given->text == NULL ? made : given->text;
    const struct seen_entry *before = seen_add(&checking->names, PLAIN, name, at, app);
    if (before == NULL)
        return;
    const struct app *other = before->owner;
    if (strcmp(other->name.text, app->name.text) != 0)
        FIND(checking, DOM_TAKEN, at,
             "default domain %.120s is in use by another app, %.40s (line %u); give one of them "
             "its own default_domain",
             name, other->name.text, (unsigned)before->at.line);
}

static void add_hostname(struct checking *checking, const struct app *app,
                         const struct domain *domain)
{
    const struct word *hostname = &domain->hostname;
    const char *star = domain->is_wildcard ? "*." : "";
    const struct seen_entry *before =
        seen_add(&checking->names, domain->is_wildcard ? WILDCARD : PLAIN, hostname->text,
                 hostname->at, app);

    if (before == NULL)
        return;
    const struct app *other = before->owner;
    if (other == app)
        FIND(checking, DUP, hostname->at,
             "domain %s%.120s is already given on line %u for this app; remove one", star,
             hostname->text, (unsigned)before->at.line);
    else
        FIND(
            checking, DOM_TAKEN, hostname->at,
            "domain %s%.120s is currently in use by another app, %.40s (line %u); a domain belongs "
            "to one app, remove it from one of them",
            star, hostname->text, other->name.text, (unsigned)before->at.line);
}

/* A target may serve several domains of one app. */
static void add_target(struct checking *checking, const struct app *app, const struct word *cname)
{
    if (cname->text == NULL)
        return;
    const struct seen_entry *before =
        seen_add(&checking->names, PLAIN, cname->text, cname->at, app);
    if (before == NULL || before->owner == app)
        return;
    const struct app *other = before->owner;
    FIND(checking, DOM_TARGET, cname->at,
         "DNS target %.120s already serves another app, %.40s (line %u); copy each app's own "
         "target from the platform",
         cname->text, other->name.text, (unsigned)before->at.line);
}

void check_names(struct checking *checking)
{
    const struct space *space = checking->space;

    for (size_t i = 0; i < space->app_count; i++) {
        const struct app *app = &space->apps[i];
        add_default_domain(checking, app);
        for (size_t j = 0; j < app->domain_count; j++) {
            add_hostname(checking, app, &app->domains[j]);
            add_target(checking, app, &app->domains[j].cname);
        }
    }
}

/* Returns the platform suffix above the name, or NULL. */
static const char *reserved_suffix(const struct suffixes *suffixes, const char *name)
{
    const char *const reserved[] = {suffixes->apps,       suffixes->discovery, suffixes->targets[0],
                                    suffixes->targets[1], "in-addr.arpa",      "ip6.arpa"};

    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if (domain_is_within(name, reserved[i]))
            return reserved[i];
    return NULL;
}

static void check_hostname(struct checking *checking, const struct domain *domain)
{
    const struct word *hostname = &domain->hostname;
    const char *star = domain->is_wildcard ? "*." : "";
    const char *suffix = reserved_suffix(checking->suffixes, hostname->text);
    const char *flaw = hostname_flaw(hostname->text);

    if (suffix != NULL)
        FIND(checking, DOM_RESERVED, hostname->at,
             "domain %s%.120s lies below %s, which belongs to the platform; use a domain of yours",
             star, hostname->text, suffix);
    else if (flaw != NULL)
        FIND(checking, DOM_NAME, hostname->at, "domain `%s%.120s` %s", star, hostname->text, flaw);
    else
        check_special_name(checking, hostname->text, hostname->at);
}

static bool is_target(const struct suffixes *suffixes, const char *name)
{
    for (size_t i = 0; i < 2; i++)
        if (domain_is_within(name, suffixes->targets[i]) && strcmp(name, suffixes->targets[i]) != 0)
            return hostname_flaw(name) == NULL;
    return false;
}

static void check_target(struct checking *checking, const struct domain *domain)
{
    const struct word *cname = &domain->cname;
    const char *star = domain->is_wildcard ? "*." : "";

    if (cname->text != NULL && !is_target(checking->suffixes, cname->text))
        FIND(checking, DOM_TARGET, cname->at,
             "DNS target `%.120s` is not a name below %.80s or %.80s; copy the domain's DNS target "
             "from the platform",
             cname->text, checking->suffixes->targets[0], checking->suffixes->targets[1]);
    if (domain->is_pending || cname->text == NULL)
        FIND(checking, DOM_PENDING, domain->hostname.at,
             "domain %s%.120s is pending, so it is not answered; %s", star, domain->hostname.text,
             domain->is_pending ? "remove `status: pending` once the platform has finished"
                                : "add `cname` with its DNS target once the platform shows it");
}

static void check_domain(struct checking *checking, const struct app *app,
                         const struct domain *domain)
{
    check_hostname(checking, domain);
    check_target(checking, domain);
    if (domain->is_wildcard && domain->is_alias)
        FIND(checking, DOM_RECORD, domain->record_at,
             "domain *.%.120s is a wildcard, which cannot be an alias; remove `record: alias`",
             domain->hostname.text);
    if (app->internal_routing && domain->acm_status.text != NULL)
        FIND(checking, DOM_ACM, domain->acm_status.at,
             "domain %.120s has acm_status `%.40s`, but app %.40s is internal and cannot have "
             "automated certificates; disable them for the app",
             domain->hostname.text, domain->acm_status.text, app->name.text);
}

void check_domains(struct checking *checking)
{
    const struct space *space = checking->space;

    for (size_t i = 0; i < space->app_count; i++) {
        const struct app *app = &space->apps[i];
        check_default_domain(checking, app);
        for (size_t j = 0; j < app->domain_count; j++)
            check_domain(checking, app, &app->domains[j]);
        if (app->domain_count > DOMAINS_MAX)
            FIND(checking, DOM_COUNT, app->domains[DOMAINS_MAX].hostname.at,
                 "app %.40s has %zu custom domains, and the platform allows %d; remove some",
                 app->name.text, app->domain_count, DOMAINS_MAX);
    }
}
