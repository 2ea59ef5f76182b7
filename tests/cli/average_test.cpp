// training.average as a user types it: run, look at it in every way there is, and the averages again from the parameters of the trials.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "program.hpp"
#include "store/store.hpp"

namespace limrisk::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class AverageTest : public ProgramTest {
protected:
    void SetUp() override {
        ProgramTest::SetUp();
        write("average.toml", R"toml(name = "average"
trials = 60
steps = 400
keep = ["final", "average"]
precision = ["float32", "float64"]
[problem]
input = { law = "uniform", dimension = 1, low = 0.0, high = 1.0 }
target = "x1^2 + 2*x1"
[network]
width = 4
[training]
batch = 4
optimizer = "adam(0.05)"
average = ["none", "arithmetic(100)", "exponential(0.99)", "partial(0.1)"]
)toml");
    }
};

TEST_F(AverageTest, IsToldEverywhere) {
    const Output output = succeed({"run", "average.toml"});
    EXPECT_THAT(output.out, AllOf(HasSubstr("the average of the iterates, arithmetic(100),"), HasSubstr("lower: %")));
    EXPECT_EQ(output.out, succeed({"summary", "average.db"}).out);
    EXPECT_THAT(succeed({"verify", "average.db"}).out, Not(HasSubstr("damaged")));
    const json summary = json::parse(succeed({"summary", "average.db", "--json"}).out);
    const Store store = Store::open(path("average.db"));
    ASSERT_EQ(store.cells().size(), 8u);
    std::vector<std::vector<TrialRecord>> records(8);
    for (const CellConfig& cell : store.cells())
        store.for_each_trial(
            cell.index, [&](std::int64_t, const TrialRecord& record) { records[static_cast<std::size_t>(cell.index)].push_back(record); });
    for (const CellConfig& cell : store.cells()) {
        const auto k = static_cast<std::size_t>(cell.index);
        const json& told = summary["cells"][k];
        // Cells that differ in their average only have the same trials.
        std::size_t like = 0;
        while (store.cells()[like].precision != cell.precision) ++like;
        std::int64_t lower = 0;
        for (std::size_t t = 0; t < 60; ++t) {
            TrialRecord record = records[k][t];
            lower += record.average_risk < record.final_risk;
            EXPECT_EQ(record.average_inactive + record.average_constant + record.average_linear + record.average_kinked, 4);
            take_iterate_as_average(record);
            EXPECT_EQ(record, records[like][t]) << cell.average_label;
        }
        if (!cell.has_average()) {
            EXPECT_TRUE(told["average"]["risk"]["median"].is_null());
            EXPECT_EQ(lower, 0);
            continue;
        }
        EXPECT_EQ(told["average"]["lower"], lower);
        EXPECT_GT(lower, cell.average.kind == AverageRule::Kind::Partial ? 30 : 3) << "Adam with this rate moves around";
        EXPECT_TRUE(told["average"]["missed"].is_null()) << "no optimum is known";
        EXPECT_THAT(told["sentence"].get<std::string>(), HasSubstr("the average of the iterates, " + cell.average_label));
        const Output replayed = succeed({"replay", "average.db", "--cell", std::to_string(cell.index), "--trial", "59"});
        EXPECT_THAT(replayed.out, AllOf(HasSubstr(fmt::format("average of the iterates, {}: risk {}, neurons: ", cell.average_label,
                                                              records[k][59].average_risk)),
                                        HasSubstr("equals the stored record and parameters bit for bit")));
    }
    const std::string rows = exported("average.db");
    EXPECT_THAT(rows.substr(0, rows.find('\n')),
                AllOf(HasSubstr(",average,"), HasSubstr(",fingerprint,last_step,average_risk,average_inactive,average_constant,")));
    succeed({"report", "average.db", "--out", "average.html"});
    EXPECT_THAT(read("average.html"), HasSubstr("Averages of the iterates and the last iterates"));
    succeed({"export", "average.db", "--parameters", "--out", "average.npz"});
    EXPECT_THAT(read("average.npz"), AllOf(HasSubstr("cell_1_average_w.npy"), HasSubstr("cell_1_w.npy")));
}

TEST_F(AverageTest, WhatHasNoPlaceIsRefused) {
    const auto refused = [&](const std::vector<std::string>& words, const char* why) {
        const Output output = limrisk(words);
        EXPECT_EQ(output.code, 65) << why;
        EXPECT_THAT(output.err, HasSubstr(why));
    };
    refused({"run", "average.toml", "--set", "store=summary", "--set", "keep=[]"}, "keeps only sums over trials, and none of averages");
    refused({"run", "average.toml", "--set", "training.average=none"}, "no cell has an average of its iterates");
    refused({"run", "average.toml", "--set", "stop.risk_below=0.01"}, "it is not known before its end how long a trial is");
    succeed({"run", "average.toml", "--quiet", "--set", "training.average=none", "--set", "keep=[]", "--store", "plain.db"});
    refused({"run", "average.toml", "--set", "keep=[]", "--store", "plain.db"}, "it has no place for what is known of one");
    EXPECT_THAT(exported("plain.db"), Not(HasSubstr("average_")));
}

/// With `stop`, and in parts: no bit depends on it.
TEST_F(AverageTest, OfTrialsThatEndEarly) {
    const std::vector<std::string> stop{"--quiet", "--set", "training.average=[\"arithmetic(50)\", \"exponential(0.9)\"]", "--set",
                                        "stop.risk_below=0.02"};
    const auto run = [&](const std::string& store, const std::vector<std::string>& more) {
        std::vector<std::string> words{"run", "average.toml", "--store", store};
        words.insert(words.end(), stop.begin(), stop.end());
        words.insert(words.end(), more.begin(), more.end());
        succeed(words);
    };
    run("whole.db", {});
    run("parts.db", {"--trials", "17", "--threads", "1"});
    run("parts.db", {});
    EXPECT_TRUE(exported("whole.db") == exported("parts.db"));
    const Store store = Store::open(path("whole.db"));
    std::int64_t before = 0, after = 0;
    for (const CellConfig& cell : store.cells()) {
        if (cell.average.kind != AverageRule::Kind::Arithmetic) continue;
        store.for_each_trial(cell.index, [&](std::int64_t, const TrialRecord& record) {
            if (record.last_step > 51) return void(after += record.average_risk != record.final_risk);
            EXPECT_EQ(record.average_risk, record.final_risk) << "until its first step the average is the iterate";
            ++before;
        });
    }
    EXPECT_GT(before, 0);
    EXPECT_GT(after, 0);
}

}  // namespace
}  // namespace limrisk::test
