// Histogram columns from fine bins: every trial is in one place, the one its risk belongs to.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

#include "report/risk_columns.hpp"
#include "report_fixture.hpp"

namespace limrisk::testing {
namespace {

constexpr double unbounded = std::numeric_limits<double>::infinity();

std::int64_t total(const RiskColumns& all) {
    std::int64_t sum = all.not_positive + all.below + all.above + all.infinite;
    for (const RiskColumn& column : all.columns) sum += column.trials;
    return sum;
}

/// Counted anew from the risks themselves.
void expect_exact(const std::vector<double>& risks, const RiskColumns& all) {
    EXPECT_EQ(total(all), static_cast<std::int64_t>(risks.size()));
    for (std::size_t k = 0; k < all.columns.size(); ++k) {
        const RiskColumn& column = all.columns[k];
        EXPECT_LT(column.low, column.high);
        if (k > 0) {
            EXPECT_EQ(column.low, all.columns[k - 1].high);
        }
        const auto within =
            std::count_if(risks.begin(), risks.end(), [&](double risk) { return risk >= column.low && risk < column.high; });
        EXPECT_EQ(column.trials, within) << column.low << " " << column.high;
    }
}

TEST(RiskColumns, CountsAreThoseOfTheRisks) {
    std::mt19937_64 random(7);
    for (const double deviation : {0.0, 1e-4, 0.01, 0.3, 3.0, 60.0}) {
        std::vector<double> risks;
        std::normal_distribution<double> normal(-3, deviation);
        for (int k = 0; k < 5000; ++k) risks.push_back(std::exp(deviation == 0 ? -3 : normal(random)));
        risks.insert(risks.end(), {0, 0, -1e-18, unbounded, unbounded, unbounded});
        const Histogram bins = risks_of(risks).bins;
        for (const double outside : {0.0, 0.002, 0.2}) {
            const std::optional<RiskSpan> span = risk_span(bins, outside);
            ASSERT_TRUE(span);
            const RiskColumns all = risk_columns(bins, *span, 72);
            EXPECT_LE(all.columns.size(), 72u);
            expect_exact(risks, all);
            EXPECT_EQ(all.not_positive, 3);
            EXPECT_EQ(all.infinite, 3);
            EXPECT_LE(all.below, static_cast<std::int64_t>(outside * 5000));
            EXPECT_LE(all.above, static_cast<std::int64_t>(outside * 5000));
        }
    }
}

TEST(RiskColumns, WideRangesHaveManyColumnsOfOneRatio) {
    const Histogram bins = risks_of({1e-6, 1}).bins;
    const RiskColumns all = risk_columns(bins, *risk_span(bins, 0), 72);
    ASSERT_EQ(all.columns.size(), 72u);
    const double ratio = std::pow(1e6, 1.0 / 72);
    for (const RiskColumn& column : all.columns)
        EXPECT_NEAR(std::log(column.high / column.low), std::log(ratio), 2e-3);  // two bins of 2^-10
    EXPECT_EQ(all.columns.front().trials, 1);
    EXPECT_EQ(all.columns.back().trials, 1);
}

TEST(RiskColumns, ExtremeRisksHavePlaces) {
    const double largest = std::numeric_limits<double>::max(), smallest = std::numeric_limits<double>::denorm_min();
    const std::vector<double> risks{smallest, 1, unbounded};
    const Histogram bins = risks_of(risks).bins;
    expect_exact(risks, risk_columns(bins, *risk_span(bins, 0), 72));
    const Histogram top = risks_of({largest}).bins;
    const RiskColumns all = risk_columns(top, *risk_span(top, 0), 72);
    EXPECT_EQ(total(all), 1);
    EXPECT_EQ(all.columns.back().trials, 1);
    EXPECT_TRUE(std::isfinite(all.columns.back().high));
    EXPECT_FALSE(risk_span(risks_of({0, unbounded}).bins, 0));
    EXPECT_FALSE(risk_span({}, 0));
}

TEST(RiskColumns, SpanLeavesOutAtMostItsShare) {
    std::vector<double> risks(1000, 1.0);
    risks[0] = 1e-9;
    risks[1] = 1e9;
    const Histogram bins = risks_of(risks).bins;
    const RiskSpan narrow = *risk_span(bins, 0.002), wide = *risk_span(bins, 0.0005);
    EXPECT_EQ(narrow.first, risk_bin(1));
    EXPECT_EQ(narrow.last, risk_bin(1));
    EXPECT_EQ(wide.first, risk_bin(1e-9));
    EXPECT_EQ(wide.last, risk_bin(1e9));
}

}  // namespace
}  // namespace limrisk::testing
