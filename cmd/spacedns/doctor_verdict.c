#include "spacedns/doctor_verdict.h"

#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/text.h"
#include "wire/types.h"

enum { LINE_OCTETS = 1024, RCODE_OCTETS = 32 };

void doctor_format_rcode(uint16_t rcode, char *out, size_t size)
{
    struct text text = text_over(out, size - 1);

    rcode_add(&text, rcode);
    *text.next = '\0';
}

const char *doctor_line(const char *explanation, const char *begin, char *out, size_t size)
{
    for (const char *line = explanation; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        if (strncmp(line, begin, strlen(begin)) == 0) {
            snprintf(out, size, "%.*s", (int)(length - strlen(begin)), line + strlen(begin));
            return out;
        }
        line += length + (line[length] == '\n');
    }
    return NULL;
}

/* The name that the explanation's aliases lead to: alias=db.corp.example target=db.example.com */
static const char *find_last_name(const char *explanation, char *out, size_t size)
{
    static const char alias[] = "alias=", target[] = " target=";
    const char *name = NULL;

    for (const char *line = explanation; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        if (strncmp(line, alias, sizeof alias - 1) == 0)
            name = strstr(line, target);
        line += length + (line[length] == '\n');
    }
    if (name == NULL)
        return NULL;
    name += sizeof target - 1;
    snprintf(out, size, "%.*s", (int)strcspn(name, " \n"), name);
    return out;
}

static void add_part(struct text *text, const char *words, const char *value)
{
    text_add_string(text, "; ");
    text_add_string(text, words);
    text_add_string(text, value);
}

/* "verdict=NOERROR without data: Q10 app crashed: ..." */
static void add_reason(struct text *text, const char *explanation)
{
    char verdict[LINE_OCTETS];

    if (doctor_line(explanation, "verdict=", verdict, sizeof verdict) == NULL)
        return;
    const char *reason = strstr(verdict, ": Q");
    if (reason != NULL)
        add_part(text, "", reason + strlen(": "));
}

/* An app without internal routing; that it must be recreated is all the remedy there is. */
static bool add_public_app(struct text *text, const char *explanation)
{
    static const char fixed[] = "internal routing is fixed at creation: ";
    char line[LINE_OCTETS], app[LINE_OCTETS];

    if (doctor_line(explanation, fixed, line, sizeof line) == NULL ||
        doctor_line(explanation, "app=", app, sizeof app) == NULL)
        return false;
    app[strcspn(app, " ")] = '\0';
    add_part(text, "it belongs to an app without internal routing, ", app);
    add_part(text, fixed, line);
    return true;
}

void doctor_format_cause(const char *explanation, bool has_reason, char *out, size_t size)
{
    struct text text = text_over(out, size - 1);
    char line[LINE_OCTETS];

    if (find_last_name(explanation, line, sizeof line) != NULL)
        add_part(&text, "its aliases lead to ", line);
    if (!has_reason)
        add_reason(&text, explanation);
    bool has_remedy = (has_reason && strstr(explanation, " has no internal routing") != NULL) ||
                      add_public_app(&text, explanation);
    if (doctor_line(explanation, "did you mean ", line, sizeof line) != NULL)
        add_part(&text, "did you mean ", line);
    if (!has_remedy && doctor_line(explanation, "remedy=", line, sizeof line) != NULL)
        add_part(&text, "", line);
    *text.next = '\0';
}

static bool has_rcode(const char *verdict, uint16_t wanted)
{
    char rcode[RCODE_OCTETS];

    doctor_format_rcode(wanted, rcode, sizeof rcode);
    size_t length = strlen(rcode);
    return strncmp(verdict, rcode, length) == 0 &&
           (verdict[length] == '\0' || verdict[length] == ':' || verdict[length] == ' ');
}

/* Without a reason (Q40 is a note) it has addresses; a CNAME alone has a reason. */
static bool agrees_on_addresses(const char *verdict, const struct doctor_answer *answer)
{
    bool is_full = strcmp(verdict, "NOERROR") == 0 || strncmp(verdict, "NOERROR: Q40", 12) == 0;
    bool is_empty = strstr(verdict, " without data") != NULL;

    return answer->address_count > 0 ? !is_empty : !is_full;
}

static bool has_address(const struct doctor_answer *answer, const char *text)
{
    uint32_t address;

    for (size_t i = 0; ipv4_read(text, &address) && i < answer->address_count; i++)
        if (answer->addresses[i] == address)
            return true;
    return false;
}

static bool agrees_on_routers(const char *explanation, const struct doctor_answer *answer)
{
    char line[LINE_OCTETS], *rest = NULL;
    size_t named = 0;

    if (doctor_line(explanation, "routers up: ", line, sizeof line) == NULL)
        return true;
    char *source = strstr(line, " (");
    if (source != NULL)
        *source = '\0';
    for (const char *word = strtok_r(line, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest), named++)
        if (!has_address(answer, word))
            return false;
    return named == answer->address_count;
}

bool doctor_agrees(const char *explanation, const struct doctor_answer *answer)
{
    static const char forward[] = "forward to ";
    char verdict[LINE_OCTETS];

    if (doctor_line(explanation, "verdict=", verdict, sizeof verdict) == NULL ||
        strncmp(verdict, forward, sizeof forward - 1) == 0)
        return true;
    if (!has_rcode(verdict, answer->rcode))
        return false;
    if (answer->rcode == RCODE_NOERROR && !agrees_on_addresses(verdict, answer))
        return false;
    return answer->address_count == 0 || agrees_on_routers(explanation, answer);
}
