// All local minima of the risk of ReLU networks on finitely many points of one input: docs/optimum.md, "Data points with one input".
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "optimum/network.hpp"
#include "optimum/problem.hpp"
#include "optimum/search_control.hpp"
#include "optimum/true_risk.hpp"

namespace limrisk::optimum {

/// A local minimum all of whose neurons take part.
struct DataLevel {
    Network network{0, 1};
    double risk = 0;      ///< on the points, as TrueRisk sums it; 0 where it is 0 up to rounding
    std::string shape;    ///< R or L by orientation in the order of the kinks, r or l if the kink is on a point, + a linear neuron
    bool strict = false;  ///< every condition holds by more than rounding; else some holds within rounding only
    double gradient = 0;  ///< norm of the element of the generalized gradient that is nearest to 0, in coordinates without units
    double smallest_eigenvalue = 0, largest_eigenvalue = 0;  ///< of the Hessian in the coordinates of its affine pieces
};

/// Whether local minima are searched by patterns: data points that all trials share, one input, ReLU, the squared loss.
bool has_pattern_search(const Problem& problem);

/// The least risk of networks of a width.
struct DataMinimum {
    DataLevel network;              ///< that has it, of this width or less
    std::optional<double> next;     ///< risk of the next local minimum above
    std::optional<double> bound;    ///< no network has less, up to rounding; none where rounding decides what a fit is
    int patterns = 0, reached = 0;  ///< choices of places that were looked at, and networks that were found at this risk
};

struct DataMinima {
    std::vector<DataLevel> levels;    ///< ascending by risk; of those whose risks agree one
    std::vector<DataMinimum> optima;  ///< by width
};

/// Those of the widths 0 .. `width`. Throws Error(Usage) for a width above widest_on_data, and where points and width make more than
/// most_patterns patterns, SearchStopped where control asks for it.
DataMinima data_minima(const TrueRisk& risk, std::int64_t width, const SearchControl& control = {});

/// The largest width up to `largest` that is searched by patterns, and by no more than `most` of them; none of problems that are not.
std::optional<std::int64_t> widest_by_patterns(const Problem& problem, std::int64_t largest, double most);

inline constexpr std::int64_t widest_on_data = 4;
inline constexpr double most_patterns = 1e7;

}  // namespace limrisk::optimum
