// Terminal handling of the progress line.
#include "cli/progress_display.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "cli/output.hpp"

namespace limrisk::cli {
namespace {

constexpr double plain_line_seconds = 10;
constexpr int plain_columns = 100;

int terminal_columns() {
    winsize size{};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

bool stderr_is_terminal() {
    const char* kind = std::getenv("TERM");
    return isatty(STDERR_FILENO) != 0 && kind != nullptr && std::string_view(kind) != "dumb";
}

}  // namespace

ProgressDisplay::ProgressDisplay() : terminal_(stderr_is_terminal()) {}

void ProgressDisplay::show(const Progress& progress) {
    meter_.add(progress);
    if (terminal_) {
        // The last column stays free: some terminals wrap when it is written.
        note_progress("\r" + progress_line(meter_, terminal_columns() - 1) + "\x1b[K");
        shown_ = true;
    } else if (progress.seconds >= last_plain_line_ + plain_line_seconds) {
        last_plain_line_ = progress.seconds;
        note_progress(progress_line(meter_, plain_columns) + "\n");
    }
}

void ProgressDisplay::clear() {
    if (shown_) note_progress("\r\x1b[K");
    shown_ = false;
}

void ProgressDisplay::finish() {
    if (shown_) note_progress("\n");
    shown_ = false;
}

}  // namespace limrisk::cli
