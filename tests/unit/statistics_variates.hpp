// Reproducible variates for tests: std::mt19937_64 is specified to the bit, the distributions of <random> are not.
#pragma once
#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>
#include <vector>

namespace limrisk {

class Variates {
public:
    explicit Variates(std::uint64_t seed) : engine_(seed) {}
    /// In (0, 1).
    double uniform() { return (static_cast<double>(engine_() >> 11) + 0.5) * 0x1p-53; }
    double normal() {
        const double radius = std::sqrt(-2 * std::log(uniform()));
        return radius * std::cos(2 * std::numbers::pi * uniform());
    }

private:
    std::mt19937_64 engine_;
};

/// Binomial variates by inversion of a table of the distribution function.
class BinomialVariates {
public:
    BinomialVariates(std::int64_t trials, double p) {
        for (std::int64_t k = 0; k < trials; ++k) {
            below_.push_back(boost::math::ibetac(static_cast<double>(k) + 1, static_cast<double>(trials - k), p));
            if (below_.back() >= 1) break;
        }
        if (below_.empty() || below_.back() < 1) below_.push_back(1);
    }
    std::int64_t draw(Variates& variates) const {
        return std::lower_bound(below_.begin(), below_.end(), variates.uniform()) - below_.begin();
    }

private:
    std::vector<double> below_;  // P(X <= k)
};

}  // namespace limrisk
