// The gnuplot script of one panel: axes, inline numbers, curves, labels. All text goes through gnuplot_text.
#pragma once
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace limrisk {

/// A value that a curve does not have at a point: nothing is drawn there.
inline constexpr double absent = std::numeric_limits<double>::quiet_NaN();

/// A gnuplot string constant for any text: in single quotes, where gnuplot replaces neither `commands`, @macros nor escapes.
std::string gnuplot_text(std::string_view text);

/// A range low < high, and where its labels stand.
struct PlotAxis {
    std::string label;
    double low = 0, high = 1;
    bool logarithmic = false;
    std::vector<std::pair<double, std::string>> tics{};
    std::vector<double> minor_tics{};
};

/// Labels at multiples of 1, 2 or 5 times a power of ten, at most about `labels` of them.
PlotAxis linear_axis(std::string label, double low, double high, int labels = 6);
/// Labels at powers of ten, or at their multiples by 1, 2 and 5 where the range is short. 0 < low < high, both finite.
PlotAxis logarithmic_axis(std::string label, double low, double high, int labels = 7);
/// Logarithmic, labels at `values`, ascending and positive; some are left out where they would overlap.
PlotAxis doubling_axis(std::string label, const std::vector<double>& values);
/// 0 to 100 %, for values from 0 to 1.
PlotAxis share_axis(std::string label);

/// What is left free above, below and beside the plot and its axes.
struct PlotRoom {
    int key_lines = 1;  ///< of names of curves; a line holds three short ones
    int bottom = 0;     ///< pixels
    int right = 0;      ///< pixels
};

class PlotScript {
public:
    PlotScript(int width, int height, const PlotAxis& x, const PlotAxis& y, PlotRoom room = {});
    /// Numbers in columns of one length; NaN is a gap. Its name in curves: "$p1", ...
    ///   columns  [column][row]
    std::string numbers(const std::vector<std::vector<double>>& columns);
    /// `how`: a plot element of gnuplot without its title, which is `title` in the key; none if that is empty.
    void curve(const std::string& how, std::string_view title = {});
    /// A command as it is; texts in it must come from gnuplot_text.
    void command(const std::string& line);
    /// Text at a place of the figure, in pixels from its left and lower edge.
    void note(double x, double y, std::string_view text);
    /// Pixels from the left edge of the figure to a value of the x axis.
    double x_pixel(double value) const;
    double y_pixel(double value) const;  ///< the same from the lower edge to a value of the y axis
    double top_pixel() const;            ///< from the lower edge to the top of the plot
    std::string text() const;

private:
    int width_, height_, bottom_, top_, right_;
    PlotAxis x_, y_;
    std::string commands_, curves_;
    int blocks_ = 0, key_line_ = 0;
    double key_right_ = 0;  ///< where the next name of the key begins, pixels; 0: at the left
};

}  // namespace limrisk
