// Wrong campaigns, one mistake each: the message names file, line and key, the value given, and what would be right.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "campaign_fixture.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

struct Wrong {
    Edits edits;
    const char* place;     ///< how the line of the message begins
    const char* fragment;  ///< what it must contain
};
void PrintTo(const Wrong& wrong, std::ostream* out) { *out << wrong.edits.front().second; }

class WrongCampaigns : public testing::TestWithParam<Wrong> {};

TEST_P(WrongCampaigns, AreRefusedWithPlaceAndAdvice) {
    const Wrong& wrong = GetParam();
    try {
        read_campaign(wrong.edits);
        FAIL() << "accepted: " << wrong.edits.front().second;
    } catch (const ConfigError& error) {
        EXPECT_EQ(error.code(), ExitCode::Data);
        EXPECT_EQ(static_cast<int>(error.code()), 65);
        EXPECT_THAT(error.problems(),
                    testing::Contains(testing::AllOf(testing::StartsWith(wrong.place), testing::HasSubstr(wrong.fragment))))
            << error.what();
        EXPECT_EQ(error.problems().size(), 1U) << "one mistake, one problem:\n" << error.what();
    }
}

INSTANTIATE_TEST_SUITE_P(
    TopLevel, WrongCampaigns,
    testing::Values(Wrong{{{1, ""}}, "t.toml: key `name`", "missing"},                                                  //
                    Wrong{{{1, "name = 3"}}, "t.toml:1: key `name`", "3; allowed is a string"},                         //
                    Wrong{{{1, "name = \"\""}}, "t.toml:1: key `name`", "1 to 100 printable characters"},               //
                    Wrong{{{1, "name = \"a\\nb\""}}, "t.toml:1: key `name`", "printable"},                              //
                    Wrong{{{1, "name = [\"a\", \"b\"]"}}, "t.toml:1: key `name`", "cannot be swept"},                   //
                    Wrong{{{1, "name = \"" + std::string(101, 'n') + "\""}}, "t.toml:1: key `name`", "1 to 100"},       //
                    Wrong{{{2, ""}}, "t.toml: key `trials`", "missing"},                                                //
                    Wrong{{{2, "trials = 0"}}, "t.toml:2: key `trials`", "0; allowed is an integer, 1 to 1000000000"},  //
                    Wrong{{{2, "trials = -5"}}, "t.toml:2: key `trials`", "-5"},                                        //
                    Wrong{{{2, "trials = 1000000001"}}, "t.toml:2: key `trials`", "1 to 1000000000"},                   //
                    Wrong{{{2, "trials = 9223372036854775807"}}, "t.toml:2: key `trials`", "9223372036854775807"},      //
                    Wrong{{{2, "trials = 1e3"}}, "t.toml:2: key `trials`", "leave out the decimal point"},              //
                    Wrong{{{2, "trials = \"4096\""}}, "t.toml:2: key `trials`", "leave out the quotes"},                //
                    Wrong{{{2, "trials = true"}}, "t.toml:2: key `trials`", "true; allowed is an integer"},             //
                    Wrong{{{2, "trials = [1, 2]"}}, "t.toml:2: key `trials`", "cannot be swept"},                       //
                    Wrong{{{2, "trials = 1979-05-27"}}, "t.toml:2: key `trials`", "a date or time"},                    //
                    Wrong{{{2, "trials = { n = 1 }"}}, "t.toml:2: key `trials.n`", "the keys of trials are at_most"},   //
                    Wrong{{{4, "store = \"sumary\""}}, "t.toml:4: key `store`", "did you mean `summary`?"},             //
                    Wrong{{{4, "store = [\"trials\", \"summary\"]"}}, "t.toml:4: key `store`", "cannot be swept"},      //
                    Wrong{{{4, "store = 1"}}, "t.toml:4: key `store`", "\"trials\" or \"summary\""},                    //
                    Wrong{{{2, "trails = 8"}}, "t.toml:2: key `trails`", "did you mean `trials`?"},
                    Wrong{{{3, ""}}, "t.toml: key `steps`", "missing"},                                         //
                    Wrong{{{3, "steps = 0"}}, "t.toml:3: key `steps`", "1 to 1099511627775"},                   //
                    Wrong{{{3, "steps = 1099511627776"}}, "t.toml:3: key `steps`", "1 to 1099511627775"},       //
                    Wrong{{{3, "steps = []"}}, "t.toml:3: key `steps`", "an empty list"},                       //
                    Wrong{{{3, "steps = [[100]]"}}, "t.toml:3: key `steps`", "a list inside a list"},           //
                    Wrong{{{3, "steps = [100, 2.5]"}}, "t.toml:3: key `steps`", "2.5; allowed is an integer"},  //
                    Wrong{{{3, "steps = 100.0"}}, "t.toml:3: key `steps`", "leave out the decimal point"},      //
                    Wrong{{{3, "steps = nan"}}, "t.toml:3: key `steps`", "nan; allowed is an integer"},         //
                    Wrong{{{4, "seed = -1"}}, "t.toml:4: key `seed`", "0 to 9223372036854775807"},              //
                    Wrong{{{4, "seed = 0.5"}}, "t.toml:4: key `seed`", "0.5; allowed is an integer"},           //
                    Wrong{{{4, "seed = [1, 2]"}}, "t.toml:4: key `seed`", "cannot be swept"},                   //
                    Wrong{{{4, "seed = 9223372036854775808"}}, "t.toml:4:", "not valid TOML"},                  //
                    Wrong{{{5, "precision = \"float16\""}}, "t.toml:5: key `precision`", "\"float32\" or \"float64\""},
                    Wrong{{{5, "precision = \"flaot64\""}}, "t.toml:5: key `precision`", "did you mean `float64`?"},  //
                    Wrong{{{5, "precision = 64"}}, "t.toml:5: key `precision`", "64; allowed is \"float32\""},        //
                    Wrong{{{5, "activation = \"relu\""}}, "t.toml:5: key `activation`", "did you mean `network.activation`?"},
                    Wrong{{{5, "zzz = 1"}}, "t.toml:5: key `zzz`", "the keys of a campaign are name, seed"},  //
                    Wrong{{{5, "\"\" = 1"}}, "t.toml:5: ", "unknown"}));

