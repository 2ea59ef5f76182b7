// Data points that are held out of the training: which they are, what becomes of their numbers, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "backend/cell_plan.hpp"
#include "campaign/campaign.hpp"
#include "campaign/cell_description.hpp"
#include "limrisk/error.hpp"
#include "reference/samples.hpp"

namespace limrisk {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string campaign_with(const std::string& data, const std::string& top = "") {
    return "name = \"v\"\ntrials = 8\nsteps = 10\n" + top + "[problem]\ndata = " + data +
           "\n[network]\nwidth = 3\n[training]\noptimizer = \"sgd(0.1)\"\n";
}

CellConfig cell_of(const std::string& data) { return parse_campaign(campaign_with(data), "test").cells.at(0); }
DataPointer data_of(const std::string& data) { return cell_of(data).data; }

std::string failure(const std::string& text) {
    try {
        (void)parse_campaign(text, "test");
    } catch (const ConfigError& error) {
        return error.what();
    }
    return "no failure";
}
std::string failure_of(const std::string& data) { return failure(campaign_with(data)); }

/// Points (i, 10 i), i = 0 .. count - 1.
std::string line(int count, const std::string& rest) {
    std::string text = "{ points = [";
    for (int i = 0; i < count; ++i) text += (i == 0 ? "[" : ", [") + std::to_string(i) + ", " + std::to_string(10 * i) + "]";
    return text + "], " + rest + " }";
}

TEST(Holdout, HoldsOutThePointsThatThePermutationSays) {
    for (const int count : {2, 3, 16, 17, 100, 257})
        for (const std::int64_t seed : {std::int64_t{0}, std::int64_t{7}, std::int64_t{5000000000}}) {
            const auto held = static_cast<std::int64_t>(std::floor(0.3 * count + 0.5));
            std::vector<bool> is_held(static_cast<std::size_t>(count));
            for (std::int64_t place = 0; place < held; ++place)
                is_held.at(reference::point_of_order(reference::Purpose::Holdout, count, static_cast<std::uint64_t>(seed), 0, 0, place)) =
                    true;
            std::vector<double> training, validation;
            for (int i = 0; i < count; ++i) (is_held[static_cast<std::size_t>(i)] ? validation : training).push_back(i);
            const DataPointer data = data_of(line(count, "holdout = 0.3, seed = " + std::to_string(seed)));
            EXPECT_EQ(data->inputs, training) << count << " " << seed;
            EXPECT_EQ(data->validation->inputs, validation) << count << " " << seed;
            EXPECT_EQ(data->validation_count(), held);
            for (std::size_t i = 0; i < validation.size(); ++i) EXPECT_EQ(data->validation->outputs[i], 10 * validation[i]);
            for (const double weight : data->validation->weights) EXPECT_EQ(weight, 1.0 / static_cast<double>(held));
        }
    EXPECT_EQ(data_of(line(17, "holdout = 0.3"))->hash, data_of(line(17, "holdout = 0.3, seed = 0"))->hash);
}

/// Every point is held out equally often: 4000 seeds, 3 of 10, 1200 each with deviation 29.
TEST(Holdout, IsFair) {
    std::vector<int> often(10);
    for (std::uint64_t seed = 0; seed < 4000; ++seed) {
        const std::vector<bool> held = held_out_points(seed, 10, 3);
        for (std::size_t i = 0; i < 10; ++i) often[i] += held[i] ? 1 : 0;
    }
    for (const int count : often) EXPECT_NEAR(count, 1200, 5 * 29);
}

TEST(Holdout, WeightsAreThoseOfEachPart) {
    // The second point has no weight, and is not there.
    const DataPointer data = data_of("{ points = [[0, 1], [9, 9], [1, 2], [2, 3], [3, 5]], weights = [1, 0, 2, 3, 4], holdout = 0.5 }");
    ASSERT_EQ(data->count, 2);
    ASSERT_EQ(data->validation->count, 2);
    for (const DataSet* part : {data.get(), data->validation.get()}) {
        double sum = 0;
        for (const double x : part->inputs) sum += x + 1;
        for (std::size_t i = 0; i < 2; ++i) EXPECT_DOUBLE_EQ(part->weights[i], (part->inputs[i] + 1) / sum);
    }
}

TEST(Holdout, OfDrawnPoints) {
    const std::string law = "\ninput = { law = \"uniform\", dimension = 2 }\ntarget = \"x1 + x2\"";
    const DataPointer all = data_of("{ draw = 50, seed = 3 }" + law), some = data_of("{ draw = 50, seed = 3, holdout = 0.21 }" + law);
    const std::vector<bool> held = held_out_points(3, 50, 11);
    std::size_t trained = 0, others = 0;
    for (std::size_t i = 0; i < 50; ++i) {
        const DataSet& part = held[i] ? *some->validation : *some;
        std::size_t& next = held[i] ? others : trained;
        for (std::size_t k = 0; k < 2; ++k) EXPECT_EQ(part.inputs[2 * next + k], all->inputs[2 * i + k]);
        EXPECT_EQ(part.outputs[next++], all->outputs[i]);
    }
    EXPECT_EQ(trained, 39u);
    EXPECT_EQ(others, 11u);
    EXPECT_THAT(some->label(), testing::AllOf(testing::StartsWith("39 points of x1 + x2, "), testing::EndsWith(", 11 for validation")));
}

TEST(Holdout, DescriptionsNameBothParts) {
    const CellConfig with = cell_of(line(10, "holdout = 0.2")), others = cell_of(line(10, "holdout = 0.2, seed = 1"));
    EXPECT_NE(with.id, others.id);
    EXPECT_THAT(with.description, HasSubstr("\"validation\":{\"count\":2,"));
    const CellConfig back = cell_from_description(with.description);
    ASSERT_TRUE(back.has_validation());
    EXPECT_TRUE(with.data->described_as(*back.data));
    EXPECT_TRUE(with.data->validation->described_as(*back.data->validation));
    EXPECT_EQ(describe(back), with.description);
    // The same training points without others are another cell, described as ever.
    std::string points;
    for (std::size_t i = 0; i < with.data->inputs.size(); ++i)
        points += (i == 0 ? "[" : ", [") + std::to_string(with.data->inputs[i]) + ", " + std::to_string(with.data->outputs[i]) + "]";
    const CellConfig without = cell_of("{ points = [" + points + "] }");
    EXPECT_EQ(without.data->hash, with.data->hash);
    EXPECT_NE(without.id, with.id);
    EXPECT_THAT(without.description, testing::Not(HasSubstr("validation")));
}

class ValidationFiles : public testing::Test {
protected:
    void SetUp() override {
        directory_ = std::filesystem::temp_directory_path() / ("limrisk-validation-" + std::to_string(getpid()));
        std::filesystem::create_directories(directory_);
        write("train.csv", "x,y,w,z\n1,2,1,0\n2,4,1,0\n5,0,2,0\n");
        write("others.csv", "z,w,y,x\n0,3,7,1\n0,1,8,-4\n");
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }
    void write(const std::string& name, const std::string& text) { std::ofstream(directory_ / name, std::ios::binary) << text; }
    std::string with(const std::string& train, const std::string& validation) const {
        return "{ file = \"" + (directory_ / "train.csv").string() + "\", " + train + ", validation = { file = \"" +
               (directory_ / "others.csv").string() + "\"" + validation + " } }";
    }
    std::filesystem::path directory_;
};

TEST_F(ValidationFiles, HaveTheColumnsOfTheData) {
    const DataPointer data = data_of(with("inputs = \"x\", output = \"y\", weight = \"w\"", ""));
    EXPECT_THAT(data->validation->inputs, ElementsAre(1, -4));
    EXPECT_THAT(data->validation->outputs, ElementsAre(7, 8));
    EXPECT_THAT(data->validation->weights, ElementsAre(0.75, 0.25));
    const DataPointer others = data_of(with("inputs = \"x\", output = \"y\"", ", output = \"z\""));
    EXPECT_THAT(others->validation->outputs, ElementsAre(0, 0));
}

/// The numbers are those of the training points: weights 1, 1, 2; x has mean 3.25 and variance 3.1875, y mean 1.5 and variance 2.75.
TEST_F(ValidationFiles, AreScaledLikeTheTrainingPoints) {
    const DataPointer data = data_of(with("inputs = \"x\", output = \"y\", weight = \"w\", standardize = true", ""));
    const double x_deviation = std::sqrt(3.1875), y_deviation = std::sqrt(2.75);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(data->inputs[i], ((i == 0 ? 1 : i == 1 ? 2 : 5) - 3.25) / x_deviation, 1e-15);
    EXPECT_NEAR(data->validation->inputs[1], (-4 - 3.25) / x_deviation, 1e-14);
    EXPECT_NEAR(data->validation->outputs[0], (7 - 1.5) / y_deviation, 1e-14);
    EXPECT_EQ(data->validation->inputs[0], data->inputs[0]) << "the same number in both parts becomes the same number";
}

TEST_F(ValidationFiles, MistakesAreRefused) {
    EXPECT_THAT(failure_of(with("output = \"y\"", "")), HasSubstr("validation: inputs must be named where a second file"));
    EXPECT_THAT(failure_of(with("inputs = \"x\", output = \"y\"", ", inputs = [\"x\", \"z\"]")),
                HasSubstr("validation: its points have 2 inputs, those of the data have 1"));
    EXPECT_THAT(failure_of(with("inputs = \"x\", output = \"y\"", ", standardize = true")),
                HasSubstr("validation: unknown key `standardize`; with file the keys are file, inputs, output, weight"));
    EXPECT_THAT(failure_of(with("inputs = \"x\", output = \"y\", holdout = 0.5", "")), HasSubstr("holdout beside validation"));
    write("others.csv", "x,y\n1,a\n");
    EXPECT_THAT(failure_of(with("inputs = \"x\", output = \"y\"", "")), HasSubstr("others.csv"));
    std::filesystem::remove(directory_ / "others.csv");
    EXPECT_THAT(failure_of(with("inputs = \"x\", output = \"y\"", "")), HasSubstr("others.csv: does not exist"));
}

TEST_F(ValidationFiles, NamesBeginInTheDirectoryOfTheCampaign) {
    write("c.toml", campaign_with("{ file = \"train.csv\", inputs = \"x\", output = \"y\", validation = { file = \"others.csv\" } }"));
    EXPECT_EQ(load_campaign(directory_ / "c.toml").cells.at(0).data->validation_count(), 2);
}

TEST(Holdout, MistakesAreRefused) {
    for (const char* share : {"0", "1", "0.0", "1.0", "-0.1", "1.5", "\"0.2\"", "[0.1, 0.2]", "true"})
        EXPECT_THAT(failure_of(line(10, std::string("holdout = ") + share)),
                    HasSubstr("allowed is a share of the points, greater than 0 and less than 1"))
            << share;
    EXPECT_THAT(failure_of(line(10, "holdout = 0.01")), HasSubstr("holdout is 0.01, which holds out 0 of 10 points, rounded"));
    EXPECT_THAT(failure_of(line(10, "holdout = 0.99")), HasSubstr("holds out 10 of 10 points"));
    EXPECT_THAT(failure_of(line(1, "holdout = 0.4")), HasSubstr("holds out 0 of 1 points"));
    EXPECT_THAT(failure_of(line(10, "seed = 3")), HasSubstr("seed without holdout"));
    EXPECT_THAT(failure_of(line(10, "holdout = 0.5, seed = -3")), HasSubstr("seed is -3; allowed is an integer"));
    const std::string law = "\ninput = { law = \"uniform\", dimension = 1 }\ntarget = \"x1\"";
    EXPECT_THAT(failure_of("{ draw = 9, per = \"trial\", holdout = 0.5 }" + law), HasSubstr("holdout beside per = \"trial\""));
    EXPECT_THAT(failure_of("{ draw = 9, holdout = 0.01 }" + law), HasSubstr("holds out 0 of 9 points"));
    EXPECT_THAT(failure_of("{ draw = 9, validation = { points = [[1, 1]] } }" + law), HasSubstr("unknown key `validation`; with draw"));
    EXPECT_THAT(failure("name = \"v\"\ntrials = 8\nsteps = 10\n[problem]\nholdout = 0.2" + law +
                        "\n[network]\nwidth = 3\n[training]\nbatch = 4\noptimizer = \"sgd(0.1)\"\n"),
                HasSubstr("holdout"));
    EXPECT_THAT(failure(campaign_with(line(10, "holdout = 0.2"), "store = \"summary\"\n")), HasSubstr("none of validation risks"));
    EXPECT_THAT(failure_of(line(3, "validation = { draw = 5 }")), HasSubstr("validation: a table with none of points and file"));
    EXPECT_THAT(failure_of(line(3, "validation = 5")), HasSubstr("validation: 5; allowed is {"));
    EXPECT_THAT(failure_of(line(3, "validation = { points = [[1, 2, 3]] }")), HasSubstr("its points have 2 inputs, those of the data"));
    EXPECT_THAT(failure_of(line(3, "validation = { points = [[1, 2]], weights = [0] }")), HasSubstr("validation: all weights are 0"));
    EXPECT_THAT(failure_of(line(3, "validation = { points = [[1, 1e39]] }")), HasSubstr("validation: a number of the size of 1e+39"));
}

/// In the precision of the cell, in their own order, and nothing else is made of them.
TEST(Holdout, PlansHaveThemApart) {
    const CellConfig cell = cell_of("{ points = [[0.1, 1], [0.3, 2]], validation = { points = [[0.7, 3], [0.2, 4], [0.6, 0.1]] } }");
    const CellPlan plan(cell);
    const kernels::NodeTable<double>& nodes = plan.cell().validation_nodes;
    ASSERT_EQ(nodes.count, 3);
    EXPECT_EQ(nodes.inputs[0], static_cast<double>(0.7F));
    EXPECT_EQ(nodes.inputs[1], static_cast<double>(0.2F));
    EXPECT_EQ(nodes.targets[2], static_cast<double>(0.1F));
    EXPECT_EQ(nodes.weights[1], 1.0 / 3);
    EXPECT_EQ(plan.cell().check_nodes.count, 2);
    EXPECT_EQ(cell.batch, 2);
    EXPECT_EQ(cell.input.high, 0.3);
}

}  // namespace
}  // namespace limrisk
