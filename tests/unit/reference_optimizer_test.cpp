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
    long double theta, m = 0, second = 0, third = 0, product = 1;
    /// What the step subtracts, over gamma.
    long double direction(int n, long double g) {
        const long double power_1 = std::pow(static_cast<long double>(o.alpha), n), power_2 = std::pow(static_cast<long double>(o.beta), n);
        const auto average = [](long double decay, long double old, long double value) { return decay * old + (1 - decay) * value; };
        const auto corrected = [&](long double moment, long double power) { return o.bias_correction ? moment / (1 - power) : moment; };
        const auto over_root = [&](long double numerator, long double moment) {
            return numerator / (o.epsilon_inside ? std::sqrt(moment + o.epsilon) : std::sqrt(moment) + o.epsilon);
        };
        switch (o.kind) {
            case OptimizerKind::Sgd:
                return g;
            case OptimizerKind::Momentum:
                return m = o.sum ? o.alpha * m + g : average(o.alpha, m, g);
            case OptimizerKind::Nesterov:
                m = o.sum ? o.alpha * m + g : average(o.alpha, m, g);
                return o.sum ? g + o.alpha * m : m;
            case OptimizerKind::Adagrad:
                second += g * g;
                return over_root(g, o.initial_sum + second);
            case OptimizerKind::Rmsprop:
                second = average(o.beta, second, g * g);
                return over_root(g, corrected(second, power_2));
            case OptimizerKind::RmspropMomentum: {
                second = average(o.beta, second, g * g);
                third = average(o.beta, third, g);
                const long double mean = o.centered ? corrected(third, power_2) : 0;
                return m = o.alpha * m + over_root(g, std::max(0.0L, corrected(second, power_2) - mean * mean));
            }
            case OptimizerKind::Adadelta: {
                second = average(o.beta, second, g * g);
                const long double delta = std::sqrt((o.epsilon + m) / (o.epsilon + second)) * g;
                m = average(o.beta, m, delta * delta);
                return delta;
            }
            case OptimizerKind::Adam:
                m = average(o.alpha, m, g);
                second = average(o.beta, second, g * g);
                return over_root(corrected(m, power_1), corrected(second, power_2));
            case OptimizerKind::Adamax:
                m = average(o.alpha, m, g);
                second = std::max(o.beta * second, std::abs(g) + (o.epsilon_inside ? o.epsilon : 0));
                return m / (1 - power_1) / (second + (o.epsilon_inside ? 0 : o.epsilon));
            case OptimizerKind::Amsgrad:
                m = average(o.alpha, m, g);
                second = average(o.beta, second, g * g);
                third = std::max(third, o.corrected_maximum ? corrected(second, power_2) : second);
                return over_root(corrected(m, power_1), o.corrected_maximum ? third : corrected(third, power_2));
            case OptimizerKind::Nadam: {
                m = average(o.alpha, m, g);
                second = average(o.beta, second, g * g);
                const auto mu = [&](int k) {
                    return o.alpha * (1 - 0.5L * std::pow(0.96L, k * static_cast<long double>(o.momentum_decay)));
                };
                product *= mu(n);
                const long double ahead = mu(n + 1) * m / (1 - product * mu(n + 1)) + (1 - mu(n)) * g / (1 - product);
                return over_root(ahead, second / (1 - power_2));
            }
        }
        return 0;
    }
    void step(int n, long double g, long double gamma) {
        if (o.decoupled)
            theta -= gamma * o.weight_decay * theta;
        else
            g += o.weight_decay * theta;
        theta -= gamma * direction(n, g);
    }
};

class ReferenceOptimizer : public testing::TestWithParam<Optimizer> {};

TEST_P(ReferenceOptimizer, FollowsTheTheory) {
    // A few rounding errors a step, 300 steps; they enter the denominators relatively. 1 - 0.999 in double is known to 1e-13 relative.
    // A centered moment is the difference of two: near 0 the root of what rounding leaves, 1e-8 of g.
    const double tolerance = GetParam().centered ? 1e-7 : 1e-11;
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
    if (kernels::keeps_still(GetParam()))
        EXPECT_EQ(bits(theta), bits(0.3f));
    else  // so a neuron that is frozen moves
        EXPECT_LT(theta, 0.3f);
}

INSTANTIATE_TEST_SUITE_P(Optimizers, ReferenceOptimizer, testing::ValuesIn(test::all_optimizers()));