INSTANTIATE_TEST_SUITE_P(
    Ranges, WrongCampaigns,
    testing::Values(
        Wrong{{{10, "width = \"5..\""}}, "t.toml:10: key `network.width`", "no range of whole numbers; write \"5..40\""},
        Wrong{{{10, "width = \"..\""}}, "t.toml:10: key `network.width`", "no range"},
        Wrong{{{10, "width = \"1.5..4\""}}, "t.toml:10: key `network.width`", "{ from = 0.1, to = 0.5, count = 5 }"},
        Wrong{{{10, "width = \"1..4 /2\""}}, "t.toml:10: key `network.width`", "no range"},
        Wrong{{{10, "width = \"1..4 *\""}}, "t.toml:10: key `network.width`", "no range"},
        Wrong{{{10, "width = \"1...4\""}}, "t.toml:10: key `network.width`", "no range"},
        Wrong{{{10, "width = \"40..5\""}}, "t.toml:10: key `network.width`", "ends below its beginning; write \"5..40\""},
        Wrong{{{10, "width = \"1..100 *2\""}}, "t.toml:10: key `network.width`", "end at 64, not at 100; write \"1..64 *2\""},
        Wrong{{{10, "width = \"5..40 +3\""}}, "t.toml:10: key `network.width`", "end at 38, not at 40; write \"5..38 +3\""},
        Wrong{{{10, "width = \"1..64 *1\""}}, "t.toml:10: key `network.width`", "a factor of at least 2"},
        Wrong{{{10, "width = \"1..64 +0\""}}, "t.toml:10: key `network.width`", "a step of at least 1"},
        Wrong{{{10, "width = \"0..64 *2\""}}, "t.toml:10: key `network.width`", "begins at 1 or above"},
        Wrong{{{10, "width = \"-2..4\""}}, "t.toml:10: key `network.width`", "-2; allowed is an integer, 0 to 65536"},
        Wrong{{{10, "width = \"65530..65540\""}}, "t.toml:10: key `network.width`", "65537; allowed is an integer, 0 to 65536"},
        Wrong{{{10, "width = \"1..9223372036854775807\""}}, "t.toml:10: key `network.width`", "more than 100000 values"},
        Wrong{{{10, "width = \"-9223372036854775808..9223372036854775807 +9223372036854775807\""}},
              "t.toml:10: key `network.width`",
              "end at 9223372036854775806, not at 9223372036854775807"},
        Wrong{{{10, "width = \"1..9223372036854775808\""}}, "t.toml:10: key `network.width`", "no range"},
        Wrong{{{10, "width = [\"1..3\", 2]"}}, "t.toml", "are the same"},
        Wrong{{{10, "width = { from = 1, to = 8 }"}}, "t.toml:10: key `network.width.count`", "missing"},
        Wrong{{{10, "width = { from = 1, to = 8, count = 1 }"}}, "t.toml:10: key `network.width.count`", "2 to 100000"},
        Wrong{{{10, "width = { from = 1, to = 8, count = 2.0 }"}}, "t.toml:10: key `network.width.count`", "allowed is an integer"},
        Wrong{{{10, "width = { from = 1.5, to = 8, count = 2 }"}}, "t.toml:10: key `network.width.from`", "allowed is an integer"},
        Wrong{{{10, "width = { from = 8, to = 8, count = 2 }"}}, "t.toml:10: key `network.width.to`", "a number above 8"},
        Wrong{{{10, "width = { from = 1, to = 8, count = 9 }"}}, "t.toml:10: key `network.width`", "rounded to whole numbers"},
        Wrong{{{10, "width = { from = 0, to = 8, count = 4, scale = \"log\" }"}}, "t.toml:10: key `network.width.from`", "above 0"},
        Wrong{{{10, "width = { from = 1, to = 8, count = 4, scale = \"exp\" }"}}, "t.toml:10: key `network.width.scale`", "\"log\""},
        Wrong{{{10, "width = { from = 1, to = 8, count = 4, step = 2 }"}}, "t.toml:10: key `network.width.step`", "from, to, count, scale"},
        Wrong{
            {{19, "tolerance = { from = 0.1, to = 0.100001, count = 4 }"}}, "t.toml:19: key `tracking.tolerance`", "6 significant digits"},
        Wrong{{{19, "tolerance = { from = 0.1, to = inf, count = 4 }"}}, "t.toml:19: key `tracking.tolerance.to`", "a finite number"},
        Wrong{{{2, "trials = \"1..4\""}}, "t.toml:2: key `trials`", "\"1..4\"; allowed is an integer"}));

std::string input(const std::string& rest) { return "input = { " + rest + " }"; }

