// Summaries against numbers computed by hand, and the promises of the table: what it prints, and that it fits.
#include "analysis/summary.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "report/summary_text.hpp"
#include "report/text_table.hpp"
#include "store_fixture.hpp"

namespace limrisk::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr double unbounded = std::numeric_limits<double>::infinity();

/// Trial t of 20: final risk 20 - t, the last one diverged, neurons inactive in every fourth.
std::vector<TrialRecord> twenty() {
    std::vector<TrialRecord> records(20);
    for (int t = 0; t < 20; ++t) {
        TrialRecord& record = records[static_cast<std::size_t>(t)];
        record.final_risk = t == 19 ? unbounded : 20.0 - t;
        record.tail_mean = record.final_risk / 2;
        record.best_risk = t == 7 || t == 9 ? 0.25 : 1;
        record.inactive_initial = t % 4 == 0 ? 1 : 0;
        record.inactive_final = 1;
        record.died = 1;
        record.revived = t < 5 ? 1 : 0;
        record.verdict = t == 19 ? Verdict::Diverged : t < 3 ? Verdict::Oscillating : t < 10 ? Verdict::Budget : Verdict::Converged;
    }
    return records;
}

TEST_F(StoreTest, EarlyEndsByHand) {
    Campaign campaign = small_campaign(20, 1);
    campaign.cells[0].stop = {0.5, 0.1, true};
    finish(campaign.cells[0]);
    Store store = Store::open_for_writing(path(), campaign);
    std::vector<TrialRecord> records(20);
    for (int t = 0; t < 20; ++t) {
        TrialRecord& record = records[static_cast<std::size_t>(t)];
        const bool stopped = t < 11, converged = !stopped && t < 17;
        record.verdict = stopped ? Verdict::Stopped : converged ? Verdict::Converged : Verdict::Budget;
        record.tail_mean = t < 4 ? 0.4 : 0.6;  // 4 by their risk, one of them by its gradient, too; 7 by their gradient alone
        record.gradient_norm = t < 3 ? 1 : 0.05;
        // Of the checks 11 to 1, in steps of 13; then 3 converged early at the ends of windows, 3 at the end.
        record.last_step = stopped ? 250 - 13 * (5 + t) : t < 14 ? 250 * (14 - t) : CellConfig{}.steps;
    }
    store.write_block({0, 0, 20}, records);
    const CellSummary cell = summarize(store).cells[0];
    EXPECT_THAT(cell.verdicts, ::testing::ElementsAre(3, 6, 0, 0, 11));
    ASSERT_TRUE(cell.early_ends);
    EXPECT_EQ(cell.early_ends->by_risk.trials, 4);
    EXPECT_EQ(cell.early_ends->by_risk.median_step, 159);  // of 146, 159, 172, 185
    EXPECT_EQ(cell.early_ends->by_gradient.trials, 7);
    EXPECT_EQ(cell.early_ends->by_gradient.median_step, 94);
    EXPECT_EQ(cell.early_ends->by_verdict.trials, 3);
    EXPECT_EQ(cell.early_ends->by_verdict.median_step, 500);
    EXPECT_EQ(cell.early_ends->trials(), 14);
    EXPECT_EQ(cell.early_ends->above_threshold, 0) << "no optimum is known";
    EXPECT_FALSE(summarize(store).cells[1].early_ends) << "a cell without `stop`";
}

