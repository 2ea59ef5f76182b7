// Nested root finding on the concave log-likelihood: the intercept inside, the rate outside.
#include "statistics/exponential_rate.hpp"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <limits>
#include <set>

#include "limrisk/error.hpp"

namespace limrisk {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Root of a function that falls from `from` to `to`, with different signs there.
template <class Function>
double falling_root(Function function, double from, double to) {
    std::uintmax_t iterations = 300;
    const auto bracket = boost::math::tools::toms748_solve(function, from, to, boost::math::tools::eps_tolerance<double>(50), iterations);
    return 0.5 * (bracket.first + bracket.second);
}

double log_1_minus_exp(double minus_eta) {  // log(1 - exp(-eta)), eta >= 0
    return minus_eta > -0.6931471805599453 ? std::log(-std::expm1(minus_eta)) : std::log1p(-std::exp(minus_eta));
}

class Likelihood {
public:
    Likelihood(const std::vector<WidthCount>& counts, bool with_intercept) : counts_(counts), with_intercept_(with_intercept) {
        const auto narrower = [](const WidthCount& a, const WidthCount& b) { return a.width < b.width; };
        const auto [least, most] = std::minmax_element(counts.begin(), counts.end(), narrower);
        narrowest_ = static_cast<double>(least->width);
        widest_ = static_cast<double>(most->width);
    }

    /// The smallest rate that is possible: probabilities are not negative.
    double smallest_rate() const { return with_intercept_ ? -largest_rate() : 0; }
    /// Beyond this all probabilities, but that of one width, are 1 to the last bit.
    double largest_rate() const { return 750; }

    /// The intercept of the largest likelihood at this rate.
    double intercept(double rate) const {
        if (!with_intercept_) return 0;
        const double least = -rate * pivot(rate);  // here the smallest eta is 0
        const auto slope = [&](double log_excess) {
            double sum = 0;
            for (const WidthCount& count : counts_) sum += score(count, least + std::exp(log_excess) + rate * width(count));
            return sum;
        };
        const double low = std::log(1e-300), high = std::log(800.0);
        if (slope(low) <= 0) return least;
        if (slope(high) >= 0) return least + 800;
        return least + std::exp(falling_root(slope, low, high));
    }

    double value(double rate) const {
        const double constant = intercept(rate);
        double sum = 0;
        for (const WidthCount& count : counts_) {
            const double eta = std::max(0.0, constant + rate * width(count));
            if (count.events > 0) sum += static_cast<double>(count.events) * log_1_minus_exp(-eta);
            sum -= survivors(count) * eta;
        }
        return sum;
    }

    /// Derivative of value(rate).
    double slope(double rate) const {
        // With an intercept the sum of the scores is 0, or the pivot has eta = 0; either way the pivot may be subtracted.
        const double constant = intercept(rate), pivot_width = with_intercept_ ? pivot(rate) : 0;
        double sum = 0;
        for (const WidthCount& count : counts_) {
            const double distance = width(count) - pivot_width;
            if (distance != 0) sum += distance * score(count, constant + rate * width(count));
        }
        return sum;
    }

private:
    static double width(const WidthCount& count) { return static_cast<double>(count.width); }
    static double survivors(const WidthCount& count) { return static_cast<double>(count.trials - count.events); }
    /// Derivative of the log-likelihood of one count by eta.
    static double score(const WidthCount& count, double eta) {
        const double gain = count.events == 0 ? 0 : static_cast<double>(count.events) / std::expm1(std::max(eta, 1e-280));
        return gain - survivors(count);
    }
    /// The width with the smallest eta.
    double pivot(double rate) const { return rate >= 0 ? narrowest_ : widest_; }

    const std::vector<WidthCount>& counts_;
    bool with_intercept_;
    double narrowest_ = 0, widest_ = 0;
};

double saturated(const std::vector<WidthCount>& counts) {
    double sum = 0;
    for (const WidthCount& count : counts) {
        const double events = static_cast<double>(count.events), trials = static_cast<double>(count.trials), rest = trials - events;
        if (events > 0) sum += events * std::log(events / trials);
        if (rest > 0) sum += rest * std::log(rest / trials);
    }
    return sum;
}

}  // namespace

std::vector<WidthCount> nested_counts(const std::vector<WidthCount>& counts) {
    std::vector<WidthCount> increments;
    WidthCount before{0, counts.empty() ? 0 : counts.front().trials, 0};
    for (const WidthCount& count : counts) {
        if (count.width <= before.width || count.trials != before.trials || count.events < before.events || count.events > count.trials)
            throw Defect("nested_counts: needs increasing widths, the same trials at each, and events that do not fall");
        const std::int64_t left = before.trials - before.events;
        if (left > 0) increments.push_back({count.width - before.width, left, count.events - before.events});
        before = count;
    }
    return increments;
}

