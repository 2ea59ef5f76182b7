// trials = { at_most, until }: what it means, what is refused and in which words, and that it is no part of a cell.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <ostream>

#include "campaign/block_size.hpp"
#include "campaign_fixture.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using Event = StoppingCriterion::Event;
using Until = StoppingCriterion::Until;

std::string trials(const std::string& until) { return "trials = { at_most = 1000000, until = { " + until + " } }"; }

StoppingCriterion criterion_of(const std::string& line, const Overrides& overrides = {}) {
    const Campaign campaign = read_campaign({{2, line}}, overrides);
    if (!campaign.until) throw Defect("no rule was read");
    EXPECT_EQ(campaign.trials, campaign.until->at_most);
    return *campaign.until;
}

TEST(CampaignUntil, ReadsBothEndsAndAllEvents) {
    StoppingCriterion expected{Until::IntervalHalfWidth, Event::Inactive, 1000000, 0.005, 0, 0};
    EXPECT_EQ(criterion_of(trials("interval_half_width = 0.005")), expected);
    EXPECT_EQ(criterion_of(trials("interval_half_width = 0.005, event = \"inactive\"")), expected);
    expected = {Until::Events, Event::Inactive, 1000000, 0, 1000, 0};
    EXPECT_EQ(criterion_of(trials("events = 1000")), expected);
    expected.event = Event::Diverged;
    EXPECT_EQ(criterion_of(trials("events = 1000, event = \"diverged\"")), expected);
    expected.event = Event::RiskAbove;
    expected.risk_above = 0.25;
    EXPECT_EQ(criterion_of(trials("events = 1000, risk_above = 0.25")), expected);
    expected.risk_above = 0;
    EXPECT_EQ(criterion_of(trials("events = 1000, risk_above = 0")), expected);
    EXPECT_FALSE(read_campaign({}).until);
}

TEST(CampaignUntil, IsNoPartOfACell) {
    const Campaign plain = read_campaign({}), ruled = read_campaign({{2, trials("events = 10")}});
    ASSERT_EQ(plain.cells.size(), ruled.cells.size());
    for (std::size_t k = 0; k < plain.cells.size(); ++k) EXPECT_EQ(plain.cells[k].id, ruled.cells[k].id);
}

TEST(CampaignUntil, CommandLineChangesIt) {
    Overrides overrides;
    overrides.trials = 500;
    EXPECT_EQ(criterion_of(trials("events = 10"), overrides), (StoppingCriterion{Until::Events, Event::Inactive, 500, 0, 10, 0}));
    overrides = {};
    overrides.set = {{"trials", "{ at_most = 70, until = { interval_half_width = 0.1 } }"}};
    EXPECT_EQ(criterion_of("trials = 8", overrides), (StoppingCriterion{Until::IntervalHalfWidth, Event::Inactive, 70, 0.1, 0, 0}));
    overrides.trials = 60;
    EXPECT_EQ(criterion_of("trials = 8", overrides).at_most, 60);
    overrides = {};
    overrides.set = {{"trials.until.events", "20"}};
    EXPECT_EQ(criterion_of(trials("events = 10"), overrides).events, 20);
    overrides.set = {{"trials", "9"}};
    const Campaign plain = read_campaign({{2, trials("events = 10")}}, overrides);
    EXPECT_FALSE(plain.until);
    EXPECT_EQ(plain.trials, 9);
}

struct WrongRule {
    std::string line;      ///< instead of `trials = 8`
    const char* key;       ///< that the message names
    const char* fragment;  ///< what it must contain
};
void PrintTo(const WrongRule& wrong, std::ostream* out) { *out << wrong.line; }

class WrongUntil : public testing::TestWithParam<WrongRule> {};

TEST_P(WrongUntil, IsRefusedWithPlaceAndAdvice) {
    const WrongRule& wrong = GetParam();
    try {
        read_campaign({{2, wrong.line}});
        FAIL() << "accepted";
    } catch (const ConfigError& error) {
        EXPECT_THAT(error.problems(), testing::ElementsAre(testing::AllOf(StartsWith(std::string("t.toml:2: key `") + wrong.key + "`"),
                                                                          HasSubstr(wrong.fragment))));
    }
}