TEST_F(StoreTest, SummaryCountsByHand) {
    Store store = Store::open_for_writing(path(), small_campaign(20, 1));
    const std::vector<TrialRecord> records = twenty();
    store.write_block({0, 0, 8}, {records.begin(), records.begin() + 8});
    store.write_block({0, 8, 12}, {records.begin() + 8, records.end()});
    store.write_block({1, 5, 5}, {records.begin(), records.begin() + 5});  // behind a gap
    const StoreSummary summary = summarize(store);
    ASSERT_EQ(summary.cells.size(), 2u);
    const CellSummary& cell = summary.cells[0];
    EXPECT_EQ(cell.done, 20);
    EXPECT_EQ(cell.stored, 20);
    EXPECT_EQ(cell.certified, 5);
    EXPECT_EQ(cell.certified_share.low, clopper_pearson(5, 20).low);
    EXPECT_EQ(cell.certified_share.high, clopper_pearson(5, 20).high);
    EXPECT_EQ(cell.mean_inactive_initial, 0.25);
    EXPECT_EQ(cell.mean_inactive_final, 1);
    EXPECT_EQ(cell.died, 20);
    EXPECT_EQ(cell.revived, 5);
    EXPECT_THAT(cell.verdicts, ::testing::ElementsAre(7, 9, 3, 1, 0));
    EXPECT_FALSE(cell.early_ends);
    // Sorted: 2, 3, ..., 20, infinity; 5 % of 20 is the 1st, 50 % the 10th, 95 % the 19th.
    EXPECT_EQ(cell.final_risk.minimum, 2);
    EXPECT_EQ(cell.final_risk.minimum_trial, 18);
    EXPECT_EQ(cell.final_risk.low, (RiskRange{2, 2}));
    EXPECT_EQ(cell.final_risk.median, (RiskRange{11, 11}));
    EXPECT_EQ(cell.final_risk.high, (RiskRange{20, 20}));
    EXPECT_EQ(cell.final_risk.maximum, unbounded);
    EXPECT_EQ(cell.limiting_risk.median, (RiskRange{5.5, 5.5}));
    EXPECT_EQ(cell.best_risk, 0.25);
    EXPECT_EQ(cell.best_trial, 7);
    EXPECT_EQ(cell.cell.optimizer_label, "sgd(0.05)");
    EXPECT_EQ(summary.cells[1].done, 0);
    EXPECT_EQ(summary.cells[1].stored, 5);
    EXPECT_EQ(summary.cells[1].cell.index, 1);

    const nlohmann::json json = nlohmann::json::parse(summary_json(summary));
    EXPECT_EQ(json["cells"][0]["certified"]["trials"], 5);
    EXPECT_EQ(json["cells"][0]["verdicts"]["oscillating"], 3);
    EXPECT_EQ(json["cells"][0]["final_risk"]["maximum"], "Infinity");
    EXPECT_EQ(json["cells"][0]["best"]["trial"], 7);
    EXPECT_EQ(json["cells"][1]["final_risk"]["median"], nullptr);

    std::istringstream csv(summary_csv(summary));
    std::string heads, first, second, end;
    std::getline(csv, heads);
    std::getline(csv, first);
    std::getline(csv, second);
    EXPECT_FALSE(std::getline(csv, end));
    const std::size_t columns = static_cast<std::size_t>(std::count(heads.begin(), heads.end(), ','));
    EXPECT_EQ(static_cast<std::size_t>(std::count(second.begin(), second.end(), ',')), columns + 1) << "one comma in a quoted label";
    EXPECT_THAT(heads, AllOf(HasSubstr("certified_low"), HasSubstr("verdict_diverged"), HasSubstr("final_risk_quantile_95"),
                             HasSubstr("best_trial")));
    EXPECT_THAT(first, AllOf(HasSubstr(",inf,"), HasSubstr("0.25,7")));
}

TEST_F(StoreTest, NoiseStandsBesideTheRisks) {
    Campaign campaign = small_campaign(20, 1);
    campaign.cells[0].noise = {NoiseLaw::Kind::Uniform, 1, -1, 2, 0};
    finish(campaign.cells[0]);
    Store store = Store::open_for_writing(path(), campaign);
    store.write_block({0, 0, 20}, twenty());
    StoreSummary summary = summarize(store);
    const nlohmann::json cells = nlohmann::json::parse(summary_json(summary))["cells"];
    EXPECT_EQ(cells[0]["noise_variance"], 0.75);
    EXPECT_EQ(cells[0]["final_risk"]["median"], 11) << "without the noise";
    EXPECT_EQ(cells[1]["noise_variance"], 0);
    EXPECT_THAT(summary_csv(summary), HasSubstr(",noise_variance,"));
    summary.cells[1].cell.data = std::make_shared<DataSet>();
    EXPECT_EQ(nlohmann::json::parse(summary_json(summary))["cells"][1]["noise_variance"], nullptr);
    summary.cells.erase(summary.cells.begin());
    EXPECT_FALSE(nlohmann::json::parse(summary_json(summary))["cells"][0].contains("noise_variance"));
}

TEST_F(StoreTest, TableSaysWhatIsIncomplete) {
    Store store = Store::open_for_writing(path(), small_campaign(40, 2));
    store.write_block({0, 0, 20}, twenty());
    store.write_block({1, 25, 15}, {15, TrialRecord{}});
    const std::string table = summary_table(summarize(store));
    EXPECT_THAT(table, AllOf(HasSubstr("20/40"), HasSubstr("0/40"), HasSubstr("incomplete 4 of 4 cells"), HasSubstr("35 of 160 trials"),
                             HasSubstr("not counted 15"), HasSubstr("width"), HasSubstr("sgd(0.05)\n"), HasSubstr("adam(0.01)\n"),
                             HasSubstr("x1^2 + 2*x1"), HasSubstr("25.0")));
    EXPECT_THAT(table, Not(HasSubstr("nan")));
}

std::size_t longest_line(const std::string& text) {
    std::istringstream lines(text);
    std::size_t longest = 0;
    for (std::string line; std::getline(lines, line);) longest = std::max(longest, line.size());
    return longest;
}

TEST_F(StoreTest, TableFitsAHundredColumns) {
    Campaign campaign = small_campaign(20, 2);
    campaign.cells[0].optimizer = {kernels::OptimizerKind::Adam, 0.5, 0.75, 1e-4, false, true};
    campaign.cells[1].target = std::string("x1") + std::string(300, ' ') + "+ 1";
    campaign.cells[2].initialization = {InitializationRule::Kind::Uniform, false, -1.2345678, 2.3456789};
    campaign.cells[3].width = 4096;
    for (CellConfig& cell : campaign.cells) finish(cell);
    Store store = Store::open_for_writing(path(), campaign);
    for (std::int64_t cell = 0; cell < 4; ++cell) store.write_block({cell, 0, 19}, {19, twenty()[cell == 3 ? 19u : 0u]});
    const std::string table = summary_table(summarize(store));
    EXPECT_LE(longest_line(table), 100u) << table;
    EXPECT_THAT(table, HasSubstr("inf"));
}

