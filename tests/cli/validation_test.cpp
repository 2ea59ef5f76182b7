// Points that are held out, as a user types it: run, look at it in every way there is, and the validation risks again from the parameters.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "program.hpp"
#include "store/store.hpp"

namespace limrisk::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ValidationTest : public ProgramTest {
protected:
    void SetUp() override {
        ProgramTest::SetUp();
        std::string rows = "x,z,y\n";
        for (int i = 0; i < 60; ++i) rows += fmt::format("{},{},{}\n", 0.1 * i, (i * 7) % 13, std::sin(0.3 * i) + 0.2 * ((i * 11) % 5));
        write("points.csv", rows);
        write("validation.toml", R"toml(name = "validation"
trials = 40
steps = 200
keep = ["final", "best"]
precision = "float64"
[problem]
data = [ { file = "points.csv", inputs = ["x", "z"], output = "y", standardize = true, holdout = 0.25, seed = 4 },
         { points = [[0, 0, 1], [1, 0, 2], [0, 1, 0]] } ]
[network]
width = 5
[training]
optimizer = "adam(0.02)"
)toml");
    }
};

/// The mean square on points, by the formula.
double risk_of(const DataSet& points, const std::vector<double>& w, const std::vector<double>& b, const std::vector<double>& v, double c) {
    double sum = 0;
    for (std::size_t i = 0; i < points.outputs.size(); ++i) {
        double output = c;
        for (std::size_t n = 0; n < b.size(); ++n) {
            double z = b[n];
            for (std::size_t k = 0; k < 2; ++k) z += w[2 * n + k] * points.inputs[2 * i + k];
            output += v[n] * std::max(z, 0.0);
        }
        sum += points.weights[i] * std::pow(output - points.outputs[i], 2);
    }
    return sum;
}

std::vector<double> numbers(const std::string& bytes) {
    std::vector<double> values(bytes.size() / sizeof(double));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
}

TEST_F(ValidationTest, DryRunsTellInTheTable) {
    const std::string out = succeed({"run", "validation.toml", "--dry-run"}).out;
    EXPECT_THAT(out, AllOf(testing::ContainsRegex("time +validation\n"), testing::ContainsRegex("\n *0 .* 15\n"),
                           testing::ContainsRegex("\n *1 .* -\n"), HasSubstr("validation: data points that are held out of the training")));
    write("plain.toml", campaign_text(4, 30));
    EXPECT_THAT(succeed({"run", "plain.toml", "--dry-run"}).out, Not(HasSubstr("validation")));
}

