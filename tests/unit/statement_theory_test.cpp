// Records made by hand against what is known beside them: optima, theorems, levels, other widths, other cells.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "analysis/comparison.hpp"
#include "analysis/summary.hpp"
#include "report/comparison_text.hpp"
#include "report/sentence.hpp"
#include "report/summary_remarks.hpp"
#include "report/summary_text.hpp"
#include "statement_fixture.hpp"

namespace limrisk::testing {
namespace {

using ::testing::HasSubstr;

// final_risk by a quadrature rule may lie below an optimum that was integrated exactly.
TEST_F(StatementTest, ATrialBeatsAnOptimumOnlyByMoreThanItsRuleErrs) {
    make(10).write_block({0, 0, 2}, {ended(0.0995), ended(0.2)});
    know({variance, 0.1, 0.01}, 0.001);
    EXPECT_THAT(summarize(Store::open(path())).warnings, ::testing::IsEmpty());
    know({variance, 0.1, 0.01}, 0.0001);
    EXPECT_THAT(summarize(Store::open(path())).warnings, ::testing::SizeIs(1));
}

TEST_F(StatementTest, ATrialThatBeatsAnOptimumIsReportedAndFollowed) {
    {
        Store store = make(10);
        store.write_block({0, 0, 2}, {ended(0.1), ended(0.2)});
        store.write_block({1, 0, 2}, {ended(0.3), ended(0.07)});
    }
    know({variance, 0.1, 0.01});
    const StoreSummary summary = summarize(Store::open(path()));
    ASSERT_EQ(summary.warnings.size(), 1u);
    EXPECT_THAT(summary.warnings[0], HasSubstr("(inactive neurons not counted), below the optimum 0.1 stored "));
    EXPECT_THAT(summary.warnings[0], HasSubstr("width 1: cell 1, trial 1 has the risk 0.07"));
    EXPECT_EQ(summary.cells[0].measured->optimum, 0.07) << "a cell that was read before the trial, too";
    EXPECT_EQ(summary.cells[0].measured->above_most, 2);
    EXPECT_FALSE(summary.violated());
    EXPECT_THAT(summary_table(summary), HasSubstr("WARNING"));
    // A trial with an inactive neuron at width 2 is one of width 1.
    Store::open_for_writing(path(), campaign_).write_block({2, 0, 1}, {ended(0.06, 1)});
    EXPECT_EQ(summarize(Store::open(path())).cells[0].measured->optimum, 0.06);
    // So is one with a neuron that is constant at the end: c takes its value over.
    TrialRecord constant = ended(0.055);
    constant.constant = 1;
    Store::open_for_writing(path(), campaign_).write_block({2, 1, 1}, {constant});
    const KnownOptimum beaten = *summarize(Store::open(path())).cells[0].optimum;
    EXPECT_EQ(beaten.risk, 0.055);
    EXPECT_EQ(beaten.beaten_by, "cell 2, trial 1");
}

TEST_F(StatementTest, ViolatedTheoremsAreSeen) {
    {
        Store store = make(10);
        TrialRecord dies = ended(0.04), above = ended(0.9);
        dies.inactive_final = 1;              // at the end, not at the beginning: width 1 allows 0.05 and more
        TrialRecord revives = ended(0.2, 1);  // a frozen neuron does not
        revives.inactive_final = 0;
        store.write_block({2, 0, 5}, {ended(0.02), ended(0.04, 1), dies, above, revives});
    }
    know({variance, 0.1, 0.01});
    const StoreSummary summary = summarize(Store::open(path()));
    EXPECT_TRUE(summary.violated());
    const std::vector<TheoryCheck>& checks = summary.cells[2].checks;
    struct Seen {
        const char* name;
        std::int64_t checked, violated, first_trial;
    };
    const Seen expected[] = {
        {"risk floor", 5, 1, 1}, {"frozen neurons", 5, 1, 4}, {"Proposition 3.18", 2, 2, 1}, {"Proposition 2.10", 5, 1, 3}};
    ASSERT_EQ(checks.size(), std::size(expected));
    for (std::size_t k = 0; k < checks.size(); ++k) {
        EXPECT_EQ(checks[k].name, expected[k].name);
        EXPECT_EQ(checks[k].checked, expected[k].checked) << checks[k].name;
        EXPECT_EQ(checks[k].violated, expected[k].violated) << checks[k].name;
        EXPECT_EQ(checks[k].first_trial, expected[k].first_trial) << checks[k].name;
    }
    EXPECT_THAT(violations(summary), HasSubstr("cell 2, Proposition 2.10: 1 of 5 trials"));
}

/// Weight decay moves neurons whose gradient is 0: no certificate, no floor, and a frozen neuron that revives violates nothing.
TEST_F(StatementTest, WeightDecayTakesCertificatesAway) {
    TrialRecord revives = ended(0.2, 1);
    revives.inactive_final = 0;
    const std::pair<const char*, bool> optimizers[] = {
        {"\"sgd(0.05)\"", true},
        {"{ name = \"sgd\", learning_rate = 0.05, weight_decay = 0.01 }", false},
        {"{ name = \"adam\", weight_decay = 1e-30 }", false},
        {"\"adamw\"", false},
        {"{ name = \"adamw\", weight_decay = 0 }", true},
    };
    for (const auto& [optimizer, certifies] : optimizers) {
        SCOPED_TRACE(optimizer);
        campaign_ = read_campaign({{2, "trials = 4"}, {10, "width = 2"}, {15, std::string("optimizer = ") + optimizer}});
        EXPECT_EQ(campaign_.cells.at(0).keeps_frozen_neurons(), certifies);
        const std::string file = path(campaign_.cells[0].id + ".db");
        Store::open_for_writing(file, campaign_).write_block({0, 0, 2}, {revives, ended(0.1)});
        const StoreSummary summary = summarize(Store::open(file));
        const CellSummary& cell = summary.cells.at(0);
        EXPECT_EQ(cell.exclusion.least.has_value(), certifies);
        EXPECT_EQ(cell.certified, certifies ? 1 : 0);
        EXPECT_EQ(cell.floors.empty(), !certifies);
        for (const TheoryCheck& check : cell.checks)
            if (std::string(check.name) == "frozen neurons") {
                EXPECT_EQ(check.violated > 0, certifies);
            }
        if (!certifies) {
            EXPECT_EQ(cell.exclusion.reason, "weight decay moves frozen neurons");
            EXPECT_THAT(summary_table(summary), ::testing::Not(HasSubstr("provably cannot")));
        }
        EXPECT_NEAR(cell.prediction.probability->value, 0.375, 1e-15) << "of the initialization, whatever comes after it";
    }
}

/// What is said of networks all of whose parameters move is said of others only where it holds.
TEST_F(StatementTest, HeldParametersAndMissingBiases) {
    const struct {
        const char* keys;
        bool optimum, certifies, catalogue, proposition;
    } cells[] = {
        {"trainable = \"all\"", true, true, true, true}, {"trainable = \"b\"", true, true, false, false},
        {"trainable = \"vc\"", true, true, false, true}, {"outer_bias = false", false, false, false, false},
        {"skip = true", true, false, true, true},        {"skip = true\ntrainable = \"wbvc\"", true, false, false, false},
    };
    for (const auto& [keys, optimum, certifies, catalogue, proposition] : cells) {
        SCOPED_TRACE(keys);
        campaign_ = read_campaign({{2, "trials = 4"}, {10, std::string("width = 1\n") + keys}});
        const std::string file = path(campaign_.cells[0].id + ".db");
        const optimum::Problem problem = optimum::problem_of(campaign_.cells[0]);
        Store::open_for_writing(file, campaign_).write_block({0, 0, 2}, {ended(4.0 / 45, 1), ended(0.05)});
        std::vector<StoredDocument> documents;
        for (const std::int64_t width : {0, 1}) {
            optimum::Optimum one;
            one.width = width;
            one.risk = one.lower_bound.emplace(width == 0 ? 4.0 / 45 : 0.001);
            documents.push_back({document_kind::optimum, problem.id, width, problem.description, optimum::to_json(one).dump(), "", ""});
        }
        optimum::Level level;
        level.risk = 4.0 / 45;
        level.optimum_of = 0;
        documents.push_back({document_kind::levels, problem.id, 1, problem.description, optimum::levels_to_json({level}), "", ""});
        write_documents(file, documents);
        const StoreSummary summary = summarize(Store::open(file));
        const CellSummary& cell = summary.cells.at(0);
        EXPECT_FALSE(summary.violated());
        EXPECT_EQ(cell.optimum.has_value(), optimum);
        EXPECT_EQ(cell.measured.has_value(), optimum);
        EXPECT_EQ(cell.certified, certifies ? 1 : 0);
        EXPECT_EQ(cell.hierarchy.empty(), !catalogue);
        EXPECT_EQ(cell.levels->catalogue, catalogue);
        EXPECT_EQ(cell.checks[0].checked, optimum ? 2 : 0) << "risk floor";
        EXPECT_EQ(cell.checks[3].checked, proposition ? 2 : 0) << "Proposition 2.10";
        const std::string text = sentences(summary).at(0), table = summary_table(summary);
        EXPECT_EQ(text.find("of which only some are trained") != std::string::npos, optimum && !catalogue) << text;
        EXPECT_EQ(text.find("without an outer bias") != std::string::npos, !optimum) << text;
        EXPECT_EQ(table.find("only some parameters are trained") != std::string::npos, optimum && !catalogue) << table;
        EXPECT_EQ(table.find("networks without an outer bias") != std::string::npos, !optimum) << table;
        EXPECT_EQ(cell.exclusion.reason == "nothing is proved of networks with a skip connection", campaign_.cells[0].skip);
    }
}

/// Where w and b stay as they are, weight decay cannot wake a neuron.
TEST_F(StatementTest, DecayOfTheOuterLayerFreezesNoLess) {
    for (const char* trainable : {"v", "vc", "c"}) {
        const CellConfig cell =
            read_campaign({{12, fmt::format("trainable = \"{}\"", trainable)}, {15, "optimizer = \"adamw(0.01)\""}}).cells.at(0);
        EXPECT_TRUE(cell.keeps_frozen_neurons()) << trainable;
    }
    EXPECT_FALSE(read_campaign({{12, "trainable = \"wv\""}, {15, "optimizer = \"adamw(0.01)\""}}).cells.at(0).keeps_frozen_neurons());
}

/// L <= Var f + |grad L| (|theta| + |E f|), E f = 4/3.
TEST_F(StatementTest, Proposition210AllowsWhatTheGradientExplains) {
    TrialRecord record = ended(0.9);
    record.gradient_norm = (0.9 - variance) / (1 + 4.0 / 3) * 1.0001;
    TrialRecord steeper = record;
    steeper.gradient_norm *= 0.999;
    make(10).write_block({0, 0, 2}, {record, steeper});
    const TheoryCheck check = summarize(Store::open(path())).cells[0].checks[3];
    EXPECT_EQ(check.violated, 1);
    EXPECT_EQ(check.first_trial, 1);
}

TEST_F(StatementTest, ClustersOfConvergedTrials) {
    std::vector<TrialRecord> records{ended(0.1), ended(0.1001), ended(0.5, 1), ended(0.3)};
    records[3].verdict = Verdict::Oscillating;
    records[0].kinked = 1;
    make(10).write_block({0, 0, 4}, records);
    const LevelStatement levels = *summarize(Store::open(path())).cells[0].levels;
    EXPECT_FALSE(levels.catalogue);
    ASSERT_EQ(levels.levels.size(), 2u);
    EXPECT_EQ(levels.levels[0].trials, 2);
    EXPECT_EQ(levels.levels[0].risk, 0.1);
    EXPECT_EQ(levels.levels[0].mean_kinked, 0.5);
    EXPECT_EQ(levels.levels[0].share.high, clopper_pearson(2, 4).high);
    EXPECT_EQ(levels.levels[1].mean_inactive, 1);
    EXPECT_EQ(levels.on_none, 1);
}

TEST_F(StatementTest, LevelsOfACatalogue) {
    make(10).write_block({0, 0, 4}, {ended(0.1), ended(0.10005), ended(0.11), ended(variance, 1)});
    optimum::Level low, high;
    low.risk = 0.1;
    low.shape = "R";
    low.optimum_of = 1;
    high.risk = variance;
    high.optimum_of = 0;
    const optimum::Problem problem = optimum::problem_of(campaign_.cells[0]);
    write_documents(path(), {{document_kind::levels, problem.id, 1, problem.description, optimum::levels_to_json({low, high}), "", ""}});
    const LevelStatement levels = *summarize(Store::open(path())).cells[0].levels;
    EXPECT_TRUE(levels.catalogue);
    ASSERT_EQ(levels.levels.size(), 2u);
    EXPECT_EQ(levels.levels[0].name, "optimum of width 1");
    EXPECT_EQ(levels.levels[0].trials, 2);
    EXPECT_EQ(levels.levels[1].trials, 1);
    EXPECT_EQ(levels.on_none, 1);
    EXPECT_FALSE(summarize(Store::open(path())).cells[2].levels);
}

// One threshold for an optimum of 0: a trial that stands still is on its level, or misses it.
TEST_F(StatementTest, TheLevelOfAnOptimumOf0AndMissedAgree) {
    const double zero = 1e-10 * variance;
    std::vector<TrialRecord> records{ended(0), ended(0.99 * zero), ended(1.01 * zero), ended(1e-5), ended(0.1)};
    for (TrialRecord& record : records) record.gradient_norm = 1;
    make(10).write_block({0, 0, 5}, records);
    know({variance, 1e-40});
    std::vector<optimum::Level> catalog(3);
    catalog[0].risk = 1e-40, catalog[1].risk = 0.1, catalog[2].risk = variance;
    catalog[0].optimum_of = 1, catalog[2].optimum_of = 0;
    const optimum::Problem problem = optimum::problem_of(campaign_.cells[0]);
    write_documents(path(), {{document_kind::levels, problem.id, 1, problem.description, optimum::levels_to_json(catalog), "", ""}});
    const CellSummary cell = summarize(Store::open(path())).cells[0];
    ASSERT_TRUE(cell.levels && cell.levels->catalogue && cell.measured);
    EXPECT_NEAR(cell.levels->absolute, cell.measured->threshold, 1e-12 * zero);
    EXPECT_EQ(cell.levels->levels[0].trials, 2);
    EXPECT_EQ(cell.levels->levels[1].trials, 1);
    EXPECT_EQ(cell.levels->on_none, 2);
    EXPECT_EQ(cell.measured->above_most, 3);
}

TEST_F(StatementTest, RatesOfASweepOverTheWidth) {
    {
        Store store = make(8);
        std::vector<TrialRecord> narrow, wide;
        // Nested: a trial inactive at width 1 is so at width 2. Without: 4 of 8, then 2 of 8, so log 2 per neuron.
        for (int t = 0; t < 8; ++t) {
            narrow.push_back(ended(0.5, t < 4 ? 1 : 0));
            wide.push_back(ended(0.5, t < 4 ? 1 : t < 6 ? 1 : 0));
        }
        store.write_block({0, 0, 8}, narrow);
        store.write_block({2, 0, 8}, wide);
    }
    const StoreSummary summary = summarize(Store::open(path()));
    ASSERT_EQ(summary.rates.size(), 1u);
    EXPECT_EQ(summary.rates[0].cells, (std::vector<std::int64_t>{0, 2}));
    EXPECT_EQ(summary.rates[0].label, "sgd(0.05)");
    EXPECT_NEAR(summary.rates[0].fit.rate, std::log(2), 1e-9);
    EXPECT_NEAR(*summary.rates[0].predicted, std::log(1.6), 1e-15);
}

TEST_F(StatementTest, ComparisonOfPairedTrials) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    {
        Store store = make(6);
        // Pairs (SGD, Adam) at width 1: both miss, only SGD misses twice, only Adam once, both reach; one without partner.
        store.write_block({0, 0, 6}, {ended(0.2), ended(0.3), ended(infinity), ended(0.1), ended(0.1), ended(0.7)});
        store.write_block({1, 0, 5}, {ended(0.2), ended(0.1), ended(0.1), ended(0.4), ended(0.1)});
    }
    know({variance, 0.1, 0.01});
    const Store store = Store::open(path());
    const StoreComparison comparison = compare_cells(store, summarize(store), "optimizer");
    ASSERT_EQ(comparison.groups.size(), 2u);
    EXPECT_EQ(comparison.groups[0].common, (std::vector<std::string>{"width 1"}));
    ASSERT_EQ(comparison.groups[0].pairs.size(), 1u);
    EXPECT_TRUE(comparison.groups[1].pairs.empty()) << "width 2 has no trials";
    const PairComparison& pair = comparison.groups[0].pairs[0];
    ASSERT_TRUE(pair.missed);
    EXPECT_EQ(pair.missed->only_first, 2);
    EXPECT_EQ(pair.missed->only_second, 1);
    EXPECT_EQ(pair.missed->pairs, 5);
    EXPECT_EQ(pair.limiting_risk.first_larger, 2);
    EXPECT_EQ(pair.limiting_risk.second_larger, 1);
    EXPECT_EQ(pair.limiting_risk.equal, 2);
    EXPECT_EQ(pair.missed_p_value, pair.missed->p_value) << "one pair: nothing to adjust";
    const nlohmann::json json = nlohmann::json::parse(comparison_json(comparison, summarize(store)));
    EXPECT_EQ(json["groups"][0]["pairs"][0]["missed"]["only_first"], 2);
    EXPECT_FALSE(json["groups"][0]["pairs"][0].contains("ended_early")) << "no cell has `stop`";
    EXPECT_THAT(comparison_table(comparison, summarize(store)),
                AllOf(HasSubstr("A = sgd(0.05) (cell 0), B = adam(0.01) (cell 1)"), Not(HasSubstr("stop"))));
    EXPECT_THROW(compare_cells(store, summarize(store), "seed"), Error);
    EXPECT_THROW(compare_cells(store, summarize(store), "batch"), Error);
    EXPECT_THROW(compare_cells(store, summarize(store), "optimiser"), Error);
}

/// Trials that `stop` ended are compared at other steps than the rest, which a comparison has to say.
TEST_F(StatementTest, AComparisonSaysWhichTrialsEndedEarly) {
    Campaign campaign = small_campaign(4, 1);
    for (CellConfig& cell : campaign.cells) {
        cell.stop.risk_below = 0.15;
        finish(cell);
    }
    Store store = Store::open_for_writing(path(), campaign);
    std::vector<TrialRecord> stopped(4), whole(4);
    for (std::size_t t = 0; t < 4; ++t) {
        stopped[t].last_step = whole[t].last_step = CellConfig{}.steps;
        stopped[t].tail_mean = whole[t].tail_mean = 0.2;
        if (t == 3) continue;
        stopped[t].verdict = Verdict::Stopped;
        stopped[t].tail_mean = 0.1;
        stopped[t].last_step = 15;  // of check 1
    }
    store.write_block({0, 0, 4}, stopped);
    store.write_block({1, 0, 4}, whole);
    const StoreSummary summary = summarize(store);
    const StoreComparison comparison = compare_cells(store, summary, "optimizer");
    const std::string text = comparison_table(comparison, summary);
    EXPECT_THAT(text, HasSubstr("stop       A: `stop` ended 3 of 4 trials before step 1,000: 3 at a risk below 0.15 (median step 15)"));
    EXPECT_THAT(text, HasSubstr("B: `stop` ended no trial early"));
    EXPECT_THAT(text, HasSubstr("early ends the limiting risk of a trial that `stop` ended"));
    const nlohmann::json pair = nlohmann::json::parse(comparison_json(comparison, summary))["groups"][0]["pairs"][0];
    EXPECT_EQ(pair["ended_early"]["first"], 3);
    EXPECT_EQ(pair["ended_early"]["second"], 0);
}

}  // namespace
}  // namespace limrisk::testing
