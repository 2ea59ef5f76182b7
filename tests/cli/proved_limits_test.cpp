// limrisk limits as typed: proofs that longer training keeps to, what is left out and why, and that it stops and goes on.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "program.hpp"
#include "store/document_table.hpp"
#include "store/store.hpp"

namespace limrisk::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr const char* plain = "{ name = \"sgd\", learning_rate = 0.1 }";

/// Gradient descent on data points in the plane, whose risk is the one on the points.
std::string descent_text(int trials, int steps, const std::string& optimizer = plain, const std::string& precision = "float64") {
    return fmt::format(
        "name = \"descent\"\ntrials = {}\nsteps = {}\nprecision = \"{}\"\nseed = 5\n[problem]\n"
        "data = {{ draw = 24, seed = 3 }}\ninput = {{ law = \"uniform\", dimension = 2, low = -1.0, high = 1.0 }}\n"
        "target = \"x1 * x2 + x2\"\n[network]\nwidth = [1, 2]\n[training]\nsampling = \"full_batch\"\noptimizer = {}\n"
        "[tracking]\nchecks = 8\ntail = 2\n",
        trials, steps, precision, optimizer);
}

struct Row {
    std::string outcome, verdict;
    double low = 0, high = 0;
};

/// By cell and trial.
std::map<std::pair<int, int>, Row> rows_of(const std::string& csv) {
    std::map<std::pair<int, int>, Row> rows;
    std::istringstream lines(csv);
    std::string line;
    std::getline(lines, line);
    EXPECT_EQ(line, "cell,trial,outcome,low,high,verdict");
    while (std::getline(lines, line)) {
        std::vector<std::string> words;
        std::istringstream cells(line);
        for (std::string word; std::getline(cells, word, ',');) words.push_back(word);
        EXPECT_EQ(words.size(), 6u) << line;
        Row row{words[2], words[5], 0, 0};
        if (row.outcome == "proved") row.low = std::stod(words[3]), row.high = std::stod(words[4]);
        rows[{std::stoi(words[0]), std::stoi(words[1])}] = row;
    }
    return rows;
}

class ProvedLimitsTest : public ProgramTest {
protected:
    void SetUp() override {
        ProgramTest::SetUp();
        write("descent.toml", descent_text(40, 20000));
        succeed({"run", "descent.toml", "--quiet"});
    }
    std::vector<StoredDocument> documents(const std::string& store = "descent.db") const {
        return Store::open(path(store)).documents(document_kind::limits);
    }
    std::vector<TrialRecord> records(const std::string& store, std::int64_t cell) const {
        std::vector<TrialRecord> all;
        Store::open(path(store)).for_each_trial(cell, [&](std::int64_t, const TrialRecord& record) { all.push_back(record); });
        return all;
    }
};

// What is proved after 20,000 steps is what 200,000 steps show, to their rounding: no risk below a limit, none that left it.
TEST_F(ProvedLimitsTest, LongerTrainingKeepsToTheProofs) {
    succeed({"limits", "descent.db", "--csv", "limits.csv"});
    succeed({"run", "descent.toml", "--quiet", "--set", "steps=200000", "--store", "longer.db"});
    std::map<int, std::vector<TrialRecord>> before{{0, records("descent.db", 0)}, {1, records("descent.db", 1)}},
        after{{0, records("longer.db", 0)}, {1, records("longer.db", 1)}};
    const std::map<std::pair<int, int>, Row> rows = rows_of(read("limits.csv"));
    ASSERT_EQ(rows.size(), 80u);
    int proved = 0, not_global = 0, arrived = 0;
    double least[2]{HUGE_VAL, HUGE_VAL};
    for (const auto& [key, row] : rows)
        if (row.outcome == "proved") least[key.first] = std::min(least[key.first], row.high);
    least[1] = std::min(least[0], least[1]);
    for (const auto& [key, row] : rows) {
        if (row.outcome != "proved") continue;
        const auto [cell, trial] = key;
        const double here = before[cell][static_cast<std::size_t>(trial)].final_risk,
                     there = after[cell][static_cast<std::size_t>(trial)].final_risk;
        ++proved;
        not_global += row.verdict == "not_global" ? 1 : 0;
        EXPECT_EQ(row.verdict, row.low > least[cell] ? "not_global" : "undecided") << cell << " " << trial;
        EXPECT_LT(row.high - row.low, 1e-12);
        EXPECT_GE(here, row.low - 1e-13);
        EXPECT_GE(there, row.low - 1e-13);
        EXPECT_LE(there, here + 1e-13);
        arrived += std::fabs(there - row.high) < 1e-9 ? 1 : 0;
    }
    EXPECT_GT(proved, 60);
    EXPECT_GT(not_global, 10);
    EXPECT_GE(arrived, proved * 9 / 10);  // the others are still on their way
}

