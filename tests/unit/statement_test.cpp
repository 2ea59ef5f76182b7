// What a store says of non-convergence, from records made by hand: every number counted here without the code under test.
#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "campaign_fixture.hpp"
#include "optimum/optimum_json.hpp"
#include "optimum/problem.hpp"
#include "report/comparison.hpp"
#include "report/sentence.hpp"
#include "report/summary.hpp"
#include "report/summary_remarks.hpp"
#include "store/document_table.hpp"
#include "store_fixture.hpp"

namespace limrisk::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// x1^2 + 2*x1 on [0, 1]: mean 4/3, variance 34/45.
constexpr double variance = 34.0 / 45;

/// Cells of widths 1 and 2, each with SGD and Adam; optima 34/45 > 0.1 > 0.01, lower bounds half of those above width 0.
class StatementTest : public StoreTest {
protected:
    Store make(std::int64_t trials) {
        campaign_ = small_campaign(trials, 2);
        return Store::open_for_writing(path(), campaign_);
    }
    /// One cell instead, with this problem and activation.
    Store make(std::int64_t trials, std::int64_t width, const std::string& input, const std::string& target,
               const std::string& activation = "\"relu\"") {
        campaign_ = read_campaign({{2, "trials = " + std::to_string(trials)},
                                   {7, "input = " + input},
                                   {8, "target = \"" + target + "\""},
                                   {10, "width = " + std::to_string(width)},
                                   {11, "activation = " + activation}});
        campaign_.cells.resize(1);
        return Store::open_for_writing(path(), campaign_);
    }
    void know(const std::vector<double>& risks, double allowance = 0) {
        const optimum::Problem problem = optimum::problem_of(campaign_.cells[0]);
        std::vector<StoredDocument> documents;
        for (std::size_t width = 0; width < risks.size(); ++width) {
            optimum::Optimum one;
            one.width = static_cast<std::int64_t>(width);
            one.risk = risks[width];
            one.allowance = allowance;
            one.lower_bound = width == 0 ? risks[0] : risks[width] / 2;
            documents.push_back({document_kind::optimum, problem.id, one.width, problem.description, optimum::to_json(one).dump(), "", ""});
        }
        write_documents(path(), documents);
    }
    /// A converged trial at `risk`, with a gradient that Proposition 2.10 allows there.
    static TrialRecord ended(double risk, std::int32_t inactive = 0) {
        TrialRecord record;
        record.final_risk = record.best_risk = record.tail_minimum = record.tail_mean = risk;
        record.inactive_initial = record.inactive_final = inactive;
        record.verdict = std::isfinite(risk) ? Verdict::Converged : Verdict::Diverged;
        record.parameter_norm = 1;
        return record;
    }
    const std::string unit = "{ law = \"uniform\", dimension = 1, low = 0.0, high = 1.0 }";
    Campaign campaign_;
};

TEST_F(StatementTest, MeasuredCertifiedAndPredictedByHand) {
    {
        Store store = make(10);
        std::vector<TrialRecord> records;
        for (int t = 0; t < 10; ++t) records.push_back(ended(t < 4 ? variance : t == 9 ? 0.1 : 0.1011, t < 4 ? 1 : 0));
        store.write_block({0, 0, 10}, records);  // width 1
    }
    know({variance, 0.1, 0.01});
    const StoreSummary summary = summarize(Store::open(path()), 0.01);
    const CellSummary& cell = summary.cells[0];
    EXPECT_EQ(cell.exclusion.least, 1);
    EXPECT_EQ(cell.certified, 4);
    EXPECT_EQ(cell.prediction.probability.value, 0.375);
    EXPECT_EQ(cell.prediction.bound, 0.375);
    ASSERT_TRUE(cell.prediction.test);
    EXPECT_EQ(cell.prediction.test->inactive, 4);
    ASSERT_TRUE(cell.measured);
    // 0.1011 is more than 1 % above 0.1, 0.1 is not.
    EXPECT_EQ(cell.measured->above_least, 9);
    EXPECT_EQ(cell.measured->above_most, 9);
    EXPECT_EQ(cell.measured->share.low, clopper_pearson(9, 10).low);
    EXPECT_EQ(cell.measured->best_ratio, 1);
    EXPECT_EQ(summarize(Store::open(path()), 0.02).cells[0].measured->above_most, 4);
    ASSERT_EQ(cell.floors.size(), 2u);
    EXPECT_EQ(cell.floors[0].trials, 6);
    EXPECT_EQ(*cell.floors[0].risk, 0.1);
    EXPECT_EQ(cell.floors[1].trials, 4);
    EXPECT_EQ(*cell.floors[1].risk, variance);
    EXPECT_EQ(*cell.floors[1].lower_bound, variance);
    EXPECT_FALSE(summary.violated());
    EXPECT_TRUE(summary.warnings.empty());
    EXPECT_EQ(cell.sentence,
              "sgd(0.05), width 1: of 10 trials 40.0 % [12.2, 73.8] provably cannot reach the global minimum (a neuron certified inactive "
              "at initialization); by the law of the initialization the probability of that is 37.5 %; 90.0 % [55.5, 99.7] miss the best "
              "known risk 0.1 by more than 1 %; the "
              "best trial has 1.00 times this risk; the 10 that converged form 3 groups of risks.");
    EXPECT_THAT(summary.cells[1].sentence, HasSubstr("no trials yet"));
    const nlohmann::json json = nlohmann::json::parse(summary_json(summary));
    EXPECT_EQ(json["cells"][0]["measured"]["trials_most"], 9);
    EXPECT_EQ(json["cells"][0]["floors"][1]["trials"], 4);
    EXPECT_EQ(json["cells"][0]["predicted"]["method"], "exact sum");
    EXPECT_THAT(summary_csv(summary), HasSubstr("measured_trials_least"));
}

