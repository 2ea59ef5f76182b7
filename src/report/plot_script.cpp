// The gnuplot script of one panel; see plot_script.hpp.
#include "report/plot_script.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/palette.hpp"
#include "text/printable_text.hpp"

namespace limrisk {
namespace {

constexpr int left_margin = 66, right_margin = 22, top_margin = 14, key_line = 16, bottom_margin = 45;  // pixels

std::string number(double value) { return std::isnan(value) ? "NaN" : fmt::format("{:.10g}", value); }

/// "10⁻³", "2·10⁻³", or "0.5" where that is shorter.
std::string power_label(int mantissa, int exponent) {
    if (exponent >= -1 && exponent <= 3) return fmt::format("{:g}", mantissa * std::pow(10.0, exponent));
    constexpr const char* digits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    std::string text = mantissa == 1 ? "10" : fmt::format("{}·10", mantissa);
    if (exponent < 0) text += "⁻";
    for (const char digit : std::to_string(std::abs(exponent))) text += digits[digit - '0'];
    return text;
}

std::string axis_commands(const char* name, const PlotAxis& axis) {
    std::string text;
    if (axis.logarithmic) text += fmt::format("set logscale {} 10\n", name);
    text += fmt::format("set {}range [{}:{}] noextend\n", name, number(axis.low), number(axis.high));
    std::string tics;
    for (const auto& [value, label] : axis.tics)
        tics += fmt::format("{}{} {}", tics.empty() ? "" : ", ", gnuplot_text(label), number(value));
    for (const double value : axis.minor_tics) tics += fmt::format("{}'' {} 1", tics.empty() ? "" : ", ", number(value));
    return text + fmt::format("set {}tics nomirror out scale 0.6,0.3 {} textcolor rgb '{}' ({})\n", name,
                              name[0] == 'x' ? "offset 0,0.4" : "", palette::ink, tics);
}

/// 1, 2 or 5 times a power of ten, at least `width`.
double round_step(double width) {
    const double power = std::pow(10.0, std::floor(std::log10(width)));
    for (const double factor : {1.0, 2.0, 5.0}) {
        if (factor * power >= width * (1 - 1e-9)) return factor * power;
    }
    return 10 * power;
}

}  // namespace

std::string gnuplot_text(std::string_view text) {
    std::string quoted = "'";
    for (const char character : printable_text(text)) quoted += character == '\'' ? std::string("''") : std::string(1, character);
    return quoted + "'";
}

PlotAxis linear_axis(std::string label, double low, double high, int labels) {
    PlotAxis axis{std::move(label), low, high};
    const double step = round_step((high - low) / labels);
    for (auto k = std::ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; ++k) {
        const double value = k == 0 ? 0 : k * step;  // no -0
        axis.tics.emplace_back(value, fmt::format("{:g}", value));
    }
    return axis;
}

PlotAxis logarithmic_axis(std::string label, double low, double high, int labels) {
    PlotAxis axis{std::move(label), low, high, true};
    const int first = static_cast<int>(std::floor(std::log10(low))), last = static_cast<int>(std::ceil(std::log10(high)));
    const double decades = std::log10(high / low);
    if (decades < 0.25) {  // too short for round multiples: as a linear axis
        for (const auto& [value, text] : linear_axis("", low, high, 4).tics) {
            if (value > 0) axis.tics.emplace_back(value, text);
        }
        return axis;
    }
    const int every = std::max(1, static_cast<int>(std::ceil(decades / labels)));
    const bool dense = decades <= 2.2, full = decades <= 0.7;  // labels at 1, 2 and 5, or at all
    for (int exponent = first; exponent <= last; ++exponent) {
        for (int mantissa = 1; mantissa <= 9; ++mantissa) {
            const double value = mantissa * std::pow(10.0, exponent);
            if (value < low * (1 - 1e-9) || value > high * (1 + 1e-9)) continue;
            const bool labelled = mantissa == 1 ? (exponent % every) == 0 : full || (dense && (mantissa == 2 || mantissa == 5));
            if (labelled)
                axis.tics.emplace_back(value, power_label(mantissa, exponent));
            else if (mantissa == 1 || decades <= 5)
                axis.minor_tics.push_back(value);
        }
    }
    return axis;
}

PlotAxis doubling_axis(std::string label, const std::vector<double>& values) {
    PlotAxis axis{std::move(label), values.front() / 1.3, values.back() * 1.3, true};
    const double range = std::log(axis.high / axis.low);
    double right = -1;  // end of the last label, as a share of the axis
    for (const double value : values) {
        const std::string text = fmt::format("{:g}", value);
        const double middle = std::log(value / axis.low) / range, half = 0.014 * static_cast<double>(text.size()) + 0.006;
        if (middle - half >= right) {
            axis.tics.emplace_back(value, text);
            right = middle + half;
        } else {
            axis.minor_tics.push_back(value);
        }
    }
    return axis;
}

PlotAxis share_axis(std::string label) {
    PlotAxis axis{std::move(label), -0.02, 1.02};
    for (int percent = 0; percent <= 100; percent += 20) axis.tics.emplace_back(percent / 100.0, std::to_string(percent));
    return axis;
}

namespace {

/// Of an axis up to a value, from 0 at its lower end to 1 at its upper.
double share_of(const PlotAxis& axis, double value) {
    return axis.logarithmic ? std::log(value / axis.low) / std::log(axis.high / axis.low) : (value - axis.low) / (axis.high - axis.low);
}

}  // namespace

PlotScript::PlotScript(int width, int height, const PlotAxis& x, const PlotAxis& y, PlotRoom room)
    : width_(width),
      height_(height),
      bottom_(bottom_margin + room.bottom),
      top_(top_margin + key_line * room.key_lines),
      right_(right_margin + room.right),
      x_(x),
      y_(y) {
    commands_ = "set encoding utf8\nset samples 201\n";
    commands_ +=
        fmt::format("set lmargin at screen {:.6f}\nset rmargin at screen {:.6f}\n", 1.0 * left_margin / width, 1 - 1.0 * right_ / width);
    commands_ += fmt::format("set tmargin at screen {:.6f}\nset bmargin at screen {:.6f}\n", top_pixel() / height, 1.0 * bottom_ / height);
    commands_ += fmt::format("set border 3 linecolor rgb '{}' linewidth 1\n", palette::frame);
    commands_ += fmt::format("set grid xtics ytics back linetype 1 linecolor rgb '{}' linewidth 0.6\n", palette::grid);
    commands_ += axis_commands("x", x) + axis_commands("y", y);
    commands_ += fmt::format("set key Left reverse samplen 1.5 noautotitle textcolor rgb '{}'\n", palette::ink);
    // Not by xlabel and ylabel: gnuplot leaves those out where it thinks that the margins are too small for them.
    const auto label = [&](const PlotAxis& axis, double x_at, double y_at, const char* turned) {
        command(fmt::format("set label {} at screen {:.6f},{:.6f} center {} textcolor rgb '{}'", gnuplot_text(axis.label), x_at / width,
                            y_at / height, turned, palette::ink));
    };
    label(x, (left_margin + width - right_) / 2.0, room.bottom + 9.0, "norotate");
    label(y, 12, (bottom_ + top_pixel()) / 2, "rotate by 90");
}

std::string PlotScript::numbers(const std::vector<std::vector<double>>& columns) {
    std::string name = fmt::format("$p{}", ++blocks_);
    commands_ += name + " << EOD\n";
    for (std::size_t row = 0; row < columns.front().size(); ++row) {
        for (std::size_t column = 0; column < columns.size(); ++column)
            commands_ += (column == 0 ? "" : " ") + number(columns[column][row]);
        commands_ += '\n';
    }
    commands_ += "EOD\n";
    return name;
}

void PlotScript::curve(const std::string& how, std::string_view title) {
    curves_ += (curves_.empty() ? "" : ", ") + how;
    if (title.empty()) {
        curves_ += " notitle";
        return;
    }
    // Each name has its place, since gnuplot's own key breaks into lines as it likes. The sample stands to the left of the place.
    constexpr double sample = 30, character = 7.2, gap = 12;
    const double length = sample + character * static_cast<double>(title.size()) + gap;
    if (key_right_ > 0 && key_right_ + length > width_) {
        key_right_ = 0;
        ++key_line_;
    }
    if (key_right_ == 0) key_right_ = left_margin - 18;
    curves_ += fmt::format(" title {} at screen {:.6f},{:.6f}", gnuplot_text(title), (key_right_ + sample) / width_,
                           1 - (10.0 + key_line * key_line_) / height_);
    key_right_ += length;
}

void PlotScript::command(const std::string& line) { commands_ += line + "\n"; }

void PlotScript::note(double x, double y, std::string_view text) {
    command(fmt::format("set label {} at screen {:.6f},{:.6f} left front textcolor rgb '{}'", gnuplot_text(text), x / width_, y / height_,
                        palette::ink));
}

double PlotScript::x_pixel(double value) const { return left_margin + share_of(x_, value) * (width_ - left_margin - right_); }

double PlotScript::y_pixel(double value) const { return bottom_ + share_of(y_, value) * (top_pixel() - bottom_); }

double PlotScript::top_pixel() const { return height_ - top_; }

std::string PlotScript::text() const { return commands_ + "plot " + curves_ + "\n"; }

}  // namespace limrisk
