// What a summary says of cells that are too large for memory: the same as of sorted lists of all their trials, whether they are kept or
// read again.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "analysis/cell_scan.hpp"
#include "analysis/rank_search.hpp"
#include "statistics/quantile.hpp"
#include "statistics/risk_levels.hpp"
#include "store_fixture.hpp"

namespace limrisk::testing {
namespace {

constexpr double beyond = std::numeric_limits<double>::infinity();

double found(const std::vector<double>& numbers, const RiskRange& range, std::int64_t rank, int most_passes) {
    const auto count = std::count_if(numbers.begin(), numbers.end(), [&](double x) { return x >= range.low && x <= range.high; });
    RankSearch search(range, rank, count);
    int passes = 0;
    for (; !search.done(); ++passes) {
        for (const double number : numbers) search.add(number);
        search.end_pass();
    }
    EXPECT_LE(passes, most_passes);
    return search.value();
}

TEST(RankSearch, IsThePlaceInTheSortedList) {
    std::mt19937_64 random(1);
    for (int kind = 0; kind < 6; ++kind) {
        std::vector<double> numbers(kind < 3 ? 1000 : 600000);
        for (double& number : numbers) {
            const double u = static_cast<double>(random() >> 11) * 0x1p-53;
            number = kind % 3 == 0 ? std::ldexp(u, static_cast<int>(random() % 2000) - 1000) : kind % 3 == 1 ? 0.25 + 1e-14 * u : 0.125;
            if (kind % 3 == 0 && random() % 50 == 0) number = random() % 2 ? beyond : random() % 2 ? -0.0 : -number;
        }
        std::vector<double> sorted = numbers;
        std::sort(sorted.begin(), sorted.end());
        const auto last = static_cast<std::int64_t>(sorted.size()) - 1;
        for (const std::int64_t rank : {std::int64_t{0}, std::int64_t{1}, last / 20, last / 2, last - 1, last})
            EXPECT_EQ(found(numbers, {sorted.front(), sorted.back()}, rank, kind < 3 ? 1 : 4), sorted[static_cast<std::size_t>(rank)])
                << kind << " " << rank;
        // Among those in a part of the range.
        const auto first = static_cast<std::int64_t>(std::lower_bound(sorted.begin(), sorted.end(), sorted[300]) - sorted.begin());
        EXPECT_EQ(found(numbers, {sorted[300], sorted[700]}, 300 - first, 4), sorted[300]);
    }
    RankSearch lost({0, 1}, 1, 2);
    lost.add(0.5);
    EXPECT_THROW(lost.end_pass(), Defect);
}

/// Trials on some levels, on a chain, diverged ones, zeros and tiny numbers.
std::vector<TrialRecord> mixed_records(std::int64_t count, std::mt19937_64& random) {
    std::vector<TrialRecord> records = records_of({0, 0, count});
    for (TrialRecord& record : records) {
        const double u = static_cast<double>(random() >> 11) * 0x1p-53;
        const auto kind = random() % 8;
        record.verdict = kind == 0 ? Verdict::Diverged : kind == 1 ? Verdict::Budget : Verdict::Converged;
        record.nonfinite_step = kind == 0 ? 3 : 0;
        record.best_step = 0;
        record.tail_mean = kind == 0   ? beyond
                           : kind < 4  ? 0.01 * static_cast<double>(1 + random() % 25) * (1 + 1e-4 * u)
                           : kind == 4 ? std::pow(10.0, -300 * u)
                           : kind == 5 ? (random() % 2 ? 0.0 : 5e-324 * static_cast<double>(random() % 4000))
                                       : 0.3 + 0.4 * u;
        record.final_risk = kind == 0 ? beyond : record.tail_mean * (1 + 1e-3 * u);
        record.last_step = last_step_without_stop(record, CellConfig{}.steps);
    }
    return records;
}

using LargeCellTest = StoreTest;

TEST_F(LargeCellTest, SaysWhatSortedListsSay) {
    std::mt19937_64 random(2);
    for (const double tolerance : {0.2, 1e-2, 1e-3, 1e-5, 1e-13}) {
        std::filesystem::remove(path());
        constexpr std::int64_t count = 5000;
        Campaign campaign = small_campaign(count, 1);
        campaign.cells[0].tolerance = tolerance;
        finish(campaign.cells[0]);
        Store store = Store::open_for_writing(path(), campaign);
        const std::vector<TrialRecord> records = mixed_records(count, random);
        store.write_block({0, 0, 2000}, {records.begin(), records.begin() + 2000});
        store.write_block({0, 2000, count - 2000}, {records.begin() + 2000, records.end()});

        std::vector<double> finals, limits, converged;
        for (const TrialRecord& record : records) {
            finals.push_back(record.final_risk);
            limits.push_back(limiting_risk(record));
            if (record.verdict == Verdict::Converged) converged.push_back(limiting_risk(record));
        }
        std::sort(finals.begin(), finals.end());
        std::sort(limits.begin(), limits.end());
        const double zero = zero_risk(moments_at_checks(store.cells()[0]));
        const LevelResolution resolution = level_resolution(tolerance, zero);
        std::vector<RiskLevel> levels = risk_levels(converged, resolution);
        std::stable_sort(levels.begin(), levels.end(), [](const RiskLevel& a, const RiskLevel& b) { return a.count > b.count; });
        const std::size_t shown = std::min<std::size_t>(levels.size(), 16);
        const auto left_out = std::accumulate(levels.begin() + static_cast<std::ptrdiff_t>(shown), levels.end(), std::int64_t{0},
                                              [](std::int64_t sum, const RiskLevel& level) { return sum + level.count; });
        const std::size_t all = levels.size();
        levels.resize(shown);
        std::sort(levels.begin(), levels.end(), [](const RiskLevel& a, const RiskLevel& b) { return a.lowest < b.lowest; });

        for (const std::int64_t kept : {std::int64_t{0}, count - 1, count, std::int64_t{1} << 22}) {
            SCOPED_TRACE(fmt::format("tolerance {}, {} kept", tolerance, kept));
            KnownOptima optima(store);
            ScanContext context{optima, default_tolerance, kept};
            const CellSummary cell = scan_trials(store, store.cells()[0], context);
            const auto expect = [&](const Quantiles& quantiles, const std::vector<double>& sorted) {
                const auto at = [&](double share) { return sorted[static_cast<std::size_t>(quantile_rank(share, count) - 1)]; };
                EXPECT_EQ(quantiles.minimum, sorted.front());
                EXPECT_EQ(quantiles.maximum, sorted.back());
                EXPECT_EQ(quantiles.low, (RiskRange{at(0.05), at(0.05)}));
                EXPECT_EQ(quantiles.median, (RiskRange{at(0.5), at(0.5)}));
                EXPECT_EQ(quantiles.high, (RiskRange{at(0.95), at(0.95)}));
            };
            expect(cell.final_risk, finals);
            expect(cell.limiting_risk, limits);
            ASSERT_TRUE(cell.levels);
            EXPECT_EQ(cell.levels->on_none, count - static_cast<std::int64_t>(converged.size()));
            EXPECT_EQ(cell.levels->left_out, static_cast<std::int64_t>(all - shown));
            EXPECT_EQ(cell.levels->left_out_trials, left_out);
            ASSERT_EQ(cell.levels->levels.size(), shown);
            for (std::size_t k = 0; k < shown; ++k) {
                EXPECT_EQ(cell.levels->levels[k].trials, levels[k].count);
                EXPECT_EQ(cell.levels->levels[k].risk, levels[k].median);
                EXPECT_EQ(cell.levels->levels[k].name, is_chain(levels[k], resolution) ? "chain" : "");
                double inactive = 0;
                for (const TrialRecord& record : records)
                    if (record.verdict == Verdict::Converged && limiting_risk(record) >= levels[k].lowest &&
                        limiting_risk(record) <= levels[k].highest)
                        inactive += record.inactive_final;
                EXPECT_EQ(cell.levels->levels[k].mean_inactive, inactive / static_cast<double>(levels[k].count));
            }
        }
    }
}

}  // namespace
}  // namespace limrisk::testing
