// What the law of the initialization says about a cell before anything is trained.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "aggregation/aggregate.hpp"
#include "analysis/statement.hpp"
#include "campaign/campaign.hpp"
#include "campaign/cell.hpp"

namespace limrisk {

/// Whether p depends on the width: laws scaled by it.
bool depends_on_width(const InitializationRule& rule);

/// Probability that one neuron is inactive at the start as it is drawn without a condition, on what neurons are judged by; nothing where it
/// is not known, as in Prediction. It is that of frozen neurons where a constant piece of A is 0.
std::optional<InactiveProbability> inactive_probability(const CellConfig& cell);

/// Why no neuron of a cell stays frozen; of one that does not keep_frozen_neurons().
std::string why_none_freezes(const CellConfig& cell);

/// Throws ConfigError for cells whose condition cannot be met by drawing neurons anew: their probability is not known, or too near 0 or 1.
void check_conditions(const Campaign& campaign);

/// p of a cell's initialization and box, P(at least `least` frozen neurons) if that is known, and the test of the counts seen.
/// On a condition on the start: that probability on the condition, and neither p nor a test.
Prediction predict(const CellConfig& cell, std::optional<std::int64_t> least, const Histogram& frozen_initial);

}  // namespace limrisk
