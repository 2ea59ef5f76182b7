// What a table says and must not leave out: verdicts that add up, thresholds really used, sweeps and their rates, laws that do not hold.
#include "report/reservations.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "optimum/optimum_json.hpp"
#include "optimum/problem.hpp"
#include "report/rate_text.hpp"
#include "report/sentence.hpp"
#include "report/summary_text.hpp"
#include "report/verdict_text.hpp"
#include "store_fixture.hpp"

namespace limrisk::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

CellSummary with_verdicts(std::int64_t converged, std::int64_t oscillating, std::int64_t budget, std::int64_t diverged) {
    CellSummary cell;
    cell.done = converged + oscillating + budget + diverged;
    cell.verdicts = {budget, converged, oscillating, diverged};
    return cell;
}

TEST(VerdictText, PercentsAddUpToAHundred) {
    EXPECT_THAT(verdict_percents(with_verdicts(0, 0, 7, 0), shown_verdicts({})), ElementsAre("0", "0", "100", "0"));
    EXPECT_THAT(verdict_percents(with_verdicts(1, 1, 1, 0), shown_verdicts({})), ElementsAre("34", "33", "33", "0"));
    EXPECT_THAT(verdict_percents(with_verdicts(999, 1, 0, 0), shown_verdicts({})), ElementsAre(">99", "<1", "0", "0"));
    for (const auto& [a, b, c, d] : {std::array<std::int64_t, 4>{13, 29, 41, 18}, {333, 333, 333, 1}, {1, 2, 3, 4}, {4096, 7, 11, 0}}) {
        std::int64_t sum = 0;
        bool few = false;
        for (const std::string& text : verdict_percents(with_verdicts(a, b, c, d), shown_verdicts({}))) {
            few = few || text == "<1" || text == ">99";
            sum += few ? 0 : std::stoll(text);
        }
        EXPECT_TRUE(few || sum == 100) << sum;
    }
}

/// Widths 1, 2, ... times SGD and Adam of `small_campaign`, or others; every cell with the same records.
class ReservationsTest : public StoreTest {
protected:
    std::vector<double> narrow_network;  ///< parameters stored with the optimum of width 1
    std::string ended = "agreement";     ///< why the searches of the stored optima ended

    StoreSummary summary_of(Campaign campaign, const std::vector<TrialRecord>& records, double optimum = -1, double tolerance = 0.01) {
        for (CellConfig& cell : campaign.cells) finish(cell);
        Store store = Store::open_for_writing(path(), campaign);
        for (const CellConfig& cell : campaign.cells)
            store.write_block({cell.index, 0, static_cast<std::int64_t>(records.size())}, records);
        if (optimum >= 0) {
            const optimum::Problem problem = optimum::problem_of(campaign.cells[0]);
            for (std::int64_t width = 0; width <= campaign.cells.back().width; ++width) {
                optimum::Optimum one;
                one.width = width;
                one.risk = width == 0 ? 34.0 / 45 : optimum;
                one.ended = ended;
                if (width == 1) one.parameters = narrow_network;
                store.add_document({document_kind::optimum, problem.id, width, problem.description, optimum::to_json(one).dump(), "", ""});
            }
        }
        return summarize(store, tolerance);
    }
    static std::vector<TrialRecord> records(std::int64_t count, Verdict verdict, double risk, std::int64_t inactive_every) {
        std::vector<TrialRecord> all(static_cast<std::size_t>(count));
        for (std::int64_t t = 0; t < count; ++t) {
            TrialRecord& record = all[static_cast<std::size_t>(t)];
            record.final_risk = record.best_risk = record.tail_minimum = record.tail_mean = record.tail_maximum = risk;
            record.gradient_norm = record.parameter_norm = 10;
            record.inactive_initial = record.inactive_final = inactive_every > 0 && t % inactive_every == 0 ? 1 : 0;
            record.verdict = verdict;
        }
        return all;
    }
};

/// In one line, every run of white space one space: tables break their remarks at 100 columns.
std::string flat(const std::string& text) {
    std::istringstream words(text);
    std::string line;
    for (std::string word; words >> word;) line += (line.empty() ? "" : " ") + word;
    return line;
}

