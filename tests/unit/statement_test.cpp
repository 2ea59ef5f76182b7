// What a store says of non-convergence, from records made by hand: every number counted here without the code under test.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "analysis/summary.hpp"
#include "report/sentence.hpp"
#include "report/strata_text.hpp"
#include "report/summary_remarks.hpp"
#include "report/summary_text.hpp"
#include "statement_fixture.hpp"

namespace limrisk::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

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
    EXPECT_EQ(cell.prediction.probability->value, 0.375);
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
    EXPECT_EQ(sentences(summary)[0],
              "sgd(0.05), width 1: of 10 trials 40.0 % [12.2, 73.8] provably cannot reach the global minimum (a neuron certified inactive "
              "at initialization); by the law of the initialization the probability of that is at least 37.5 %; 90.0 % [55.5, 99.7] miss "
              "the best "
              "known risk 0.1 by more than 1 %; the "
              "best trial has 1.00 times this risk; the 10 that converged form 3 groups of risks.");
    EXPECT_THAT(sentences(summary)[1], HasSubstr("no trials yet"));
    const nlohmann::json json = nlohmann::json::parse(summary_json(summary));
    EXPECT_EQ(json["cells"][0]["measured"]["trials_most"], 9);
    EXPECT_EQ(json["cells"][0]["floors"][1]["trials"], 4);
    EXPECT_EQ(json["cells"][0]["predicted"]["method"], "exact sum");
    EXPECT_THAT(summary_csv(summary), HasSubstr("measured_trials_least"));
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
    const StoreSummary summary = summarize(Store::open(path()));
    const CellSummary& cell = summary.cells[0];
    EXPECT_EQ(cell.exclusion.least, 2);
    EXPECT_EQ(cell.certified, 1);
    EXPECT_NEAR(*cell.prediction.bound, 0.375 * 0.375, 1e-15);
    EXPECT_EQ(cell.measured->above_most, 1);
    EXPECT_THAT(sentences(summary)[0], HasSubstr("2 neurons or more certified inactive"));
}

// |x| on [-1, 1] at width 8: two neurons represent it, one does not, so 7 of 8 frozen neurons exclude it. P(J >= 7) for p = 1/4.
TEST_F(StatementTest, OnlyProvedExclusionsAreCertified) {
    make(10, 8, "{ law = \"uniform\", dimension = 1, low = -1.0, high = 1.0 }", "abs(x1)")
        .write_block({0, 0, 4}, {ended(0.01, 1), ended(0.05, 6), ended(0.06, 7), ended(1.0 / 12, 8)});
    const StoreSummary summary = summarize(Store::open(path()));
    const CellSummary& cell = summary.cells[0];
    EXPECT_EQ(cell.exclusion.least, 7);
    EXPECT_EQ(cell.certified, 2);
    EXPECT_NEAR(*cell.prediction.bound, 8 * 0.75 / 16384 + 1.0 / 65536, 1e-12);
    EXPECT_THAT(sentences(summary)[0], HasSubstr("7 neurons or more certified inactive at initialization); by the law of the "
                                                 "initialization the probability of that is at least 0.038 %"));
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
    EXPECT_THAT(sentences(summary)[0], HasSubstr("none is certified to miss the global minimum (no proof that a smaller width"));
    EXPECT_THAT(sentences(summary)[0], Not(HasSubstr("provably")));
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
    const StoreSummary summary = summarize(Store::open(path()));
    const CellSummary& cell = summary.cells[0];
    EXPECT_EQ(cell.exclusion.least, 1);
    EXPECT_EQ(cell.certified, 2);
    ASSERT_TRUE(cell.prediction.test);
    EXPECT_EQ(cell.prediction.test->inactive, 2);
    EXPECT_NEAR(cell.prediction.probability->value, 3.0 / 8 + 5.0 / 32, 1e-15);
    EXPECT_THAT(sentences(summary)[0], HasSubstr("a neuron certified saturated at initialization"));
}

