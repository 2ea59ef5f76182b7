// Levels from a histogram of final risks, held against the single risks: bounds always, exact where bins lie wholly at one level or at
// none.
#include "analysis/level_bins.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <random>

namespace limrisk::testing {
namespace {

namespace opt = optimum;

std::vector<opt::Level> levels_at(const std::vector<double>& risks) {
    std::vector<opt::Level> levels;
    for (const double risk : risks) levels.emplace_back().risk = risk;
    return levels;
}

LevelStatement binned(const std::vector<double>& risks, const std::vector<double>& levels, double zero) {
    std::vector<TrialRecord> records(risks.size());
    for (std::size_t k = 0; k < risks.size(); ++k) records[k].final_risk = risks[k];
    const auto trials = static_cast<std::int64_t>(risks.size());
    return binned_levels(aggregate_records(records.data(), trials, 0).final_risk, trials, levels_at(levels), zero);
}

/// docs/statistics.md, section 8: the level nearest to the risk, within 1e-3 of the level plus what counts as 0; nearest as a part of that.
/// [levels + 1] trials on each, and on none.
std::vector<std::int64_t> counted_one_by_one(const std::vector<double>& risks, const std::vector<double>& levels, double zero) {
    std::vector<std::int64_t> counts(levels.size() + 1);
    for (const double risk : risks) {
        std::size_t best = levels.size();
        for (std::size_t i = 0; i < levels.size(); ++i) {
            const auto part = [&](std::size_t k) { return risk == levels[k] ? 0 : std::abs(risk - levels[k]) / (1e-3 * levels[k] + zero); };
            if (part(i) <= 1 && (best == levels.size() || part(i) < part(best))) best = i;
        }
        ++counts[best];
    }
    return counts;
}

TEST(LevelBins, BoundTheCountsOfTheSingleTrials) {
    std::mt19937_64 random(16);
    std::int64_t exact = 0, open = 0;
    for (int round = 0; round < 200; ++round) {
        const double zero = round % 3 == 0 ? 0 : 1e-10;
        std::vector<double> levels{round % 2 == 0 ? 0.0 : 1e-3};
        while (levels.size() < 6) {
            // Some so near to each other that a risk may be at both.
            const double apart[] = {1e-4, 1.5e-3, 2.5e-3, 0.1, 1};
            levels.push_back(levels.back() * (1 + apart[random() % 5]) + (levels.back() > 0 ? 0 : 1e-2));
        }
        std::vector<double> risks;
        for (int k = 0; k < 500; ++k) {
            const double level = levels[random() % levels.size()], part = std::uniform_real_distribution(-1.5, 1.5)(random);
            risks.push_back(random() % 20 == 0 ? std::numeric_limits<double>::infinity()
                                               : std::max(0.0, level + part * (1e-3 * level + zero)));
        }
        const std::vector<std::int64_t> counts = counted_one_by_one(risks, levels, zero);
        const LevelStatement statement = binned(risks, levels, zero);
        EXPECT_TRUE(statement.binned && statement.catalogue);
        ASSERT_EQ(statement.levels.size(), levels.size());
        for (std::size_t i = 0; i < levels.size(); ++i) {
            const LevelShare& level = statement.levels[i];
            EXPECT_EQ(level.risk, levels[i]);
            EXPECT_LE(level.trials, counts[i]) << round;
            EXPECT_GE(level.trials_most, counts[i]) << round;
            EXPECT_EQ(level.share.low, clopper_pearson(level.trials, 500).low);
            EXPECT_EQ(level.share.high, clopper_pearson(level.trials_most, 500).high);
            exact += level.trials == level.trials_most;
            open += level.trials < level.trials_most;
        }
        EXPECT_LE(statement.on_none, counts.back()) << round;
        EXPECT_GE(statement.on_none_most, counts.back()) << round;
    }
    EXPECT_GT(exact, 50);
    EXPECT_GT(open, 100);
}

/// 0.5 is the lower end of a bin of width 2^-11, and the level 0.5 reaches 5e-4 down and up: one bin below it is on the level wholly (its
/// width is 2^-12, 2.4e-4), the next begins 4.9e-4 below and is, too, the third is cut; above, one bin of 4.9e-4 is on it and the next cut.
TEST(LevelBins, AreExactWhereBinsLieWhollyAtOneLevel) {
    const double below = 0x1p-12, above = 0x1p-11;
    const LevelStatement statement =
        binned({0.5 - 2.5 * below, 0.5 - 1.5 * below, 0.5 - 0.5 * below, 0.5, 0.5 + 0.5 * above, 0.5 + 1.5 * above, 0.6}, {0.5}, 0);
    EXPECT_EQ(statement.levels[0].trials, 4);
    EXPECT_EQ(statement.levels[0].trials_most, 6);
    EXPECT_EQ(statement.on_none, 1);
    EXPECT_EQ(statement.on_none_most, 3);
    // At two levels at once: on one of them for sure, and nobody knows on which.
    const LevelStatement two = binned({0.5, 0.5}, {0.5, 0.5001}, 0);
    for (const LevelShare& level : two.levels) {
        EXPECT_EQ(level.trials, 0);
        EXPECT_EQ(level.trials_most, 2);
    }
    EXPECT_EQ(two.on_none_most, 0);
    // A level that is narrower than the bin around it.
    const LevelStatement narrow = binned({0x1.8p-1032}, {0x1.8p-1032}, 0);
    EXPECT_EQ(narrow.levels[0].trials, 0);
    EXPECT_EQ(narrow.levels[0].trials_most, 1);
    EXPECT_EQ(narrow.on_none_most, 1);
    // What counts as 0.
    const LevelStatement zero = binned({0, 1e-300, 0x1p-40, 2e-10}, {0, 1}, 1e-10);
    EXPECT_EQ(zero.levels[0].trials, 3);
    EXPECT_EQ(zero.levels[0].trials_most, 3);
    EXPECT_EQ(zero.on_none, 1);
}

}  // namespace
}  // namespace limrisk::testing