TEST_F(ProvedLimitsTest, KeepsWhatItProvesAndShowsItEverywhere) {
    const std::string before = succeed({"summary", "descent.db"}).out;
    EXPECT_THAT(before, Not(HasSubstr("proved limit")));
    const Output first = succeed({"limits", "descent.db", "--trials", "10", "--threads", "1"});
    EXPECT_THAT(first.err, HasSubstr("limits of trials of 2 of 2 cells"));
    EXPECT_EQ(json::parse(succeed({"limits", "descent.db", "--trials", "10", "--json"}).out)["cells"][1]["trials"], 10);
    const Output output = succeed({"limits", "descent.db", "--threads", "2"});
    for (std::istringstream lines(output.out); !lines.eof();) {
        std::string line;
        std::getline(lines, line);
        EXPECT_LE(line.size(), 108u) << line;  // a source of a bound is not broken
    }
    const Output again = succeed({"limits", "descent.db"});
    EXPECT_EQ(again.err, "");
    EXPECT_EQ(again.out, output.out);
    const std::vector<StoredDocument> stored = documents();
    EXPECT_THAT(succeed({"limits", "descent.db", "--again", "--threads", "1"}).out, output.out);
    ASSERT_EQ(documents().size(), stored.size());
    for (std::size_t k = 0; k < stored.size(); ++k) EXPECT_EQ(documents()[k].text, stored[k].text);
    EXPECT_EQ(succeed({"verify", "descent.db"}).code, 0);

    const json cells = json::parse(succeed({"limits", "descent.db", "--json"}).out)["cells"];
    const json summary = json::parse(succeed({"summary", "descent.db", "--json"}).out);
    for (std::size_t k = 0; k < 2; ++k) {
        const json& cell = cells[k];
        std::int64_t open = 0;
        for (const auto& [reason, trials] : cell["reasons"].items()) open += trials.get<std::int64_t>();
        EXPECT_EQ(cell["open"], open);
        EXPECT_EQ(cell["proved"].get<std::int64_t>() + open, 40);
        EXPECT_LE(cell["not_global"], cell["proved"]);
        EXPECT_LE(cell["clearly_not_global"], cell["not_global"]);
        EXPECT_GT(cell["clearly_not_global"], 0);
        EXPECT_EQ(summary["cells"][k]["limits"]["proved"], cell["proved"]);
        EXPECT_EQ(summary["cells"][k]["limits"]["known_bound"], cell["known_bound"]);
    }
    EXPECT_THAT(succeed({"summary", "descent.db"}).out,
                HasSubstr(fmt::format("of 40 trials, {} with a proved limit on the training points", cells[0]["proved"].get<int>())));

    succeed({"report", "descent.db", "--out", "report.html"});
    EXPECT_THAT(read("report.html"), HasSubstr("<section id=\"limits\""));
    EXPECT_THAT(read("report.html"), HasSubstr("proved limit of "));  // below a histogram

    // Another store takes them along.
    succeed({"run", "descent.toml", "--quiet", "--trials", "5", "--store", "all.db"});
    succeed({"merge", "all.db", "descent.db"});
    EXPECT_EQ(succeed({"limits", "all.db"}).err, "");
    EXPECT_EQ(succeed({"limits", "all.db"}).out, output.out);
}

