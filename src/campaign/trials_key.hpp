// The key `trials`: a number, or a table that says when a cell has enough.
#pragma once
#include <vector>

#include "campaign/campaign.hpp"
#include "campaign/document.hpp"
#include "campaign/parameter.hpp"
#include "campaign/problems.hpp"

namespace limrisk {

/// Reads `trials = 1000` or `trials = { at_most = 1000000, until = { interval_half_width = 0.005 } }` into the campaign's `trials`
/// and `until`. `number`: what the plain form allows.
void read_trials(const Parameter& number, const Node& node, Campaign& campaign, Problems& problems);

/// The dotted key that --trials replaces: at_most where the file has a rule.
const char* trials_key(const Node& root);

/// The parameters of the tables, for the documentation's test: at_most; those of until.
std::vector<const Parameter*> trials_parameters();

}  // namespace limrisk