// What a constant, zero or affine target leaves of a risk is rounding: no theorem is violated by it, and nothing misses the optimum.
/// Strata of width 2 and the same cell without a condition: sums by hand. P(J) is binomial(2, 3/8).
TEST_F(StatementTest, StrataAreOneProbability) {
    campaign_ = read_campaign({{2, "trials = 40"},
                               {7, "input = " + unit},
                               {8, "target = \"x1^2 + 2*x1\""},
                               {10, "width = 2"},
                               {12, "condition = [\"none\", { inactive_neurons = [0, 1] }]"}});
    ASSERT_EQ(campaign_.cells.size(), 3U);
    {
        Store store = Store::open_for_writing(path(), campaign_);
        const auto trials = [&](std::int64_t cell, int inactive, int reached) {
            std::vector<TrialRecord> records;
            for (int t = 0; t < 40; ++t) records.push_back(ended(t < reached ? 0.01 : 0.5, inactive));
            store.write_block({cell, 0, 40}, records);
        };
        trials(0, 0, 11);
        trials(1, 0, 30);
        trials(2, 1, 4);
        EXPECT_THROW(store.write_block({2, 40, 1}, {ended(0.5, 0)}), Defect) << "a start that is not on the condition";
    }
    const auto line = [&] {
        const StoreSummary summary = summarize(Store::open(path()));
        return fmt::format("{}", fmt::join(strata_lines(summary), "\n"));
    };
    EXPECT_THAT(line(), HasSubstr("limrisk optimum"));
    know({variance, 0.1, 0.01});  // lower bound of width 1: 0.05, five times the optimum of width 2
    const StoreSummary summary = summarize(Store::open(path()));
    ASSERT_EQ(summary.strata.size(), 1U);
    const StrataStatement& strata = summary.strata[0];
    EXPECT_EQ(strata.inactive_probability, 0.375);
    // One frozen neuron excludes the optimum by the lower bound, but four trials with one are seen below the threshold: nothing is
    // excluded.
    EXPECT_FALSE(strata.excluded_from);
    EXPECT_NEAR(strata.missing, 0.375 * 0.375, 1e-6);
    EXPECT_NEAR(strata.estimate.low, 0.625 * 0.625 * 0.75 + 2 * 0.375 * 0.625 * 0.1, 1e-12);
    EXPECT_NEAR(strata.estimate.high, strata.estimate.low + 0.375 * 0.375, 1e-6);
    const Interval a = clopper_pearson(30, 40, 0.975), b = clopper_pearson(4, 40, 0.975);
    EXPECT_NEAR(strata.reached.low, 0.625 * 0.625 * a.low + 2 * 0.375 * 0.625 * b.low, 1e-6);
    EXPECT_NEAR(strata.reached.high, 0.625 * 0.625 * a.high + 2 * 0.375 * 0.625 * b.high + 0.375 * 0.375, 1e-6);
    ASSERT_TRUE(strata.without_condition);
    EXPECT_DOUBLE_EQ(strata.without_condition->low, 1 - clopper_pearson(29, 40).high);
    EXPECT_EQ(strata.cells(), (std::vector<std::int64_t>{1, 2}));
    EXPECT_THAT(line(), HasSubstr("J = 0 (30 of 40 trials, P(J) 0.391)"));
    const nlohmann::json json = nlohmann::json::parse(summary_json(summary));
    EXPECT_EQ(json["strata"][0]["strata"][1]["reached_most"], 4);
    EXPECT_EQ(json["strata"][0]["without_condition"]["trials"], 40);
    // On a condition neurons have no common law; how many are frozen is sure.
    EXPECT_NEAR(*summary.cells[0].prediction.bound, 1 - 0.625 * 0.625, 1e-15);
    EXPECT_EQ(summary.cells[1].prediction.bound, 0);
    EXPECT_EQ(summary.cells[2].prediction.bound, 1);
    for (const std::size_t k : {1U, 2U}) EXPECT_FALSE(summary.cells[k].prediction.probability || summary.cells[k].prediction.test);
    EXPECT_THAT(sentences(summary)[2],
                HasSubstr("of 40 trials drawn on the condition that exactly one neuron is inactive at the start 100.0 %"));
    EXPECT_THAT(sentences(summary)[2], HasSubstr("by the law of the initialization on this condition the probability of that is 100 %"));
}