INSTANTIATE_TEST_SUITE_P(
    Problem, WrongCampaigns,
    testing::Values(
        Wrong{{{7, ""}}, "t.toml:6: key `problem.input`", "missing"},                                                         //
        Wrong{{{7, input("")}}, "t.toml:7: key `problem.input.law`", "missing; it chooses one of uniform, normal"},           //
        Wrong{{{7, input("lwa = \"uniform\", dimension = 1")}}, "t.toml:7: key `problem.input.law`", "did you mean `law`?"},  //
        Wrong{{{7, input("law = \"unifrom\", dimension = 1")}}, "t.toml:7: key `problem.input.law`", "did you mean `uniform`?"},
        Wrong{{{7, input("law = 1, dimension = 1")}}, "t.toml:7: key `problem.input.law`", "1; allowed are \"uniform\", \"normal\""},
        Wrong{
            {{7, input("law = [\"uniform\", \"normal\"], dimension = 1")}}, "t.toml:7: key `problem.input.law`", "write a list of tables"},
        Wrong{{{7, input("law = \"uniform\"")}}, "t.toml:7: key `problem.input.dimension`", "missing"},                    //
        Wrong{{{7, input("law = \"uniform\", dimension = 0")}}, "t.toml:7: key `problem.input.dimension`", "1 to 256"},    //
        Wrong{{{7, input("law = \"uniform\", dimension = 257")}}, "t.toml:7: key `problem.input.dimension`", "1 to 256"},  //
        Wrong{{{7, input("law = \"uniform\", dimension = 1, mean = 0")}},
              "t.toml:7: key `problem.input.mean`",
              "parameters of uniform are dimension, low, high"},
        Wrong{{{7, input("law = \"uniform\", dimension = 1, hihg = 2")}}, "t.toml:7: key `problem.input.hihg`", "did you mean `high`?"},
        Wrong{{{7, input("law = \"uniform\", dimension = 1, low = 1.0, high = 0.0")}},
              "t.toml:7: key `problem.input`",
              "low must be below high"},
        Wrong{{{7, input("law = \"uniform\", dimension = 1, low = 1.0, high = 1.0")}}, "t.toml:7: key `problem.input`", "is empty"},
        Wrong{{{7, input("law = \"uniform\", dimension = 1, low = nan")}},
              "t.toml:7: key `problem.input.low`",
              "nan; allowed is a finite number"},
        Wrong{{{7, input("law = \"uniform\", dimension = 1, high = inf")}}, "t.toml:7: key `problem.input.high`", "inf"},  //
        Wrong{{{7, input("law = \"uniform\", dimension = 1, high = 1e39")}}, "t.toml:7: key `problem.input`", "too wide for float32"},
        Wrong{{{7, input("law = \"uniform\", dimension = 1, low = -3e38, high = 3e38")}},
              "t.toml:7: key `problem.input`",
              "too wide for float32"},
        Wrong{{{7, input("law = \"uniform\", dimension = 1, low = 1.0, high = 1.00000001")}},
              "t.toml:7: key `problem.input`",
              "equal ends in float32"},
        Wrong{{{7, input("law = \"uniform\", dimension = 1, low = \"0\"")}}, "t.toml:7: key `problem.input.low`", "leave out the quotes"},
        Wrong{
            {{7, input("law = \"normal\", dimension = 1, deviation = 0.0")}}, "t.toml:7: key `problem.input.deviation`", "greater than 0"},
        Wrong{{{7, input("law = \"normal\", dimension = 1, deviation = -1")}}, "t.toml:7: key `problem.input.deviation`", "-1"},
        Wrong{{{7, input("law = \"normal\", dimension = 1, deviation = 1e-45")}},
              "t.toml:7: key `problem.input`",
              "subnormal or 0 in float32"},
        Wrong{{{7, input("law = \"beta\", dimension = 1, a = 0.5, b = 2.0")}}, "t.toml:7: key `problem.input.a`", "1 to 200"},
        Wrong{{{7, input("law = \"beta\", dimension = 1, a = 2.0")}}, "t.toml:7: key `problem.input.b`", "missing"},
        Wrong{{{7, input("law = \"beta\", dimension = 1, a = 2.0, b = 2.0, low = 1.0")}}, "t.toml:7: key `problem.input`", "is empty"},
        Wrong{{{7, input("law = \"density\", density = \"1 + y\"")}}, "t.toml:7: key `problem.input`", "unknown name `y`"},
        Wrong{{{7, input("law = \"density\"")}}, "t.toml:7: key `problem.input.density`", "missing"},
        Wrong{{{7, input("law = \"beta\", dimension = 1, a = 2.0, b = 2.0")}, {14, "sampling = { nodes = 8 }"}},
              "t.toml:14: key `training.sampling`",
              "the input law \"beta\"; all nodes have the same weight"},
        Wrong{{{7, input("law = \"density\", density = \"1 + x\"")}, {12, "initialization = \"data_dependent\""}},
              "t.toml:12: key `network.initialization`",
              "the input law \"density\", of which it cannot draw"},
        Wrong{{{7, input("law = \"normal\", dimension = 1, mean = 1e300")}},
              "t.toml:7: key `problem.input`",
              "mean 1e+300 is not finite in float32"},
        Wrong{{{7, input("law = \"normal\", dimension = 1, low = 0.0")}}, "t.toml:7: key `problem.input`", "low without high"},
        Wrong{{{7, input("law = \"normal\", dimension = 1, high = 0.0")}}, "t.toml:7: key `problem.input`", "high without low"},
        Wrong{{{7, input("law = \"normal\", dimension = 1, low = 6.0, high = 9.0")}}, "t.toml:7: key `problem.input`", "at least 1e-06"},
        Wrong{{{7, input("law = \"normal\", dimension = 1, low = -9.0, high = -6.0")}},
              "t.toml:7: key `problem.input`",
              "has probability 9.9e-10"},
        Wrong{{{7, "input = \"uniform\""}}, "t.toml:7: key `problem.input.dimension`", "missing"},   //
        Wrong{{{7, "input = 3"}}, "t.toml:7: key `problem.input`", "allowed is a table or a name"},  //
        Wrong{{{7, "input = { law = \"uniform\", dimension = 2, low = [0, 0, 0] }"}, {21, "nodes = 8"}},
              "t.toml:7: key `problem.input.low`",
              "a list of 3 in dimension 2; a list has one number per coordinate"},
        Wrong{{{7, "input = { law = \"uniform\", dimension = 2, low = [0, \"a\"] }"}, {21, "nodes = 8"}},
              "t.toml:7: key `problem.input.low`",
              "\"a\" in a list; allowed is a finite number"},
        Wrong{{{7, "input = { law = \"uniform\", dimension = 2, low = [0, 2] }"}, {21, "nodes = 8"}},
              "t.toml:7: key `problem.input`",
              "coordinate 2: the box [2, 1] is empty"},
        Wrong{{{7, "input = { law = \"normal\", dimension = 2, low = [0, 2] }"}, {21, "nodes = 8"}},
              "t.toml:7: key `problem.input`",
              "low without high"},
        Wrong{{{7, "input = { law = \"normal\", dimension = 2, low = [0, 20], high = 30 }"}, {21, "nodes = 8"}},
              "t.toml:7: key `problem.input`",
              "coordinate 2: the box [20, 30] has probability"},
        Wrong{{{7, "input = { law = \"sphere\", dimension = 1, radius = 2 }"}},
              "t.toml:7: key `problem.input`",
              "a sphere in dimension 1; it is two points: write data = { points = [[-2, y], [2, y]] }"},
        Wrong{{{7, "input = \"ball(1)\""}},
              "t.toml:7: key `problem.input`",
              "it is an interval: write { law = \"uniform\", dimension = 1, low = -1, high = 1 }"},
        Wrong{{{7, "input = { law = \"ball\", dimension = 2, radius = 0 }"}},
              "t.toml:7: key `problem.input.radius`",
              "allowed is a number 1e-06 to 1000000"},
        Wrong{{{7, "input = \"ball(2)\""}, {14, "sampling = { nodes = 8 }"}},
              "t.toml:14: key `training.sampling`",
              "a grid of nodes on a ball; it needs a box: write sampling = \"fresh\""},
        Wrong{{{7, "input = \"sphere(3)\""}, {21, "nodes = 1"}}, "t.toml:21: key `evaluation.nodes`", "1 on a sphere; at least 2"},
        Wrong{{{8, ""}}, "t.toml:6: key `problem.target`", "missing"},                                                           //
        Wrong{{{8, "target = 1"}}, "t.toml:8: key `problem.target`", "1; allowed is a string"},                                  //
        Wrong{{{8, "target = \"\""}}, "t.toml:8: key `problem.target`", "column 1: the expression is empty"},                    //
        Wrong{{{8, "target = \"x1 + x2\""}}, "t.toml:8: key `problem.target`", "column 6: no variable `x2`"},                    //
        Wrong{{{8, "target = \"sni(x1)\""}}, "t.toml:8: key `problem.target`", "did you mean `sin`?"},                           //
        Wrong{{{8, "target = [\"x1\", \"(x1\"]"}}, "t.toml:8: key `problem.target`", "never closed"},                            //
        Wrong{{{8, "target = \"1e60*x1\""}}, "t.toml:8: key `problem.target`", "1e+60 is not finite in float32"},                //
        Wrong{{{8, "target = \"" + std::string(5000, ' ') + "x1\""}}, "t.toml:8: key `problem.target`", "at most 4096"},         //
        Wrong{{{8, "target = \"x1^2\"\ntraget = \"x1\""}}, "t.toml:9: key `problem.traget`", "did you mean `problem.target`?"},  //
        Wrong{{{8, "target = \"x1\"\nwidth = 3"}}, "t.toml:9: key `problem.width`", "did you mean `network.width`?"}));

