#include "spacednsd/traffic_print.h"

#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/escape.h"
#include "inspect/print.h"
#include "spacednsd/usage_text.h"
#include "wire/types.h"

enum { CHANGE_OCTETS = 256, TYPE_OCTETS = 16, NAMES_IN_TEXT = 3, CLIENTS_IN_TEXT = 4 };

static const char nobodys[] = "names of nobody here";

/* ---- text ---- */

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void print_first(const struct replay *replay, FILE *out)
{
    const struct replay_sum *asked = &replay->asked, *changed = &replay->changed;
    char since[CLOCK_TEXT_OCTETS];

    clock_format(replay->reach.since_s, since);
    fprintf(out, "traffic since %s: ", since);
    if (asked->count == 0)
        fputs("nobody has asked anything\n", out);
    else if (changed->count == 0)
        fprintf(out, "none of %u client%s would have got something else, in %llu repl%s\n",
                asked->clients, plural(asked->clients), (unsigned long long)asked->count,
                asked->count == 1 ? "y" : "ies");
    else
        fprintf(out, "%u of %u client%s would have got something else, in %llu of %llu replies\n",
                changed->clients, asked->clients, plural(asked->clients),
                (unsigned long long)changed->count, (unsigned long long)asked->count);
}

static bool is_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void print_title(const struct replay_group *group, FILE *out)
{
    if (group->space != NULL)
        escape_printf(out, "space %s%s%s\n", group->space, group->app == NULL ? "" : ", app ",
                      group->app == NULL ? "" : group->app);
    else
        fprintf(out, "%s\n", group->who == PARTY_OUTSIDE ? "clients outside" : nobodys);
}

static void print_who(const struct replay_group *group, FILE *out)
{
    const char *name = group->who_name == NULL ? group->who_space : group->who_name;

    if (group->who == PARTY_OUTSIDE)
        fputs("clients outside", out);
    else
        escape_printf(out, "%u client%s of %s %s", group->clients, plural(group->clients),
                      party_kind_text(group->who), name);
}

static void format_change(const struct replay_group *group, char octets[CHANGE_OCTETS])
{
    struct text text = text_over(octets, CHANGE_OCTETS - 1);

    replay_answer_add_change(&text, group->difference, &group->before, &group->after);
    *text.next = '\0';
}

static const char *format_type(uint16_t type, char octets[TYPE_OCTETS])
{
    struct text text = text_over(octets, TYPE_OCTETS - 1);

    type_add(&text, type);
    *text.next = '\0';
    return octets;
}

static void print_names(const struct replay_group *group, FILE *out)
{
    char type[TYPE_OCTETS];
    uint32_t shown = group->shown_names < NAMES_IN_TEXT ? group->shown_names : NAMES_IN_TEXT;

    for (uint32_t i = 0; i < shown; i++)
        escape_printf(out, "%s%s %s", i == 0 ? "" : ", ",
                      group->names[i].text[0] == '\0' ? "(a name kept as a hash)"
                                                      : group->names[i].text,
                      format_type(group->names[i].type, type));
    if (group->has_more_names || group->shown_names > shown)
        fputs(" and more", out);
}

static void print_addresses(const struct replay_group *group, FILE *out)
{
    char octets[CIDR_TEXT_MAX];
    uint32_t shown =
        group->shown_clients < CLIENTS_IN_TEXT ? group->shown_clients : CLIENTS_IN_TEXT;

    for (uint32_t i = 0; i < shown; i++) {
        ipv4_write(group->addresses[i], octets);
        fprintf(out, "%s%s", i == 0 ? "" : ", ", octets);
    }
    if (group->clients > shown)
        fprintf(out, " and %u more", group->clients - shown);
}

static void print_group(const struct replay_group *group, FILE *out)
{
    char change[CHANGE_OCTETS], since[CLOCK_TEXT_OCTETS];

    format_change(group, change);
    clock_format(group->first_s, since);
    fputs("  ~ ", out);
    print_who(group, out);
    fprintf(out, " asked %llu time%s since %s: %s\n", (unsigned long long)group->count,
            plural(group->count), since, change);
    if (group->who == PARTY_OUTSIDE && group->shown_names == 0)
        return;
    fputs("      ", out);
    print_names(group, out);
    fputs("; ", out);
    print_addresses(group, out);
    fputc('\n', out);
}

/* What is not known. */
static void print_reach(const struct replay *replay, size_t silent, FILE *out)
{
    const struct questions_reach *reach = &replay->reach;

    if (replay->left_out > 0)
        fprintf(out, "and %llu more replies of further apps and clients\n",
                (unsigned long long)replay->left_out);
    if (replay->outside > 0)
        fprintf(out,
                "clients outside are known as one, without addresses and names: %llu replies; who "
                "of them a change lets in is not known\n",
                (unsigned long long)replay->outside);
    if (reach->pushed_out > 0)
        fprintf(out, "%llu older questions have made room, asked up to that time\n",
                (unsigned long long)reach->pushed_out);
    if (silent > 0)
        fprintf(out, "%zu worker%s not answer now, and may have answered further questions\n",
                silent, silent == 1 ? " does" : "s do");
    if (reach->coarse > 0 || reach->lost > 0)
        fprintf(out,
                "not tried, because so many came at once: %llu replies counted by app alone, %llu "
                "not counted\n",
                (unsigned long long)reach->coarse, (unsigned long long)reach->lost);
}

