// Data points: lists and CSV files in, canonical text and hash out, and every bad file with its place.
#include "campaign/data_set.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>

#include "backend/backend.hpp"
#include "backend/cell_plan.hpp"
#include "campaign/campaign.hpp"
#include "campaign/cell_description.hpp"
#include "limrisk/error.hpp"
#include "reference/samples.hpp"

namespace limrisk {
namespace {

using testing::HasSubstr;

std::string campaign_with(const std::string& data, const std::string& training = "", const std::string& rest = "") {
    return "name = \"d\"\ntrials = 8\nsteps = 10\n[problem]\ndata = " + data + "\n[network]\nwidth = 3\n" + rest +
           "[training]\noptimizer = \"sgd(0.1)\"\n" + training;
}

DataPointer data_of(const std::string& text) { return parse_campaign(campaign_with(text), "test").cells.at(0).data; }

std::string failure(const std::string& text) {
    try {
        (void)parse_campaign(text, "test");
    } catch (const ConfigError& error) {
        return error.what();
    }
    return "no failure";
}

class CsvFile : public testing::Test {
protected:
    void SetUp() override {
        directory_ = std::filesystem::temp_directory_path() / ("limrisk-csv-" + std::to_string(getpid()));
        std::filesystem::create_directories(directory_);
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }
    std::string write(const std::string& text) {
        std::ofstream(directory_ / "points.csv", std::ios::binary) << text;
        return (directory_ / "points.csv").string();
    }
    std::string failure_of(const std::string& text, const std::string& columns = "inputs = [\"x\"], output = \"y\"") {
        return failure(campaign_with("{ file = \"" + write(text) + "\", " + columns + " }"));
    }
    DataPointer read(const std::string& text, const std::string& columns = "inputs = [\"x\"], output = \"y\"") {
        return data_of("{ file = \"" + write(text) + "\", " + columns + " }");
    }
    std::filesystem::path directory_;
};

TEST(DataSetTest, ListsOfPoints) {
    const DataPointer data = data_of("{ points = [[-3, 1, 0.5], [2, -0.0, 1]] }");
    EXPECT_EQ(data->dimension, 2);
    EXPECT_EQ(data->count, 2);
    EXPECT_THAT(data->inputs, testing::ElementsAre(-3, 1, 2, 0));
    EXPECT_FALSE(std::signbit(data->inputs[3]));
    EXPECT_THAT(data->outputs, testing::ElementsAre(0.5, 1));
    EXPECT_THAT(data->weights, testing::ElementsAre(0.5, 0.5));
    EXPECT_EQ(data->low, -3);
    EXPECT_EQ(data->high, 2);
    EXPECT_EQ(data->text, R"({"inputs":[[-3.0,1.0],[2.0,0.0]],"outputs":[0.5,1.0]})");
    EXPECT_EQ(data->label(), "2 data points in dimension 2");
}

TEST(DataSetTest, WeightsAreProbabilitiesAndPointsWithoutWeightAreLeftOut) {
    const DataPointer data = data_of("{ points = [[1, 2], [3, 4], [5, 6]], weights = [1, 0, 3] }");
    EXPECT_THAT(data->outputs, testing::ElementsAre(2, 6));
    EXPECT_THAT(data->weights, testing::ElementsAre(0.25, 0.75));
    EXPECT_EQ(data_of("{ points = [[1, 2], [3, 4]], weights = [7, 7] }")->hash, data_of("{ points = [[1, 2], [3, 4]] }")->hash);
}

TEST(DataSetTest, TextComesBackAsTheSamePoints) {
    const DataPointer data = data_of("{ points = [[0.1, 1e-300], [3, 4]], weights = [1, 2] }");
    const DataPointer again = data_from_text(data->text);
    EXPECT_EQ(again->hash, data->hash);
    EXPECT_EQ(again->inputs, data->inputs);
    EXPECT_EQ(again->weights, data->weights);
    for (const char* text :
         {"", "{}", "[1]", R"({"inputs":[[1.0],[2.0,3.0]],"outputs":[1.0,2.0]})", R"({"inputs":[[1.0]],"outputs":[1.0,2.0]})",
          R"({"inputs":[[1]],"outputs":[1.0]})", R"({"inputs":[[1.0]],"outputs":[1.0],"weights":[-1.0]})"})
        EXPECT_THROW((void)data_from_text(text), ConfigError) << text;
}

TEST(DataSetTest, DescriptionsOfCellsNameThePointsByTheirHash) {
    const CellConfig cell = parse_campaign(campaign_with("{ points = [[0, 1], [1, 0]] }"), "test").cells.at(0);
    EXPECT_THAT(cell.description, HasSubstr(R"("data":{"count":2,"dimension":1,"hash":")" + cell.data->hash));
    EXPECT_THAT(cell.description, HasSubstr(R"("sampling":"full_batch")"));
    EXPECT_THAT(cell.description, testing::Not(HasSubstr("target")));
    const CellConfig again = cell_from_description(cell.description);
    EXPECT_EQ(again.id, cell.id);
    EXPECT_FALSE(again.data->is_complete());
    EXPECT_TRUE(cell.data->described_as(*again.data));
    EXPECT_EQ(again.batch, 2);
}

TEST(DataSetTest, WhatDoesNotGoTogetherIsRefused) {
    const std::string points = "{ points = [[0, 1], [1, 0]] }";
    EXPECT_THAT(failure(campaign_with(points + "\ntarget = \"x1\"")),
                HasSubstr("with data the inputs and outputs are those of the points"));
    EXPECT_THAT(failure(campaign_with(points + "\ninput = \"uniform(1)\"")), HasSubstr("with data the inputs and outputs"));
    EXPECT_THAT(failure(campaign_with(points, "batch = 2\n")), HasSubstr("every step uses all nodes or data points; leave batch out"));
    EXPECT_THAT(failure(campaign_with(points, "sampling = \"epochs\"\n")), HasSubstr("training.batch`: missing"));
    EXPECT_THAT(failure(campaign_with(points, "sampling = \"fresh\"\nbatch = 2\n")), HasSubstr("\"fresh\" with data; allowed is"));
    EXPECT_THAT(failure(campaign_with(points, "sampling = { nodes = 4 }\n")), HasSubstr("a grid of nodes with data"));
    EXPECT_THAT(failure(campaign_with(points, "[evaluation]\nnodes = 4\n")), HasSubstr("leave it out"));
    EXPECT_THAT(failure(campaign_with("{ points = [[1e39, 1]] }")), HasSubstr("is not finite in float32"));
    std::string without = campaign_with(points);
    without.replace(without.find("data = "), points.size() + 7, "");
    EXPECT_THAT(failure(without), HasSubstr("problem.input`: missing"));
    EXPECT_THAT(failure(without), HasSubstr("problem.target`: missing"));
    std::string sampled = without;
    sampled.replace(sampled.find("[problem]\n"), 10, "[problem]\ninput = \"uniform(1)\"\ntarget = \"x1\"\n");
    EXPECT_THAT(failure(sampled + "sampling = \"full_batch\"\n"), HasSubstr("needs problem.data"));
}

TEST(DataSetTest, BadLists) {
    EXPECT_THAT(failure(campaign_with("3")), HasSubstr("allowed is { points = "));
    EXPECT_THAT(failure(campaign_with("{ }")), HasSubstr("a table with none of points, file and draw"));
    EXPECT_THAT(failure(campaign_with("{ points = [] }")), HasSubstr("allowed is a list of points"));
    EXPECT_THAT(failure(campaign_with("{ points = [[1]] }")), HasSubstr("a point is a list of 2 to 257 numbers"));
    EXPECT_THAT(failure(campaign_with("{ points = [[1, 2], [1, 2, 3]] }")), HasSubstr("point 2 has 3 numbers, point 1 has 2"));
    EXPECT_THAT(failure(campaign_with("{ points = [[1, \"a\"]] }")), HasSubstr("number 2 of point 1 is \"a\""));
    EXPECT_THAT(failure(campaign_with("{ points = [[1, inf]] }")), HasSubstr("allowed is a finite number"));
    EXPECT_THAT(failure(campaign_with("{ points = [[1, 2]], weights = [1, 2] }")),
                HasSubstr("a list of 2 numbers; allowed is a list of 1"));
    EXPECT_THAT(failure(campaign_with("{ points = [[1, 2]], weights = [0] }")), HasSubstr("all weights are 0"));
    EXPECT_THAT(failure(campaign_with("{ points = [[1, 2]], weights = [-1] }")), HasSubstr("has the weight -1"));
    EXPECT_THAT(failure(campaign_with("{ points = [[1, 2]], outputs = [1] }")), HasSubstr("unknown key `outputs`"));
    EXPECT_THAT(failure(campaign_with("{ hash = \"0123\" }")), HasSubstr("a table with none of points, file and draw"));
}

TEST_F(CsvFile, ColumnsByNameAndNumber) {
    const DataPointer data = read("\xEF\xBB\xBFx,\"y\",w\r\n1,2,1\r\n\"3\", 4 ,1\r\n");
    EXPECT_THAT(data->inputs, testing::ElementsAre(1, 3));
    EXPECT_THAT(data->outputs, testing::ElementsAre(2, 4));
    EXPECT_EQ(read("1,2\n3,4", "inputs = [1], output = 2")->hash, data->hash);
    EXPECT_EQ(read("x,y,w\n1,2,5\n3,4,5\n", "inputs = [\"x\"], output = \"y\", weight = \"w\"")->hash, data->hash);
    EXPECT_EQ(read("y,x\n2,1\n4,3\n", "output = \"y\"")->hash, data->hash);
    EXPECT_EQ(data_of("{ points = [[1, 2], [3, 4]] }")->hash, data->hash);
}

TEST_F(CsvFile, StandardizedColumnsHaveMeanZeroAndDeviationOne) {
    const DataPointer data = read("x,y,w\n1,2,1\n3,7,2\n9,4,1\n", "inputs = [\"x\"], output = \"y\", weight = \"w\", standardize = true");
    for (const std::vector<double>& values : {data->inputs, data->outputs}) {
        double mean = 0, square = 0;
        for (std::size_t i = 0; i < 3; ++i) mean += data->weights[i] * values[i], square += data->weights[i] * values[i] * values[i];
        EXPECT_NEAR(mean, 0, 1e-15);
        EXPECT_NEAR(square, 1, 1e-15);
    }
    EXPECT_THAT(failure_of("x,y\n1,2\n1,3\n", "inputs = [\"x\"], output = \"y\", standardize = true"),
                HasSubstr("input 1 is the same at all points"));
}

TEST_F(CsvFile, FilesAreFoundFromTheCampaignFile) {
    write("x,y\n1,2\n");
    std::ofstream(directory_ / "c.toml") << campaign_with("{ file = \"points.csv\", inputs = [\"x\"], output = \"y\" }");
    EXPECT_EQ(load_campaign(directory_ / "c.toml").cells.at(0).data->count, 1);
}

TEST_F(CsvFile, WhatIsWrongIsSaidWithLineAndColumn) {
    const std::map<std::string, std::string> wrong{
        {"x,y\n1,2\n3\n", "line 3: 1 fields, the first line has 2"},
        {"x,y\n1,2\n3,4,5\n", "line 3: 3 fields, the first line has 2"},
        {"x,y\n1,2\n3,abc\n", "line 3, column 2: \"abc\" is not a finite number"},
        {"x,y\n1,\"2,5\"\n", "line 2, column 2: \"2,5\" is not a finite number; write decimals with a point"},
        {"x,y\n1,\n", "line 2, column 2: is empty"},
        {"x,y\n1,nan\n", "line 2, column 2: \"nan\""},
        {"x,y\n1,inf\n", "line 2, column 2: \"inf\""},
        {"x,y\n1,1e400\n", "line 2, column 2: \"1e400\""},
        {"x,y\n1,1e-400\n", "line 2, column 2: \"1e-400\""},
        {"x,y\n1,2\n\n3,0x10\n", "line 4, column 2: \"0x10\""},
        {"x,y\n\"a\nb\",2\n", "line 3, column 1"},
        {"x,y\n1,2\"3\"\n", "line 2: a quotation mark inside a field"},
        {"x,y\n1,\"2\n", "a quoted field does not end"},
        {"x;y\n1;2\n", "separated by commas, not by semicolons"},
        {"x\ty\n1\t2\n", "separated by commas, not by tabs"},
        {"x,z\n1,2\n", "there is no column \"y\"; there are x, z"},
        {"x,y,y\n1,2,3\n", "two columns are called \"y\""},
        {"x,y\r\n1,2\r\n3\r\n", "line 3: 1 fields, the first line has 2"},
        {"x,y\r1,2\r3,4,5\r", "line 3: 3 fields"},
        {"\xEF\xBB\xBFx,y\n1,z\n", "line 2, column 2: \"z\""},
        {std::string("\xFF\xFEx\0,\0y\0\n\0", 10), "there is no column \"x\""},
        {"x,y\n1,-nan\n", "line 2, column 2: \"-nan\""},
        {"x,y\n1,-inf\n", "line 2, column 2: \"-inf\""},
        {"x,y\n1,infinity\n", "line 2, column 2: \"infinity\""},
        {"x,y\n1,2 3\n", "line 2, column 2: \"2 3\""},
        {"x,y\n1,1_000\n", "line 2, column 2: \"1_000\""},
        {std::string("x,y\n1,2\0003\n", 10), "line 2, column 2: \"2"},
        {"x,y\n1,2,\n", "line 2: 3 fields, the first line has 2"},
        {"x,x,y\n1,2,3\n", "two columns are called \"x\""},
        {"\n\n\n", "has no row of numbers"},
        {"x" + std::string(5000, ',') + "y\n", "more than 4096 fields"},
        {"", "is empty"},
        {"x,y\n", "has no row of numbers"},
    };
    for (const auto& [text, message] : wrong) EXPECT_THAT(failure_of(text), HasSubstr(message)) << text;
    EXPECT_THAT(failure_of("x,y\n1,2\n", "inputs = [\"x\"], output = \"x\""), HasSubstr("chosen twice"));
    EXPECT_THAT(failure_of("x,y\n1,2\n", "inputs = [\"x\"]"), HasSubstr("output must be given"));
    EXPECT_THAT(failure_of("x,y\n1,-2\n", "inputs = [\"x\"], output = \"x\", weight = \"y\""), HasSubstr("chosen twice"));
    EXPECT_THAT(failure_of("x,y,w\n1,2,-2\n", "inputs = [\"x\"], output = \"y\", weight = \"w\""), HasSubstr("the weight -2 is negative"));
    EXPECT_THAT(failure_of("x,y,w\n1,2,0\n3,4,-0\n", "inputs = [\"x\"], output = \"y\", weight = \"w\""), HasSubstr("all weights are 0"));
    EXPECT_THAT(failure_of("x,y,w\n1,2,1e308\n3,4,1e308\n", "inputs = [\"x\"], output = \"y\", weight = \"w\""),
                HasSubstr("points.csv: the sum of the weights is not finite"));
    EXPECT_THAT(failure_of("x,y,w\n1,2,1e-300\n3,4,1e300\n", "inputs = [\"x\"], output = \"y\", weight = \"w\""),
                HasSubstr("which is nothing beside the sum"));
    EXPECT_THAT(failure_of("x,y\n2,3\n1,3\n", "inputs = [\"x\"], output = \"y\", standardize = true"),
                HasSubstr("the output is the same at all points"));
    EXPECT_THAT(failure_of("1,2\n", "inputs = [3], output = 2"), HasSubstr("there is no column 3; there are 2"));
}

/// Sizes: rows, and bytes of a file (which has no blocks on the disk) before any is read.
TEST_F(CsvFile, WhatIsTooLargeIsRefused) {
    std::string rows = "x,y\n";
    for (std::int64_t i = 0; i <= most_data_points; ++i) rows += "1,2\n";
    EXPECT_THAT(failure_of(rows), HasSubstr("line 1048578: more than 1048576 points; at most that many are allowed"));
    std::string text = "x,y\n";
    for (int i = 0; i < 700000; ++i) text += "0.12345678901234568,0.12345678901234568\n";
    EXPECT_THAT(failure_of(text), HasSubstr("at most 16 MiB are allowed"));
    std::filesystem::resize_file(write("x,y\n1,2\n"), (std::uintmax_t{256} << 20) + 1);
    EXPECT_THAT(failure(campaign_with("{ file = \"" + (directory_ / "points.csv").string() + "\", output = \"y\" }")),
                HasSubstr("has 268435457 bytes, at most 256 MiB are read"));
    std::filesystem::resize_file(directory_ / "points.csv", std::uintmax_t{1} << 40);
    EXPECT_THAT(failure(campaign_with("{ file = \"" + (directory_ / "points.csv").string() + "\", output = \"y\" }")),
                HasSubstr("has 1099511627776 bytes, at most 256 MiB are read"));
}

TEST_F(CsvFile, WhatIsNoFileIsRefused) {
    const auto of = [&](const std::string& path) {
        return failure(campaign_with("{ file = \"" + path + "\", inputs = [\"x\"], output = \"y\" }"));
    };
    EXPECT_THAT(of((directory_ / "none.csv").string()), HasSubstr("does not exist; give the path of a CSV, NPY or NPZ file"));
    EXPECT_THAT(of(directory_.string()), HasSubstr("is a directory"));
    ASSERT_EQ(mkfifo((directory_ / "pipe").c_str(), 0600), 0);
    EXPECT_THAT(of((directory_ / "pipe").string()), HasSubstr("is not a regular file"));
}

/// Six points of the literature: own computation with NumPy from the same starts.
std::string drawn_campaign(const std::string& data, const std::string& problem, const std::string& training = "") {
    return "name = \"d\"\ntrials = 8\nsteps = 10\n[problem]\ndata = " + data + "\n" + problem +
           "\n[network]\nwidth = 3\n[training]\noptimizer = \"sgd(0.1)\"\n" + training;
}

/// The points are samples of the reference, of step 0 of trial 0, with the key of their own.
TEST(DrawnData, AreSamplesOfInputTargetAndNoise) {
    using reference::Law, reference::LawKind;
    struct Drawn {
        std::string input, target;
        std::int64_t dimension, count;
        Law law;
    };
    for (const Drawn& of :
         {Drawn{"{ law = \"uniform\", dimension = 1, low = -1.0, high = 3.0 }", "x1^2", 1, 7, {LawKind::Uniform, -1, 3, 0, 0, 0, 0}},
          Drawn{"{ law = \"normal\", dimension = 2, mean = 1.0, deviation = 2.0 }", "x1*x2", 2, 5, {LawKind::Normal, 0, 0, 1, 2, 0, 0}},
          Drawn{"{ law = \"uniform\", dimension = 6 }", "x6 - x5", 6, 3, {LawKind::Uniform, 0, 1, 0, 0, 0, 0}}})
        for (const bool noisy : {false, true}) {
            const std::string text =
                drawn_campaign("{ draw = " + std::to_string(of.count) + ", seed = 9 }",
                               "input = " + of.input + "\ntarget = \"" + of.target + "\"" +
                                   (noisy ? "\nnoise = { law = \"two_point\", low = 0.0, high = 1.0, probability = 0.25 }" : ""));
            const CellConfig cell = parse_campaign(text, "test").cells.at(0);
            const NoiseLaw noise = noisy ? NoiseLaw{NoiseLaw::Kind::TwoPoint, 1, 0, 1, 0.25} : NoiseLaw{};
            const Expression target = Expression::compile(noisy ? "(" + of.target + ") + 0.25" : of.target, of.dimension);
            auto samples = reference::fresh_batch<double>(of.law, of.dimension, of.count, target.code(), 9, 0, 0);
            reference::add_noise(samples, noise, of.dimension, 9, 0, 0);
            ASSERT_TRUE(cell.has_data());
            EXPECT_EQ(cell.data->inputs, samples.inputs) << text;
            EXPECT_EQ(cell.data->outputs, samples.targets) << text;
            EXPECT_EQ(cell.target, "");
            EXPECT_EQ(cell.noise.kind, NoiseLaw::Kind::None);
            EXPECT_EQ(cell.sampling, Sampling::FullBatch);
            EXPECT_EQ(cell.batch, of.count);
            EXPECT_THAT(cell.input_label, HasSubstr("points of " + of.target + ", "));
            EXPECT_EQ(cell.input_label.find("noise two_point(0, 1, 0.25)") != std::string::npos, noisy);
            EXPECT_EQ(cell_from_description(cell.description).input_label, cell.input_label);
            std::string hostile = cell.description;
            hostile.replace(hostile.find("seed 9"), 6, "\\u001b[2J");
            EXPECT_THROW((void)cell_from_description(hostile), StoreError);
            EXPECT_EQ(describe(cell_from_description(cell.description)), cell.description);
            EXPECT_THAT(cell.description, testing::Not(HasSubstr("target")));
        }
}

/// On a sphere, in a ball, with ends per coordinate, of a beta law, too; with noise whose deviation is a function.
TEST(DrawnData, AreSamplesOfEveryInputLaw) {
    using reference::Law, reference::LawKind;
    struct Drawn {
        std::string input;
        std::int64_t dimension;
        std::vector<Law> laws;
    };
    const Law normal{LawKind::Normal, 0, 0, 0, 1, 0, 0};
    for (const Drawn& of : {Drawn{"{ law = \"sphere\", dimension = 2, radius = 0.5 }", 2, {normal, normal}},
                            Drawn{"{ law = \"ball\", dimension = 2 }", 2, {normal, normal}},
                            Drawn{"{ law = \"ball\", dimension = 5, radius = 2 }", 5, {normal, normal, normal, normal, normal}},
                            Drawn{"{ law = \"beta\", dimension = 2, a = 2.0, b = 5.0, low = -1.0 }",
                                  2,
                                  {{LawKind::Table, -1, 1, 0, 0, 0, 0}, {LawKind::Table, -1, 1, 0, 0, 0, 0}}},
                            Drawn{"{ law = \"uniform\", dimension = 2, low = [0.0, -1.0], high = [1.0, 2.0] }",
                                  2,
                                  {{LawKind::Uniform, 0, 1, 0, 0, 0, 0}, {LawKind::Uniform, -1, 2, 0, 0, 0, 0}}}}) {
        const std::string text =
            drawn_campaign("{ draw = 7, seed = 9 }",
                           "input = " + of.input + "\ntarget = \"x1 - x2\"\nnoise = { law = \"normal\", deviation = \"1 + x1\" }");
        const CellConfig cell = parse_campaign(text, "test").cells.at(0);
        const std::string fresh = "name = \"d\"\ntrials = 8\nsteps = 10\n[problem]\ninput = " + of.input +
                                  "\ntarget = \"x1\"\n[network]\nwidth = 3\n[training]\nbatch = 4\noptimizer = \"sgd(0.1)\"\n";
        const InputLaw law = parse_campaign(fresh, "test").cells.at(0).input;
        const Expression target = Expression::compile("x1 - x2", of.dimension);
        auto samples = reference::fresh_batch<double>(law, of.laws, 7, target.code(), 9, 0, 0);
        reference::add_noise(samples, {NoiseLaw::Kind::Normal, 1, 0, 0, 0, "1 + x1"}, of.dimension, 9, 0, 0);
        EXPECT_EQ(cell.data->inputs, samples.inputs) << text;
        EXPECT_EQ(cell.data->outputs, samples.targets) << text;
    }
}

TEST(DrawnData, AreSweptAndShared) {
    const std::string uniform = "input = { law = \"uniform\", dimension = 1 }\n";
    const auto cells = [](const std::string& text) { return parse_campaign(text, "test").cells; };
    const auto sizes = cells(drawn_campaign("[{ draw = 4 }, { draw = 8 }, { points = [[0, 1]] }]", uniform + "target = \"x1\""));
    ASSERT_EQ(sizes.size(), 3U);
    EXPECT_EQ(sizes[0].data->count, 4);
    EXPECT_EQ(sizes[1].data->count, 8);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(sizes[0].data->inputs[i], sizes[1].data->inputs[i]);
    const auto targets = cells(drawn_campaign("{ draw = 4 }", uniform + "target = [\"x1\", \"x1^2\"]"));
    ASSERT_EQ(targets.size(), 2U);
    EXPECT_EQ(targets[0].data->inputs, targets[1].data->inputs);
    EXPECT_NE(targets[0].id, targets[1].id);
    const auto rates =
        cells(drawn_campaign("{ draw = 4 }", uniform + "target = \"x1\"", "sampling = [\"full_batch\", \"epochs\"]\nbatch = 2\n"));
    ASSERT_EQ(rates.size(), 2U);
    EXPECT_EQ(rates[0].data, rates[1].data);
    EXPECT_NE(cells(drawn_campaign("{ draw = 4, seed = 1 }", uniform + "target = \"x1\""))[0].data->hash, rates[0].data->hash);
}

TEST(DrawnData, MistakesAreRefused) {
    const std::string problem = "input = { law = \"uniform\", dimension = 1 }\ntarget = \"x1\"";
    EXPECT_THAT(failure(drawn_campaign("{ draw = 0 }", problem)), HasSubstr("draw is 0; allowed is an integer, 1 to 1048576"));
    EXPECT_THAT(failure(drawn_campaign("{ draw = 4, seed = -1 }", problem)), HasSubstr("seed is -1"));
    EXPECT_THAT(failure(drawn_campaign("{ draw = 4, file = \"x\" }", problem)), HasSubstr("several of points, file and draw"));
    EXPECT_THAT(failure(drawn_campaign("{ draw = 4, weights = [1] }", problem)), HasSubstr("the keys are draw, seed"));
    EXPECT_THAT(failure(drawn_campaign("{ draw = 4, per = \"step\" }", problem)), HasSubstr("per is \"step\"; allowed is \"trial\""));
    EXPECT_THAT(failure(drawn_campaign("{ draw = 4, per = \"trial\", seed = 1 }", problem)), HasSubstr("seed beside per"));
    EXPECT_THAT(failure(drawn_campaign("{ draw = 40000, per = \"trial\" }", problem)), HasSubstr("at most 32768 can be drawn"));
    EXPECT_THAT(failure(drawn_campaign("{ draw = 4, per = \"trial\" }", problem + "\nloss = \"absolute\"")),
                HasSubstr("\"absolute\" with data points of every trial"));
    EXPECT_THAT(failure(drawn_campaign("{ draw = 4, per = \"trial\" }", problem, "algorithm = \"kinks\"\n")),
                HasSubstr("\"kinks\" with data points of every trial"));
    EXPECT_THAT(failure(drawn_campaign("{ draw = 4 }", "target = \"x1\"")), HasSubstr("key `problem.input`: missing"));
    EXPECT_THAT(failure(drawn_campaign("{ draw = 4 }", problem, "sampling = \"fresh\"\nbatch = 2\n")), HasSubstr("\"fresh\" with data"));
    EXPECT_THAT(failure(drawn_campaign("{ draw = 1000000 }", "input = { law = \"uniform\", dimension = 8 }\ntarget = \"x1\"")),
                HasSubstr("at most 123361 can be drawn"));
    EXPECT_THAT(failure(drawn_campaign("{ draw = 4 }", "input = { law = \"uniform\", dimension = 1 }\ntarget = \"1 / (x1 - x1)\"")),
                HasSubstr("is inf at drawn point 1"));
}

TEST(ResampledData, DescriptionsAndLabels) {
    const CellConfig cell =
        parse_campaign(campaign_with("{ points = [[0, 1], [1, 0], [2, 2]], weights = [1, 2, 1], resample = \"h ^ 2\", per = "
                                     "\"trial\" }"),
                       "test")
            .cells.at(0);
    EXPECT_TRUE(cell.has_own_points() && cell.has_given_points() && !cell.has_shared_data());
    EXPECT_EQ(cell.data->draws(5), 25);
    EXPECT_EQ(cell.data->draws(5000), std::nullopt) << "more than 2^24";
    EXPECT_EQ(cell.batch, 3);
    EXPECT_EQ(cell.data->label(), "h^2 of 3 weighted data points for each trial");
    EXPECT_THAT(cell.description, HasSubstr(R"("resample":"h^2")"));
    const CellConfig again = cell_from_description(cell.description);
    EXPECT_EQ(again.id, cell.id);
    EXPECT_EQ(again.data->resample, "h^2");
    EXPECT_TRUE(again.has_own_points());
}

TEST(ResampledData, MistakesAreRefused) {
    const auto wrong = [](const std::string& rest) { return failure(campaign_with("{ points = [[0, 1], [1, 0]]" + rest + " }")); };
    EXPECT_THAT(wrong(", resample = 6"), HasSubstr("resample without per = \"trial\""));
    EXPECT_THAT(wrong(", per = \"trial\""), HasSubstr("per = \"trial\" without resample"));
    for (const char* text : {"0", "-1", "16777217", "1.5", "\"h +\"", "\"x1\"", "true"})
        EXPECT_THAT(wrong(fmt::format(", resample = {}, per = \"trial\"", text)), HasSubstr("resample is")) << text;
    EXPECT_THAT(wrong(", resample = \"1/3\", per = \"trial\""), HasSubstr("resample = 1/3 is no whole number from 1 to 16777216"));
    EXPECT_THAT(wrong(", resample = 6, per = \"trial\", holdout = 0.5"), HasSubstr("holdout or validation beside resample"));
    EXPECT_THAT(wrong(", resample = 6, per = \"step\""), HasSubstr("per is \"step\""));
}

/// The weights are those of a multinomial law: mean and variance of each share over the trials, and every trial's sum.
TEST(ResampledData, SharesAreMultinomial) {
    const DataPointer data = data_of("{ points = [[0, 1], [1, 0], [2, 2]], weights = [1, 2, 1] }");
    constexpr int trials = 4000, draws = 20;
    double sums[3]{}, squares[3]{};
    for (int trial = 0; trial < trials; ++trial) {
        const auto points = reference::resampled_points<double>(*data, draws, 7, static_cast<std::uint64_t>(trial));
        double all = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            sums[i] += points.weights[i], squares[i] += points.weights[i] * points.weights[i], all += points.weights[i];
            if (points.weights[i] == 0) EXPECT_GT(points.weights[points.batch.inputs[i] == 0 ? 0 : points.batch.inputs[i] == 1 ? 1 : 2], 0);
        }
        EXPECT_NEAR(all, 1, 1e-15);
    }
    for (std::size_t i = 0; i < 3; ++i) {
        const double p = data->weights[i], mean = sums[i] / trials, variance = squares[i] / trials - mean * mean;
        constexpr double deviations = 5;  // of the estimate
        EXPECT_NEAR(mean, p, deviations * std::sqrt(p * (1 - p) / draws / trials));
        EXPECT_NEAR(variance / (p * (1 - p) / draws), 1, deviations * std::sqrt(2.0 / trials));
    }
}

TEST(DataTraining, SixPointsGiveTheKnownLosses) {
    const CellConfig cell = parse_campaign(R"toml(
name = "data-points"
trials = 8
steps = 2000
precision = "float64"
[problem]
data = { points = [[-3, -1], [-2, 2], [-1, -1], [1, 1], [2, -2], [3, 1]] }
[network]
width = 16
initialization = { name = "kaiming_normal", bias = "zero" }
[training]
optimizer = "sgd(0.005)"
)toml",
                                           "test")
                                .cells.at(0);
    const CellPlan plan(cell);
    WorkStatus status;
    const auto block = make_cpu_backend(1)->run({&plan, 0, 8}, status, {false, false});
    const double losses[] = {2.000017659, 2.000001268, 2.000007292, 2.000022733, 2.000003144, 2.000008198, 2.000000161, 2.000001721};
    constexpr double printed = 1e-9;  // digits of the known losses
    for (std::size_t i = 0; i < 8; ++i) {
        EXPECT_NEAR(block->records[i].final_risk, losses[i], printed) << i;
        EXPECT_EQ(block->records[i].training_gradient_norm, block->records[i].gradient_norm);
    }
}

/// Width 2 on the four points of XOR: the training loss ends at one of four levels.
TEST(DataTraining, ExclusiveOrEndsAtItsLevels) {
    const CellConfig cell = parse_campaign(R"toml(
name = "xor"
trials = 200
steps = 4000
precision = "float64"
[problem]
data = { points = [[-1, -1, 0], [-1, 1, 1], [1, -1, 1], [1, 1, 0]] }
[network]
width = 2
[training]
optimizer = "sgd(0.1)"
)toml",
                                           "test")
                                .cells.at(0);
    const CellPlan plan(cell);
    WorkStatus status;
    const auto block = make_cpu_backend(1)->run({&plan, 0, 200}, status, {false, false});
    std::map<double, int> levels;
    for (const TrialRecord& record : block->records) ++levels[std::round(1e4 * record.final_risk) / 1e4];
    EXPECT_THAT(levels, testing::ElementsAre(std::pair(0.0, 80), std::pair(0.125, 53), std::pair(0.1667, 49), std::pair(0.25, 18)));
}