INSTANTIATE_TEST_SUITE_P(
    One, WrongUntil,
    testing::Values(
        WrongRule{"trials = { at_most = 8 }", "trials.until", "missing; write trials = { at_most = 1000000, until"},
        WrongRule{"trials = { until = { events = 1 } }", "trials.at_most", "missing; it must be given: an integer, 1 to 1000000000"},
        WrongRule{"trials = { at_mots = 8, until = { events = 1 } }", "trials.at_mots", "did you mean `at_most`?"},
        WrongRule{"trials = { at_most = 8, untli = { events = 1 } }", "trials.untli", "at_most, until, share; did you mean `until`?"},
        WrongRule{"trials = { at_most = 0, until = { events = 1 } }", "trials.at_most", "0; allowed is an integer, 1 to 1000000000"},
        WrongRule{"trials = { at_most = [1, 2], until = { events = 1 } }", "trials.at_most", "a list; allowed is an integer"},
        WrongRule{"trials = [{ at_most = 8, until = { events = 1 } }]", "trials", "cannot be swept"},
        WrongRule{"trials = { at_most = 8, until = 5 }", "trials.until", "5; allowed is a table with interval_half_width or events"},
        WrongRule{trials(""), "trials.until", "no stopping condition"},
        WrongRule{trials("event = \"diverged\""), "trials.until", "no stopping condition"},
        WrongRule{trials("event = \"diverged\", evnets = 8"), "trials.until.evnets", "did you mean `events`?"},
        WrongRule{trials("interval_halfwidth = 0.1"), "trials.until.interval_halfwidth", "did you mean `interval_half_width`?"},
        WrongRule{trials("events = 5, interval_half_width = 0.1"), "trials.until.events", "omit one of them"},
        WrongRule{trials("events = 5, event = \"diverged\", risk_above = 1"), "trials.until.risk_above", "omit one of them"},
        WrongRule{trials("events = 0"), "trials.until.events", "0; allowed is an integer, 1 to 1000000000"},
        WrongRule{trials("events = 1e3"), "trials.until.events", "leave out the decimal point"},
        WrongRule{trials("interval_half_width = 0"), "trials.until.interval_half_width",
                  "0; allowed is a number greater than 0 and below 0.5"},
        WrongRule{trials("interval_half_width = 0.5"), "trials.until.interval_half_width", "greater than 0 and below 0.5"},
        WrongRule{trials("interval_half_width = nan"), "trials.until.interval_half_width", "nan; allowed is a number"},
        WrongRule{trials("events = 5, event = \"divreged\""), "trials.until.event", "did you mean `diverged`?"},
        WrongRule{trials("events = 5, risk_above = -1"), "trials.until.risk_above", "-1; allowed is a number at least 0"},
        WrongRule{trials("events = 5, risk_above = inf"), "trials.until.risk_above", "inf; allowed is a number"},
        WrongRule{"trials = { at_most = 8, until = { events = 1 }, share = { pilot = 1 } }", "trials.share", "omit one of them"},
        WrongRule{"trials = { at_most = 8, share = { pilot = 1 } }", "trials.share", "no cell has a condition on its start"}));

/// Line 12: two strata of each width.
Campaign shared_campaign(const std::string& share, const std::string& at_most = "1000", const std::string& condition = "[0, 1]") {
    return read_campaign({{2, "trials = { at_most = " + at_most + ", share = " + share + " }"},
                          {12, "condition = { inactive_neurons = " + condition + " }"}});
}

