// Sums in long double: those of finite doubles do not overflow.
#include "trajectory/series.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "limrisk/error.hpp"
#include "statistics/quantile.hpp"

namespace limrisk {

TrajectorySeries trajectory_series(std::string name, std::vector<double> values, std::int64_t trials) {
    const std::size_t steps = values.size() / static_cast<std::size_t>(trials);
    return trajectory_series(std::move(name), std::move(values), std::vector<std::int64_t>(steps, trials));
}

TrajectorySeries trajectory_series(std::string name, std::vector<double> values, const std::vector<std::int64_t>& trials_at) {
    if (std::any_of(values.begin(), values.end(), [](double value) { return std::isnan(value); }))
        throw Defect(fmt::format("a trajectory's {} is not a number", name));
    TrajectorySeries series;
    series.name = std::move(name);
    auto from = values.begin();
    for (const std::int64_t trials : trials_at) {
        const auto to = from + trials;
        long double sum = 0;
        for (auto value = from; value != to; ++value) sum += static_cast<long double>(*value);
        series.mean.push_back(static_cast<double>(sum / static_cast<long double>(trials)));
        std::sort(from, to);
        const auto quantile = [&](double share) { return from[quantile_rank(share, trials) - 1]; };
        series.quantile_05.push_back(quantile(0.05));
        series.quantile_25.push_back(quantile(0.25));
        series.median.push_back(quantile(0.5));
        series.quantile_75.push_back(quantile(0.75));
        series.quantile_95.push_back(quantile(0.95));
        from = to;
    }
    return series;
}

}  // namespace limrisk