TEST_F(ReservationsTest, NoColumnOfTheVerdictIsLeftOutAndWhatIsLeftOutIsNamed) {
    const StoreSummary summary = summary_of(small_campaign(60, 2), records(50, Verdict::Budget, 0.5, 3), 0.1);
    const std::string table = flat(summary_table(summary));
    EXPECT_THAT(table, AllOf(HasSubstr("con osc bud div"), HasSubstr(" 0 0 100 0 "), HasSubstr("left out")));
    const std::string heads = table.substr(0, table.find(" 0 0 100 0 "));
    EXPECT_THAT(table, Not(HasSubstr("95 % quantile"))) << "no legend of a column that is not there";
    EXPECT_THAT(table, HasSubstr("left out risk 95 %"));
    EXPECT_EQ(heads.find(" best ") == std::string::npos, table.find("risk best") != std::string::npos) << table;
    EXPECT_EQ(heads.find("/opt.") == std::string::npos, table.find("best /opt.") != std::string::npos) << table;
    EXPECT_THAT(sentences(summary)[0], HasSubstr("the risk of 100.0 % still decreases at the last step"));
    EXPECT_THAT(table, HasSubstr("cells 0 to 3: the risk of up to 100 % of the trials (cell 0) is still decreasing"));
    EXPECT_THAT(nlohmann::json::parse(summary_json(summary))["reservations"].dump(), HasSubstr("still decreasing"));
}

TEST_F(ReservationsTest, CellsStandInTheTableWithTheirNumbers) {
    const std::string table = "\n" + summary_table(summary_of(small_campaign(60, 3), records(60, Verdict::Converged, 0.5, 3)));
    for (int cell = 0; cell < 6; ++cell) EXPECT_THAT(table, HasSubstr(fmt::format("\n{:>4} ", cell)));
    EXPECT_THAT(table, HasSubstr("replay --cell"));
}

TEST_F(ReservationsTest, WhereTheOptimumIsZeroTheThresholdIsNamedAndNoMultipleOfIt) {
    const StoreSummary summary = summary_of(small_campaign(60, 1), records(60, Verdict::Converged, 0.8, 3), 4e-28, 0.5);
    const std::string table = flat(summary_table(summary));
    EXPECT_EQ(table.find("e+2"), std::string::npos) << table;
    EXPECT_THAT(table,
                HasSubstr("the best known risk is 0 up to rounding; a trial counts as missed if its limiting risk is above 7.56e-11"));
    const nlohmann::json json = nlohmann::json::parse(summary_json(summary));
    EXPECT_TRUE(json["cells"][0]["measured"]["best_ratio"].is_null());
    EXPECT_FALSE(json["cells"][0]["measured"]["threshold"].is_null());
    const StoreSummary usual = [&] {
        std::filesystem::remove(path());
        return summary_of(small_campaign(60, 1), records(60, Verdict::Converged, 0.5, 3), 0.1, 0.5);
    }();
    EXPECT_THAT(flat(summary_table(usual)), AllOf(HasSubstr("by more than 50 % of it plus 1e-10"), Not(HasSubstr("0 up to rounding"))));
}

TEST_F(ReservationsTest, ChecksThatAreTooCoarseForTheOptimumAreNamed) {
    narrow_network = {2, -1, 1, 0};  // max(2 x1 - 1, 0)
    Campaign campaign = small_campaign(60, 1);
    for (CellConfig& cell : campaign.cells) cell.evaluation.check_nodes = 4096;
    const StoreSummary fine = summary_of(campaign, records(60, Verdict::Converged, 0.5, 3), 0.1);
    ASSERT_TRUE(fine.cells[0].measured->seen_at_checks);
    const double risk = *fine.cells[0].measured->seen_at_checks;
    for (const std::int64_t nodes : {4096, 4}) {
        std::filesystem::remove(path());
        for (CellConfig& cell : campaign.cells) cell.evaluation.check_nodes = nodes;
        const StoreSummary summary = summary_of(campaign, records(60, Verdict::Converged, risk, 3), risk, 1e-6);
        EXPECT_EQ(summary.cells[0].measured->undecided, nodes == 4 ? 60 : 0);
        EXPECT_EQ(flat(summary_table(summary)).find("the quadrature rule of the checks errs by more than the threshold allows") !=
                      std::string::npos,
                  nodes == 4);
        EXPECT_EQ(sentences(summary)[0].find("the rule of the checks is too coarse to tell") != std::string::npos, nodes == 4);
    }
}

TEST_F(ReservationsTest, SearchesThatRanOutOfTimeAreNamed) {
    const std::string remark = "cells 0, 1: the search for the best known risk ended at its time limit";
    EXPECT_THAT(flat(summary_table(summary_of(small_campaign(60, 1), records(60, Verdict::Converged, 0.5, 3), 0.1))),
                Not(HasSubstr(remark)));
    std::filesystem::remove(path());
    ended = "time";
    EXPECT_THAT(flat(summary_table(summary_of(small_campaign(60, 1), records(60, Verdict::Converged, 0.5, 3), 0.1))), HasSubstr(remark));
}