// final_risk by a quadrature rule may lie below an optimum that was integrated exactly.
TEST_F(StatementTest, ATrialBeatsAnOptimumOnlyByMoreThanItsRuleErrs) {
    make(10).write_block({0, 0, 2}, {ended(0.0995), ended(0.2)});
    know({variance, 0.1, 0.01}, 0.001);
    EXPECT_THAT(summarize(Store::open(path())).warnings, ::testing::IsEmpty());
    know({variance, 0.1, 0.01}, 0.0001);
    EXPECT_THAT(summarize(Store::open(path())).warnings, ::testing::SizeIs(1));
}

TEST_F(StatementTest, WithoutAnOptimumNothingIsMeasured) {
    make(10).write_block({0, 0, 2}, {ended(0.1), ended(0.2)});
    const StoreSummary summary = summarize(Store::open(path()));
    EXPECT_FALSE(summary.cells[0].measured);
    EXPECT_THAT(summary_table(summary), HasSubstr("limrisk optimum CAMPAIGN --store STORE"));
    EXPECT_THAT(summary_table(summary), Not(HasSubstr("missed, %")));
}

TEST_F(StatementTest, ASufficientSmallerWidthLetsInactiveNeuronsBe) {
    make(10, 2, unit, "x1").write_block({0, 0, 3}, {ended(0, 1), ended(0, 0), ended(1.0 / 12, 2)});
    const CellSummary before = summarize(Store::open(path())).cells[0];
    EXPECT_EQ(before.exclusion.least, 2) << "whether optima are stored or not";
    know({1.0 / 12, 0, 0});
    const CellSummary cell = summarize(Store::open(path())).cells[0];
    EXPECT_EQ(cell.exclusion.least, 2);
    EXPECT_EQ(cell.certified, 1);
    EXPECT_NEAR(*cell.prediction.bound, 0.375 * 0.375, 1e-15);
    EXPECT_EQ(cell.measured->above_most, 1);
    EXPECT_THAT(cell.sentence, HasSubstr("2 neurons or more certified inactive"));
}

// |x| on [-1, 1] at width 8: two neurons represent it, one does not, so 7 of 8 frozen neurons exclude it. P(J >= 7) for p = 1/4.
TEST_F(StatementTest, OnlyProvedExclusionsAreCertified) {
    make(10, 8, "{ law = \"uniform\", dimension = 1, low = -1.0, high = 1.0 }", "abs(x1)")
        .write_block({0, 0, 4}, {ended(0.01, 1), ended(0.05, 6), ended(0.06, 7), ended(1.0 / 12, 8)});
    const CellSummary cell = summarize(Store::open(path())).cells[0];
    EXPECT_EQ(cell.exclusion.least, 7);
    EXPECT_EQ(cell.certified, 2);
    EXPECT_NEAR(*cell.prediction.bound, 8 * 0.75 / 16384 + 1.0 / 65536, 1e-12);
    EXPECT_THAT(cell.sentence, HasSubstr("7 neurons or more certified inactive at initialization); by the law of the initialization the "
                                         "probability of that is 0.038 %"));
    EXPECT_THAT(cell.exclusion.reason, HasSubstr("no width up to 1 reaches the optimum: the target is not affine"));
}

