// tracking.kinks and stop.kinks_crossed as a user types it: run, look at it in every way there is, and the numbers again from the trials.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "program.hpp"
#include "store/store.hpp"

namespace limrisk::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class KinksTest : public ProgramTest {
protected:
    void SetUp() override {
        ProgramTest::SetUp();
        write("kinks.toml", R"toml(name = "kinks"
trials = 60
steps = 100
keep = ["initial", "final"]
precision = "float64"
[problem]
data = { points = [[-3, -1], [-2, 2], [-1, -1], [1, 1], [2, -2], [3, 1]] }
[network]
width = 4
initialization = { name = "kaiming_normal", bias = "zero" }
[training]
optimizer = "sgd(0.01)"
[tracking]
checks = 100
kinks = [true, false]
)toml");
    }
};

std::vector<double> doubles_of(const std::string& bytes) {
    std::vector<double> values(bytes.size() / sizeof(double));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
}

TEST_F(KinksTest, IsToldEverywhere) {
    const Output output = succeed({"run", "kinks.toml"});
    EXPECT_THAT(output.out, AllOf(HasSubstr("a kink crossed a training point in "), HasSubstr(" of 4 kinks in the mean")));
    EXPECT_EQ(output.out, succeed({"summary", "kinks.db"}).out);
    EXPECT_THAT(succeed({"verify", "kinks.db"}).out, Not(HasSubstr("damaged")));
    const Store store = Store::open(path("kinks.db"));
    std::vector<TrialRecord> records;
    for (const BlockKey& key : store.blocks()) {
        const std::vector<TrialRecord> block = store.read_block(key);
        const BlockParameters parameters = store.read_parameters(key);
        for (std::int64_t t = 0; t < key.count; ++t) {
            const TrialRecord& record = block[static_cast<std::size_t>(t)];
            if (key.cell == 1) {
                EXPECT_EQ(record.kinks_crossed, -1);
                continue;
            }
            records.push_back(record);
            // What is seen at the end is a part of what the checks saw.
            const auto of = [&](ParameterKind kind, std::size_t group) {
                return doubles_of(cut_parameters(store.cells()[0], parameters[static_cast<std::size_t>(kind)], t, 1)[group]);
            };
            const auto w0 = of(ParameterKind::Initial, 0), b0 = of(ParameterKind::Initial, 1), w = of(ParameterKind::Final, 0),
                       b = of(ParameterKind::Final, 1);
            std::int32_t crossed = 0;
            double furthest = 0;
            for (std::size_t i = 0; i < 4; ++i) {
                bool other = false;
                for (const double x : {-3, -2, -1, 1, 2, 3})
                    other = other || (std::fma(w[i], x, b[i]) > 0) != (std::fma(w0[i], x, b0[i]) > 0);
                crossed += other;
                furthest =
                    std::max(furthest, w[i] * w0[i] > 0 ? std::abs(-b[i] / w[i] + b0[i] / w0[i]) : std::numeric_limits<double>::infinity());
            }
            EXPECT_GE(record.kinks_crossed, crossed);
            EXPECT_GE(record.kink_displacement, furthest);
        }
    }
    ASSERT_EQ(records.size(), 60u);
    std::int64_t crossed = 0, infinite = 0, kinks = 0;
    std::vector<double> displacements;
    for (const TrialRecord& record : records) {
        crossed += record.kinks_crossed > 0;
        kinks += record.kinks_crossed;
        infinite += std::isinf(record.kink_displacement);
        displacements.push_back(record.kink_displacement);
    }
    EXPECT_GT(crossed, 5);
    EXPECT_LT(crossed, 60);
    std::sort(displacements.begin(), displacements.end());
    const json summary = json::parse(succeed({"summary", "kinks.db", "--json"}).out);
    const json& told = summary["cells"][0]["kinks"];
    EXPECT_EQ(told["crossed"], crossed);
    EXPECT_LE(told["crossed_low"].get<double>(), static_cast<double>(crossed) / 60);
    EXPECT_GE(told["crossed_high"].get<double>(), static_cast<double>(crossed) / 60);
    EXPECT_EQ(told["through_infinity"], infinite);
    EXPECT_EQ(told["mean_crossed"].get<double>(), static_cast<double>(kinks) / 60);
    EXPECT_EQ(told["displacement"]["median"], displacements[29]);
    EXPECT_TRUE(summary["cells"][1]["kinks"]["crossed"].is_null());
    EXPECT_TRUE(summary["cells"][1]["kinks"]["displacement"]["median"].is_null());
    EXPECT_THAT(summary["cells"][0]["sentence"].get<std::string>(), HasSubstr("a kink crossed a training point in "));
    EXPECT_THAT(succeed({"replay", "kinks.db", "--cell", "0", "--trial", "59"}).out,
                AllOf(HasSubstr(fmt::format("crossed a training point; largest displacement of a kink {}", records[59].kink_displacement)),
                      HasSubstr("equals the stored record and parameters bit for bit")));
    const std::string rows = exported("kinks.db");
    EXPECT_THAT(rows.substr(0, rows.find('\n')), testing::EndsWith(",last_step,kinks_crossed,kink_displacement"));
    EXPECT_THAT(rows.substr(rows.rfind("\n1,")), testing::EndsWith(",,\n")) << "of a cell without them nothing";
    EXPECT_THAT(succeed({"export", "kinks.db", "--format", "json", "--out", "-"}).out,
                HasSubstr("\"kinks_crossed\":null,\"kink_displacement\":null"));
    const std::string table = succeed({"summary", "kinks.db", "--csv"}).out;
    EXPECT_THAT(table.substr(0, table.find('\n')), HasSubstr(",kinks_crossed,kinks_crossed_low,"));
    succeed({"export", "kinks.db", "--format", "npz", "--out", "kinks.npz"});
    succeed({"report", "kinks.db", "--out", "kinks.html"});
    EXPECT_THAT(read("kinks.html"), HasSubstr("Kinks of the neurons during the training"));
}

