// The columns of a histogram on a logarithmic axis, made of the fine bins of an Aggregate. Every trial is in exactly one place.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "aggregation/aggregate.hpp"

namespace limrisk {

/// Trials with low <= risk < high.
struct RiskColumn {
    double low, high;
    std::int64_t trials;
};

/// The sum of `columns` and of the four counts is the number of trials.
struct RiskColumns {
    std::vector<RiskColumn> columns;    ///< ascending, adjacent, empty ones included
    std::int64_t not_positive = 0;      ///< a risk of 0, or below by rounding: no place on a logarithmic axis
    std::int64_t below = 0, above = 0;  ///< positive and finite, outside the columns
    std::int64_t infinite = 0;          ///< diverged trials
};

/// Bins (risk_bin) from the first to the last one.
struct RiskSpan {
    std::int32_t first, last;
};

/// The positive finite bins that hold all but a share `outside` of the trials with such risks at each end. None if there are no such
/// trials.
std::optional<RiskSpan> risk_span(const Histogram& bins, double outside);

/// At most `columns` columns of about the same width on a logarithmic axis; their ends are ends of bins. 1 <= span.first <= span.last,
/// finite.
RiskColumns risk_columns(const Histogram& bins, RiskSpan span, int columns);

}  // namespace limrisk
