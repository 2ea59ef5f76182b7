// Steps, quantiles and the document of a trajectory.
#include "trajectory/trajectory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "limrisk/error.hpp"
#include "trajectory/series.hpp"
#include "trajectory/steps.hpp"

namespace limrisk {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(TrajectorySteps, SmallOnes) {
    EXPECT_THAT(trajectory_steps(10, 3, StepSpacing::Linear), ElementsAre(0, 5, 10));
    EXPECT_THAT(trajectory_steps(10, 4, StepSpacing::Linear), ElementsAre(0, 3, 6, 10));
    EXPECT_THAT(trajectory_steps(3, 64, StepSpacing::Linear), ElementsAre(0, 1, 2, 3));
    EXPECT_THAT(trajectory_steps(3, 64, StepSpacing::Logarithmic), ElementsAre(0, 1, 2, 3));
    EXPECT_THAT(trajectory_steps(1, 2, StepSpacing::Logarithmic), ElementsAre(0, 1));
    EXPECT_THAT(trajectory_steps(1000, 2, StepSpacing::Logarithmic), ElementsAre(0, 1000));
    EXPECT_THAT(trajectory_steps(1000, 3, StepSpacing::Logarithmic), ElementsAre(0, 1, 1000));
    EXPECT_THAT(trajectory_steps(1000, 4, StepSpacing::Logarithmic), ElementsAre(0, 1, 32, 1000));
    EXPECT_THAT(trajectory_steps(1000, 5, StepSpacing::Logarithmic), ElementsAre(0, 1, 10, 100, 1000));
    EXPECT_THAT(trajectory_steps(9, 9, StepSpacing::Logarithmic), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 9));
}

TEST(TrajectorySteps, AreAscendingCompleteAndAsManyAsAskedFor) {
    for (const StepSpacing spacing : {StepSpacing::Logarithmic, StepSpacing::Linear})
        for (const std::int64_t steps : {std::int64_t{1}, std::int64_t{2}, std::int64_t{5}, std::int64_t{63}, std::int64_t{64},
                                         std::int64_t{65}, std::int64_t{100}, std::int64_t{12345}, (std::int64_t{1} << 40) - 1})
            for (const std::int64_t points : {2, 3, 4, 7, 63, 64, 65, 66, 1024}) {
                const std::vector<std::int64_t> chosen = trajectory_steps(steps, points, spacing);
                SCOPED_TRACE(testing::Message() << steps << " steps, " << points << " points");
                ASSERT_EQ(static_cast<std::int64_t>(chosen.size()), std::min(points, steps + 1));
                EXPECT_EQ(chosen.front(), 0);
                EXPECT_EQ(chosen.back(), steps);
                for (std::size_t k = 1; k < chosen.size(); ++k) ASSERT_LT(chosen[k - 1], chosen[k]);
            }
}

TEST(TrajectorySteps, LogarithmicOnesHaveEqualRatios) {
    const std::vector<std::int64_t> chosen = trajectory_steps(1000000, 64, StepSpacing::Logarithmic);
    EXPECT_EQ(chosen[1], 1);
    // Where integers are dense enough all ratios agree up to the rounding of their two integers, and to what the roundings before, of half
    // of 50 at most, have left for the rest: 1 % spread over about forty ratios, for each of the first few.
    const auto first = std::find_if(chosen.begin(), chosen.end(), [](std::int64_t step) { return step >= 50; }) - chosen.begin();
    const auto at = [&](std::size_t k) { return static_cast<double>(chosen[k]); };
    const double left = static_cast<double>(chosen.size() - 1) - static_cast<double>(first);
    const double ratio = std::pow(1e6 / at(static_cast<std::size_t>(first)), 1 / left);
    for (auto k = static_cast<std::size_t>(first); k + 1 < chosen.size(); ++k)
        EXPECT_NEAR(at(k + 1) / at(k) / ratio, 1, 1.5 / at(k) + 1e-3) << chosen[k];
}

TEST(TrajectorySeries, MeansAndQuantilesOfEveryStep) {
    // 20 trials: 5 % of them is one, so the quantile is the smallest value; 95 % are 19.
    std::vector<double> values;
    for (int trial = 0; trial < 20; ++trial) values.push_back((trial * 7) % 20 + 1);  // 1 .. 20 in another order
    for (int trial = 0; trial < 20; ++trial) values.push_back(trial == 13 ? HUGE_VAL : 2);
    const TrajectorySeries series = trajectory_series("risk", values, 20);
    EXPECT_EQ(series.name, "risk");
    EXPECT_THAT(series.mean, ElementsAre(10.5, HUGE_VAL));
    EXPECT_THAT(series.quantile_05, ElementsAre(1, 2));
    EXPECT_THAT(series.quantile_25, ElementsAre(5, 2));
    EXPECT_THAT(series.median, ElementsAre(10, 2));
    EXPECT_THAT(series.quantile_75, ElementsAre(15, 2));
    EXPECT_THAT(series.quantile_95, ElementsAre(19, 2));
    const TrajectorySeries one = trajectory_series("risk", {3}, 1);
    EXPECT_THAT(one.mean, ElementsAre(3));
    EXPECT_THAT(one.quantile_05, ElementsAre(3));
    EXPECT_THAT(one.quantile_95, ElementsAre(3));
    EXPECT_THROW(trajectory_series("risk", {1, NAN}, 2), Defect);
    // The mean of finite numbers is finite.
    EXPECT_THAT(trajectory_series("risk", {1.5e308, 1.7e308}, 2).mean, ElementsAre(testing::DoubleNear(1.6e308, 1e294)));
}

