// gnuplot as a child process: figures in, SVG or PDF out. No shell takes part.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "report/figure.hpp"

namespace limrisk {

enum class FigureFormat { Svg, Pdf };

/// The program: $LIMRISK_GNUPLOT if it is set, else `gnuplot` on PATH. Throws Error(Unavailable) that names the package if there is none.
std::filesystem::path find_gnuplot();

/// The files of all figures, in their order, drawn by few processes. Throws Error(Unavailable) if gnuplot cannot be started, lacks
/// the format or fails, with what it said on stderr.
std::vector<std::string> draw(const std::filesystem::path& gnuplot, const std::vector<Figure>& figures, FigureFormat format);

}  // namespace limrisk
