// The columns of a histogram on a logarithmic axis; see risk_columns.hpp.
#include "report/risk_columns.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace limrisk {
namespace {

/// First bins of the columns, and the bin behind the last one. Where the bins are few, as many of them in every column; where they are
/// many, equal ratios: a bin covers between 0.7 and 1.4 thousandths of an octave, which as columns would look like a saw.
std::vector<std::int32_t> column_ends(RiskSpan span, int columns) {
    const std::int64_t bins = std::int64_t{span.last} - span.first + 1;
    std::vector<std::int32_t> ends;
    if (bins < 8 * columns) {
        const std::int64_t each = (bins + columns - 1) / columns;
        for (std::int64_t bin = span.first; bin <= span.last; bin += each) ends.push_back(static_cast<std::int32_t>(bin));
        ends.push_back(static_cast<std::int32_t>(ends.back() + each));
    } else {
        const double low = std::log(risk_bin_range(span.first).low), high = std::log(risk_bin_range(span.last).high);
        for (int k = 0; k < columns; ++k) ends.push_back(std::max(span.first, risk_bin(std::exp(low + (high - low) * k / columns))));
        ends.push_back(span.last + 1);
        ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
    }
    ends.back() = std::min(ends.back(), infinite_risk_bin);
    return ends;
}

}  // namespace

std::optional<RiskSpan> risk_span(const Histogram& bins, double outside) {
    const auto shown = [&](std::size_t k) { return bins.keys[k] > 0 && bins.keys[k] < infinite_risk_bin; };
    std::int64_t trials = 0;
    for (std::size_t k = 0; k < bins.keys.size(); ++k) trials += shown(k) ? bins.counts[k] : 0;
    if (trials == 0) return std::nullopt;
    const auto may_go = static_cast<std::int64_t>(outside * static_cast<double>(trials));
    RiskSpan span{0, 0};
    std::int64_t seen = 0;
    for (std::size_t k = 0; k < bins.keys.size(); ++k) {
        if (!shown(k)) continue;
        if (seen <= may_go && seen + bins.counts[k] > may_go) span.first = bins.keys[k];
        if (seen < trials - may_go) span.last = bins.keys[k];
        seen += bins.counts[k];
    }
    return span;
}

RiskColumns risk_columns(const Histogram& bins, RiskSpan span, int columns) {
    const std::vector<std::int32_t> ends = column_ends(span, columns);
    RiskColumns all;
    const auto end = [](std::int32_t bin) {
        return bin < infinite_risk_bin ? risk_bin_range(bin).low : std::numeric_limits<double>::max();
    };
    for (std::size_t k = 0; k + 1 < ends.size(); ++k) all.columns.push_back({end(ends[k]), end(ends[k + 1]), 0});
    for (std::size_t k = 0; k < bins.keys.size(); ++k) {
        const std::int32_t bin = bins.keys[k];
        const std::int64_t trials = bins.counts[k];
        if (bin <= 0)
            all.not_positive += trials;
        else if (bin == infinite_risk_bin)
            all.infinite += trials;
        else if (bin < ends.front())
            all.below += trials;
        else if (bin >= ends.back())
            all.above += trials;
        else
            all.columns[static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), bin) - ends.begin() - 1)].trials += trials;
    }
    return all;
}

}  // namespace limrisk
