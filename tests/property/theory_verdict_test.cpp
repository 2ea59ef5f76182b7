// Verdicts and limiting risks of whole trials, where theory says what they must be.
#include <cmath>
#include <cstdio>
#include <map>

#include "theory_fixtures.hpp"

namespace limrisk::theory {
namespace {

std::map<Verdict, int> verdicts(const CellConfig& cell, std::int64_t trials) {
    std::map<Verdict, int> counts;
    for (const TrialRecord& record : run_trials(cell, 0, trials).records) ++counts[record.verdict];
    return counts;
}

/// Full-batch gradient descent on the midpoint grid.
CellConfig on_nodes(std::int64_t width, std::int64_t nodes, double rate, std::int64_t steps) {
    CellConfig cell = square_cell(width);
    cell.batch = cell.nodes_per_axis = nodes;
    cell.learning_rate.initial = rate;
    cell.steps = steps;
    cell.checks = 64;
    cell.tail = 16;
    return cell;
}

// A learning rate of 1 is beyond the edge of stability: every trial goes on jumping, most of them between two networks. A step more or less
// changes nothing of that, nor do tails of 2 and 3.
TEST(Verdicts, CyclesOfGradientDescentNeverConverge) {
    for (const std::int64_t width : {1, 4})
        for (const std::int64_t steps : {6400, 6401})
            for (const std::int32_t tail : {2, 3, 16}) {
                CellConfig cell = on_nodes(width, 16, 1.0, steps);
                cell.seed = 1;
                cell.tail = tail;
                std::map<Verdict, int> counts = verdicts(cell, 256);
                std::printf("  width %d, %d steps, tail %d: %d budget, %d converged, %d oscillating\n", static_cast<int>(width),
                            static_cast<int>(steps), tail, counts[Verdict::Budget], counts[Verdict::Converged],
                            counts[Verdict::Oscillating]);
                EXPECT_EQ(counts[Verdict::Converged], 0);
                if (tail == 16) {
                    EXPECT_GE(counts[Verdict::Oscillating], 230);
                }
            }
}

// c_n = 1 - 0.98^n: the risk falls at every step, to 0.
TEST(Verdicts, GradientDescentToRiskZeroConverges) {
    CellConfig cell = on_nodes(0, 4, 0.01, 1000);
    cell.target = "1";
    for (const auto precision : {kernels::Precision::Float32, kernels::Precision::Float64}) {
        cell.precision = precision;
        cell.steps = 1000;
        EXPECT_EQ(verdicts(cell, 1)[Verdict::Converged], 1);
        cell.steps = 4000;  // at rounding level
        EXPECT_EQ(verdicts(cell, 1)[Verdict::Converged], 1);
        cell.steps = 200;  // 3e-4, on its way
        EXPECT_EQ(verdicts(cell, 1)[Verdict::Budget], 1);
    }
}

// The initial risk is 10^12, the noise around the mean of the size of 1.
TEST(Verdicts, NoiseAroundALargeMeanDoesNotConverge) {
    CellConfig cell = square_cell(0);
    cell.target = "x1^2 + 1e6";
    cell.batch = 1;
    cell.learning_rate.initial = 0.3;
    cell.steps = 6400;
    cell.checks = 64;
    cell.tail = 16;
    for (const auto precision : {kernels::Precision::Float32, kernels::Precision::Float64}) {
        cell.precision = precision;
        std::map<Verdict, int> counts = verdicts(cell, 256);
        EXPECT_EQ(counts[Verdict::Converged], 0);
        EXPECT_GE(counts[Verdict::Oscillating], 230);
    }
}

// One neuron that is active everywhere represents x1 + mean: the risk falls to 0 at a steady pace, and is 0 from 1e-10 Var f on.
TEST(Verdicts, RiskZeroIsZeroAgainstTheVariance) {
    CellConfig cell = on_nodes(1, 16, 0.05, 0);
    cell.initialization.kind = InitializationRule::Kind::Uniform;
    cell.initialization.low = 0.5;
    cell.initialization.high = 1;
    int converged = 0, falling = 0;
    for (const char* target : {"x1", "x1 + 1", "2*x1 + 1", "x1 + 2"}) {
        cell.target = target;
        for (const std::int64_t steps : {500, 1000, 1500, 2000, 3000, 20000}) {
            cell.steps = steps;
            for (const TrialRecord& record : run_trials(cell, 0, 8).records) {
                if (steps == 20000 && record.tail_minimum > 1e-6) continue;  // stands at a local minimum: its kink is inside
                const bool zero = record.tail_maximum <= 1e-10 / 12;
                EXPECT_EQ(record.verdict, zero ? Verdict::Converged : Verdict::Budget)
                    << target << ' ' << steps << ' ' << record.tail_maximum;
                converged += zero;
                falling += !zero;
            }
        }
    }
    std::printf("  %d at risk 0, %d on their way\n", converged, falling);
    EXPECT_GE(converged, 50);
    EXPECT_GE(falling, 50);
}

// A rate that decays too fast stops c on its way to 1.
TEST(Verdicts, ARateThatDecaysTooFastDoesNotConverge) {
    CellConfig cell = on_nodes(0, 4, 0.3, 4000);
    cell.target = "1";
    cell.learning_rate.power = 3;
    EXPECT_EQ(verdicts(cell, 1)[Verdict::Converged], 0);
}

// Noise around a level seems to fall where it is looked at few times: docs/theory.md section 8.
TEST(Verdicts, ShortTailsOftenSeemToFall) {
    const std::int64_t trials = 2000;
    struct Case {
        std::int32_t tail;
        double least, most;
    };
    for (const auto& [tail, least, most] : {Case{4, 0.2, 0.45}, {8, 0.05, 0.2}, {16, 0, 0.03}}) {
        CellConfig cell = square_cell(0);
        cell.target = "x1";
        cell.learning_rate.initial = 0.3;
        cell.batch = 1;
        cell.steps = 64 * tail;
        cell.checks = 4 * tail;
        cell.tail = tail;
        const double share = static_cast<double>(verdicts(cell, trials)[Verdict::Budget]) / static_cast<double>(trials);
        std::printf("  tail of %d checks: the risk of %.1f %% of the stationary trials seems to fall\n", tail, 100 * share);
        EXPECT_GE(share, least) << tail;
        EXPECT_LE(share, most) << tail;
    }
}

// The gradient that the verdict looks at is that of the grid: at its minimum the gradient of the true risk is not 0.
TEST(Verdicts, TheGradientIsThatOfTheNodesThatAreTrainedOn) {
    const TrialRecord record = run_trials(on_nodes(0, 2, 0.1, 1000), 0, 1).records[0];
    EXPECT_EQ(record.verdict, Verdict::Converged);
    // c is the mean of x^2 over 1/4 and 3/4, that is 5/16; the true risk has its minimum at 1/3.
    EXPECT_LE(record.training_gradient_norm, 1e-12);
    EXPECT_NEAR(record.gradient_norm, 2 * (1.0 / 3 - 5.0 / 16), 1e-12);
    CellConfig fresh = on_nodes(0, 0, 0.1, 100);
    fresh.batch = 3;
    for (const TrialRecord& trial : run_trials(fresh, 0, 8).records) EXPECT_EQ(trial.training_gradient_norm, trial.gradient_norm);
}

// c goes from 0 to 1 and back for ever: the last check may be where the first of the tail was.
TEST(Verdicts, DisplacementIsTheLargestOfTheTail) {
    CellConfig cell = on_nodes(0, 4, 1.0, 6400);
    cell.target = "x1";
    for (const std::int64_t steps : {6400, 6401})
        for (const std::int32_t tail : {3, 16}) {
            cell.steps = steps;
            cell.tail = tail;
            const TrialRecord record = run_trials(cell, 0, 1).records[0];
            EXPECT_EQ(record.displacement, 1);
            EXPECT_EQ(record.verdict, Verdict::Oscillating);
        }
}

// Width 0 with a constant rate: L - L* = (c - E f)^2 has a stationary law of mean rate sigma^2 / (1 - rate). The limiting risk estimates
// that mean, however often it looks, while the smallest risk of the tail tends to L*.
TEST(LimitingRisk, DoesNotDependOnTheNumberOfChecks) {
    const std::int64_t trials = 2000;
    const double rate = 0.3, variance = 1.0 / 12, excess = rate * variance / (1 - rate), threshold = variance * 1.01;
    std::vector<double> missed, by_minimum;
    for (const std::int32_t checks : {8, 64, 512}) {
        CellConfig cell = square_cell(0);
        cell.target = "x1";
        cell.learning_rate.initial = rate;
        cell.batch = 1;
        cell.steps = 4096;
        cell.checks = checks;
        cell.tail = checks / 4;
        double mean = 0, square = 0, above = 0, minimum_above = 0;
        for (const TrialRecord& record : run_trials(cell, 0, trials).records) {
            const double one = limiting_risk(record) - variance;
            mean += one / trials;
            square += one * one / trials;
            above += limiting_risk(record) > threshold ? 1.0 / trials : 0;
            minimum_above += record.tail_minimum > threshold ? 1.0 / trials : 0;
        }
        const double error = std::sqrt((square - mean * mean) / trials);
        std::printf("  %d checks: mean excess %.5f (exact %.5f), %.1f %% missed, by the minimum %.1f %%\n", checks, mean, excess,
                    100 * above, 100 * minimum_above);
        EXPECT_NEAR(mean, excess, 5 * error) << checks;  // false alarms: 1e-6
        missed.push_back(above);
        by_minimum.push_back(minimum_above);
    }
    for (const double share : missed) EXPECT_GE(share, 0.95);
    // What the limiting risk was once: a number that falls with the number of checks.
    EXPECT_GT(by_minimum[0], 0.5);
    EXPECT_LT(by_minimum[2], 0.05);
}

// With a vanishing rate it estimates lim L(Theta_n) = L*.
TEST(LimitingRisk, TendsToTheLimitOfTheRiskWhenTheRateVanishes) {
    double last = HUGE_VAL;
    for (const std::int64_t steps : {100, 1000, 10000}) {
        CellConfig cell = square_cell(0);
        cell.target = "x1";
        cell.learning_rate = {0.5, 1};  // c is the mean of the samples: E (c - 1/2)^2 = 1 / (12 n)
        cell.batch = 1;
        cell.steps = steps;
        cell.checks = 32;
        cell.tail = 8;
        double mean = 0;
        for (const TrialRecord& record : run_trials(cell, 0, 500).records) mean += (limiting_risk(record) - 1.0 / 12) / 500;
        // Over the last quarter: between 1 / (12 n) and 4/3 of that, but for 500 squares, of standard deviation 1.42 / sqrt(500) together.
        EXPECT_GE(mean * 12 * static_cast<double>(steps), 1 - 5 * 1.42 / std::sqrt(500));
        EXPECT_LE(mean * 12 * static_cast<double>(steps), 4.0 / 3 * (1 + 5 * 1.42 / std::sqrt(500)));
        EXPECT_LT(mean, last);
        last = mean;
    }
}

}  // namespace
}  // namespace limrisk::theory
