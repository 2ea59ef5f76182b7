// A computed trajectory against plain runs of its trials, and what ends the computation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "limrisk/error.hpp"
#include "optimum/true_risk.hpp"
#include "statistics/quantile.hpp"
#include "trajectory/compute.hpp"
#include "trajectory/steps.hpp"
#include "trajectory_fixture.hpp"

namespace limrisk {
namespace {

using ::testing::HasSubstr;
using testing::run_trials;
using testing::trajectory_cell;
using testing::truncated;

TrajectoryRequest request_of(const CellConfig& cell, std::int64_t trials, std::int64_t points, StepSpacing spacing = StepSpacing::Linear) {
    TrajectoryRequest request;
    request.trials = trials;
    request.steps = trajectory_steps(cell.steps, points, spacing);
    request.contradiction = [](std::int64_t, const TrialRecord&) { return std::string(); };
    return request;
}

CellTrajectory trajectory_of(const CellConfig& cell, const TrajectoryRequest& request, int threads = 2) {
    return compute_trajectory(cell, request, *make_cpu_backend(threads)).value();
}

const TrajectorySeries& series(const CellTrajectory& trajectory, const std::string& name) {
    return *std::find_if(trajectory.series.begin(), trajectory.series.end(), [&](const auto& one) { return one.name == name; });
}

/// Against `values` of the trials at one step; exact but for the rounding of sums and square roots.
void expect_statistics(const TrajectorySeries& series, std::size_t step, std::vector<double> values, double tolerance) {
    std::sort(values.begin(), values.end());
    const auto n = static_cast<std::int64_t>(values.size());
    const auto at = [&](std::int64_t per_cent) { return values[static_cast<std::size_t>((per_cent * n + 99) / 100 - 1)]; };
    double sum = 0;
    for (const double value : values) sum += value;
    const auto near = [&](double computed, double wanted, double relative) {
        EXPECT_TRUE(computed == wanted || std::fabs(computed - wanted) <= relative * wanted)
            << series.name << " at place " << step << ": " << computed << " against " << wanted;
    };
    near(series.quantile_05.at(step), at(5), tolerance);
    near(series.quantile_25.at(step), at(25), tolerance);
    near(series.median.at(step), at(50), tolerance);
    near(series.quantile_75.at(step), at(75), tolerance);
    near(series.quantile_95.at(step), at(95), tolerance);
    near(series.mean.at(step), sum / static_cast<double>(n), 1e-13);
}

// Targets that the networks learn to the last bit, or that they cannot learn but for a line: nothing there contradicts the theory.
TEST(Trajectory, DegenerateTargetsRaiseNoAlarm) {
    for (const char* precision : {"float32", "float64"})
        for (const int dimension : {1, 2})
            for (const int width : {0, 1, 4})
                for (const char* target : {"0", "0.7", "-3e5", "1e-9 + 0*x1", "3*x1 - 1", "max(x1, 0.3)", "abs(x1 - 0.5)"}) {
                    const CellConfig cell = trajectory_cell(
                        {{3, "steps = 3000"},
                         {5, std::string("precision = \"") + precision + "\""},
                         {7, "input = { law = \"uniform\", dimension = " + std::to_string(dimension) + ", low = 0.0, high = 1.0 }"},
                         {8, std::string("target = \"") + target + "\""},
                         {10, "width = " + std::to_string(width)},
                         {21, "nodes = 16"}});
                    EXPECT_NO_THROW(trajectory_of(cell, request_of(cell, 8, 20, StepSpacing::Logarithmic)))
                        << target << " dimension " << dimension << " width " << width << " " << precision;
                }
}

TEST(Trajectory, EndsWithItsTrials) {
    for (const double threshold : {0.3, 0.02, 1e9}) {
        CellConfig cell = trajectory_cell({{3, "steps = 100"}});
        cell.tail = 1;
        cell.stop.risk_below = threshold;
        constexpr std::int64_t trials = 43;
        const CellTrajectory trajectory = trajectory_of(cell, request_of(cell, trials, 11));
        const BlockResult plain = run_trials(cell, trials, {.checks = true});
        std::size_t most = 0;
        for (const auto& checks : plain.checks) most = std::max(most, checks.size());
        ASSERT_EQ(trajectory.steps.size(), most);
        ASSERT_EQ(trajectory.trained.size(), most);
        for (std::size_t k = 0; k < most; ++k) {
            std::vector<double> risk, inactive;
            for (const auto& checks : plain.checks) {
                if (checks.size() <= k) continue;
                ASSERT_EQ(checks[k].step, trajectory.steps[k]);
                risk.push_back(checks[k].risk);
                inactive.push_back(checks[k].inactive);
            }
            EXPECT_EQ(trajectory.trained[k], static_cast<std::int64_t>(risk.size()));
            expect_statistics(series(trajectory, "risk"), k, risk, 0);
            expect_statistics(series(trajectory, "inactive"), k, inactive, 0);
        }
        if (threshold > 1) {
            EXPECT_EQ(trajectory.steps, std::vector<std::int64_t>{0});
        } else {
            EXPECT_LT(trajectory.trained.back(), trials);
        }
        EXPECT_EQ(trajectory_to_json(trajectory_from_json(trajectory_to_json(trajectory))), trajectory_to_json(trajectory));
        EXPECT_EQ(trajectory.last_step, trajectory.steps.back());  // a step of each check was asked for
        CellTrajectory broken = trajectory;
        broken.trained.front() = trials + 1;
        EXPECT_THROW(trajectory_from_json(trajectory_to_json(broken)), StoreError);
        broken.trained.front() = trials;
        broken.trained.back() = trajectory.steps.size() > 1 ? broken.trained[broken.trained.size() - 2] + 1 : 0;
        EXPECT_THROW(trajectory_from_json(trajectory_to_json(broken)), StoreError);
    }
}

TEST(Trajectory, IsThatOfTheChecksAndOfShorterRuns) {
    for (const Edits& edits : {Edits{}, Edits{{5, "precision = \"float64\""},
                                              {7, "input = { law = \"normal\", dimension = 2 }"},
                                              {10, "width = 13"},
                                              {21, "nodes = 16"}}}) {
        CellConfig cell = trajectory_cell(edits);
        cell.tail = 1;  // a longer tail has checks at other steps
        constexpr std::int64_t trials = 43;
        // Ten checks in 100 steps, so that every step of the trajectory has a check of the plain run.
        const CellTrajectory trajectory = trajectory_of(cell, request_of(cell, trials, 11));
        EXPECT_EQ(trajectory.cell_id, cell.id);
        EXPECT_EQ(trajectory.trials, trials);
        ASSERT_EQ(trajectory.steps.size(), 11u);
        const BlockResult plain = run_trials(cell, trials, {.checks = true, .states = true});
        for (std::size_t k = 0; k < 11; ++k) {
            std::vector<double> risk, gradient, norm, inactive, distance;
            const BlockResult shorter =
                run_trials(truncated(cell, std::max<std::int64_t>(trajectory.steps[k], 1)), trials, {.states = true});
            for (std::size_t trial = 0; trial < trials; ++trial) {
                const CheckRecord& check = plain.checks[trial][k];
                ASSERT_EQ(check.step, trajectory.steps[k]);
                risk.push_back(check.risk);
                gradient.push_back(check.gradient_norm);
                norm.push_back(check.parameter_norm);
                inactive.push_back(check.inactive);
                const std::vector<double>& here = k == 0 ? plain.states[trial].initial_parameters : shorter.states[trial].parameters;
                long double sum = 0;
                for (std::size_t j = 0; j < here.size(); ++j) {
                    const long double moved = static_cast<long double>(plain.states[trial].parameters[j]) - here[j];
                    sum += moved * moved;
                }
                distance.push_back(static_cast<double>(std::sqrt(sum)));
            }
            expect_statistics(series(trajectory, "risk"), k, risk, 0);
            expect_statistics(series(trajectory, "gradient_norm"), k, gradient, 0);
            expect_statistics(series(trajectory, "parameter_norm"), k, norm, 0);
            expect_statistics(series(trajectory, "inactive"), k, inactive, 0);
            expect_statistics(series(trajectory, "distance"), k, distance, 1e-14);
        }
        EXPECT_EQ(series(trajectory, "distance").quantile_95.back(), 0);
        ASSERT_EQ(trajectory.checks.size(), 2u);
        EXPECT_EQ(trajectory.checks[0].name, "Lyapunov identity");
        EXPECT_EQ(trajectory.checks[0].points, 32 * 11);
        EXPECT_EQ(trajectory.checks[1].name, "risk bound");
        EXPECT_EQ(trajectory.checks[1].points, 43 * 11);
        EXPECT_GT(trajectory.checks[0].largest_error, 0);
        for (const TrajectoryCheck& check : trajectory.checks) EXPECT_LE(check.largest_error, check.tolerance);
    }
}

TEST(Trajectory, DependsNeitherOnThreadsNorOnMemory) {
    const CellConfig cell =
        trajectory_cell({{3, "steps = 3000"}, {10, "width = 24"}, {14, "sampling = { nodes = 16 }"}, {19, "tolerance = 0.5"}});
    TrajectoryRequest request = request_of(cell, 70, 20, StepSpacing::Logarithmic);
    const CellTrajectory trajectory = trajectory_of(cell, request, 1);
    EXPECT_GT(trajectory.converged, 0);
    EXPECT_EQ(static_cast<std::int64_t>(trajectory.least_squares_gaps.size()), trajectory.converged);
    const std::string text = trajectory_to_json(trajectory);
    EXPECT_EQ(trajectory_to_json(trajectory_of(cell, request, 5)), text);
    // Room for three steps at a time, then for less than one.
    for (const double steps : {3.5, 0.1}) {
        const double replicas = 32.0 / kernels::tile_shape(24, 1).lanes;
        request.snapshot_bytes = steps * replicas * 8 * (3 * 24 + 1);
        EXPECT_EQ(trajectory_to_json(trajectory_of(cell, request, 3)), text);
    }
}

TEST(Trajectory, OfDivergedTrialsIsInfiniteAndNeverNan) {
    const CellConfig cell =
        trajectory_cell({{11, "activation = \"leaky_relu\""}, {15, "optimizer = { name = \"sgd\", learning_rate = 30.0 }"}});
    const BlockResult plain = run_trials(cell, 40, {});
    const auto diverged = std::count_if(plain.records.begin(), plain.records.end(),
                                        [](const TrialRecord& record) { return record.verdict == Verdict::Diverged; });
    ASSERT_GT(diverged, 20);
    const CellTrajectory trajectory = trajectory_of(cell, request_of(cell, 40, 64, StepSpacing::Logarithmic));
    const TrajectorySeries& risk = series(trajectory, "risk");
    EXPECT_TRUE(std::isfinite(risk.mean.front()));
    EXPECT_TRUE(std::isfinite(risk.median[1]));
    for (const char* name : {"risk", "gradient_norm"}) {
        EXPECT_EQ(series(trajectory, name).mean.back(), HUGE_VAL);
        EXPECT_EQ(series(trajectory, name).median.back(), HUGE_VAL);
    }
    // There is no last iterate to be away from.
    EXPECT_EQ(series(trajectory, "distance").median.front(), HUGE_VAL);
    // The last point is the record.
    std::vector<double> norms, risks;
    for (const TrialRecord& record : plain.records) norms.push_back(record.parameter_norm), risks.push_back(record.gradient_norm);
    expect_statistics(series(trajectory, "parameter_norm"), trajectory.steps.size() - 1, norms, 0);
    std::sort(risks.begin(), risks.end());
    EXPECT_EQ(series(trajectory, "gradient_norm").quantile_05.back(), risks[1]);
}

TEST(Trajectory, LeastSquaresGapsAreThoseOfTheConvergedTrials) {
    // Without neurons the best constant is all there is: the gap is (c - E f)^2 = risk - Var f, with f = x^2 and Var f = 4/45.
    const CellConfig constant = trajectory_cell({{10, "width = 0"},
                                                 {5, "precision = \"float64\""},
                                                 {14, "sampling = { nodes = 16 }"},
                                                 {15, "optimizer = { name = \"sgd\", learning_rate = 0.02 }"},
                                                 {19, "tolerance = 0.9"}});
    const CellTrajectory trajectory = trajectory_of(constant, request_of(constant, 50, 5));
    std::vector<double> gaps;
    for (const TrialRecord& record : run_trials(constant, 50, {}).records)
        if (record.verdict == Verdict::Converged) gaps.push_back(record.final_risk * 45 / 4 - 1);
    ASSERT_GT(gaps.size(), 5u);
    std::sort(gaps.begin(), gaps.end());
    EXPECT_EQ(trajectory.converged, static_cast<std::int64_t>(gaps.size()));
    ASSERT_EQ(trajectory.least_squares_gaps.size(), gaps.size());
    for (std::size_t k = 0; k < gaps.size(); ++k) EXPECT_NEAR(trajectory.least_squares_gaps[k], gaps[k], 1e-13 * (1 + gaps[k]));

    // Constant targets have no risk to compare with; other trials have no gap.
    const CellConfig flat = trajectory_cell({{8, "target = \"0.1\""}, {10, "width = 0"}, {19, "tolerance = 0.9"}});
    EXPECT_TRUE(trajectory_of(flat, request_of(flat, 10, 5)).least_squares_gaps.empty());
    const CellConfig moving = trajectory_cell({{19, "tolerance = 1e-9"}});
    const CellTrajectory none = trajectory_of(moving, request_of(moving, 10, 5));
    EXPECT_EQ(none.converged, 0);
    EXPECT_TRUE(none.least_squares_gaps.empty());
}

TEST(Trajectory, OtherActivationsHaveNoLyapunovIdentity) {
    for (const char* name : {"\"tanh\"", "\"softplus\"", "{ name = \"power_relu\", power = 3 }"}) {
        const CellConfig cell = trajectory_cell({{11, std::string("activation = ") + name}});
        const CellTrajectory trajectory = trajectory_of(cell, request_of(cell, 5, 11));
        ASSERT_EQ(trajectory.checks.size(), 1u) << name;
        EXPECT_EQ(trajectory.checks[0].name, "risk bound");
        EXPECT_EQ(trajectory.checks[0].points, 55);
    }
}

/// The risk bound needs the derivatives with respect to v and c, and a gap to the best v and c only where these are trained.
TEST(Trajectory, OfHeldParametersSaysWhatHolds) {
    for (const auto& [keys, outer] : {std::pair{"trainable = \"all\"", true},
                                      {"trainable = \"vc\"", true},
                                      {"trainable = \"b\"", false},
                                      {"outer_bias = false", false}}) {
        SCOPED_TRACE(keys);
        const CellConfig cell = trajectory_cell({{10, std::string("width = 2\n") + keys}, {19, "tolerance = 0.9"}});
        const CellTrajectory trajectory = trajectory_of(cell, request_of(cell, 20, 11));
        ASSERT_EQ(trajectory.checks.size(), outer ? 2u : 1u);
        EXPECT_EQ(trajectory.checks[0].name, "Lyapunov identity");
        EXPECT_GT(trajectory.checks[0].points, 0);
        EXPECT_GT(trajectory.converged, 0);
        EXPECT_EQ(trajectory.least_squares_gaps.empty(), !outer);
    }
}

/// With a skip connection the Lyapunov identity is not that of these networks; gaps are those to the best v, c and u.
TEST(Trajectory, OfSkipConnectionsSaysWhatHolds) {
    for (const auto& [keys, outer] : {std::pair{"skip = true", true}, {"skip = true\ntrainable = \"wbvc\"", false}}) {
        SCOPED_TRACE(keys);
        const CellConfig cell = trajectory_cell({{3, "steps = 3000"}, {10, std::string("width = 2\n") + keys}, {19, "tolerance = 0.9"}});
        const CellTrajectory trajectory = trajectory_of(cell, request_of(cell, 20, 11));
        ASSERT_EQ(trajectory.checks.size(), outer ? 1u : 0u);
        if (outer) EXPECT_EQ(trajectory.checks[0].name, "risk bound");
        EXPECT_GT(trajectory.converged, 0);
        EXPECT_EQ(trajectory.least_squares_gaps.empty(), !outer);
    }
}

TEST(Trajectory, ARecordThatContradictsTheStoreIsADefect) {
    const CellConfig cell = trajectory_cell();
    TrajectoryRequest request = request_of(cell, 70, 5);
    request.contradiction = [](std::int64_t trial, const TrialRecord&) { return trial == 41 ? "final_risk is wrong" : ""; };
    try {
        (void)trajectory_of(cell, request);
        FAIL() << "nobody noticed";
    } catch (const Defect& defect) {
        EXPECT_THAT(defect.what(), HasSubstr("cell 0, trial 41: final_risk is wrong"));
    }
}

TEST(Trajectory, StopsWhenAskedTo) {
    const CellConfig cell = trajectory_cell({{3, "steps = 1000000000"}});
    TrajectoryRequest request = request_of(cell, 70, 5);
    std::atomic<int> requests{0};
    request.stop_requests = &requests;
    double steps = 0;
    request.on_progress = [&](double replica_steps, double share) {
        steps = replica_steps;
        EXPECT_GE(share, 0);
        EXPECT_LT(share, 0.1);
        if (replica_steps > 0) requests = 1;
    };
    EXPECT_FALSE(compute_trajectory(cell, request, *make_cpu_backend(2)).has_value());
    EXPECT_GT(steps, 0);
}

}  // namespace
}  // namespace limrisk