RateFit fit_exponential_rate(const std::vector<WidthCount>& counts, bool with_intercept, double confidence) {
    std::set<std::int64_t> widths;
    bool possible = confidence > 0 && confidence < 1;
    for (const WidthCount& count : counts) {
        widths.insert(count.width);
        possible = possible && count.width >= 1 && count.trials >= 1 && count.events >= 0 && count.events <= count.trials;
    }
    const std::size_t parameters = with_intercept ? 2 : 1;
    if (!possible || widths.size() < parameters)
        throw Defect("fit_exponential_rate: needs counts of at least one width, two with an intercept, and a confidence between 0 and 1");

    const Likelihood likelihood(counts, with_intercept);
    const double low = likelihood.smallest_rate(), high = likelihood.largest_rate();
    const auto slope = [&](double rate) { return likelihood.slope(rate); };
    double best = 0;
    if (slope(high) >= 0)
        best = high;
    else if (slope(low) <= 0)
        best = low;
    else
        best = falling_root(slope, low, high);
    const double top = likelihood.value(best);

    const double z = boost::math::double_constants::root_two * boost::math::erf_inv(confidence);
    // Only the sign counts far from the root, and the root finder interpolates: infinite or huge values would make it overflow.
    const auto above = [&](double rate) { return std::max(likelihood.value(rate) - (top - 0.5 * z * z), -1e6); };
    const auto bounded = [&](double rate) { return rate >= high ? infinity : with_intercept && rate <= low ? -infinity : rate; };
    RateFit fit{bounded(best), likelihood.intercept(best), {0, 0}, 0, 0, 1};
    fit.rate_interval.low = bounded(best > low && above(low) < 0 ? falling_root([&](double r) { return -above(r); }, low, best) : low);
    fit.rate_interval.high = bounded(best < high && above(high) < 0 ? falling_root(above, best, high) : high);
    fit.deviance = std::max(0.0, 2 * (saturated(counts) - top));
    fit.degrees = static_cast<std::int64_t>(counts.size()) - static_cast<std::int64_t>(parameters);
    if (fit.degrees > 0) fit.p_value = boost::math::gamma_q(0.5 * static_cast<double>(fit.degrees), 0.5 * fit.deviance);
    return fit;
}

RateFit fit_exponential_rate_of_groups(const std::vector<std::vector<WidthCount>>& groups, bool with_intercept, double confidence) {
    if (groups.size() < 2) throw Defect("fit_exponential_rate_of_groups: needs two groups of trials or more");
    std::vector<WidthCount> sums = groups.front();
    for (std::size_t g = 1; g < groups.size(); ++g) {
        if (groups[g].size() != sums.size()) throw Defect("fit_exponential_rate_of_groups: the groups have different widths");
        for (std::size_t i = 0; i < sums.size(); ++i) {
            const WidthCount& count = groups[g][i];
            if (count.width != sums[i].width || count.trials != groups.front()[i].trials)
                throw Defect("fit_exponential_rate_of_groups: the groups have different widths or numbers of trials");
            sums[i].trials += count.trials;
            sums[i].events += count.events;
        }
    }
    RateFit fit = fit_exponential_rate(sums, with_intercept, confidence);
    std::vector<double> rates;
    for (const std::vector<WidthCount>& group : groups) {
        std::vector<WidthCount> rest = sums;
        for (std::size_t i = 0; i < rest.size(); ++i) {
            rest[i].trials -= group[i].trials;
            rest[i].events -= group[i].events;
        }
        rates.push_back(fit_exponential_rate(rest, with_intercept, confidence).rate);
    }
    fit.rate_interval = {with_intercept ? -infinity : 0, infinity};
    if (!std::all_of(rates.begin(), rates.end(), [](double rate) { return std::isfinite(rate); })) return fit;
    const double count = static_cast<double>(rates.size());
    double mean = 0, squares = 0;
    for (const double rate : rates) mean += rate / count;
    for (const double rate : rates) squares += (rate - mean) * (rate - mean);
    const boost::math::students_t_distribution<double> student(count - 1);
    const double margin = boost::math::quantile(student, 0.5 * (1 + confidence)) * std::sqrt((count - 1) / count * squares);
    fit.rate_interval = {fit.rate - margin, fit.rate + margin};
    if (!with_intercept) fit.rate_interval.low = std::max(0.0, fit.rate_interval.low);
    return fit;
}

}  // namespace limrisk
