// gnuplot's SVG made fit to stand among others in a page: ids of its own, colours that a page can restyle, a name for those who cannot see.
#pragma once
#include <string>

#include "report/figure.hpp"

namespace limrisk {

/// An <svg> element without XML declaration, well-formed, of `figure.width` x `figure.height` pixels where no style says otherwise.
///   colours  "#rrggbb" in lower case, in the attributes stroke, fill and color, whatever spelling gnuplot chose
///   ids      begin with "NAME-", and so do the references to them
/// Throws Defect if `drawn` is no SVG of gnuplot.
std::string adapted_svg(const std::string& drawn, const Figure& figure);

}  // namespace limrisk
