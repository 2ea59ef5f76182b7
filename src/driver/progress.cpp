// Speed, time left and the progress line.
#include "driver/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace limrisk {
namespace {

constexpr double window_seconds = 5;
constexpr int usual_text_width = 58;

std::string bar(double fraction, int width) {
    const int filled = std::clamp(static_cast<int>(fraction * width), 0, width);
    std::string text(static_cast<std::size_t>(filled), '=');
    if (filled < width) text += '>';
    text.resize(static_cast<std::size_t>(width), ' ');
    return '[' + text + ']';
}

}  // namespace

void ProgressMeter::add(const Progress& sample) {
    latest_ = sample;
    recent_.push_back(sample);
    while (recent_.size() > 2 && recent_.front().seconds < sample.seconds - window_seconds) recent_.pop_front();
}

double ProgressMeter::fraction() const {
    if (latest_.cost_total <= 0) return 1;
    return std::clamp((latest_.cost_before + latest_.cost_done) / latest_.cost_total, 0.0, 1.0);
}

double ProgressMeter::speed() const {
    if (recent_.empty()) return 0;
    const Progress& first = recent_.front();
    const double elapsed = latest_.seconds - first.seconds;
    if (elapsed > 0) return (latest_.replica_steps - first.replica_steps) / elapsed;
    return latest_.seconds > 0 ? latest_.replica_steps / latest_.seconds : 0;
}

double ProgressMeter::seconds_left() const {
    const double left = latest_.cost_total - latest_.cost_before - latest_.cost_done;
    if (left <= 0) return 0;
    if (latest_.cost_done <= 0 || latest_.seconds <= 0) return -1;
    return left * latest_.seconds / latest_.cost_done;
}

std::string clock_text(double seconds) {
    if (!(seconds >= 0)) return "--:--";
    if (seconds >= 2 * 86400.0) return fmt::format("{:.0f} days", seconds / 86400);
    const auto whole = static_cast<std::int64_t>(std::ceil(seconds));
    const std::int64_t hours = whole / 3600, minutes = whole / 60 % 60, rest = whole % 60;
    return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, rest) : fmt::format("{}:{:02}", minutes, rest);
}

std::string duration_text(double seconds) {
    return seconds >= 0 && seconds < 9.95 ? fmt::format("{:.1f} s", seconds) : clock_text(seconds);
}

std::string speed_text(double per_second) {
    if (!(per_second > 0)) return "0";
    int exponent = static_cast<int>(std::floor(std::log10(per_second)));
    double mantissa = per_second / std::pow(10.0, exponent);
    if (mantissa >= 9.995) {
        mantissa = 1;
        ++exponent;
    }
    return fmt::format("{:.2f}e{}", mantissa, exponent);
}

std::string progress_line(const ProgressMeter& meter, int columns) {
    const Progress& now = meter.latest();
    const int percent = static_cast<int>(std::floor(100 * meter.fraction()));
    const std::string end = now.stopping ? "stopping" : (now.at_most ? "at most " : "") + clock_text(meter.seconds_left()) + " left";
    const std::string text = fmt::format(" {:3} %  cells {}/{}  {} replica-steps/s  {}", percent, now.cells_done, now.cells_total,
                                         speed_text(meter.speed()), end);
    return bar_line(meter.fraction(), text, columns);
}

std::string bar_line(double fraction, const std::string& text, int columns) {
    // The room of a usual text is kept free, so that the bar does not change its width all the time.
    const int room = columns - std::max(usual_text_width, static_cast<int>(text.size())) - 2;
    const std::string line = (room >= 5 ? bar(fraction, std::min(room, 30)) : "") + text;
    return line.substr(0, static_cast<std::size_t>(std::max(columns, 0)));
}

}  // namespace limrisk