INSTANTIATE_TEST_SUITE_P(
    Network, WrongCampaigns,
    testing::Values(
        Wrong{{{9, "[netwrk]\n[network]"}}, "t.toml:9: key `netwrk`", "did you mean `network`?"},
        Wrong{{{10, ""}}, "t.toml:9: key `network.width`", "missing"},                                     //
        Wrong{{{10, "width = -1"}}, "t.toml:10: key `network.width`", "0 to 65536"},                       //
        Wrong{{{10, "width = 65537"}}, "t.toml:10: key `network.width`", "0 to 65536"},                    //
        Wrong{{{10, "width = 4611686018427387904"}}, "t.toml:10: key `network.width`", "0 to 65536"},      //
        Wrong{{{10, "width = [1, 2, \"4\"]"}}, "t.toml:10: key `network.width`", "leave out the quotes"},  //
        Wrong{{{10, "width = [1,\n 2,\n -4]"}}, "t.toml:12: key `network.width`", "-4"},                   //
        Wrong{{{10, "width = 32.0"}}, "t.toml:10: key `network.width`", "leave out the decimal point"},    //
        Wrong{{{7, input("law = \"uniform\", dimension = 30")}, {10, "width = 65536"}, {21, ""}},
              "t.toml:10: key `network.width`",
              "that is, width 32768"},
        Wrong{{{10, "width = [3, 3]"}}, "t.toml: ", "cells 0 and 1 are the same"},  //
        Wrong{{{10, "widht = 3"}}, "t.toml:10: key `network.widht`", "did you mean `network.width`?"},
        Wrong{{{11, "activation = \"relo\""}}, "t.toml:11: key `network.activation`", "did you mean `relu`?"},            //
        Wrong{{{11, "activation = \"maxout\""}}, "t.toml:11: key `network.activation`", "allowed are relu, power_relu"},  //
        Wrong{{{11, "activation = 1"}}, "t.toml:11: key `network.activation`", "allowed is a table or a name"},           //
        Wrong{{{11, "activation = {}"}}, "t.toml:11: key `network.activation.name`", "missing"},                          //
        Wrong{{{11, "activation = \"relu(1)\""}}, "t.toml:11: key `network.activation`", "relu has no parameters"},       //
        Wrong{{{11, "activation = \"relu(\""}}, "t.toml:11: key `network.activation`", "the closing ) is missing"},       //
        Wrong{{{11, "activation = \"power_relu\""}}, "t.toml:11: key `network.activation.power`", "missing"},             //
        Wrong{{{11, "activation = \"power_relu(1)\""}}, "t.toml:11: key `network.activation.power`", "2 to 16"},          //
        Wrong{{{11, "activation = \"power_relu(17)\""}}, "t.toml:11: key `network.activation.power`", "17"},              //
        Wrong{{{11, "activation = \"power_relu(2.5)\""}}, "t.toml:11: key `network.activation.power`", "2.5"},            //
        Wrong{{{11, "activation = \"power_relu(x)\""}}, "t.toml:11: key `network.activation.power`", "\"x\""},            //
        Wrong{{{11, "activation = \"leaky_relu(0)\""}}, "t.toml:11: key `network.activation`", "is relu"},                //
        Wrong{{{11, "activation = \"leaky_relu(1e-60)\""}}, "t.toml:11: key `network.activation`", "is 0 in float32"},    //
        Wrong{{{11, "activation = \"leaky_relu(0.1, 0.2)\""}}, "t.toml:11: key `network.activation`", "too many arguments"},
        Wrong{{{11, "activation = \"leaky_relu(slpe = 0.1)\""}}, "t.toml:11: key `network.activation`", "did you mean `slope`?"},
        Wrong{{{11, "activation = \"leaky_relu(0.1, slope = 0.2)\""}}, "t.toml:11: key `network.activation`", "given twice"},
        Wrong{{{11, "activation = \"leaky_relu(0.1,)\""}}, "t.toml:11: key `network.activation`", "too many arguments"},
        Wrong{{{11, "activation = \"leaky_relu(1..2)\""}}, "t.toml:11: key `network.activation`", "`1..2` is not a number"},
        Wrong{{{11, "activation = { name = \"leaky_relu\", slope = inf }"}}, "t.toml:11: key `network.activation.slope`", "inf"},
        Wrong{{{11, "activation = { name = \"relu\", slope = 1 }"}}, "t.toml:11: key `network.activation.slope`", "relu has no parameters"},
        Wrong{{{11, "activation = \"clipping(1, 0)\""}}, "t.toml:11: key `network.activation`", "low must be below high"},
        Wrong{{{12, "condition = \"no_inactive_neurons\""}}, "t.toml:12: key `network.condition`", "did you mean `no_inactive_neuron`?"},
        Wrong{{{12, "condition = { inactive = 1 }"}}, "t.toml:12: key `network.condition`", "{ inactive_neurons = 1 } and the names"},
        Wrong{{{12, "condition = { inactive_neurons = -1 }"}}, "t.toml:12: key `network.condition.inactive_neurons`", "0 to 65536"},
        Wrong{{{11, "initialization = \"orthogonal\""}, {12, "condition = \"no_inactive_neuron\""}},
              "t.toml:12: key `network.condition`",
              "inactive neurons with the initialization orthogonal, which does not draw them independently"},
        Wrong{{{12, "initialization = \"orthogonal(0)\""}}, "t.toml:12: key `network.initialization.gain`", "1e-06 to 1000000"},
        Wrong{{{12, "initialization = { name = \"data_dependent\", spread = -1 }"}},
              "t.toml:12: key `network.initialization.spread`",
              "0 to 1000000"},
        Wrong{{{12, "initialization = { name = \"randomized_asymmetric\", bias = \"zero\" }"}},
              "t.toml:12: key `network.initialization.bias`",
              "randomized_asymmetric has no parameters"},
        Wrong{{{8, "target = { teacher = { width = 2, initialization = \"orthogonal\" } }"}},
              "t.toml:8: key `problem.target`",
              "\"orthogonal\" draws parameters together"},
        Wrong{{{8, "target = \"x1^2\"\ndata = { draw = 6, per = \"trial\" }"},
               {12, "initialization = \"data_dependent\""},
               {14, "sampling = \"full_batch\""},
               {21, ""}},
              "t.toml:13: key `network.initialization`",
              "data points of every trial"},
        Wrong{{{12, "condition = { inactive_neurons = 5 }"}}, "t.toml:12: key `network.condition`", "5 inactive neurons at a width of 4"},
        Wrong{{{11, "activation = \"tanh\""}, {12, "condition = \"no_inactive_neuron\""}},
              "t.toml:12: key `network.condition`",
              "0 on a half line"},
        Wrong{{{11, "activation = \"clipping(-1, 1)\""}, {12, "condition = \"no_inactive_neuron\""}},
              "t.toml:12: key `network.condition`",
              "clipping with an end at 0"},
        Wrong{{{8, "target = \"x1^2\"\ndata = { draw = 6, per = \"trial\" }"},
               {12, "condition = \"no_inactive_neuron\""},
               {14, "sampling = \"full_batch\""},
               {21, ""}},
              "t.toml:13: key `network.condition`",
              "points of every trial"},
        Wrong{{{12, "trainable = \"x\""}}, "t.toml:12: key `network.trainable`", "some of the letters w, b, v, c"},
        Wrong{{{12, "trainable = \"\""}}, "t.toml:12: key `network.trainable`", "some of the letters w, b, v, c"},
        Wrong{{{12, "trainable = \"b, b\""}}, "t.toml:12: key `network.trainable`", "each once"},
        Wrong{{{12, "trainable = \"bc\""}, {10, "width = 4\nouter_bias = false"}}, "t.toml:13: key `network.trainable`", "has no c"},
        Wrong{{{12,
                "initialization = { w = \"zero\", b = \"zero\", v = { law = \"normal\", scale = 1 }, c = { law = \"constant\", value = 1 } "
                "}"},
               {10, "width = 4\nouter_bias = false"}},
              "t.toml:13: key `network.initialization`",
              "a law of c in a network without an outer bias"},
        Wrong{{{12, "trainable = \"vwb\""}, {10, "width = 4\nouter_bias = false"}}, "t.toml:13: key `network.trainable`", "write \"all\""},
        Wrong{{{12, "trainable = \"bu\""}}, "t.toml:12: key `network.trainable`", "the network has no u"},
        Wrong{{{12, "trainable = \"wbvcu\""}}, "t.toml:12: key `network.trainable`", "the network has no u"},
        Wrong{{{12, "trainable = \"wbvu\""}, {10, "width = 4\nouter_bias = false\nskip = true"}},
              "t.toml:14: key `network.trainable`",
              "write \"all\""},
        Wrong{{{12, "initialization = { w = \"normal(1)\", b = \"zero\", v = \"normal(1)\", u = \"normal(1)\" }"}},
              "t.toml:12: key `network.initialization`",
              "a law of u in a network without a skip connection"},
        Wrong{{{8,
                "target = { teacher = { width = 2, initialization = { w = \"normal(1)\", b = \"zero\", v = \"normal(1)\", u = "
                "\"normal(1)\" }, "
                "seed = 1 } }"}},
              "t.toml:8: key `problem.target.teacher`",
              "a teacher has no skip connection"},
        Wrong{{{12, "initial = { w = [1, 2, 3, 4], b = [0, 0, 0, 0], v = [1, 1, 1, 1], u = [1] }"}},
              "t.toml:12: key `network.initial`",
              "has u, but network.skip is false"},
        Wrong{{{12, "skip = true\ninitial = { w = [1, 2, 3, 4], b = [0, 0, 0, 0], v = [1, 1, 1, 1] }"}},
              "t.toml:13: key `network.initial`",
              "has no u"},
        Wrong{{{12, "skip = true\ninitial = { w = [1, 2, 3, 4], b = [0, 0, 0, 0], v = [1, 1, 1, 1], u = [1, 2] }"}},
              "t.toml:13: key `network.initial`",
              "u has 2 numbers"},
        Wrong{{{12, "initialization = { w = \"normal(1)\", b = \"zero\" }"}}, "t.toml:12: key `network.initialization.v`", "missing"},
        Wrong{{{12, "initialization = { w = \"normal(1)\", b = \"zero\", v = \"zero\", t = 1 }"}},
              "t.toml:12: key `network.initialization.t`",
              "unknown"},
        Wrong{{{12, "initialization = { w = \"normal\", b = \"zero\", v = \"zero\" }"}},
              "t.toml:12: key `network.initialization.w.scale`",
              "missing"},
        Wrong{{{12, "initialization = { w = \"gauss\", b = \"zero\", v = \"zero\" }"}},
              "t.toml:12: key `network.initialization.w`",
              "allowed are zero"},
        Wrong{{{12, "initialization = { w = { law = \"normal\", scale = \"1/x1\" }, b = \"zero\", v = \"zero\" }"}},
              "t.toml:12: key `network.initialization.w.scale`",
              "known are h, d"},
        Wrong{{{12, "initialization = { w = { law = \"normal\", scale = \"d - 1\" }, b = \"zero\", v = \"zero\" }"}},
              "t.toml:12: key `network.initialization`",
              "w: scale 0 is subnormal or 0 in float32"},
        Wrong{{{12, "initialization = { w = \"uniform(0)\", b = \"zero\", v = \"zero\" }"}},
              "t.toml:12: key `network.initialization`",
              "is empty"},
        Wrong{{{12, "initialization = { w = { law = \"uniform\", low = 1 }, b = \"zero\", v = \"zero\" }"}},
              "t.toml:12: key `network.initialization`",
              "or low and high"},
        Wrong{{{12, "initialization = { w = { law = \"uniform\", low = 1, high = 2, scale = 1 }, b = \"zero\", v = \"zero\" }"}},
              "t.toml:12: key `network.initialization`",
              "or low and high"},
        Wrong{{{12, "initialization = { w = \"zero\", b = \"zero\", v = \"constant(1e60)\" }"}},
              "t.toml:12: key `network.initialization`",
              "not finite"},
        Wrong{{{12, "initialization = \"he\""}}, "t.toml:12: key `network.initialization`", "allowed are pytorch"},
        Wrong{{{12, "initialization = \"kaiming\""}}, "t.toml:12: key `network.initialization`", "allowed are pytorch"},
        Wrong{{{12, "initialization = { name = \"uniform\", high = 1 }"}}, "t.toml:12: key `network.initialization.low`", "missing"},
        Wrong{{{12, "initialization = \"uniform(1, -1)\""}}, "t.toml:12: key `network.initialization`", "low must be below high"},
        Wrong{{{12, "initialization = { name = \"pytorch\", bias = \"none\" }"}},
              "t.toml:12: key `network.initialization.bias`",
              "\"zero\" or \"drawn\""},
        Wrong{{{12, "initialization = { name = \"pytorch\", bias = 0 }"}},
              "t.toml:12: key `network.initialization.bias`",
              "0; allowed is \"zero\""},
        Wrong{{{12, "initialization = { name = \"pytorch\", low = 0 }"}},
              "t.toml:12: key `network.initialization.low`",
              "parameters of pytorch are bias"}));

