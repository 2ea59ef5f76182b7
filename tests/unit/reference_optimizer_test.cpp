// The reference's optimizers against THEORY section 5 in long double, the learning rates, the Adam step bound, subnormal states.
#include <gtest/gtest.h>

#include <random>

#include "reference/optimizer.hpp"
#include "tests/kind_values.hpp"

namespace limrisk::reference {
namespace {

using kernels::Optimizer;

/// The recursions as the theory writes them, one coordinate, nothing fused, powers by std::pow.
struct Naive {
    Optimizer o;
    long double theta, m = 0, second = 0;
    void step(int n, long double g, long double gamma) {
        const long double bias_1 = 1 - std::pow(static_cast<long double>(o.alpha), n);
        const long double bias_2 = 1 - std::pow(static_cast<long double>(o.beta), n);
        const auto average = [](long double decay, long double old, long double value) { return decay * old + (1 - decay) * value; };
        switch (o.kind) {
            case OptimizerKind::Sgd:
                theta -= gamma * g;
                break;
            case OptimizerKind::Momentum:
            case OptimizerKind::Nesterov:
                m = average(o.alpha, m, g);
                theta -= gamma * m;
                break;
            case OptimizerKind::Adagrad:
                second += g * g;
                theta -= gamma * g / (o.epsilon_inside ? std::sqrt(second + o.epsilon) : std::sqrt(second) + o.epsilon);
                break;
            case OptimizerKind::Rmsprop:
                second = average(o.beta, second, g * g);
                theta -= gamma * g / (std::sqrt(o.bias_correction ? second / bias_2 : second) + o.epsilon);
                break;
            case OptimizerKind::Adadelta: {
                second = average(o.beta, second, g * g);
                const long double delta = -std::sqrt((o.epsilon + m) / (o.epsilon + second)) * g;
                m = average(o.beta, m, delta * delta);
                theta += gamma * delta;
                break;
            }
            case OptimizerKind::Adam:
                m = average(o.alpha, m, g);
                second = average(o.beta, second, g * g);
                theta -= gamma / (o.epsilon + std::sqrt(second / bias_2)) * m / bias_1;
                break;
            case OptimizerKind::Adamax:
                m = average(o.alpha, m, g);
                second = std::max(o.beta * second, std::abs(g));
                theta -= gamma / bias_1 * m / (second + o.epsilon);
                break;
        }
    }
};

class ReferenceOptimizer : public testing::TestWithParam<Optimizer> {};

TEST_P(ReferenceOptimizer, FollowsTheTheory) {
    // A few rounding errors a step, 300 steps; they enter the denominators relatively. 1 - 0.999 in double is known to 1e-13 relative.
    const double tolerance = 1e-11;
    std::mt19937_64 generator(7);
    std::normal_distribution<double> normal(0.3, 1);
    for (const double power : {0.0, 0.4}) {
        Schedule schedule(GetParam(), {0.05, power});
        double theta = 0.5;
        CoordinateState<double> state;
        Naive naive{GetParam(), 0.5};
        for (int n = 1; n <= 300; ++n) {
            const StepNumbers<double> numbers = schedule.next<double>();
            const long double gamma = 0.05L * std::pow(static_cast<long double>(n), static_cast<long double>(-power));
            EXPECT_TRUE(std::abs(numbers.gamma - gamma) <= 1e-14L * gamma) << n;
            const double g = normal(generator);
            update(GetParam(), numbers, g, theta, state);
            naive.step(n, g, gamma);
            ASSERT_TRUE(std::abs(theta - naive.theta) <= tolerance * (1 + std::abs(naive.theta)))
                << "step " << n << ": " << theta << " against " << static_cast<double>(naive.theta);
        }
        EXPECT_NE(theta, 0.5);
    }
}

TEST_P(ReferenceOptimizer, ZeroGradientNeverMoves) {
    Schedule schedule(GetParam(), {0.05, 0});
    float theta = 0.3f;
    CoordinateState<float> state;
    for (int n = 1; n <= 100; ++n) update(GetParam(), schedule.next<float>(), n % 2 ? 0.0f : -0.0f, theta, state);
    EXPECT_EQ(bits(theta), bits(0.3f));
}

INSTANTIATE_TEST_SUITE_P(Optimizers, ReferenceOptimizer, testing::ValuesIn(test::all_optimizers()));

TEST(ReferenceAdam, StepBound) {
    // THEORY section 5: abs step <= (1-a)/sqrt((1-b)(1-a^2/b)) * gamma sqrt(1-b^n)/(1-a^n), attained for g growing like (b/a)^n.
    const double alpha = 0.9, beta = 0.999, gamma = 0.01;
    const Optimizer adam{OptimizerKind::Adam, alpha, beta, 1e-8, false, false};
    const double factor = (1 - alpha) / std::sqrt((1 - beta) * (1 - alpha * alpha / beta));
    std::mt19937_64 generator(3);
    std::normal_distribution<double> normal;
    double closest = 0;
    for (const bool growing : {false, true}) {
        Schedule schedule(adam, {gamma, 0});
        double theta = 0;
        CoordinateState<double> state;
        for (int n = 1; n <= 400; ++n) {
            const double before = theta;
            update(adam, schedule.next<double>(), growing ? std::pow(beta / alpha, n) : std::exp(3 * normal(generator)), theta, state);
            const double bound = factor * gamma * std::sqrt(1 - std::pow(beta, n)) / (1 - std::pow(alpha, n));
            ASSERT_TRUE(std::abs(theta - before) <= bound * (1 + 1e-12)) << "step " << n;
            closest = std::max(closest, std::abs(theta - before) / bound);
        }
    }
    EXPECT_GT(closest, 0.999);  // the bound is sharp, so a wrong recursion would break it
}

/// Two steps by hand, epsilon below rounding: m/(1-a) = g1, then (0.9 g1 + g2)/1.9, over the largest of 0.999 abs g1 and abs g2.
TEST(ReferenceAdamax, FirstSteps) {
    const Optimizer adamax{OptimizerKind::Adamax, 0.9, 0.999, 1e-300, false, false};
    Schedule schedule(adamax, {0.002, 0});
    double theta = 0;
    CoordinateState<double> state;
    update(adamax, schedule.next<double>(), -3.0, theta, state);
    EXPECT_NEAR(theta, 0.002, 1e-17);
    update(adamax, schedule.next<double>(), 1.0, theta, state);
    EXPECT_NEAR(theta, 0.002 + 0.002 * (1.7 / 1.9) / (0.999 * 3), 1e-17);
    EXPECT_EQ(state.second, 0.999 * 3);
    update(adamax, schedule.next<double>(), 4.0, theta, state);
    EXPECT_EQ(state.second, 4);
}

TEST(ReferenceOptimizerState, SubnormalStatesBecomeZeroAfterUse) {
    const Optimizer momentum{OptimizerKind::Momentum, 0.5, 0, 0, false, false};
    Schedule schedule(momentum, {1, 0});
    const float least = smallest_normal<float>;
    float theta = 0;
    CoordinateState<float> state{least, 0};
    update(momentum, schedule.next<float>(), 0.0f, theta, state);
    EXPECT_EQ(theta, -least / 2);
    EXPECT_EQ(bits(state.first), 0u);
}

}  // namespace
}  // namespace limrisk::reference
