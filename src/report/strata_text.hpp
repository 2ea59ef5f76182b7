// Probabilities of reaching the optimum by strata, in words and as JSON.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "analysis/summary.hpp"

namespace limrisk {

/// "1.2e-10", "0.037": three digits. Of two ends of a range or interval the lower is rounded down and the upper up.
std::string probability_range(const Interval& interval);

/// Whose probability it is: "reaching the optimum", or "a limiting risk of at most 0.0005".
std::string reaching_text(const StrataStatement& statement);

/// How the strata of one statement came about, of each what is known.
std::string strata_phrase(const StrataStatement& statement);

/// What it is, a line for each statement, and for each reason why cells give none; nothing where no cell has a condition.
std::vector<std::string> strata_lines(const StoreSummary& summary);

nlohmann::ordered_json strata_json(const StrataStatement& statement);

}  // namespace limrisk
