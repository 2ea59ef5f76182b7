// Risk levels: planted levels are found, chains are named, order does not matter.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "limrisk/error.hpp"
#include "statistics/risk_levels.hpp"
#include "statistics_variates.hpp"

namespace limrisk {
namespace {

TEST(RiskLevels, ByHand) {
    const LevelResolution resolution = level_resolution(0.005);  // 1 %
    const std::vector<RiskLevel> levels = risk_levels({2.0, 1.0, 1.005, 1.009, 2.03, 0.0}, resolution);
    ASSERT_EQ(levels.size(), 4U);
    EXPECT_EQ(levels[0].count, 1);
    EXPECT_EQ(levels[0].highest, 0);
    EXPECT_EQ(levels[1].count, 3);
    EXPECT_EQ(levels[1].lowest, 1);
    EXPECT_EQ(levels[1].median, 1.005);
    EXPECT_EQ(levels[1].highest, 1.009);
    EXPECT_EQ(levels[2].lowest, 2);
    EXPECT_EQ(levels[3].lowest, 2.03);
    for (const RiskLevel& level : levels) EXPECT_FALSE(is_chain(level, resolution));
    EXPECT_TRUE(risk_levels({}, resolution).empty());
    EXPECT_EQ(risk_levels({1, 1.001, 1.002, 1.003}, resolution).at(0).median, 1.001) << "half of them do not exceed it";
}

TEST(RiskLevels, ZeroIsALevelOfItsOwn) {
    const std::vector<RiskLevel> levels = risk_levels({1e-31, 3e-20, 0, 1e-16, 0.5}, level_resolution(1e-3, 1e-12));
    ASSERT_EQ(levels.size(), 2U);
    EXPECT_EQ(levels[0].count, 4);
    EXPECT_EQ(risk_levels({1e-31, 3e-20, 0, 1e-16, 0.5}, level_resolution(1e-3)).size(), 5U);
}

TEST(RiskLevels, AContinuumIsAChain) {
    std::vector<double> risks;
    for (int i = 0; i < 1000; ++i) risks.push_back(1 + 1e-3 * i);
    const LevelResolution resolution = level_resolution(1e-3);
    const std::vector<RiskLevel> levels = risk_levels(risks, resolution);
    ASSERT_EQ(levels.size(), 1U);
    EXPECT_TRUE(is_chain(levels[0], resolution));
}

// Levels of x^2 on [0, 1] (docs/theory.md section 7), each trial off by up to the tolerance; any order gives the same.
TEST(RiskLevels, FindsPlantedLevels) {
    Variates variates(7);
    const double risks_of[] = {4.0 / 3645, 1.0 / 180, 4.0 / 45};
    const std::int64_t counts[] = {260, 1000, 1300};
    std::vector<double> risks;
    for (std::size_t l = 0; l < 3; ++l)
        for (std::int64_t i = 0; i < counts[l]; ++i) risks.push_back(risks_of[l] * (1 + 1e-3 * (2 * variates.uniform() - 1)));
    const LevelResolution resolution = level_resolution(1e-3);
    const std::vector<RiskLevel> sorted = risk_levels(risks, resolution);
    for (std::size_t i = risks.size(); i-- > 1;)
        std::swap(risks[i], risks[static_cast<std::size_t>(variates.uniform() * static_cast<double>(i + 1))]);
    const std::vector<RiskLevel> levels = risk_levels(risks, resolution);
    ASSERT_EQ(levels.size(), 3U);
    for (std::size_t l = 0; l < 3; ++l) {
        EXPECT_EQ(levels[l].count, counts[l]);
        EXPECT_LE(std::abs(levels[l].median - risks_of[l]), 1e-3 * risks_of[l]);
        EXPECT_FALSE(is_chain(levels[l], resolution));
        EXPECT_EQ(levels[l].median, sorted[l].median);
    }
}

TEST(RiskLevels, Errors) {
    EXPECT_THROW(risk_levels({std::nan("")}, {0.01}), Defect);
    EXPECT_THROW(risk_levels({std::numeric_limits<double>::infinity()}, {0.01}), Defect);
    EXPECT_THROW(risk_levels({-1}, {0.01}), Defect);
    EXPECT_THROW(risk_levels({1}, {-0.01}), Defect);
}

}  // namespace
}  // namespace limrisk