TEST_F(StatementTest, WithoutAProofNothingIsCertified) {
    make(10, 1, "{ law = \"uniform\", dimension = 2, low = 0.0, high = 1.0 }", "0.25 + 0.5")
        .write_block({0, 0, 3}, {ended(0, 1), ended(0, 0), ended(1e-3, 0)});
    const StoreSummary summary = summarize(Store::open(path()));
    const CellSummary& cell = summary.cells[0];
    EXPECT_FALSE(cell.exclusion.least);
    EXPECT_EQ(cell.certified, 0);
    EXPECT_FALSE(cell.prediction.bound);
    EXPECT_TRUE(cell.prediction.test) << "the numbers of frozen neurons still have their law";
    EXPECT_THAT(cell.sentence, HasSubstr("none is certified to miss the global minimum (no proof that a smaller width"));
    EXPECT_THAT(cell.sentence, Not(HasSubstr("provably")));
    EXPECT_THAT(summary_table(summary), HasSubstr("-: no proof that a smaller width cannot reach the optimum"));
    const nlohmann::json json = nlohmann::json::parse(summary_json(summary))["cells"][0];
    for (const char* key : {"trials", "share", "low", "high", "least_frozen"}) EXPECT_TRUE(json["certified"][key].is_null()) << key;
    EXPECT_TRUE(json["predicted"]["bound"].is_null());
    EXPECT_TRUE(summary.rates.empty());
}

// Saturation by rounding is no certificate: softplus of a very negative number is 0 in floating point only.
TEST_F(StatementTest, RoundingFreezesNothing) {
    make(10, 2, unit, "x1^2", "\"softplus\"").write_block({0, 0, 2}, {ended(0.01, 1), ended(0.01, 2)});
    const CellSummary cell = summarize(Store::open(path())).cells[0];
    EXPECT_FALSE(cell.exclusion.least);
    EXPECT_EQ(cell.certified, 0);
    EXPECT_FALSE(cell.prediction.test);
    EXPECT_TRUE(cell.floors.empty());
    EXPECT_EQ(cell.exclusion.reason, "neurons of softplus never freeze");
}

TEST_F(StatementTest, SaturatedNeuronsOfAClippingAreFrozen) {
    TrialRecord saturated = ended(0.01, 1), inactive = ended(0.01, 1);
    saturated.inactive_initial = saturated.inactive_final = 0;
    saturated.constant_initial = saturated.constant = 1;
    make(10, 2, unit, "x1^2", "\"clipping(0, 0.5)\"").write_block({0, 0, 3}, {saturated, inactive, ended(0.01)});
    const CellSummary cell = summarize(Store::open(path())).cells[0];
    EXPECT_EQ(cell.exclusion.least, 1);
    EXPECT_EQ(cell.certified, 2);
    ASSERT_TRUE(cell.prediction.test);
    EXPECT_EQ(cell.prediction.test->inactive, 2);
    EXPECT_NEAR(cell.prediction.probability.value, 3.0 / 8 + 5.0 / 32, 1e-15);
    EXPECT_THAT(cell.sentence, HasSubstr("a neuron certified saturated at initialization"));
}

// What a constant, zero or affine target leaves of a risk is rounding: no theorem is violated by it, and nothing misses the optimum.
TEST_F(StatementTest, RoundingIsNoViolationAndNoMiss) {
    struct Case {
        const char* target;
        double scale;
    };
    for (const Case& c : {Case{"0.3", 0.09}, Case{"0", 1}, Case{"x1", 1.0 / 12}, Case{"1000 + 1e-9*x1", 1e6}}) {
        std::filesystem::remove(path());
        TrialRecord exact = ended(0, 1), rounded = ended(1e-31 * c.scale, 1), trained = ended(3e-14 * c.scale),
                    missed = ended(1e-6 * c.scale);
        trained.gradient_norm = 1e-6;
        missed.gradient_norm = 1e4;
        make(10, 1, unit, c.target).write_block({0, 0, 4}, {exact, rounded, trained, missed});
        know({2e-31 * c.scale, 1e-31 * c.scale});
        const StoreSummary summary = summarize(Store::open(path()));
        EXPECT_FALSE(summary.violated()) << c.target << ": " << violations(summary);
        EXPECT_TRUE(summary.warnings.empty()) << c.target;
        ASSERT_TRUE(summary.cells[0].measured);
        EXPECT_NEAR(summary.cells[0].measured->threshold, 1e-10 * c.scale, 1e-15 * c.scale) << c.target;
        EXPECT_EQ(summary.cells[0].measured->above_most, 1) << c.target;
        EXPECT_TRUE(nlohmann::json::parse(summary_json(summary))["cells"][0]["measured"]["best_ratio"].is_null()) << c.target;
        EXPECT_THAT(summary.cells[0].sentence, HasSubstr("1e-10 of the target's scale, independent of the tolerance")) << c.target;
    }
}