TEST(CampaignShare, ReadsPilotAndRisk) {
    StoppingCriterion expected{Until::Shared, Event::Missed, 1000, 0, 0, 0, 32};
    const Campaign campaign = shared_campaign("{ pilot = 32 }");
    EXPECT_EQ(campaign.until, expected);
    EXPECT_EQ(campaign.trials, 1000);
    EXPECT_TRUE(campaign.until->is_shared());
    expected.event = Event::RiskAbove;
    expected.risk_above = 0.25;
    EXPECT_EQ(shared_campaign("{ pilot = 32, risk_above = 0.25 }").until, expected);
    EXPECT_EQ(expected.text(),
              "1000 trials of each group of strata, shared out by the trials with a limiting risk above 0.25 among the first 32 of each "
              "stratum");
    // No part of a cell.
    EXPECT_EQ(campaign.cells[0].id, read_campaign({{12, "condition = { inactive_neurons = [0, 1] }"}}).cells[0].id);
    EXPECT_EQ(shared_campaign("{ pilot = 499 }").until->pilot, 499);
}

TEST(CampaignShare, MistakesAreRefused) {
    const auto refused = [](const std::string& share, const std::string& at_most, const std::string& key, const std::string& fragment) {
        try {
            shared_campaign(share, at_most);
            ADD_FAILURE() << "accepted: " << share;
        } catch (const ConfigError& error) {
            EXPECT_THAT(error.problems(),
                        testing::Contains(testing::AllOf(StartsWith("t.toml:2: key `" + key + "`"), HasSubstr(fragment))));
        }
    };
    refused("{ pilot = 500 }", "1000", "trials.share", "leaves none to share out; allowed are at least 1002");
    refused("{}", "1000", "trials.share.pilot", "missing");
    refused("{ pilot = 0 }", "1000", "trials.share.pilot", "0; allowed is an integer, 1 to 1000000000");
    refused("{ pilto = 5 }", "1000", "trials.share.pilto", "did you mean `pilot`?");
    refused("{ pilot = 5, risk_above = -1 }", "1000", "trials.share.risk_above", "-1; allowed is a number at least 0");
    refused("7", "1000", "trials.share", "allowed is a table with pilot");
    EXPECT_THROW(read_campaign({{2, "trials = { at_most = 1000, share = { pilot = 32 } }"},
                                {4, "store = \"summary\""},
                                {12, "condition = \"no_inactive_neuron\""}}),
                 ConfigError);
}

TEST(CampaignShare, IsWrittenAndReadAgain) {
    const StoppingCriterion rule{Until::Shared, Event::Missed, 1000, 0, 0, 0, 32}, other{Until::Shared, Event::Missed, 1001, 0, 0, 0, 32};
    EXPECT_EQ(describe(rule), R"({"at_most":1000,"confidence":0.95,"share":{"pilot":32}})");
    EXPECT_EQ(stopping_from_description(describe(rule)), rule);
    const StoppingCriterion risk{Until::Shared, Event::RiskAbove, 1000, 0, 0, 0.25, 32};
    EXPECT_EQ(stopping_from_description(describe(risk)), risk);
    const DecidedShare share{700, 0.2, 1e-3, 5, false};
    EXPECT_EQ(share_from_description(describe(share, rule), rule), share);
    EXPECT_EQ(share_from_description(describe(share, rule), other), std::nullopt);
    for (const char* wrong : {"{}", "7", "", R"({"trials":1})"}) EXPECT_THROW(share_from_description(wrong, rule), StoreError) << wrong;
    EXPECT_THROW(share_from_description(describe({31, 0.2, 1e-3, 5, false}, rule), rule), StoreError);  // fewer than the pilot
    EXPECT_THROW(share_from_description(describe({700, 0.2, 1e-3, 33, false}, rule), rule), StoreError);
    EXPECT_THROW(stopping_from_description(R"({"at_most":32,"confidence":0.95,"share":{"pilot":32}})"), StoreError);
}

TEST(CampaignUntil, SaysAllProblemsAtOnce) {
    try {
        read_campaign({{2, "trials = { at_most = 0, until = { events = 0, event = 3, why = 1 } }"}, {3, "steps = 0"}});
        FAIL() << "accepted";
    } catch (const ConfigError& error) {
        EXPECT_EQ(error.problems().size(), 5u) << error.what();
    }
}

