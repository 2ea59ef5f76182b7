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
    draw(progress.seconds, [&](int columns) { return progress_line(meter_, columns); });
}

void ProgressDisplay::show(double seconds, double fraction, const std::string& text) {
    draw(seconds, [&](int columns) { return bar_line(fraction, text, columns); });
}

void ProgressDisplay::draw(double seconds, const std::function<std::string(int columns)>& line) {
    if (terminal_) {
        // The last column stays free: some terminals wrap when it is written.
        note_progress("\r" + line(terminal_columns() - 1) + "\x1b[K");
        shown_ = true;
    } else if (seconds >= last_plain_line_ + plain_line_seconds) {
        last_plain_line_ = seconds;
        note_progress(line(plain_columns) + "\n");
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
