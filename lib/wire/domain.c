#include "wire/domain.h"

#include <string.h>

enum { LABEL_MOST = 63 };

/* Folds a letter to lower case; returns 0 if such a name must not contain it. */
static char fold_letter(enum domain_kind kind, char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return (char)(letter - 'A' + 'a');
    bool is_letter = (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9');
    bool is_mark = letter == '-' || letter == '.' || (letter == '_' && kind == DOMAIN_ZONE);
    return is_letter || is_mark ? letter : 0;
}

/* True for labels of 1 to 63 octets with dots between, no hyphen at either end. */
static bool has_good_labels(const char *name, size_t length)
{
    size_t label = 0;

    for (size_t i = 0; i < length; i++) {
        bool is_dot = name[i] == '.';
        bool begins = label == 0, ends = i + 1 == length || name[i + 1] == '.';
        if (is_dot ? begins : name[i] == '-' && (begins || ends))
            return false;
        label = is_dot ? 0 : label + 1;
        if (label > LABEL_MOST)
            return false;
    }
    return label > 0;
}

size_t domain_fold(enum domain_kind kind, const char *text, char *folded, size_t most)
{
    size_t length = strlen(text);

    if (length > 1 && text[length - 1] == '.')
        length--;
    if (length > most)
        return 0;
    for (size_t i = 0; i < length; i++) {
        folded[i] = fold_letter(kind, text[i]);
        if (folded[i] == 0)
            return 0;
    }
    return has_good_labels(folded, length) ? length : 0;
}

bool domain_is_within(const char *domain, const char *suffix)
{
    size_t length = strlen(domain), tail = strlen(suffix);

    if (length < tail || strcmp(domain + length - tail, suffix) != 0)
        return false;
    return length == tail || domain[length - tail - 1] == '.';
}

unsigned domain_label_count(const char *domain)
{
    unsigned count = 1;

    if (strcmp(domain, ".") == 0)
        return 0;
    for (; *domain != '\0'; domain++)
        count += *domain == '.';
    return count;
}

bool domain_is_ascii(const char *name, struct err *err)
{
    for (const char *letter = name; *letter != '\0'; letter++)
        if ((unsigned char)*letter >= 0x80)
            return err_set(err, ERR_SYNTAX,
                           "%.80s is not ASCII, so no client asks for it in this form; write it in "
                           "Punycode (xn--...)",
                           name);
    return true;
}