TEST(CampaignUntil, MayKeepSummaries) {
    const Edits edits{{2, trials("events = 5")}, {4, "store = \"summary\""}};
    const Campaign campaign = read_campaign(edits);
    EXPECT_EQ(campaign.store, StoreContents::Summary);
    EXPECT_TRUE(campaign.until);
    Overrides overrides;
    overrides.set = {{"store", "trials"}};
    EXPECT_TRUE(read_campaign(edits, overrides).until);
}

TEST(StoppingCriterion, OutcomesOfTrials) {
    const double infinity = std::numeric_limits<double>::infinity();
    TrialRecord record;
    StoppingCriterion criterion{Until::Events, Event::Inactive, 10, 0, 1, 0};
    EXPECT_EQ(criterion.outcome(record), 0);
    record.inactive_initial = 2;
    EXPECT_EQ(criterion.outcome(record), 1);
    criterion.event = Event::Diverged;
    EXPECT_EQ(criterion.outcome(record), 0);
    record.verdict = Verdict::Diverged;
    EXPECT_EQ(criterion.outcome(record), 1);
    criterion.event = Event::RiskAbove;
    criterion.risk_above = 0.5;
    for (const auto& [risk, outcome] : {std::pair{0.5, 0}, {std::nextafter(0.5, 1), 1}, {infinity, 1}, {0.0, 0}}) {
        record.tail_mean = risk;
        EXPECT_EQ(criterion.outcome(record), outcome) << risk;
    }
}

TEST(StoppingCriterion, DescriptionsComeBack) {
    const StoppingCriterion width{Until::IntervalHalfWidth, Event::Inactive, 1000000, 0.005, 0, 0};
    EXPECT_EQ(describe(width), R"({"at_most":1000000,"confidence":0.95,"until":{"event":"inactive","interval_half_width":0.005}})");
    const StoppingCriterion risk{Until::Events, Event::RiskAbove, 7, 0, 3, 0.1};
    EXPECT_EQ(describe(risk), R"({"at_most":7,"confidence":0.95,"until":{"events":3,"risk_above":0.1}})");
    const StoppingCriterion diverged{Until::Events, Event::Diverged, 7, 0, 3, 0};
    for (const StoppingCriterion& criterion : {width, risk, diverged}) EXPECT_EQ(stopping_from_description(describe(criterion)), criterion);
    for (const char* foreign : {"", "[]", "{}", R"({"at_most":7,"confidence":0.95,"until":{"events":3,"event":"lost"}})",
                                R"({"at_most":7,"confidence":0.9,"until":{"event":"diverged","events":3}})",
                                R"({"at_most":0,"confidence":0.95,"until":{"event":"diverged","events":3}})",
                                R"({"at_most":7,"confidence":0.95,"until":{"event":"diverged","events":3},"more":1})",
                                R"({"at_most":7,"confidence":0.95,"until":{"event":"diverged","interval_half_width":0.5}})"}) {
        EXPECT_THROW(stopping_from_description(foreign), StoreError) << foreign;
    }
}

/// Where half-widths are judged. Other numbers would change which trials of existing stores count.
TEST(BlockSize, StaysAsItIs) {
    const auto size = [](std::int64_t width, std::int64_t dimension, std::int64_t batch, std::int64_t steps) {
        CellConfig cell;
        cell.width = width;
        cell.input.dimension = dimension;
        cell.batch = batch;
        cell.steps = steps;
        return block_trials(cell);
    };
    EXPECT_EQ(size(1, 1, 1, 1), 4096);
    EXPECT_EQ(size(16, 1, 32, 10000), 512);    // 192 instructions a sample: 6.1e7 a trial, 5e10 / 6.1e7 = 813
    EXPECT_EQ(size(16, 1, 32, 100000), 64);    // 81
    EXPECT_EQ(size(100, 4, 256, 1000000), 1);  // one trial is more than a block
    EXPECT_EQ(size(2, 2, 128, 100000), 32);    // 116 instructions: 1.48e9 a trial, 33
}

}  // namespace
}  // namespace limrisk
