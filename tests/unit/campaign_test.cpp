// Right campaigns: defaults, sweeps and their order, overrides.
#include "campaign/campaign.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "campaign/alternative.hpp"
#include "campaign/catalog.hpp"
#include "campaign/cell_description.hpp"
#include "campaign/schema.hpp"
#include "campaign/trials_key.hpp"
#include "campaign_fixture.hpp"
#include "limrisk/error.hpp"
#include "tests/enum_values.hpp"

namespace limrisk {
namespace {

using testing::HasSubstr;

CellConfig only_cell(const Edits& edits) {
    const Campaign campaign = read_campaign(edits);
    EXPECT_EQ(campaign.cells.size(), 1U);
    return campaign.cells.at(0);
}

TEST(Campaign, ReadsEveryField) {
    const Campaign campaign = read_campaign({});
    EXPECT_EQ(campaign.name, "test");
    EXPECT_EQ(campaign.seed, 1U);
    EXPECT_EQ(campaign.trials, 8);
    EXPECT_EQ(campaign.text, campaign_text());
    const CellConfig& cell = campaign.cells.at(0);
    EXPECT_EQ(cell.steps, 100);
    EXPECT_EQ(cell.precision, kernels::Precision::Float32);
    EXPECT_EQ(cell.input.kind, InputLaw::Kind::Uniform);
    EXPECT_EQ(cell.input.dimension, 1);
    EXPECT_EQ(cell.target, "x1^2");
    EXPECT_EQ(cell.width, 4);
    EXPECT_EQ(cell.batch, 32);
    EXPECT_EQ(cell.nodes_per_axis, 0);
    EXPECT_EQ(cell.optimizer.kind, kernels::OptimizerKind::Sgd);
    EXPECT_EQ(cell.learning_rate.initial, 0.05);
    EXPECT_EQ(cell.learning_rate.power, 0);
    EXPECT_EQ(cell.checks, 10);
    EXPECT_EQ(cell.tail, 5);
    EXPECT_EQ(cell.tolerance, 1e-3);
    EXPECT_EQ(cell.evaluation.check_nodes, 64);
    EXPECT_EQ(cell.evaluation.final_nodes, 0);
}

TEST(Campaign, WhatTheStoreKeepsIsNoPartOfACell) {
    const Campaign trials = read_campaign({}), summary = read_campaign({{4, "store = \"summary\""}});
    EXPECT_EQ(trials.store, StoreContents::Trials);
    EXPECT_EQ(summary.store, StoreContents::Summary);
    EXPECT_EQ(read_campaign({{4, "store = \"trials\""}}).store, StoreContents::Trials);
    EXPECT_EQ(summary.cells.at(0).id, trials.cells.at(0).id);
    Overrides overrides;
    overrides.set = {{"store", "summary"}};
    EXPECT_EQ(read_campaign({}, overrides).store, StoreContents::Summary);
}

TEST(Campaign, DefaultsFollowFromTheRest) {
    const Edits bare{{4, ""}, {5, ""}, {11, ""}, {12, ""}, {16, ""}, {17, ""}, {18, ""}, {19, ""}, {20, ""}, {21, ""}};
    const CellConfig cell = only_cell(bare);
    EXPECT_EQ(cell.seed, 1U);
    EXPECT_EQ(cell.checks, 64);
    EXPECT_EQ(cell.tail, 16);
    EXPECT_EQ(cell.evaluation.check_nodes, 64);
    EXPECT_EQ(cell.activation.kind, kernels::ActivationKind::Relu);
    EXPECT_EQ(cell.initialization.kind, InitializationRule::Kind::Pytorch);
    EXPECT_TRUE(cell.initialization.drawn_bias);
    Edits few_steps = bare;
    few_steps.emplace_back(3, "steps = 3");
    EXPECT_EQ(only_cell(few_steps).checks, 3);
    EXPECT_EQ(only_cell(few_steps).tail, 1);
    Edits in_space = bare;
    in_space.emplace_back(7, "input = { law = \"uniform\", dimension = 5 }");
    EXPECT_EQ(only_cell(in_space).evaluation.check_nodes, 1024);
    EXPECT_EQ(only_cell(in_space).evaluation.final_nodes, 16384);
}

TEST(Campaign, TheLastListVariesFastest) {
    const Campaign campaign = read_campaign({{5, "precision = [\"float64\", \"float32\"]"},
                                             {10, "width = [1, 2]"},
                                             {15, "optimizer = [ { name = \"adam\", learning_rate = [0.1, 0.2] }, \"sgd(0.5)\" ]"}});
    std::vector<std::string> order;
    for (const CellConfig& cell : campaign.cells) {
        EXPECT_EQ(cell.index, static_cast<std::int64_t>(order.size()));
        order.push_back((cell.precision == kernels::Precision::Float64 ? "double " : "float ") + std::to_string(cell.width) + " " +
                        cell.optimizer_label);
    }
    EXPECT_THAT(order, testing::ElementsAre("double 1 adam(0.1)", "double 1 adam(0.2)", "double 1 sgd(0.5)", "double 2 adam(0.1)",
                                            "double 2 adam(0.2)", "double 2 sgd(0.5)", "float 1 adam(0.1)", "float 1 adam(0.2)",
                                            "float 1 sgd(0.5)", "float 2 adam(0.1)", "float 2 adam(0.2)", "float 2 sgd(0.5)"));
}

std::vector<std::int64_t> widths_of(const std::string& value) {
    std::vector<std::int64_t> widths;
    for (const CellConfig& cell : read_campaign({{10, "width = " + value}}).cells) widths.push_back(cell.width);
    return widths;
}

std::vector<double> rates_of(const std::string& value) {
    std::vector<double> rates;
    for (const CellConfig& cell :
         read_campaign({{5, "precision = \"float64\""}, {15, "optimizer = { name = \"sgd\", learning_rate = " + value + " }"}}).cells)
        rates.push_back(cell.learning_rate.initial);
    return rates;
}

TEST(Campaign, RangesOfWholeNumbersHaveBothEnds) {
    using testing::ElementsAre;
    EXPECT_THAT(widths_of("\"5..9\""), ElementsAre(5, 6, 7, 8, 9));
    EXPECT_THAT(widths_of("\"0..0\""), ElementsAre(0));
    EXPECT_THAT(widths_of("\" 5 .. 11 + 3 \""), ElementsAre(5, 8, 11));
    EXPECT_THAT(widths_of("\"1..64 *2\""), ElementsAre(1, 2, 4, 8, 16, 32, 64));
    EXPECT_THAT(widths_of("\"3..243*3\""), ElementsAre(3, 9, 27, 81, 243));
    EXPECT_THAT(widths_of("[\"1..3\", 16, \"20..24 +2\"]"), ElementsAre(1, 2, 3, 16, 20, 22, 24));
    EXPECT_THAT(widths_of("{ from = 1, to = 1000, count = 4, scale = \"log\" }"), ElementsAre(1, 10, 100, 1000));
    EXPECT_THAT(widths_of("{ from = 2, to = 9, count = 3 }"), ElementsAre(2, 6, 9));
    EXPECT_EQ(read_campaign({}, {{}, {}, {}, {{"network.width", "5..40"}}}).cells.size(), 36U);
}

TEST(Campaign, RangesOfNumbersAreTheListsThatPeopleWrite) {
    using testing::ElementsAre;
    EXPECT_THAT(rates_of("{ from = 1e-4, to = 1e-1, count = 7, scale = \"log\" }"),
                ElementsAre(1e-4, 3.16228e-4, 1e-3, 3.16228e-3, 1e-2, 3.16228e-2, 1e-1));
    EXPECT_THAT(rates_of("{ from = 0.1, to = 0.5, count = 5, scale = \"linear\" }"), ElementsAre(0.1, 0.2, 0.3, 0.4, 0.5));
    EXPECT_THAT(rates_of("{ from = 0.123456789, to = 1, count = 3 }"), ElementsAre(0.123456789, 0.561728, 1));
    EXPECT_THAT(rates_of("\"1..3\""), ElementsAre(1, 2, 3));
    const auto ids = [](const std::string& rates) {
        std::vector<std::string> all;
        for (const CellConfig& cell : read_campaign({{15, "optimizer = { name = \"adam\", learning_rate = " + rates + " }"}}).cells)
            all.push_back(cell.id);
        return all;
    };
    EXPECT_EQ(ids("{ from = 0.001, to = 1, count = 4, scale = \"log\" }"), ids("[0.001, 0.01, 0.1, 1]"));
    EXPECT_EQ(read_campaign({{11, "activation = { name = \"leaky_relu\", slope = { from = 0.1, to = 0.4, count = 4 } }"}}).cells[2].id,
              read_campaign({{11, "activation = { name = \"leaky_relu\", slope = 0.3 }"}}).cells[0].id);
}

TEST(Campaign, EveryKeyIsAnAxis) {
    const Campaign campaign =
        read_campaign({{3, "steps = [100, 200]"},
                       {7, "input = [ { law = \"uniform\", dimension = [1, 2] }, { law = \"normal\", dimension = 1 } ]"},
                       {8, "target = [\"x1\", \"x1^2\"]"},
                       {11, "activation = [\"relu\", { name = \"leaky_relu\", slope = [0.1, 0.2] }, \"clipping(0, 2)\"]"},
                       {12, "initialization = [ { name = \"uniform\", low = -1, high = [1, 2], bias = [\"zero\", \"drawn\"] } ]"},
                       {14, "batch = [8, 16]"},
                       {17, "checks = [10, 20]"},
                       {18, "tail = [1, 5]"},
                       {19, "tolerance = [1e-3, 1e-2]"},
                       {21, "nodes = [16, 32]"}});
    EXPECT_EQ(campaign.cells.size(), 2U * 3 * 2 * 4 * 4 * 2 * 2 * 2 * 2 * 2);
    std::set<std::string> ids;
    for (const CellConfig& cell : campaign.cells) ids.insert(cell.id);
    EXPECT_EQ(ids.size(), campaign.cells.size());
}

TEST(Campaign, AGridTakesNoPartInTheBatchAxis) {
    const Campaign campaign = read_campaign(
        {{14, "batch = [8, 16]\nsampling = [\"fresh\", { nodes = [4, 8] }]"}, {7, "input = { law = \"uniform\", dimension = 2 }"}});
    ASSERT_EQ(campaign.cells.size(), 4U);
    EXPECT_EQ(campaign.cells[1].batch, 16);
    EXPECT_EQ(campaign.cells[2].nodes_per_axis, 4);
    EXPECT_EQ(campaign.cells[2].batch, 16);
    EXPECT_EQ(campaign.cells[3].batch, 64);
}

TEST(Campaign, WritesOfTheSameChoiceAreTheSameCell) {
    const std::string id = only_cell({{11, "activation = { name = \"leaky_relu\", slope = 0.01 }"}}).id;
    for (const char* same : {"\"leaky_relu\"", "\"leaky_relu(0.01)\"", "\" leaky_relu ( slope = 1e-2 ) \"", "{ name = \"leaky_relu\" }",
                             "[ \"leaky_relu\" ]"}) {
        EXPECT_EQ(only_cell({{11, std::string("activation = ") + same}}).id, id) << same;
    }
    EXPECT_EQ(only_cell({{15, "optimizer = { name = \"sgd\", learning_rate = { schedule = \"constant\", initial = 0.05 } }"}}).id,
              only_cell({}).id);
    EXPECT_EQ(only_cell({{15, "optimizer = \"sgd(learning_rate = 0.05)\""}}).id, only_cell({}).id);
}

TEST(Campaign, WhiteSpaceInATargetMakesNoOtherCell) {
    const auto target = [](const std::string& text) { return only_cell({{8, "target = \"" + text + "\""}}); };
    const std::string id = target("if(x1 < 0.5, -2*x1^2, 1 - x1 + 1e-3)").id;
    for (const char* same : {"if(x1<0.5,-2*x1^2,1-x1+1e-3)", " if ( x1  <  0.5 , - 2 * x1 ^ 2 , 1\\t-\\nx1 + 1e-3 ) "}) {
        EXPECT_EQ(target(same).target, "if(x1 < 0.5, -2*x1^2, 1 - x1 + 1e-3)");
        EXPECT_EQ(target(same).id, id) << same;
    }
    EXPECT_NE(target("if(x1 < 0.5, -2*x1^2, 1 - x1 + 2e-3)").id, id);
    for (const char* canonical : {"x1^2 + 2*x1", "x1^-2", "2*-x1", "(1 - x1)/(1 + x1) - -x1", "max(x1, -1) >= x1", "-x1 - (+x1)"})
        EXPECT_EQ(target(canonical).target, canonical);
    EXPECT_THAT(
        [] {
            read_campaign({{8, "target = [\"x1+1\", \"x1 + 1\"]"}});
        },
        testing::ThrowsMessage<ConfigError>(HasSubstr("cells 0 and 1 are the same")));
}

/// Spaces could make a text too long to be read again.
TEST(Campaign, ATargetOfTheGreatestLengthComesBackFromItsDescription) {
    std::string longest = "x1+x1+x1+0.";
    longest.resize(4096, '1');
    const CellConfig cell = only_cell({{8, "target = \"" + longest + "\""}});
    EXPECT_EQ(cell.target, longest);
    EXPECT_EQ(cell_from_description(cell.description).id, cell.id);
}

TEST(Campaign, SchedulesAndTruncatedNormalsAreRead) {
    const CellConfig cell = only_cell({{7, "input = { law = \"normal\", dimension = 1, mean = 1, deviation = 2, low = 0, high = 3 }"},
                                       {15,
                                        "optimizer = { name = \"rmsprop\", learning_rate = { schedule = \"polynomial\", initial = 0.05, "
                                        "power = 0.5 }, bias_correction = false }"}});
    EXPECT_TRUE(cell.input.bounded);
    EXPECT_EQ(cell.input.mean, 1);
    EXPECT_EQ(cell.input.high, 3);
    EXPECT_EQ(cell.learning_rate.power, 0.5);
    EXPECT_EQ(cell.optimizer.beta, 0.99);
    EXPECT_FALSE(cell.optimizer.bias_correction);
}

TEST(Campaign, EndsPerCoordinateAreRead) {
    const auto cells = [](const std::string& rest) {
        return read_campaign({{7, "input = { law = \"uniform\", dimension = " + rest + " }"}, {21, ""}}).cells;
    };
    const std::vector<CellConfig> box = cells("2, low = [0.0, -1.0], high = 1.0");
    ASSERT_EQ(box.size(), 1U);
    EXPECT_EQ(box[0].input.lows, (std::vector<double>{0, -1}));
    EXPECT_EQ(box[0].input.highs, (std::vector<double>{1, 1}));
    EXPECT_EQ(box[0].input.coordinate(1).low, -1);
    EXPECT_EQ(box[0].input_label, "uniform on [0, 1] x [-1, 1]");
    EXPECT_THAT(box[0].description, HasSubstr(R"("high":[1.0,1.0],"law":"uniform","low":[0.0,-1.0])"));
    const CellConfig again = cell_from_description(box[0].description);
    EXPECT_EQ(again.id, box[0].id);
    EXPECT_EQ(again.input.lows, box[0].input.lows);
    // One law has one cell, however it is spelled.
    EXPECT_EQ(cells("2, low = [0.0, -1.0], high = [1, 1]")[0].id, box[0].id);
    EXPECT_EQ(cells("2, low = [-1, -1], high = [1, 1]")[0].id, cells("2, low = -1")[0].id);
    EXPECT_EQ(cells("3, low = [-1, -1, 0]")[0].input_label, "uniform on [-1, 1]^2 x [0, 1]");
    // Sweeps.
    EXPECT_EQ(cells("1, low = [0.0, -1.0]").size(), 2U);
    EXPECT_EQ(cells("[1, 2], low = [0.0, -1.0]").size(), 4U);
    EXPECT_EQ(cells("2, low = [[0.0, -1.0], [0.5, -1.0], [0.0, 0.0]]").size(), 3U);
}

TEST(Campaign, SpheresAndBallsAreRead) {
    const Campaign campaign =
        read_campaign({{7, "input = [\"sphere(2)\", { law = \"ball\", dimension = 10, radius = [1, 2.5] }]"}, {21, ""}});
    ASSERT_EQ(campaign.cells.size(), 3U);
    EXPECT_EQ(campaign.cells[0].input_label, "sphere(1) in dimension 2");
    EXPECT_EQ(campaign.cells[2].input_label, "ball(2.5) in dimension 10");
    for (const CellConfig& cell : campaign.cells) {
        EXPECT_EQ(cell.evaluation.check_nodes, 1024);
        EXPECT_EQ(cell.evaluation.final_nodes, 16384);
        EXPECT_EQ(cell_from_description(cell.description).id, cell.id);
    }
}

TEST(Campaign, WidthZeroAndFourThousandInDimension64AreAllowed) {
    EXPECT_EQ(read_campaign({{7, "input = { law = \"uniform\", dimension = 64 }"}, {10, "width = [0, 4096]"}}).cells.size(), 2U);
}

TEST(Campaign, DescriptionsComeBackAsTheSameCell) {
    for (std::size_t k = 0; k < kernels::example_count; ++k) {
        const auto value_text = [k](const auto& parameter) {
            const double value = parameter.examples[k];
            return parameter.words[0] != nullptr ? fmt::format("\"{}\"", parameter.words[value != 0 ? 1 : 0])
                   : parameter.truth != nullptr  ? fmt::format("{}", value != 0)
                                                 : fmt::format("{}", value);
        };
        const auto assignments = [&](const auto& parameters) {
            std::string text;
            for (const auto& parameter : parameters)
                if (parameter.name != nullptr) text += fmt::format(", {} = {}", parameter.name, value_text(parameter));
            return text;
        };
        const auto list = [&](const auto& table, const std::string& more) {
            std::string text;
            for (const auto& row : table)
                text += fmt::format("{}{{ name = \"{}\"{}{} }}", text.empty() ? "[" : ", ", row.name, more, assignments(row.parameters));
            return text + "]";
        };
        const std::string common = assignments(kernels::common_optimizer_parameters);
        const Campaign campaign =
            read_campaign({{7, "input = [ { law = \"normal\", dimension = 1 }, { law = \"uniform\", dimension = 3, low = -1 } ]"},
                           {11, "activation = " + list(kernels::activation_table, "")},
                           {15, "optimizer = " + list(kernels::optimizer_table, ", learning_rate = 0.1" + common)}});
        EXPECT_EQ(campaign.cells.size(), 2U * kernels::activation_count * kernels::optimizer_count);
        for (const CellConfig& cell : campaign.cells) {
            EXPECT_EQ(describe(cell_from_description(cell.description)), cell.description);
            EXPECT_EQ(cell_from_description(cell.description).id, cell.id);
        }
    }
}

/// A parameter that is younger than stores stands in descriptions only where it is not what cells had before.
TEST(Campaign, LaterParametersKeepOldDescriptions) {
    const auto with = [](const std::string& optimizer) { return only_cell({{15, "optimizer = " + optimizer}}); };
    const CellConfig adam = with("\"adam(0.1)\"");
    EXPECT_EQ(adam.description.substr(adam.description.find("\"optimizer\"")),
              R"("optimizer":{"alpha":0.9,"beta":0.999,"epsilon":1e-08,"learning_rate":0.1,"name":"adam"},"sampling":"fresh"}})");
    for (const char* same : {R"({ name = "adam", learning_rate = 0.1, weight_decay = 0, decoupled = false, bias_correction = true })",
                             R"({ name = "adamw", learning_rate = 0.1, weight_decay = 0 })",
                             R"({ name = "adam", learning_rate = { schedule = "constant", initial = 0.1, warmup = 0 } })"})
        EXPECT_EQ(with(same).description, adam.description) << same;
    EXPECT_EQ(with("\"momentum(0.1)\"").id, with(R"({ name = "momentum", learning_rate = 0.1, form = "average" })").id);
    for (const char* other : {R"({ name = "adam", learning_rate = 0.1, weight_decay = 0.5 })",
                              R"({ name = "adam", learning_rate = 0.1, bias_correction = false })",
                              R"({ name = "adam", learning_rate = { schedule = "constant", initial = 0.1, warmup = 5 } })"}) {
        const CellConfig cell = with(other);
        EXPECT_NE(cell.id, adam.id) << other;
        EXPECT_EQ(describe(cell_from_description(cell.description)), cell.description);
        EXPECT_NE(cell.optimizer_label, adam.optimizer_label) << other;
    }
}

/// What all cells had before goes without saying, and a choice of groups has one spelling.
TEST(Campaign, TrainableGroups) {
    const auto with = [](const std::string& keys) { return only_cell({{12, keys}}); };
    const CellConfig plain = with("");
    for (const char* same : {"trainable = \"all\"", "trainable = \"wbvc\"", "trainable = \"c, v, b, w\"", "outer_bias = true"})
        EXPECT_EQ(with(same).description, plain.description) << same;
    const CellConfig biases = with("trainable = \"c, b\"");
    EXPECT_EQ(biases.trainable, "bc");
    EXPECT_NE(biases.id, plain.id);
    for (const char* same : {"trainable = \"bc\"", "trainable = \" c b \""}) EXPECT_EQ(with(same).id, biases.id) << same;
    const kernels::Groups held = biases.held();
    EXPECT_TRUE(held.inner_weights && held.outer_weights && !held.inner_biases && !held.outer_bias);
    const CellConfig without = with("outer_bias = false\ntrainable = \"v\"");
    EXPECT_TRUE(without.held().outer_bias && without.holds_inner_layer() && !without.trains_outer_layer());
    EXPECT_FALSE(with("outer_bias = false").trains_all());
    EXPECT_TRUE(plain.trains_all() && plain.trains_outer_layer() && !plain.holds_inner_layer());
    for (const CellConfig* cell : {&biases, &without}) EXPECT_EQ(cell_from_description(cell->description).id, cell->id);
    EXPECT_EQ(read_campaign({{12, "trainable = [\"b\", \"w\", \"all\"]\nouter_bias = [true, false]"}}).cells.size(), 6u);
}

/// Without a skip connection nothing is said of it, and with one all but u is not all.
TEST(Campaign, SkipConnections) {
    const auto with = [](const std::string& keys) { return only_cell({{12, keys}}); };
    const CellConfig plain = with("");
    EXPECT_EQ(with("skip = false").description, plain.description);
    const CellConfig skip = with("skip = true"), all = with("skip = true\ntrainable = \"wbvcu\""),
                     held = with("skip = true\ntrainable = \"wbvc\"");
    EXPECT_TRUE(skip.skip && skip.trains_all() && skip.trains_outer_layer());
    EXPECT_EQ(skip.parameter_count(), plain.parameter_count() + skip.input.dimension);
    EXPECT_EQ(all.id, skip.id);
    EXPECT_EQ(held.trainable, "wbvc");
    EXPECT_TRUE(held.held().skip_weights && !held.held().outer_bias && !held.trains_outer_layer());
    EXPECT_FALSE(plain.held().skip_weights);
    const std::string start = "initial = { w = [[1], [2], [3], [4]], b = [0, 0, 0, 0], v = [1, 1, 1, 1], u = [0.5] }";
    const CellConfig given = with("skip = true\n" + start),
                     drawn =
                         with("skip = true\ninitialization = { w = \"normal(1)\", b = \"zero\", v = \"normal(1)\", u = \"constant(2)\" }");
    EXPECT_EQ(given.start->parameters.back(), 0.5);
    EXPECT_EQ(start_from_text(given.start->text)->hash, given.start->hash);
    EXPECT_TRUE(given.start->skip);
    EXPECT_EQ(drawn.initialization.skip_weight.scale, "2");
    for (const CellConfig* cell : {&skip, &held, &given, &drawn}) EXPECT_EQ(cell_from_description(cell->description).id, cell->id);
    EXPECT_EQ(read_campaign({{12, "skip = [true, false]\ntrainable = [\"wbvc\", \"b\"]"}}).cells.size(), 4u);
}

/// A condition on the start: one spelling, no trace where there is none.
TEST(Campaign, Conditions) {
    const auto with = [](const std::string& keys) { return only_cell({{12, keys}}); };
    const CellConfig plain = with("");
    EXPECT_EQ(with("condition = \"none\"").description, plain.description);
    EXPECT_FALSE(plain.has_condition());
    const CellConfig none = with("condition = \"no_inactive_neuron\"");
    EXPECT_EQ(none.inactive_start, 0);
    EXPECT_EQ(none.condition_label, "inactive_neurons(0)");
    EXPECT_NE(none.id, plain.id);
    for (const char* same : {"condition = { inactive_neurons = 0 }", "condition = \"inactive_neurons(0)\""})
        EXPECT_EQ(with(same).id, none.id) << same;
    EXPECT_EQ(with("condition = { inactive_neurons = 4 }").inactive_start, 4);
    for (const CellConfig& cell : {plain, none}) EXPECT_EQ(cell_from_description(cell.description).id, cell.id);
    EXPECT_EQ(cell_from_description(none.description).inactive_start, 0);
    EXPECT_EQ(read_campaign({{12, "condition = [\"none\", { inactive_neurons = [0, 1] }]"}}).cells.size(), 3u);
    EXPECT_EQ(read_campaign({{10, "width = [2, 3]"}, {12, "condition = { inactive_neurons = \"0..2\" }"}}).cells.size(), 6u);
    EXPECT_EQ(only_cell({{11, "activation = \"clipping(-1, 0)\""}, {12, "condition = \"no_inactive_neuron\""}}).inactive_start, 0);
}

/// Laws of their own for the groups, as table without a name or with it; numbers and expressions.
TEST(Campaign, GroupLaws) {
    const auto with = [](const std::string& value) { return only_cell({{12, "initialization = " + value}}); };
    const CellConfig cell =
        with(R"toml({ w = { law = "normal", scale = "h ^ (-4/15)" }, b = "zero", v = { law = "constant", value = 1 } })toml");
    EXPECT_EQ(cell.initialization_label, "w normal(h^(-4/15)), b zero, v 1, c zero");
    EXPECT_NEAR(cell.initialization.inner_weight.law(32, 1).deviation, std::pow(32, -4.0 / 15), 1e-15);
    EXPECT_EQ(
        with(
            R"toml({ name = "groups", c = "zero", v = "constant(1)", b = { law = "zero" }, w = { law = "normal", scale = "h^(-4/15)" } })toml")
            .id,
        cell.id);
    EXPECT_EQ(cell_from_description(cell.description).id, cell.id);
    const CellConfig other =
        with(R"toml({ w = { law = "uniform", low = -1, high = "2*d" }, b = "uniform(0.5)", v = "normal(0.25)", c = "constant(-1)" })toml");
    EXPECT_EQ(other.initialization_label, "w uniform(-1, 2*d), b uniform(0.5), v normal(0.25), c -1");
    const kernels::Law law = other.initialization.inner_weight.law(7, 3);
    EXPECT_EQ(law.low, -1);
    EXPECT_EQ(law.high, 6);
    EXPECT_EQ(cell_from_description(other.description).id, other.id);
    const Campaign swept = read_campaign(
        {{12, R"toml(initialization = { w = { law = "normal", scale = ["1", "1/h"] }, b = ["zero", "normal(1)"], v = "normal(1)" })toml"}});
    EXPECT_EQ(swept.cells.size(), 4u);
    EXPECT_EQ(with("\"lecun_normal\"").initialization.drawn_bias, false);
}

/// A decay of 0 is one cell with both values of `decoupled`, where both are swept.
TEST(Campaign, NoDecayIsOneCellHoweverItWouldBeApplied) {
    const Campaign campaign =
        read_campaign({{15, R"(optimizer = { name = "adam", weight_decay = [0, 0.01], decoupled = [false, true] })"}});
    ASSERT_EQ(campaign.cells.size(), 3U);
    EXPECT_FALSE(campaign.cells[0].optimizer.decoupled);
    EXPECT_EQ(campaign.cells[0].optimizer.weight_decay, 0);
    EXPECT_NE(campaign.cells[1].id, campaign.cells[2].id);
}

/// An alias is an entry with certain parameters, and the cell has the entry.
TEST(Campaign, AliasesAreEntries) {
    const auto with = [](const std::string& optimizer) { return only_cell({{15, "optimizer = " + optimizer}}); };
    const CellConfig adamw = with("\"adamw\"");
    EXPECT_EQ(adamw.id, with(R"({ name = "adam", weight_decay = 0.01, decoupled = true })").id);
    EXPECT_EQ(adamw.optimizer_label, "adam(0.001, weight_decay=0.01, decoupled)");
    EXPECT_EQ(with(R"({ name = "adamw", learning_rate = 0.1, weight_decay = 0.5 })").optimizer.weight_decay, 0.5);
    const auto activation = [](const std::string& name) { return only_cell({{11, "activation = \"" + name + "\""}}); };
    EXPECT_EQ(activation("relu6").id, activation("clipping(0, 6)").id);
    EXPECT_EQ(activation("hard_tanh").id, activation("clipping(-1, 1)").id);
    EXPECT_EQ(activation("silu").id, activation("swish").id);
    EXPECT_EQ(activation("relu6").activation_label, "clipping(0, 6)");
    for (const Catalog* catalog : catalogs())
        for (const CatalogEntry& alias : catalog->aliases) {
            EXPECT_EQ(catalog->find(alias.name), &alias);
            CellConfig cell;
            alias.choose(cell);
            EXPECT_STRNE(catalog->chosen(cell).name, alias.name);
        }
}

/// Schedules come back from descriptions, and say in their label what they are.
TEST(Campaign, Schedules) {
    const auto with = [](const std::string& rate) {
        return only_cell({{15, "optimizer = { name = \"sgd\", learning_rate = { schedule = " + rate + " } }"}});
    };
    const std::pair<const char*, const char*> known[] = {
        {R"("step", initial = 0.1, factor = 0.5, every = 150)", "sgd(step(0.1, factor=0.5, every=150))"},
        {R"("step", initial = 0.1, factor = 0.5, every = 150, from_one = true)", "sgd(step(0.1, factor=0.5, every=150, from one))"},
        {R"("exponential", initial = 0.1, factor = 0.99)", "sgd(exponential(0.1, factor=0.99))"},
        {R"("inverse_time", initial = 0.1, factor = 0.5, every = 10)", "sgd(inverse_time(0.1, factor=0.5, every=10))"},
        {R"("cosine", initial = 0.1, period = 100, warmup = 10)", "sgd(cosine(0.1, period=100, warmup=10))"},
        {R"("piecewise", initial = 0.1, from_1 = 5, rate_1 = 0.01)", "sgd(piecewise(0.1, from_1=5, rate_1=0.01))"},
        {R"("constant", initial = 0.1, warmup = 10, warmup_start = 0.5)", "sgd(0.1, warmup=10, warmup_start=0.5)"},
        {R"("polynomial", initial = 0.1, power = 0.5, warmup = 10)", "sgd(0.1 n^-0.5, warmup=10)"},
    };
    for (const auto& [text, label] : known) {
        const CellConfig cell = with(text);
        EXPECT_EQ(cell.optimizer_label, label);
        EXPECT_EQ(describe(cell_from_description(cell.description)), cell.description);
        EXPECT_EQ(cell_from_description(cell.description).optimizer_label, label);
    }
}

TEST(Campaign, OverridesComeFromTheCommandLine) {
    Overrides overrides;
    overrides.trials = 3;
    overrides.steps = 50;
    overrides.seed = 18446744073709551615ULL;
    overrides.set = {{"network.width", "[1, 2]"},
                     {"network.activation", "tanh"},
                     {"problem.target", "sin(x1)"},
                     {"training.optimizer", "{ name = \"adam\" }"}};
    const Campaign campaign = read_campaign({{17, "checks = 10"}}, overrides);
    EXPECT_EQ(campaign.trials, 3);
    EXPECT_EQ(campaign.seed, 18446744073709551615ULL);
    ASSERT_EQ(campaign.cells.size(), 2U);
    EXPECT_EQ(campaign.cells[1].seed, 18446744073709551615ULL);
    EXPECT_EQ(campaign.cells[1].width, 2);
    EXPECT_EQ(campaign.cells[1].steps, 50);
    EXPECT_EQ(campaign.cells[1].target, "sin(x1)");
    EXPECT_EQ(campaign.cells[1].activation_label, "tanh");
    EXPECT_EQ(campaign.cells[1].optimizer.alpha, 0.9);
}

/// Each value of `optimizers`, with changes, against the value that it must be equal to.
TEST(Campaign, OverridesReachIntoChoices) {
    const auto ids = [](const std::string& optimizer, const std::vector<std::pair<std::string, std::string>>& changes) {
        Overrides overrides;
        overrides.set = {{"training.optimizer", optimizer}};
        overrides.set.insert(overrides.set.end(), changes.begin(), changes.end());
        std::vector<std::string> result;
        for (const CellConfig& cell : read_campaign({}, overrides).cells) result.push_back(describe(cell));
        return result;
    };
    const std::string rate = "training.optimizer.learning_rate";
    EXPECT_EQ(ids("adam(0.5, 0.8)", {{rate, "0.25"}}), ids("adam(0.25, 0.8)", {}));
    EXPECT_EQ(ids("adam(0.5)", {{"training.optimizer.beta", "0.9"}}), ids("adam(0.5, beta = 0.9)", {}));
    EXPECT_EQ(ids("[\"sgd(0.1)\", \"adam(0.2)\"]", {{rate, "[0.3, 0.4]"}}),
              ids("[\"sgd(0.3)\", \"sgd(0.4)\", \"adam(0.3)\", \"adam(0.4)\"]", {}));
    EXPECT_EQ(ids("{ name = \"sgd\", learning_rate = \"polynomial(0.1, 0.5)\" }", {{rate + ".power", "0.75"}}),
              ids("{ name = \"sgd\", learning_rate = \"polynomial(0.1, 0.75)\" }", {}));
    EXPECT_NE(ids("adam(0.5)", {}), ids("adam(0.25)", {}));
}

TEST(Campaign, WrongOverridesNameTheOption) {
    const auto message = [](const Overrides& overrides) -> std::string {
        try {
            read_campaign({}, overrides);
        } catch (const ConfigError& error) {
            return error.what();
        }
        return "accepted";
    };
    Overrides trials, steps;
    trials.trials = 0;
    steps.steps = 5;
    EXPECT_THAT(message(trials), HasSubstr("command line (--trials): key `trials`: 0"));
    EXPECT_THAT(message(steps), HasSubstr("10 checks in 5 steps"));
    const auto set = [&](const std::string& key, const std::string& value) {
        Overrides overrides;
        overrides.set = {{key, value}};
        return message(overrides);
    };
    EXPECT_THAT(set("network.widht", "3"), HasSubstr("command line (--set network.widht): key `network.widht`: unknown"));
    EXPECT_THAT(set("network.width", "-3"), HasSubstr("command line (--set network.width): key `network.width`: -3"));
    EXPECT_THAT(set("", "3"), HasSubstr("is not a dotted key"));
    EXPECT_THAT(set("network..width", "3"), HasSubstr("is not a dotted key"));
    EXPECT_THAT(set("network width", "3"), HasSubstr("is not a dotted key"));
    EXPECT_THAT(set("network.width", "2*3"), HasSubstr("is not a TOML value"));
    EXPECT_THAT(set("network.width", ""), HasSubstr("is not a TOML value"));
    EXPECT_THAT(set("network.activation.slope", "0.1"), HasSubstr("key `network.activation.slope`: unknown; relu has no parameters"));
    EXPECT_THAT(set("training.batch.size", "3"), HasSubstr("`batch` is 32 at t.toml:14, not a table"));
    EXPECT_THAT(set("network.width", "3\n[x]\ny = 1"), HasSubstr("line break"));
    EXPECT_THAT(set("network.width", std::string(10000, '[')), HasSubstr("nested deeper"));
    EXPECT_THAT(set("network.width.x", "3"), HasSubstr("not a table"));
    EXPECT_THAT(set(std::string("a") + std::string(20000, '.'), "3"), HasSubstr("is not a dotted key"));
}

TEST(Campaign, FilesThatCannotBeReadAreInputErrors) {
    for (const std::filesystem::path path : {"/nonexistent/campaign.toml", "/"}) {
        try {
            load_campaign(path);
            FAIL() << path;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ExitCode::InputOutput);
            EXPECT_THAT(error.what(), HasSubstr("cannot read the campaign " + path.string()));
        }
    }
}

}  // namespace
}  // namespace limrisk