TEST_F(StoreTest, CompleteTableHasNoTrialsColumn) {
    Store store = Store::open_for_writing(path(), small_campaign(20, 1));
    for (const std::int64_t cell : {0, 1}) store.write_block({cell, 0, 20}, twenty());
    const std::string table = summary_table(summarize(store));
    EXPECT_THAT(table, AllOf(HasSubstr("20 trials per cell"), HasSubstr("width 1"), HasSubstr("optimizer"), Not(HasSubstr("20/20")),
                             Not(HasSubstr("incomplete"))));
    EXPECT_LE(longest_line(table), 100u);
}

/// The same statistics from aggregates as from the rows, quantiles as bounds of those.
TEST_F(StoreTest, SummaryOfAggregatesIsThatOfTheTrials) {
    const std::vector<TrialRecord> records = twenty();
    Store trials = Store::open_for_writing(path("trials.db"), small_campaign(20, 1));
    Store summaries = Store::open_for_writing(path("summary.db"), summarized(small_campaign(20, 1)));
    for (const BlockKey& key : {BlockKey{0, 0, 8}, BlockKey{0, 8, 12}, BlockKey{1, 5, 5}}) {
        const std::vector<TrialRecord> part(records.begin() + key.first_trial, records.begin() + key.first_trial + key.count);
        trials.write_block(key, part);
        const StoredAggregate aggregate{key, aggregate_records(part.data(), key.count, key.first_trial)};
        summaries.write_aggregates({&aggregate, 1});
    }
    const StoreSummary exact = summarize(trials), binned = summarize(summaries);
    nlohmann::json left = nlohmann::json::parse(summary_json(exact)), right = nlohmann::json::parse(summary_json(binned));
    for (const char* risk : {"final_risk", "limiting_risk"}) {
        for (const std::string name : {"quantile_05", "median", "quantile_95"}) {
            nlohmann::json &here = left["cells"][0][risk], &there = right["cells"][0][risk];
            const double value = here[name].get<double>(), low = there[name + "_bin_low"].get<double>(),
                         high = there[name + "_bin_high"].get<double>();
            EXPECT_LE(low, value);
            EXPECT_GE(high, value);
            EXPECT_LT(high - low, std::ldexp(low, -10));
            EXPECT_EQ(there[name].is_null(), low != high) << name << " is not known to the bit";
            for (nlohmann::json* node : {&here, &there}) {
                for (const char* end : {"", "_bin_low", "_bin_high"}) node->erase(name + end);
            }
        }
    }
    // What needs rows: theorems trial by trial, levels, states on the data.
    for (nlohmann::json* document : {&left, &right})
        for (nlohmann::json& cell : (*document)["cells"])
            for (const char* key : {"checks", "levels", "mean_inactive_on_data", "mean_constant", "sentence"}) cell.erase(key);
    left["campaign"].erase("created");
    right["campaign"].erase("created");
    EXPECT_EQ(left, right);
    EXPECT_EQ(binned.cells[0].limiting_risk.minimum, 1);
    EXPECT_EQ(binned.cells[0].limiting_risk.minimum_trial, 18);
    EXPECT_NE(binned.cells[0].limiting_risk.median.low, binned.cells[0].limiting_risk.median.high);
    EXPECT_EQ(binned.cells[1].done, 0);
    EXPECT_EQ(binned.cells[1].stored, 5);
    EXPECT_THAT(summary_table(binned), HasSubstr("upper ends of bins"));
    EXPECT_THAT(summary_table(exact), Not(HasSubstr("bins")));
    EXPECT_LE(longest_line(summary_table(binned)), 100u);
}

TEST(TextTable, AlignsGroupsAndDropsWhatIsExpendable) {
    const std::vector<TextColumn> columns{{"", "name", 0, true, {"a", "bcd"}},
                                          {"wide group", "x", 0, false, {"1", "22"}},
                                          {"wide group", "y", 0, false, {"3", "4"}},
                                          {"", "extra", 1, false, {"5", "6"}}};
    const TextTable all(columns, 80);
    EXPECT_TRUE(all.dropped().empty());
    EXPECT_THAT(TextTable(columns, 20).dropped(), ::testing::ElementsAre("extra"));
    EXPECT_EQ(all.heads() + all.row(0) + all.row(1),
              "      wide group\n"
              "name         x y  extra\n"
              "a            1 3      5\n"
              "bcd         22 4      6\n");
    EXPECT_EQ(TextTable(columns, 20).row(1), "bcd         22 4\n");
    EXPECT_EQ(wrapped({"one", "two", "three"}, 9), "one, two,\nthree\n");
}

}  // namespace
}  // namespace limrisk::testing