// Each proved limit lies on one level; no level is wider than it may be, and the next begins above it.
TEST_F(ProvedLimitsTest, LimitsThatAreNearlyTheSameAreOneLevel) {
    succeed({"limits", "descent.db", "--csv", "limits.csv"});
    const json cells = json::parse(succeed({"limits", "descent.db", "--json"}).out)["cells"];
    std::map<int, std::vector<Row>> proved;
    for (const auto& [key, row] : rows_of(read("limits.csv")))
        if (row.outcome == "proved") proved[key.first].push_back(row);
    int shared = 0;
    for (const int k : {0, 1}) {
        const json& levels = cells[static_cast<std::size_t>(k)]["levels"];
        std::int64_t trials = cells[static_cast<std::size_t>(k)]["other_trials"];
        double before = -1;
        for (const json& level : levels) {
            const double low = level["low"], high = level["high"];
            EXPECT_GT(low, before * (1 + 1e-6));
            EXPECT_LE(high, low * (1 + 1e-6));
            const auto on_it =
                std::count_if(proved[k].begin(), proved[k].end(), [&](const Row& row) { return low <= row.low && row.high <= high; });
            EXPECT_EQ(level["trials"], on_it) << level;
            trials += on_it;
            shared += on_it > 1 ? 1 : 0;
            before = low;
        }
        EXPECT_EQ(trials, static_cast<std::int64_t>(proved[k].size()));
        EXPECT_LE(levels.size(), 16u);
        EXPECT_THAT(succeed({"limits", "descent.db"}).out, HasSubstr(fmt::format("limits {:.6g} (", levels[0]["low"].get<double>())));
    }
    EXPECT_GT(shared, 0);
}

TEST_F(ProvedLimitsTest, SaysWhatItLeavesOut) {
    write("mixed.toml", descent_text(4, 200, fmt::format("[{}, {{ name = \"adam\", learning_rate = 0.1 }}]", plain)));
    succeed({"run", "mixed.toml", "--quiet"});
    const Output mixed = succeed({"limits", "mixed.db"});
    EXPECT_THAT(mixed.err, HasSubstr("plain or with momentum (`optimizer`: sgd, momentum, nesterov); left out"));
    EXPECT_THAT(mixed.err, HasSubstr("limits of trials of 2 of 2 cells"));
    const struct {
        const char *change, *reason;
    } cases[] = {
        {"network.activation=\"softplus\"", "linear between kinks (relu, leaky_relu, clipping)"},
        {"network.activation=\"hard_sigmoid\"", "linear between kinks (relu, leaky_relu, clipping)"},
        {"problem.loss=\"absolute\"", "the squared loss alone"},
        {"training.optimizer={ name = \"sgd\", learning_rate = 0.1, weight_decay = 0.1 }", "without weight decay"},
        {"training.optimizer.learning_rate={ schedule = \"polynomial\", initial = 0.1, power = 1.01 }", "vanish with an infinite sum"},
        {"training.optimizer.learning_rate={ schedule = \"step\", initial = 0.1, factor = 0.5, every = 3 }", "vanish with an infinite sum"},
        {"training.optimizer={ name = \"momentum\", learning_rate = { schedule = \"polynomial\", initial = 0.1, power = 0.5 } }",
         "with momentum are proved for constant learning rates"},
        {"training.optimizer={ name = \"nesterov\", learning_rate = { schedule = \"constant\", initial = 0.1, warmup = 3 } }",
         "with momentum are proved without a warm-up"},
        {"training.optimizer={ name = \"momentum\", learning_rate = 0.1, weight_decay = 0.1 }", "without weight decay"},
        {"network.trainable=\"wvc\"", "all parameters are trained"},
        {"network.outer_bias=false", "all parameters are trained"},
        {"training.sampling=\"with_replacement\"", "every step draws its samples"},
        {"problem.data={ draw = 6, per = \"trial\" }", "every trial draws its own data points"}};
    for (std::size_t k = 0; k < std::size(cases); ++k) {
        SCOPED_TRACE(cases[k].change);
        const std::string store = fmt::format("other-{}.db", k);
        std::vector<std::string> run{"run",   "descent.toml", "--quiet", "--trials",     "2", "--store", store,
                                     "--set", "steps=20",     "--set",   cases[k].change};
        if (cases[k].change == std::string("training.sampling=\"with_replacement\"")) run.insert(run.end(), {"--set", "training.batch=4"});
        succeed(run);
        const Output output = succeed({"limits", store});
        EXPECT_THAT(output.err, HasSubstr(cases[k].reason));
        EXPECT_THAT(output.out, HasSubstr("No cell has trials whose limits are known"));
        const Output asked = limrisk({"limits", store, "--cell", "0"});
        EXPECT_EQ(asked.code, 64);
        EXPECT_THAT(asked.err, HasSubstr(cases[k].reason));
        EXPECT_EQ(documents(store).size(), 0u);
    }
    EXPECT_EQ(limrisk({"limits", "absent.db"}).code, 74);
    EXPECT_EQ(limrisk({"limits", "descent.db", "--cell", "2"}).code, 64);
    succeed({"run", "descent.toml", "--quiet", "--set", "store=\"summary\"", "--set", "steps=20", "--store", "sums.db"});
    EXPECT_EQ(limrisk({"limits", "sums.db"}).code, 64);
}