std::string optimizer(const std::string& rest) { return "optimizer = { " + rest + " }"; }

INSTANTIATE_TEST_SUITE_P(
    Training, WrongCampaigns,
    testing::Values(
        Wrong{{{14, ""}}, "t.toml:13: key `training.batch`", "missing"},                      //
        Wrong{{{14, "batch = 0"}}, "t.toml:14: key `training.batch`", "1 to 1048576"},        //
        Wrong{{{14, "batch = 1048577"}}, "t.toml:14: key `training.batch`", "1 to 1048576"},  //
        Wrong{{{7, input("law = \"uniform\", dimension = 8")}, {14, "batch = 1048576"}},
              "t.toml:14: key `training.batch`",
              "at most 524288 samples"},
        Wrong{{{14, "batch = 32\nsampling = { nodes = 128 }"}}, "t.toml:14: key `training.batch`", "leave batch out"},  //
        Wrong{{{14, "sampling = { node = 128 }"}}, "t.toml:14: key `training.sampling`", "{ nodes = 128 }"},            //
        Wrong{{{14, "batch = 32\nalgorithm = \"kinks\""}},
              "t.toml:15: key `training.algorithm`",
              "\"kinks\" with samples that are drawn; it needs the same ones in every step: sampling = { nodes = ... }, or \"full_batch\" "
              "with "
              "data, or write algorithm = \"plain\""},
        Wrong{{{14, "sampling = { nodes = 8 }\nalgorithm = [\"plain\", \"kinks\"]"}, {7, input("law = \"uniform\", dimension = 2")}},
              "t.toml:15: key `training.algorithm`",
              "\"kinks\" in dimension 2; it sorts the nodes of a line, so it needs dimension 1"},
        Wrong{{{14, "sampling = { nodes = 8 }\nalgorithm = \"kinks\""}, {11, "activation = [\"relu\", \"tanh\"]"}},
              "t.toml:15: key `training.algorithm`",
              "with activation tanh; it needs one that is piecewise linear: relu, leaky_relu, clipping, or write"},
        Wrong{{{14, "sampling = { nodes = 8 }\nalgorithm = \"kink\""}}, "t.toml:15: key `training.algorithm`", "did you mean `kinks`?"},
        Wrong{{{14, "sampling = { nodes = 0 }"}}, "t.toml:14: key `training.sampling.nodes`", "1 to 1048576"},  //
        Wrong{{{14, "sampling = { nodes = 8, batch = 3 }"}}, "t.toml:14: key `training.sampling.batch`", "parameters of nodes are nodes"},
        Wrong{{{14, "sampling = \"frehs\""}}, "t.toml:14: key `training.sampling`", "did you mean `fresh`?"},  //
        Wrong{{{7, input("law = \"uniform\", dimension = 5")}, {14, "sampling = { nodes = 64 }"}},
              "t.toml:14: key `training.sampling`",
              "use fewer nodes"},
        Wrong{{{7, input("law = \"normal\", dimension = 1")}, {14, "sampling = { nodes = 64 }"}},
              "t.toml:14: key `training.sampling`",
              "needs a box"},
        Wrong{{{15, ""}}, "t.toml:13: key `training.optimizer`", "missing"},                                         //
        Wrong{{{15, "optimizer = \"sgd\""}}, "t.toml:15: key `training.optimizer.learning_rate`", "missing"},        //
        Wrong{{{15, "optimizer = \"addam(0.1)\""}}, "t.toml:15: key `training.optimizer`", "did you mean `adam`?"},  //
        Wrong{{{15, optimizer("name = \"adelta\", learning_rate = 0.1")}},
              "t.toml:15: key `training.optimizer.name`",
              "did you mean `adadelta`?"},
        Wrong{{{15, optimizer("learning_rate = 0.1")}}, "t.toml:15: key `training.optimizer.name`", "missing"},  //
        Wrong{{{15, optimizer("name = \"sgd\", lr = 0.1, learning_rate = 0.1")}},
              "t.toml:15: key `training.optimizer.lr`",
              "parameters of sgd are learning_rate"},
        Wrong{
            {{15, optimizer("name = \"sgd\", learning_rate = 0")}}, "t.toml:15: key `training.optimizer.learning_rate`", "greater than 0"},
        Wrong{{{15, optimizer("name = \"sgd\", learning_rate = -0.1")}}, "t.toml:15: key `training.optimizer.learning_rate`", "-0.1"},
        Wrong{{{15, optimizer("name = \"sgd\", learning_rate = nan")}}, "t.toml:15: key `training.optimizer.learning_rate`", "nan"},
        Wrong{{{15, optimizer("name = \"sgd\", learning_rate = inf")}}, "t.toml:15: key `training.optimizer.learning_rate`", "inf"},
        Wrong{
            {{15, optimizer("name = \"sgd\", learning_rate = 1e-40")}}, "t.toml:15: key `training.optimizer`", "subnormal or 0 in float32"},
        Wrong{{{15, optimizer("name = \"sgd\", learning_rate = 1e40")}}, "t.toml:15: key `training.optimizer`", "not finite in float32"},
        Wrong{{{15, optimizer("name = \"sgd\", learning_rate = { schedule = \"steplr\" }")}},
              "t.toml:15: key `training.optimizer.learning_rate.schedule`",
              "did you mean `step`?"},
        Wrong{{{8, "target = \"x1\"\nnoise = \"gaussian\""}}, "t.toml:9: key `problem.noise`", "did you mean `normal`?"},
        Wrong{{{8, "target = \"x1\"\nnoise = \"normal\""}}, "t.toml:9: key `problem.noise.deviation`", "missing"},
        Wrong{{{8, "target = \"x1\"\nnoise = { law = \"uniform\", low = 1.0, high = 0.0 }"}},
              "t.toml:9: key `problem.noise`",
              "low must be below"},
        Wrong{{{8, "target = \"x1\"\nnoise = { law = \"two_point\", low = 0, high = 1, probability = 1 }"}},
              "t.toml:9: key `problem.noise.probability`",
              "below 1"},
        Wrong{{{8, "target = \"x1\"\nnoise = { law = \"two_point\", low = 0, high = 1, probability = 1e-9 }"}},
              "t.toml:9: key `problem.noise`",
              "too near to 0 for float32"},
        Wrong{{{8, "target = \"1e30*1e30*x1\"\ndata = { draw = 8 }"}, {14, ""}, {21, ""}},
              "t.toml:9: key `problem.data`",
              "not finite in float32"},
        Wrong{{{8, "target = \"log(x1 - 2)\"\ndata = { draw = 8 }"}, {14, ""}, {21, ""}},
              "t.toml:9: key `problem.data`",
              "is nan at drawn point 1"},
        Wrong{{{8, "target = \"x1\"\nnoise = { law = \"normal\", deviation = 0.5 }"}, {14, "sampling = { nodes = 8 }"}},
              "t.toml:9: key `problem.noise`",
              "it needs sampling = \"fresh\""},
        Wrong{{{15, optimizer("name = \"sgd\", learning_rate = { schedule = \"piecewise\", initial = 1, from_1 = 5 }")}},
              "t.toml:15: key `training.optimizer`",
              "from_1 without rate_1"},
        Wrong{{{15, optimizer("name = \"sgd\", learning_rate = { schedule = \"piecewise\", initial = 1, rate_2 = 5 }")}},
              "t.toml:15: key `training.optimizer`",
              "rate_2 without from_2"},
        Wrong{{{15, optimizer("name = \"sgd\", learning_rate = { schedule = \"search\", initial = 1, rates = 4 }")}},
              "t.toml:15: key `training.optimizer`",
              "rates = 4; it is odd"},
        Wrong{{{3, "steps = 1099511627775"}, {15, optimizer("name = \"sgd\", learning_rate = { schedule = \"search\", initial = 1 }")}},
              "t.toml:15: key `training.optimizer`",
              "at most 2^40 steps"},
        Wrong{{{15, optimizer("name = \"sgd\", learning_rate = { schedule = \"constant\", initial = 1, warmup_start = 0.5 }")}},
              "t.toml:15: key `training.optimizer`",
              "warmup_start without warmup"},
        Wrong{{{15, optimizer("name = \"rmsprop_momentum\", learning_rate = 0.1, alpha = 0.99")}},
              "t.toml:15: key `training.optimizer.alpha`",
              "did you mean `beta`?"},
        Wrong{{{15, optimizer("name = \"sgd\", learning_rate = { schedule = \"piecewise\", initial = 1, from_1 = 5, rate_1 = 0.5, from_2 "
                              "= 5, rate_2 = 0.1 }")}},
              "t.toml:15: key `training.optimizer`",
              "they must grow"},
        Wrong{{{15, optimizer("name = \"sgd\", learning_rate = { schedule = \"cosine\", initial = 1, period = 5, last = 1e-40 }")}},
              "t.toml:15: key `training.optimizer`",
              "subnormal"},
        Wrong{{{15, optimizer("name = \"sgd\", learning_rate = { schedule = \"spline\" }")}},
              "t.toml:15: key `training.optimizer.learning_rate.schedule`",
              "allowed are constant, polynomial"},
        Wrong{{{15, optimizer("name = \"sgd\", learning_rate = { initial = 0.1 }")}},
              "t.toml:15: key `training.optimizer.learning_rate.schedule`",
              "missing"},
        Wrong{{{15, optimizer("name = \"sgd\", learning_rate = { schedule = \"polynomial\", initial = 0.1 }")}},
              "t.toml:15: key `training.optimizer.learning_rate.power`",
              "missing"},
        Wrong{{{15, optimizer("name = \"sgd\", learning_rate = { schedule = \"polynomial\", initial = 0.1, power = -1 }")}},
              "t.toml:15: key `training.optimizer.learning_rate.power`",
              "0 to 16"},
        Wrong{{{15, optimizer("name = \"sgd\", learning_rate = { schedule = \"constant\", initial = 0.1, power = 1 }")}},
              "t.toml:15: key `training.optimizer.learning_rate.power`",
              "parameters of constant are initial"},
        Wrong{{{15, optimizer("name = \"adam\", alpha = 1.0")}}, "t.toml:15: key `training.optimizer.alpha`", "at least 0 and below 1"},
        Wrong{{{15, optimizer("name = \"adam\", beta = -0.1")}}, "t.toml:15: key `training.optimizer.beta`", "at least 0 and below 1"},
        Wrong{{{15, optimizer("name = \"adam\", beta = 0.99999999")}},
              "t.toml:15: key `training.optimizer`",
              "beta 0.99999999 is 1 in float32"},
        Wrong{{{15, optimizer("name = \"adam\", epsilon = 0")}}, "t.toml:15: key `training.optimizer.epsilon`", "greater than 0"},
        Wrong{{{15, optimizer("name = \"adam\", epsilon = 1e-39")}},
              "t.toml:15: key `training.optimizer`",
              "epsilon 1e-39 is subnormal or 0 in float32"},
        Wrong{{{15, optimizer("name = \"adam\", amsgrad = true")}}, "t.toml:15: key `training.optimizer.amsgrad`", "unknown"},
        Wrong{{{15, optimizer("name = \"rmsprop\", learning_rate = 0.1, bias_correction = 1")}},
              "t.toml:15: key `training.optimizer.bias_correction`",
              "true or false"},
        Wrong{{{15, optimizer("name = \"adadelta\", beta = 0.9")}},
              "t.toml:15: key `training.optimizer.beta`",
              "parameters of adadelta are learning_rate, rho, epsilon"},
        Wrong{{{15, "optimizer = []"}}, "t.toml:15: key `training.optimizer`", "an empty list"},                         //
        Wrong{{{15, "optimizer = [ [\"adam\"] ]"}}, "t.toml:15: key `training.optimizer`", "a list inside a list"},      //
        Wrong{{{15, "optimizer = [ \"adam\", \"adam(0.001)\" ]"}}, "t.toml: ", "are the same"},                          //
        Wrong{{{15, "optimizer = true"}}, "t.toml:15: key `training.optimizer`", "true; allowed is a table or a name"},  //
        Wrong{{{15, "optimiser = \"adam\"\noptimizer = \"adam\""}},
              "t.toml:15: key `training.optimiser`",
              "did you mean `training.optimizer`?"}));