TEST_F(KinksTest, EndTrials) {
    const Output output = succeed({"run", "kinks.toml", "--set", "tracking.kinks=true", "--set", "stop.kinks_crossed=[false,true]"});
    EXPECT_THAT(output.out, AllOf(HasSubstr("with a kink that has crossed a training point"), HasSubstr("`stop` ended ")));
    const Store store = Store::open(path("kinks.db"));
    std::vector<std::int32_t> of_all;
    store.for_each_trial(0, [&](std::int64_t, const TrialRecord& record) { of_all.push_back(record.kinks_crossed); });
    std::int64_t stopped = 0;
    store.for_each_trial(1, [&](std::int64_t trial, const TrialRecord& record) {
        EXPECT_EQ(record.kinks_crossed > 0, of_all[static_cast<std::size_t>(trial)] > 0) << "the same trials see a crossing";
        const bool ended = record.verdict == Verdict::Stopped;
        EXPECT_EQ(ended, record.kinks_crossed > 0 && record.last_step < 100);
        stopped += ended;
    });
    const json told = json::parse(succeed({"summary", "kinks.db", "--json"}).out)["cells"][1];
    EXPECT_GT(stopped, 5);
    EXPECT_EQ(told["early_ends"]["by_kinks"], stopped);
    EXPECT_EQ(told["verdicts"]["stopped"], stopped);
}

/// A store of summaries has no records, and so says nothing of kinks.
TEST_F(KinksTest, OfSummaries) {
    succeed({"run", "kinks.toml", "--set", "store=summary", "--set", "keep=[]", "--quiet"});
    EXPECT_TRUE(json::parse(succeed({"summary", "kinks.db", "--json"}).out)["cells"][0]["kinks"]["crossed"].is_null());
}

TEST_F(KinksTest, WithoutThemNothingIsSaid) {
    const Output output = succeed({"run", "campaign.toml"});
    EXPECT_THAT(output.out, Not(HasSubstr("kink")));
    EXPECT_THAT(exported("campaign.db"), Not(HasSubstr("kink_displacement")));
}

}  // namespace
}  // namespace limrisk::test
