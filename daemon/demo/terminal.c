#include "daemon/demo/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum {
    WRITE_WAIT_MS = 1000,
    SEQUENCE_WAIT_MS = 5
};

static const char enter_sequence[] = "\033[?1049h\033[?25l\033[2J", leave_sequence[] = "\033[0m\033[?25h\033[?1049l";

/* The one terminal there is. Also read by the handler of crashes. */
static struct termios before;
static volatile sig_atomic_t entered;

bool terminal_usable(void)
{
    const char *term = getenv("TERM");
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

void terminal_leave(void)
{
    if (!entered) return;
    entered = 0;
    terminal_write(leave_sequence, sizeof leave_sequence - 1);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
}

/* The terminal first, then what would have happened. */
static void on_crash(int number)
{
    terminal_leave();
    signal(number, SIG_DFL);
    raise(number);
}

void terminal_enter(void)
{
    static const int crashes[] = { SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV };
    if (tcgetattr(STDIN_FILENO, &before) != 0) return;
    struct termios raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
    raw.c_iflag &= ~(tcflag_t)(IXON | ICRNL);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    entered = 1;
    for (size_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++) signal(crashes[i], on_crash);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
    terminal_write(enter_sequence, sizeof enter_sequence - 1);
}

void terminal_size(int *rows, int *columns)
{
    struct winsize size = { 0 };
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    *rows = size.ws_row ? size.ws_row : 24;
    *columns = size.ws_col ? size.ws_col : 80;
}

void terminal_write(const char *bytes, size_t n)
{
    while (n) {
        ssize_t written = write(STDOUT_FILENO, bytes, n);
        if (written < 0 && errno == EAGAIN && poll(&(struct pollfd){ STDOUT_FILENO, POLLOUT, 0 }, 1, WRITE_WAIT_MS) > 0) continue;
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;
        bytes += written;
        n -= (size_t)written;
    }
}

/* The next byte, waited for so long; -1: none. */
static int next_byte(int wait_ms)
{
    unsigned char byte;
    struct pollfd input = { STDIN_FILENO, POLLIN, 0 };
    if (poll(&input, 1, wait_ms) <= 0) return -1;
    return read(STDIN_FILENO, &byte, 1) == 1 ? byte : -1;
}

int terminal_key(void)
{
    static const struct {
        char final;
        int key;
    } sequences[] = { { 'A', KEY_UP }, { 'B', KEY_DOWN }, { 'C', KEY_RIGHT }, { 'D', KEY_LEFT }, { 'Z', KEY_BACK_TAB } };
    int byte = next_byte(0);
    if (byte < 0) return KEY_NONE;
    if (byte != KEY_ESCAPE) return byte;
    int kind = next_byte(SEQUENCE_WAIT_MS);
    if (kind < 0) return KEY_ESCAPE;
    int final = next_byte(SEQUENCE_WAIT_MS);
    while (final >= '0' && final <= ';') final = next_byte(SEQUENCE_WAIT_MS); /* parameters */
    for (size_t i = 0; i < sizeof sequences / sizeof sequences[0]; i++)
        if (sequences[i].final == final) return sequences[i].key;
    return KEY_NONE;
}