INSTANTIATE_TEST_SUITE_P(
    Rest, WrongCampaigns,
    testing::Values(
        Wrong{{{17, "checks = 0"}, {18, ""}}, "t.toml:17: key `tracking.checks`", "1 to 65536"},       //
        Wrong{{{17, "checks = 65537"}, {18, ""}}, "t.toml:17: key `tracking.checks`", "65537"},        //
        Wrong{{{17, "checks = 101"}}, "t.toml:17: key `tracking.checks`", "101 checks in 100 steps"},  //
        Wrong{{{18, "tail = 11"}}, "t.toml:18: key `tracking.tail`", "11 of 10 checks"},               //
        Wrong{{{18, "tail = 0"}}, "t.toml:18: key `tracking.tail`", "1 to 65536"},                     //
        Wrong{{{19, "tolerance = -1"}}, "t.toml:19: key `tracking.tolerance`", "0 to 1"},              //
        Wrong{{{19, "tolerance = nan"}}, "t.toml:19: key `tracking.tolerance`", "nan"},                //
        Wrong{{{19, "tolerence = 0.1"}}, "t.toml:19: key `tracking.tolerence`", "did you mean `tracking.tolerance`?"},
        Wrong{{{19, "[stop]\nrisk_below = -1e-9"}}, "t.toml:20: key `stop.risk_below`", "at least 0"},  //
        Wrong{{{19, "[stop]\nrisk = 1"}}, "t.toml:20: key `stop.risk`", "risk_below, gradient_below, converged"},
        Wrong{{{10, "width = 0"}, {19, "[stop]\nall_inactive = true"}}, "t.toml:20: key `stop.all_inactive`", "has no neurons"},
        Wrong{
            {{11, "activation = \"tanh\""}, {19, "[stop]\nall_inactive = true"}}, "t.toml:20: key `stop.all_inactive`", "activation tanh"},
        Wrong{{{19, "kinks = true"}}, "t.toml:19: key `tracking.kinks`", "where every step draws its samples"},
        Wrong{{{11, "activation = \"tanh\""}, {14, "sampling = { nodes = 9 }"}, {19, "kinks = true"}},
              "t.toml:19: key `tracking.kinks`",
              "true with the activation tanh, which has no kink; it needs one kink, as relu has: leave it out"},
        Wrong{{{11, "activation = \"clipping(0, 1)\""}, {14, "sampling = { nodes = 9 }"}, {19, "kinks = true"}},
              "t.toml:19: key `tracking.kinks`",
              "which has 2 kinks"},
        Wrong{{{14, "sampling = { nodes = 9 }"}, {19, "[stop]\nkinks_crossed = true"}},
              "t.toml:20: key `stop.kinks_crossed`",
              "without tracking.kinks, which sees the kinks: add tracking.kinks = true"},
        Wrong{{{19, "[stop]\nproved = true"}}, "t.toml:20: key `stop.proved`", "every step draws its samples"},
        Wrong{{{14, "sampling = { nodes = 9 }"}, {15, "optimizer = \"adam(0.1)\""}, {19, "[stop]\nproved = true"}},
              "t.toml:20: key `stop.proved`",
              "plain or with momentum (`optimizer`: sgd, momentum, nesterov); leave it out"},
        Wrong{{{14, "sampling = { nodes = 9 }"},
               {15, "optimizer = { name = \"momentum\", learning_rate = { schedule = \"polynomial\", initial = 0.1, power = 0.5 } }"},
               {19, "[stop]\nproved = true"}},
              "t.toml:20: key `stop.proved`",
              "limits with momentum are proved for constant learning rates; leave it out"},
        Wrong{{{14, "sampling = { nodes = 9 }"},
               {15, "optimizer = { name = \"sgd\", learning_rate = { schedule = \"polynomial\", initial = 0.1, power = 1.5 } }"},
               {19, "[stop]\nproved = true"}},
              "t.toml:20: key `stop.proved`",
              "vanish with an infinite sum"},
        Wrong{{{11, "activation = \"softplus\""}, {14, "sampling = { nodes = 9 }"}, {19, "[stop]\nproved = true"}},
              "t.toml:20: key `stop.proved`",
              "linear between kinks (relu, leaky_relu, clipping); leave it out"},
        Wrong{{{14, "sampling = { nodes = 9 }"},
               {15, "optimizer = { name = \"sgd\", learning_rate = { schedule = \"constant\", initial = 0.1, warmup = 9 } }"},
               {19, "[stop]\nproved = true"}},
              "t.toml:20: key `stop.proved`",
              "that do not grow from the check on"},
        Wrong{{{10, "width = 4\nskip = true"},
               {14, "sampling = { nodes = 9 }"},
               {15, "optimizer = \"sgd(0.1)\""},
               {19, "[stop]\nproved = true"}},
              "t.toml:21: key `stop.proved`",
              "without a skip connection (`skip = false`); leave it out"},
        Wrong{{{18, "tail = 6\n[stop]\nconverged = true"}, {19, ""}}, "t.toml:20: key `stop.converged`", "tail = 6 of 10 checks"},
        Wrong{{{18, "tail = 1\n[stop]\nconverged = [false, true]"}, {19, ""}}, "t.toml:20: key `stop.converged`", "tail = 1 of 10 checks"},
        Wrong{{{16, "average = \"arithmetic(100)\"\n[tracking]"}}, "t.toml:16: key `training.average`", "after step 100 of 100 steps"},
        Wrong{{{16, "average = \"partial(0.1)\"\n[tracking]"}, {19, "[stop]\nrisk_below = 0.1"}},
              "t.toml:16: key `training.average`",
              "it is not known before its end how long a trial is"},
        Wrong{{{16, "average = \"partial(0.1)\"\n[tracking]"}, {19, "[stop]\nall_inactive = true"}},
              "t.toml:16: key `training.average`",
              "it is not known before its end how long a trial is"},
        Wrong{{{16, "average = \"ema(0.9)\"\n[tracking]"}}, "t.toml:16: key `training.average`", "did you mean `exponential`?"},
        Wrong{{{16, "average = \"exponential(1)\"\n[tracking]"}}, "t.toml:16: key `training.average", "greater than 0 and below 1"},
        Wrong{{{21, "nodes = 63"}}, "t.toml:21: key `evaluation.nodes`", "multiples of 4"},  //
        Wrong{{{21, "nodes = 0"}}, "t.toml:21: key `evaluation.nodes`", "1 to 1048576"},     //
        Wrong{{{7, input("law = \"uniform\", dimension = 3")}, {21, "nodes = 104"}},
              "t.toml:21: key `evaluation.nodes`",
              "more than 1048576 nodes"},
        Wrong{{{21, "final_nodes = 48"}}, "t.toml:21: key `evaluation.final_nodes`", "leave it out"},  //
        Wrong{{{7, input("law = \"uniform\", dimension = 2")}, {21, "final_nodes = 50"}},
              "t.toml:21: key `evaluation.final_nodes`",
              "multiples of 4"},
        Wrong{{{20, "[evaluations]"}, {21, ""}}, "t.toml:20: key `evaluations`", "did you mean `evaluation`?"},
        Wrong{{{20, "[[evaluation]]"}}, "t.toml:20: key `evaluation`", "a list; allowed is a table"},  //
        Wrong{{{6, "problem = 3"}, {7, ""}, {8, ""}}, "t.toml:6: key `problem`", "3; allowed is a table"}));