TEST_F(StatementTest, TheSentenceNamesTheThresholdThatIsUsed) {
    make(10).write_block({0, 0, 1}, {ended(0.1)});
    know({variance, 1e-8, 0.01});
    const auto said = [&](double tolerance) { return summarize(Store::open(path()), tolerance).cells[0].sentence; };
    EXPECT_THAT(said(0.01), HasSubstr("the best known risk 1e-08 by more than 1.76e-10"));  // 1e-10 + 1e-10 Var f
    EXPECT_THAT(said(10), HasSubstr("the best known risk 1e-08 by more than 1000 %"));
    EXPECT_THAT(said(1e-6), HasSubstr("by more than 7.56e-11 (1e-10 of the target's scale, independent of the tolerance"));
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
    ASSERT_EQ(checks.size(), 4u);
    EXPECT_EQ(checks[0].name, "risk floor");
    EXPECT_EQ(checks[0].violated, 1);
    EXPECT_EQ(checks[0].first_trial, 1);
    EXPECT_EQ(checks[1].name, "frozen neurons");
    EXPECT_EQ(checks[1].checked, 5);
    EXPECT_EQ(checks[1].violated, 1);
    EXPECT_EQ(checks[1].first_trial, 4);
    EXPECT_EQ(checks[2].name, "Proposition 3.18");
    EXPECT_EQ(checks[2].checked, 2);
    EXPECT_EQ(checks[2].violated, 2);
    EXPECT_EQ(checks[3].name, "Proposition 2.10");
    EXPECT_EQ(checks[3].checked, 5);
    EXPECT_EQ(checks[3].violated, 1);
    EXPECT_EQ(checks[3].first_trial, 3);
    EXPECT_THAT(violations(summary), HasSubstr("cell 2, Proposition 2.10: 1 of 5 trials"));
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
    const nlohmann::json json = nlohmann::json::parse(comparison_json(comparison));
    EXPECT_EQ(json["groups"][0]["pairs"][0]["missed"]["only_first"], 2);
    EXPECT_THAT(comparison_table(comparison), HasSubstr("A = sgd(0.05) (cell 0), B = adam(0.01) (cell 1)"));
    EXPECT_THROW(compare_cells(store, summarize(store), "seed"), Error);
    EXPECT_THROW(compare_cells(store, summarize(store), "batch"), Error);
    EXPECT_THROW(compare_cells(store, summarize(store), "optimiser"), Error);
}

TEST_F(StatementTest, RecordsThatCannotBeAreRefused) {
    // Two inactive neurons of one: neither written, nor read where somebody else wrote them (store_values_test.cpp).
    EXPECT_THROW(make(10).write_block({0, 0, 1}, {ended(0.1, 2)}), Defect);
}

TEST(Sentence, SharesThatAreNotAllOrNoneDoNotSeemSo) {
    EXPECT_EQ(share_text(4095, 4096), ">99.9");
    EXPECT_EQ(share_text(4096, 4096), "100.0");
    EXPECT_EQ(share_text(1, 4096), "<0.1");
    EXPECT_EQ(share_text(0, 4096), "0.0");
    EXPECT_EQ(share_text(1, 3), "33.3");
}

/// A lower bound rounded up is false.
TEST(Sentence, TheBoundOfTheTheoryIsNeverRoundedUp) {
    CellSummary cell;
    cell.done = 1;
    cell.exclusion.least = 1;
    cell.certified_share = clopper_pearson(0, 1);
    const auto printed = [&](double probability) {
        cell.prediction.bound = probability;
        const std::string text = sentence(cell, {}, 0.01);
        const std::string_view head = "by the law of the initialization the probability of that is ";
        return std::stod(text.substr(text.find(head) + head.size()));
    };
    EXPECT_EQ(printed(0.755859375), 75.5);  // 1 - 0.625^3
    EXPECT_EQ(printed(0.375), 37.5);
    EXPECT_EQ(printed(1), 100);
    EXPECT_EQ(printed(0), 0);
    for (int k = 1; k < 2000; ++k) {
        const double small = std::exp(-0.01 * k);
        for (const double probability : {small, 1 - small}) {
            const double per_cent = printed(probability);
            EXPECT_LE(per_cent, 100 * probability * (1 + 1e-14)) << k;  // a rounding of the product and one of the sum within
            EXPECT_GE(per_cent, 100 * probability - 0.1) << k;
            if (probability < 1 && probability > 1e-8) {
                EXPECT_TRUE(per_cent > 0 && per_cent < 100) << probability;
            }
        }
    }
}

TEST(Sentence, GroupsDigits) {
    EXPECT_EQ(grouped_digits(0), "0");
    EXPECT_EQ(grouped_digits(999), "999");
    EXPECT_EQ(grouped_digits(65536), "65,536");
    EXPECT_EQ(grouped_digits(100000000), "100,000,000");
    EXPECT_EQ(grouped_digits(-1234), "-1,234");
}

}  // namespace
}  // namespace limrisk::testing
