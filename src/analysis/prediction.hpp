// What the law of the initialization says about a cell before anything is trained.
#pragma once
#include <cstdint>
#include <optional>

#include "aggregation/aggregate.hpp"
#include "analysis/statement.hpp"
#include "campaign/cell.hpp"

namespace limrisk {

/// Whether p depends on the width: laws scaled by it.
bool depends_on_width(const InitializationRule& rule);

/// p of a cell's initialization and box, P(at least `least` frozen neurons) if that is known, and the test of the counts seen.
Prediction predict(const CellConfig& cell, std::optional<std::int64_t> least, const Histogram& frozen_initial);

}  // namespace limrisk
