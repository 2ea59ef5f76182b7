// Terminal handling of the progress line.
#include "cli/progress_display.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <numeric>
#include <string_view>
#include <utility>

#include "cli/output.hpp"
#include "text/number_text.hpp"

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

void ReadingDisplay::watch(Store& store) {
    std::vector<std::int64_t> before(store.cells().size() + 1);  // trials of the cells before each
    for (const BlockKey& key : store.blocks()) before[static_cast<std::size_t>(key.cell) + 1] += key.count;
    std::partial_sum(before.begin(), before.end(), before.begin());
    // Of a cell, blocks come in their order.
    store.watch_reading([this, before, cell = std::int64_t{-1}, in_cell = std::int64_t{0}](const BlockKey& key) mutable {
        if (key.cell != std::exchange(cell, key.cell) || key.first_trial == 0) in_cell = 0;
        in_cell += key.count;
        show(before[static_cast<std::size_t>(key.cell)] + in_cell, before.back());
    });
}

std::function<void(const std::filesystem::path&, const BlockKey&)> shown_blocks(ReadingDisplay& display,
                                                                                const std::vector<std::filesystem::path>& parts) {
    std::int64_t all = 0;
    for (const std::filesystem::path& part : parts) all += trial_count(Store::open(part).blocks());
    return [&display, all, done = std::int64_t{0}](const std::filesystem::path&, const BlockKey& key) mutable {
        done = (done < all ? done : 0) + key.count;
        display.show(done, all);
    };
}

void ReadingDisplay::show(std::int64_t done, std::int64_t all) {
    if (done < std::exchange(last_done_, done)) ++readings_;
    const Clock::time_point now = Clock::now();
    if (now - start_ < std::chrono::seconds(1) || now - drawn_ < std::chrono::milliseconds(200)) return;
    drawn_ = now;
    const double share = all > 0 ? static_cast<double>(done) / static_cast<double>(all) : 1;
    display_.show(std::chrono::duration<double>(now - start_).count(), share,
                  fmt::format("{}: {} of {} trials{}", what_, grouped_digits(done), grouped_digits(all),
                              readings_ > 1 ? fmt::format(", reading {}", readings_) : ""));
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
