#include "inspect/explain_request.h"

#include <arpa/inet.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/suggest.h"
#include "wire/domain.h"
#include "wire/types.h"

static bool is_digit(char letter)
{
    return letter >= '0' && letter <= '9';
}

/* Reads one octet of a label, also `\.` and `\046`. Returns the letters used, 0 on failure. */
static size_t read_octet(const char *text, uint8_t *octet)
{
    *octet = (uint8_t)text[0];
    if (text[0] != '\\')
        return 1;
    *octet = (uint8_t)text[1];
    if (!is_digit(text[1]))
        return text[1] == '\0' ? 0 : 2;
    if (!is_digit(text[2]) || !is_digit(text[3]))
        return 0;
    int value = (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
    *octet = (uint8_t)value;
    return value > UINT8_MAX ? 0 : 4;
}

/* Reads a label into wire form, at most 64 octets. Returns false if it is empty or too long. */
static bool read_label(const char **text, uint8_t *wire)
{
    unsigned length = 0;

    while (**text != '\0' && **text != '.') {
        uint8_t octet;
        size_t took = read_octet(*text, &octet);
        if (took == 0 || length == LABEL_MAX_OCTETS)
            return false;
        wire[++length] = octet;
        *text += took;
    }
    wire[0] = (uint8_t)length;
    *text += **text == '.';
    return length > 0;
}

static bool read_name(const char *text, struct name *name)
{
    uint8_t wire[NAME_MAX_OCTETS + LABEL_MAX_OCTETS + 2];
    size_t length = 0;

    if (strcmp(text, ".") == 0)
        text++;
    else if (*text == '\0')
        return false;
    while (*text != '\0') {
        if (length >= NAME_MAX_OCTETS || !read_label(&text, wire + length))
            return false;
        length += wire[length] + 1U;
    }
    wire[length++] = 0;
    struct reader in = reader_over(wire, length);
    return name_read(&in, name);
}

/* Digits alone, unlike ldns, which takes TYPE1x and TYPE65537 for TYPE1. */
static bool read_type_number(const char *digits, uint16_t *type)
{
    char *end;
    unsigned long number = strtoul(digits, &end, 10);

    *type = (uint16_t)number;
    return is_digit(*digits) && *end == '\0' && number <= UINT16_MAX;
}

static bool read_type_name(const char *text, uint16_t *type)
{
    *type = (uint16_t)ldns_get_rr_type_by_name(text);
    return *type != 0;
}

static bool read_type(const char *text, uint16_t *type, struct err *err)
{
    static const char *const names[] = {
#define TYPE(name, number) #name,
#include "wire/types.def"
    };

    if (strncasecmp(text, "TYPE", 4) == 0 ? read_type_number(text + 4, type)
                                          : read_type_name(text, type))
        return true;
    const char *suggestion = suggest_among(text, names, sizeof names / sizeof names[0]);
    return err_set(err, ERR_SYNTAX, "%.80s is not a record type%s%s%s write one as A or TYPE65",
                   text, suggestion == NULL ? "" : "; did you mean ",
                   suggestion == NULL ? "" : suggestion, suggestion == NULL ? ";" : "?");
}

bool explain_read_source(const char *text, struct explain_source *source)
{
    struct path *path = &source->path;
    struct in6_addr address;

    path->is_ipv6 = false;
    source->ipv6[0] = '\0';
    if (ipv4_read(text, &path->source))
        return true;
    if (inet_pton(AF_INET6, text, &address) != 1)
        return false;
    path->source = 0;
    if (IN6_IS_ADDR_V4MAPPED(&address))
        path->source = load32(address.s6_addr + 12);
    else if (IN6_IS_ADDR_LOOPBACK(&address))
        path->source = INADDR_LOOPBACK;
    else
        path->is_ipv6 = inet_ntop(AF_INET6, &address, source->ipv6, sizeof source->ipv6) != NULL;
    return true;
}

bool explain_read_client(const struct explain_client *words, struct explain_source *source,
                         struct err *err)
{
    const char *from = words->from, *to = words->to, *device = words->device;

    source->device[0] = '\0';
    if (from != NULL && !explain_read_source(from, source))
        return err_set(err, ERR_SYNTAX, "--from: %.80s is not an address; write one as 10.0.130.56",
                       from);
    if (to != NULL && !ipv4_read(to, &source->path.destination))
        return err_set(err, ERR_SYNTAX,
                       "--to: %.80s is not an IPv4 address; write one that the server listens on",
                       to);
    if (device == NULL)
        return true;
    if (*device == '\0' || strlen(device) > DEVICE_OCTETS_MOST)
        return err_set(err, ERR_SYNTAX,
                       "--device: %.80s is no name of a network interface; write a connection's "
                       "`device`, as ipsec0",
                       device);
    strcpy(source->device, device); // NOLINT: measured above
    return true;
}

struct path explain_path(const struct snapshot *snapshot, const struct explain_source *source)
{
    struct path path = source->path;

    if (source->device[0] != '\0')
        path.interface = access_interface(&snapshot->access, source->device);
    return path;
}

bool explain_is_web_address(const char *name, const char **host, int *length)
{
    const char *after = strstr(name, "://");

    if (after == NULL)
        return false;
    *host = after + 3;
    *length = (int)strcspn(*host, "/:?#");
    return true;
}

bool explain_request_read(const struct explain_question *words, struct explain_request *request,
                          struct err *err)
{
    const char *name = words->name;
    const char *type = words->type;
    struct query *query = &request->query;
    uint32_t address;

    *request =
        (struct explain_request){.query = {.type = TYPE_A, .class = CLASS_IN, .flags = FLAG_RD}};
    if (ipv4_read(name, &address))
        return err_set(err, ERR_SYNTAX,
                       "%s is an address; for its name ask %u.%u.%u.%u.in-addr.arpa --type PTR",
                       name, (unsigned)(address & 0xff), (unsigned)(address >> 8 & 0xff),
                       (unsigned)(address >> 16 & 0xff), (unsigned)(address >> 24));
    if (!domain_is_ascii(name, err))
        return false;
    if (!read_name(name, &query->name))
        return err_set(err, ERR_SYNTAX,
                       "%.80s is not a domain name; write labels of 1 to 63 octets with dots "
                       "between, 253 in all",
                       name);
    if (type != NULL && !read_type(type, &query->type, err))
        return false;
    if (words->client.from == NULL)
        return err_set(err, ERR_SYNTAX,
                       "the answer depends on the client; add --from ADDR, the client's address");
    return explain_read_client(&words->client, &request->source, err);
}