CellTrajectory example() {
    CellTrajectory trajectory;
    trajectory.cell_id = "0123456789abcdef0123456789abcdef";
    trajectory.trials = 3;
    trajectory.steps = {0, 1, 1099511627775};
    for (const char* name : {"risk", "gradient_norm", "parameter_norm", "distance", "inactive"})
        trajectory.series.push_back({name, {0.1, 5e-324, HUGE_VAL}, {1, 2, 3}, {1.0 / 3, 2, 3}, {1, 2, HUGE_VAL}, {1, -0.0, 3}, {4, 5, 6}});
    trajectory.checks = {{"Lyapunov identity", 9, 1.25e-17, 1e-13}, {"risk bound", 9, 0, 1e-13}};
    trajectory.converged = 2;
    trajectory.least_squares_gaps = {1e-20, 0.5};
    return trajectory;
}

TEST(TrajectoryDocument, GivesBackEveryBit) {
    const std::string text = trajectory_to_json(example());
    EXPECT_EQ(nlohmann::json::parse(text).at("series")[0].at("mean")[2], "Infinity");
    const CellTrajectory again = trajectory_from_json(text);
    EXPECT_EQ(trajectory_to_json(again), text);
    const CellTrajectory trajectory = example();
    EXPECT_EQ(again.cell_id, trajectory.cell_id);
    EXPECT_EQ(again.trials, 3);
    EXPECT_EQ(again.steps, trajectory.steps);
    ASSERT_EQ(again.series.size(), 5u);
    for (std::size_t k = 0; k < 5; ++k) {
        const TrajectorySeries &a = again.series[k], &b = trajectory.series[k];
        EXPECT_EQ(a.name, b.name);
        EXPECT_EQ(a.mean, b.mean);
        EXPECT_EQ(a.quantile_05, b.quantile_05);
        EXPECT_EQ(a.quantile_25, b.quantile_25);
        EXPECT_EQ(a.median, b.median);
        EXPECT_EQ(a.quantile_75, b.quantile_75);
        EXPECT_TRUE(std::signbit(a.quantile_75[1]));
        EXPECT_EQ(a.quantile_95, b.quantile_95);
    }
    ASSERT_EQ(again.checks.size(), 2u);
    EXPECT_EQ(again.checks[0].name, "Lyapunov identity");
    EXPECT_EQ(again.checks[0].points, 9);
    EXPECT_EQ(again.checks[0].largest_error, 1.25e-17);
    EXPECT_EQ(again.checks[0].tolerance, 1e-13);
    EXPECT_EQ(again.converged, 2);
    EXPECT_EQ(again.least_squares_gaps, trajectory.least_squares_gaps);
}

TEST(TrajectoryDocument, RefusesWhatIsNone) {
    const auto refused = [](const std::string& text) -> std::string {
        try {
            (void)trajectory_from_json(text);
        } catch (const StoreError& error) {
            EXPECT_EQ(error.code(), ExitCode::Data);
            return error.what();
        }
        return "accepted";
    };
    EXPECT_THAT(refused("{"), HasSubstr("a stored trajectory cannot be read"));
    EXPECT_THAT(refused("{}"), HasSubstr("cell_id"));
    EXPECT_THAT(refused("[1]"), HasSubstr("cannot be read"));
    CellTrajectory wrong = example();
    wrong.series[3].median.pop_back();
    EXPECT_THAT(refused(trajectory_to_json(wrong)), HasSubstr("median of distance has 2 values, there are 3 steps"));
    wrong = example();
    wrong.steps = {0, 5, 5};
    EXPECT_THAT(refused(trajectory_to_json(wrong)), HasSubstr("step 5 comes after step 5"));
    nlohmann::json json = nlohmann::json::parse(trajectory_to_json(example()));
    json["series"][0]["mean"][1] = "NaN";
    EXPECT_THAT(refused(json.dump()), HasSubstr("cannot be read"));
}

}  // namespace
}  // namespace limrisk