TEST_F(ReservationsTest, ALawThatTheTrialsContradictIsSaidAloud) {
    // p = 3/8 at width 1; no inactive neuron in 200 trials has the probability 1e-41.
    const StoreSummary summary = summary_of(small_campaign(200, 1), records(200, Verdict::Converged, 0.5, 0));
    EXPECT_TRUE(summary.cells[0].prediction.rejected);
    EXPECT_THAT(flat(summary_table(summary)), HasSubstr("contradict Binomial(h, p)"));
    EXPECT_THAT(sentences(summary)[0], HasSubstr("contradict the law"));
    EXPECT_EQ(nlohmann::json::parse(summary_json(summary))["cells"][0]["predicted"]["binomial_rejected"], true);
    std::filesystem::remove(path());
    const StoreSummary usual = summary_of(small_campaign(200, 1), records(200, Verdict::Converged, 0.5, 3));
    EXPECT_FALSE(usual.cells[0].prediction.rejected);
    EXPECT_THAT(flat(summary_table(usual)), Not(HasSubstr("contradict")));
}

/// Widths 1 and 2 of each of these initializations; widths share neurons, so every fourth trial has an inactive one at both.
Campaign by_initialization(const std::vector<InitializationRule::Kind>& kinds) {
    Campaign campaign = small_campaign(60, 2);
    campaign.cells.clear();
    for (const auto kind : kinds)
        for (const CellConfig& cell : small_campaign(60, 2).cells) {
            campaign.cells.push_back(cell);
            campaign.cells.back().initialization.kind = kind;
            campaign.cells.back().index = static_cast<std::int64_t>(campaign.cells.size()) - 1;
        }
    return campaign;
}

TEST_F(ReservationsTest, EveryRateSaysOfWhomAndEverySweepWithoutOneWhy) {
    using Kind = InitializationRule::Kind;
    const StoreSummary summary =
        summary_of(by_initialization({Kind::Pytorch, Kind::KaimingUniform, Kind::XavierNormal}), records(60, Verdict::Converged, 0.5, 4));
    ASSERT_EQ(summary.rates.size(), 4u);
    ASSERT_EQ(summary.no_rates.size(), 2u);
    const std::vector<std::string> lines = rate_lines(summary);
    ASSERT_EQ(lines.size(), 3u) << "SGD and Adam say the same";
    EXPECT_THAT(lines[0], ::testing::StartsWith("pytorch initialization: the share"));
    EXPECT_THAT(lines[1], ::testing::StartsWith("kaiming_uniform initialization: the share"));
    EXPECT_EQ(lines[2], "xavier_normal initialization: no rate: the law of an initial neuron depends on the width");
    EXPECT_EQ(nlohmann::json::parse(summary_json(summary))["no_rates"].size(), 2u);
}

TEST_F(ReservationsTest, ARateOfZeroIsNoLaw) {
    const StoreSummary summary = summary_of(small_campaign(60, 2), records(60, Verdict::Converged, 0.5, 0));
    EXPECT_THAT(flat(summary_table(summary)), AllOf(HasSubstr("does not fall over the width h"), Not(HasSubstr("exp(-0 h)"))));
    std::filesystem::remove(path());
    const StoreSummary all = summary_of(small_campaign(60, 2), records(60, Verdict::Converged, 0.5, 1));
    EXPECT_THAT(flat(summary_table(all)), Not(HasSubstr("exp(-inf")));
}

TEST_F(ReservationsTest, UnderARuleTheReasonIsTheRuleAndItsEstimateIsSaid) {
    Campaign campaign = small_campaign(60, 2);
    campaign.until = StoppingCriterion{StoppingCriterion::Until::Events, StoppingCriterion::Event::Inactive, 60, 0, 5, 0};
    const StoreSummary summary = summary_of(campaign, records(60, Verdict::Converged, 0.5, 4));
    EXPECT_TRUE(summary.rates.empty());
    EXPECT_THAT(rate_lines(summary), ElementsAre(HasSubstr("the numbers of trials depend on the outcomes (stopping rule)")));
    EXPECT_THAT(sentences(summary)[0],
                HasSubstr("by the rule stopped at 17 of at most 60 trials: 5 trials with inactive neurons at initialization, 29.4 %"));
    EXPECT_THAT(flat(summary_table(summary)), HasSubstr("cell 0, sgd(0.05), width 1: stopped at 17"));
}

TEST(CellList, JoinsRanges) {
    EXPECT_EQ(cell_list({3}), "3");
    EXPECT_EQ(cell_list({0, 1, 5, 6, 7, 9}), "0, 1, 5 to 7, 9");
}

}  // namespace
}  // namespace limrisk::testing
