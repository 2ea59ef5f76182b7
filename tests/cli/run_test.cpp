// A user's day: dry run, run, run again with more trials, look at the results.
#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "program.hpp"
#include "reference/fingerprint.hpp"

namespace limrisk::test {
namespace {

using nlohmann::json;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

TEST_F(ProgramTest, DryRunShowsTheCellsAndRunsNothing) {
    const Output output = succeed({"run", "campaign.toml", "--dry-run"});
    EXPECT_THAT(output.out, HasSubstr("3 cells x 70 trials"));
    EXPECT_THAT(output.out, HasSubstr("adam(0.01)"));
    EXPECT_THAT(output.out, HasSubstr("predicted time"));
    EXPECT_FALSE(std::filesystem::exists(path("campaign.db")));
}

/// The key that is swept is a column, whichever it is: no two rows look the same.
TEST_F(ProgramTest, DryRunShowsInWhatCellsDiffer) {
    for (const char* sweep : {"tracking.checks=[4,8]", "training.batch=[2,3]", "problem.target=[\"x1\",\"x1^2\"]",
                              "tracking.tolerance=[0.1,0.2]", "network.initialization=[\"pytorch\",\"kaiming_normal\",\"uniform(-1,1)\"]",
                              "evaluation.nodes=[64,128]", "precision=[\"float32\",\"float64\"]"}) {
        std::istringstream lines(succeed({"run", "campaign.toml", "--dry-run", "--set", sweep, "--set", "network.width=2"}).out);
        std::set<std::string> rows;
        std::size_t cells = 0;
        bool table = false;
        for (std::string line; std::getline(lines, line);) {
            if (line.find(" tile ") != std::string::npos && !table) {
                table = true;
                continue;
            }
            if (!table) continue;
            if (line.empty()) break;
            // From behind the number of the cell to before what was measured.
            const std::size_t number = line.find_first_not_of("0123456789", line.find_first_not_of(' '));
            rows.insert(line.substr(number, line.rfind('x') - number));
            ++cells;
        }
        EXPECT_GE(cells, 2u) << sweep;
        EXPECT_EQ(rows.size(), cells) << sweep;
    }
}

TEST_F(ProgramTest, DryRunSaysWhichBlocksWillHaveCheckpoints) {
    const std::vector<std::string> words{"run", "campaign.toml", "--dry-run", "--backend", "cpu", "--threads", "2"};
    EXPECT_THAT(succeed(words).out, HasSubstr("checkpoints     none: no block takes 1:00\n"));
    std::vector<std::string> long_ones = words;
    long_ones.insert(long_ones.end(), {"--steps", "4000000000"});
    EXPECT_THAT(succeed(long_ones).out, ContainsRegex("checkpoints     every 1:00 of each block in progress of 3 cells, which takes up to "
                                                      "[^\n]*: up to [0-9.]+ KiB, for each of 2 threads in the store\n"));
    long_ones.emplace_back("--json");
    const json all = json::parse(succeed(long_ones).out);
    EXPECT_EQ(all["cells"].size(), 3U);
    for (const json& cell : all["cells"]) {
        EXPECT_GT(cell["batch_seconds"], 60);
        EXPECT_GT(cell["checkpoint_bytes"], 100);
    }
}

/// A search for a rate is certain, others may follow: 70 trials with 8 checks and patience 2 make at most 1 + 7 / 2 = 4.
TEST_F(ProgramTest, DryRunSaysTheTimeWithTheMostSearches) {
    const std::vector<std::string> words{
        "run",
        "campaign.toml",
        "--dry-run",
        "--json",
        "--backend",
        "cpu",
        "--set",
        "tracking.checks=8",
        "--set",
        "training.optimizer=[\"sgd(0.1)\", {name=\"sgd\", learning_rate={schedule=\"search\", initial=0.1, search_steps=1000}}]"};
    const json report = json::parse(succeed(words).out);
    double most = 0;
    for (const json& cell : report["cells"]) {
        const double one = cell["predicted_seconds"];
        if (!cell.contains("most_searches")) {
            most += one;
            continue;
        }
        EXPECT_EQ(cell["most_searches"], 4);
        // Nearly all of the time is that of searches, one or four of them.
        const double ratio = cell["predicted_seconds_with_most_searches"].get<double>() / one;
        EXPECT_GT(ratio, 3);
        EXPECT_LT(ratio, 4);
        most += cell["predicted_seconds_with_most_searches"].get<double>();
    }
    EXPECT_NEAR(report["predicted_seconds_with_most_searches"], most, 1e-9 * most) << "a sum of roundings";
    std::vector<std::string> text = words;
    std::erase(text, "--json");
    EXPECT_THAT(succeed(text).out, HasSubstr("searches        of rates: the first of each trial is in the time above"));
    EXPECT_THAT(succeed({"run", "campaign.toml", "--dry-run"}).out, Not(HasSubstr("searches")));
}

TEST_F(ProgramTest, DryRunAsJson) {
    const json report = json::parse(succeed({"run", "campaign.toml", "--dry-run", "--json", "--steps", "100"}).out);
    EXPECT_EQ(report.at("cells").size(), 3u);
    EXPECT_EQ(report.at("replica_steps"), 3 * 70 * 100.0);
    EXPECT_EQ(report.at("sample_neurons"), 70 * 100.0 * 8 * (1 + 3 + 8));
    EXPECT_GT(report.at("predicted_seconds").get<double>(), 0);
}

TEST_F(ProgramTest, RunEndsWithTheSummary) {
    const Output output = succeed({"run", "campaign.toml"});
    EXPECT_EQ(output.out, succeed({"summary", "campaign.db"}).out);
    EXPECT_THAT(output.out, HasSubstr("cli test"));
    EXPECT_THAT(output.err, HasSubstr("210 trials"));
    EXPECT_EQ(succeed({"run", "campaign.toml", "--quiet"}).err, "");
}

TEST_F(ProgramTest, RunAgainGoesOn) {
    succeed({"run", "campaign.toml"});
    const std::string first = exported("campaign.db");
    const Output again = succeed({"run", "campaign.toml"});
    EXPECT_THAT(again.err, HasSubstr("all 210 trials are already stored"));
    EXPECT_EQ(exported("campaign.db"), first);
    const Output more = succeed({"run", "campaign.toml", "--trials", "333"});
    EXPECT_THAT(more.err, HasSubstr("continuing: 210 trials in 3 blocks are already stored"));
    succeed({"run", "campaign.toml", "--trials", "333", "--store", "fresh.db"});
    EXPECT_EQ(exported("campaign.db"), exported("fresh.db"));
    succeed({"verify", "campaign.db"});
}

TEST_F(ProgramTest, AStoreOfARenamedCampaignIsNamed) {
    succeed({"run", "campaign.toml", "--store", "first.db"});
    std::filesystem::copy_file(directory() / "campaign.toml", directory() / "renamed.toml");
    write("foreign.db", "no store");
    const Output renamed = succeed({"run", "renamed.toml", "--quiet"});
    EXPECT_THAT(renamed.err, HasSubstr("there is no renamed.db, which begins anew"));
    EXPECT_THAT(renamed.err, HasSubstr("are in first.db: to go on there"));
    EXPECT_THAT(succeed({"run", "renamed.toml", "--quiet"}).err, Not(HasSubstr("anew")));
    EXPECT_THAT(succeed({"run", "campaign.toml", "--quiet", "--store", "other.db"}).err, Not(HasSubstr("anew")));
    EXPECT_THAT(succeed({"run", "campaign.toml", "--quiet", "--seed", "3"}).err, Not(HasSubstr("anew")));
    EXPECT_THAT(succeed({"run", "campaign.toml", "--quiet", "--store", "seed.db", "--set", "name=other"}).err, Not(HasSubstr("anew")));
}

TEST_F(ProgramTest, ThreadsAndInstructionSetsChangeNoBit) {
    succeed({"run", "campaign.toml", "--threads", "1", "--store", "one.db"});
    succeed({"run", "campaign.toml", "--threads", "2", "--store", "two.db"});
    EXPECT_EQ(limrisk({"run", "campaign.toml", "--store", "portable.db", "--backend", "cpu"}, {"LIMRISK_ISA=portable"}).code, 0);
    EXPECT_EQ(exported("one.db"), exported("two.db"));
    EXPECT_EQ(exported("one.db"), exported("portable.db"));
}

TEST_F(ProgramTest, SetChangesAKeyAndMayBeRepeated) {
    const json report = json::parse(succeed({"run", "campaign.toml", "--dry-run", "--json", "--set", "network.width=[5, 6]", "--set",
                                             "training.batch=[2, 3]", "--set", "precision=\"float64\""})
                                        .out);
    ASSERT_EQ(report.at("cells").size(), 4u);
    EXPECT_EQ(report.at("cells").at(0).at("description").at("precision"), "float64");
}

TEST_F(ProgramTest, LeadingZerosAreNotOctal) {
    const json report = json::parse(succeed({"run", "campaign.toml", "--dry-run", "--json", "--trials", "010"}).out);
    EXPECT_EQ(report.at("trials_per_cell"), 10);
}

TEST_F(ProgramTest, EveryJsonIsJson) {
    EXPECT_FALSE(json::parse(succeed({"run", "campaign.toml", "--json"}).out).empty());
    EXPECT_FALSE(json::parse(succeed({"summary", "campaign.db", "--json"}).out).empty());
    EXPECT_FALSE(json::parse(succeed({"list", "--json"}).out).empty());
    EXPECT_FALSE(json::parse(succeed({"bench", "--seconds", "0.001", "--json"}).out).empty());
    succeed({"export", "campaign.db", "--format", "json", "--out", "trials.json"});
    EXPECT_FALSE(json::parse(read("trials.json")).empty());
}

TEST_F(ProgramTest, ReplayWritesItsTrajectory) {
    succeed({"run", "campaign.toml", "--quiet"});
    const Output table = succeed({"replay", "campaign.db", "--cell", "2", "--trial", "69"});
    EXPECT_THAT(table.out, HasSubstr("bit for bit"));
    succeed({"replay", "campaign.db", "--cell", "2", "--trial", "69", "--csv", "trajectory.csv"});
    const std::string csv = read("trajectory.csv");
    EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 5);
    EXPECT_THAT(csv, testing::StartsWith("step,risk,gradient_norm,parameter_norm,inactive"));
    EXPECT_THAT(csv, HasSubstr("\n40,"));
}

/// The arrays of an NPZ file that limrisk wrote, in their order: shapes as text, and numbers.
std::vector<std::pair<std::string, std::vector<double>>> arrays_of(const std::string& npz) {
    std::vector<std::pair<std::string, std::vector<double>>> arrays;
    for (std::size_t at = 0; (at = npz.find("\x93NUMPY", at)) != std::string::npos;) {
        const std::size_t end = npz.find('\n', at) + 1, open = npz.find("'shape': (", at) + 10;
        const std::string shape = npz.substr(open, npz.find(')', open) - open);
        std::size_t count = 1;
        std::istringstream lengths(shape);
        for (std::size_t length = 0; lengths >> length; lengths.ignore(1)) count *= length;
        std::vector<double> values(count);
        std::memcpy(values.data(), npz.data() + end, 8 * count);
        arrays.emplace_back(shape, values);
        at = end;
    }
    return arrays;
}

TEST_F(ProgramTest, ReplayWritesTheParameters) {
    for (const std::string precision : {"float32", "float64"}) {
        const std::string store = precision + ".db", file = precision + ".npz";
        succeed({"run", "campaign.toml", "--quiet", "--store", store, "--set", "precision=" + precision, "--set",
                 "training.optimizer=sgd(0.01)", "--set", "network.width=3", "--set",
                 "problem.input={ law = \"uniform\", dimension = 2 }"});
        succeed({"replay", store, "--cell", "0", "--trial", "5", "--parameters", file});
        const auto arrays = arrays_of(read(file));
        ASSERT_EQ(arrays.size(), 8U);
        const char* const shapes[] = {"3, 2", "3,", "3,", ""};
        std::vector<double> last;
        for (std::size_t k = 0; k < 4; ++k) {
            EXPECT_EQ(arrays[k].first, shapes[k]);
            EXPECT_EQ(arrays[k + 4].first, shapes[k]);
            EXPECT_NE(arrays[k].second, arrays[k + 4].second) << "it was trained";
            last.insert(last.end(), arrays[k].second.begin(), arrays[k].second.end());
        }
        const std::uint64_t print = precision == "float64" ? reference::fingerprint<double>({last})
                                                           : reference::fingerprint<float>({std::vector<float>(last.begin(), last.end())});
        succeed({"export", store, "--format", "csv", "--out", precision + ".csv"});
        EXPECT_THAT(read(precision + ".csv"), HasSubstr(fmt::format("0x{:016x}", print)));
    }
}

TEST_F(ProgramTest, ReplayOfADivergedTrialSaysWhere) {
    succeed({"run", "campaign.toml", "--quiet", "--store", "wild.db", "--steps", "400", "--set",
             "training.optimizer={name=\"sgd\", learning_rate=1e6}"});
    const Output output = succeed({"replay", "wild.db", "--cell", "2", "--trial", "0"});
    EXPECT_THAT(output.out, HasSubstr("verdict diverged at step "));
    EXPECT_THAT(output.out, HasSubstr("bit for bit"));
}

TEST_F(ProgramTest, ListKnowsWhatACampaignMayName) {
    const std::string text = succeed({"list"}).out;
    for (const char* name :
         {"power_relu", "kaiming_normal", "adadelta", "polynomial", "uniform", "nodes", "learning_rate", "default 0.999"})
        EXPECT_THAT(text, HasSubstr(name));
}

TEST_F(ProgramTest, DoctorSaysWhatIsThere) {
    const std::string text = succeed({"doctor"}).out;
    for (const char* word : {"version", "compiler", "portable", "SQLite", "  cuda ", " this build: ", "file system", "GiB free"})
        EXPECT_THAT(text, HasSubstr(word));
    EXPECT_THAT(limrisk({"doctor"}, {"LIMRISK_ISA=z80"}).out, HasSubstr("PROBLEM: LIMRISK_ISA=z80"));
}

TEST_F(ProgramTest, PlainLinesWhenStderrIsNoTerminal) {
    const Output output = succeed({"run", "campaign.toml"});
    EXPECT_THAT(output.err, Not(HasSubstr("\r")));
    EXPECT_THAT(output.err, Not(HasSubstr("\x1b")));
}

TEST_F(ProgramTest, TheDryRunKnowsTheSizeOfTheStore) {
    for (const char* store : {"trials", "summary"}) {
        for (const int trials : {3, 70, 5000, 40000}) {
            const std::vector<std::string> set{"--steps", "4", "--trials", std::to_string(trials), "--set", fmt::format("store={}", store)};
            std::vector<std::string> words{"run", "campaign.toml", "--dry-run", "--json", "--backend", "cpu"};
            words.insert(words.end(), set.begin(), set.end());
            const auto report = nlohmann::json::parse(succeed(words).out)["store"];
            EXPECT_TRUE(report["fits"]);
            EXPECT_EQ(report["bytes_there"], 0);
            EXPECT_GT(report["bytes_free"], 0);
            words.erase(words.begin() + 2, words.begin() + 4);
            words.emplace_back("--quiet");
            succeed(words);
            const auto bytes = static_cast<double>(std::filesystem::file_size(path("campaign.db")));
            EXPECT_NEAR(report["bytes"].get<double>() / bytes, 1, 0.25) << store << ", " << trials << " trials: " << bytes << " bytes";
            std::filesystem::remove(path("campaign.db"));
        }
    }
}

TEST_F(ProgramTest, AStoreThatWillNotFitIsSaidBefore) {
    const std::string many = "1000000000";
    EXPECT_THAT(succeed({"run", "campaign.toml", "--trials", many, "--dry-run"}).out, HasSubstr("WARNING         the store will not fit"));
    EXPECT_THAT(succeed({"run", "campaign.toml", "--dry-run"}).out, testing::Not(HasSubstr("WARNING")));
    Process process(directory(), {"limrisk", "run", "campaign.toml", "--trials", many, "--quiet"});
    EXPECT_TRUE(eventually([&] { return process.stderr_so_far().find("warning: the store will not fit") != std::string::npos; }));
}

/// The number of the first processor that this process may use.
int first_processor() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) != 0) return -1;
    for (int k = 0; k < CPU_SETSIZE; ++k)
        if (CPU_ISSET(k, &set)) return k;
    return -1;
}

