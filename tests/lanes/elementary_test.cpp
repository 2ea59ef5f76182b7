// Elementary functions against long double over their whole range, on every instruction set and on one lane, bit for bit the same;
// prints the largest errors, which the bounds below state.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "kernels/activation.hpp"
#include "lanes_probe.hpp"

namespace limrisk::test {
namespace {

struct Case {
    Function function;
    const char* name;
    double low, high;  ///< range, in float and double alike where one is enough
    double double_low, double_high;
    long double (*truth)(long double);
    double float_bound, double_bound;  ///< largest error in units in the last place
};

long double logistic_truth(long double x) { return 1 / (1 + std::exp(-x)); }
long double softplus_truth(long double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

long double phi_truth(long double x) { return 0.5L * std::erfc(-x / std::sqrt(2.0L)); }

/// Quantile by Newton's iteration on erfc in long double.
long double quantile_truth(long double p) {
    const bool upper = p > 0.5L;
    const long double tail = upper ? 1 - p : p;
    long double x = -std::sqrt(-2 * std::log(tail < 0.5L ? tail : 0.499L)) * 0.8L;
    for (int i = 0; i < 60; ++i) {
        const long double value = 0.5L * std::erfc(-x / std::sqrt(2.0L));
        const long double density = std::exp(-0.5L * x * x) / std::sqrt(2 * std::acos(-1.0L));
        const long double error = (value - tail) / density;
        x -= error / (1 + 0.5L * x * error);
    }
    return upper ? -x : x;
}

const Case cases[] = {
    {Function::Exp, "exp", -104, 89, -746, 710, [](long double x) { return std::exp(x); }, 1.0, 1.0},
    {Function::Log, "log", 1.4e-45, 3.4e38, 4.9e-324, 1.7e308, [](long double x) { return std::log(x); }, 0.9, 0.9},
    {Function::Sin, "sin", -65536, 65536, -0x1p30, 0x1p30, [](long double x) { return std::sin(x); }, 1.6, 1.6},
    {Function::Cos, "cos", -65536, 65536, -0x1p30, 0x1p30, [](long double x) { return std::cos(x); }, 1.6, 1.6},
    {Function::Tanh, "tanh", -100, 100, -1000, 1000, [](long double x) { return std::tanh(x); }, 1.4, 1.4},
    {Function::NormalQuantile, "normal_quantile", 0x1p-24, 1 - 0x1p-24, 0x1p-40, 1 - 0x1p-40, quantile_truth, 6.0, 32.0},
    {Function::Softplus, "softplus", -103, 1e6, -745, 1e12, softplus_truth, 2.0, 2.0},
    {Function::Logistic, "logistic", -87, 104, -708, 746, logistic_truth, 2.3, 2.3},
    {Function::Expm1, "expm1", -104, 0, -746, 0, [](long double x) { return std::expm1(x); }, 2.0, 2.0},
    // Below 0 the rounding of z^2 grows: a^2 / 2 units in the last place.
    {Function::NormalDistribution, "Phi, from -1", -1, 9, -1, 9, phi_truth, 6.0, 6.0},
    {Function::NormalDistribution, "Phi", -6, 9, -9, 9, phi_truth, 40.0, 80.0},
};

/// Arguments over the whole range: linear, logarithmic towards 0, and both ends.
template <class Real>
std::vector<Real> arguments(const Case& test, std::size_t count) {
    const double low = sizeof(Real) == 4 ? test.low : test.double_low, high = sizeof(Real) == 4 ? test.high : test.double_high;
    std::mt19937_64 engine(7);
    std::uniform_real_distribution<double> unit;
    std::vector<Real> x(count);
    for (std::size_t i = 0; i < count; ++i) {
        const double u = unit(engine);
        double value;
        if (i % 4 == 0)
            value = low + u * high - u * low;
        else if (i % 4 == 1)
            value = std::exp(std::log(std::abs(high)) - u * 30);
        else if (i % 4 == 2)
            value = low < 0 ? -std::exp(std::log(std::abs(low)) - u * 30) : std::exp(std::log(low) + u * (std::log(high) - std::log(low)));
        else
            value = (low < 0 ? 2 * u - 1 : u + 0.25) * 4;
        x[i] = static_cast<Real>(std::min(std::max(value, low), high));
    }
    x[0] = static_cast<Real>(low);
    x[1] = static_cast<Real>(high);
    return x;
}

template <class Real>
double ulp_error(Real got, long double truth) {
    if (std::isnan(got)) return INFINITY;
    const Real rounded = static_cast<Real>(truth);
    if (std::isinf(rounded) || std::isinf(got)) return rounded == got ? 0 : INFINITY;
    const Real magnitude = std::max(std::abs(rounded), std::numeric_limits<Real>::min());
    const long double unit = std::nextafter(magnitude, std::numeric_limits<Real>::infinity()) - magnitude;
    return static_cast<double>(std::abs(static_cast<long double>(got) - truth) / unit);
}

template <class Real>
void check_accuracy(double Case::*bound) {
    for (const Case& test : cases) {
        const auto x = arguments<Real>(test, 1 << 17);
        std::vector<Real> first(x.size()), y(x.size());
        const auto probes = available_probes();
        const auto real = [](const LanesProbe& probe) {
            if constexpr (sizeof(Real) == 4)
                return probe.single;
            else
                return probe.twice;
        };
        real(probes.back()).apply(test.function, x.data(), first.data(), static_cast<std::int64_t>(x.size()));
        for (const LanesProbe& probe : probes) {
            real(probe).apply(test.function, x.data(), y.data(), static_cast<std::int64_t>(x.size()));
            ASSERT_EQ(std::memcmp(first.data(), y.data(), x.size() * sizeof(Real)), 0) << test.name << " differs on " << probe.name;
        }
        double worst = 0;
        Real where = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double error = ulp_error(first[i], test.truth(x[i]));
            if (!(error <= worst)) {
                worst = error;
                where = x[i];
            }
        }
        fmt::print("{:16} {}: largest error {:.3f} ulp at {:.9g}\n", test.name, sizeof(Real) == 4 ? "float " : "double", worst,
                   static_cast<double>(where));
        EXPECT_LE(worst, test.*bound) << test.name << " at " << where;
    }
}

TEST(Elementary, FloatErrors) { check_accuracy<float>(&Case::float_bound); }
TEST(Elementary, DoubleErrors) { check_accuracy<double>(&Case::double_bound); }

TEST(Elementary, OneLaneHasTheSameBits) {
    for (const Case& test : cases) {
        const auto x = arguments<double>(test, 1 << 12);
        std::vector<double> y(x.size());
        available_probes().back().twice.apply(test.function, x.data(), y.data(), static_cast<std::int64_t>(x.size()));
        for (std::size_t i = 0; i < x.size(); ++i) {
            double one = 0;
            switch (test.function) {
                case Function::Exp:
                    one = kernels::exp(x[i]);
                    break;
                case Function::Log:
                    one = kernels::log(x[i]);
                    break;
                case Function::Sin:
                    one = kernels::sin(x[i]);
                    break;
                case Function::Cos:
                    one = kernels::cos(x[i]);
                    break;
                case Function::Tanh:
                    one = kernels::tanh(x[i]);
                    break;
                case Function::NormalQuantile:
                    one = kernels::normal_quantile(x[i]);
                    break;
                default:
                    continue;
            }
            ASSERT_EQ(std::memcmp(&one, &y[i], sizeof one), 0) << test.name << " at " << x[i];
        }
    }
}

TEST(Elementary, Specials) {
    constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
    EXPECT_EQ(kernels::exp(-infinity), 0.0);
    EXPECT_EQ(kernels::exp(infinity), infinity);
    EXPECT_TRUE(std::isnan(kernels::exp(nan)));
    EXPECT_EQ(kernels::exp(0.0), 1.0);
    EXPECT_EQ(kernels::log(0.0), -infinity);
    EXPECT_EQ(kernels::log(-0.0), -infinity);
    EXPECT_EQ(kernels::log(infinity), infinity);
    EXPECT_TRUE(std::isnan(kernels::log(-1.0)));
    EXPECT_TRUE(std::isnan(kernels::log(nan)));
    EXPECT_EQ(kernels::log(1.0), 0.0);
    EXPECT_TRUE(std::isnan(kernels::sin(0x1.1p30)));
    EXPECT_TRUE(std::isnan(kernels::cos(infinity)));
    EXPECT_EQ(kernels::cos(0.0), 1.0);
    EXPECT_EQ(kernels::sin(-0.0), 0.0);
    EXPECT_EQ(kernels::tanh(infinity), 1.0);
    EXPECT_EQ(kernels::tanh(-infinity), -1.0);
    EXPECT_TRUE(std::isnan(kernels::tanh(nan)));
    EXPECT_EQ(kernels::normal_quantile(0.5), 0.0);
}

}  // namespace
}  // namespace limrisk::test