/// Strata that provably cannot reach the optimum count as 0; one that is missing counts as anything.
TEST_F(StatementTest, ExcludedStrataCountAsNothing) {
    campaign_ = read_campaign({{2, "trials = 40"},
                               {7, "input = " + unit},
                               {8, "target = \"x1^2 + 2*x1\""},
                               {10, "width = 3"},
                               {12, "condition = \"no_inactive_neuron\""}});
    {
        Store store = Store::open_for_writing(path(), campaign_);
        std::vector<TrialRecord> records;
        for (int t = 0; t < 40; ++t) records.push_back(ended(t < 10 ? 0.01 : 0.5, 0));
        store.write_block({0, 0, 40}, records);
    }
    know({variance, 0.1, 0.015, 0.01});  // lower bounds 0.05 and 0.0075: that of width 2 is below the threshold
    const StoreSummary summary = summarize(Store::open(path()));
    ASSERT_EQ(summary.strata.size(), 1U);
    const StrataStatement& strata = summary.strata[0];
    EXPECT_EQ(strata.excluded_from, 2);
    EXPECT_EQ(strata.bound, 0.05);
    EXPECT_NEAR(strata.excluded, 3 * 0.375 * 0.375 * 0.625 + 0.375 * 0.375 * 0.375, 1e-6);
    EXPECT_NEAR(strata.missing, 3 * 0.375 * 0.625 * 0.625, 1e-6);
    const Interval share = clopper_pearson(10, 40);
    EXPECT_NEAR(strata.reached.low, 0.625 * 0.625 * 0.625 * share.low, 1e-6);
    EXPECT_NEAR(strata.reached.high, 0.625 * 0.625 * 0.625 * share.high + 3 * 0.375 * 0.625 * 0.625, 1e-6);
    EXPECT_THAT(strata_lines(summary).at(1), HasSubstr("J >= 2: 0, proved"));
    EXPECT_THAT(strata_lines(summary).at(1), HasSubstr("other J have no trials and count as 0 to 1"));
}

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
        EXPECT_THAT(sentences(summary)[0], HasSubstr("1e-10 of the target's scale, independent of the tolerance")) << c.target;
    }
}

TEST_F(StatementTest, TheSentenceNamesTheThresholdThatIsUsed) {
    make(10).write_block({0, 0, 1}, {ended(0.1)});
    know({variance, 1e-8, 0.01});
    const auto said = [&](double tolerance) { return sentences(summarize(Store::open(path()), tolerance))[0]; };
    EXPECT_THAT(said(0.01), HasSubstr("the best known risk 1e-08 by more than 1.76e-10"));  // 1e-10 + 1e-10 Var f
    EXPECT_THAT(said(10), HasSubstr("the best known risk 1e-08 by more than 1000 %"));
    EXPECT_THAT(said(1e-6), HasSubstr("by more than 7.56e-11 (1e-10 of the target's scale, independent of the tolerance"));
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

/// What drawn neurons say holds with their confidence only; a share that is neither all nor none is not shown as such.
TEST(Sentence, SaysWhatDrawnNeuronsAndRoundedSharesAre) {
    CellSummary cell;
    cell.done = 20000;
    cell.exclusion.least = 1;
    cell.certified = 19999;
    cell.certified_share = clopper_pearson(cell.certified, cell.done);
    cell.prediction.probability.emplace().method = ProbabilityMethod::Drawn;
    cell.prediction.bound = 0;
    EXPECT_THAT(sentence(cell, {}, 0.01), HasSubstr(">99.9 % [>99.9, >99.9] provably"));
    EXPECT_THAT(
        sentence(cell, {}, 0.01),
        HasSubstr("by neurons drawn from the law of the initialization the probability of that is at least 0 %, with 95 % confidence"));
    EXPECT_EQ(ends_text({0, 1}), "[0.0, 100.0]");
    EXPECT_EQ(ends_text({1e-5, 0.5}), "[<0.1, 50.0]");
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
        const std::string_view head = "by the law of the initialization the probability of that is ", least = "at least ";
        const std::string number = text.substr(text.find(head) + head.size());
        EXPECT_EQ(number.starts_with(least), probability < 1) << number;
        return std::stod(number.substr(probability < 1 ? least.size() : 0));
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

}  // namespace
}  // namespace limrisk::testing
