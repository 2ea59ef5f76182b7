// Binomial tails are incomplete beta functions.
#include "statistics/binomial_test.hpp"

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <numeric>

#include "limrisk/error.hpp"

namespace limrisk {
namespace {

void require_count(std::int64_t successes, std::int64_t trials, double p) {
    if (successes < 0 || successes > trials || !(p >= 0 && p <= 1))
        throw Defect("binomial tail: needs 0 <= successes <= trials and a probability");
}

}  // namespace

double binomial_at_most(std::int64_t successes, std::int64_t trials, double p) {
    require_count(successes, trials, p);
    if (successes == trials) return 1;
    return boost::math::ibetac(static_cast<double>(successes) + 1, static_cast<double>(trials - successes), p);
}

double binomial_at_least(std::int64_t successes, std::int64_t trials, double p) {
    require_count(successes, trials, p);
    if (successes == 0) return 1;
    return boost::math::ibeta(static_cast<double>(successes), static_cast<double>(trials - successes) + 1, p);
}

double binomial_test(std::int64_t successes, std::int64_t trials, double p) {
    return std::min(1.0, 2 * std::min(binomial_at_most(successes, trials, p), binomial_at_least(successes, trials, p)));
}

std::vector<double> holm_adjusted(const std::vector<double>& p_values) {
    std::vector<std::size_t> order(p_values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p_values[a] < p_values[b]; });
    std::vector<double> adjusted(p_values.size());
    double largest = 0;
    for (std::size_t rank = 0; rank < order.size(); ++rank) {
        const double factor = static_cast<double>(order.size() - rank);
        largest = std::max(largest, std::min(1.0, factor * p_values[order[rank]]));
        adjusted[order[rank]] = largest;
    }
    return adjusted;
}

}  // namespace limrisk
