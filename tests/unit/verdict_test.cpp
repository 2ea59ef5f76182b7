// The verdict by its truth table, in kernels/ and in the reference: synthetic tails, seen at the steps of the checks.
#include "reference/verdict.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

#include "evaluation/target_moments.hpp"
#include "kernels/replica.hpp"
#include "reference/check_steps.hpp"

namespace limrisk::reference {
namespace {

constexpr double tolerance = 1e-3;

/// The verdict, which kernels and reference must agree on.
Verdict verdict_of(const Ending& end) {
    const auto count = static_cast<std::int64_t>(end.tail.size());
    kernels::Tail tail{};
    for (std::int64_t t = 0; t < count; ++t)
        tail.add(end.tail[static_cast<std::size_t>(t)], t > 0 ? end.displacement * end.displacement : 0, t, count);
    const auto by_kernels = static_cast<Verdict>(kernels::tail_verdict(
        tail, count, {end.tolerance, end.risk_scale, 1e-10 * end.risk_scale, end.training_gradient_norm, end.parameter_norm}));
    EXPECT_EQ(by_kernels, verdict(end));
    return by_kernels;
}

/// What a tail shows of a trial that stands still; risks of 1 are large.
Ending standing(std::vector<double> tail) { return {std::move(tail), 1, 0, 0, 1, tolerance}; }

CellConfig checked(std::int64_t steps, std::int32_t checks, std::int32_t tail) {
    CellConfig cell;
    cell.steps = steps;
    cell.checks = checks;
    cell.tail = tail;
    return cell;
}

/// A trajectory of one real parameter, its risk and the derivative of it.
struct Path {
    std::function<double(std::int64_t)> parameter;  ///< after this many steps
    std::function<double(double)> risk, derivative;
    double risk_scale = 1;
};

/// How a trial of that path ends.
Ending ending(const Path& path, const CellConfig& cell) {
    Ending end;
    const std::vector<std::int64_t> steps = check_steps(cell);
    std::vector<double> tail;
    for (std::size_t k = steps.size() - static_cast<std::size_t>(cell.tail); k < steps.size(); ++k)
        tail.push_back(path.parameter(steps[k]));
    for (const double parameter : tail) {
        end.tail.push_back(path.risk(parameter));
        end.displacement = std::max(end.displacement, std::abs(parameter - tail.front()));
    }
    end.risk_scale = path.risk_scale;
    end.training_gradient_norm = std::abs(path.derivative(tail.back()));
    end.parameter_norm = std::abs(tail.back());
    end.tolerance = tolerance;
    return end;
}

Verdict verdict_of(const Path& path, std::int64_t steps, std::int32_t checks = 64, std::int32_t tail = 16) {
    return verdict_of(ending(path, checked(steps, checks, tail)));
}

/// Parameters found step by step from 1 on.
std::function<double(std::int64_t)> iterated(const std::function<double(double, std::int64_t)>& step) {
    return [step](std::int64_t steps) {
        double parameter = 1;
        for (std::int64_t n = 1; n <= steps; ++n) parameter = step(parameter, n);
        return parameter;
    };
}

const auto square = [](double x) { return x * x; };
const auto twice = [](double x) { return 2 * x; };

TEST(CheckSteps, AreTheSameInKernelsAndReferenceAndSeeEveryPhase) {
    for (const std::int64_t steps : {1, 2, 7, 64, 100, 127, 704, 1000, 6400, 6401, 100000}) {
        for (const std::int32_t checks : {1, 2, 7, 64, 100}) {
            for (const std::int32_t tail : {1, 2, 3, 16, 64})
                for (const bool windows : {false, true}) {
                    if (checks > steps || tail > checks) continue;
                    CellConfig config = checked(steps, checks, tail);
                    config.stop.converged = windows;
                    const std::vector<std::int64_t> all = check_steps(config);
                    kernels::Cell cell{};
                    cell.steps = steps;
                    cell.checks = checks;
                    cell.tail = tail;
                    cell.stop_converged = windows;
                    for (std::int32_t k = 0; k <= checks; ++k) {
                        ASSERT_EQ(kernels::check_step(cell, k), all[static_cast<std::size_t>(k)]) << steps << ' ' << checks << ' ' << tail;
                    }
                    EXPECT_EQ(std::adjacent_find(all.begin(), all.end(), std::greater_equal<>()), all.end()) << "not ascending";
                    EXPECT_EQ(all.front(), 0);
                    EXPECT_EQ(all.back(), steps);
                    const std::vector<std::int64_t> ends = window_ends(config);
                    EXPECT_EQ(ends.size(), windows ? static_cast<std::size_t>(checks / tail) : 1u);
                    for (const std::int64_t end : ends) {
                        EXPECT_EQ(all[static_cast<std::size_t>(end)], end * steps / checks);
                        for (std::int64_t cycle = 2; cycle <= std::min<std::int64_t>(10, tail); ++cycle) {
                            std::vector<bool> seen(static_cast<std::size_t>(cycle));
                            for (std::int64_t k = end - cycle + 1; k <= end; ++k)
                                seen[static_cast<std::size_t>(all[static_cast<std::size_t>(k)] % cycle)] = true;
                            EXPECT_EQ(std::count(seen.begin(), seen.end(), true), cycle) << steps << ' ' << checks << ' ' << tail;
                        }
                    }
                }
        }
    }
}

// Not a matter of the number of steps, of which phases the tail sees, or of risks that differ between them.
TEST(VerdictTable, CyclesOscillate) {
    for (std::int64_t cycle = 2; cycle <= 10; ++cycle) {
        const auto parameter = [cycle](std::int64_t n) { return 1 + 0.1 * static_cast<double>(n % cycle); };
        for (const bool same_risk : {false, true}) {
            const Path path{parameter, [=](double x) { return same_risk ? 0.5 : x; }, [](double) { return 0.0; }};
            for (std::int64_t steps = 6400; steps < 6430; ++steps) {
                ASSERT_EQ(verdict_of(path, steps), Verdict::Oscillating) << cycle << ' ' << steps;
                ASSERT_NE(verdict_of(path, steps, 64, 2), Verdict::Converged) << cycle << ' ' << steps;
                ASSERT_NE(verdict_of(path, steps, 64, 3), Verdict::Converged) << cycle << ' ' << steps;
                ASSERT_NE(verdict_of(path, steps, 8, 4), Verdict::Converged) << cycle << ' ' << steps;
            }
        }
    }
}

TEST(VerdictTable, LinearDecay) {
    const auto decay = [](std::int64_t n) { return std::pow(0.98, static_cast<double>(n)); };
    EXPECT_EQ(verdict_of({decay, square, twice}, 200), Verdict::Budget);  // on its way
    EXPECT_EQ(verdict_of({decay, square, twice}, 1000), Verdict::Converged);
    EXPECT_EQ(verdict_of({decay, square, twice}, 40000), Verdict::Converged);  // at 1e-700, which is 0
    const auto to_level = [](double x) { return 0.1 + x * x; };
    EXPECT_EQ(verdict_of({decay, to_level, twice}, 200), Verdict::Budget);
    EXPECT_EQ(verdict_of({decay, to_level, twice}, 1000), Verdict::Converged);
}

TEST(VerdictTable, SublinearDecay) {
    // Gradient descent on x^4 with rate 1/40: x^2 is about 5 / n.
    const auto decay = iterated([](double x, std::int64_t) { return x - 0.1 * x * x * x; });
    const auto fourth = [](double x) { return x * x * x * x; };
    const auto slope = [](double x) { return 4 * x * x * x; };
    EXPECT_EQ(verdict_of({decay, fourth, slope}, 6400), Verdict::Budget);
    const auto to_level = [](double x) { return 0.1 + x * x * x * x; };
    EXPECT_EQ(verdict_of({decay, to_level, slope}, 100), Verdict::Budget);
    EXPECT_EQ(verdict_of({decay, to_level, slope}, 400000), Verdict::Converged);
}

TEST(VerdictTable, PlateauThenDecay) {
    Ending end = standing({1, 1, 1, 1, 1, 1, 1, 0.9});
    end.displacement = 0.2;
    EXPECT_EQ(verdict_of(end), Verdict::Budget);
    end.tail = {1, 1, 1, 1, 0.9, 0.5, 0.1, 0.1};
    EXPECT_EQ(verdict_of(end), Verdict::Budget);
    // A saddle that the whole tail stands on is not told from a minimum, nor should it: its gradient vanishes.
    EXPECT_EQ(verdict_of(standing(std::vector<double>(16, 0.5))), Verdict::Converged);
}

TEST(VerdictTable, FallsByPowersOfTenAreNoNoise) {
    Ending end = standing({1, 1e-2, 1e-4, 3e-4, 1e-6, 1e-8});  // not steadily, and its mean is the first risk
    end.displacement = 1;
    EXPECT_EQ(verdict_of(end), Verdict::Budget);
    std::reverse(end.tail.begin(), end.tail.end());
    EXPECT_EQ(verdict_of(end), Verdict::Oscillating);  // it rises
}

/// Width 0 with fresh samples Y, uniform on [mean - 1/2, mean + 1/2]: c moves by -2 rate_n (c - Y); risk (c - mean)^2 + 1/12.
Path noisy(unsigned seed, const std::function<double(std::int64_t)>& rate, double mean = 0.5) {
    const auto parameter = [=](std::int64_t steps) {
        std::mt19937_64 random(seed);
        double c = 1;
        for (std::int64_t n = 1; n <= steps; ++n) c -= 2 * rate(n) * (c - (static_cast<double>(random() >> 11) * 0x1p-53 + (mean - 0.5)));
        return c;
    };
    return {parameter, [=](double c) { return (c - mean) * (c - mean) + 1.0 / 12; }, [=](double c) { return 2 * (c - mean); }, 1.0 / 12};
}

TEST(VerdictTable, NoiseAtAConstantRateOscillates) {
    int oscillating = 0;
    for (unsigned seed = 0; seed < 100; ++seed) {
        const Verdict verdict = verdict_of(noisy(seed, [](std::int64_t) { return 0.3; }), 1000);
        EXPECT_NE(verdict, Verdict::Converged);
        oscillating += verdict == Verdict::Oscillating;
    }
    // Budget needs half-means that fall by a third of the spread of 16 nearly independent numbers: one in twelve or so.
    EXPECT_GE(oscillating, 75);
}

// c starts 10^6 from the mean: against its initial risk of 10^12 the noise would be 0, and so would the way still to go.
TEST(VerdictTable, NoiseAroundALargeMeanOscillates) {
    int oscillating = 0;
    for (unsigned seed = 0; seed < 100; ++seed) {
        const Verdict verdict = verdict_of(noisy(
                                               seed, [](std::int64_t) { return 0.3; }, 1e6),
                                           1000);
        EXPECT_NE(verdict, Verdict::Converged);
        oscillating += verdict == Verdict::Oscillating;
    }
    EXPECT_GE(oscillating, 75);
    const auto stalls = [](std::int64_t n) { return 1e-3 * std::pow(0.9, static_cast<double>(n)); };
    EXPECT_NE(verdict_of(noisy(1, stalls, 1e3), 6400), Verdict::Converged);  // its gradient is 2000, its distance 1000
}

TEST(VerdictTable, VanishingRates) {
    int still = 0;
    for (unsigned seed = 0; seed < 20; ++seed) {
        const Path path = noisy(seed, [](std::int64_t n) { return 0.5 / static_cast<double>(n); });
        EXPECT_NE(verdict_of(path, 300), Verdict::Converged) << "still moves";
        still += verdict_of(path, 200000, 16, 4) == Verdict::Converged;
    }
    EXPECT_GE(still, 15);
}

TEST(VerdictTable, RatesThatStallFarFromAMinimumDoNotConverge) {
    const auto stalled = iterated([](double x, std::int64_t n) { return x - 0.01 * std::pow(0.9, static_cast<double>(n)) * 2 * x; });
    EXPECT_EQ(verdict_of({stalled, square, twice}, 6400), Verdict::Oscillating);  // its gradient does not vanish, its risk no longer falls
    const auto slower = iterated([](double x, std::int64_t n) { return x - 0.01 * std::pow(static_cast<double>(n), -1.5) * 2 * x; });
    EXPECT_EQ(verdict_of({slower, square, twice}, 6400), Verdict::Budget);  // it falls, if by 1e-4
}

TEST(VerdictTable, RoundingLevel) {
    std::mt19937_64 random(1);
    Ending zero = standing({}), level = zero, moving = zero;
    for (int t = 0; t < 16; ++t) {
        const double noise = static_cast<double>(random() >> 11) * 0x1p-53;
        zero.tail.push_back(1e-31 * noise);
        level.tail.push_back(0.01 * (1 + 1e-7 * noise));
    }
    zero.displacement = level.displacement = 1e-7;
    zero.training_gradient_norm = level.training_gradient_norm = 1e-7;
    EXPECT_EQ(verdict_of(zero), Verdict::Converged);
    EXPECT_EQ(verdict_of(level), Verdict::Converged);
    EXPECT_EQ(verdict_of(standing(std::vector<double>(16, 0.0))), Verdict::Converged);
    Ending solved_at_once = standing({0, 0});
    EXPECT_EQ(verdict_of(solved_at_once), Verdict::Converged);
}

TEST(VerdictTable, IsTheSameInEveryUnit) {
    for (const double unit : {1e-200, 1e-20, 1.0, 1e20, 1e200}) {
        Ending level = standing({0.5, 0.5, 0.5});
        for (double& risk : level.tail) risk *= unit;
        level.risk_scale = unit;
        level.training_gradient_norm = 1e-3 * std::sqrt(unit) * std::sqrt(0.5 * unit);
        EXPECT_EQ(verdict_of(level), Verdict::Converged) << unit;
        level.training_gradient_norm *= 100;
        EXPECT_EQ(verdict_of(level), Verdict::Oscillating) << unit;
    }
}

TEST(VerdictTable, ParametersThatRunOffWhileTheRiskFalls) {
    const Path path{[](std::int64_t n) { return std::pow(static_cast<double>(n + 1), 1.0 / 6); }, [](double x) { return std::pow(x, -4); },
                    [](double x) { return -4 * std::pow(x, -5); }};
    EXPECT_EQ(verdict_of(path, 6400), Verdict::Budget);
    EXPECT_EQ(verdict_of(path, 100000), Verdict::Budget);
}

TEST(VerdictTable, AMinimumOnAKinkOfTheData) {
    // |x| + 0.1 by steps of 1e-5: x jumps over the minimum for ever, by little, and so does the risk; the gradient stays 1.
    const Path path{[](std::int64_t n) { return n == 0  ? 0.9
                                                : n % 2 ? 4e-6
                                                        : -6e-6; }, [](double x) { return std::abs(x) + 0.1; },
                    [](double x) { return x > 0 ? 1.0 : -1.0; }};
    for (const std::int64_t steps : {6400, 6401}) EXPECT_EQ(verdict_of(path, steps), Verdict::Oscillating);
}

TEST(VerdictTable, ShortTails) {
    EXPECT_EQ(verdict_of(standing({0.5})), Verdict::Budget);  // one check shows no movement
    EXPECT_EQ(verdict_of(standing({0.5, 0.5})), Verdict::Converged);
    Ending moves = standing({0.5, 0.4});
    moves.displacement = 0.1;
    EXPECT_EQ(verdict_of(moves), Verdict::Budget);
    for (const std::vector<double>& tail : {std::vector<double>{0.4, 0.5}, {0.5, 0.5}, {0.5, 0.4, 0.5}, {0.4, 0.5, 0.5}}) {
        moves.tail = tail;
        EXPECT_EQ(verdict_of(moves), Verdict::Oscillating);
    }
    moves.tail = {0.5, 0.4, 0.3};
    EXPECT_EQ(verdict_of(moves), Verdict::Budget);
    EXPECT_EQ(verdict_of(standing({0.5, 0.5, 0.5})), Verdict::Converged);
}

TEST(VerdictTable, EachConditionOfConvergedCounts) {
    Ending end = standing({0.5, 0.5, 0.5, 0.5});
    EXPECT_EQ(verdict_of(end), Verdict::Converged);
    end.displacement = 2.1e-3;  // |theta| = 1
    EXPECT_EQ(verdict_of(end), Verdict::Oscillating);
    end.displacement = 1.9e-3;
    EXPECT_EQ(verdict_of(end), Verdict::Converged);
    end.tail[1] = end.tail[2] = 0.5006;
    EXPECT_EQ(verdict_of(end), Verdict::Oscillating);
    end.tail[1] = end.tail[2] = 0.5004;
    EXPECT_EQ(verdict_of(end), Verdict::Converged);
    end.training_gradient_norm = 0.012;  // times 2, squared: 5.8e-4 against 1e-3 * 0.5
    EXPECT_EQ(verdict_of(end), Verdict::Oscillating);
    end.training_gradient_norm = 0.011;
    EXPECT_EQ(verdict_of(end), Verdict::Converged);
    end.tail = {1e-11, 1e-12, 9e-11, 1e-13};  // zero: neither spread nor gradient count
    end.training_gradient_norm = 1;
    EXPECT_EQ(verdict_of(end), Verdict::Converged);
    end.tail[2] = 1.1e-10;
    EXPECT_NE(verdict_of(end), Verdict::Converged);
    end.risk_scale = 1.2;
    EXPECT_EQ(verdict_of(end), Verdict::Converged);
}

/// S of a target on four nodes, which the host's function and the reference must agree on to the bit.
double scale_of(const std::vector<double>& targets) {
    const std::vector<double> inputs{0.1, 0.2, 0.7, 0.9}, weights{0.25, 0.125, 0.5, 0.125};
    const double scale = risk_scale(target_moments({inputs.data(), targets.data(), weights.data(), 4}, 1));
    EXPECT_EQ(scale, risk_scale(targets, weights));
    return scale;
}

TEST(RiskScale, IsTheVarianceWhateverTheMean) {
    EXPECT_EQ(scale_of({1, -1, 2, -3}), 2.9375);  // 3.5 - (3/4)^2
    EXPECT_EQ(scale_of({1 + 0x1p20, -1 + 0x1p20, 2 + 0x1p20, -3 + 0x1p20}), 2.9375);
    std::vector<double> squares, shifted;
    for (const double x : {0.1, 0.2, 0.7, 0.9}) {
        squares.push_back(x * x);
        shifted.push_back(x * x + 1e6);
    }
    // Nodes are rounded at 2^-34 each.
    EXPECT_NEAR(scale_of(shifted), scale_of(squares), 4 * 0x1p-34);
}

TEST(RiskScale, OfConstantsIsTheirSquare) {
    EXPECT_EQ(scale_of({3, 3, 3, 3}), 9);
    EXPECT_EQ(scale_of({0, 0, 0, 0}), 1);
    EXPECT_NEAR(scale_of({0.1, 0.1, 0.1, 0.1 + 0x1p-56}), 0.01, 1e-15);          // one differs by rounding
    EXPECT_NEAR(scale_of({0.1, 0.1, 0.1, 0.1 + 1e-6}) / 1e-12, 7.0 / 64, 1e-9);  // and by more
}

}  // namespace
}  // namespace limrisk::reference