TEST_F(ProgramTest, TheAffinityDecidesThreadsAndPrediction) {
    const int processor = first_processor();
    if (processor < 0) GTEST_SKIP() << "a machine of more processors than fit a set";
    const auto pinned = [&](const std::string& line) { return shell(fmt::format("taskset -c {} limrisk {}", processor, line)); };
    EXPECT_THAT(pinned("run campaign.toml --backend cpu --dry-run").out, HasSubstr(", 1 thread\n"));
    EXPECT_THAT(pinned("run campaign.toml --backend cpu").err, HasSubstr(", 1 thread; "));
    EXPECT_THAT(pinned("run campaign.toml --threads 4 --dry-run").out, HasSubstr("4 threads taken as 1 times as fast"));
    EXPECT_THAT(pinned("doctor").out, HasSubstr("1 of them available to this process"));
    EXPECT_THAT(pinned("bench --seconds 0.001 --backend cpu").out, HasSubstr(", 1 thread;"));
}

TEST_F(ProgramTest, ManySmallCellsShareTransactions) {
    std::string widths = "[1";
    for (int width = 2; width <= 512; ++width) widths += fmt::format(", {}", width);
    write("campaign.toml", campaign_text(2, 4, widths + "]"));
    const auto start = std::chrono::steady_clock::now();
    succeed({"run", "campaign.toml", "--quiet"});
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    // SQLite counts the transactions that changed the file, in bytes 24 to 27 of it, big-endian.
    const std::string bytes = read("campaign.db");
    int transactions = 0;
    for (std::size_t k = 24; k < 28; ++k) transactions = 256 * transactions + static_cast<unsigned char>(bytes.at(k));
    EXPECT_LE(transactions, 10 + 8 * seconds) << "one every quarter of a second at most, with room";
    succeed({"verify", "campaign.db"});
}

}  // namespace
}  // namespace limrisk::test
