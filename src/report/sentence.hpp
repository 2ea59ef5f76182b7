// A cell in one sentence, for people and papers.
#pragma once
#include <string>
#include <vector>

#include "report/summary.hpp"

namespace limrisk {

/// "adam(0.01), width 32: of 4,096 trials 100.0 % [99.9, 100.0] provably cannot ..." `names`: what tells the cell from the others of its
/// store ("adam(0.01)", "width 32"). `tolerance` as in StoreSummary. Shares with the 95 % interval.
std::string sentence(const CellSummary& cell, const std::vector<std::string>& names, double tolerance);

/// In per cent with one digit; ">99.9" and "<0.1" where it would seem to be all or none and is not.
std::string share_text(std::int64_t trials, std::int64_t of);

/// 65536 -> "65,536"
std::string grouped_digits(std::int64_t number);

}  // namespace limrisk
