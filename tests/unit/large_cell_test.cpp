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
#include "campaign/data_treatment.hpp"
#include "statement_fixture.hpp"
#include "statistics/quantile.hpp"
#include "statistics/risk_levels.hpp"

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

/// More numbers than one pass of a search keeps, of the fields that only some cells have.
class LargeFurtherTest : public StatementTest {
protected:
    static constexpr std::int64_t count = 300000;
    void write(Store& store, std::int64_t cell, const std::vector<TrialRecord>& records) const {
        for (std::int64_t first = 0; first < count; first += 4000)
            store.write_block({cell, first, 4000}, {records.begin() + first, records.begin() + first + 4000});
    }
    static void expect(const Quantiles& quantiles, const std::vector<double>& risks) {
        std::vector<double> sorted = risks;
        std::sort(sorted.begin(), sorted.end());
        const auto at = [&](double share) { return sorted[static_cast<std::size_t>(quantile_rank(share, count) - 1)]; };
        EXPECT_EQ(quantiles.minimum, sorted.front());
        EXPECT_EQ(quantiles.minimum_trial, std::min_element(risks.begin(), risks.end()) - risks.begin());
        EXPECT_EQ(quantiles.maximum, sorted.back());
        EXPECT_EQ(quantiles.low, (RiskRange{at(0.05), at(0.05)}));
        EXPECT_EQ(quantiles.median, (RiskRange{at(0.5), at(0.5)}));
        EXPECT_EQ(quantiles.high, (RiskRange{at(0.95), at(0.95)}));
    }
};

TEST_F(LargeFurtherTest, AveragesAndValidationRisksAreThoseOfSortedLists) {
    campaign_ = small_campaign(count, 1);
    campaign_.cells[0].average = {AverageRule::Kind::Exponential, 0, 0.9, 0};
    const std::shared_ptr<DataSet> points = finished_data({1, {0, 1, 2}, {1, 2, 4}, {}});
    points->validation = finished_data({1, {0.5, 5}, {1, 2}, {}});
    set_data(campaign_.cells[1], points);
    campaign_.cells[1].sampling = Sampling::FullBatch;
    campaign_.cells[1].batch = 3;
    for (CellConfig& cell : campaign_.cells) finish(cell);
    std::mt19937_64 random(3);
    const auto risk = [&] { return 0.1 + static_cast<double>(random() >> 11) * 0x1p-53 * 0.01; };
    std::vector<TrialRecord> averaged, validated;
    std::vector<double> averages, last, best;
    std::int64_t lower = 0, above = 0;
    for (std::int64_t trial = 0; trial < count; ++trial) {
        TrialRecord record = ended(risk());
        record.last_step = CellConfig{}.steps;
        take_iterate_as_average(record);
        validated.push_back(record);
        record.average_risk = risk();
        averaged.push_back(record);
        averages.push_back(record.average_risk);
        lower += record.average_risk < record.final_risk;
        last.push_back(validated.back().validation_risk = trial % 1000 == 7 ? beyond : risk());
        best.push_back(validated.back().best_validation_risk = risk());
        above += validated.back().validation_risk > record.final_risk;
    }
    {
        Store writer = Store::open_for_writing(path(), campaign_);
        write(writer, 0, averaged);
        write(writer, 1, validated);
    }
    know({variance, 0.1});
    const Store store = Store::open(path());
    for (const std::int64_t kept : {std::int64_t{0}, std::int64_t{1} << 22}) {
        KnownOptima optima(store);
        ScanContext context{optima, 0.05, kept};
        const CellSummary first = scan_trials(store, store.cells()[0], context), second = scan_trials(store, store.cells()[1], context);
        ASSERT_TRUE(first.average && first.measured && first.average->missed && first.average->missed_by_iterate && second.validation);
        const auto above_threshold = [&](auto risk_of) {
            return std::ranges::count_if(averaged, [&](const TrialRecord& record) { return risk_of(record) > first.measured->threshold; });
        };
        EXPECT_FALSE(first.validation || second.average);
        expect(first.average->risk, averages);
        EXPECT_EQ(first.average->missed->trials, above_threshold([](const TrialRecord& record) { return record.average_risk; }));
        EXPECT_GT(first.average->missed->trials, 0);
        EXPECT_EQ(first.average->missed_by_iterate->trials, above_threshold([](const TrialRecord& record) { return record.final_risk; }));
        EXPECT_EQ(first.average->lower.trials, lower);
        expect(second.validation->risk, last);
        expect(second.validation->best, best);
        EXPECT_EQ(second.validation->above.trials, above);
    }
}

}  // namespace
}  // namespace limrisk::testing