void traffic_print(const struct replay *replay, size_t silent, FILE *out)
{
    print_first(replay, out);
    for (size_t i = 0; i < replay->count; i++) {
        const struct replay_group *group = replay->groups[i];
        const struct replay_group *last = i == 0 ? NULL : replay->groups[i - 1];
        if (last == NULL || !is_text(last->space, group->space) ||
            !is_text(last->app, group->app) ||
            (group->space == NULL && group->who == PARTY_OUTSIDE))
            print_title(group, out);
        print_group(group, out);
    }
    print_reach(replay, silent, out);
}

/* ---- JSON ---- */

static json_t *answer_to_json(const struct replay_answer *answer)
{
    char octets[CHANGE_OCTETS], rcode[TYPE_OCTETS];
    struct text text = text_over(octets, sizeof octets - 1);
    struct text rcode_text = text_over(rcode, sizeof rcode - 1);
    bool is_forwarded = answer->kind == REPLAY_FORWARDED;

    replay_answer_add(&text, answer);
    rcode_add(&rcode_text, answer->rcode);
    *text.next = *rcode_text.next = '\0';
    return json_pack("{s:s, s:b, s:s?, s:s?, s:I, s:I}", "text", octets, "forwarded", is_forwarded,
                     "rcode", is_forwarded ? NULL : rcode, "reason",
                     answer->reason == REASON_NONE ? NULL : reason_entry(answer->reason)->code,
                     "records", (json_int_t)answer->count, "ttl", (json_int_t)answer->ttl_seconds);
}

static json_t *who_to_json(const struct replay_group *group)
{
    return json_pack("{s:s, s:s*, s:s*}", "kind", party_kind_text(group->who), "space",
                     group->who_space, "name", group->who_name);
}

static json_t *names_to_json(const struct replay_group *group)
{
    json_t *names = json_array();
    char type[TYPE_OCTETS];

    for (uint32_t i = 0; i < group->shown_names; i++)
        json_array_append_new(
            names, json_pack("{s:s?, s:s}", "name",
                             group->names[i].text[0] == '\0' ? NULL : group->names[i].text, "type",
                             format_type(group->names[i].type, type)));
    return names;
}

static json_t *addresses_to_json(const struct replay_group *group)
{
    json_t *addresses = json_array();
    char octets[CIDR_TEXT_MAX];

    for (uint32_t i = 0; i < group->shown_clients && group->who != PARTY_OUTSIDE; i++) {
        ipv4_write(group->addresses[i], octets);
        json_array_append_new(addresses, json_string(octets));
    }
    return addresses;
}

static json_t *group_to_json(const struct replay_group *group)
{
    static const char *const differences[] = {
        [REPLAY_SAME] = "none",
        [REPLAY_OTHER_TTL] = "ttl",
        [REPLAY_OTHER_CONTENT] = "content",
        [REPLAY_OTHER] = "answer",
    };

    return json_pack("{s:s?, s:s?, s:o, s:s, s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:b}", "space",
                     group->space, "app", group->app, "who", who_to_json(group), "change",
                     differences[group->difference], "before", answer_to_json(&group->before),
                     "after", answer_to_json(&group->after), "replies", (json_int_t)group->count,
                     "clients", (json_int_t)group->clients, "first",
                     usage_json_time(group->first_s), "last", usage_json_time(group->last_s),
                     "addresses", addresses_to_json(group), "names", names_to_json(group),
                     "more_names", (int)group->has_more_names);
}

json_t *traffic_json(const struct replay *replay, size_t silent)
{
    const struct questions_reach *reach = &replay->reach;
    json_t *groups = json_array();

    for (size_t i = 0; i < replay->count; i++)
        json_array_append_new(groups, group_to_json(replay->groups[i]));
    return json_pack("{s:o, s:{s:I, s:I, s:I}, s:{s:I, s:I}, s:o, s:I, s:I, s:I, s:I, s:I}",
                     "since", usage_json_time(reach->since_s), "asked", "replies",
                     (json_int_t)replay->asked.count, "clients", (json_int_t)replay->asked.clients,
                     "outside", (json_int_t)replay->outside, "changed", "replies",
                     (json_int_t)replay->changed.count, "clients",
                     (json_int_t)replay->changed.clients, "groups", groups, "left_out",
                     (json_int_t)replay->left_out, "pushed_out", (json_int_t)reach->pushed_out,
                     "counted_by_app", (json_int_t)reach->coarse, "not_counted",
                     (json_int_t)reach->lost, "silent_workers", (json_int_t)silent);
}