TEST(EpochOrder, IsAPermutation) {
    for (const std::int64_t count : {1, 2, 3, 4, 5, 7, 8, 9, 31, 64, 100, 257}) {
        std::vector<int> seen(static_cast<std::size_t>(count));
        for (std::int64_t place = 0; place < count; ++place) ++seen[reference::point_of_epoch(count, 7, 3, 11, place)];
        EXPECT_THAT(seen, testing::Each(1)) << count;
    }
}

/// All orders of few points are equally likely, over trials as over epochs: chi-square at 1e-6.
TEST(EpochOrder, EveryOrderIsEquallyLikely) {
    const auto orders_of = [](std::int64_t count, bool over_trials, int orders) {
        std::map<std::vector<std::size_t>, int> counts;
        for (int i = 0; i < 40 * orders; ++i) {
            std::vector<std::size_t> order;
            for (std::int64_t place = 0; place < count; ++place)
                order.push_back(
                    reference::point_of_epoch(count, 5, over_trials ? static_cast<std::uint64_t>(i) : 3, over_trials ? 2 : i, place));
            ++counts[order];
        }
        double chi_square = 0;
        for (const auto& [order, number] : counts) chi_square += (number - 40.0) * (number - 40.0) / 40;
        return chi_square + 40.0 * (orders - static_cast<double>(counts.size()));
    };
    // Quantiles of chi-square with 5, 23, 119 and 719 degrees of freedom at 1 - 1e-6.
    for (const bool over_trials : {true, false}) {
        EXPECT_LT(orders_of(3, over_trials, 6), 35.9);
        EXPECT_LT(orders_of(4, over_trials, 24), 69.9);
        EXPECT_LT(orders_of(5, over_trials, 120), 204);
        EXPECT_LT(orders_of(6, over_trials, 720), 912);
    }
}

/// Points are drawn by their weights: chi-square at 1e-6.
TEST(DrawnPoints, HaveTheirProbabilities) {
    for (const char* text : {"{ points = [[0, 0], [1, 1], [2, 2]] }", "{ points = [[0, 0], [1, 1], [2, 2]], weights = [1, 2, 5] }"}) {
        const DataPointer data = data_of(text);
        std::vector<int> counts(3);
        constexpr int draws = 40000;
        for (int m = 0; m < draws; ++m) ++counts[reference::drawn_point(*data, 9, 4, 1 + m / 100, m % 100)];
        double chi_square = 0;
        for (std::size_t i = 0; i < 3; ++i) chi_square += std::pow(counts[i] - draws * data->weights[i], 2) / (draws * data->weights[i]);
        EXPECT_LT(chi_square, 27.7) << text;
    }
}

}  // namespace
}  // namespace limrisk