TEST(ReferenceAdam, StepBound) {
    // THEORY section 5: abs step <= (1-a)/sqrt((1-b)(1-a^2/b)) * gamma sqrt(1-b^n)/(1-a^n), attained for g growing like (b/a)^n.
    const double alpha = 0.9, beta = 0.999, gamma = 0.01;
    const Optimizer adam{OptimizerKind::Adam, alpha, beta, 1e-8, false, true};
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

/// Values by hand, in exact decimals where there are some.
TEST(ReferenceSchedule, KnownRates) {
    using kernels::LearningRate;
    using kernels::ScheduleKind;
    const auto rate = [](ScheduleKind kind) {
        LearningRate made{0.5, 0};
        made.kind = kind;
        return made;
    };
    LearningRate step = rate(ScheduleKind::Step);
    step.factor = 0.5, step.every = 3;
    const double from_zero[] = {0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125}, from_one[] = {0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125};
    for (int n = 1; n <= 7; ++n) {
        step.from_one = false;
        EXPECT_EQ(learning_rate(step, n), from_zero[n - 1]) << n;
        step.from_one = true;
        EXPECT_EQ(learning_rate(step, n), from_one[n - 1]) << n;
    }
    LearningRate exponential = rate(ScheduleKind::Exponential);
    exponential.factor = 0.25, exponential.every = 2;
    for (int n = 1; n <= 7; ++n) EXPECT_NEAR(learning_rate(exponential, n), std::ldexp(1.0, -n), 1e-15 * std::ldexp(1.0, -n)) << n;
    LearningRate inverse = rate(ScheduleKind::InverseTime);
    inverse.factor = 0.5, inverse.every = 2;
    EXPECT_EQ(learning_rate(inverse, 1), 0.5);
    EXPECT_EQ(learning_rate(inverse, 5), 0.25);
    LearningRate cosine = rate(ScheduleKind::Cosine);
    cosine.every = 6, cosine.last = 0.125;
    EXPECT_EQ(learning_rate(cosine, 1), 0.5);
    EXPECT_NEAR(learning_rate(cosine, 3), 0.125 + 0.375 * 0.75, 1e-16);
    EXPECT_NEAR(learning_rate(cosine, 4), 0.125 + 0.375 * 0.5, 1e-16);
    EXPECT_EQ(learning_rate(cosine, 7), 0.125);
    EXPECT_EQ(learning_rate(cosine, 1000), 0.125);
    LearningRate pieces = rate(ScheduleKind::Piecewise);
    pieces.from_1 = 2, pieces.rate_1 = 0.25, pieces.from_2 = 4, pieces.rate_2 = 0.375;
    const double of_pieces[] = {0.5, 0.5, 0.25, 0.25, 0.375, 0.375};
    for (int n = 1; n <= 6; ++n) EXPECT_EQ(learning_rate(pieces, n), of_pieces[n - 1]) << n;
    pieces.warmup = 4, pieces.warmup_start = 0.5;
    const double warm[] = {0.25, 0.3125, 0.375, 0.4375};
    for (int n = 1; n <= 4; ++n) EXPECT_EQ(learning_rate(pieces, n), warm[n - 1]) << n;
    for (int n = 1; n <= 6; ++n) EXPECT_EQ(learning_rate(pieces, n + 4), of_pieces[n - 1]) << n;
}

TEST(ReferenceSchedule, AdaptsByHand) {
    using kernels::LearningRate;
    using kernels::ScheduleKind;
    LearningRate rate{0.5, 0};
    rate.kind = ScheduleKind::Adaptive;
    rate.factor = 0.25;
    rate.every = 2;
    rate.threshold = 0.5;
    EXPECT_EQ(adapted_factor(rate, {4}), 1);
    EXPECT_EQ(adapted_factor(rate, {4, 3}), 1) << "one check";
    EXPECT_EQ(adapted_factor(rate, {4, 3, 2}), 0.25) << "2 is not below the half of 4";
    EXPECT_EQ(adapted_factor(rate, {4, 3, 1.9}), 1) << "a fall";
    EXPECT_EQ(adapted_factor(rate, {4, 3, 1.9, 1, 0.9}), 1) << "0.9 is a fall from 1.9";
    EXPECT_EQ(adapted_factor(rate, {4, 3, 1.9, 1, 5}), 0.25);
    EXPECT_EQ(adapted_factor(rate, {4, 4, 4, 4}), 0.25) << "counted anew";
    EXPECT_EQ(adapted_factor(rate, {4, 4, 4, 4, 4}), 0.0625);
    rate.last = 0.0625;
    EXPECT_EQ(adapted_factor(rate, {4, 4, 4, 4, 4}), 0.125) << "least / initial";
    Schedule schedule({OptimizerKind::Momentum, 0.5, 0, 0, false, false}, rate);
    schedule.set_factor(0.125);
    const StepNumbers<double> numbers = schedule.next<double>();
    EXPECT_EQ(numbers.gamma, 0.0625);
    EXPECT_EQ(numbers.shift, 0.03125);
}

TEST(ReferenceOptimizerState, SubnormalStatesBecomeZeroAfterUse) {
    const Optimizer momentum{OptimizerKind::Momentum, 0.5, 0, 0, false, false};
    Schedule schedule(momentum, {1, 0});
    const float least = smallest_normal<float>;
    float theta = 0;
    CoordinateState<float> state{least};
    update(momentum, schedule.next<float>(), 0.0f, theta, state);
    EXPECT_EQ(theta, -least / 2);
    EXPECT_EQ(bits(state.first), 0u);
}

}  // namespace
}  // namespace limrisk::reference
