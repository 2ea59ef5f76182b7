// The best of several restarts, in words.
#pragma once
#include <string>

#include "analysis/summary.hpp"

namespace limrisk {

/// "at least one of 10 trials reaches the best known risk with probability 93.2 % [80.1, 98.0]; the best final risk of 10 trials ...".
std::string restart_text(const RestartStatement& restarts);

/// A line for each cell with trials, under the word "restarts"; empty where nobody asked.
std::string restart_remark(const StoreSummary& summary);

}  // namespace limrisk
