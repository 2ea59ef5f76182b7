// The exponential rates of a store in words.
#pragma once
#include <string>
#include <vector>

#include "analysis/summary.hpp"

namespace limrisk {

/// The rates in words, and which sweeps have none and why; sweeps that say the same together, each said of whom it holds.
std::vector<std::string> rate_lines(const StoreSummary& summary);

}  // namespace limrisk