TEST_F(ValidationTest, IsToldEverywhere) {
    const Output output = succeed({"run", "validation.toml"});
    EXPECT_THAT(output.out,
                AllOf(HasSubstr("on the 15 points held out the last network has a median validation risk of"),
                      HasSubstr("a median training risk"), HasSubstr("training risk (on the data points that are not held out)")));
    EXPECT_EQ(output.out, succeed({"summary", "validation.db"}).out);
    EXPECT_THAT(succeed({"verify", "validation.db"}).out, Not(HasSubstr("damaged")));
    EXPECT_THAT(output.out, HasSubstr("45 data points in dimension 2, 15 for validation"));
    const Store store = Store::open(path("validation.db"));
    std::filesystem::remove(path("points.csv"));  // nothing below needs it
    ASSERT_EQ(store.cells().size(), 2u);
    const DataSet& data = *store.cells()[0].data;
    std::vector<TrialRecord> records;
    for (const BlockKey& key : store.blocks()) {
        if (key.cell == 1) {
            for (const TrialRecord& record : store.read_block(key)) EXPECT_EQ(record.validation_risk, -1);
            continue;
        }
        const std::vector<TrialRecord> of_block = store.read_block(key);
        const BlockParameters parameters = store.read_parameters(key);
        for (std::int64_t t = 0; t < key.count; ++t) {
            const TrialRecord& record = of_block[static_cast<std::size_t>(t)];
            for (const ParameterKind kind : {ParameterKind::Final, ParameterKind::Best}) {
                const ParameterColumns one = cut_parameters(store.cells()[0], parameters[static_cast<std::size_t>(kind)], t, 1);
                const auto w = numbers(one[0]), b = numbers(one[1]), v = numbers(one[2]), c = numbers(one[3]);
                const bool last = kind == ParameterKind::Final;
                const double validation = last ? record.validation_risk : record.best_validation_risk;
                EXPECT_NEAR(validation, risk_of(*data.validation, w, b, v, c.at(0)), 1e-12 * validation);
                const double training = last ? record.final_risk : record.best_risk;
                EXPECT_NEAR(training, risk_of(data, w, b, v, c.at(0)), 1e-12 * training);
            }
            records.push_back(record);
        }
    }
    ASSERT_EQ(records.size(), 40u);
    const json summary = json::parse(succeed({"summary", "validation.db", "--json"}).out);
    const json& told = summary["cells"][0]["validation"];
    EXPECT_EQ(told["points"], 15);
    std::vector<double> risks;
    std::int64_t above = 0;
    for (const TrialRecord& record : records) risks.push_back(record.validation_risk), above += record.validation_risk > record.final_risk;
    std::sort(risks.begin(), risks.end());
    EXPECT_EQ(told["risk"]["median"], risks[19]);
    EXPECT_EQ(told["above"], above);
    EXPECT_LT(told["above_low"].get<double>(), static_cast<double>(above) / 40);
    EXPECT_TRUE(summary["cells"][1]["validation"]["points"].is_null());
    EXPECT_TRUE(summary["cells"][1]["validation"]["risk"]["median"].is_null());
    EXPECT_THAT(summary["cells"][0]["sentence"].get<std::string>(), HasSubstr("on the 15 points held out"));
    EXPECT_THAT(summary["cells"][1]["sentence"].get<std::string>(), Not(HasSubstr("held out")));
    EXPECT_THAT(succeed({"replay", "validation.db", "--cell", "0", "--trial", "39"}).out,
                AllOf(HasSubstr(fmt::format("validation risk {}, on 15 points held out; of the best network {}",
                                            records[39].validation_risk, records[39].best_validation_risk)),
                      HasSubstr("equals the stored record and parameters bit for bit")));
    const std::string rows = exported("validation.db");
    EXPECT_THAT(rows.substr(0, rows.find('\n')), testing::EndsWith(",validation_risk,best_validation_risk"));
    EXPECT_THAT(rows, HasSubstr(fmt::format(",{},{}\n", records[0].validation_risk, records[0].best_validation_risk)));
    EXPECT_THAT(rows.substr(rows.rfind("\n1,")), testing::EndsWith(",,\n")) << "of a cell without such points nothing";
    EXPECT_THAT(
        succeed({"export", "validation.db", "--format", "json", "--out", "-"}).out,
        AllOf(HasSubstr("\"validation_risk\":null"), HasSubstr("\"validation_risk\": \"validation risk of the last iterate: on the")));
    const std::string table = succeed({"summary", "validation.db", "--csv"}).out;
    EXPECT_THAT(table.substr(0, table.find('\n')), HasSubstr(",validation_points,validation_risk_minimum,"));
    const auto fields = [](const std::string& row) {
        bool quoted = false;
        std::int64_t count = 1;
        for (const char c : row) {
            if (c == '"') quoted = !quoted;
            if (c == ',' && !quoted) ++count;
        }
        return count;
    };
    EXPECT_EQ(fields(table.substr(0, table.find('\n'))), fields(table.substr(table.rfind('\n', table.size() - 2) + 1)));
    succeed({"report", "validation.db", "--out", "validation.html"});
    EXPECT_THAT(read("validation.html"), AllOf(HasSubstr("Validation risks and training risks"), HasSubstr("45"), HasSubstr("15")));
}

/// The average's validation risk, again from its parameters, wherever risks of averages are told.
TEST_F(ValidationTest, OfAverages) {
    write("averages.toml", read("validation.toml").replace(0, std::string("name = \"validation\"").size(), "name = \"averages\""));
    succeed({"run", "averages.toml", "--quiet", "--set", "keep=[\"average\"]", "--set", "training.average=\"exponential(0.9)\""});
    const Store store = Store::open(path("averages.db"));
    const DataSet& data = *store.cells()[0].data;
    std::vector<double> risks;
    std::int64_t lower = 0;
    for (const BlockKey& key : store.blocks()) {
        const std::vector<TrialRecord> block = store.read_block(key);
        const BlockParameters parameters = store.read_parameters(key);
        for (std::int64_t t = 0; t < key.count; ++t) {
            const TrialRecord& record = block[static_cast<std::size_t>(t)];
            if (key.cell == 1) {
                EXPECT_EQ(record.average_validation_risk, -1);
                continue;
            }
            const ParameterColumns one =
                cut_parameters(store.cells()[0], parameters[static_cast<std::size_t>(ParameterKind::Average)], t, 1);
            const double risk = risk_of(*data.validation, numbers(one[0]), numbers(one[1]), numbers(one[2]), numbers(one[3]).at(0));
            EXPECT_NEAR(record.average_validation_risk, risk, 1e-12 * risk);
            EXPECT_NE(record.average_validation_risk, record.validation_risk);
            risks.push_back(record.average_validation_risk);
            lower += record.average_validation_risk < record.validation_risk;
        }
    }
    ASSERT_EQ(risks.size(), 40u);
    const double first = risks[0];
    std::sort(risks.begin(), risks.end());
    const json summary = json::parse(succeed({"summary", "averages.db", "--json"}).out);
    const json& told = summary["cells"][0]["average"];
    EXPECT_EQ(told["validation"]["median"], risks[19]);
    EXPECT_EQ(told["validation_lower"], lower);
    EXPECT_LE(told["validation_lower_low"].get<double>(), static_cast<double>(lower) / 40);
    EXPECT_TRUE(summary["cells"][1]["average"]["validation"]["median"].is_null());
    EXPECT_THAT(succeed({"summary", "averages.db"}).out, HasSubstr("on the points held out the average has a median validation risk of"));
    EXPECT_THAT(succeed({"replay", "averages.db", "--cell", "0", "--trial", "0"}).out,
                AllOf(HasSubstr(fmt::format("; of the average {}", first)), HasSubstr("bit for bit")));
    const std::string rows = exported("averages.db");
    EXPECT_THAT(rows.substr(0, rows.find('\n')), testing::EndsWith(",validation_risk,best_validation_risk,average_validation_risk"));
    EXPECT_THAT(rows, HasSubstr(fmt::format(",{}\n", first)));
    succeed({"report", "averages.db", "--out", "averages.html"});
    EXPECT_THAT(read("averages.html"), HasSubstr("of the average: median"));
}

