// Trials on the condition that J neurons are inactive at the start, put together by P(J), are trials without a condition.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "statistics/stratified_share.hpp"
#include "theory_fixtures.hpp"

namespace limrisk::theory {
namespace {

/// Trials with a limiting risk of at most `threshold`.
std::int64_t reached(const std::vector<TrialRecord>& records, double threshold) {
    return std::count_if(records.begin(), records.end(), [&](const TrialRecord& record) { return record.tail_mean <= threshold; });
}

/// x1^2 over [0, 1], p = 3/8 at every width. Both intervals hold with 1 - 1e-6, so they meet but for 4e-6 of all seeds, whatever the width
/// and the threshold; trials of one number share their draws, so seeds differ.
TEST(Strata, AreAllTrials) {
    constexpr std::int64_t trials = 2000, plain = 8000;
    for (const std::int64_t width : {1, 2, 3, 5}) {
        CellConfig cell = square_cell(width);
        cell.precision = kernels::Precision::Float32;
        cell.steps = 150;
        cell.checks = cell.tail = 2;
        cell.batch = 8;
        cell.learning_rate = {0.1, 0};
        const std::vector<TrialRecord> all = run_trials(cell, 0, plain).records;
        std::vector<std::vector<TrialRecord>> strata;
        for (std::int64_t j = 0; j <= width; ++j) {
            cell.inactive_start = j;
            cell.seed += 1;
            strata.push_back(run_trials(cell, 0, trials).records);
            for (const TrialRecord& record : strata.back()) ASSERT_EQ(record.inactive_initial, j);
        }
        const std::vector<Interval> law = inactive_count_intervals({0.375, 0.375}, width);
        for (const double threshold : {0.004, 0.0056, 0.02, 0.089}) {
            std::vector<StratumTrials> counted;
            double estimate = 0;
            for (std::size_t j = 0; j < strata.size(); ++j) {
                const std::int64_t count = reached(strata[j], threshold);
                counted.push_back({law[j], count, count, trials});
                estimate += law[j].high * static_cast<double>(count) / trials;
            }
            const Interval by_strata = stratified_share(counted, 0, 1 - 1e-6),
                           brute = clopper_pearson(reached(all, threshold), plain, 1 - 1e-6);
            std::printf("  width %d, risk <= %g: strata %.4f [%.4f, %.4f], plain %.4f [%.4f, %.4f]\n", static_cast<int>(width), threshold,
                        estimate, by_strata.low, by_strata.high, static_cast<double>(reached(all, threshold)) / plain, brute.low,
                        brute.high);
            EXPECT_LE(by_strata.low, brute.high) << width << ", " << threshold;
            EXPECT_LE(brute.low, by_strata.high) << width << ", " << threshold;
        }
    }
}

}  // namespace
}  // namespace limrisk::theory
