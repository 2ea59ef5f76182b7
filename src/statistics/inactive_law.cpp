// Binomial probabilities and exact tests of each count.
#include "statistics/inactive_law.hpp"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <cmath>
#include <numeric>

#include "limrisk/error.hpp"
#include "statistics/binomial_test.hpp"

namespace limrisk {
namespace {

void require_law(double p, std::int64_t width) {
    if (!(p >= 0 && p <= 1) || width < 0) throw Defect("number of inactive neurons: needs a probability and a width of at least 0");
}

/// Ends of the bins, from the law alone.
std::vector<CountBin> bins_of(const std::vector<double>& probabilities, double trials) {
    constexpr double enough = 5;
    const auto is_enough = [&](double probability) { return trials * probability >= enough; };
    const auto first = std::find_if(probabilities.begin(), probabilities.end(), is_enough);
    if (first == probabilities.end()) return {};
    const auto last = std::find_if(probabilities.rbegin(), probabilities.rend(), is_enough).base() - 1;
    const std::int64_t low = first - probabilities.begin(), high = last - probabilities.begin();
    const std::int64_t width = static_cast<std::int64_t>(probabilities.size()) - 1;
    std::vector<CountBin> bins;
    if (low > 0) bins.push_back({0, low - 1, 0, 0, 0});
    for (std::int64_t j = low; j <= high; ++j) bins.push_back({j, j, 0, 0, 0});
    if (high < width) bins.push_back({high + 1, width, 0, 0, 0});
    return bins;
}

}  // namespace

double non_convergence_bound(double p, std::int64_t width) {
    require_law(p, width);
    if (width == 0) return 0;
    return -std::expm1(static_cast<double>(width) * std::log1p(-p));
}

double predicted_rate(double p) {
    require_law(p, 0);
    return -std::log1p(-p);
}

std::vector<double> inactive_count_probabilities(double p, std::int64_t width) {
    require_law(p, width);
    std::vector<double> probabilities(static_cast<std::size_t>(width) + 1);
    const boost::math::binomial_distribution<double> law(static_cast<double>(width), p);
    for (std::size_t j = 0; j < probabilities.size(); ++j) probabilities[j] = boost::math::pdf(law, static_cast<double>(j));
    return probabilities;
}

CountTest test_inactive_counts(const std::vector<std::int64_t>& observed, double p, std::int64_t width) {
    const std::vector<double> probabilities = inactive_count_probabilities(p, width);
    if (observed.size() != probabilities.size()) throw Defect("test_inactive_counts: needs a count for each of 0..width inactive neurons");
    const std::int64_t trials = std::accumulate(observed.begin(), observed.end(), std::int64_t{0});
    CountTest test{1, trials * width, 0, 1, bins_of(probabilities, static_cast<double>(trials))};
    std::int64_t j = 0;
    for (const std::int64_t count : observed) test.inactive += j++ * count;

    std::vector<double> p_values{binomial_test(test.inactive, test.neurons, p)};
    for (CountBin& bin : test.bins) {
        double share = 0;
        for (std::int64_t k = bin.first; k <= bin.last; ++k) {
            share += probabilities[static_cast<std::size_t>(k)];
            bin.observed += observed[static_cast<std::size_t>(k)];
        }
        share = std::min(share, 1.0);
        bin.expected = share * static_cast<double>(trials);
        p_values.push_back(binomial_test(bin.observed, trials, share));
    }
    const std::vector<double> adjusted = holm_adjusted(p_values);
    test.total_p_value = adjusted.front();
    for (std::size_t b = 0; b < test.bins.size(); ++b) test.bins[b].p_value = adjusted[b + 1];
    test.p_value = *std::min_element(adjusted.begin(), adjusted.end());
    return test;
}

}  // namespace limrisk