/// The training is the same whatever is held out, and in parts no bit differs.
TEST_F(ValidationTest, ChangesNothingElse) {
    write("without.toml",
          "name = \"w\"\ntrials = 9\nsteps = 50\n[problem]\ndata = { points = [[0, 1], [1, 3], [2, 0], [4, 4]] }\n"
          "[network]\nwidth = 3\n[training]\noptimizer = \"adam(0.05)\"\n");
    write("with.toml",
          "name = \"w\"\ntrials = 9\nsteps = 50\n[problem]\ndata = { points = [[0, 1], [1, 3], [2, 0], [4, 4]], "
          "validation = { points = [[9, 9], [3, 3]] } }\n[network]\nwidth = 3\n[training]\noptimizer = \"adam(0.05)\"\n");
    succeed({"run", "without.toml", "--quiet"});
    succeed({"run", "with.toml", "--quiet", "--trials", "4", "--threads", "1"});
    succeed({"run", "with.toml", "--quiet"});
    std::vector<TrialRecord> with, without;
    for (const auto& [name, records] : {std::pair{"with.db", &with}, {"without.db", &without}})
        Store::open(path(name)).for_each_trial(0, [&, to = records](std::int64_t, const TrialRecord& record) { to->push_back(record); });
    ASSERT_EQ(with.size(), 9u);
    for (TrialRecord& record : with) {
        EXPECT_GE(record.validation_risk, 0);
        record.validation_risk = record.best_validation_risk = -1;
    }
    EXPECT_EQ(with, without);
}

TEST_F(ValidationTest, WhatHasNoPlaceIsRefused) {
    const Output output = limrisk({"run", "validation.toml", "--set", "store=summary", "--set", "keep=[]"});
    EXPECT_EQ(output.code, 65);
    EXPECT_THAT(output.err, HasSubstr("none of validation risks"));
}

// A number of a column says nothing about another file.
TEST_F(ValidationTest, ColumnsOfTheSecondFileAreNotTakenByNumber) {
    write("one.csv", "y,x\n1,0\n2,1\n3,3\n");
    write("two.csv", "x,y\n0,1\n2,2\n");
    const auto run = [&](const std::string& columns, const std::string& own) {
        write("two.toml", "name = \"two\"\ntrials = 2\nsteps = 10\n[problem]\ndata = { file = \"one.csv\", " + columns +
                              ", validation = { file = \"two.csv\"" + own +
                              " } }\n[network]\nwidth = 1\n[training]\noptimizer = \"sgd(0.01)\"\n[tracking]\nchecks = 2\n");
        return limrisk({"run", "two.toml", "--quiet", "--store", "two.db"});
    };
    const Output refused = run("inputs = [2], output = \"y\"", "");
    EXPECT_EQ(refused.code, 65);
    EXPECT_THAT(refused.err,
                HasSubstr("inputs of the data is column number 2, and the columns of a second file could be in another order"));
    EXPECT_EQ(run("inputs = \"x\", output = 1", "").code, 65);
    EXPECT_EQ(run("inputs = [2], output = 1", ", inputs = 1, output = 2").code, 0);
    EXPECT_EQ(run("inputs = \"x\", output = \"y\"", "").code, 0) << "the same cell";
}

}  // namespace
}  // namespace limrisk::test
