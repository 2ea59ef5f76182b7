// Input laws that are given by their density: table, variates, rules, exact risk, against Boost's beta distribution and closed forms; the
// table's bits against the reference.
#include "evaluation/density_law.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/math/distributions/beta.hpp>
#include <boost/math/quadrature/tanh_sinh.hpp>
#include <cmath>
#include <functional>
#include <random>

#include "backend/backend.hpp"
#include "backend/cell_plan.hpp"
#include "campaign/campaign.hpp"
#include "campaign/data_set.hpp"
#include "evaluation/scalar.hpp"
#include "limrisk/error.hpp"
#include "reference/quantile.hpp"
#include "reference/rule.hpp"

namespace limrisk::test {
namespace {

InputLaw beta(double a, double b, double low = 0, double high = 1) {
    InputLaw law;
    law.kind = InputLaw::Kind::Beta;
    law.a = a;
    law.b = b;
    law.low = low;
    law.high = high;
    return law;
}

InputLaw density(const char* text, double low, double high) {
    InputLaw law;
    law.kind = InputLaw::Kind::Density;
    law.density = text;
    law.low = low;
    law.high = high;
    return law;
}

/// A law with its distribution function, mean and variance by other means.
struct Known {
    InputLaw law;
    std::function<double(double)> distribution;
    double mean, variance;
};

Known known_beta(double a, double b, double low = 0, double high = 1) {
    const double range = high - low;
    return {beta(a, b, low, high),
            [=](double x) { return boost::math::cdf(boost::math::beta_distribution<>(a, b), std::clamp((x - low) / range, 0.0, 1.0)); },
            low + range * a / (a + b), range * range * a * b / ((a + b) * (a + b) * (a + b + 1))};
}

std::vector<Known> known_laws() {
    const auto cube = [](double x) { return x * x * x; };
    return {
        known_beta(2, 5),
        known_beta(1, 1),
        known_beta(1, 3, -1, 2),
        known_beta(1.5, 2.25),
        known_beta(7, 1.01, 3, 3.5),
        known_beta(40, 60),
        // (1 + x^2) 3 / 8 on [-1, 1]: E x^2 = (2/3 + 2/5) 3 / 8.
        {density("1 + x^2", -1, 1), [=](double x) { return (x + cube(x) / 3 + 4.0 / 3) * 3 / 8; }, 0, 0.4},
        // abs(x) on [-1, 1].
        {density("abs(x)", -1, 1), [](double x) { return x < 0 ? (1 - x * x) / 2 : (1 + x * x) / 2; }, 0, 0.5},
        // Mass 1/4 on [0, 1/4], 9/4 on [1/4, 1], over 10/4: E x = (1/32 + 3 (1 - 1/16) / 2) 4 / 10, E x^2 = (1/192 + 1 - 1/64) 4 / 10.
        {density("if(x < 0.25, 1, 3)", 0, 1), [](double x) { return x < 0.25 ? 0.4 * x : 0.1 + 1.2 * (x - 0.25); }, 0.575,
         (1.0 / 192 + 1 - 1.0 / 64) * 0.4 - 0.575 * 0.575},
        // No mass in the middle.
        {density("if(abs(x) < 0.5, 0, 1)", -1, 1), [](double x) { return x < -0.5  ? x + 1
                                                                         : x < 0.5 ? 0.5
                                                                                   : x; }, 0, 7.0 / 12},
        // exp(-x) on [0, 2].
        {density("exp(-x)", 0, 2), [](double x) { return std::expm1(-x) / std::expm1(-2); }, (1 - 3 * std::exp(-2)) / -std::expm1(-2),
         (2 - 10 * std::exp(-2)) / -std::expm1(-2) - std::pow((1 - 3 * std::exp(-2)) / -std::expm1(-2), 2)},
    };
}

/// Some of the u of a precision: all over, and near both ends.
template <class Real>
std::vector<double> some_uniform() {
    const int bits = sizeof(Real) == 4 ? 23 : 32;
    std::mt19937_64 engine(7);
    std::vector<double> all;
    const auto add = [&](double word) { all.push_back(std::ldexp(word + 0.5, -bits)); };
    for (int i = 0; i < 3000; ++i) add(static_cast<double>(engine() >> (64 - bits)));
    for (int e = 0; e < bits; ++e)
        for (int i = 0; i < 20; ++i) {
            const auto word = static_cast<double>((std::uint64_t{1} << e) + (engine() >> 32) % (std::uint64_t{1} << e));
            add(word);
            add(std::ldexp(1, bits) - 1 - word);
        }
    add(0);
    add(std::ldexp(1, bits) - 1);
    return all;
}

// The distribution function at the variate of u is u, up to what docs/numerics.md section 15 says: 2^-40, and 4 units of rounding of x and
// of the distribution functions times the largest density on the unit interval.
TEST(DensityLaw, DistributionFunctionAtEveryVariateIsItsUniformVariate) {
    for (const Known& known : known_laws()) {
        const auto table = quantile_table<double>(known.law);
        const double range = known.law.high - known.law.low;
        for (const double u : some_uniform<double>()) {
            const double x = std::fma(quantile(table->view(), u), range, known.law.low);
            const double step = 0x1p-50 * std::max(std::fabs(x), 1.0);
            const double below = known.distribution(std::max(x - step, known.law.low)),
                         above = known.distribution(std::min(x + step, known.law.high));
            ASSERT_LE(below, u + 0x1p-39) << density_text(known.law) << " at " << u;
            ASSERT_GE(above, u - 0x1p-39) << density_text(known.law) << " at " << u;
        }
    }
}

/// Of a table of floats, whose variates are computed here by the reference.
TEST(DensityLaw, TablesOfFloatsToo) {
    for (const Known& known : known_laws()) {
        const auto pieces = reference::quantile_pieces(known.law, true);
        const float range = static_cast<float>(known.law.high - known.law.low), low = static_cast<float>(known.law.low);
        for (const double u : some_uniform<float>()) {
            const double x = static_cast<double>(std::fma(reference::tabulated_quantile(pieces, static_cast<float>(u)), range, low));
            const double step = 0x1p-22 * std::max(std::fabs(x), known.law.high - known.law.low);
            ASSERT_LE(known.distribution(std::max(x - step, known.law.low)), u + 0x1p-27) << density_text(known.law) << " at " << u;
            ASSERT_GE(known.distribution(std::min(x + step, known.law.high)), u - 0x1p-27) << density_text(known.law) << " at " << u;
        }
    }
}

template <class Real>
void expect_reference_table(const InputLaw& law) {
    const auto table = quantile_table<Real>(law);
    const std::vector<reference::TablePiece> pieces = reference::quantile_pieces(law, sizeof(Real) == 4);
    ASSERT_EQ(static_cast<std::size_t>(table->count), pieces.size()) << density_text(law);
    const Real* row = table->numbers.data() + (std::size_t{1} << table->steps);
    for (std::size_t j = 0; j < pieces.size(); ++j, row += kernels::quantile_row) {
        ASSERT_EQ(table->numbers[j], static_cast<Real>(pieces[j].low));
        ASSERT_EQ(row[0], static_cast<Real>(2 / pieces[j].width));
        for (std::size_t k = 0; k < 8; ++k)
            ASSERT_EQ(row[1 + k], static_cast<Real>(pieces[j].a[k])) << density_text(law) << ", piece " << j << ", " << k;
    }
    for (std::size_t j = pieces.size(); j < std::size_t{1} << table->steps; ++j) ASSERT_EQ(table->numbers[j], Real(2));
    if constexpr (sizeof(Real) == 8)
        for (const double u : some_uniform<Real>()) {
            ASSERT_EQ(quantile(table->view(), u), reference::tabulated_quantile(pieces, u));
        }
}

TEST(DensityLaw, TablesHaveTheBitsOfTheReference) {
    for (const Known& known : known_laws()) {
        expect_reference_table<double>(known.law);
        expect_reference_table<float>(known.law);
        EXPECT_EQ(density_normalizer(known.law), reference::density_normalizer_of(known.law));
    }
}

// By the midpoint rule over u: a monotone function is integrated with an error of at most its range over the number of points.
TEST(DensityLaw, MomentsOfTheTable) {
    constexpr int count = 1 << 18;
    for (const Known& known : known_laws()) {
        const auto table = quantile_table<double>(known.law);
        const double range = known.law.high - known.law.low;
        double sum = 0, squares = 0;
        for (int i = 0; i < count; ++i) {
            const double x = std::fma(quantile(table->view(), (i + 0.5) / count), range, known.law.low) - known.mean;
            sum += x / count;
            squares += x * x / count;
        }
        EXPECT_NEAR(sum, 0, range / count) << density_text(known.law);
        EXPECT_NEAR(squares, known.variance, 2 * range * range / count) << density_text(known.law);
    }
}

/// Points that a campaign draws: Kolmogorov's distance has a chance of 1e-4 to be more than 2.226 / sqrt(n), the mean to be 4 deviations
/// off.
TEST(DensityLaw, DrawnPointsHaveTheLaw) {
    for (const Known& known : known_laws()) {
        constexpr int count = 40000;
        Problem problem;
        problem.input = known.law;
        auto data = std::make_shared<DataSet>();
        data->count = count;
        data->draw_seed = 3;
        problem.data = data;
        std::vector<double> inputs, outputs;
        draw_points(problem, Expression::compile("x1", 1).program(), inputs, outputs);
        std::sort(inputs.begin(), inputs.end());
        double distance = 0, sum = 0;
        for (int i = 0; i < count; ++i) {
            const double x = inputs[static_cast<std::size_t>(i)], at = known.distribution(x);
            distance = std::max({distance, at - static_cast<double>(i) / count, static_cast<double>(i + 1) / count - at});
            sum += x / count;
        }
        EXPECT_LT(distance, 2.226 / std::sqrt(count)) << density_text(known.law);
        EXPECT_NEAR(sum, known.mean, 4 * std::sqrt(known.variance / count)) << density_text(known.law);
    }
}

// 16 panels integrate x and x^2 against these densities up to their kinks and jumps, which lie on panels' ends, and ends like x^0.5.
TEST(DensityLaw, RulesHaveItsMeanAndVariance) {
    for (const Known& known : known_laws()) {
        const NodeSet rule = evaluation_rule(known.law, 64);
        const reference::Nodes truth = reference::rule_nodes(known.law, 64);
        EXPECT_EQ(rule.inputs, truth.inputs);
        EXPECT_EQ(rule.weights, truth.weights);
        double mass = 0, mean = 0, square = 0;
        for (std::size_t m = 0; m < rule.weights.size(); ++m) {
            mass += rule.weights[m];
            mean += rule.weights[m] * rule.inputs[m];
            square += rule.weights[m] * (rule.inputs[m] - known.mean) * (rule.inputs[m] - known.mean);
        }
        const double range = known.law.high - known.law.low;
        EXPECT_NEAR(mass, 1, 1e-14);
        EXPECT_NEAR(mean, known.mean, 2e-4 * range) << density_text(known.law);
        EXPECT_NEAR(square, known.variance, 2e-4 * range * range) << density_text(known.law);
        // Beyond dimension 3 the points are equidistributed.
        InputLaw many = known.law;
        if (many.kind != InputLaw::Kind::Beta) continue;
        many.dimension = 4;
        const NodeSet sobol = evaluation_rule(many, 4096);
        EXPECT_EQ(sobol.inputs, reference::rule_nodes(many, 4096).inputs);
        mean = 0;
        for (std::size_t m = 0; m < sobol.inputs.size(); ++m) mean += sobol.inputs[m] / static_cast<double>(sobol.inputs.size());
        EXPECT_NEAR(mean, known.mean, 2e-4 * range) << density_text(known.law);
    }
}

/// The risk of a trained network, by a quadrature of Boost on the pieces between the kinks, against the distribution's own density.
TEST(DensityLaw, FinalRiskIsTheIntegralAgainstTheDensity) {
    for (const auto& [a, b] : {std::pair{2.0, 5.0}, {1.5, 2.25}, {1.0, 3.0}, {12.0, 3.5}}) {
        CellConfig config;
        config.input = beta(a, b, -1, 2);
        config.target = "x1^2";
        config.width = 5;
        config.steps = 50;
        config.checks = config.tail = 2;
        config.precision = kernels::Precision::Float64;
        config.evaluation = {64, 0};
        const CellPlan plan(config);
        WorkStatus status;
        const BlockResult block = make_cpu_backend(1)->run({&plan, 0, 3, 0}, status, {.states = true}).value();
        const boost::math::beta_distribution<> law(a, b);
        boost::math::quadrature::tanh_sinh<double> integrator;
        for (std::size_t i = 0; i < 3; ++i) {
            const std::vector<double>& theta = block.states[i].parameters;
            std::vector<double> ends{-1, 2};
            for (std::size_t n = 0; n < 5; ++n)
                if (const double kink = -theta[5 + n] / theta[n]; kink > -1 && kink < 2) ends.push_back(kink);
            std::sort(ends.begin(), ends.end());
            const auto square = [&](double x) {
                double output = theta[15];
                for (std::size_t n = 0; n < 5; ++n) output += theta[10 + n] * std::max(0.0, theta[n] * x + theta[5 + n]);
                return (output - x * x) * (output - x * x) * boost::math::pdf(law, std::clamp((x + 1) / 3, 0.0, 1.0)) / 3;
            };
            double risk = 0;
            for (std::size_t p = 0; p + 1 < ends.size(); ++p) risk += integrator.integrate(square, ends[p], ends[p + 1]);
            EXPECT_NEAR(block.records[i].final_risk, risk, 1e-11 * risk) << a << " " << b;
        }
    }
}

std::string refusal(const InputLaw& law) {
    try {
        (void)density_law(law);
        return "";
    } catch (const ConfigError& error) {
        return error.problems().front();
    }
}

TEST(DensityLaw, RefusesWhatIsNoDensityAndSaysWhere) {
    const auto has = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
    EXPECT_PRED2(has, refusal(density("x", -1, 1)), "is -1 at x = -1;");
    EXPECT_PRED2(has, refusal(density("x^2 - 1e-9", -1, 1)), "is -1e-09 at x = 0;");
    EXPECT_PRED2(has, refusal(density("(x - 0.3)^2 - 1e-12", 0, 1)), "at x = 0.3;");
    EXPECT_PRED2(has, refusal(density("1/x", 0, 1)), "is inf at x = 0;");
    EXPECT_PRED2(has, refusal(density("0*x", 0, 1)), "zero everywhere");
    EXPECT_PRED2(has, refusal(density("1.5 + sin(100000*x)", 0, 1)), "the density");
    EXPECT_EQ(refusal(density("(x - 0.3)^2", 0, 1)), "");
}

}  // namespace
}  // namespace limrisk::test
