// Neurons certified at initialization: their number is Binomial(h, p) with the exact p of docs/theory.md section 4.
#include <array>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/chi_squared.hpp>
#include <cmath>
#include <cstdio>
#include <functional>
#include <numbers>
#include <numeric>

#include "campaign/catalog.hpp"
#include "theory_fixtures.hpp"

namespace limrisk::theory {
namespace {

using Kind = InitializationRule::Kind;

const char* name_of(Kind kind) {
    CellConfig cell;
    cell.initialization.kind = kind;
    return initialization_catalog().chosen(cell).name;
}

/// Integral over [low, high] by 16 panels of 8-point Gauss-Legendre.
double integral(double low, double high, const std::function<double(double)>& f) {
    static constexpr std::array nodes{0.18343464249564980494, 0.52553240991632898582, 0.79666647741362673959, 0.96028985649753623168};
    static constexpr std::array weights{0.36268378337836198297, 0.31370664587788728734, 0.22238103445337447054, 0.10122853629037625915};
    double sum = 0;
    for (int panel = 0; panel < 16; ++panel) {
        const double half = (high - low) / 32, middle = low + (2 * panel + 1) * half;
        for (std::size_t g = 0; g < 4; ++g) sum += half * weights[g] * (f(middle - half * nodes[g]) + f(middle + half * nodes[g]));
    }
    return sum;
}

double half_normal_density(double t) { return std::sqrt(2 / std::numbers::pi) * std::exp(-0.5 * t * t); }

constexpr int width = 8;

/// q_k for w ~ U(-s, s), b ~ U(-1, 1): the volume where the sum of k uniform variates stays below 1 - b (Irwin-Hall).
double unequal_uniform(double s, int k) {
    double sum = 0, binomial = 1;
    for (int j = 0; j <= k; ++j) {
        sum += (j % 2 ? -1 : 1) * binomial * std::pow(std::max(1 - j * s, 0.0), k + 1);
        binomial = binomial * (k - j) / (j + 1);
    }
    return sum / (2 * std::tgamma(k + 2) * std::pow(s, k));
}

/// q_k = P(-b >= |w_1| + ... + |w_k|) of one neuron in dimension d, bias drawn; d and the width matter for xavier_uniform only.
double tail_probability(Kind kind, int k, int d) {
    if (kind == Kind::Pytorch) return 0.5 / std::tgamma(k + 2);  // w, b alike uniform: 1 / (2 (k+1)!)
    if (kind == Kind::KaimingUniform) return unequal_uniform(std::sqrt(6.0), k);
    if (kind == Kind::XavierUniform) return unequal_uniform(std::sqrt(6.0 * d / (d + width)), k);
    if (kind == Kind::StandardNormal) {
        // remaining(k, s) = P(-b - s >= |w_1| + ... + |w_k|), by one integral per weight
        const std::function<double(int, double)> remaining = [&](int count, double s) {
            if (count == 0) return 0.5 * std::erfc(s / std::numbers::sqrt2);
            return integral(0, 9, [&](double t) { return half_normal_density(t) * remaining(count - 1, s + t); });
        };
        return remaining(k, 0);
    }
    // kaiming_normal, scaled by sqrt(d): w ~ N(0, 2), b ~ U(-1, 1): E (1 - sqrt 2 (|G_1| + ... + |G_k|))_+ / 2
    const std::function<double(int, double)> expectation = [&](int count, double s) {
        if (count == 0) return s;
        return integral(0, s / std::numbers::sqrt2,
                        [&](double t) { return half_normal_density(t) * expectation(count - 1, s - std::numbers::sqrt2 * t); });
    };
    return 0.5 * expectation(k, 1);
}

/// Probability that a neuron is inactive on [0, 1]^d (signs of the weights decide which count) or on [-1, 1]^d.
double inactive_probability(Kind kind, int d, bool symmetric_box) {
    if (symmetric_box) return tail_probability(kind, d, d);
    double p = 0, binomial = 1;
    for (int k = 0; k <= d; ++k) {
        p += binomial * std::pow(0.5, d) * tail_probability(kind, k, d);
        binomial = binomial * (d - k) / (k + 1);
    }
    return p;
}

// Closed forms where there are any, and the table of docs/theory.md.
TEST(InactiveProbability, QuadratureAgreesWithClosedForms) {
    EXPECT_NEAR(tail_probability(Kind::StandardNormal, 1, 1), 0.25, 1e-13);
    EXPECT_NEAR(tail_probability(Kind::StandardNormal, 2, 2), std::asin(1.0 / 3) / std::numbers::pi, 1e-13);
    EXPECT_NEAR(tail_probability(Kind::StandardNormal, 3, 3), 1.0 / 24, 1e-13);
    struct Row {
        Kind kind;
        double unit[3], symmetric[3];  ///< d = 1, 2, 3
    };
    const Row table[] = {{Kind::Pytorch, {0.3750000, 0.2708333, 0.1901042}, {0.2500000, 0.0833333, 0.0208333}},
                         {Kind::StandardNormal, {0.3750000, 0.2770434, 0.2020234}, {0.2500000, 0.1081734, 0.0416667}},
                         {Kind::KaimingNormal, {0.3177258, 0.1990390, 0.1232093}, {0.1354516, 0.0252529, 0.0035608}},
                         {Kind::KaimingUniform, {0.3010310, 0.1795033, 0.1061588}, {0.1020621, 0.0138889, 0.0014175}}};
    for (const Row& row : table)
        for (int d = 1; d <= 3; ++d) {
            EXPECT_NEAR(inactive_probability(row.kind, d, false), row.unit[d - 1], 5.1e-8) << name_of(row.kind) << d;
            EXPECT_NEAR(inactive_probability(row.kind, d, true), row.symmetric[d - 1], 5.1e-8) << name_of(row.kind) << d;
        }
}

/// Upper tail probability of Pearson's chi-square of the observed counts against Binomial(width, p), bins pooled to 10 expected or more.
double goodness_of_fit(const std::vector<std::int64_t>& observed, double p) {
    const double trials = static_cast<double>(std::accumulate(observed.begin(), observed.end(), std::int64_t{0}));
    const boost::math::binomial_distribution<double> law(width, p);
    double statistic = 0, expected = 0, seen = 0, rest = trials;
    int bins = 0;
    for (std::size_t j = 0; j < observed.size(); ++j) {
        expected += trials * boost::math::pdf(law, static_cast<double>(j));
        seen += static_cast<double>(observed[j]);
        rest -= trials * boost::math::pdf(law, static_cast<double>(j));
        if ((expected < 10 || rest < 10) && j + 1 < observed.size()) continue;
        statistic += (seen - expected) * (seen - expected) / expected;
        expected = seen = 0;
        ++bins;
    }
    if (bins < 2) throw std::logic_error("one bin only: nothing is tested");
    return boost::math::cdf(boost::math::complement(boost::math::chi_squared_distribution<double>(bins - 1), statistic));
}

constexpr std::int64_t trials = 30000;

/// How many of the trials have 0, 1, ... certified neurons at initialization.
std::vector<std::int64_t> certified_counts(Kind kind, int d, bool symmetric_box, bool drawn_bias) {
    CellConfig cell = square_cell(width, d, symmetric_box ? -1 : 0, 1);
    cell.precision = kernels::Precision::Float32;
    cell.initialization.kind = kind;
    cell.initialization.drawn_bias = drawn_bias;
    cell.batch = 1;
    cell.evaluation = {4, 4};
    std::vector<std::int64_t> counts(width + 1);
    for (const TrialRecord& record : run_trials(cell, 0, trials).records) ++counts.at(static_cast<std::size_t>(record.inactive_initial));
    return counts;
}

// False-alarm rate 1e-6 for each of the 30 combinations; the seed is fixed, so the outcome is the same each time.
TEST(CertifiedNeurons, TheirNumberIsBinomial) {
    for (const Kind kind : {Kind::Pytorch, Kind::StandardNormal, Kind::KaimingNormal, Kind::KaimingUniform, Kind::XavierUniform})
        for (int d = 1; d <= 3; ++d)
            for (const bool symmetric : {false, true}) {
                const std::vector<std::int64_t> counts = certified_counts(kind, d, symmetric, true);
                const double p = inactive_probability(kind, d, symmetric), tail = goodness_of_fit(counts, p);
                std::printf("  %s, d = %d, [%d, 1]^d: p = %.7f, chi-square tail probability %.3f\n", name_of(kind), d, symmetric ? -1 : 0,
                            p, tail);
                EXPECT_GE(tail, 1e-6);
                const double standard_error = std::sqrt(p * (1 - p) / (trials * width));
                EXPECT_LT(goodness_of_fit(counts, p + 10 * standard_error), 1e-6) << "the test would not notice a wrong p";
            }
}

// Bias zero: inactive on [0, 1]^d iff no weight is positive, on [-1, 1]^d never.
TEST(CertifiedNeurons, TheirNumberWithBiasZero) {
    for (int d = 1; d <= 3; ++d) {
        EXPECT_GE(goodness_of_fit(certified_counts(Kind::KaimingNormal, d, false, false), std::pow(0.5, d)), 1e-6);
        EXPECT_EQ(certified_counts(Kind::KaimingNormal, d, true, false)[0], trials);
    }
}

}  // namespace
}  // namespace limrisk::theory
