#include "base/wrap.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int wrap_width(FILE *out)
{
    struct winsize size;

    if (isatty(fileno(out)) != 1 || ioctl(fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return WRAP_ENDLESS;
    return size.ws_col < WRAP_LEAST ? WRAP_LEAST : size.ws_col;
}

void wrap_print(FILE *out, const char *text, int column)
{
    int width = wrap_width(out), at = column;

    while (*text != '\0') {
        int length = (int)strcspn(text, " ");
        if (at > column && at + 1 + length > width) {
            fprintf(out, "\n%*s", column, "");
            at = column;
        }
        at += fprintf(out, "%s%.*s", at > column ? " " : "", length, text);
        text += length + (text[length] == ' ');
    }
    fputc('\n', out);
}