TEST_F(ProvedLimitsTest, ATrialThatIsNotReachedAgainIs70) {
    const Campaign campaign = load_campaign(path("descent.toml"));
    {
        const Store right = Store::open(path("descent.db"));
        Store wrong = Store::open_for_writing(path("wrong.db"), campaign);
        for (const BlockKey& key : right.blocks()) {
            std::vector<TrialRecord> changed = right.read_block(key);
            if (key.cell == 1) changed.at(17).fingerprint ^= 1;
            wrong.write_block(key, changed);
        }
    }
    const Output output = limrisk({"limits", "wrong.db"});
    EXPECT_EQ(output.code, 70);
    EXPECT_THAT(output.err, HasSubstr("cell 1, trial 17: fingerprint is "));
    EXPECT_EQ(output.out, "");
    EXPECT_EQ(limrisk({"limits", "wrong.db", "--trials", "17"}).code, 0);
}

TEST_F(ProvedLimitsTest, DocumentsThatAreNoLimitsAre65) {
    succeed({"limits", "descent.db"});
    StoredDocument document = documents().front();
    const std::string right = document.text;
    const auto expect_refused = [&](const std::string& text, const std::string& what) {
        document.text = text;
        write_documents(path("descent.db"), {document});
        for (const char* command : {"summary", "limits"}) {
            const Output output = limrisk({command, "descent.db"});
            EXPECT_EQ(output.code, 65) << text;
            EXPECT_THAT(output.err, HasSubstr(what)) << text;
        }
    };
    expect_refused("[]", "a document of limits that is none");
    expect_refused(R"({"first_trial":0,"outcome":["proved"],"low":[0.1],"high":[]})", "its lists differ");
    expect_refused(R"({"first_trial":0,"outcome":["sure"],"low":[0.1],"high":[0.2]})", "an outcome is unknown");
    expect_refused(R"({"first_trial":0,"outcome":["proved"],"low":[0.3],"high":[0.2]})", "a limit has no bounds");
    expect_refused(R"({"first_trial":7,"outcome":["proved"],"low":[0.1],"high":[0.2]})", "its first trial is not 0");
    document.text = right;
    write_documents(path("descent.db"), {document});
    // Of a cell that has none.
    succeed({"run", "campaign.toml", "--quiet"});
    document.id = Store::open(path("campaign.db")).cells().front().id;
    write_documents(path("campaign.db"), {document});
    const Output output = limrisk({"summary", "campaign.db"});
    EXPECT_EQ(output.code, 65);
    EXPECT_THAT(output.err, HasSubstr("the store has limits of cell 0, but "));
}