TEST(WrongCampaignText, IsRefusedWithLineAndColumn) {
    for (const char* text : {"name = ", "name", "= 3", "[a", "a = 1\na = 2", "a = [1, 2", "a = \"x", "a = 01", "a = 1__0", "[a]\n[a]",
                             "\x01", "a = {b = 1,}"}) {
        try {
            parse_campaign(text, "t.toml");
            FAIL() << "accepted: " << text;
        } catch (const ConfigError& error) {
            ASSERT_EQ(error.problems().size(), 1U) << text;
            EXPECT_THAT(error.what(), testing::AllOf(testing::StartsWith("t.toml:"), testing::HasSubstr("not valid TOML"))) << text;
        }
    }
}

/// `low` is a parameter of laws, hence no misspelt `law`.
TEST(WrongCampaigns, AParameterIsNotTakenForTheName) {
    try {
        read_campaign({{7, input("dimension = 1, low = 0, high = 1")}});
        FAIL() << "accepted";
    } catch (const ConfigError& error) {
        ASSERT_EQ(error.problems().size(), 1U) << error.what();
        EXPECT_THAT(error.problems()[0], testing::StartsWith("t.toml:7: key `problem.input.law`: missing"));
        EXPECT_THAT(error.problems()[0], testing::Not(testing::HasSubstr("did you mean")));
    }
}

