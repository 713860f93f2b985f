#include "daemon/catalogue/scan.h"

#include "common/decimal.h"

#include <ctype.h>

static void scan_blanks(struct scanner *scanner)
{
    while (scanner->at < scanner->text.len && isspace((unsigned char)scanner->text.at[scanner->at])) scanner->at++;
}

char scan_peek(struct scanner *scanner)
{
    scan_blanks(scanner);
    return scanner->at < scanner->text.len ? scanner->text.at[scanner->at] : 0;
}

bool scan_sign(struct scanner *scanner, char sign)
{
    if (scan_peek(scanner) != sign) return false;
    scanner->at++;
    return true;
}

/* Everything from here on that `fits`. */
static struct span take(struct scanner *scanner, bool (*fits)(char))
{
    struct span taken = { scanner->text.at + scanner->at, 0 };
    while (scanner->at < scanner->text.len && fits(scanner->text.at[scanner->at])) scanner->at++, taken.len++;
    return taken;
}

static bool of_name(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool of_custom(char c)
{
    return of_name(c) || c == '.' || c == '-';
}

static bool of_number(char c)
{
    return isdigit((unsigned char)c) || c == '.';
}

static bool of_value(char c)
{
    return !isspace((unsigned char)c) && !strchr(",|]\"", c);
}

static bool of_quoted(char c)
{
    return c != '"';
}

bool scan_name(struct scanner *scanner, struct span *name)
{
    if (!isalpha((unsigned char)scan_peek(scanner))) return false;
    *name = take(scanner, of_name);
    return true;
}

bool scan_custom(struct scanner *scanner, struct span *name)
{
    *name = take(scanner, of_custom);
    return name->len > 0;
}

bool scan_number(struct scanner *scanner, struct rational *number)
{
    if (!isdigit((unsigned char)scan_peek(scanner))) return false;
    struct decimal decimal;
    size_t start = scanner->at;
    if (!decimal_parse(take(scanner, of_number), &decimal)) {
        scanner->at = start;
        return false;
    }
    __int128 den = 1;
    for (int i = 0; i < decimal.scale; i++) den *= 10;
    *number = rational_of(decimal.digits, den);
    return true;
}

bool scan_value(struct scanner *scanner, struct span *value)
{
    if (scan_sign(scanner, '"')) {
        *value = take(scanner, of_quoted);
        return value->len && scan_sign(scanner, '"');
    }
    scan_blanks(scanner);
    *value = take(scanner, of_value);
    return value->len > 0;
}