// Trials that end by proof: `limits` proves all of them, to the limits that the trials have which were trained to the end, and no bit
// depends on threads, instruction sets or an interruption.
TEST_F(ProvedLimitsTest, TrialsThatEndByProof) {
    const std::vector<std::string> by_proof{"run", "descent.toml", "--quiet", "--set", "stop.proved=true"};
    const auto run_to = [&](const std::string& store, std::vector<std::string> more, const std::vector<std::string>& environment = {}) {
        std::vector<std::string> words = by_proof;
        words.insert(words.end(), {"--store", store});
        words.insert(words.end(), more.begin(), more.end());
        const Output output = limrisk(words, environment);
        EXPECT_EQ(output.code, 0) << output.err;
    };
    run_to("ended.db", {"--threads", "2"});
    run_to("portable.db", {"--threads", "1"}, {"LIMRISK_ISA=portable"});
    run_to("parts.db", {"--trials", "7"});
    run_to("parts.db", {});
    const Output found = succeed({"summary", "ended.db", "--json"});
    const json summary = json::parse(found.out);
    succeed({"limits", "descent.db", "--csv", "whole.csv"});
    succeed({"limits", "ended.db", "--csv", "ended.csv"});
    const std::map<std::pair<int, int>, Row> whole = rows_of(read("whole.csv")), ended = rows_of(read("ended.csv"));
    int stopped = 0, far = 0;
    for (const int cell : {0, 1}) {
        const std::vector<TrialRecord> all = records("ended.db", cell);
        int in_cell = 0;
        for (const char* store : {"portable.db", "parts.db"}) {
            const std::vector<TrialRecord> same = records(store, cell);
            ASSERT_EQ(same.size(), all.size());
            for (std::size_t trial = 0; trial < all.size(); ++trial) {
                EXPECT_EQ(same[trial].fingerprint, all[trial].fingerprint);
                EXPECT_EQ(same[trial].last_step, all[trial].last_step);
            }
        }
        for (std::size_t trial = 0; trial < all.size(); ++trial) {
            const Row& row = ended.at({cell, static_cast<int>(trial)});
            if (all[trial].verdict != Verdict::Stopped) {
                EXPECT_EQ(all[trial].last_step, 20000);
                continue;
            }
            ++in_cell;
            EXPECT_EQ(row.outcome, "proved");
            EXPECT_LT(all[trial].last_step, 20000);
            EXPECT_GE(all[trial].tail_mean, row.low);
            far += all[trial].tail_mean > row.high + 1e-4 ? 1 : 0;
            const Row& last = whole.at({cell, static_cast<int>(trial)});
            if (last.outcome != "proved") continue;
            EXPECT_LE(row.low, last.high);
            EXPECT_LE(last.low, row.high);
        }
        stopped += in_cell;
        EXPECT_EQ(summary["cells"][static_cast<std::size_t>(cell)]["early_ends"]["by_proof"], in_cell);
        EXPECT_EQ(summary["cells"][static_cast<std::size_t>(cell)]["verdicts"]["stopped"], in_cell);
    }
    EXPECT_GT(stopped, 60);
    EXPECT_GT(far, 0) << "limiting risks of the records are not the limits";
    EXPECT_THAT(succeed({"summary", "ended.db"}).out, HasSubstr("these limits are shown by"));
    const Output refused = limrisk({"run", "descent.toml", "--set", "stop.proved=true", "--set", "network.activation=\"softplus\""});
    EXPECT_EQ(refused.code, 65);
    EXPECT_THAT(refused.err, HasSubstr("key `stop.proved`"));
}

// float32: the proof is about exact descent from the stored network, on the points as float32 has them.
TEST_F(ProvedLimitsTest, SinglePrecisionIsProvedToo) {
    write("single.toml", descent_text(30, 40000, plain, "float32"));
    succeed({"run", "single.toml", "--quiet"});
    succeed({"limits", "single.db", "--csv", "single.csv"});
    int proved = 0;
    for (const auto& [key, row] : rows_of(read("single.csv"))) {
        if (row.outcome != "proved") continue;
        ++proved;
        EXPECT_GE(records("single.db", key.first)[static_cast<std::size_t>(key.second)].final_risk, row.low * (1 - 1e-5));
    }
    EXPECT_GT(proved, 20);
}

TEST_F(ProvedLimitsTest, StopsAtOnceAndGoesOn) {
    write("long.toml", descent_text(600, 60000));
    succeed({"run", "long.toml", "--quiet"});
    std::filesystem::copy_file(path("long.db"), path("undisturbed.db"));
    Process process(directory(), {"limrisk", "limits", "long.db"});
    ASSERT_TRUE(eventually([&] { return !process.running() || !documents("long.db").empty(); }));
    process.send(SIGINT);
    const Output stopped = process.wait();
    EXPECT_EQ(stopped.code, 130) << stopped.err;
    EXPECT_EQ(stopped.out, "");
    EXPECT_THAT(stopped.err, HasSubstr("of 1200 trials are stored in long.db"));
    const std::size_t advice = stopped.err.find("To continue: ");
    ASSERT_NE(advice, std::string::npos) << stopped.err;
    const std::size_t kept = documents("long.db").size();
    EXPECT_GE(kept, 1u);
    const Output again = shell(stopped.err.substr(advice + std::string_view("To continue: ").size()));
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_EQ(again.out, succeed({"limits", "undisturbed.db"}).out);
    ASSERT_EQ(documents("long.db").size(), documents("undisturbed.db").size());
    for (std::size_t k = 0; k < documents("long.db").size(); ++k)
        EXPECT_EQ(documents("long.db")[k].text, documents("undisturbed.db")[k].text);
}

}  // namespace
}  // namespace limrisk::test
