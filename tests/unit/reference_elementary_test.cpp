// The reference's elementary functions and target operations against long double, in units in the last place (ulp) of the result.
#include <gtest/gtest.h>

#include <boost/math/distributions/normal.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <functional>

#include "reference/activation.hpp"
#include "reference/elementary.hpp"
#include "reference/target.hpp"

namespace limrisk::reference {
namespace {

template <class Real>
long double ulps(Real value, long double exact) {
    // Spacing of Real at the exact value, subnormal numbers included.
    const int exponent = std::max(std::ilogb(exact), std::numeric_limits<Real>::min_exponent - 1);
    return std::abs(static_cast<long double>(value) - exact) / std::ldexp(1.0L, exponent - (std::numeric_limits<Real>::digits - 1));
}

/// Largest error over `points` equally spaced arguments; NaN counts as infinite.
template <class Real>
long double largest_error(Real low, Real high, const std::function<Real(Real)>& function,
                          const std::function<long double(long double)>& exact, int points = 20001) {
    long double largest = 0;
    for (int k = 0; k < points; ++k) {
        const Real x = static_cast<Real>(low + (high - low) * (static_cast<long double>(k) / (points - 1)));
        const long double error = ulps(function(x), exact(x));
        largest = error <= largest ? largest : std::isnan(error) ? std::numeric_limits<long double>::infinity() : error;
    }
    return largest;
}

template <class Real>
class ReferenceElementary : public testing::Test {};
using Reals = testing::Types<float, double>;
TYPED_TEST_SUITE(ReferenceElementary, Reals);

TYPED_TEST(ReferenceElementary, ExpWithinTwoUlps) {
    using Real = TypeParam;
    const Real high = Real(std::log(largest_finite<Real>)) * Real(0.999), low = std::log(smallest_normal<Real>) * Real(0.999);
    EXPECT_LT(largest_error<Real>(low, high, exp<Real>, [](long double x) { return std::exp(x); }), 2);
    EXPECT_LT(largest_error<Real>(-1, 1, exp<Real>, [](long double x) { return std::exp(x); }), 2);
    EXPECT_EQ(exp(Real(1e4)), infinity<Real>);
    EXPECT_EQ(exp(-infinity<Real>), Real(0));
    EXPECT_EQ(exp(Real(0)), Real(1));
    EXPECT_TRUE(std::isnan(exp(not_a_number<Real>)));
}

TYPED_TEST(ReferenceElementary, LogWithinTwoUlps) {
    using Real = TypeParam;
    for (const Real scale : {smallest_normal<Real> / 64, smallest_normal<Real>, Real(1e-3), Real(1), Real(1e3), largest_finite<Real> / 8})
        EXPECT_LT(largest_error<Real>(scale / 4, scale * 4, log<Real>, [](long double x) { return std::log(x); }), 2) << scale;
    EXPECT_EQ(log(Real(0)), -infinity<Real>);
    EXPECT_EQ(log(infinity<Real>), infinity<Real>);
    EXPECT_EQ(log(Real(1)), Real(0));
    EXPECT_TRUE(std::isnan(log(Real(-1))));
    EXPECT_TRUE(std::isnan(log(not_a_number<Real>)));
}

TYPED_TEST(ReferenceElementary, SinAndCos) {
    using Real = TypeParam;
    // Near a zero the reduced argument carries the error of the reduction, so the measure there is absolute: compare with 1 added.
    const auto absolute = [](auto function, auto exact) {
        long double largest = 0;
        for (int k = -20000; k <= 20000; ++k) {
            const Real x = Real(k) * Real(0.37);
            largest = std::max(largest, std::abs(static_cast<long double>(function(x)) - exact(static_cast<long double>(x))));
        }
        return largest;
    };
    // abs sin, cos <= 1, whose last place is epsilon/2; two of them.
    const long double bound = std::numeric_limits<Real>::epsilon();
    EXPECT_LT(absolute([](Real x) { return sin(x); }, [](long double x) { return std::sin(x); }), bound);
    EXPECT_LT(absolute([](Real x) { return cos(x); }, [](long double x) { return std::cos(x); }), bound);
    EXPECT_LT(largest_error<Real>(
                  Real(-0.75), Real(0.75), sin<Real>, [](long double x) { return std::sin(x); }, 20000),
              2);
    EXPECT_TRUE(std::isnan(sin(infinity<Real>)));
    EXPECT_EQ(cos(Real(0)), Real(1));
}

TYPED_TEST(ReferenceElementary, TanhWithinFourUlps) {
    using Real = TypeParam;
    EXPECT_LT(largest_error<Real>(
                  -1, 1, tanh<Real>, [](long double x) { return x == 0 ? 0 : std::tanh(x); }, 20000),
              4);
    EXPECT_LT(largest_error<Real>(
                  -30, 30, tanh<Real>, [](long double x) { return std::tanh(x); }, 20000),
              4);
    EXPECT_EQ(tanh(infinity<Real>), Real(1));
    EXPECT_EQ(tanh(-infinity<Real>), Real(-1));
}

TYPED_TEST(ReferenceElementary, NormalQuantile) {
    using Real = TypeParam;
    const boost::math::normal_distribution<long double> normal;
    // Relative to the size of the quantile, or to 1 near the centre: the tail takes sqrt(-log p), whose error is a few units. 1 - p is
    // exact, so the upper tail follows by symmetry.
    for (int k = 1; k < 4000; ++k) {
        const Real p = k < 2000 ? Real(std::exp2(-27.0L * k / 2000)) / 2 : Real(k - 2000) / 4000 + Real(0x1p-13);
        const long double exact = boost::math::quantile(normal, static_cast<long double>(p));
        const long double tolerance = 8 * std::numeric_limits<Real>::epsilon() * std::max(1.0L, std::abs(exact));
        EXPECT_TRUE(std::abs(static_cast<long double>(normal_quantile(p)) - exact) <= tolerance) << p;
    }
}

TYPED_TEST(ReferenceElementary, ActivationsAgainstTheirFormulas) {
    using Real = TypeParam;
    // Largest error in ulps of exp, log and the few operations around them.
    const Activation<Real> softplus({ActivationKind::Softplus, 0, 0, 0}), logistic({ActivationKind::Logistic, 0, 0, 0});
    EXPECT_LT(largest_error<Real>(
                  -20, 20, [&](Real z) { return softplus.value(z); }, [](long double z) { return std::log1p(std::exp(z)); }),
              4);
    EXPECT_LT(largest_error<Real>(
                  -20, 20, [&](Real z) { return logistic.value(z); }, [](long double z) { return 1 / (1 + std::exp(-z)); }),
              4);
    const Activation<Real> swish({ActivationKind::Swish, 0, 0, 0});
    EXPECT_LT(largest_error<Real>(
                  -20, 20, [&](Real z) { return swish.value(z); }, [](long double z) { return z / (1 + std::exp(-z)); }),
              5);
}

/// Values and left derivatives of all activations of one formula, against it in long double. Absolute: near a zero of A' the rounding of
/// its terms remains.
TYPED_TEST(ReferenceElementary, ActivationsAndTheirDerivatives) {
    using Real = TypeParam;
    using Wide = long double;
    const Wide pi = std::acos(-1.0L);
    const auto phi = [&](Wide z) { return std::exp(-0.5L * z * z) / std::sqrt(2 * pi); };
    const auto distribution = [](Wide z) { return 0.5L * std::erfc(-z / std::sqrt(2.0L)); };
    const auto sigma = [](Wide z) { return 1 / (1 + std::exp(-z)); };
    const auto share = [](Wide z) { return std::tanh(std::log1p(std::exp(z))); };
    const auto u = [&](Wide z) { return 2 * std::sqrt(2 / pi) * (z + 0.044715L * z * z * z); };
    const auto du = [&](Wide z) { return 2 * std::sqrt(2 / pi) * (1 + 3 * 0.044715L * z * z); };
    struct Known {
        kernels::Activation activation;
        std::function<Wide(Wide)> value, derivative;
        /// Of A', in units in the last place of 1. Where A' is formed of 1 - s, the error of s, 0.6 units for logistic, counts z times
        /// the slope of its argument: up to 72 times for gelu_tanh, where s becomes 1, and up to 18 for mish.
        Wide bound = 4;
    };
    const Known all[] = {
        {{ActivationKind::Elu, 0.5, 0, 0},
         [](Wide z) { return z > 0 ? z : 0.5L * std::expm1(z); },
         [](Wide z) { return z > 0 ? 1 : 0.5L * std::exp(z); }},
        {{ActivationKind::Gelu, 0, 0, 0},
         [&](Wide z) { return z * distribution(z); },
         [&](Wide z) { return distribution(z) + z * phi(z); }},
        {{ActivationKind::GeluTanh, 0, 0, 0},
         [&](Wide z) { return z * sigma(u(z)); },
         [&](Wide z) { return sigma(u(z)) + z * du(z) * sigma(u(z)) * (1 - sigma(u(z))); },
         44},
        {{ActivationKind::Mish, 0, 0, 0},
         [&](Wide z) { return z * share(z); },
         [&](Wide z) { return share(z) + z * (1 - share(z) * share(z)) * sigma(z); },
         20},
        {{ActivationKind::Softsign, 0, 0, 0},
         [](Wide z) { return z / (1 + std::abs(z)); },
         [](Wide z) { return 1 / ((1 + std::abs(z)) * (1 + std::abs(z))); }},
        {{ActivationKind::HardSigmoid, 2.5, 0, 0},
         [](Wide z) { return std::min(1.0L, std::max(0.0L, 0.2L * z + 0.5L)); },
         [](Wide z) { return z > -2.5L && z <= 2.5L ? 0.2L : 0; }},
        {{ActivationKind::HardSwish, 0, 0, 0},
         [](Wide z) { return z * std::min(6.0L, std::max(0.0L, z + 3)) / 6; },
         [](Wide z) { return z > 3    ? 1
                             : z > -3 ? (2 * z + 3) / 6
                                      : 0; }},
        {{ActivationKind::Sine, 0, 0, 0}, [](Wide z) { return std::sin(z); }, [](Wide z) { return std::cos(z); }},
        {{ActivationKind::Identity, 0, 0, 0}, [](Wide z) { return z; }, [](Wide) { return 1; }},
    };
    const Wide unit = std::numeric_limits<Real>::epsilon();
    for (const Known& known : all) {
        const Activation<Real> activation(known.activation);
        Wide value_error = 0, derivative_error = 0;
        for (int k = -8000; k <= 8000; ++k) {
            const Real z = Real(k) / 400;
            value_error = std::max(value_error, std::abs(Wide(activation.value(z)) - known.value(z)) / std::max(1.0L, std::abs(Wide(z))));
            derivative_error = std::max(derivative_error, std::abs(Wide(activation.derivative(z)) - known.derivative(z)));
        }
        EXPECT_TRUE(value_error <= 2 * unit) << kernels::traits_of(known.activation.kind).name << ": " << value_error / unit;
        EXPECT_TRUE(derivative_error <= known.bound * unit)
            << kernels::traits_of(known.activation.kind).name << ": " << derivative_error / unit;
    }
}

/// A'(z) = 0 means exp(z) = -(1 + z), and there A(z) = z + 1: z to 30 digits by Newton's method.
TYPED_TEST(ReferenceElementary, SwishHasItsMinimum) {
    using Real = TypeParam;
    const Activation<Real> swish({ActivationKind::Swish, 0, 0, 0});
    const Real at = Real(-1.27846454276107379510935873902), tolerance = 4 * std::numeric_limits<Real>::epsilon();
    EXPECT_TRUE(std::abs(swish.value(at) - Real(-0.278464542761073795109358739023)) <= tolerance);
    EXPECT_TRUE(std::abs(swish.derivative(at)) <= tolerance);
    EXPECT_LT(swish.derivative(at - Real(0.01)), 0);
    EXPECT_GT(swish.derivative(at + Real(0.01)), 0);
    EXPECT_EQ(swish.value(0), 0);
    EXPECT_EQ(swish.derivative(0), Real(0.5));
}

TYPED_TEST(ReferenceElementary, LeftDerivativesAtKinks) {
    using Real = TypeParam;
    EXPECT_EQ(Activation<Real>({ActivationKind::Relu, 0, 0, 0}).derivative(0), 0);
    EXPECT_EQ(Activation<Real>({ActivationKind::PowerRelu, 0, 0, 2}).derivative(0), 0);
    EXPECT_EQ(Activation<Real>({ActivationKind::LeakyRelu, 0.25, 0, 0}).derivative(0), Real(0.25));
    const Activation<Real> clipping({ActivationKind::Clipping, -1, 2, 0});
    EXPECT_EQ(clipping.derivative(-1), 0);
    EXPECT_EQ(clipping.derivative(Real(-0.5)), 1);
    EXPECT_EQ(clipping.derivative(2), 1);
    EXPECT_EQ(clipping.derivative(Real(2.5)), 0);
    EXPECT_EQ(Activation<Real>({ActivationKind::Elu, 0.25, 0, 0}).derivative(0), Real(0.25));
    EXPECT_EQ(Activation<Real>({ActivationKind::Elu, 0.25, 0, 0}).value(0), 0);
    EXPECT_EQ(Activation<Real>({ActivationKind::Softsign, 0, 0, 0}).derivative(0), 1);
    const Activation<Real> sigmoid({ActivationKind::HardSigmoid, 2, 0, 0}), swish({ActivationKind::HardSwish, 0, 0, 0});
    EXPECT_EQ(sigmoid.derivative(-2), 0);
    EXPECT_EQ(sigmoid.value(-2), 0);
    EXPECT_EQ(sigmoid.derivative(2), Real(0.25));
    EXPECT_EQ(sigmoid.derivative(Real(2.5)), 0);
    EXPECT_EQ(sigmoid.value(Real(2.5)), 1);
    EXPECT_EQ(swish.derivative(-3), 0);
    EXPECT_NEAR(swish.derivative(3), 1.5, 2 * std::numeric_limits<Real>::epsilon());
    EXPECT_EQ(swish.derivative(Real(3.5)), 1);
    EXPECT_EQ(Activation<Real>({ActivationKind::PowerRelu, 0, 0, 5}).value(2), 32);
    EXPECT_EQ(Activation<Real>({ActivationKind::PowerRelu, 0, 0, 5}).derivative(2), 80);
}

TEST(ReferenceTarget, PowersAndConditions) {
    using kernels::Op;
    for (int n = -64; n <= 64; ++n) EXPECT_EQ(integer_power(2.0, n), std::ldexp(1.0, n)) << n;
    EXPECT_EQ(integer_power(3.0, 13), 1594323.0);
    EXPECT_EQ(real_power(0.0, 0.0), 1);
    EXPECT_EQ(real_power(0.0, 0.5), 0);
    EXPECT_EQ(real_power(0.0, -0.5), infinity<double>);
    EXPECT_TRUE(std::isnan(real_power(-1.0, 0.5)));
    EXPECT_TRUE(std::isnan(real_power(0.0, not_a_number<double>)));
    EXPECT_NEAR(real_power(2.0, 0.5), std::sqrt(2.0), 4e-16);  // 2 ulp of exp(log(2) / 2)
    // if(x1 < x2, x1 - 2, x2 / 4)
    const TargetProgram program{{Op::Variable, 0, 0}, {Op::Variable, 1, 0}, {Op::Less, 0, 0},     {Op::Variable, 0, 0},
                                {Op::Constant, 0, 2}, {Op::Subtract, 0, 0}, {Op::Variable, 1, 0}, {Op::Constant, 0, 4},
                                {Op::Divide, 0, 0},   {Op::If, 0, 0}};
    const double below[]{1, 3}, above[]{5, 3};
    EXPECT_EQ(evaluate(program, below), -1);
    EXPECT_EQ(evaluate(program, above), 0.75);
}

}  // namespace
}  // namespace limrisk::reference