TEST(WrongCampaigns, AllProblemsComeAtOnceInTheOrderOfLines) {
    try {
        read_campaign({{2, "trials = 0"},
                       {8, "target = \"x7\""},
                       {10, "width = -3"},
                       {11, "activation = \"rleu\""},
                       {15, "optimizer = \"sgd\""},
                       {21, "nodes = 3"}});
        FAIL();
    } catch (const ConfigError& error) {
        std::vector<std::string> places;
        for (const std::string& problem : error.problems()) places.push_back(problem.substr(0, problem.find(": ")));
        EXPECT_THAT(places, testing::ElementsAre("t.toml:2", "t.toml:8", "t.toml:10", "t.toml:11", "t.toml:15", "t.toml:21"));
    }
}

/// Names of PyTorch, Keras, Optax and papers, where the nearest spelling would be another thing (`beta1`: `beta`) or nothing.
INSTANTIATE_TEST_SUITE_P(
    OtherNames, WrongCampaigns,
    testing::Values(
        Wrong{{{15, optimizer("name = \"adam\", beta1 = 0.9")}}, "t.toml:15: key `training.optimizer.beta1`", "did you mean `alpha`?"},
        Wrong{{{15, optimizer("name = \"adam\", beta_2 = 0.9")}}, "t.toml:15: key `training.optimizer.beta_2`", "did you mean `beta`?"},
        Wrong{{{15, optimizer("name = \"adam\", b1 = 0.9")}}, "t.toml:15: key `training.optimizer.b1`", "did you mean `alpha`?"},
        Wrong{{{15, optimizer("name = \"adam\", eps = 1e-8")}}, "t.toml:15: key `training.optimizer.eps`", "did you mean `epsilon`?"},
        Wrong{{{15, optimizer("name = \"adam\", lr = 0.1")}}, "t.toml:15: key `training.optimizer.lr`", "did you mean `learning_rate`?"},
        Wrong{{{15, optimizer("name = \"adam\", step_size = 0.1")}},
              "t.toml:15: key `training.optimizer.step_size`",
              "did you mean `learning_rate`?"},
        Wrong{{{15, optimizer("name = \"rmsprop\", learning_rate = 0.1, alpha = 0.9")}},
              "t.toml:15: key `training.optimizer.alpha`",
              "did you mean `beta`?"},
        Wrong{{{15, optimizer("name = \"rmsprop\", learning_rate = 0.1, rho = 0.9")}},
              "t.toml:15: key `training.optimizer.rho`",
              "did you mean `beta`?"},
        Wrong{{{15, optimizer("name = \"adadelta\", decay = 0.9")}}, "t.toml:15: key `training.optimizer.decay`", "did you mean `rho`?"},
        Wrong{{{15, optimizer("name = \"momentum\", learning_rate = 0.1, momentum = 0.9")}},
              "t.toml:15: key `training.optimizer.momentum`",
              "did you mean `alpha`?"},
        Wrong{{{15, "optimizer = \"nag(0.1)\""}}, "t.toml:15: key `training.optimizer`", "did you mean `nesterov`?"},
        Wrong{{{15, "optimizer = \"adam(0.1, beta1 = 0.9)\""}}, "t.toml:15: key `training.optimizer`", "did you mean `alpha`?"},
        Wrong{{{15, "optimizer = \"sgd(0.1)\"\nlr = 0.1"}},
              "t.toml:16: key `training.lr`",
              "did you mean `training.optimizer.learning_rate`?"},
        Wrong{{{15, "optimizer = \"sgd(0.1)\"\nlearning_rate = 0.1"}},
              "t.toml:16: key `training.learning_rate`",
              "did you mean `training.optimizer.learning_rate`?"},
        Wrong{{{14, "batch_size = 32"}}, "t.toml:14: key `training.batch_size`", "did you mean `training.batch`?"},
        Wrong{{{10, "hidden = 4"}}, "t.toml:10: key `network.hidden`", "did you mean `network.width`?"},
        Wrong{{{10, "hidden_units = 4"}}, "t.toml:10: key `network.hidden_units`", "did you mean `network.width`?"},
        Wrong{{{3, "epochs = 100"}}, "t.toml:3: key `epochs`", "did you mean `steps`?"},
        Wrong{{{4, "eps = 1e-8"}}, "t.toml:4: key `eps`", "did you mean `training.optimizer.epsilon`?"},
        Wrong{{{5, "dtype = \"float32\""}}, "t.toml:5: key `dtype`", "did you mean `precision`?"},
        Wrong{{{5, "precision = \"double\""}}, "t.toml:5: key `precision`", "did you mean `float64`?"},
        Wrong{{{11, "activation = \"sigmoid\""}}, "t.toml:11: key `network.activation`", "did you mean `logistic`?"},
        Wrong{{{11, "activation = { name = \"leaky_relu\", negative_slope = 0.1 }"}},
              "t.toml:11: key `network.activation.negative_slope`",
              "did you mean `slope`?"},
        Wrong{{{12, "initialization = \"he_normal\""}}, "t.toml:12: key `network.initialization`", "did you mean `kaiming_normal`?"},
        Wrong{{{12, "initialization = \"glorot_uniform\""}}, "t.toml:12: key `network.initialization`", "did you mean `xavier_uniform`?"},
        Wrong{{{12, "init = \"pytorch\""}}, "t.toml:12: key `network.init`", "did you mean `network.initialization`?"},
        Wrong{{{7, input("law = \"gaussian\", dimension = 1")}}, "t.toml:7: key `problem.input.law`", "did you mean `normal`?"},
        Wrong{
            {{7, input("law = \"normal\", dimension = 1, std = 2.0")}}, "t.toml:7: key `problem.input.std`", "did you mean `deviation`?"}));

}  // namespace
}  // namespace limrisk
