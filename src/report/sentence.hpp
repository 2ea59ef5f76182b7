// A cell in one sentence, for people and papers.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "analysis/summary.hpp"
#include "statistics/clopper_pearson.hpp"

namespace limrisk {

/// "adam(0.01), width 32: of 4,096 trials 100.0 % [99.9, 100.0] provably cannot ..." `names`: what tells the cell from the others of its
/// store ("adam(0.01)", "width 32"). `tolerance` as in StoreSummary. Shares with the 95 % interval.
std::string sentence(const CellSummary& cell, const std::vector<std::string>& names, double tolerance);

/// Of every cell of the summary, named by what tells it from the others.
std::vector<std::string> sentences(const StoreSummary& summary);

/// In per cent with one digit; ">99.9" and "<0.1" where it would seem to be all or none and is not.
std::string share_text(double share);
std::string share_text(std::int64_t trials, std::int64_t of);

/// Whether the error of the rule of the checks matters: it is more than the threshold of the optimum allows, and 1 % of the trials or more
/// are nearer to it than that, or a trial seems to be better than the optimum.
bool has_telling_error(const CellSummary& cell);

/// Share of the trials that missed the optimum, by share_text(): "90.0"; "90.0-92.5" where bins tell no more and both look different.
std::string missed_share(const Measured& measured, std::int64_t trials, std::string_view to = "-");

/// "[99.9, 100.0]", its ends by share_text().
std::string ends_text(const Interval& interval);

}  // namespace limrisk
